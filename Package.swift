// swift-tools-version: 6.1
import PackageDescription

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let log = Target.Dependency.product(name: "Logging", package: "swift-log")

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
                "Replication", "Tickets", "CChecksum", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Protocol"]),
        // 2: disk, database, network
        .target(name: "DurableLog", dependencies: ["Planted", "Replication", "Wire"]),
        .target(
            name: "Store", dependencies: ["Planted", "Replication", "Tickets", "Wire", "CSQLiteSession", grdb]),
        .target(name: "Transport", dependencies: ["Planted", "Replication", "Wire", "COpenSSL"] + nio),
        // 3: the parts put together
        .target(
            name: "Engine",
            dependencies: [
                "Planted", "Replication", "Tickets", "Wire", "DurableLog", "Store",
                .product(name: "DequeModule", package: "swift-collections"),
            ]),
        .target(
            name: "Seat", dependencies: ["Planted", "Replication", "Tickets", "Wire", "DurableLog", "Transport", log]
                + nio),
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
                "Arbitration", log,
                .product(name: "Yams", package: "Yams"),
            ] + nio),
        // 6: the command line
        .executableTarget(
            name: "twinline",
            dependencies: [
                "Replication", "Tickets", "Histories", "Wire", "DurableLog", "Store", "Transport", "Seat",
                "Arbitration", "Daemon", "CSpawn", log,
                .product(name: "Yams", package: "Yams"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ]),
        .executableTarget(
            name: "twinline-sim",
            dependencies: [
                "Simulator", "Histories", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // tests
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .testTarget(
            name: "ReplicationTests", dependencies: ["Replication"],
            exclude: ["Traces", "Transitions.txt", "NotTaken.txt"]),
        .testTarget(name: "TicketsTests", dependencies: ["Tickets"]),
        .testTarget(name: "HistoriesTests", dependencies: ["Histories", "Tickets", "TestSupport"]),
        .testTarget(name: "WireTests", dependencies: ["Wire", "TestSupport"], exclude: ["EntryFrames", "Messages"]),
        .testTarget(name: "DurableLogTests", dependencies: ["DurableLog", "TestSupport"]),
        .testTarget(name: "StoreTests", dependencies: ["Store", "TestSupport"]),
        .testTarget(
            name: "TransportTests",
            dependencies: ["Transport", .product(name: "NIOEmbedded", package: "swift-nio")]),
        .testTarget(name: "EngineTests", dependencies: ["Engine", "DurableLog", "Store"]),
        .testTarget(name: "SeatTests", dependencies: ["Seat"], exclude: ["Scripts"]),
        .testTarget(name: "ArbitrationTests", dependencies: ["Arbitration"] + nio),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "Daemon", "DurableLog", "Store", "twinline", .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            exclude: ["LogShow.txt"]),
        .testTarget(name: "ChaosTests", dependencies: ["DurableLog", "Store", "twinline"] + nio),
        .testTarget(name: "DrillTests", dependencies: ["twinline", "Seat", "Tickets", "Wire", "Histories"]),
        .testTarget(name: "InputTests", dependencies: ["twinline", "TestSupport"]),
        .testTarget(
            name: "LargeTests",
            dependencies: [
                "twinline", "Seat", "Daemon", .product(name: "Histogram", package: "hdrhistogram-swift"),
            ] + nio),
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "Daemon", "Seat", "Arbitration", "Transport", "Wire", "DurableLog", "TestSupport", log,
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ] + nio),
        .testTarget(
            name: "SimulatorTests",
            dependencies: ["Simulator", "Arbitration", "Histories", "Seat", "Tickets", "Wire", "twinline-sim"],
            exclude: ["Found.txt"]),
        .testTarget(name: "TidyTests"),
    ],
    swiftLanguageModes: [.v6]
)
