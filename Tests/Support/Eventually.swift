/// Something did not come to pass in time.
public struct NotInTime: Error, CustomStringConvertible {
    public let description: String
}

/// Looks again and again until `condition` holds; throws when it does not within `limit`.
public func eventually(
    _ what: String, within limit: Duration = .seconds(90), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    var last: (any Error)?
    while ContinuousClock.now < deadline {
        do {
            if try await condition() { return }
        } catch {
            last = error
        }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw NotInTime(
        description: "not within \(limit): \(what)\(last.map { " (\($0))" } ?? "")")
}
