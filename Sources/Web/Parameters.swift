public import Domain
internal import EventCodec
internal import HTTPTypes
public import Hummingbird
internal import HummingbirdCore
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

/// What can be left out of the question whether a process is ready: a proxy that asks has nobody to send queries to
/// instead when a read model lags everywhere.
public enum ExcludedFromReadiness: String, CaseIterable, Sendable {
    case lag
}

extension Request {
    /// The key under which a command takes effect once. Those of version 8 are the program's own, made of what they are
    /// for: whoever took one before would keep that from happening.
    public func idempotencyKey() throws(Problem) -> EntityID {
        guard let text = headers[.idempotencyKey] else {
            throw .malformed(field: "Idempotency-Key", "is missing: draw a UUID for each new order")
        }
        guard let key = EntityID(text), !key.isMade, key != EntityID(high: 0, low: 0) else {
            throw .malformed(
                field: "Idempotency-Key", "must be a UUID, drawn at random (version 4 or 7)")
        }
        return key
    }

    /// A parameter of the query; throws when it is there twice.
    public func query(_ name: String) throws(Problem) -> String? {
        let values = uri.queryParameters.getAll(name)
        guard values.count < 2 else { throw .malformed(field: name, "is there twice") }
        guard let value = values.first else { return nil }
        // PostgreSQL's texts have none.
        guard !value.utf8.contains(0) else { throw .malformed(field: name, "has a NUL in it") }
        return String(value)
    }

    /// A text of the query as forms write it, with `+` for a space; source: URL Standard,
    /// "application/x-www-form-urlencoded parsing".
    public func text(_ name: String) throws(Problem) -> String? {
        let value = try query(name)
        guard let value, value.contains("+") else { return value }
        let form = URI("/?" + (uri.query ?? "").replacing("+", with: "%20"))
        return form.queryParameters.get(name)
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

    /// One of the names of a choice.
    public func query<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of type: Choice.Type
    ) throws(Problem) -> Choice? where Choice.RawValue == String {
        guard let text = try query(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw .malformed(field: name, "must be one of \(names)")
        }
        return choice
    }

    /// Some of the names of a choice, with commas between; none when it is not there.
    public func choices<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of type: Choice.Type
    ) throws(Problem) -> [Choice] where Choice.RawValue == String {
        var choices: [Choice] = []
        for part in try query(name)?.split(separator: ",") ?? [] {
            guard let choice = Choice(rawValue: String(part)) else {
                let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
                throw .malformed(field: name, "must be some of \(names), with commas between")
            }
            choices.append(choice)
        }
        return choices
    }

    /// What is left out of the question whether this process is ready.
    public func excludedFromReadiness() throws(Problem) -> ExcludedFromReadiness? {
        try query("exclude", of: ExcludedFromReadiness.self)
    }

    public func id<K>(_ name: String, _ kind: K.Type = K.self) throws(Problem) -> ID<K>? {
        guard let text = try query(name) else { return nil }
        guard let id = EntityID(text) else { throw .malformed(field: name, "must be a UUID") }
        return ID(id)
    }

    public func instant(_ name: String) throws(Problem) -> Instant? {
        guard let text = try query(name) else { return nil }
        guard let instant = Instant(text) else {
            throw .malformed(
                field: name, "must be a time with its zone, such as 2026-11-22T17:30:00Z")
        }
        return instant
    }

    /// Refuses parameters of other names.
    public func allowQuery(only names: String...) throws(Problem) {
        try allowQuery(only: names)
    }

    public func allowQuery(only names: [String]) throws(Problem) {
        for (name, _) in uri.queryParameters {
            guard names.contains(String(name)) else {
                throw .malformed(
                    field: String(name),
                    "is not a parameter here; there are \(names.joined(separator: ", "))")
            }
        }
    }
}

extension String {
    /// Without what nobody sees: people leave it behind a name.
    public var withoutBlanksAround: String {
        let start = drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
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
