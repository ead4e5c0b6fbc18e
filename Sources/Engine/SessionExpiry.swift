import Planted
import Store

/// When sessions are forgotten of which nothing was heard for long: seats that are gone for good would leave a row and
/// their last answers each, for ever. The primary decides it, and an entry does it, on both nodes alike.
package struct SessionExpiry {
    /// Milliseconds. A last word is written down an hour late at most.
    package static let keep: Int64 = 25 * 3_600_000
    /// How often somebody looks. A part of them goes each time.
    private static let each: Int64 = 60_000

    private var lookedAt: Int64?

    package init() {}

    /// What is to be done behind the other requests of a batch, whose sessions have had their say by then.
    /// - Parameter now: milliseconds since 1970 (UTC). A wrong clock forgets sessions too early: their seats open
    ///   others, and no request is done twice.
    package mutating func due(at now: Int64) -> StoreRequest? {
        if let lookedAt, (lookedAt..<lookedAt + Self.each).contains(now) { return nil }
        guard !planted("keepEverySession") else { return nil }
        lookedAt = now
        return StoreRequest(actor: "node", body: .expireSessions(before: now - Self.keep))
    }
}
