import Replication
import Tickets
import Wire

@testable import Seat

/// Gives a script's events to a `SeatSession`, and its decisions as the script's words.
struct ScriptPlayer {
    struct Decision {
        var text: String
        /// Milliseconds since the script began.
        var at: Double
    }

    struct Unplayable: Error { var step: String }

    static let links = ["a0": a0, "a1": a1, "b0": b0, "b1": b1]
    private static let names = Dictionary(uniqueKeysWithValues: links.map { ($1, $0) })
    private static let began: UInt64 = 1_000_000_000_000

    private var seat: SeatSession
    private let beats: Bool
    /// What the session's opening was last called.
    private var opening: Int64 = 0

    init(_ script: Script, seed: UInt64) throws {
        let memory = script.memory.map { SeatMemory(pair: $0.pair, epoch: $0.epoch) }
        seat = SeatSession(links: [a0, a1, b0, b1], memory: memory, seed: seed)
        beats = script.beats ?? false
    }

    mutating func play(_ step: Script.Step) throws -> [Decision] {
        let now = Instant(nanoseconds: Self.began + UInt64((step.at * 1_000_000).rounded()))
        if step.run != nil { return try run(until: now, alive: try (step.alive ?? []).map(link)) }
        return show(try decide(step, at: now), at: now, beats: beats)
    }

    private mutating func decide(_ step: Script.Step, at now: Instant) throws -> [SeatSession.Directive] {
        let deadline = now.after(milliseconds: step.within ?? 10_000)
        if step.start != nil { return seat.start(at: now) }
        if step.tick != nil { return seat.tick(at: now) }
        if let name = step.connected { return seat.connected(try link(name), at: now) }
        if let name = step.lost { return seat.disconnected(try link(name), try loss(step.how), at: now) }
        if let call = step.perform {
            let call = SeatSession.Call(call)
            let long = step.text.map { Command.note(ticket, text: String(repeating: "x", count: $0 << 10)) }
            let body: SeatRequest.Body = step.sql == true ? .execute([]) : .command(long ?? note)
            guard step.again != nil else { return seat.perform(body, for: call, by: deadline, at: now) }
            return seat.perform(body, again: try again(step), for: call, by: deadline, at: now)
        }
        if let call = step.withdraw {
            return seat.withdraw(try again(step), for: SeatSession.Call(call), by: deadline, at: now)
        }
        if let call = step.read {
            let level: SeatRead.Level = step.level == "standby" ? .standby() : .latest
            return seat.ask(.show(ticket), level: level, for: SeatSession.Call(call), by: deadline, at: now)
        }
        if step.hear == "part" {
            seat.heard(try link(step.on ?? ""), at: now)
            return []
        }
        seat.isOne(of: step.connections ?? 0)
        return seat.receive(try message(step), on: try link(step.on ?? ""), at: now)
    }

    /// Ticks whenever one is due; what lives echoes each beat.
    private mutating func run(until end: Instant, alive: [Link]) throws -> [Decision] {
        var decisions: [Decision] = []
        var ticks = 0
        while let due = seat.wakeAt, due <= end {
            ticks += 1
            guard ticks < 10_000 else { throw Unplayable(step: "there is always something due, at \(due)") }
            var found = seat.tick(at: due)
            for case .send(.beat(let stamp, _, _), let link) in found where alive.contains(link) {
                found += seat.receive(.beat(stamp: 0, echo: stamp), on: link, at: due)
            }
            decisions += show(found, at: due, beats: false)
        }
        return decisions
    }

    // From words.

    private func link(_ name: String) throws -> Link {
        guard let link = Self.links[name] else { throw Unplayable(step: "link \(name)") }
        return link
    }

    private func again(_ step: Script.Step) throws -> RequestName {
        guard let again = step.again, again.count == 2 else { throw Unplayable(step: "again") }
        return name(again[1], session: again[0])
    }

    private func loss(_ how: String?) throws -> SeatSession.Loss {
        switch how {
        case "refused": .refused
        case "failed": .failed
        case "rejected": .rejected
        default: throw Unplayable(step: "lost \(how ?? "")")
        }
    }

