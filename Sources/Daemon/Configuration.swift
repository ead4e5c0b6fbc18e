import Logging
import NIOCore
import Replication
import Transport

/// `node-a.yaml`: what `twinline node` is told. Deploy/one-host/node-a.yaml documents every key.
package struct NodeConfiguration: Sendable {
    package var settings: NodeSettings
    package var logLevel: Logger.Level

    /// - Throws: all that is wrong with the file, each fault with its line, key and reason.
    package init(path: String) throws(ConfigurationError) {
        let file = try ConfigurationFile(path: path)
        let top = file.top
        let pair = top.value("pair", ConfigurationValue.pair)
        let node = top.value("node", ConfigurationValue.node)
        let listen = top.list("listen", ConfigurationValue.listenAddress)
        let peer = top.list("peer", ConfigurationValue.address)
        let witness = top.value("witness", ConfigurationValue.address)
        let data = top.value("data", ConfigurationValue.text)
        let tls = top.tlsFiles(in: file)
        let level = top.optional("log-level", ConfigurationValue.logLevel)
        let segmentSize = top.optional("segment-size", ConfigurationValue.segmentSize)
        let keep = top.optional("log-keep", ConfigurationValue.seconds)
        let limit = top.optional("log-limit", ConfigurationValue.logLimit)
        let rate = top.optional("reseed-rate", ConfigurationValue.rate)
        let wakeful = top.optional("wakeful", ConfigurationValue.yesOrNo)
        let timings = top.timings()
        top.refuseOthers()
        var addresses = listen.map { ("listen", $0) } + peer.map { ("peer", $0) }
        if let witness { addresses.append(("witness", witness)) }
        top.refuseTwice(addresses)
        let found = try file.complete(pair, node, witness, data, tls)
        settings = NodeSettings(
            pair: found.0.value, node: found.1.value, listen: listen.map(\.value), peer: peer.map(\.value),
            witness: found.2.value, data: file.resolve(found.3.value), tls: found.4, timings: timings)
        if let segmentSize { settings.segmentSize = segmentSize.value }
        if let wakeful { settings.wakeful = wakeful.value }
        if let keep { settings.retention.keep = keep.value }
        if let limit { settings.retention.limit = limit.value }
        if let rate { settings.reseedRate = rate.value }
        logLevel = level?.value ?? .info
    }
}

/// `witness.yaml`: what `twinline witness` is told. It serves every pair whose certificates its authority signed.
package struct WitnessConfiguration: Sendable {
    package var settings: WitnessSettings
    package var logLevel: Logger.Level

    /// - Throws: all that is wrong with the file.
    package init(path: String) throws(ConfigurationError) {
        let file = try ConfigurationFile(path: path)
        let top = file.top
        let listen = top.list("listen", ConfigurationValue.listenAddress)
        let data = top.value("data", ConfigurationValue.text)
        let tls = top.tlsFiles(in: file)
        let level = top.optional("log-level", ConfigurationValue.logLevel)
        top.refuseOthers()
        top.refuseTwice(listen.map { ("listen", $0) })
        let found = try file.complete(data, tls)
        settings = WitnessSettings(listen: listen.map(\.value), data: file.resolve(found.0.value), tls: found.1)
        logLevel = level?.value ?? .info
    }
}

/// `seat.yaml`: where a pair is and who asks, for seats and for operators' commands.
package struct PairConfiguration: Sendable {
    package var pair: String
    /// One address a route.
    package var nodes: PerNode<[SocketAddress]>
    /// Of the same, the names or numbers that were written.
    package var hosts: PerNode<[String]>
    /// Needed by `twinline init` only.
    package var witness: SocketAddress?
    package var tls: TLSFiles
    /// This machine's own addresses to go out from: of each route, in their order, or none.
    package var from: [SocketAddress]
    /// A directory where calls are kept until they are answered.
    package var outbox: String?

    /// - Throws: all that is wrong with the file.
    package init(path: String) throws(ConfigurationError) {
        let file = try ConfigurationFile(path: path)
        let top = file.top
        let pair = top.value("pair", ConfigurationValue.pair)
        let from = top.list("from", required: false, ConfigurationValue.localAddress)
        let outbox = top.optional("outbox", ConfigurationValue.text)
        let section = top.section("nodes", required: true)
        let a = section?.list("a", ConfigurationValue.namedAddress) ?? []
        let b = section?.list("b", ConfigurationValue.namedAddress) ?? []
        section?.refuseOthers()
        section?.refuseTwice(
            a.map { ("a", .init(value: $0.value.address, line: $0.line)) }
                + b.map { ("b", .init(value: $0.value.address, line: $0.line)) })
        let witness = top.optional("witness", ConfigurationValue.address)
        let tls = top.tlsFiles(in: file)
        top.refuseOthers()
        let found = try file.complete(pair, tls)
        self.pair = found.0.value
        self.tls = found.1
        self.witness = witness?.value
        nodes = PerNode(a: a.map(\.value.address), b: b.map(\.value.address))
        hosts = PerNode(a: a.map(\.value.host), b: b.map(\.value.host))
        self.from = from.map(\.value)
        self.outbox = outbox.map { file.resolve($0.value) }
    }
}

extension ConfigurationSection {
    /// The keys that say who a process is. That the files are there is found when they are loaded.
    fileprivate func tlsFiles(in file: ConfigurationFile) -> TLSFiles? {
        let certificate = value("certificate", ConfigurationValue.text)
        let key = value("key", ConfigurationValue.text)
        let authority = value("authority", ConfigurationValue.text)
        let revocations = optional("revocations", ConfigurationValue.text)
        guard let certificate, let key, let authority else { return nil }
        return TLSFiles(
            certificate: file.resolve(certificate.value), key: file.resolve(key.value),
            authority: file.resolve(authority.value), revocations: revocations.map { file.resolve($0.value) })
    }

    fileprivate func timings() -> Timings {
        var timings = Timings()
        guard let section = section("timings", required: false) else { return timings }
        func read(_ key: String, _ field: WritableKeyPath<Timings, UInt64>) -> Found<UInt64>? {
            let found = section.optional(key, ConfigurationValue.milliseconds)
            if let found { timings[keyPath: field] = found.value }
            return found
        }
        let heartbeat = read("heartbeat", \.heartbeat)
        let suspectAfter = read("suspect-after", \.suspectAfter)
        _ = read("stall-after", \.stallAfter)
        _ = read("handover-after", \.handoverAfter)
        _ = read("witness-answer", \.witnessAnswer)
        _ = read("reread", \.reread)
        _ = read("raise-floor", \.raiseFloor)
        _ = read("flap-window", \.flapWindow)
        section.refuseOthers()
        if timings.heartbeat >= timings.suspectAfter / 2 {
            section.note(
                "\(timings.heartbeat) ms is not below half of suspect-after (\(timings.suspectAfter) ms): "
                    + "one late heartbeat would move the seats",
                "heartbeat", line: heartbeat?.line ?? suspectAfter?.line)
        }
        return timings
    }

    /// An address that stands in two places is a slip: a node as its own peer, or two routes that are one.
    /// Port 0 is another port each time.
    fileprivate func refuseTwice(_ addresses: [(key: String, found: Found<SocketAddress>)]) {
        var seen: [SocketAddress: String] = [:]
        for (key, found) in addresses where found.value.port != 0 {
            if let earlier = seen[found.value] {
                let place = earlier == key ? "twice" : "also under \(earlier)"
                let address = "\(found.value.ipAddress ?? "?"):\(found.value.port ?? 0)"
                note("\(address) stands here \(place)", key, line: found.line)
            }
            seen[found.value] = key
        }
    }
}
