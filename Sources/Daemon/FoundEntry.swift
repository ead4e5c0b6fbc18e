import Replication
import Store

/// An entry as it was found, with those of its changes that were asked for.
package struct FoundEntry: Sendable {
    package var entry: Entry
    /// Of its frame, in bytes.
    package var size: Int
    /// Nil where the payload can't be read.
    package var allChanges: [LoggedChange]?
    package var changes: [LoggedChange]

    package init(entry: Entry, size: Int, allChanges: [LoggedChange]?, changes: [LoggedChange]) {
        (self.entry, self.size, self.allChanges, self.changes) = (entry, size, allChanges, changes)
    }
}
