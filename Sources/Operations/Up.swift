internal import CatalogueImport
internal import CommandAPI
internal import Commands
internal import Domain
internal import Foundation
internal import Glibc
public import Logging
internal import ProjectionEngine
internal import Projections
internal import Schema
internal import ServiceLifecycle
internal import Web

/// The whole system on one machine, with nothing configured.
public func up(_ settings: Settings, logger: Logger) async throws {
    let place = try Place(settings)
    try place.makeFolder()
    try place.lock()
    try requireFree(
        [
            ("COMMAND_PORT", settings.commandPort), ("QUERY_PORT", settings.queryPort),
            ("OPERATIONS_PORT", settings.operationsPort),
        ], at: settings.bindAddress)
    let system = WholeSystem(settings: settings, place: place, logger: logger)
    try await runServices([system], logger: logger)
}

/// Everything from the private servers on, as one service: so a signal that comes while it starts
/// takes it down as well, when the step under way is done.
private struct WholeSystem: Service {
    let settings: Settings
    let place: Place
    let logger: Logger

    func run() async throws {
        let servers = try await OwnServers(
            in: place.folder, postgres: settings.databaseURL == nil, nats: settings.natsURL == nil,
            logger: logger)
        do {
            if !Task.isShuttingDownGracefully { try await run(on: servers) }
        } catch {
            await servers.stop()
            throw error
        }
        await servers.stop()
    }

    private func run(on servers: OwnServers) async throws {
        guard let databaseURL = settings.databaseURL ?? servers.databaseURL,
            let natsURL = settings.natsURL ?? servers.natsURL
        else { preconditionFailure("neither given nor started") }
        let connections = Connections(url: databaseURL, logger: logger)
        let secrets = try place.secrets()
        let migrations = try Schema.migrations()
        let pending = try await Schema.pending(connections.administrative, migrations)
        try await Verbs.backupBeforeMigrating(connections, pending, settings)
        try await Schema.migrate(connections.administrative, migrations, logger: logger)
        place.store(databaseURL: databaseURL, natsURL: natsURL)
        defer { place.forgetAddresses() }
        let roles = Roles(
            connections, natsURL: natsURL, secrets: secrets, settings: settings, logger: logger)
        let loop = roles.decisionLoop()
        let services: [any Service] =
            [servers, loop] + roles.projector(loop) + roles.queryAPI(port: settings.queryPort)
            + roles.commandAPI(loop, port: settings.commandPort)
            + [roles.operationsServer(port: settings.operationsPort)]
            + [Welcome(loop: loop, roles: roles)]
        try await runServices(services, until: [], logger: logger)
    }
}

/// Imports the catalogue, makes sure that something is for sale, and says how to begin.
private struct Welcome: Service {
    let loop: DecisionLoop
    let roles: Roles

    func run() async throws {
        let (season, position) = try await bringCatalogue()
        await waitForReadModels(toReach: position)
        say(text(season))
        try? await gracefulShutdown()
    }

    /// What the program brings along, as far as nobody has something else under its names: he keeps his own, and is
    /// told.
    private func bringCatalogue() async throws -> (season: DemoSeason?, position: Int64) {
        var position: Int64 = 0
        do {
            position = try await importCatalogue(CatalogueFile.seed(), by: loop).position
            // Nobody is to pay for a trip that was made up.
            if roles.settings.environment == .production { return (nil, position) }
            let upcoming = DemoSeason(around: roles.clock())
            position = try await importAll(upcoming.additions, by: loop).position
            return (upcoming, position)
        } catch let refusal as ImportRefused {
            roles.logger.warning(
                "goes on without all of the catalogue that it brings along",
                metadata: ["reason": "\(refusal)"])
            return (nil, position)
        }
    }

