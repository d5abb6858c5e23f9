public import Domain
public import JSON

extension JSONValue {
    public func id<K>(_ kind: K.Type = K.self) throws(JSONError) -> ID<K> {
        guard let id = withPlainString({ EntityID(utf8: $0) }) ?? nil else {
            throw fault("must be a UUID such as 0190b2a4-5c3e-7d2a-9f11-2b7c6d1e0f3a")
        }
        return ID(id)
    }

    /// An RFC 3339 instant; a time without a zone is refused.
    public func instant() throws(JSONError) -> Instant {
        var instant = withPlainString { Instant(utf8: $0) }
        // A string with escapes, such as \u002B for the sign of a zone, is not lent.
        if instant == nil { instant = Instant(try string()) }
        guard let instant = instant ?? nil else {
            throw fault("must be a time with its zone, such as 2026-11-22T17:30:00Z")
        }
        return instant
    }

    public func choice<Choice: RawRepresentable & CaseIterable>(
        of type: Choice.Type = Choice.self
    ) throws(JSONError) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: try string()) else {
            let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw fault("must be one of \(names)")
        }
        return choice
    }

    public func basisPoints() throws(JSONError) -> BasisPoints {
        guard let rate = BasisPoints(try integer()) else { throw fault("must be 0 to 10000") }
        return rate
    }

    public func list<Element>(
        _ read: (JSONValue) throws(JSONError) -> Element
    ) throws(JSONError) -> [Element] {
        var elements: [Element] = []
        for value in try array() { elements.append(try read(value)) }
        return elements
    }
}

extension JSONWriter {
    /// An object.
    public mutating func write(_ portion: Quote.Portion) {
        object { json in
            json.field("label", portion.label)
            json.field("quantity", portion.quantity)
        }
    }

    public mutating func value<K>(_ id: ID<K>) { value(id.entity) }

    public mutating func value(_ id: EntityID) { id.withUTF8 { value(plain: $0) } }

    public mutating func field<K>(_ name: StaticString, _ id: ID<K>?) {
        self.name(name)
        if let id { value(id) } else { null() }
    }

    public mutating func field(_ name: StaticString, _ instant: Instant?) {
        field(name, plain: instant?.utf8)
    }

    /// The members of an amount of money: minor units and currency.
    public mutating func write(_ money: Money) {
        field("amount", money.minorUnits)
        field("currency", money.currency.rawValue)
    }
}
