import ArgumentParser
import Daemon
import Foundation
import Replication
import Seat

/// Reads a configuration. If it is wrong, prints all that is, and ends the command with the exit code for that.
func configured<Value>(_ read: (String) throws(ConfigurationError) -> Value, _ path: String) throws -> Value {
    do {
        return try read(path)
    } catch {
        FileHandle.standardError.write(Data("\(error)\n".utf8))
        throw ArgumentParser.ExitCode(Daemon.ExitCode.configuration.rawValue)
    }
}

extension PairConfiguration {
    /// As a seat that holds every route.
    var seat: SeatConfiguration {
        let routes = NodeName.allCases.flatMap { name in
            zip(hosts[name], nodes[name]).enumerated().map { number, found in
                SeatConfiguration.Route(
                    name, address: found.0, port: found.1.port ?? 0,
                    from: number < from.count ? from[number].ipAddress : nil)
            }
        }
        var seat = SeatConfiguration(
            routes: routes, certificate: tls.certificate, key: tls.key, authority: tls.authority,
            revocations: tls.revocations)
        seat.outbox = outbox
        return seat
    }
}
