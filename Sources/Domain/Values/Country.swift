/// A country by its two letters (ISO 3166-1 alpha-2), such as `US`; which of them exist is not checked.
public struct Country: Hashable, Sendable, CustomStringConvertible {
    public let code: String

    public static let unitedStates = Country(known: "US")

    /// Nil unless it is two letters from A to Z.
    public init?(_ code: String) {
        guard code.utf8.count == 2, code.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
            return nil
        }
        self.code = code
    }

    private init(known code: String) {
        self.code = code
    }

    public var description: String { code }
}
