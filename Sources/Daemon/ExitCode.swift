/// What a Twinline process ends with, so that a service manager and an operator know what happened (those from 64 on as
/// in BSD's sysexits.h, where it has one). After `damaged`, `syncFailed`, `promiseBroken` and `configuration` a restart
/// would repeat or worsen it: the units in Deploy/systemd leave these to a person.
package enum ExitCode: Int32, Sendable {
    /// Stopped when asked to.
    case orderly = 0
    /// An error that has no code of its own.
    case unexpected = 1
    /// The command line was wrong.
    case usage = 64
    /// The data directory lost what it had promised to keep, or a part of it is missing: reseed. Not restarted.
    case damaged = 65
    /// An input file can't be opened.
    case noInput = 66
    /// Something needed can't be had: an address to listen on, a certificate.
    case unavailable = 69
    /// A sync failed, so nobody knows what is on the disk: it is suspect. Not restarted.
    case syncFailed = 74
    /// It will pass, as a full disk does, or a data directory still in use by an ending process. Restarted.
    case temporary = 75
    /// The pair broke a promise, or the copies differ: going on could lose a ticket. Not restarted.
    case promiseBroken = 76
    /// The other side refused this one's identity.
    case identityRefused = 77
    /// The configuration is wrong, or the data not what it is for: another pair's or node's, a newer program's, or not
    /// to be written. Not restarted.
    case configuration = 78

    /// Of a command that reads a file: the file, or some of its rows, can't be read. BSD's number for bad data, as for
    /// a damaged data directory.
    package static let badInput = damaged
}
