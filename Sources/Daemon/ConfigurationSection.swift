import Foundation
import Yams

/// A configuration file while it is read. Every fault is noted and reading goes on, so that one look tells them all.
///
/// A value is nil when its fault has been noted; `complete` throws if there is any.
final class ConfigurationFile {
    let path: String
    private var faults: [ConfigurationError.Fault] = []
    private let root: Yams.Node.Mapping

    /// - Throws: `ConfigurationError` if the file can't be read or isn't YAML of the right form.
    init(path: String) throws(ConfigurationError) {
        self.path = path
        func fail(_ reason: String, line: Int? = nil) -> ConfigurationError {
            ConfigurationError(path: path, faults: [.init(line: line, key: nil, reason: reason)])
        }
        let node: Yams.Node?
        do {
            node = try Yams.compose(yaml: try String(contentsOfFile: path, encoding: .utf8))
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                throw fail("no YAML: \(problem)", line: mark.line)
            case .duplicatedKeysInMapping(let keys, let context):
                throw fail("written twice: \(keys.joined(separator: ", "))", line: context.mark.line)
            default: throw fail("no YAML: \(error)")
            }
        } catch {
            throw fail("can't be read: \((error as NSError).localizedDescription)")
        }
        guard case .mapping(let mapping) = node else {
            throw fail("keys and values are expected; Deploy/ has documented examples")
        }
        root = mapping
    }

    var top: ConfigurationSection { ConfigurationSection(of: self, mapping: root, prefix: "") }

    /// A path as it is meant: relative to the file.
    func resolve(_ name: String) -> String {
        if name.hasPrefix("/") { return name }
        return URL(filePath: path).deletingLastPathComponent().appending(path: name).standardized.path
    }

    func note(_ reason: String, key: String, line: Int?) {
        faults.append(.init(line: line, key: key, reason: reason))
    }

    /// Ends the reading: the values of the required keys, none of which is nil if nothing was noted.
    /// - Throws: all that was noted.
    func complete<each Value>(_ values: repeat (each Value)?) throws(ConfigurationError) -> (repeat each Value) {
        let error = ConfigurationError(path: path, faults: faults)
        func require<One>(_ value: One?) throws(ConfigurationError) -> One {
            guard faults.isEmpty, let value else { throw error }
            return value
        }
        return (repeat try require(each values))
    }
}

/// The keys of one mapping in a configuration file. Those that nobody asked for are faults.
final class ConfigurationSection {
    /// A value and where it stands.
    struct Found<Value> {
        var value: Value
        var line: Int?
    }

    private let file: ConfigurationFile
    private let mapping: Yams.Node.Mapping
    private let prefix: String
    private var known: Set<String> = []

    init(of file: ConfigurationFile, mapping: Yams.Node.Mapping, prefix: String) {
        (self.file, self.mapping, self.prefix) = (file, mapping, prefix)
    }

    /// The value of a key, read from its text. Nil, and noted, if it is missing or can't be.
    func value<Value>(
        _ key: String, _ parse: (String) throws(ConfigurationValue.Refusal) -> Value
    ) -> Found<Value>? {
        guard let node = node(key) else { return missing(key) }
        return scalar(node, key, parse)
    }

    /// Nil if there is no such key, or if it can't be read, which is noted.
    func optional<Value>(
        _ key: String, _ parse: (String) throws(ConfigurationValue.Refusal) -> Value
    ) -> Found<Value>? {
        node(key).flatMap { scalar($0, key, parse) }
    }

    /// One value or a list of them; at least one, if it is required.
    func list<Value>(
        _ key: String, required: Bool = true, _ parse: (String) throws(ConfigurationValue.Refusal) -> Value
    ) -> [Found<Value>] {
        guard let node = node(key) else { return required ? missing(key) ?? [] : [] }
        guard case .sequence(let sequence) = node else { return scalar(node, key, parse).map { [$0] } ?? [] }
        if sequence.isEmpty { note("must not be empty", key, line: node.mark?.line) }
        return sequence.compactMap { scalar($0, key, parse) }
    }

    /// The mapping under a key. Nil if there is none; noted if it is required.
    func section(_ key: String, required: Bool) -> ConfigurationSection? {
        guard let node = node(key) else { return required ? missing(key) : nil }
        guard case .mapping(let mapping) = node else {
            note("keys and values are expected here", key, line: node.mark?.line)
            return nil
        }
        return ConfigurationSection(of: file, mapping: mapping, prefix: prefix + key + ".")
    }

    func note(_ reason: String, _ key: String, line: Int?) { file.note(reason, key: prefix + key, line: line) }

    /// To be called when every known key has been asked for.
    func refuseOthers() {
        for (node, _) in mapping {
            let key = node.string ?? "?"
            if known.contains(key) { continue }
            let names = known.sorted().joined(separator: ", ")
            note("no such key; there are: \(names)", key, line: node.mark?.line)
        }
    }

    private func node(_ key: String) -> Yams.Node? {
        known.insert(key)
        return mapping[Yams.Node(key)]
    }

    private func missing<Value>(_ key: String) -> Value? {
        note("is missing", key, line: prefix.isEmpty ? nil : mapping.mark?.line)
        return nil
    }

    private func scalar<Value>(
        _ node: Yams.Node, _ key: String, _ parse: (String) throws(ConfigurationValue.Refusal) -> Value
    ) -> Found<Value>? {
        guard case .scalar(let scalar) = node else {
            note("one value is expected here, not a list or a mapping", key, line: node.mark?.line)
            return nil
        }
        do {
            return Found(value: try parse(scalar.string), line: node.mark?.line)
        } catch {
            note(error.reason, key, line: node.mark?.line)
            return nil
        }
    }
}
