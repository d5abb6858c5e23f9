import CatalogueImport
import Domain
import Testing

@Suite struct CatalogueFileTests {
    private let good = """
        locations:
          cape: { name: Cape, region: FL, timeZone: America/New_York }
        jurisdictions:
          brevard: { name: Brevard, location: cape, salesTaxBasisPoints: 700 }
        providers:
          jetty: { name: Jetty, dock: Port, address: "1 Road", jurisdiction: brevard }
        boats:
          trident: { name: Trident, provider: jetty, capacity: 149, tickets: { Adult: 12900 } }
        launches:
          - { name: Artemis, location: cape, attempts: ["2022-08-29T12:33:00Z"] }
        tripsPerAttempt:
          - { kind: launch_viewing, departsBeforeLiftOffMinutes: 60, saleMode: public, boats: all }
        """

    @Test("reads the project's own catalogue: seventeen launches, twenty-six attempts")
    func readsSeed() throws {
        let additions = try CatalogueFile.seed().additions
        func count(_ isWanted: (AddToCatalogue.Addition) -> Bool) -> Int {
            additions.count { isWanted($0) }
        }
        #expect(count { if case .launch = $0 { true } else { false } } == 17)
        #expect(count { if case .mission = $0 { true } else { false } } == 26)
        #expect(count { if case .trip = $0 { true } else { false } } == 26)
        #expect(count { if case .sailing = $0 { true } else { false } } == 52)
        #expect(count { if case .boat = $0 { true } else { false } } == 4)
    }

    @Test("makes the same things of the same file, and departs when the file says")
    func isStable() throws {
        let file = try CatalogueFile(good, name: "good.yaml")
        #expect(file.additions == (try CatalogueFile(good, name: "other.yaml")).additions)
        let trips = file.additions.compactMap { addition -> TripScheduled? in
            if case .trip(let trip) = addition { trip } else { nil }
        }
        #expect(trips.map(\.times.departure) == [Instant("2022-08-29T11:33:00Z")!])
    }

    /// What is replaced by what, and where and how that is told.
    static let mistakes: [(String, String, String)] = [
        ("America/New_York", "America/Nowhere", "bad.yaml:2:45: 'America/Nowhere' is no zone"),
        (
            "location: cape, sales", "location: kape, sales",
            "bad.yaml:4:39: there is no location 'kape'"
        ),
        (
            "salesTaxBasisPoints: 700", "salesTaxBasisPoints: 7.5",
            "bad.yaml:4:66: 'salesTaxBasisPoints' must be a whole number"
        ),
        ("capacity: 149", "capacity: 0", "bad.yaml:8:56: 'capacity' must be a whole number from 1"),
        ("capacity: 149, ", "", "bad.yaml:8:12: 'capacity' is missing"),
        ("Adult: 12900", "Adult: cheap", "bad.yaml:8:79: 'Adult' must be a whole number"),
        (
            "2022-08-29T12:33:00Z", "2022-08-29T12:33:00",
            "bad.yaml:10:49: must be a time with its zone"
        ),
        (
            "kind: launch_viewing", "kind: cruise",
            "bad.yaml:12:13: 'kind' must be one of launch_viewing"
        ),
        ("dock: Port", "pier: Port", "bad.yaml:6:25: a provider has no 'pier'"),
        ("boats:\n", "boats: [\n", "bad.yaml:9:1: not YAML"),
        (
            "dock: Port", "dock: Port, dock: Pier",
            "bad.yaml:6:25: 'dock' stands there more than once"
        ),
        ("1 Road\"", "1 Road\", mapLink: null", "bad.yaml:6:65: 'mapLink' must be a text"),
        ("  trident:", "  \"tri\\0dent\":", "bad.yaml:8:16: a boat's name here"),
        ("boats: all", "boats: []", "bad.yaml:12:87: 'boats' must be all, or a list of one"),
        (
            "tripsPerAttempt",
            """
              - { name: Artemis, location: cape, attempts: ["2023-08-29T12:33:00Z"] }
            tripsPerAttempt
            """, "bad.yaml:11:13: there is a launch 'Artemis' at cape in this file already"
        ),
        ("Trident", "Tri\u{1}dent", "bad.yaml:8:23: not YAML: control characters"),
    ]

    @Test(
        "places each mistake by line and column, and says what would be right", arguments: mistakes)
    func placesMistakes(_ old: String, _ new: String, _ message: String) throws {
        let yaml = good.replacing(old, with: new, maxReplacements: 1)
        let error = #expect(throws: CatalogueFaults.self) {
            try CatalogueFile(yaml, name: "bad.yaml")
        }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }

    @Test("makes no trip at a place that none of its boats is at")
    func needsBoats() throws {
        let elsewhere = good.replacing(
            "jurisdictions:",
            with: """
                  starbase: { name: Starbase, region: TX, timeZone: America/Chicago }
                jurisdictions:
                """
        ).replacing(
            "launches:",
            with: """
                launches:
                  - { name: Flight, location: starbase, attempts: ["2022-08-30T12:33:00Z"] }
                """
        ).replacing("boats: all", with: "boats: [trident]")
        let additions = try CatalogueFile(elsewhere, name: "good.yaml").additions
        #expect(additions.count { if case .trip = $0 { true } else { false } } == 1)
        #expect(additions.count { if case .mission = $0 { true } else { false } } == 2)
    }

    @Test("tells all mistakes at once")
    func tellsAll() throws {
        let yaml = good.replacing("capacity: 149", with: "capacity: -1")
            .replacing("salesTaxBasisPoints: 700", with: "salesTaxBasisPoints: 99999")
        let error = #expect(throws: CatalogueFaults.self) {
            try CatalogueFile(yaml, name: "bad.yaml")
        }
        #expect(error?.faults.map(\.line) == [4, 8])
    }
}
