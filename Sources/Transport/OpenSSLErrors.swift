import COpenSSL
import Glibc

/// OpenSSL's errors pile up in a queue per thread: whoever reads it must empty it, or the next call's verdict is wrong.
struct OpenSSLErrors {
    /// The most recent first: it says most about the peer.
    private(set) var codes: [UInt] = []

    /// Before each call whose verdict counts. Looking first, since clearing costs as much as a tenth of a small record.
    static func forget() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    /// Takes all that is in this thread's queue.
    static func drain() -> OpenSSLErrors {
        var errors = OpenSSLErrors()
        while true {
            let code = ERR_get_error()
            guard code != 0 else { return errors }
            errors.codes.insert(code, at: 0)
        }
    }

    func contains(reason: Int32) -> Bool { codes.contains { twinline_error_reason($0) == reason } }

    /// The name of the TLS alert that the peer sent, if it is one that ended the connection.
    var alert: String? {
        // OpenSSL numbers the reasons that stand for a received alert from here on (SSL_AD_REASON_OFFSET).
        codes.lazy.map { twinline_error_reason($0) - SSL_AD_REASON_OFFSET }.first { (1...255).contains($0) }
            .map { String(cString: SSL_alert_desc_string_long($0)) }
    }

    var text: String {
        let reasons = codes.filter { twinline_error_is_pointer($0) == 0 }.map(Self.reason)
        return reasons.isEmpty ? "no reason given" : reasons.joined(separator: "; ")
    }

    private static func reason(_ code: UInt) -> String {
        if twinline_error_is_system(code) == 1 { return String(cString: strerror(twinline_error_reason(code))) }
        if let text = ERR_reason_error_string(code) { return String(cString: text) }
        return "error \(code)"
    }
}
