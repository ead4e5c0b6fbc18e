/// What is wrong with a configuration file: all of it, not just the first.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    package struct Fault: Equatable, Sendable {
        /// From 1; nil if no line is to blame.
        package var line: Int?
        /// With those it stands in: "timings.heartbeat". Nil if it is about the file.
        package var key: String?
        package var reason: String
    }

    package var path: String
    package var faults: [Fault]

    /// One line for each fault, in the file's order, as compilers print them.
    package var description: String {
        faults.sorted { $0.line ?? 0 < $1.line ?? 0 }.map { fault in
            let place = fault.line.map { "\(path):\($0)" } ?? path
            return "\(place): \(fault.key.map { "\($0): " } ?? "")\(fault.reason)"
        }.joined(separator: "\n")
    }
}
