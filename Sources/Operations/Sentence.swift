internal import Postgres

/// What a verb says when it could not do its work: what went wrong, and what can be done about it.
public func sentence(for error: any Error) -> String {
    guard let error = error as? PostgresError else { return "\(error)" }
    return switch error.kind {
    case .unreachable, .connectionLost:
        "PostgreSQL can't be reached: \(error). Does it run, and does DATABASE_URL name it?"
    case .other(sqlState: "42P01"), .other(sqlState: "3F000"), .other(sqlState: "42883"):
        "the database lacks what this program needs: \(error). Run 'quartermaster migrate'"
    default: "\(error)"
    }
}
