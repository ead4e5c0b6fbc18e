import DurableLog
import Engine
import Logging
import NIOCore
import Replication
import Store
import Wire

/// A node that runs, as the process around it sees it.
struct RunningNode: Sendable {
    let core: NIOLoopBound<Node>
    let box: CoreBox
    let threads: NodeThreads
    let ended: EventLoopPromise<NodeEnd>

    /// Orderly: a primary hands over first.
    func stop() {
        core.eventLoop.execute { core.value.stop { ended.succeed(.exit(.orderly)) } }
    }

    /// Lets go of every connection, thread and file, so that the data directory can be worked on.
    func close() async throws {
        try await core.eventLoop.submit {
            box.core = nil
            core.value.close()
        }.get()
        try await threads.stop()
    }
}

/// The threads of a running node, and what is handed to each.
struct NodeThreads: Sendable {
    let log: LogThread
    let writer: WriterThread
    let reader: ReaderThread
    let lists: ListThread
    let snapshots: SnapshotKeeper
    let long = LongMessageThread()
    private let ended: [EventLoopPromise<Void>]

    init(
        log: LogThread, writer: WriterThread, reader: ReaderThread, lists: ListThread, snapshots: SnapshotKeeper,
        on loop: any EventLoop
    ) {
        (self.log, self.writer, self.reader, self.lists, self.snapshots) = (log, writer, reader, lists, snapshots)
        ended = (0..<7).map { _ in loop.makePromise(of: Void.self) }
    }

    func start(
        _ opened: DataDirectory.Opened, in data: DataDirectory, _ settings: NodeSettings, core: CoreBox,
        log logger: Logger, _ report: @escaping @Sendable (WorkerEvent) -> Void
    ) {
        // Each of these objects is handed to one thread here, for good.
        let logFiles = Handover((opened.log, opened.origin, opened.file, opened.recordFile))
        let database = Handover(opened.database)
        let readerBox = Handover(opened.reader)
        let queriesBox = Handover(opened.queries)
        let listsBox = Handover(opened.lists)
        let surroundings = surroundings(core, on: ended[0].futureResult.eventLoop)
        let (pair, path) = (opened.file.pairID, data.databasePath(opened.file.copy))
        let (log, writer, reader, lists, snapshots, ended) = (log, writer, reader, lists, snapshots, ended)
        startThread("log") {
            log.run(logFiles.value.0, logFiles.value.1, logFiles.value.2, logFiles.value.3)
            ended[0].succeed()
        }
        startThread("writer") {
            writer.run(database.value)
            ended[1].succeed()
        }
        startThread("reader") {
            reader.run(readerBox.value) { report(.failed($0)) }
            ended[2].succeed()
        }
        long.start { ended[4].succeed() }
        startThread("snapshot") {
            SnapshotServer(
                snapshots, settings, pair: pair, database: path, in: data.directory, surroundings, log: logger
            ).run()
            ended[3].succeed()
        }
        startThread("queries") {
            reader.runQueries(queriesBox.value) { report(.failed($0)) }
            ended[5].succeed()
        }
        startThread("lists") {
            lists.run(listsBox.value) { report(.failed($0)) }
            ended[6].succeed()
        }
    }

    private func surroundings(_ box: CoreBox, on loop: any EventLoop) -> SnapshotServer.Surroundings {
        let (log, snapshots) = (log, snapshots)
        return SnapshotServer.Surroundings(
            ground: { loop.execute { snapshots.orders.post(.ground(box.core?.value.groundForSnapshot())) } },
            link: { lsn in log.link(at: lsn) { snapshots.orders.post(.linked(chain: $0)) } },
            pin: { lsn in loop.execute { box.core?.value.keepLog(from: lsn) } })
    }

    /// Returns when all have ended. One that has failed already ends nothing twice.
    func stop() async throws {
        log.stop()
        writer.stop()
        reader.stop()
        lists.stop()
        snapshots.stop()
        long.stop()
        for promise in ended { try await promise.futureResult.get() }
    }
}

/// Where worker threads find the core once it exists. `@unchecked Sendable`: written and read on the core's event loop
/// only, and what is reported before it exists is of nobody's interest.
final class CoreBox: @unchecked Sendable {
    var core: NIOLoopBound<Node>?
}

/// An object on its way to the one thread that will own it. `@unchecked Sendable`: whoever makes one gives up the
/// object, and exactly one thread takes it.
private struct Handover<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
