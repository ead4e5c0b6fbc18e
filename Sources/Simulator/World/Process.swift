import Replication

/// A program on a host: it can be stopped for a while, and dies. What happens to it meanwhile waits, or is lost.
class Process {
    unowned let world: World
    let host: Host
    let clock: Clock
    private(set) var isAlive = true
    private(set) var isPaused = false
    private var backlog: [() -> Void] = []

    init(_ world: World, _ host: Host, _ clock: Clock) {
        (self.world, self.host, self.clock) = (world, host, clock)
        world.keep(self)
    }

    var now: Instant { Instant(nanoseconds: clock.read(at: world.now)) }

    /// Something comes from outside: another process, the disk, a timer.
    final func run(_ action: @escaping () -> Void) {
        guard isAlive else { return }
        if isPaused { backlog.append(action) } else { action() }
    }

    /// By its own clock.
    final func after(milliseconds: UInt64, _ action: @escaping () -> Void) {
        after(nanoseconds: milliseconds * 1_000_000, action)
    }

    final func after(nanoseconds: UInt64, _ action: @escaping () -> Void) {
        world.after(clock.duration(of: nanoseconds)) { self.run(action) }
    }

    /// Something that takes so long here, and is over at once when all is mended.
    final func work(nanoseconds: UInt64, _ action: @escaping () -> Void) {
        works += 1
        let number = works
        underWay[number] = action
        after(nanoseconds: nanoseconds) { self.finish(number) }
    }
    private var works = 0
    private var underWay: [Int: () -> Void] = [:]

    private func finish(_ number: Int) { underWay.removeValue(forKey: number)?() }

    final func hurry() {
        for number in underWay.keys.sorted() { run { self.finish(number) } }
    }

    final func pause() { isPaused = true }

    final func resume() {
        guard isPaused else { return }
        isPaused = false
        let waiting = backlog
        backlog = []
        for action in waiting { run(action) }
    }

    /// Nothing that it does from now on has any effect.
    func die() {
        isAlive = false
        backlog = []
        underWay = [:]
    }
}

/// A machine's clock, which may be wrong in any way: nothing but speed may hang on it.
final class Clock {
    private var base: UInt64
    private var since: UInt64 = 0
    /// In thousandths.
    private var rate: UInt64 = 1000

    init(_ base: UInt64) { self.base = base }

    func read(at time: UInt64) -> UInt64 { base + (time - since) * rate / 1000 }
    func duration(of nanoseconds: UInt64) -> UInt64 { nanoseconds * 1000 / rate }

    func set(rate: UInt64, at time: UInt64) {
        base = read(at: time)
        since = time
        self.rate = rate
    }

    /// Neither its rate has changed since, nor has it jumped.
    func isSteady(since time: UInt64) -> Bool { since <= time }

    func jump(by nanoseconds: Int64, at time: UInt64) {
        let reading = read(at: time)
        base = nanoseconds < 0 ? reading - min(reading, nanoseconds.magnitude) : reading + nanoseconds.magnitude
        since = time
    }
}
