import ArgumentParser
import Bench
import Foundation
import Logging
import Metrics
import Operations
import Telemetry
import Tracing

@main
struct Quartermaster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quartermaster",
        abstract: "Sells seats on boats that go out to watch rockets fly.",
        discussion: """
            'quartermaster up' is the whole system on this machine, with nothing configured. The \
            roles also run alone, against the PostgreSQL of DATABASE_URL and the NATS of NATS_URL. \
            Every environment variable is explained in .env.example.
            """,
        subcommands: [
            Up.self, CommandAPIRole.self, QueryAPIRole.self, ProjectorRole.self, Migrate.self,
            Import.self, Events.self, Verify.self, SealLog.self, Export.self, ImportLog.self,
            MakeBackup.self, KeepBackups.self, Restore.self, Ready.self, Seed.self,
            RebuildModel.self, Show.self, ShowManifest.self, Explain.self, Diff.self,
            PrintTable.self,
            Projections.self, Status.self, Measure.self,
        ])
}

/// Reads the settings, sets up the log, runs, and turns what went wrong into one sentence.
func perform(_ work: (Settings, Logger) async throws -> Void) async throws {
    do {
        returnFreeMemory()
        allowManyConnections()
        let settings = try Settings()
        let reporter = settings.sentry.map {
            SentryReporter(
                $0, release: settings.release, environment: settings.environment.rawValue)
        }
        LoggingSystem.bootstrap { label in
            let lines = LineLogHandler(label: label, level: settings.logLevel)
            guard let reporter else { return lines }
            // Of requests there would soon be nothing else among what was logged before an error.
            let level = max(settings.logLevel, .notice)
            return MultiplexLogHandler([
                lines, SentryLogHandler(label: label, level: level, reporter: reporter),
            ])
        }
        MetricsSystem.bootstrap(MetricRegistry.shared)
        let tracer = settings.traceEndpoint.map {
            OTLPTracer(
                endpoint: $0, release: settings.release, environment: settings.environment.rawValue)
        }
        if let tracer { InstrumentationSystem.bootstrap(tracer) }
        defer { LogOutput.standardError.flush() }
        do {
            try await work(settings, Logger(label: "quartermaster"))
            try Output.check()
        } catch {
            await reporter?.close()
            await tracer?.close()
            throw error
        }
        await reporter?.close()
        await tracer?.close()
    } catch let error as ExitCode {
        throw error
    } catch {
        FileHandle.standardError.write(Data("quartermaster: \(sentence(for: error))\n".utf8))
        throw ExitCode.failure
    }
}

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the whole system here, with servers of its own.",
        discussion: """
            Starts a private PostgreSQL cluster and a private nats-server, unless DATABASE_URL and \
            NATS_URL name others; migrates, imports the launch catalogue, schedules a few trips, \
            and runs command API, query API and projector. Data is kept in .quartermaster, or in \
            QUARTERMASTER_DATA. Ctrl-C takes all of it down.
            """)

    func run() async throws {
        try await perform { try await up($0, logger: $1) }
    }
}

struct CommandAPIRole: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "command-api", abstract: "Run the command API alone.",
        discussion: """
            Listens on COMMAND_PORT, and on OPERATIONS_PORT for Prometheus; needs DATABASE_URL, \
            NATS_URL, STAFF_TOKEN and SIGNING_SECRET, or an 'up' that runs in QUARTERMASTER_DATA.
            """)

    func run() async throws {
        try await perform { try await Operations.run(.commandAPI, $0, logger: $1) }
    }
}

struct QueryAPIRole: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query-api", abstract: "Run the query API alone.",
        discussion: """
            Listens on QUERY_PORT, and on OPERATIONS_PORT for Prometheus; needs DATABASE_URL, \
            NATS_URL, STAFF_TOKEN and SIGNING_SECRET, or an 'up' that runs in QUARTERMASTER_DATA.
            """)

    func run() async throws {
        try await perform { try await Operations.run(.queryAPI, $0, logger: $1) }
    }
}

struct ProjectorRole: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "projector",
        abstract: "Keep the read models, publish to NATS, and record what time makes true.",
        discussion: """
            Any number may run: one leads each projection, and another takes over when it is gone. \
            Listens on OPERATIONS_PORT for Prometheus; needs DATABASE_URL, NATS_URL, STAFF_TOKEN \
            and SIGNING_SECRET, or an 'up' that runs in QUARTERMASTER_DATA.
            """)

    func run() async throws {
        try await perform { try await Operations.run(.projector, $0, logger: $1) }
    }
}

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the schema up to date.",
        discussion: """
            Applies the migrations that have not been applied, each in one transaction. Refuses \
            when one was edited after it had been applied. DATABASE_URL must name a user who may \
            make roles and schemas. What is there is backed up first, see 'backup'.
            """)

    @Flag(help: "Migrate without a backup before it.")
    var noBackup = false

    func run() async throws {
        try await perform { try await Verbs($0, logger: $1).migrate(backsUp: !noBackup) }
    }
}

struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Import a catalogue of launches, boats and trips.",
        discussion: """
            All of the file is imported, or nothing; every mistake is shown with its line and \
            column. Importing the same file twice changes nothing.
            """)

    @Argument(help: "A YAML file; launches.yaml of the sources shows the format.")
    var file: String

    func run() async throws {
        try await perform { try await Verbs($0, logger: $1).importFile(file) }
    }
}

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check that the log is whole, unaltered and true.",
        discussion: """
            Reads every event: positions have no holes, the hash chain fits, times do not run \
            backwards, everything can be read, tags are what the data says, and every promise of \
            the trade holds at every position. Then, unless --log-only, that the stream EVENTS is \
            the log, and that every read model is what a fresh fold makes. With --against, also \
            that the log is still what was sealed. With --archive, an \
            exported file is checked instead, without a database. Ends with 1, naming the \
            positions, when it is not so.
            """)

    @Option(help: "A file that 'seal' has written.")
    var against: String?

    @Option(help: "The public key that the seal must be signed with, as 'seal' shows it.")
    var key: String?

    @Option(help: "A file that 'export' has written, to be checked instead of the database.")
    var archive: String?

    @Flag(help: "Neither read models nor the stream EVENTS.")
    var logOnly = false

    @Flag(help: "Print one JSON object: whether it is sound, the faults, and what was found.")
    var json = false

    func validate() throws {
        guard key == nil || against != nil else {
            throw ValidationError("--key says whose seal it must be, so it goes with --against")
        }
    }

    func run() async throws {
        try await perform { settings, logger in
            let isSound =
                if let archive {
                    try verifyArchive(archive, against: against, key: key, isJSON: json)
                } else {
                    try await verifySystem(settings, logger)
                }
            guard isSound else { throw ExitCode.failure }
        }
    }

    private func verifySystem(_ settings: Settings, _ logger: Logger) async throws -> Bool {
        var request = VerifyRequest()
        request.sealPath = against
        request.key = key
        request.isOfLogOnly = logOnly
        return try await Verbs(settings, logger: logger).verify(request, isJSON: json)
    }
}

struct SealLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal", abstract: "Sign what the log is now.",
        discussion: """
            The head of the log and its hash, signed with a key made from SIGNING_SECRET. Keep it \
            where those who could alter the log can't: 'verify --against' proves later that \
            nothing before it was altered.
            """)

    @Argument(help: "The file to write; without it the seal is printed.")
    var file: String?

    func run() async throws {
        try await perform { try await Verbs($0, logger: $1).seal(to: file) }
    }
}

struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the whole log to a file.",
        discussion: """
            Compressed NDJSON: a header, then one event a line with its hash; 'zstdcat' shows it. \
            Names and addresses are sealed in it. Staff accounts and API keys are no events, and \
            are not in it.
            """)

    @Argument(help: "The file to write; log.ndjson.zst, say.")
    var file: String

    @Option(help: "Also write customers' keys, which open what is sealed, to this file.")
    var keys: String?

    @Option(help: "The last position to write; without it, the head.")
    var until: Int64?

    func run() async throws {
        try await perform {
            try await Verbs($0, logger: $1).export(to: file, upTo: until, customerKeys: keys)
        }
    }
}

struct ImportLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import-log", abstract: "Make an empty log that of an exported file.",
        discussion: """
            All of it or nothing, with the same positions, times and hashes, each of which is \
            checked; then the read models are built. DATABASE_URL must name a database that \
            'migrate' has prepared and that has no events, and a user who may act as its owner.
            """)

    @Argument(help: "A file that 'export' has written.")
    var file: String

    @Option(help: "The file with customers' keys; without it, names and addresses read as erased.")
    var keys: String?

    func run() async throws {
        try await perform { try await Verbs($0, logger: $1).importLog(file, customerKeys: keys) }
    }
}

struct Measure: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure this machine, beside what PostgreSQL alone does on it.",
        discussion: """
            Starts servers of its own, which are gone afterwards, fills the log, and measures \
            selling, rushes, rebuilding and memory in one run. Needs wrk and pgbench: 'make bench' \
            installs them. Ends with 1 when a figure is not what it should be.
            """)

    @Option(help: "Runs of each measurement; the median counts.")
    var runs = 5

    @Option(help: "Seconds of each run.")
    var seconds = 3

    @Option(help: "Events in the log before anything is sold.")
    var events = 1_000_000

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...100).contains(runs), (1...60).contains(seconds),
            (1_000...10_000_000).contains(events)
        else {
            throw ValidationError(
                "--runs is 1 to 100, --seconds 1 to 60, --events 1,000 to 10,000,000")
        }
    }

    func run() async throws {
        try await perform { _, logger in
            var bench = Bench(logger: logger)
            bench.runs = runs
            bench.seconds = seconds
            bench.eventCount = events
            bench.isJSON = json
            guard try await bench.run() else { throw ExitCode.failure }
        }
    }
}
