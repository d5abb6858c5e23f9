public import Logging

/// Measures the whole system side by side with what it could be compared to.
public func bench(
    runs: Int, isQuick: Bool, _ settings: Settings, logger: Logger
) async throws {
    throw OperationError("not yet")
}
