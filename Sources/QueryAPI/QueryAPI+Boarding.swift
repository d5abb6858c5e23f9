internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Projections
internal import Web

/// What those at the quay look at.
extension QueryAPI {
    /// Bookings that one board may show: more than any boat carries people.
    static let boardLimit = 2000

    var boardingOperations: [Operation] {
        [
            Operation(
                "showCheckInBoard", .get, "/v1/sailings/{sailing}/check-in-board", for: .crew
            ) { request, context in
                try await board(request, context.id("sailing"))
            }
        ]
    }

    private func board(_ request: Request, _ sailing: SailingID) async throws -> Response {
        try request.allowQuery(only: "min-position")
        let (position, entries) = try await soldNow(
            request, sailing, after: nil, limit: Self.boardLimit)
        let board = CheckInBoard(entries)
        return answer(position: position) { json in
            json.field("sailing", sailing)
            json.field("expected", board.expected)
            json.field("aboard", board.aboard)
            json.field("missing", board.missing) { json, entry in
                json.object { json in
                    json.field("booking", entry.booking)
                    json.field("code", entry.code)
                    json.field("firstName", entry.firstName)
                    json.field("lastName", entry.lastName)
                    json.field("passengers", entry.row.ashore) { $0.value($1) }
                    json.field("merchandise", entry.merchandise) { $0.write($1) }
                }
            }
            json.field("doubles", board.doubles) { json, double in
                json.object { json in
                    json.field("booking", double.entry.booking)
                    json.field("code", double.entry.code)
                    json.field("lastName", double.entry.lastName)
                    json.field("passenger", double.passenger)
                    json.field("scans", double.scans) { json, scan in
                        json.object { json in
                            json.field("scan", scan.scan)
                            json.field("scanner", scan.scanner)
                            json.field("at", scan.at)
                        }
                    }
                }
            }
        }
    }
}

/// Who is aboard, who is missing, and who was let in by more than one.
struct CheckInBoard {
    struct Double {
        var entry: ManifestEntry
        var passenger: Int
        /// By different scanners, the first who saw him first.
        var scans: [Manifest.Scan]
    }

    let expected: Int
    let aboard: Int
    let missing: [ManifestEntry]
    let doubles: [Double]

    init(_ entries: [ManifestEntry]) {
        expected = entries.reduce(0) { $0 + $1.row.passengers.count }
        aboard = entries.reduce(0) { $0 + $1.row.aboard.count }
        missing = entries.filter { !$0.row.ashore.isEmpty }
        doubles = entries.flatMap { entry in
            entry.row.passengers.compactMap { passenger in
                let scans = entry.row.scans.filter {
                    $0.isAboard && $0.passengers.contains(passenger)
                }.sorted { ($0.at, $0.scan.entity) < ($1.at, $1.scan.entity) }
                guard Set(scans.map(\.scanner)).count > 1 else { return nil }
                return Double(entry: entry, passenger: passenger, scans: scans)
            }
        }
    }
}

extension Manifest.Row {
    fileprivate var ashore: [Int] { passengers.filter { !aboard.contains($0) } }
}
