import Replication
import Wire

/// Encodes and decodes what is too long for the node's event loop: 64 MiB of entries take tens of milliseconds of
/// copying and summing up, and heartbeats and read confirmations leave and arrive meanwhile.
final class LongMessageThread: Sendable {
    typealias Decoded = Result<PeerEnvelope, MalformedMessage>

    enum Order: Sendable {
        case cut(PeerEnvelope, number: UInt64, done: @Sendable ([[UInt8]]) -> Void)
        case part(Twinline_Node_V1_Part, connection: Int, done: @Sendable (Decoded) -> Void)
        case forget(connection: Int)
        case stop
    }

    private let orders = Mailbox<Order>()

    func start(_ ended: @escaping @Sendable () -> Void) {
        startThread("long messages") {
            self.run()
            ended()
        }
    }

    func stop() { orders.post(.stop) }

    /// Encodes a message, in parts.
    func cut(_ envelope: PeerEnvelope, number: UInt64, done: @escaping @Sendable ([[UInt8]]) -> Void) {
        orders.post(.cut(envelope, number: number, done: done))
    }

    /// A part that came over this connection. `done` is called for the one that completes a message, and for one that
    /// can't be.
    func add(_ part: Twinline_Node_V1_Part, connection: Int, done: @escaping @Sendable (Decoded) -> Void) {
        orders.post(.part(part, connection: connection, done: done))
    }

    func forget(connection: Int) { orders.post(.forget(connection: connection)) }

    private func run() {
        var work = Work()
        while work.carryOut(orders.takeAll()) {}
    }

    /// What waits; for a test that carries it out on a thread of its own.
    func takeWaiting() -> [Order] { orders.takeWaiting() }

    struct Work {
        private var assemblies: [Int: MessageAssembly] = [:]

        /// - Returns: false when asked to stop.
        mutating func carryOut(_ orders: [Order]) -> Bool {
            for order in orders {
                switch order {
                case .cut(let envelope, let number, let done):
                    var parts: [[UInt8]] = []
                    let message = encoded(Twinline_Node_V1_PeerMessage(envelope))
                    MessageParts.cut(message, number: number) { parts.append($0) }
                    done(parts)
                case .part(let part, let connection, let done):
                    if let decoded = LongMessageThread.add(part, to: &assemblies[connection, default: .init()]) {
                        done(decoded)
                    }
                case .forget(let connection): assemblies[connection] = nil
                case .stop: return false
                }
            }
            return true
        }
    }

    private static func add(_ part: Twinline_Node_V1_Part, to assembly: inout MessageAssembly) -> Decoded? {
        do throws(MalformedMessage) {
            return try assembly.add(part).map(envelope(of:))
        } catch {
            return .failure(error)
        }
    }

    private static func envelope(of message: Twinline_Node_V1_PeerMessage) -> Decoded {
        Decoded { () throws(MalformedMessage) in try PeerEnvelope(message) }
    }
}
