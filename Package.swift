// swift-tools-version: 6.1
// The targets below are the architecture: what is not listed as a dependency may not be imported.
import PackageDescription

/// A part alone: `borders`, which are also tested under the thread sanitizer (see `make test`); for the image
/// (see `compose/Dockerfile`) `dependencies`, all that is not ours, and `program`, all but the tests.
let part = Context.environment["QUARTERMASTER_ONLY"]

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(
    name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(
    name: "HummingbirdCore", package: "hummingbird")
let lifecycle = Target.Dependency.product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
/// Locks that the thread sanitizer sees; it does not see those of the standard library on Linux.
let locks = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let jwt = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let unixSignals = Target.Dependency.product(
    name: "UnixSignals", package: "swift-service-lifecycle")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let tracing = Target.Dependency.product(
    name: "Tracing", package: "swift-distributed-tracing")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

func module(
    _ name: String, path: String? = nil, resources: [Resource] = [],
    _ dependencies: [Target.Dependency]
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: path, resources: resources,
        swiftSettings: settings)
}

func tests(
    _ name: String, without fixtures: [String] = [], _ dependencies: [Target.Dependency]
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: fixtures, swiftSettings: settings)
}

// MARK: The two C borders

let borders: [Target] = [
    .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "CNATS", pkgConfig: "libnats", providers: [.apt(["libnats-dev"])]),
    module("Postgres", ["CPostgres", locks, logging]),
    module("Bus", ["CNATS", logging]),
    module("LocalServers", [locks]),
    module("TestServers", path: "Tests/Servers", ["LocalServers", locks]),
    tests("PostgresTests", ["Postgres", "TestServers", locks, logging]),
    tests("BusTests", ["Bus", "TestServers", logging]),
]

// MARK: Everything that stands on them

