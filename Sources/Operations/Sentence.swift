internal import Bus
internal import CommandAPI
internal import Commands
internal import Foundation
internal import Postgres
internal import Web

/// What a verb says when it could not do its work: what went wrong, and what can be done about it.
public func sentence(for error: any Error) -> String {
    if let error = error as? CommandError { return sentence(for: error) }
    if let error = error as? BusError { return sentence(for: error) }
    if let error = error as? CocoaError { return sentence(for: error) }
    guard let error = error as? PostgresError else { return "\(error)" }
    return sentence(for: error, at: "DATABASE_URL")
}

/// The same for a PostgreSQL that `name` names.
func sentence(for error: PostgresError, at name: String) -> String {
    switch error.kind {
    case .unreachable, .connectionLost:
        // It answers, and refuses: a password, a role or a database.
        if error.message.contains("FATAL: ") {
            "PostgreSQL lets nobody in: \(words(of: error)): see \(name)"
        } else {
            "PostgreSQL can't be reached: \(words(of: error)): does it run, and does \(name) name it?"
        }
    case .other(sqlState: "42P01"), .other(sqlState: "3F000"), .other(sqlState: "42883"):
        "the database lacks what this program needs: \(error). Run 'quartermaster migrate'"
    default: "\(error)"
    }
}

/// What libpq says, without its own question, in one line.
private func words(of error: PostgresError) -> String {
    error.message.split(separator: "\n").map { String($0).withoutBlanksAround }
        .filter { !$0.hasSuffix("?") }.joined(separator: "; ")
}

/// What a file could not be used for, and which.
private func sentence(for error: CocoaError) -> String {
    let path = (error.userInfo[NSFilePathErrorKey] as? String).map { " (\($0))" } ?? ""
    return error.localizedDescription.trimmingCharacters(in: ["."]) + path
}

private func sentence(for error: BusError) -> String {
    switch error.kind {
    case .unreachable, .closed, .timedOut:
        "NATS can't be reached: \(error). Does it run, and does NATS_URL name it?"
    case .notFound:
        "NATS has no such stream: nobody has published to it, or it was deleted (\(error))"
    case .wrongLastSequence, .other: "\(error)"
    }
}

private func sentence(for error: CommandError) -> String {
    switch error {
    case .refused: "it was refused: \(problem(for: error).detail)"
    case .keyReused: "it was done before, with other values"
    case .overloaded: "too many requests are waiting: try again"
    case .conflicting:
        "others append what it rests on, again and again; where nobody does, the log is not sound: "
            + "'quartermaster verify --log-only' says so"
    case .claimTaken: "what was drawn for it somebody has: try again"
    case .unavailable(isOutcomeUnknown: true):
        "the log can't be reached, and it may have taken effect: look before it is asked for again"
    case .unavailable(isOutcomeUnknown: false): "the log can't be written now: nothing was done"
    case .fault(let reason): "the log refused it: \(reason)"
    }
}
