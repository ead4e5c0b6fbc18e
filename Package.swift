// swift-tools-version: 6.1
import PackageDescription

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nio = [nioCore, .product(name: "NIOPosix", package: "swift-nio")]
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

// TWINLINE_TESTS chooses the tests that are built: "core", which need neither sockets nor programs; "all"; or, without
// it, all but those that take hours.
let coreTests: [Target] = [
    .target(name: "TestSupport", path: "Tests/TestSupport"),
    .testTarget(
        name: "ReplicationTests", dependencies: ["Replication"],
        exclude: ["Traces", "Transitions.txt", "NotTaken.txt"]),
    .testTarget(name: "TicketsTests", dependencies: ["Tickets"]),
    .testTarget(name: "HistoriesTests", dependencies: ["Histories", "Tickets", "TestSupport"]),
    .testTarget(
        name: "WireTests", dependencies: ["Wire", "Replication", "Tickets", "TestSupport", protobuf],
        exclude: ["EntryFrames", "Messages"]),
    .testTarget(name: "DurableLogTests", dependencies: ["DurableLog", "Replication", "Wire", "TestSupport"]),
    .testTarget(
        name: "StoreTests", dependencies: ["Store", "Replication", "Tickets", "CSQLiteSession", "TestSupport"]),
    .testTarget(
        name: "EngineTests", dependencies: ["Engine", "Replication", "Tickets", "Wire", "DurableLog", "Store"]),
    .testTarget(name: "TidyTests"),
]
let otherTests: [Target] = [
    .testTarget(
        name: "SimulatorTests",
        dependencies: [
            "Simulator", "Replication", "Tickets", "Histories", "Wire", "DurableLog", "Store", "Seat",
            "Arbitration", "SimulatorCommand",
        ],
        exclude: ["Found.txt"]),
    .testTarget(name: "TransportTests", dependencies: ["Transport", "COpenSSL", "TestSupport", nioEmbedded] + nio),
    .testTarget(
        name: "SeatTests", dependencies: ["Seat", "Replication", "Tickets", "Wire", "Transport", "TestSupport"] + nio,
        exclude: ["Scripts"]),
    .testTarget(name: "ArbitrationTests", dependencies: ["Arbitration", nioCore]),
    .testTarget(
        name: "DaemonTests",
        dependencies: [
            "Daemon", "Replication", "Tickets", "Wire", "DurableLog", "Store", "Transport", "Engine", "Seat",
            "Arbitration", "Commands", "TestSupport", log, argumentParser, nioEmbedded,
        ] + nio,
        exclude: ["LogShow.txt"]),
    .testTarget(
        name: "DrillTests", dependencies: ["Commands", "Replication", "Seat", "Tickets", "Wire", "Histories"]),
    .testTarget(name: "InputTests", dependencies: ["Commands", "Histories", "TestSupport", argumentParser]),
    .testTarget(
        name: "ChaosTests",
        dependencies: [
            "Commands", "Replication", "Tickets", "Wire", "DurableLog", "Store", "Seat", "Daemon", "TestSupport",
        ] + nio),
    .testTarget(
        name: "FuzzTests",
        dependencies: [
            "Daemon", "Replication", "Tickets", "Wire", "DurableLog", "Transport", "Engine", "Seat", "Arbitration",
            "TestSupport", log, nioCore, nioEmbedded,
        ]),
]
let longTests: [Target] = [
    .testTarget(
        name: "LargeTests",
        dependencies: ["Commands", "Replication", "Tickets", "Seat", "Daemon", histogram] + nio)
]
let tests =
    switch Context.environment["TWINLINE_TESTS"] {
    case "core": coreTests
    case "all": coreTests + otherTests + longTests
    default: coreTests + otherTests
    }

// The order is that of the layers: each target depends only on what stands above it.
let package = Package(
    name: "twinline",
    products: [
        .executable(name: "twinline", targets: ["twinline"]),
        .executable(name: "twinline-sim", targets: ["twinline-sim"]),
        .library(name: "Seat", targets: ["Seat"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // C interfaces
        .systemLibrary(name: "CSQLiteSession", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(name: "CChecksum"),
        .systemLibrary(name: "CSpawn"),
        // Wrong changes of the code, which no build has but the one that looks for them
        .target(name: "Planted"),
        // 0: pure
        .target(name: "Replication", dependencies: ["Planted"]),
        .target(name: "Tickets"),
        // 1: values as bytes
        .target(name: "Histories", dependencies: ["Tickets"]),
        .target(
            name: "Wire",
            dependencies: [
                "Replication", "Tickets", "CChecksum", protobuf,
            ],
            exclude: ["Protocol", "Generated/checksums"]),
        // 2: disk, database, network
        .target(name: "DurableLog", dependencies: ["Planted", "Replication", "Wire"]),
        .target(
            name: "Store", dependencies: ["Planted", "Replication", "Tickets", "Wire", "CSQLiteSession", grdb]),
        .target(name: "Transport", dependencies: ["Planted", "Replication", "COpenSSL"] + nio),
        // 3: the parts put together
        .target(
            name: "Engine",
            dependencies: [
                "Planted", "Replication", "Tickets", "Wire", "DurableLog", "Store",
                .product(name: "DequeModule", package: "swift-collections"),
            ]),
        .target(
            name: "Seat",
            dependencies: ["Planted", "Replication", "Tickets", "Wire", "DurableLog", "Transport", protobuf] + nio),
        .target(
            name: "Arbitration",
            dependencies: ["Planted", "Replication", "Wire", "Transport", "DurableLog", log] + nio),
        // 4: all of it on simulated time, disk and network
        .target(
            name: "Simulator",
            dependencies: [
                "Replication", "Tickets", "Histories", "Wire", "DurableLog", "Store", "Engine", "Seat",
                "Arbitration", "CSQLiteSession",
            ]),
        // 5: sockets, threads, signals
        .target(
            name: "Daemon",
            dependencies: [
                "Planted", "Replication", "Tickets", "Wire", "DurableLog", "Store", "Transport", "Engine",
                "Arbitration", log, yams,
            ] + nio),
        // 6: the command line
        .target(
            name: "Commands",
            dependencies: [
                "Replication", "Tickets", "Histories", "Wire", "DurableLog", "Store", "Transport", "Seat", "Daemon",
                "CSpawn", log, argumentParser, histogram,
            ] + nio),
        .target(name: "SimulatorCommand", dependencies: ["Simulator", "Histories", argumentParser]),
        // What depends on a program is compiled again whenever that is linked, so it is a line around a library each.
        .executableTarget(name: "twinline", dependencies: ["Commands"]),
        .executableTarget(name: "twinline-sim", dependencies: ["SimulatorCommand"]),
    ] + tests,
    swiftLanguageModes: [.v6]
)
