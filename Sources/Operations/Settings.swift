public import Domain
public import Foundation
public import Logging
internal import Access
internal import Postgres
public import Telemetry
internal import Web

/// What the environment says. `.env.example` documents every variable; a test compares the two.
public struct Settings: Sendable {
    public var databaseURL: String?
    public var natsURL: String?
    /// The server on which a backup is restored to be verified; a cluster made for it, when it is not set.
    public var scratchDatabaseURL: String?
    public var staffToken: String?
    public var signingSecret: String?
    public var bindAddress: String
    public var commandPort: Int
    public var queryPort: Int
    public var operationsPort: Int
    public var dataFolder: String
    /// Where backups go; in the data folder, when it is not set.
    public var backupFolder: String?
    /// Backups that are kept.
    public var backupCount: Int
    public var backupSchedule: BackupSchedule
    /// Takes each backup elsewhere; nothing does when it is not set.
    public var backupCopyCommand: String?
    public var holdMinutes: Int
    public var holdExtensionLimit: Int
    /// Who takes cards; the dock where nobody does.
    public var paymentProvider: ProviderKind
    public var logLevel: Logger.Level
    /// Where errors are reported to; nowhere when it is not set.
    public var sentry: SentryAddress?
    /// An OpenTelemetry collector that spans are sent to; none when it is not set.
    public var traceEndpoint: String?
    /// How long a role that is to end still answers while it says that it is not ready, so that a proxy has
    /// sent everybody elsewhere before the door is shut.
    public var drainSeconds: Int
    /// The version that runs: as errors and spans are reported.
    public var release: String
    public var environment: Deployment

    /// The names of all variables.
    public static let variables = [
        "DATABASE_URL", "NATS_URL", "STAFF_TOKEN", "SIGNING_SECRET", "BIND_ADDRESS", "COMMAND_PORT",
        "QUERY_PORT", "OPERATIONS_PORT", "DRAIN_SECONDS",
        "QUARTERMASTER_DATA", "BACKUP_FOLDER", "BACKUP_COUNT", "BACKUP_AT", "BACKUP_VERIFY_DAY",
        "BACKUP_COPY_COMMAND", "SCRATCH_DATABASE_URL", "HOLD_MINUTES",
        "HOLD_EXTENSION_LIMIT", "PAYMENT_PROVIDER",
        "LOG_LEVEL", "SENTRY_DSN", "RELEASE", "ENVIRONMENT",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ]

    /// Where this machine reaches one of the doors.
    func url(ofPort port: Int) -> String {
        let address = ["0.0.0.0": "127.0.0.1", "::": "::1"][bindAddress] ?? bindAddress
        return "http://\(address.contains(":") ? "[\(address)]" : address):\(port)"
    }

    /// Reads the environment; throws a sentence that names the variable that is wrong.
    public init(
        _ variables: [String: String] = ProcessInfo.processInfo.environment
    ) throws(OperationError) {
        let variables = try Self.withSecrets(ofFilesIn: variables)
        let read = Variables(values: variables)
        databaseURL = try read.url("DATABASE_URL", ["postgresql", "postgres"])
        scratchDatabaseURL = try read.url("SCRATCH_DATABASE_URL", ["postgresql", "postgres"])
        natsURL = try read.url("NATS_URL", ["nats", "tls"])
        staffToken = read.text("STAFF_TOKEN")
        signingSecret = read.text("SIGNING_SECRET")
        bindAddress = read.text("BIND_ADDRESS") ?? "127.0.0.1"
        commandPort = try read.number("COMMAND_PORT", 8080, in: 1...65535)
        queryPort = try read.number("QUERY_PORT", 8081, in: 1...65535)
        operationsPort = try read.number("OPERATIONS_PORT", 8082, in: 1...65535)
        dataFolder = read.text("QUARTERMASTER_DATA") ?? ".quartermaster"
        backupFolder = read.text("BACKUP_FOLDER")
        backupCount = try read.number("BACKUP_COUNT", 14, in: 1...10_000)
        let backupAt = read.text("BACKUP_AT") ?? "03:15"
        let verifyDay = try read.number("BACKUP_VERIFY_DAY", 1, in: 0...28)
        guard let schedule = BackupSchedule(at: backupAt, verifyDay: verifyDay) else {
            throw OperationError(
                "BACKUP_AT is '\(backupAt)', and must be a time of day such as 03:15")
        }
        backupSchedule = schedule
        backupCopyCommand = read.text("BACKUP_COPY_COMMAND")
        drainSeconds = try read.number("DRAIN_SECONDS", 0, in: 0...20)
        holdMinutes = try read.number("HOLD_MINUTES", 10, in: 1...1440)
        holdExtensionLimit = try read.number("HOLD_EXTENSION_LIMIT", 2, in: 0...100)
        paymentProvider = try read.choice("PAYMENT_PROVIDER", ProviderKind.dock)
        logLevel = try read.choice("LOG_LEVEL", Logger.Level.info)
        sentry = try read.text("SENTRY_DSN").map { dsn throws(OperationError) in
            guard let address = SentryAddress(dsn: dsn) else {
                throw OperationError("SENTRY_DSN must be of the form https://KEY@HOST/PROJECT")
            }
            return address
        }
        traceEndpoint = try read.url("OTEL_EXPORTER_OTLP_ENDPOINT", ["http", "https"])
        release = read.text("RELEASE") ?? "unreleased"
        environment = try read.choice("ENVIRONMENT", Deployment.development)
        if let signingSecret, signingSecret.count < SigningKeys.shortestLength {
            throw OperationError(
                "SIGNING_SECRET is too short: it must have at least \(SigningKeys.shortestLength) characters"
            )
        }
        if let staffToken, staffToken.count < StaffToken.shortestLength {
            throw OperationError(
                "STAFF_TOKEN is too short: it must have at least \(StaffToken.shortestLength) characters"
            )
        }
        try refuseExamples(in: variables)
        try refuseMalformed(in: variables)
    }

    var holdPolicy: HoldPolicy {
        HoldPolicy(span: .minutes(holdMinutes), extensionLimit: holdExtensionLimit)
    }

    var absoluteBackupFolder: String {
        guard let backupFolder else { return absoluteDataFolder + "/backups" }
        return URL(fileURLWithPath: backupFolder).standardizedFileURL.path
    }

    /// The folder as an absolute path.
    var absoluteDataFolder: String {
        URL(fileURLWithPath: dataFolder).standardizedFileURL.path
    }
}

/// Something an operator has to put right; the sentence says what to do.
public struct OperationError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

/// The wall clock, read here and nowhere below.
@Sendable public func wallClock() -> Instant {
    Instant(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
}
