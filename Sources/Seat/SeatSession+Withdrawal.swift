import Replication
import Tickets
import Wire

// What callers take back, as far as it can be taken back.
extension SeatSession {
    /// Did the request of this name happen? If it did not, it never will: a copy that is still on its way can't change
    /// anything after the answer to this.
    package mutating func withdraw(
        _ name: RequestName, for call: Call, by deadline: Instant, at now: Instant
    ) -> [Directive] { perform(.withdraw, again: name, for: call, by: deadline, at: now) }

    /// The caller does not want it any more. What no node has ever been sent is gone; what may have happened is asked
    /// for, and the caller is told which it was.
    package mutating func cancel(_ call: Call, at now: Instant) -> [Directive] {
        if let index = unnamed.firstIndex(where: { $0.call == call }) {
            unnamed.remove(at: index)
            return [.deliver(.failed(.refused(.withdrawn)), to: call)]
        }
        guard let (key, item) = pending.first(where: { $0.value.call == call }) else { return [] }
        guard case .request(let name) = key else {
            pending[key] = nil
            return [.deliver(.failed(.unreachable), to: call)]
        }
        guard item.copies > item.turnedAway else {
            pending[key] = nil
            resolve(name)
            return [.deliver(.failed(.refused(.withdrawn)), to: call)]
        }
        pending[key]?.withdraw()
        pending[key]?.notBefore = nil
        return sendNow(key, at: now)
    }
}
