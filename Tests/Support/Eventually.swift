public import Testing

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

extension Trait where Self == TimeLimitTrait {
    /// Ends a test that hangs. Tests that run side by side share two cores, and the time they wait
    /// for each other counts: the limit is far above what a slow machine needs for all of them.
    public static var endsWhenHung: Self { .timeLimit(.minutes(15)) }
}
