public import Domain
public import Postgres
internal import ProjectionEngine

extension CatalogueEntries {
    public static func one(_ entity: EntityID) -> PostgresCall {
        let columns = (table.key + table.columns).map(\.name).joined(separator: ", ")
        return PostgresCall(
            "SELECT \(columns) FROM reading.catalogue_entry WHERE entity = $1::uuid",
            [.uuid(PostgresUUID(high: entity.high, low: entity.low))])
    }
}
