internal import Domain
internal import Postgres

extension PostgresUUID {
    init<K>(_ id: ID<K>) {
        self.init(high: id.entity.high, low: id.entity.low)
    }
}

extension PostgresValue {
    static func id<K>(_ id: ID<K>) -> PostgresValue { .uuid(PostgresUUID(id)) }
    static func instant(_ instant: Instant) -> PostgresValue { .timestamp(instant.microseconds) }
}

extension PostgresFields {
    mutating func append<K>(_ id: ID<K>) { append(PostgresUUID(id)) }

    mutating func append(_ instant: Instant) { append(timestamp: instant.microseconds) }

    mutating func append(_ instant: Instant?) {
        if let instant { append(instant) } else { appendNull() }
    }

    mutating func append(_ number: Int?) {
        if let number { append(number) } else { appendNull() }
    }

    /// The name of one of our own cases.
    mutating func append(_ choice: some RawRepresentable<String>) { append(choice.rawValue) }
}

extension Rows {
    func id<K>(_ row: Int, _ column: Int, _ kind: K.Type = K.self) -> ID<K> {
        let uuid = uuid(row, column)
        return ID(EntityID(high: uuid.high, low: uuid.low))
    }

    func instant(_ row: Int, _ column: Int) -> Instant {
        Instant(microseconds: timestamp(row, column))
    }

    func optionalInstant(_ row: Int, _ column: Int) -> Instant? {
        optionalTimestamp(row, column).map(Instant.init(microseconds:))
    }

    /// A column that holds the name of one of our own cases.
    func choice<Choice: RawRepresentable>(
        _ row: Int, _ column: Int, _ type: Choice.Type = Choice.self
    ) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: text(row, column)) else {
            preconditionFailure("a read model holds '\(text(row, column))' as \(Choice.self)")
        }
        return choice
    }
}
