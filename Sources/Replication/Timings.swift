/// How fast things happen. Only availability hangs on these, never safety. All in milliseconds.
public struct Timings: Equatable, Sendable {
    /// Between heartbeats.
    public var heartbeat: UInt64 = 50
    /// How long a node hears nothing before it holds the other for lost: six heartbeats. Too short, and a busy
    /// machine's hiccup moves the seats; too long, and they wait.
    public var suspectAfter: UInt64 = 300
    /// A node that beats but doesn't progress for this long while work waits counts as failed.
    public var stallAfter: UInt64 = 1000
    /// How long a primary that has asked its standby to claim waits for that before it goes on itself.
    public var handoverAfter: UInt64 = 1000
    /// For so long more than half of the standby's seats must have reached it alone before it says so.
    public var strandedFor: UInt64 = 500
    /// After this long a question to the witness counts as unanswered.
    public var witnessAnswer: UInt64 = 500
    /// How often the register is reread.
    public var reread: UInt64 = 1000
    /// How often the register's floor is raised.
    public var raiseFloor: UInt64 = 60_000
    /// Two losses within this time are forgiven; each further one delays the return to paired.
    public var flapWindow: UInt64 = 60_000
    public init() {}
}
