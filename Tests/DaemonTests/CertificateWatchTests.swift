import Foundation
import Testing
import Transport
import Wire

@testable import Daemon
@testable import Commands

/// The watch alone: each look is made by the test.
@Suite struct CertificateWatchTests {
    let pair: LivePair
    let log = RecordedLog()
    let watch: CertificateWatch
    let connections: OpenConnections
    let now = wallClockNow() / 1000

    init() throws {
        pair = try LivePair()
        watch = CertificateWatch(pair.tls("node/a"), log: log.logger)
        connections = try watch.connections(.server, [.seat])
    }

    private var days: Int64 { connections.context.own.daysLeft(at: now) }

    @Test("a replaced certificate is taken up once it has stood still from one look to the next")
    func replaced() throws {
        watch.look(at: now)
        let before = connections.context
        watch.look(at: now)
        #expect(connections.context === before)
        try pair.issueAgain("node/a", days: 100)
        watch.look(at: now)
        #expect(connections.context === before)
        watch.look(at: now)
        #expect(days == 99 || days == 100)
        #expect(watch.own == connections.context.own)
        let after = connections.context
        watch.look(at: now)
        #expect(connections.context === after)
        #expect(log.lines(with: "reread certificate, authority and revocation list valid-until=20").count == 1)
    }

    @Test("who asks for it gets it at once, changed or not")
    func asked() throws {
        let before = connections.context
        watch.reread()
        #expect(connections.context !== before)
        try pair.issueAgain("node/a", days: 100)
        watch.reread()
        #expect(days == 99 || days == 100)
    }

    @Test("a certificate whose key is not there yet is not taken up, is logged once, and is taken up when it fits")
    func mismatch() throws {
        let old = try Data(contentsOf: URL(filePath: pair.tls("node/a").key))
        try pair.issueAgain("node/a", days: 100)
        let new = try Data(contentsOf: URL(filePath: pair.tls("node/a").key))
        try old.write(to: URL(filePath: pair.tls("node/a").key))
        for _ in 0..<4 { watch.look(at: now) }
        #expect(days > 700)
        #expect(log.lines(with: "error").count == 1)
        #expect(log.lines(with: "key values mismatch").count == 1)
        try new.write(to: URL(filePath: pair.tls("node/a").key))
        for _ in 0..<2 { watch.look(at: now) }
        #expect(days == 99 || days == 100)
        #expect(log.lines(with: "error").count == 1)
    }

    @Test("a new revocation list counts although the certificate is missing, and is judged by once")
    func listAlone() throws {
        try pair.pki("revoke", pair.path("pki"), "node/a")
        for _ in 0..<2 { watch.look(at: now) }
        let half = connections.context
        #expect(days > 700)
        for _ in 0..<2 { watch.look(at: now) }
        #expect(connections.context === half)
        #expect(log.lines(with: "reread authority and revocation list; the certificate is the old one").count == 1)
        try pair.pki("issue", pair.path("pki"), "node/a", "100")
        for _ in 0..<2 { watch.look(at: now) }
        #expect(days == 99 || days == 100)
    }

    @Test("a certificate is warned of from 30 days before its end on, once a day, until it is replaced")
    func warning() throws {
        let end = connections.context.own.notAfter
        watch.look(at: end - 30 * 86_400)
        #expect(log.lines(with: "warning").isEmpty)
        for second: Int64 in [1, 2, 86_400, 86_401, 86_402] { watch.look(at: end - 30 * 86_400 + second) }
        #expect(log.lines(with: "warning").count == 2)
        #expect(log.lines(with: "expires in 29 days: issue a new one and put it in its place").count == 1)
        #expect(log.lines(with: "expires in 28 days").count == 1)
        try pair.issueAgain("node/a", days: 1000)
        watch.reread()
        watch.look(at: end)
        #expect(log.lines(with: "warning").count == 2)
    }

    @Test("status shows the days left, and warns below 30")
    func status() {
        func sight(_ a: Int64?, _ b: Int64?) -> PairView.Sight {
            func status(_ days: Int64?) -> Twinline_Seat_V1_Status {
                var status = Twinline_Seat_V1_Status()
                if let days { status.certificateDaysLeft = days }
                return status
            }
            return PairView.Sight(nodes: .init(a: .success(status(a)), b: .success(status(b))))
        }
        let table = sight(712, 12).table
        #expect(table.contains("712 days left  12 days left"))
        #expect(table.hasSuffix("\n\nnode b's certificate expires in 12 days: issue a new one and put it in its place"))
        #expect(!sight(30, nil).table.contains("expires"))
        #expect(sight(-1, 0).table.contains("node a's certificate has expired: "))
        #expect(sight(712, nil).json.contains("\"certificate_days_left\":712"))
        #expect(sight(712, nil).json.contains("\"certificate_days_left\":null"))
    }
}
