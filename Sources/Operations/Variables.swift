internal import Postgres

/// The environment's variables, each read as what it has to be: the sentence that is thrown names the variable. One
/// that is empty is as one that is not set.
struct Variables {
    let values: [String: String]

    func text(_ name: String) -> String? {
        values[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    func number(
        _ name: String, _ standard: Int, in range: ClosedRange<Int>
    ) throws(OperationError) -> Int {
        guard let text = text(name) else { return standard }
        guard let number = Int(text), range.contains(number) else {
            throw OperationError(
                "\(name) is '\(text)', and must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    func url(_ name: String, _ schemes: [String]) throws(OperationError) -> String? {
        guard let text = text(name) else { return nil }
        guard schemes.contains(where: { text.hasPrefix($0 + "://") }) else {
            throw OperationError(
                "\(name) must begin with \(schemes.map { $0 + "://" }.joined(separator: " or "))"
            )
        }
        guard !schemes.contains("postgresql") || PostgresConfiguration.isReadable(url: text)
        else {
            throw OperationError(
                "\(name) can't be read: it must be as postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with what else than letters and digits is in a password as %XX"
            )
        }
        return text
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _ standard: Choice
    ) throws(OperationError) -> Choice where Choice.RawValue == String {
        guard let text = text(name) else { return standard }
        guard let choice = Choice(rawValue: text) else {
            let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw OperationError("\(name) is '\(text)', and must be one of \(names)")
        }
        return choice
    }
}
