/// Waits for a fact, whenever it comes. Throws, with its place, where it does not come at all.
package func eventually(
    file: String = #fileID, line: Int = #line, _ isSo: () async throws -> Bool
) async throws {
    let limit = ContinuousClock.now + Pace.inVain
    while try await !isSo() {
        guard ContinuousClock.now < limit else { throw WaitedInVain(place: "\(file):\(line)") }
        try await Task.sleep(for: .milliseconds(2))
    }
}

package struct WaitedInVain: Error {
    package let place: String
}
