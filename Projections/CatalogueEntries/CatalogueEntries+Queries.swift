public import Domain
public import Postgres
internal import ProjectionEngine

extension CatalogueEntries {
    private static let columns = (table.key + table.columns).map(\.name).joined(separator: ", ")

    /// Things of one kind by name, archived or not, a page after `after`; of one parent, and with some letters in their
    /// name, where those are given.
    public static func all(
        _ kind: Kind, of parent: EntityID?, named text: String?,
        after: (name: String, entity: EntityID)?, limit: Int
    ) -> PostgresCall {
        let parent = parent.map { PostgresUUID(high: $0.high, low: $0.low) }
        let entity = after.map { PostgresUUID(high: $0.entity.high, low: $0.entity.low) }
        return PostgresCall(
            """
            SELECT \(columns) FROM reading.catalogue_entry
            WHERE kind = $1::text AND ($2::uuid IS NULL OR parent = $2::uuid)
                AND ($3::text IS NULL OR position(lower($3::text) IN lower(name)) > 0)
                AND (name, entity) > ($4::text, $5::uuid)
            ORDER BY name, entity LIMIT $6::bigint
            """,
            [
                .text(kind.rawValue), .optional(parent) { .uuid($0) },
                .optional(text) { .text($0) },
                .text(after?.name ?? ""), .uuid(entity ?? PostgresUUID(high: 0, low: 0)),
                .int64(Int64(limit)),
            ])
    }

    public static func entries(_ rows: Rows) -> [(entity: EntityID, row: Row)] {
        (0..<rows.count).map { index in
            let (entity, row) = read(rows, index)
            return (entity, row)
        }
    }

    public static func one(_ entity: EntityID) -> PostgresCall {
        PostgresCall(
            "SELECT \(columns) FROM reading.catalogue_entry WHERE entity = $1::uuid",
            [.uuid(PostgresUUID(high: entity.high, low: entity.low))])
    }
}
