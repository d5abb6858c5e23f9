public import Domain
public import Postgres
internal import ProjectionEngine

/// A trip as the public sees it: its own terms, and the names of what it belongs to.
public struct TripView: Sendable {
    public var trip: TripsOnSale.Row
    public var missionName: String
    public var launchName: String
    public var locationName: String
    public var timeZone: String
    public var liftOff: Instant
    /// Whether it, or what it belongs to, is taken down or not in use.
    public var isArchived: Bool
    public var isActive: Bool
    /// The position of the trip's own last event.
    public var version: Int64
}

extension TripsOnSale {
    private static let columns =
        table.key.map { "t.\($0.name)" }
        + table.columns.map { "t.\($0.name)" }

    private static let selection = """
        SELECT \(columns.joined(separator: ", ")), mission.name, launch.name, location.name,
               location.time_zone, launch.lift_off, t.position,
               t.is_archived OR mission.is_archived OR launch.is_archived,
               t.is_active AND mission.is_active
        FROM reading.trip_on_sale t
        JOIN reading.catalogue_entry mission ON mission.entity = t.mission
        JOIN reading.catalogue_entry launch ON launch.entity = t.launch
        JOIN reading.catalogue_entry location ON location.entity = t.location
        """

    /// Listed trips that have not departed at `now` and that the public may see, by departure.
    ///
    /// A page begins after the trip `after`, at its departure; early birds and later openings are
    /// shown, so that people know when to come back.
    public static func upcoming(
        at now: Instant, after: (departure: Instant, trip: TripID)?, limit: Int
    ) -> PostgresCall {
        PostgresCall(
            """
            \(selection)
            WHERE t.is_listed AND t.is_active AND NOT t.is_archived AND t.departs_at > $1::timestamptz
                AND mission.is_active AND NOT mission.is_archived AND NOT launch.is_archived
                AND (t.sale_mode <> 'private' OR t.sales_open_at IS NOT NULL)
                AND (t.departs_at, t.trip) > ($2::timestamptz, $3::uuid)
            ORDER BY t.departs_at, t.trip LIMIT $4::bigint
            """,
            [
                .instant(now), .instant(after?.departure ?? now),
                .uuid(after.map { PostgresUUID($0.trip) } ?? PostgresUUID(high: 0, low: 0)),
                .int64(Int64(limit)),
            ])
    }

    /// All trips that depart after `start`, on sale or not, by departure, a page after `after`.
    public static func all(
        from start: Instant, after: (departure: Instant, trip: TripID)?, limit: Int
    ) -> PostgresCall {
        PostgresCall(
            """
            \(selection)
            WHERE (t.departs_at, t.trip) > ($1::timestamptz, $2::uuid)
            ORDER BY t.departs_at, t.trip LIMIT $3::bigint
            """,
            [
                .instant(after?.departure ?? start),
                .uuid(after.map { PostgresUUID($0.trip) } ?? PostgresUUID(high: 0, low: 0)),
                .int64(Int64(limit)),
            ])
    }

    /// One trip, listed or not: its link is enough to see it.
    public static func one(_ trip: TripID) -> PostgresCall {
        PostgresCall("\(selection) WHERE t.trip = $1::uuid", [.id(trip)])
    }

    public static func views(_ rows: Rows) -> [TripView] {
        let first = columns.count
        return (0..<rows.count).map { index in
            TripView(
                trip: read(rows, index).row, missionName: rows.text(index, first),
                launchName: rows.text(index, first + 1), locationName: rows.text(index, first + 2),
                timeZone: rows.text(index, first + 3), liftOff: rows.instant(index, first + 4),
                isArchived: rows.bool(index, first + 6), isActive: rows.bool(index, first + 7),
                version: Int64(rows.integer(index, first + 5)))
        }
    }
}
