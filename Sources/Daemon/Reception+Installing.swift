import DurableLog
import Store
import Wire

/// What becomes of a copy that is whole.
extension Reception {
    /// False: it was not sound, and is forgotten; or there was no room.
    func finish(_ copy: IncomingCopy) throws(DataError) -> Bool {
        show("checking the copy", copy)
        do throws(DataError) { try copy.verify() } catch {
            if case .log(.syncFailed) = error { throw error }
            unsound += 1
            log.error("the copy is not sound; fetching it again", metadata: ["because": "\(error)"])
            do throws(LogError) { try copy.clear() } catch { throw .log(error) }
            return false
        }
        show("installing the copy", copy)
        do throws(LogError) { try copy.complete(segmentSize: settings.segmentSize) } catch {
            return try outOfRoom(error)
        }
        file = try data.install(file)
        log.notice(
            "reseeded", metadata: ["position": "\(copy.offer?.position ?? .zero)", "disk": "\(file.record.disk)"])
        return true
    }

    /// Room may come back; nothing else does.
    func outOfRoom(_ error: LogError) throws(DataError) -> Bool {
        guard case .full = error else { throw .log(error) }
        complain("\(error)")
        return false
    }
}
