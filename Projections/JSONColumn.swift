internal import Domain
internal import EventCodec
internal import JSON
internal import Postgres

extension PostgresFields {
    /// A `json` column.
    mutating func append(json body: (inout JSONWriter) -> Void) {
        append(JSONWriter.write(body))
    }
}

extension Rows {
    /// A `json` column that this program wrote.
    func json(_ row: Int, _ column: Int) -> JSONValue {
        do throws(JSONError) {
            return try JSONDocument(bytes(row, column)).root
        } catch {
            preconditionFailure("a read model holds JSON that it can't have written: \(error)")
        }
    }
}

extension Rows {
    /// A `json` column with a list of ids.
    func ids<K>(_ row: Int, _ column: Int, _ kind: K.Type = K.self) -> [ID<K>] {
        trusted { () throws(JSONError) in
            try json(row, column).list { value throws(JSONError) in try value.id() }
        }
    }
}

/// Reads what this program wrote into a table itself; anything else in there is a bug.
func trusted<Value>(_ read: () throws(JSONError) -> Value) -> Value {
    do throws(JSONError) {
        return try read()
    } catch {
        preconditionFailure("a read model holds a value that it can't have written: \(error)")
    }
}
