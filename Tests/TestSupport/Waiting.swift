/// Waits for a fact, whenever it comes. Throws where it does not come at all.
package func eventually(_ isSo: () async throws -> Bool) async throws {
    let limit = ContinuousClock.now + Pace.inVain
    while try await !isSo() {
        guard ContinuousClock.now < limit else { throw WaitedInVain() }
        try await Task.sleep(for: .milliseconds(2))
    }
}

package struct WaitedInVain: Error {}
