internal import CatalogueImport
internal import CommandAPI
internal import Commands
internal import Domain
internal import Seeding
internal import Synchronization
internal import Web

/// What an empty system is given.
public enum SeedSet: String, Sendable, CaseIterable {
    case production
    case test
    case development
}

extension Verbs {
    /// Seeds a set: what is there is left alone.
    public func seed(_ set: SeedSet) async throws {
        guard set == .production || settings.environment != .production else {
            throw OperationError(
                "the set '\(set.rawValue)' has made-up customers and trips: not with ENVIRONMENT=production"
            )
        }
        let catalogue = try CatalogueFile.seed()
        let now = wallClock()
        let upcoming = DemoSeason(around: now)
        let clock = Mutex(now)
        let count = try await withLoop(clock: { clock.withLock { $0 } }) { loop in
            var count = try await importCatalogue(catalogue, by: loop).eventCount
            guard set != .production else { return count }
            count += try await importAll(upcoming.additions, by: loop).eventCount
            guard set == .development else { return count }
            let season = SampleSeason(catalogue: catalogue, upcoming: upcoming, at: now)
            for step in season.steps {
                clock.withLock { $0 = step.now }
                count += try await seed(step.envelope, by: loop)
            }
            return count
        }
        say(
            count == 0
                ? "nothing to seed: all of the set '\(set.rawValue)' is there already"
                : "seeded the set '\(set.rawValue)' in \(grouped(Int64(count))) events")
    }

    private func seed(_ envelope: Envelope, by loop: DecisionLoop) async throws -> Int {
        do throws(CommandError) {
            let receipt = try await loop.submit(envelope)
            return receipt.isRepeat ? 0 : receipt.events.count
        } catch {
            throw OperationError(
                "seeding was refused, and what came before it stays: \(problem(for: error).detail)")
        }
    }
}
