import Glibc
import NIOCore

/// What the system says when there is no connection to be had.
struct SystemFailure {
    private let error: any Error
    private let code: CInt?

    init(_ error: any Error) {
        self.error = error
        code = (error as? IOError)?.errnoCode
    }

    /// A living machine where nobody listens.
    var isRefusal: Bool { code == ECONNREFUSED }

    var isSilence: Bool {
        if case ChannelError.connectTimeout = error { return true }
        return [ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN].contains(code)
    }

    var text: String {
        if case ChannelError.connectTimeout(let timeout) = error {
            return "within \(timeout.nanoseconds / 1_000_000) ms"
        }
        return code.map { String(cString: strerror($0)) } ?? "\(error)"
    }
}

extension SocketAddress {
    /// "10.0.0.1:7000", "[::1]:7000".
    package var numeric: String {
        guard let ipAddress, let port else { return description }
        return ipAddress.contains(":") ? "[\(ipAddress)]:\(port)" : "\(ipAddress):\(port)"
    }
}
