import COpenSSL

/// What a certificate says: whose it is, and until when.
package struct PeerCertificate: Equatable, Sendable {
    package var identity: Identity
    /// Seconds since 1970 (UTC).
    package var notAfter: Int64

    /// Whole days left at `now` (seconds since 1970); negative once it has expired.
    package func daysLeft(at now: Int64) -> Int64 {
        let seconds = notAfter - now
        return seconds >= 0 ? seconds / 86_400 : -((-seconds + 86_399) / 86_400)
    }
}

extension PeerCertificate {
    /// `certificate` stays the caller's.
    init(_ certificate: OpaquePointer) throws(PeerFault) {
        self.init(
            identity: try Identity(uri: try Self.singleURI(of: certificate)), notAfter: Self.notAfter(of: certificate))
    }

    /// The URI name that a certificate claims, whatever is wrong with it: for the log only.
    static func claimedName(of certificate: OpaquePointer?) -> String? {
        guard let certificate, let uri = try? singleURI(of: certificate) else { return nil }
        return Identity.printable(uri)
    }

    private static func singleURI(of certificate: OpaquePointer) throws(PeerFault) -> String {
        guard let names = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil).map(OpaquePointer.init) else {
            throw .noName
        }
        defer { GENERAL_NAMES_free(names) }
        let uris = (0..<twinline_names_count(names)).compactMap { twinline_names_uri(names, $0) }
        guard let uri = uris.first else { throw .noName }
        guard uris.count == 1 else { throw .severalNames(uris.count) }
        // By length, not to the first zero byte: "twinline://pair/seat/1\0…" must not pass for a shorter name.
        let bytes = UnsafeBufferPointer(start: ASN1_STRING_get0_data(uri), count: Int(ASN1_STRING_length(uri)))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Seconds since 1970 (UTC).
    static func notAfter(of certificate: OpaquePointer) -> Int64 {
        let epoch = ASN1_TIME_set(nil, 0)
        defer { ASN1_TIME_free(epoch) }
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(certificate)) == 1 else { return 0 }
        return Int64(days) * 86_400 + Int64(seconds)
    }
}
