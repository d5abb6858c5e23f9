public import Domain
public import Postgres
internal import ProjectionEngine

extension CodeUsage {
    /// Codes by kind and text, a page after `after`; of one kind where one is named.
    public static func all(of kind: CodeKind?, after: Key?, limit: Int) -> PostgresCall {
        PostgresCall(
            """
            SELECT \((table.key + table.columns).map(\.name).joined(separator: ", "))
            FROM reading.code_usage
            WHERE ($1::text IS NULL OR kind = $1::text) AND (kind, code) > ($2::text, $3::text)
            ORDER BY kind, code LIMIT $4::bigint
            """,
            [
                .optional(kind) { .text($0.rawValue) }, .text(after?.kind.rawValue ?? ""),
                .text(after?.text ?? ""), .int64(Int64(limit)),
            ])
    }

    public static func views(_ rows: Rows) -> [(key: Key, row: Row)] {
        (0..<rows.count).map { read(rows, $0) }
    }
}