    private func standing(_ step: Script.Step) throws -> Standing {
        switch step.role {
        case "primary": Standing(.primary, Epoch(step.epoch ?? 0))
        case "standby": Standing(.standby, Epoch(step.epoch ?? 0))
        case "starting": Standing(.starting, Epoch(step.epoch ?? 0))
        default: throw Unplayable(step: "role \(step.role ?? "")")
        }
    }

    private func message(_ step: Script.Step) throws -> FromNode {
        switch (step.hear, step.to) {
        case ("welcome", _):
            guard let pair = RandomID(step.pair ?? "") else { throw Unplayable(step: "pair") }
            return .welcome(pair: pair, try standing(step))
        case ("standing", _): return .standing(try standing(step))
        case ("beat", _): return .beat(stamp: step.stamp ?? 0, echo: 0)
        case ("goodbye", _): return .goodbye("")
        case ("shown", .read(let number)):
            return .shown(number, .view(.init(number: number, at: Position(e1, LSN(1)), .ticket(nil))))
        case ("answer", .opening): return .answered(name(opening, session: 0), try verdict(step))
        case ("answer", .request(let session, let sequence)):
            return .answered(name(sequence, session: session), try verdict(step))
        default: throw Unplayable(step: "hear \(step.hear ?? "")")
        }
    }

    private func verdict(_ step: Script.Step) throws -> FromNode.Verdict {
        switch (step.outcome, step.reason) {
        case ("done", _): .done(done)
        case ("opened", _): .sessionOpened(step.session ?? 0)
        case ("not_now", _):
            .notNow(
                .init(
                    step.role == nil ? nil : try standing(step), againAfter: step.again_after ?? 0,
                    diskFull: step.disk_full ?? false))
        case ("refused", "NO_SUCH_TICKET"): .refused(.noSuchTicket(ticket))
        case ("refused", "UNKNOWN_SESSION"): .refused(.unknownSession)
        case ("refused", "WINDOW_EXPIRED"): .refused(.windowExpired)
        case ("refused", "WITHDRAWN"): .refused(.withdrawn)
        default: throw Unplayable(step: "\(step.outcome ?? "") \(step.reason ?? "")")
        }
    }

    // To words.

    private mutating func show(
        _ directives: [SeatSession.Directive], at now: Instant, beats: Bool
    ) -> [Decision] {
        let at = Double(now.nanoseconds - Self.began) / 1_000_000
        return directives.map { Decision(text: text($0), at: at) }.filter { beats || !$0.text.hasPrefix("beat") }
    }

    private mutating func text(_ directive: SeatSession.Directive) -> String {
        switch directive {
        case .connect(let link): "connect \(Self.names[link] ?? "")"
        case .disconnect(let link, _): "disconnect \(Self.names[link] ?? "")"
        case .send(let message, let link): "\(text(message)) on \(Self.names[link] ?? "")"
        case .deliver(let outcome, let call): "deliver \(text(outcome)) to \(call.number)"
        case .remember(let memory): "remember \(memory.pair) \(memory.epoch)"
        }
    }

    private mutating func text(_ message: ToNode) -> String {
        switch message {
        case .hello(let epoch): return "hello \(epoch.value)"
        case .request(let request) where request.session == 0:
            opening = Int64(request.sequence)
            return "open_session"
        case .request(let request):
            let verb = request.body == .withdraw ? "withdraw" : "request"
            return "\(verb) \(request.session)/\(request.sequence) below \(request.answeredBelow)"
        case .read(let read): return "read \(read.number)"
        case .beat(_, let echo, let isStranded):
            return "beat" + (echo == 0 ? "" : " echo \(echo)") + (isStranded ? " stranded" : "")
        case .status, .switchover: return "\(message)"
        }
    }

    private func text(_ outcome: SeatSession.Outcome) -> String {
        switch outcome {
        case .done: "done"
        case .view: "view"
        case .failed(.unknown(let name)): "unknown \(name)"
        case .failed(.refused(.noSuchTicket)): "refused NO_SUCH_TICKET"
        case .failed(.refused(.withdrawn)): "refused WITHDRAWN"
        case .failed(.unreachable): "unreachable"
        case .failed(.diskFull): "disk_full"
        case .executed, .schemaChanged, .failed, .named, .nameVoid, .status, .operation: "\(outcome)"
        }
    }
}
