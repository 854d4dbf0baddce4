// swift-tools-version: 6.2
import PackageDescription

// One table says which module may import which: Tests/HouseTests reads the same layers from
// ARCHITECTURE.md and fails on an arrow that points up.

let house: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]
    + (Context.environment["XINGHE_WARNINGS_AS_ERRORS"] == "1"
        ? [.treatAllWarnings(as: .error)] : [])

/// Modules of the core are specialised across their borders (bench/ guards what that is worth).
let core: [SwiftSetting] =
    house + [.unsafeFlags(["-cross-module-optimization"], .when(configuration: .release))]

/// Numeric code is compiled for the machine it is built on, in packages for any of its kind.
#if arch(x86_64)
    let portableProcessor = ["-Xcc", "-march=x86-64-v3"]
#else
    let portableProcessor: [String] = []
#endif
let processor =
    Context.environment["XINGHE_PORTABLE"] == "1"
    ? portableProcessor : ["-Xcc", "-march=native"]
let numeric: [SwiftSetting] =
    house + [.unsafeFlags(processor, .when(configuration: .release))]

func product(_ name: String, _ package: String) -> Target.Dependency {
    .product(name: name, package: package)
}

let argumentParser = product("ArgumentParser", "swift-argument-parser")

let targets: [Target] = [
    // 0 vocabulary
    .target(name: "Quantities", path: "Sources/Vocabulary/Quantities", swiftSettings: core),
    .target(
        name: "Determinism",
        dependencies: ["Quantities"],
        path: "Sources/Vocabulary/Determinism",
        swiftSettings: core
    ),
    .target(name: "IndexSets", path: "Sources/Vocabulary/IndexSets", swiftSettings: core),
    // 1 domain
    .target(
        name: "JobModel",
        dependencies: ["Quantities", "IndexSets"],
        path: "Sources/Domain/JobModel",
        swiftSettings: core
    ),
    .target(
        name: "Accounts",
        dependencies: ["Quantities", "JobModel"],
        path: "Sources/Domain/Accounts",
        swiftSettings: core
    ),
    .target(
        name: "ClusterModel",
        dependencies: ["Quantities", "IndexSets", "Accounts"],
        path: "Sources/Domain/ClusterModel",
        swiftSettings: core
    ),
    .target(
        name: "Scheduling",
        dependencies: [
            "Quantities", "Determinism", "IndexSets", "Accounts", "ClusterModel", "JobModel",
        ],
        path: "Sources/Domain/Scheduling",
        swiftSettings: core
    ),
    .target(
        name: "Billing",
        dependencies: ["Quantities", "IndexSets", "JobModel", "ClusterModel"],
        path: "Sources/Domain/Billing",
        swiftSettings: core
    ),
    .target(
        name: "Emulation",
        dependencies: [
            "Quantities", "Determinism", "IndexSets", "Accounts", "ClusterModel", "JobModel",
            "Scheduling",
        ],
        path: "Sources/Domain/Emulation",
        swiftSettings: core
    ),
    // 2 dialects
    .target(
        name: "WireFormats",
        dependencies: ["Quantities", "IndexSets"],
        path: "Sources/Dialects/WireFormats",
        swiftSettings: house
    ),
    .target(
        name: "WorkloadFormats",
        dependencies: ["Quantities", "Determinism", "JobModel", "WireFormats"],
        path: "Sources/Dialects/WorkloadFormats",
        swiftSettings: core
    ),
    .target(
        name: "WorkloadModels",
        dependencies: ["Determinism", "WorkloadFormats"],
        path: "Sources/Dialects/WorkloadModels",
        swiftSettings: core
    ),
    .target(
        name: "SlurmDialect",
        dependencies: ["Quantities", "IndexSets", "JobModel", "WireFormats"],
        path: "Sources/Dialects/SlurmDialect",
        swiftSettings: house
    ),
    .target(
        name: "Catalog",
        dependencies: [
            "Quantities", "IndexSets", "Accounts", "ClusterModel", "JobModel", "Billing",
            "WireFormats", "WorkloadFormats", "WorkloadModels", "Prediction",
            product("Yams", "Yams"),
        ],
        path: "Sources/Dialects/Catalog",
        resources: [.embedInCode("Resources")],
        swiftSettings: house
    ),
    .target(
        name: "Prediction",
        dependencies: ["Quantities", "IndexSets", "ClusterModel", "WireFormats"],
        path: "Sources/Dialects/Prediction",
        swiftSettings: house
    ),
    // 3 adapters
    .systemLibrary(
        name: "CHwloc",
        path: "Sources/C/CHwloc",
        pkgConfig: "hwloc",
        providers: [.apt(["libhwloc-dev"])]
    ),
    .systemLibrary(
        name: "CNuma",
        path: "Sources/C/CNuma",
        pkgConfig: "numa",
        providers: [.apt(["libnuma-dev"])]
    ),
    .systemLibrary(
        name: "CMPI",
        path: "Sources/C/CMPI",
        pkgConfig: "ompi-c",
        providers: [.apt(["libopenmpi-dev", "openmpi-bin"])]
    ),
    .systemLibrary(
        name: "COpenBLAS",
        path: "Sources/C/COpenBLAS",
        pkgConfig: "openblas",
        providers: [.apt(["libopenblas-dev"])]
    ),
    .systemLibrary(
        name: "CFFTW",
        path: "Sources/C/CFFTW",
        pkgConfig: "fftw3",
        providers: [.apt(["libfftw3-dev"])]
    ),
    .systemLibrary(name: "CProcessor", path: "Sources/C/CProcessor"),
    .systemLibrary(
        name: "CZlib",
        path: "Sources/C/CZlib",
        pkgConfig: "zlib",
        providers: [.apt(["zlib1g-dev"])]
    ),
    .target(name: "CLinux", path: "Sources/C/CLinux"),
    .target(name: "COpenCL", path: "Sources/C/COpenCL"),
    .target(
        name: "CClock",
        path: "Sources/C/CClock",
        // It is loaded into programs of others: no start of Swift's runtime in it.
        linkerSettings: [.unsafeFlags(["-nostartfiles"])]
    ),
    .target(
        name: "HardwareTopology",
        dependencies: [
            "CHwloc", "CNuma", "Quantities", "IndexSets", "Accounts", "ClusterModel", "WireFormats",
        ],
        path: "Sources/Adapters/HardwareTopology",
        swiftSettings: house
    ),
    .target(
        name: "MessagePassing",
        dependencies: ["CMPI"],
        path: "Sources/Adapters/MessagePassing",
        swiftSettings: numeric
    ),
    .target(
        name: "ComputeKernels",
        dependencies: [
            "MessagePassing", "COpenBLAS", "CFFTW", "COpenCL", "CProcessor", "HardwareTopology",
            "WireFormats", "Determinism", "IndexSets", "Prediction", "Quantities",
        ],
        path: "Sources/Adapters/ComputeKernels",
        resources: [.embedInCode("Cards/kernels.cl")],
        swiftSettings: numeric
    ),
    .target(
        name: "JobExecution",
        dependencies: ["CLinux", "Quantities", "JobModel", "WireFormats"],
        path: "Sources/Adapters/JobExecution",
        swiftSettings: house
    ),
    .target(
        name: "Persistence",
        dependencies: [
            "Quantities", "JobModel", "Billing", "WireFormats", "CZlib",
            product("GRDB", "GRDB.swift"), product("Crypto", "swift-crypto"),
        ],
        path: "Sources/Adapters/Persistence",
        swiftSettings: house
    ),
    .target(
        name: "HTTPService",
        dependencies: [
            "WireFormats", "SlurmDialect", "IndexSets", "Quantities",
            product("Hummingbird", "hummingbird"), product("NIOCore", "swift-nio"),
            product("Logging", "swift-log"), product("JWTKit", "jwt-kit"),
            product("ServiceLifecycle", "swift-service-lifecycle"),
        ],
        path: "Sources/Adapters/HTTPService",
        resources: [.embedInCode("Page/Files")],
        swiftSettings: house
    ),
    .target(
        name: "Reporting",
        dependencies: [
            "Quantities", "Determinism", "Billing", "WireFormats", "ClusterModel",
            "WorkloadFormats", "Prediction",
        ],
        path: "Sources/Adapters/Reporting",
        swiftSettings: house
    ),
    .target(
        name: "ScriptChecking",
        dependencies: ["SlurmDialect"],
        path: "Sources/Adapters/ScriptChecking",
        swiftSettings: house
    ),
    .target(
        name: "TraceFiles",
        dependencies: ["CZlib", "WorkloadFormats"],
        path: "Sources/Adapters/TraceFiles",
        swiftSettings: core
    ),
    // 4 runtimes
    .target(
        name: "ReplayRuntime",
        dependencies: [
            "Quantities", "Determinism", "IndexSets", "Accounts", "ClusterModel", "JobModel",
            "Scheduling",
            "Emulation", "WireFormats", "WorkloadFormats",
        ],
        path: "Sources/Runtimes/ReplayRuntime",
        swiftSettings: core
    ),
    .target(
        name: "LiveRuntime",
        dependencies: [
            "Quantities", "Determinism", "IndexSets", "Accounts", "ClusterModel", "JobModel",
            "Scheduling",
            "Emulation", "Billing", "WireFormats", "SlurmDialect", "Catalog", "JobExecution",
            "Persistence", "Reporting", "HardwareTopology", "Prediction", "WorkloadFormats",
            product("Logging", "swift-log"),
        ],
        path: "Sources/Runtimes/LiveRuntime",
        swiftSettings: house
    ),
    // 5 programs
    .executableTarget(
        name: "xinghed",
        dependencies: [
            "LiveRuntime", "HTTPService", "Catalog", "HardwareTopology", "JobExecution",
            "Persistence",
            "Reporting",
            "Scheduling", "Billing", "ClusterModel", "IndexSets", "Quantities", "WireFormats",
            "WorkloadFormats", "WorkloadModels", "TraceFiles",
            argumentParser, product("Logging", "swift-log"),
            product("ServiceLifecycle", "swift-service-lifecycle"),
            product("UnixSignals", "swift-service-lifecycle"),
        ],
        path: "Sources/Programs/xinghed",
        swiftSettings: house
    ),
    .executableTarget(
        name: "xinghe",
        dependencies: [
            "Quantities", "Determinism", "IndexSets", "ClusterModel", "Scheduling", "Emulation",
            "Billing", "WireFormats", "WorkloadFormats", "WorkloadModels", "SlurmDialect",
            "Catalog",
            "HardwareTopology", "Persistence", "Reporting", "ScriptChecking", "TraceFiles",
            "LocalClient",
            "ReplayRuntime", "LiveRuntime", "Prediction", "JobModel", argumentParser,
        ],
        path: "Sources/Programs/xinghe",
        swiftSettings: house
    ),
    .target(
        name: "LocalClient",
        dependencies: ["WireFormats"],
        path: "Sources/Adapters/LocalClient",
        swiftSettings: house
    ),
    .executableTarget(
        name: "yh",
        dependencies: [
            "SlurmDialect", "ScriptChecking", "WireFormats", "LocalClient", "IndexSets",
            "Quantities",
        ],
        path: "Sources/Programs/yh",
        swiftSettings: house
    ),
    .executableTarget(
        name: "xinghe-step",
        dependencies: ["JobExecution"],
        path: "Sources/Programs/xinghe-step",
        swiftSettings: house
    ),
    .executableTarget(
        name: "xinghe-kernel",
        dependencies: [
            "ComputeKernels", "MessagePassing", "Prediction", "WireFormats", argumentParser,
        ],
        path: "Sources/Programs/xinghe-kernel",
        swiftSettings: numeric
    ),
    // Measures the engine alone; not installed (bench/replay/depth.sh).
    .executableTarget(
        name: "xinghe-depth",
        dependencies: ["Quantities", "Determinism", "JobModel", "Scheduling", "Emulation"],
        path: "bench/replay/depth",
        swiftSettings: core
    ),
    // Measures people and limits; not installed (bench/replay/crowd.sh).
    .executableTarget(
        name: "xinghe-crowd",
        dependencies: [
            "Quantities", "Determinism", "IndexSets", "Accounts", "ClusterModel", "JobModel",
            "Scheduling", "Emulation",
        ],
        path: "bench/replay/crowd",
        swiftSettings: core
    ),
    // tests
    .target(
        name: "EmulatorTestSupport",
        dependencies: [
            "Quantities", "Determinism", "ClusterModel", "JobModel", "Scheduling", "Emulation",
        ],
        path: "Tests/EmulatorTestSupport",
        swiftSettings: house
    ),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: house),
    .testTarget(
        name: "VocabularyTests",
        dependencies: ["Quantities", "Determinism", "IndexSets"],
        swiftSettings: house
    ),
    .testTarget(
        name: "ClusterModelTests",
        dependencies: [
            "Quantities", "Determinism", "IndexSets", "Accounts", "ClusterModel", "Catalog",
            "HardwareTopology",
            "WireFormats",
        ],
        exclude: ["BadMachines", "Golden"],
        swiftSettings: house
    ),
    .testTarget(
        name: "AccountsTests",
        dependencies: ["Accounts", "Determinism", "JobModel", "Quantities"],
        swiftSettings: house
    ),
    .testTarget(
        name: "SchedulingTests",
        dependencies: ["ClusterModel", "Determinism", "Scheduling", "EmulatorTestSupport"],
        swiftSettings: house
    ),
    .testTarget(
        name: "BillingTests",
        dependencies: [
            "Billing", "Catalog", "ClusterModel", "Determinism", "JobModel", "Quantities",
            "Reporting", "WireFormats",
        ],
        swiftSettings: house
    ),
    .testTarget(
        name: "EmulationTests",
        dependencies: [
            "Accounts", "Emulation", "EmulatorTestSupport", "ClusterModel", "Determinism",
            "IndexSets", "JobModel", "Quantities", "Scheduling",
        ],
        swiftSettings: house
    ),
    .testTarget(
        name: "ReplayTests",
        dependencies: [
            "Determinism", "Emulation", "EmulatorTestSupport", "IndexSets", "JobModel",
            "Quantities", "ReplayRuntime", "Scheduling", "TraceFiles", "WorkloadFormats",
            "WorkloadModels", "Catalog",
        ],
        exclude: ["Schedulers"],
        resources: [.copy("Traces")],
        swiftSettings: house
    ),
    .testTarget(
        name: "SlurmDialectTests",
        dependencies: [
            "IndexSets", "SlurmDialect", "ScriptChecking", "WireFormats", "LocalClient", "yh",
        ],
        resources: [.copy("Golden")],
        swiftSettings: house
    ),
    .testTarget(
        name: "ReportingTests",
        dependencies: [
            "Reporting", "Billing", "ClusterModel", "Determinism", "JobModel", "Prediction",
            "WireFormats", "WorkloadFormats",
        ],
        swiftSettings: house
    ),
    .testTarget(
        name: "LiveRuntimeTests",
        dependencies: [
            "Catalog", "ReplayRuntime", "SlurmDialect", "TraceFiles", "WorkloadFormats",
            "LiveRuntime", "HTTPService", "Persistence", "JobExecution", "WireFormats",
            "LocalClient", "Quantities", "Accounts", "Determinism", "IndexSets", "ClusterModel",
            "JobModel",
            "Scheduling", "Emulation", "Billing", "Prediction", "TestSupport", "xinghe-step",
            "xinghed",
            product("Logging", "swift-log"),
            product("ServiceLifecycle", "swift-service-lifecycle"),
        ],
        swiftSettings: house
    ),
    .testTarget(
        name: "KernelTests",
        dependencies: [
            "ComputeKernels", "MessagePassing", "WireFormats", "Determinism", "Prediction",
            "xinghe-kernel",
        ],
        exclude: ["Faults/faults.c", "Cards/faulty-opencl.c"],
        swiftSettings: house
    ),
    .testTarget(
        name: "PredictionTests",
        dependencies: ["Prediction", "Catalog", "ClusterModel", "Quantities", "WireFormats"],
        swiftSettings: house
    ),
    .testTarget(
        name: "ProgramTests",
        dependencies: ["JobExecution", "TestSupport", "xinghe", "yh"],
        swiftSettings: house
    ),
    .testTarget(name: "HouseTests", swiftSettings: house),
]

/// What MPI, BLAS and FFTW are needed for; left out by `make KERNELS=no`.
let kernelTargets: Set<String> = [
    "CMPI", "COpenBLAS", "CFFTW", "COpenCL", "CProcessor", "MessagePassing", "ComputeKernels",
    "xinghe-kernel", "KernelTests",
]
let hasKernels = Context.environment["XINGHE_KERNELS"] != "no"

let package = Package(
    name: "xinghe",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "xinghe-clock", type: .dynamic, targets: ["CClock"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/vapor/jwt-kit.git", from: "5.7.1"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle.git",
            from: "2.13.0"
        ),
    ],
    targets: hasKernels ? targets : targets.filter { !kernelTargets.contains($0.name) }
)