    /// What is for sale can be seen when the addresses are shown; a slow start shows them anyway.
    private func waitForReadModels(toReach position: Int64) async {
        let watch = CheckpointWatch(roles.connections.client(1))
        for model in AllReadModels.list {
            _ = await watch.wait(for: model.name, toReach: position, limit: Self.readLimit)
        }
    }

    private static let readLimit = Duration.seconds(10)

    private func text(_ season: DemoSeason?) -> String {
        let settings = roles.settings
        let (bold, plain) = isatty(1) == 1 ? ("\u{1B}[1m", "\u{1B}[0m") : ("", "")
        let started = """

            \(bold)Quartermaster is up.\(plain)  Ctrl-C takes it down; everything is still there next time.

              commands     \(settings.url(ofPort: settings.commandPort))
              queries      \(settings.url(ofPort: settings.queryPort))
              contract     \(settings.url(ofPort: settings.queryPort))/openapi.yaml
              metrics      \(settings.url(ofPort: settings.operationsPort))/metrics
              staff token  \(roles.secrets.staffToken)

            """
        return started + (season.map { firstSteps($0, bold, plain) } ?? "")
    }

    private func firstSteps(_ season: DemoSeason, _ bold: String, _ plain: String) -> String {
        let commands = roles.settings.url(ofPort: roles.settings.commandPort)
        let queries = roles.settings.url(ofPort: roles.settings.queryPort)
        let order = """
            {"lines":[{"trip":"\(season.trip)","sailing":"\(season.sailing)","ticketType":\
            "\(season.ticketType)","quantity":2}],"contact":{"firstName":"Ada","lastName":\
            "Lovelace","email":"ada@example.org"}}
            """
        return """

            \(bold)Place a booking\(plain) (its seats are held for \(roles.settings.holdMinutes) minutes):
              curl -s \(commands)/v1/bookings -H 'Content-Type: application/json' -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" -d '\(order)'

            \(bold)Confirm it\(plain), with the "booking" of that answer:
              curl -s \(commands)/v1/bookings/BOOKING/confirm -H 'Authorization: Bearer \(roles.secrets.staffToken)' -H 'Content-Type: application/json' -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" -d '{"basis":"paid_at_the_dock"}'

            \(bold)Read it\(plain), with the "code" of that answer:
              curl -s '\(queries)/v1/bookings/CODE?lastName=Lovelace'

            """
    }
}

/// Imports a file, all of it or nothing; returns the number of events that came of it.
func importCatalogue(
    _ file: CatalogueFile, by loop: DecisionLoop
) async throws -> (eventCount: Int, position: Int64) {
    try await importAll(file.additions, by: loop, differing: file.differences)
}

/// Submits additions as one request, all or none; returns the number of events that came of it. `differences` say of
/// things that they are there already, better than by their ids. Throws ``ImportRefused`` when the catalogue has
/// something else.
func importAll(
    _ additions: [AddToCatalogue.Addition], by loop: DecisionLoop,
    differing differences: [EntityID: CatalogueFault] = [:]
) async throws -> (eventCount: Int, position: Int64) {
    var generator = SystemRandomNumberGenerator()
    do throws(CommandError) {
        let receipt = try await loop.submit(
            Envelope(
                id: .random(using: &generator), requestHash: [], actor: "import",
                commands: additions.map { AddToCatalogue($0, isOfFile: true) }))
        return (receipt.events.count, receipt.position)
    } catch {
        let detail = problem(for: error).detail
        switch error {
        case .refused(.alreadyExists(_, let id), _):
            throw ImportRefused(reason: differences[id]?.description ?? detail)
        case .unavailable(isOutcomeUnknown: true):
            throw OperationError("it is not known whether it was imported: import it again")
        case .refused: throw ImportRefused(reason: detail)
        default: throw OperationError("nothing was imported: \(detail)")
        }
    }
}

/// What was to be imported does not go with what is there: nothing was.
private struct ImportRefused: Error, CustomStringConvertible {
    let reason: String

    var description: String { "nothing was imported: \(reason)" }
}
