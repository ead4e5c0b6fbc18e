import CSQLiteSession

/// The locks and the shared memory of one database file, which all its connections see and no crash survives. Lies with
/// the file itself: whatever becomes of a disk, what its files are then has none.
final class SharedState {
    var shared = 0
    /// Whoever holds more than a shared lock.
    var writer: OpenDatabaseFile?
    var regions: [UnsafeMutableRawBufferPointer] = []
    var maps = 0
    /// For each of the eight slots: how many have it shared, and whether one has it alone.
    var sharedSlots = [Int](repeating: 0, count: 8)
    var exclusiveSlots: UInt8 = 0
    /// The process that it belongs to.
    let life: Int

    init(life: Int) { self.life = life }

    func dropRegions() {
        for region in regions { region.deallocate() }
        regions = []
    }

    deinit { dropRegions() }
}

// The levels of sqlite.org/lockingv3.html.
extension OpenDatabaseFile {
    var isReserved: Bool { state.writer != nil }

    func lock(_ level: Int32) -> Int32 {
        guard lives else { return DatabaseFiles.ioError(15) }
        guard level > lock else { return SQLITE_OK }
        if lock == SQLITE_LOCK_NONE {
            guard state.writer?.lock ?? SQLITE_LOCK_NONE < SQLITE_LOCK_PENDING else { return SQLITE_BUSY }
            state.shared += 1
            lock = SQLITE_LOCK_SHARED
        }
        guard level > SQLITE_LOCK_SHARED else { return SQLITE_OK }
        guard state.writer == nil || state.writer === self else { return SQLITE_BUSY }
        state.writer = self
        guard level == SQLITE_LOCK_EXCLUSIVE else {
            lock = level
            return SQLITE_OK
        }
        lock = state.shared == 1 ? SQLITE_LOCK_EXCLUSIVE : SQLITE_LOCK_PENDING
        return lock == SQLITE_LOCK_EXCLUSIVE ? SQLITE_OK : SQLITE_BUSY
    }

    func unlock(to level: Int32) -> Int32 {
        guard level < lock else { return SQLITE_OK }
        if state.writer === self { state.writer = nil }
        if level == SQLITE_LOCK_NONE { state.shared -= 1 }
        lock = level
        return SQLITE_OK
    }

    func map(
        region: Int, size: Int, extends: Bool, _ target: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Int32 {
        guard lives else { return DatabaseFiles.ioError(21) }
        if !isMapped {
            isMapped = true
            state.maps += 1
        }
        target?.pointee = nil
        guard region < state.regions.count || extends else { return SQLITE_OK }
        while state.regions.count <= region {
            let room = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
            room.initializeMemory(as: UInt8.self, repeating: 0)
            state.regions.append(room)
        }
        target?.pointee = state.regions[region].baseAddress
        return SQLITE_OK
    }

    func lockSlots(_ first: Int, _ count: Int, flags: Int32) -> Int32 {
        let mask = UInt8(truncatingIfNeeded: (1 << (first + count)) - (1 << first))
        let slots = first..<first + count
        if flags & SQLITE_SHM_UNLOCK != 0 {
            for slot in slots where sharedSlots & 1 << slot != 0 { state.sharedSlots[slot] -= 1 }
            state.exclusiveSlots &= ~(exclusiveSlots & mask)
            (sharedSlots, exclusiveSlots) = (sharedSlots & ~mask, exclusiveSlots & ~mask)
            return SQLITE_OK
        }
        guard lives else { return DatabaseFiles.ioError(20) }
        if flags & SQLITE_SHM_SHARED != 0 {
            guard state.exclusiveSlots & mask & ~exclusiveSlots == 0 else { return SQLITE_BUSY }
            for slot in slots where sharedSlots & 1 << slot == 0 { state.sharedSlots[slot] += 1 }
            sharedSlots |= mask
            return SQLITE_OK
        }
        for slot in slots {
            let others = state.sharedSlots[slot] - (sharedSlots & 1 << slot != 0 ? 1 : 0)
            guard others == 0, state.exclusiveSlots & ~exclusiveSlots & 1 << slot == 0 else { return SQLITE_BUSY }
        }
        state.exclusiveSlots |= mask
        exclusiveSlots |= mask
        return SQLITE_OK
    }

    func unmap(deletes: Bool) -> Int32 {
        guard isMapped else { return SQLITE_OK }
        isMapped = false
        state.maps -= 1
        if state.maps == 0, deletes { state.dropRegions() }
        return SQLITE_OK
    }
}
