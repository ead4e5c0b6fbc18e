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
            nodes[name].map { SeatConfiguration.Route(name, address: $0.ipAddress ?? "", port: $0.port ?? 0) }
        }
        return SeatConfiguration(
            routes: routes, certificate: tls.certificate, key: tls.key, authority: tls.authority,
            revocations: tls.revocations)
    }
}
