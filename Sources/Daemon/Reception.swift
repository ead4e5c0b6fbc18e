import DurableLog
import Glibc
import Logging
import NIOCore
import Replication
import Store
import Wire

/// Receives a copy until it is whole, makes sure that it is sound, and installs it. All of it on one thread; every step
/// can be interrupted, by a crash too, and is gone on with by the next one to run this.
final class Reception {
    /// How much is asked for at once, and how many such pieces ahead: enough for a fast network, and no memory to
    /// speak of.
    static let pieceSize = 256 << 10
    static let window = 8
    /// Of silence, after which a connection is given up. Somebody who takes a snapshot says so every second.
    static let patience: UInt64 = 15_000
    /// A copy that proves unsound so many times in a row is nothing that fetching it again would mend.
    static let attempts = 3

    private enum Step { case whole, again, stopped }

    let reseeder: Reseeder
    let data: DataDirectory
    let settings: NodeSettings
    let view: ReseedView
    let log: Logger
    var file: NodeFile
    private var channel: (any Channel)?
    private var attempt = 0
    private var heardAt = monotonicNow()
    /// To want a snapshot again.
    private var wantAt: Instant?
    /// Where the next piece to ask for begins.
    private var asked: UInt64 = 0
    private var course = Course()
    var unsound = 0
    private var complaint = ""

    init(
        _ reseeder: Reseeder, _ data: DataDirectory, _ file: NodeFile, _ settings: NodeSettings, _ view: ReseedView,
        log: Logger
    ) {
        (self.reseeder, self.data, self.file, self.settings) = (reseeder, data, file, settings)
        (self.view, self.log) = (view, log)
    }

    func run() -> Reseeder.Outcome {
        do throws(DataError) {
            data.removeLeftovers(keeping: [file.copy, file.incoming])
            let copy = try open()
            while true {
                if copy.isComplete {
                    if try finish(copy) { return .installed }
                    if unsound >= Self.attempts { return .failed(.damaged) }
                    if pause() { return .stopped }
                    if copy.isComplete { continue }
                }
                switch try receive(copy) {
                case .whole: break
                case .again: if pause() { return .stopped }
                case .stopped: return .stopped
                }
            }
        } catch {
            log.critical("reseeding can't go on", metadata: ["because": "\(error)"])
            return .failed(error.exitCode)
        }
    }

    private func open() throws(DataError) -> IncomingCopy {
        let path = data.copyPath(file.incoming)
        do throws(LogError) {
            let copy: IncomingCopy
            do throws(LogError) { copy = try IncomingCopy(path: path) } catch LogError.damaged {
                // It says how far it came, and can't be believed.
                data.removeLeftovers(keeping: [file.copy])
                copy = try IncomingCopy(path: path)
            }
            if let offer = copy.offer {
                log.notice(
                    "going on with the copy that was begun",
                    metadata: ["snapshot": "\(offer.snapshot)", "received": "\(copy.received)", "of": "\(offer.size)"])
            }
            return copy
        } catch { throw .log(error) }
    }

    /// True: asked to stop.
    private func pause() -> Bool {
        let end = monotonicNow().advanced(byMilliseconds: 500)
        while monotonicNow() < end {
            for event in reseeder.events.takeAll() {
                switch event {
                case .stop: return true
                case .reply: reseeder.taken()
                case .opened(let channel, _): channel.close(promise: nil)
                case .closed, .tick: break
                }
            }
        }
        return false
    }

    // MARK: one connection

    private func receive(_ copy: IncomingCopy) throws(DataError) -> Step {
        attempt += 1
        (heardAt, wantAt) = (monotonicNow(), nil)
        reseeder.forget()
        reseeder.dial(attempt: attempt)
        defer {
            channel?.close(promise: nil)
            channel = nil
        }
        while true {
            for event in reseeder.events.takeAll() {
                if case .reply = event { reseeder.taken() }
                switch event {
                case .stop: return .stopped
                case .tick: if try tick(copy) { return .again }
                case .opened(let channel, attempt: attempt):
                    self.channel = channel
                    want(copy)
                case .reply(let reply, attempt: attempt):
                    heardAt = monotonicNow()
                    if try hear(reply, copy) { return .again }
                    if copy.isComplete { return .whole }
                case .closed(let reason, attempt: attempt):
                    complain(reason)
                    return .again
                case .opened(let channel, _): channel.close(promise: nil)
                case .reply, .closed: break
                }
            }
        }
    }

