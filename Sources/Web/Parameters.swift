public import Domain
internal import EventCodec
internal import HTTPTypes
public import Hummingbird
public import JSON

extension BasicRequestContext {
    /// An id in the path; anything else there names no resource.
    public func id<K>(_ name: String, _ kind: K.Type = K.self) throws(Problem) -> ID<K> {
        guard let text = parameters.get(name), let id = EntityID(text) else {
            throw .notFound(name)
        }
        return ID(id)
    }
}

extension Request {
    /// The key under which a command takes effect once.
    public func idempotencyKey() throws(Problem) -> EntityID {
        guard let text = headers[.idempotencyKey] else {
            throw .malformed(field: "Idempotency-Key", "is missing: draw a UUID for each new order")
        }
        guard let key = EntityID(text) else {
            throw .malformed(field: "Idempotency-Key", "must be a UUID")
        }
        return key
    }

    /// A parameter of the query; throws when it is there twice.
    public func query(_ name: String) throws(Problem) -> String? {
        let values = uri.queryParameters.getAll(name)
        guard values.count < 2 else { throw .malformed(field: name, "is there twice") }
        return values.first.map { String($0) }
    }

    /// A whole number of the query within a range.
    public func query(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = try query(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .malformed(
                field: name,
                "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// Refuses parameters of other names.
    public func allowQuery(only names: String...) throws(Problem) {
        for (name, _) in uri.queryParameters {
            guard names.contains(String(name)) else {
                throw .malformed(
                    field: String(name),
                    "is not a parameter here; there are \(names.joined(separator: ", "))")
            }
        }
    }
}

extension JSONValue {
    /// A text of some kind: not blank, not too long, no control characters.
    public func text(_ kind: Text) throws(JSONError) -> String {
        let text = try string()
        if let fault = kind.fault(in: text) { throw self.fault(fault) }
        return text
    }

    public func integer(in range: ClosedRange<Int>) throws(JSONError) -> Int {
        let number = try integer()
        guard range.contains(number) else {
            throw fault("must be \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// `{"amount": 12900, "currency": "USD"}`, not negative.
    public func money() throws(JSONError) -> Money {
        let json = try object()
        try json.allow(only: ["amount", "currency"])
        return Money(
            minorUnits: try json["amount"].integer(in: 0...Money.minorUnitsLimit),
            currency: try json["currency"].choice())
    }
}

/// Runs a reading of a body, and turns what is wrong with it into a problem.
public func reading<Value>(_ read: () throws(JSONError) -> Value) throws(Problem) -> Value {
    do throws(JSONError) {
        return try read()
    } catch {
        throw .malformed(field: error.path, error.reason)
    }
}

extension JSONWriter {
    /// The members of a quote, as answers show it.
    public mutating func write(_ quote: Quote) {
        field("lines", quote.lines) { json, line in
            json.object { json in
                json.field("trip", line.trip)
                json.field("sailing", line.sailing)
                json.field("ticketType", line.ticketType)
                json.field("label", line.label)
                json.field("quantity", line.quantity)
                json.field("unitPrice") { $0.write(line.unitPrice) }
                json.field("amount") { $0.write(line.amount) }
            }
        }
        field("subtotal") { $0.write(quote.subtotal) }
        field("taxes", quote.taxes) { json, tax in
            json.object { json in
                json.field("jurisdiction", tax.jurisdiction)
                json.field("rateBasisPoints", tax.rate.count)
                json.field("taxable") { $0.write(tax.taxable) }
                json.field("amount") { $0.write(tax.amount) }
            }
        }
        field("tip") { $0.write(quote.tip) }
        field("waived") { $0.write(quote.waived) }
        field("total") { $0.write(quote.total) }
    }
}
