public import Domain
internal import EventCodec
public import JSON
public import Postgres
internal import ProjectionEngine

/// A sailing's figures as people see them.
public struct SailingView: Sendable {
    public var sailing: SailingID
    public var row: SailingAvailability.Row
    public var boatName: String
    public var capacity: Int
    /// The position of the last event that changed them.
    public var position: Int64

    public var figures: SeatFigures { row.figures(capacity: capacity) }
}

extension SailingAvailability {
    /// While a version is rolled out, the table is that of the one before, which has no such column and no such rows.
    private static let isAssigned = "coalesce((to_jsonb(a) ->> 'is_assigned')::bool, true)"

    private static let selection = """
        SELECT a.sailing, a.trip, a.boat, a.seat_limit, a.is_paused, a.ticket_types, a.oversales,
               \(isAssigned), boat.name, boat.capacity, greatest(a.position, boat.position) AS changed_at
        FROM reading.sailing_availability a
        JOIN reading.catalogue_entry boat ON boat.entity = a.boat
        """

    /// One row with the furthest position that a row shown here can have.
    public static let reached = ProjectionStatus.furthest(of: [name, CatalogueEntries.name])

    /// One row with the position that all rows shown here have reached, one that stands still among them.
    public static let complete = ProjectionStatus.reached(by: [name, CatalogueEntries.name])

    /// The sailings of some trips, by boat; of those whose boat was taken off, only what that happened to at
    /// `unassignedSince` or after it.
    public static func sailings(
        of trips: [TripID], unassignedSince position: Int64 = .max
    ) -> PostgresCall {
        PostgresCall(
            """
            \(selection) WHERE a.trip = ANY ($1::uuid[]) AND (\(isAssigned) OR a.position >= $2::bigint)
            ORDER BY boat.name, a.sailing
            """, [.array(of: .uuid, trips.map { .id($0) }), .int64(position)])
    }

    /// One row when there is such a sailing, and its boat is on the trip still.
    public static func known(_ sailing: SailingID) -> PostgresCall {
        PostgresCall(
            """
            SELECT FROM reading.sailing_availability a WHERE a.sailing = $1::uuid AND \(isAssigned)
            """, [.id(sailing)])
    }

    /// Sailings that changed after a position, or whose boats did, oldest change first.
    ///
    /// No further than both read models have come, unless one of them has stopped: so what is shown
    /// once is never changed behind it. `limit` is exceeded by sailings that one event changed
    /// together: a page ends between events. The arrays keep the plan from beginning at the sailings,
    /// which are many.
    public static func changed(after position: Int64, limit: Int) -> PostgresCall {
        PostgresCall(
            """
            \(selection)
            WHERE a.sailing = ANY (ARRAY(
                    SELECT sailing FROM reading.sailing_availability WHERE position > $1::bigint
                    UNION ALL
                    SELECT sailing FROM reading.sailing_availability WHERE boat = ANY (ARRAY(
                        SELECT entity FROM reading.catalogue_entry WHERE position > $1::bigint))
                ))
                AND greatest(a.position, boat.position) <= (
                    SELECT min(p.position) FROM reading.projection p
                    WHERE p.name IN ('\(name)', '\(CatalogueEntries.name)')
                        AND p.stopped_at_position IS NULL)
            ORDER BY changed_at FETCH FIRST ($2::bigint) ROWS WITH TIES
            """, [.int64(position), .int64(Int64(limit))])
    }

    /// Where those who follow ``changed(after:limit:)`` go on from.
    ///
    /// What stood still and goes on changes rows at positions that they have passed: then they begin anew where it
    /// stood.
    public struct Follower: Sendable {
        public var position: Int64
        private var stoodAt: Int64?

        public init(from position: Int64) {
            self.position = position
        }

        /// Hears what ``SailingAvailability/complete`` says.
        public mutating func hear(of complete: Int64) {
            if complete < position {
                stoodAt = min(stoodAt ?? complete, complete)
            } else if let start = stoodAt {
                (position, stoodAt) = (start, nil)
            }
        }
    }

    public static func views(_ rows: Rows) -> [SailingView] {
        (0..<rows.count).map { index in
            let (sailing, row) = read(rows, index)
            return SailingView(
                sailing: sailing, row: row, boatName: rows.text(index, 8),
                capacity: rows.integer(index, 9), position: Int64(rows.integer(index, 10)))
        }
    }
}

extension SailingView {
    /// As it stands in answers and on the bus.
    public func write(to json: inout JSONWriter) {
        let figures = figures
        json.object { json in
            json.field("sailing", sailing)
            json.field("trip", row.trip)
            json.field("boat") { json in
                json.field("id", row.boat)
                json.field("name", boatName)
            }
            json.field("isAssigned", row.isAssigned)
            json.field("isPaused", row.isPaused)
            json.field("limit", figures.limit)
            json.field("committed", figures.committed)
            json.field("held", figures.held)
            json.field("available", figures.available)
            json.field("ticketTypes", row.types) { json, type in
                json.object { json in
                    json.field("id", type.ticketType.id)
                    json.field("label", type.ticketType.label)
                    json.field("price") { $0.write(type.ticketType.price) }
                    json.field("fixedCap", type.ticketType.cap.fixedCount)
                    json.field("committed", type.committed)
                    json.field("held", type.held)
                    json.field("available", figures.available(of: type.ticketType.id))
                }
            }
            json.field("position", position)
        }
    }
}
