public import Domain
public import Postgres
internal import ProjectionEngine

/// A variation with the name of the thing that it is one of.
public struct StockView: Sendable {
    public var variation: VariationID
    public var row: MerchandiseStock.Row
    public var name: String
}

extension MerchandiseStock {
    private static let selection = """
        SELECT \((table.key + table.columns).map { "s.\($0.name)" }.joined(separator: ", ")), m.name
        FROM reading.merchandise_stock s
        JOIN reading.catalogue_entry m ON m.entity = s.merchandise
        """

    /// Variations by name and label, a page after `after`.
    public static func all(after: (name: String, variation: VariationID)?, limit: Int)
        -> PostgresCall
    {
        PostgresCall(
            """
            \(selection) WHERE (m.name, s.variation) > ($1::text, $2::uuid)
            ORDER BY m.name, s.variation LIMIT $3::bigint
            """,
            [
                .text(after?.name ?? ""),
                .uuid(after.map { PostgresUUID($0.variation) } ?? PostgresUUID(high: 0, low: 0)),
                .int64(Int64(limit)),
            ])
    }

    public static func views(_ rows: Rows) -> [StockView] {
        (0..<rows.count).map { index in
            let (variation, row) = read(rows, index)
            return StockView(variation: variation, row: row, name: rows.text(index, 11))
        }
    }
}
