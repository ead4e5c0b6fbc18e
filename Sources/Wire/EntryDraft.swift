import Replication
import Synchronization

/// An entry's frame before it has its place in the log: the payload is where it will be, and its checksum known.
///
/// A payload may have 64 MiB. Whoever gives it its place, the event loop, must neither copy nor read it: the header is
/// filled in before it, in the same memory.
package final class EntryDraft: Sendable {
    private let frame: Mutex<[UInt8]>
    private let checksum: UInt32
    /// Of the payload.
    package let count: Int

    /// One allocation, one copy of the payload.
    /// - Precondition: the payload is not larger than `EntryFrame.maximumPayload`.
    package init(payload: [UInt8]) {
        count = payload.count
        checksum = payload.withUnsafeBytes { crc32c($0) }
        frame = Mutex(EntryFrame.room(for: payload))
    }

    /// The frame, in the draft's own memory. Once: the draft is empty afterwards.
    package func placed(
        at position: Position, kind: EntryKind, schemaVersion: UInt32, digest: Digest, chainBefore: UInt64
    ) -> EntryFrame {
        let bytes = frame.withLock { frame in
            defer { frame = [] }
            return frame
        }
        return EntryFrame(
            consume bytes, payloadChecksum: checksum,
            Entry(position: position, kind: kind, schemaVersion: schemaVersion, digest: digest, payload: []),
            chainBefore: chainBefore, knownSynced: .zero)
    }
}
