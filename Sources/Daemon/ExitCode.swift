/// What a Twinline process ends with, so that a service manager and an operator know what happened.
package enum ExitCode: Int32, Sendable {
    case orderly = 0
    case unexpected = 1
    case usage = 64
    case damaged = 65
    case unavailable = 69
    case syncFailed = 74
    case temporary = 75
    case promiseBroken = 76
    case identityRefused = 77
    case configuration = 78
}
