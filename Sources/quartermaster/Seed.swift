public import ArgumentParser
public import Operations

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
