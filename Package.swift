// swift-tools-version: 6.2
// swift-tds: Microsoft SQL Server's wire protocol (MS-TDS) in Swift, a client on it, and Change Tracking capture on that.

import PackageDescription

/// `RawSpan` parameters and results need lifetime annotations, still behind an experimental feature in Swift 6.3.
let settings: [SwiftSetting] = [
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "swift-tds",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "TDSWire", targets: ["TDSWire"]),
        .library(name: "TDSRecording", targets: ["TDSRecording"]),
        .library(name: "TDSClient", targets: ["TDSClient"]),
        .library(name: "CTCapture", targets: ["CTCapture"]),
        .library(name: "SQLServerSimulator", targets: ["SQLServerSimulator"]),
        .executable(name: "connector", targets: ["connector"]),
        .executable(name: "sqlserver-simulator", targets: ["sqlserver-simulator"]),
        .executable(name: "tdsql", targets: ["tdsql"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

        .target(name: "TDSWire", dependencies: [.product(name: "NIOCore", package: "swift-nio")], swiftSettings: settings),
        // Recordings as pcap files, and their replay: apart from TDSWire, which does no input or output, because it writes files and needs zlib.
        .target(
            name: "TDSRecording",
            dependencies: ["CZlib", "TDSWire", .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio")],
            swiftSettings: settings
        ),
        // OpenSSL through memory BIOs, both roles: the client and the simulator need the same handler, and neither is above the other.
        .target(
            name: "TDSTLS",
            dependencies: ["COpenSSL", "TDSWire", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: settings
        ),
        .target(
            name: "TDSClient",
            dependencies: [
                "TDSWire", "TDSTLS", "TDSRecording",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings
        ),
        // JSON with exact numbers, for the capture's state and schemas and for Flow's messages alike.
        .target(
            name: "ExactJSON",
            dependencies: [.product(name: "OrderedCollections", package: "swift-collections")],
            swiftSettings: settings
        ),
        .target(
            name: "CTCapture",
            dependencies: [
                "TDSWire", "TDSClient", "TDSRecording", "ExactJSON",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ],
            swiftSettings: settings
        ),
        // The Flow capture protocol's messages, framing and logs, apart from the executable so that tests can import them.
        .target(
            name: "FlowProtocol",
            dependencies: [
                "ExactJSON",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "connector",
            dependencies: [
                "CTCapture", "ExactJSON", "FlowProtocol", "TDSClient", "TDSRecording",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "OrderedCollections", package: "swift-collections"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "SQLServerSimulator",
            dependencies: [
                "TDSWire", "TDSTLS", "TDSRecording",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "OrderedCollections", package: "swift-collections"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "sqlserver-simulator",
            dependencies: [
                "SQLServerSimulator", "TDSRecording",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        // A small command-line client: runs a query and prints or discards its rows.
        .executableTarget(
            name: "tdsql",
            dependencies: [
                "TDSClient", "TDSRecording", "TDSTLS", "TDSWire", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        // `make demo`: a stand-in for the Flow runtime that drives the connector against the simulator.
        .executableTarget(
            name: "demo",
            dependencies: [
                "ExactJSON", "TDSClient", "TDSTLS", "TDSWire",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ],
            swiftSettings: settings
        ),

        .testTarget(name: "TDSWireTests", dependencies: ["TDSWire"], swiftSettings: settings),
        .testTarget(
            name: "TDSRecordingTests",
            dependencies: [
                "TDSRecording", "TDSWire", "TDSTLS", "TDSClient", "SQLServerSimulator",
                // Run as processes.
                "tdsql", "sqlserver-simulator",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "TDSTLSTests", dependencies: ["TDSTLS", .product(name: "NIOEmbedded", package: "swift-nio")], swiftSettings: settings),
        .testTarget(
            name: "TDSClientTests",
            dependencies: [
                "TDSClient", "TDSTLS", "TDSWire", "SQLServerSimulator",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "ExactJSONTests", dependencies: ["ExactJSON"], swiftSettings: settings),
        .testTarget(
            name: "CTCaptureTests",
            dependencies: [
                "CTCapture", "ExactJSON", "SQLServerSimulator", "TDSClient", "TDSTLS", "TDSWire",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "FlowProtocolTests", dependencies: ["ExactJSON", "FlowProtocol", .product(name: "Logging", package: "swift-log")], swiftSettings: settings),
        .testTarget(
            name: "ConnectorTests",
            dependencies: [
                "connector", "CTCapture", "ExactJSON", "FlowProtocol", "SQLServerSimulator", "TDSClient",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "SimulatorTests", dependencies: ["SQLServerSimulator"], swiftSettings: settings),
    ]
)
