// swift-tools-version: 6.2
// libFuzzer targets of swift-tds, a package of its own: they only build with `--sanitize=fuzzer`, which `make fuzz` passes.

import PackageDescription

let targets = ["tokens", "prelogin", "login7", "rpc", "bulk", "pcap"]

let package = Package(
    name: "Fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-tds", path: ".."), .package(url: "https://github.com/apple/swift-nio", from: "2.101.0")],
    targets: targets.map { name in
        .executableTarget(
            name: "fuzz-\(name)",
            dependencies: [
                .product(name: "TDSWire", package: "swift-tds"), .product(name: "TDSRecording", package: "swift-tds"),
                .product(name: "NIOCore", package: "swift-nio"), "FuzzSupport",
            ],
            swiftSettings: [.enableExperimentalFeature("Lifetimes")]
        )
    } + [
        .target(
            name: "FuzzSupport",
            dependencies: [.product(name: "TDSWire", package: "swift-tds"), .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: [.enableExperimentalFeature("Lifetimes")]
        )
    ]
)
