/// Which epoch wrote which part of a log: enough to find where two logs part, without reading either.
///
/// Since (epoch, LSN) names one entry for ever (rule R7), two logs that both hold an entry of an epoch agree up to the
/// shorter end of the highest epoch that they share (Kafka's KIP-101 uses the same table).
public struct EpochTable: Equatable, Sendable {
    /// The entry before the oldest one retained; `.zero` for a log that reaches back to its beginning.
    public private(set) var base: Position
    /// The first retained position of each epoch, ascending in both parts.
    public private(set) var starts: [Position]
    public private(set) var last: Position

    public init(base: Position = .zero, starts: [Position] = [], last: Position? = nil) {
        self.base = base
        self.starts = starts
        self.last = last ?? base
    }

    /// The entry must follow: its LSN is the next one, its epoch no lower.
    public mutating func append(_ position: Position) {
        precondition(position.lsn == last.lsn.next && position.epoch >= last.epoch, "\(position) after \(last)")
        if starts.last?.epoch != position.epoch { starts.append(position) }
        last = position
    }

    public mutating func cut(to lsn: LSN) {
        guard lsn < last.lsn else { return }
        precondition(lsn >= base.lsn, "cut to \(lsn), but the log begins after \(base)")
        while let start = starts.last, start.lsn > lsn { starts.removeLast() }
        last = starts.last.map { Position($0.epoch, lsn) } ?? base
    }

    /// Forgets what is at or below this position.
    public mutating func release(through lsn: LSN) {
        guard lsn > base.lsn, let epoch = epoch(at: lsn) else { return }
        base = Position(epoch, lsn)
        let kept = starts.drop { $0.lsn <= lsn }
        if last.lsn > lsn, kept.first?.lsn != lsn.next {
            starts = [Position(epoch, lsn.next)] + kept
        } else {
            starts = Array(kept)
        }
    }

    /// Nil outside the retained log.
    public func epoch(at lsn: LSN) -> Epoch? {
        if lsn == base.lsn { return base.epoch }
        guard lsn <= last.lsn else { return nil }
        return starts.last { $0.lsn <= lsn }?.epoch
    }

    /// The newest position that both logs hold; nil when neither table reaches back to one.
    public func common(with other: EpochTable) -> Position? {
        for start in other.starts.reversed() {
            if let end = end(of: start.epoch), let otherEnd = other.end(of: start.epoch) {
                return Position(start.epoch, min(end, otherEnd))
            }
        }
        if epoch(at: other.base.lsn) == other.base.epoch { return other.base }
        if other.epoch(at: base.lsn) == base.epoch { return base }
        return nil
    }

    private func end(of epoch: Epoch) -> LSN? {
        if let index = starts.lastIndex(where: { $0.epoch == epoch }) {
            return index + 1 < starts.count ? LSN(starts[index + 1].lsn.value - 1) : last.lsn
        }
        return base.epoch == epoch && base != .zero ? base.lsn : nil
    }
}