    private func want(_ copy: IncomingCopy) {
        guard let channel else { return }
        wantAt = nil
        let pair = file.pairID == .zero ? nil : file.pairID
        reseeder.send(.want(pair: pair, snapshot: copy.offer?.snapshot), on: channel)
    }

    /// True: give this connection up.
    private func tick(_ copy: IncomingCopy) throws(DataError) -> Bool {
        let now = monotonicNow()
        if let wantAt {
            heardAt = now
            if now >= wantAt { want(copy) }
        }
        guard now >= heardAt.advanced(byMilliseconds: Self.patience) else { return false }
        complain("no word from the other node for \(Self.patience / 1000) s")
        return true
    }

    /// True: give this connection up.
    private func hear(_ reply: CopyReply, _ copy: IncomingCopy) throws(DataError) -> Bool {
        switch reply {
        case .preparing(let done, let total):
            show("waiting for the other node's snapshot, \(Course.percent(done, of: total)) taken")
            return false
        case .offer(let offer): return try !begin(offer, copy)
        case .chunk(let offset, let bytes):
            guard let offer = copy.offer, offset == copy.received, offset < asked,
                UInt64(bytes.count) == min(UInt64(Self.pieceSize), offer.size - offset)
            else {
                complain("the other node sent what was not asked for")
                return true
            }
            return try !write(bytes, copy)
        case .notNow(let reason, let text, let again):
            complain(text)
            // What was asked for before it is answered so too, each.
            if reason == .gone { asked = copy.received }
            wantAt = wantAt ?? monotonicNow().advanced(byMilliseconds: UInt64(max(again, 100)))
            return false
        }
    }

    /// False: not with this one.
    private func begin(_ offer: CopyOffer, _ copy: IncomingCopy) throws(DataError) -> Bool {
        file = try data.learn(from: offer, file)
        guard offer.pair == file.pairID else {
            complain("the other node belongs to another pair, \(offer.pair); check its data directory")
            return false
        }
        if copy.offer != offer {
            let needed = offer.size + Room.reserve(segmentSize: settings.segmentSize)
            if let free = Room.free(at: data.path), free < needed {
                complain("the copy needs \(needed >> 20) MiB, and \(free >> 20) MiB are free here; make room")
                return false
            }
        }
        do throws(LogError) { try copy.begin(offer) } catch { return try outOfRoom(error) }
        log.notice(
            "receiving a copy of the other node's database",
            metadata: [
                "snapshot": "\(offer.snapshot)", "position": "\(offer.position)", "from": "\(copy.received)",
                "of": "\(offer.size)",
            ])
        (asked, course, complaint) = (copy.received, Course(from: copy.received), "")
        show("receiving", copy)
        ask(copy)
        return true
    }

    private func ask(_ copy: IncomingCopy) {
        guard let channel, let offer = copy.offer else { return }
        while asked < offer.size, asked < copy.received + UInt64(Self.window * Self.pieceSize) {
            let length = min(Self.pieceSize, Int(offer.size - asked))
            reseeder.send(.fetch(offer.snapshot, offset: asked, length: length), on: channel)
            asked += UInt64(length)
        }
    }

    private func write(_ bytes: [UInt8], _ copy: IncomingCopy) throws(DataError) -> Bool {
        do throws(LogError) { try copy.write(bytes) } catch { return try outOfRoom(error) }
        show("receiving", copy)
        if let offer = copy.offer, let (percent, rate, left) = course.report(copy.received, of: offer.size) {
            log.info("receiving a copy", metadata: ["done": "\(percent)", "rate": "\(rate)", "left": "\(left)"])
        }
        ask(copy)
        return true
    }

    // MARK: words

    func show(_ doing: String, _ copy: IncomingCopy? = nil) {
        view.change { sight in
            sight.doing = doing
            guard let copy else { return }
            (sight.received, sight.total) = (copy.received, copy.offer?.size ?? 0)
        }
    }

    /// Each reason once, until something else is wrong.
    func complain(_ text: String) {
        show(text)
        guard text != complaint else { return }
        complaint = text
        log.warning("no copy yet", metadata: ["because": "\(text)"])
    }
}
