/// A currency, by its ISO 4217 code.
public enum Currency: String, Sendable, CaseIterable {
    case usd = "USD"
}

/// An amount in minor units (cents) of one currency; never a fraction, never floating point.
public struct Money: Hashable, Sendable {
    public let minorUnits: Int
    public let currency: Currency

    /// The largest price, tip or total anyone may name: a million units of the currency.
    public static let minorUnitsLimit = 100_000_000

    public init(minorUnits: Int, currency: Currency = .usd) {
        self.minorUnits = minorUnits
        self.currency = currency
    }

    public static let zero = Money(minorUnits: 0)

    public static func + (left: Money, right: Money) -> Money {
        precondition(left.currency == right.currency, "amounts of two currencies added up")
        return Money(minorUnits: left.minorUnits + right.minorUnits, currency: left.currency)
    }

    public static func - (left: Money, right: Money) -> Money {
        left + Money(minorUnits: -right.minorUnits, currency: right.currency)
    }

    public static func * (left: Money, count: Int) -> Money {
        Money(minorUnits: left.minorUnits * count, currency: left.currency)
    }

    /// Splits a non-negative amount in proportion to `weights`, which are not negative, to the last
    /// minor unit: the parts add up to it. Nothing is given where all weights are zero.
    public func split(by weights: [Int]) -> [Money] {
        let sum = weights.reduce(0, +)
        guard sum > 0 else { return weights.map { _ in Money(minorUnits: 0, currency: currency) } }
        var (passed, given) = (0, 0)
        return weights.map { weight in
            passed += weight
            // The product of two amounts may be more than 64 bits hold.
            let product = minorUnits.multipliedFullWidth(by: passed)
            let upTo = sum.dividingFullWidth(product).quotient
            defer { given = upTo }
            return Money(minorUnits: upTo - given, currency: currency)
        }
    }
}

extension Money: CustomStringConvertible {
    public var description: String {
        let cents = minorUnits.magnitude % 100
        let sign = minorUnits < 0 ? "-" : ""
        return
            "\(sign)\(minorUnits.magnitude / 100).\(cents < 10 ? "0" : "")\(cents) \(currency.rawValue)"
    }
}

/// A share in hundredths of a percent: 825 is 8.25 %.
public struct BasisPoints: Hashable, Sendable {
    public let count: Int

    /// nil outside 0 to 10,000 (100 %).
    public init?(_ count: Int) {
        guard (0...10_000).contains(count) else { return nil }
        self.count = count
    }

    /// This share of a non-negative amount, rounded half up to a whole minor unit.
    public func share(of amount: Money) -> Money {
        Money(minorUnits: (amount.minorUnits * count + 5_000) / 10_000, currency: amount.currency)
    }
}
