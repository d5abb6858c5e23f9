public import ArgumentParser
public import Operations

struct Ready: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a role on this machine whether it is ready.",
        discussion: """
            For health checks of containers, which have no other program to ask with. Asks at the \
            port that the role has by the environment; ends with 1 when it is not ready, or doesn't \
            answer within three seconds.
            """)

    @Argument(help: "command-api, query-api, projector or backup-keeper.")
    var role: Role

    func run() async throws {
        try await perform { settings, _ in
            guard try await isReady(role, settings) else { throw ExitCode.failure }
        }
    }
}

extension Role: ExpressibleByArgument {}

struct Seed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put something into an empty system.",
        discussion: """
            production: the catalogue, that is locations, boats, docks and launches; what a first \
            start needs, and nothing is on sale yet. test: also a few trips on sale in the coming \
            weeks. development: also a season as seasons are, with launches that flew and scrubbed, \
            bookings, refunds, moved and missed passengers, merchandise, codes, and a trip that is \
            sold out. Seeding again adds what is missing and nothing twice. Customers are made up, \
            so test and development are refused with ENVIRONMENT=production.
            """)

    @Argument(help: "production, test or development.")
    var set: SeedSet = .production

    func run() async throws {
        try await perform { try await Verbs($0, logger: $1).seed(set) }
    }
}

extension SeedSet: ExpressibleByArgument {}
