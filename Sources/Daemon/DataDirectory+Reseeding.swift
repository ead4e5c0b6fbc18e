import DurableLog
import Engine
import Glibc
import Planted
import Replication
import Store
import Wire

/// How one copy takes another's place. Each step leaves a directory that opens as before the step or as after it.
extension DataDirectory {
    /// Marks the directory: from now on it is being reseeded, whatever it holds or lacks,
    /// until a new copy is installed.
    /// The old copy is not touched. A directory that is marked already stays as it is.
    /// - Parameter disk: the new disk id.
    @discardableResult
    package func beginReseeding(pair: String, node: NodeName, disk: RandomID) throws(DataError) -> NodeFile {
        var file: NodeFile
        do throws(DataError) {
            file = try self.file() ?? .blank(pair: pair, node: node)
        } catch DataError.log(.damaged) {
            // Nobody knows what it said; so what is here is nobody's.
            do throws(LogError) { try directory.remove("record") } catch { throw .log(error) }
            file = .blank(pair: pair, node: node)
        }
        try check(file, pair: pair, node: node)
        guard !file.isReseeding else { return file }
        file.beginReseeding(disk: disk, into: max(file.copy, highestCopy()) + 1)
        try save(file)
        return file
    }

    /// The same with a disk id of its own making, for the command line.
    package func markForReseeding(pair: String, node: NodeName) throws(DataError) {
        try beginReseeding(pair: pair, node: node, disk: .random())
    }

    /// A wiped disk learns whose it is, too.
    func learn(from offer: CopyOffer, _ file: NodeFile) throws(DataError) -> NodeFile {
        var learned = file
        learned.learn(from: offer)
        if learned != file { try save(learned) }
        return learned
    }

    /// The one step: the new copy, whole and synced, counts from now on. The old one is removed.
    func install(_ file: NodeFile) throws(DataError) -> NodeFile {
        var file = file
        file.install()
        try save(file)
        removeLeftovers(keeping: [file.copy])
        return file
    }

    func check(_ file: NodeFile, pair: String, node: NodeName) throws(DataError) {
        guard file.pair == pair || planted("openAnotherPairsData") else {
            throw .otherPair(path: path, found: file.pair, expected: pair)
        }
        guard file.node == node else { throw .otherNode(path: path, found: file.node, expected: node) }
    }

    /// Of those that lie here, whether they count or not.
    private func highestCopy() -> UInt64 {
        let names = (try? directory.names()) ?? []
        return names.compactMap { $0.hasPrefix("copy-") ? UInt64($0.dropFirst(5)) : nil }.max() ?? 0
    }
}
