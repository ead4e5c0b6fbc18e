import Foundation
import Replication
import Synchronization
import TestSupport
import Testing
import Tickets
import Wire

@testable import Seat

/// A directory of its own, gone with the test.
private func withDirectory(_ work: (String) async throws -> Void) async throws {
    let path = NSTemporaryDirectory() + "/twinline-outbox-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await work(path)
}

private func text(_ number: Int) -> Command { .note(ticket, text: "call \(number)") }

/// What a node was asked to do, in order, each name once.
private final class Heard: Sendable {
    private let state = Mutex<(order: [String], names: Set<String>)>(([], []))
    /// What it calls a session that is opened.
    private let session: UInt64

    init(session: UInt64 = 7) { self.session = session }

    /// Answers, and remembers.
    @Sendable func script(_ request: Twinline_Seat_V1_Request, copies: Int) -> Twinline_Seat_V1_Answer? {
        if case .openSession? = request.command {
            var opened = Twinline_Seat_V1_Answer.opened(request.sequence)
            opened.sessionOpened.session = session
            return opened
        }
        state.withLock {
            guard $0.names.insert("\(request.session)/\(request.sequence)").inserted else { return }
            $0.order.append(request.note.text)
        }
        return ScriptedNode.done(request, copies: copies)
    }

    var texts: [String] { state.withLock { $0.order } }
    var names: Set<String> { state.withLock { $0.names } }
}

/// What is taken while nobody answers.
@Suite struct SeatOutboxTests {
    private func client(
        _ port: Int, outbox: String,
        settled: @escaping @Sendable (Command, Result<Done, SeatError>) -> Void = { _, _ in }
    ) throws -> SeatClient {
        var configuration = Keys.shared.configuration([.init(.a, address: "127.0.0.1", port: port)])
        configuration.outbox = outbox
        configuration.settled = settled
        return try SeatClient(configuration: configuration)
    }

    @Test("with somebody there a call is done as without an outbox, and leaves nothing behind")
    func everyday() async throws {
        try await withDirectory { path in
            let node = try await ScriptedNode.start(.a, .primary)
            let client = try client(node.port, outbox: path)
            #expect(try await client.perform(note).state == .open)
            #expect(await client.undelivered == 0)
            try await eventually { try FileManager.default.contentsOfDirectory(atPath: path) == [] }
            await client.close()
            await node.stop()
        }
    }

    @Test("calls taken while nobody answers are delivered once and in order when somebody does")
    func outage() async throws {
        try await withDirectory { path in
            let port = try QuietPort()
            let delivered = Mutex<[Command]>([])
            let client = try client(port.number, outbox: path) { command, result in
                if case .success = result { delivered.withLock { $0.append(command) } }
            }
            for number in 1...20 {
                await #expect(throws: SeatError.kept(waiting: number)) {
                    try await client.perform(text(number), within: .milliseconds(20))
                }
            }
            #expect(await client.undelivered == 20)
            let heard = Heard()
            port.release()
            let node = try await ScriptedNode.start(.a, .primary, port: port.number, script: heard.script)
            try await eventually { await client.undelivered == 0 }
            #expect(heard.texts == (1...20).map { "call \($0)" })
            #expect(delivered.withLock { $0 } == (1...20).map { text($0) })
            await client.close()
            await node.stop()
        }
    }

    @Test("the next program delivers what the one before has kept, under the names that it had used")
    func nextProgram() async throws {
        try await withDirectory { path in
            // This node takes everything and answers nothing but the opening of a session.
            let silent = Heard()
            let deaf = try await ScriptedNode.start(.a, .primary) { request, copies in
                let answer = silent.script(request, copies: copies)
                return request.session == 0 ? answer : nil
            }
            let settled = Mutex(0)
            let first = try client(deaf.port, outbox: path) { _, _ in settled.withLock { $0 += 1 } }
            for number in 1...3 { _ = try? await first.perform(text(number), within: .milliseconds(50)) }
            try await eventually { !silent.texts.isEmpty }
            await first.close()
            // It was asked for and not answered: that is no outcome.
            #expect(settled.withLock { $0 } == 0)
            await deaf.stop()
            // Only the first is ever under way.
            #expect(silent.texts == ["call 1"])

            let heard = Heard(session: 8)
            let node = try await ScriptedNode.start(.a, .primary, script: heard.script)
            let second = try client(node.port, outbox: path)
            try await eventually { await second.undelivered == 0 }
            #expect(heard.texts == ["call 1", "call 2", "call 3"])
            #expect(heard.names.isSuperset(of: silent.names))
            await second.close()
            await node.stop()
        }
    }

    @Test("two programs can't have one outbox")
    func locked() async throws {
        try await withDirectory { path in
            let port = try QuietPort()
            let first = try client(port.number, outbox: path)
            #expect(throws: SeatError.self) { try client(port.number, outbox: path) }
            await first.close()
            port.release()
        }
    }

    @Test("a call that can't be kept is not sent")
    func notKept() async throws {
        try await withDirectory { path in
            let heard = Heard()
            let node = try await ScriptedNode.start(.a, .primary, script: heard.script)
            let client = try client(node.port, outbox: path)
            _ = try await client.perform(text(1))
            // The first call's file is taken away after its answer; nobody else may remove it meanwhile.
            try await eventually {
                try !FileManager.default.contentsOfDirectory(atPath: path).contains { $0.hasSuffix(".call") }
            }
            try FileManager.default.removeItem(atPath: path)
            do {
                _ = try await client.perform(text(2))
                Issue.record("it was done all the same")
            } catch let error as SeatError {
                guard case .notKept = error else {
                    Issue.record("\(error)")
                    return
                }
            }
            #expect(heard.texts == ["call 1"])
            await client.close()
            await node.stop()
        }
    }
}

/// The files of an outbox.
@Suite struct OutboxFilesTests {
    @Test("each single flipped bit of a file is found; it is set aside, and the others go on")
    func damage() async throws {
        try await withDirectory { path in
            let calls = (1...3).map { KeptCall(UInt64($0), text($0), name: name(Int64($0)), keptAt: 9) }
            for call in calls { try OutboxFiles(path: path).save(call) }
            let file = path + "/000000000002.call"
            let sound = try Data(contentsOf: URL(filePath: file))
            for bit in 0..<(sound.count * 8) {
                var bytes = sound
                bytes[bit / 8] ^= 1 << (bit % 8)
                // Bytes 6 and 7 are reserved, but under the checksum like all others.
                #expect(KeptCall(2, [UInt8](bytes)) == nil, "bit \(bit)")
            }
            try sound.prefix(40).write(to: URL(filePath: file))
            let found = try OutboxFiles(path: path).load()
            #expect(found.calls == [calls[0], calls[2]])
            #expect(found.damaged == [file + ".damaged"])
            #expect(try OutboxFiles(path: path).load().damaged == [])
        }
    }

    @Test("what was being kept when the program died was kept from nobody, and is not there")
    func unfinished() async throws {
        try await withDirectory { path in
            try Data([1, 2, 3]).write(to: URL(filePath: path + "/000000000001.call.new"))
            let found = try OutboxFiles(path: path).load()
            #expect(found.calls == [] && found.damaged == [])
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
        }
    }
}
