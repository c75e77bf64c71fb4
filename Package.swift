// swift-tools-version: 6.2
import PackageDescription

// The targets are the layers of docs/architecture.md; each may import only what it lists, so imports point downward.
let package = Package(
    name: "swiftconv",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "SwiftConv", type: .dynamic, targets: ["SwiftConv"])
    ],
    targets: [
        .target(name: "CSwiftConv"),
        .target(name: "CMachine"),
        .target(name: "Foundations", dependencies: ["CSwiftConv", "CMachine"]),
        .target(name: "Kernels", dependencies: ["Foundations", "CMachine"]),
        .target(name: "Algorithms", dependencies: ["CSwiftConv", "CMachine", "Foundations", "Kernels"]),
        .target(name: "Planning", dependencies: ["CSwiftConv", "Foundations", "Algorithms"]),
        .target(name: "SwiftConv", dependencies: ["CSwiftConv", "CMachine", "Foundations", "Algorithms", "Planning"]),
        .testTarget(
            name: "SwiftConvTests",
            dependencies: ["CSwiftConv", "CMachine", "SwiftConv", "Planning", "Algorithms", "Kernels", "Foundations"],
            path: "Tests/SwiftConvTests"
        ),
    ]
)
