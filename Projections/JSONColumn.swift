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

/// Reads what this program wrote into a table itself; anything else in there is a bug.
func trusted<Value>(_ read: () throws(JSONError) -> Value) -> Value {
    do throws(JSONError) {
        return try read()
    } catch {
        preconditionFailure("a read model holds a value that it can't have written: \(error)")
    }
}