let house: [Target] = [
    // The trade, and how it is written down.
    module("Domain", []),
    module("JSON", []),
    module("EventCodec", ["Domain", "JSON"]),
    module("Sealing", ["Domain", "EventCodec", "JSON", crypto]),

    // The log, and the one way in.
    module(
        "Schema", path: "schema", resources: [.copy("migrations")], ["Postgres", crypto, logging]),
    module("EventLog", ["Postgres", crypto, logging]),
    module("Commands", ["Domain", "EventCodec", "EventLog", lifecycle, logging, metrics]),

    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    module("Archive", ["CZstd", "Domain", "EventCodec", "EventLog", "JSON", "Postgres", crypto]),

    module(
        "Backup", ["Domain", "EventCodec", "JSON", "LocalServers", "Postgres", crypto]),

    // The way out.
    module(
        "ProjectionEngine",
        [
            "Domain", "EventCodec", "EventLog", "JSON", "Postgres", "Sealing", "Trace", lifecycle,
            logging, metrics, tracing,
        ]),
    module(
        "Projections", path: "Projections",
        ["Domain", "EventCodec", "JSON", "Postgres", "ProjectionEngine"]),
    module(
        "Publishing",
        [
            "Bus", "Domain", "EventCodec", "EventLog", "JSON", "Postgres", "ProjectionEngine",
            "Projections", "Trace", lifecycle, logging, metrics, tracing,
        ]),
    module(
        "Payments",
        [
            "Domain", "EventCodec", "JSON", asyncHTTPClient, crypto, lifecycle, logging, nio,
            nioHTTP1,
        ]),
    module(
        "Reactions",
        [
            "Commands", "Domain", "Payments", "Postgres", "ProjectionEngine", "Projections", crypto,
            lifecycle, logging,
        ]),

    // What the process tells of itself.
    module(
        "Telemetry",
        ["Domain", "JSON", "Trace", asyncHTTPClient, logging, metrics, nio, nioHTTP1, tracing]),
    module("Trace", ["Domain", tracing]),

    // The doors, and who may pass.
    .systemLibrary(
        name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    module(
        "Access",
        [
            "CSodium", "Domain", "EventCodec", "Postgres", "Web", crypto, httpTypes, hummingbird,
            jwt, nioPosix,
        ]),
    module(
        "Web", resources: [.copy("openapi.yaml")],
        [
            "Domain", "EventCodec", "JSON", "Trace", crypto, httpTypes, hummingbird,
            hummingbirdCore, logging, metrics, nio, tracing,
        ]),
    module(
        "CommandAPI",
        [
            "Access", "Commands", "Domain", "EventCodec", "JSON", "Payments", "Sealing", "Web",
            httpTypes, hummingbird, logging,
        ]),
    module(
        "QueryAPI",
        [
            "Access", "Bus", "Domain", "EventCodec", "EventLog", "JSON", "Postgres",
            "ProjectionEngine",
            "Projections", "Web", httpTypes, hummingbird, lifecycle, logging, nio,
        ]),
    module("CatalogueImport", resources: [.copy("launches.yaml")], ["Domain", crypto, yams]),
    module("Seeding", ["CatalogueImport", "Commands", "Domain", "Sealing", crypto]),

    // The program.
    module(
        "Operations",
        [
            "Access", "Archive", "Backup", "Bus", "CatalogueImport", "CommandAPI", "Commands",
            "Domain",
            "EventCodec", "EventLog",
            "JSON", "LocalServers", "Payments", "Postgres", "ProjectionEngine", "Projections",
            "Publishing", "QueryAPI",
            "Reactions", "Schema", "Sealing", "Seeding", "Telemetry", "Web", asyncHTTPClient,
            crypto, httpTypes, hummingbird,
            hummingbirdCore, lifecycle, logging, metrics, nio, nioHTTP1, unixSignals,
        ]),
    module(
        "Bench",
        [
            "Bus", "Commands", "Domain", "EventCodec", "EventLog", "LocalServers", "Operations",
            "Postgres", "ProjectionEngine", "Projections", "Publishing", "Schema", "Sealing",
            asyncHTTPClient, lifecycle, logging, nio, nioHTTP1,
        ]),
    // Its allocator: the C library's took a sixth of the time of all but the event loops, where one thread frees
    // what another has made.
    .systemLibrary(
        name: "CJemalloc", pkgConfig: "jemalloc", providers: [.apt(["libjemalloc-dev"])]),
    .executableTarget(
        name: "quartermaster",
        dependencies: [
            "Bench", "CJemalloc", "Operations", "ProjectionEngine", "Telemetry", argumentParser,
            logging, metrics, tracing,
        ],
        swiftSettings: settings),
    // What the tests share, and the tests.
    module(
        "TestSupport", path: "Tests/Support",
        [
            "Commands", "Domain", "EventLog", "LocalServers", "Operations", "Postgres", "Schema",
            "Sealing", "TestServers", asyncHTTPClient, hummingbird, httpTypes, lifecycle, logging,
            nio,
            nioHTTP1,
        ]),
    tests("DomainTests", ["Domain", "EventCodec"]),
    tests("EventCodecTests", without: ["Fixtures"], ["Domain", "EventCodec", "JSON", "Sealing"]),
    tests(
        "EventLogTests", without: ["golden-schema.txt"],
        ["EventLog", "Operations", "Postgres", "Schema", "TestSupport"]),
    tests(
        "CommandsTests",
        [
            "Archive", "Backup", "Commands", "Domain", "EventCodec", "EventLog", "LocalServers",
            "Operations", "Postgres", "Schema", "TestSupport", crypto,
        ]),
    tests(
        "ProjectionTests",
        [
            "Bus", "Commands", "Domain", "EventCodec", "EventLog", "JSON", "LocalServers",
            "Operations",
            "Payments", "Postgres", "ProjectionEngine", "Projections", "Publishing", "Reactions",
            "Schema", "TestServers", "TestSupport", lifecycle,
        ]),
    tests(
        "APITests",
        [
            "Domain", "LocalServers", "Operations", "Telemetry", "TestSupport", "Trace", "Web",
            httpTypes, logging, metrics, yams,
        ]),
    tests(
        "SystemTests", without: ["Outputs"],
        [
            "Bus", "EventLog", "LocalServers", "Operations", "Postgres", "Projections",
            "Publishing",
            "TestSupport", "Web", yams,
        ]),
    tests("DeploymentTests", ["LocalServers", "Operations", "TestSupport", "Web", yams]),
    tests("CatalogueImportTests", ["CatalogueImport", "Domain"]),
    tests(
        "TidyTests",
        ["Domain", "EventCodec", "Operations", "ProjectionEngine", "Projections", "Telemetry"]),
]

let dependencies = Target.target(
    name: "Dependencies",
    dependencies: [
        argumentParser, asyncHTTPClient, crypto, httpTypes, hummingbird, hummingbirdCore, jwt,
        lifecycle, locks, logging, metrics, nio, nioHTTP1, nioPosix, tracing, unixSignals, yams,
    ],
    path: "compose/dependencies")

let targets: [Target] =
    switch part {
    case "borders": borders
    case "dependencies": [dependencies]
    case "program": (borders + house).filter { !($0.path ?? "").hasPrefix("Tests") && !$0.isTest }
    default: borders + house
    }

let package = Package(
    name: "quartermaster",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.12.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.65.0"),
    ]
        + (part == "borders"
            ? []
            : [
                .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
                .package(
                    url: "https://github.com/apple/swift-distributed-tracing", from: "1.2.0"),
                .package(url: "https://github.com/apple/swift-crypto", "3.0.0"..<"5.0.0"),
                .package(url: "https://github.com/apple/swift-http-types", from: "1.0.0"),
                .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
                .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.5.0"),
                .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
                .package(url: "https://github.com/vapor/jwt-kit", from: "5.0.0"),
                .package(url: "https://github.com/swift-server/async-http-client", from: "1.20.0"),
                .package(
                    url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
            ]),
    targets: targets,
    swiftLanguageModes: [.v6]
)
