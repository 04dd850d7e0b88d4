// swift-tools-version: 6.2
// Benchmarks of swift-tds: a package of its own, so that its users never resolve or build it.

import PackageDescription

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-tds", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    ],
    targets: [
        .executableTarget(
            name: "tds-benchmarks",
            dependencies: [
                .product(name: "TDSWire", package: "swift-tds"),
                .product(name: "CTCapture", package: "swift-tds"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: [.enableExperimentalFeature("Lifetimes")]
        )
    ]
)
