/// What one seat costs on a sailing. Labels change, ids never.
public struct TicketType: Hashable, Sendable {
    /// How many of a type may be sold.
    public enum Cap: Hashable, Sendable {
        /// As many as the sailing has.
        case shared
        /// At most so many; 0 means none for sale.
        case fixed(Int)

        /// What of `available` seats of the sailing is left to a type of which `used` are taken.
        public func available(of available: Int, used: Int) -> Int {
            switch self {
            case .shared: available
            case .fixed(let count): max(0, min(available, count - used))
            }
        }
    }

    public var id: TicketTypeID
    public var label: String
    public var price: Money
    public var cap: Cap

    public init(id: TicketTypeID, label: String, price: Money, cap: Cap) {
        self.id = id
        self.label = label
        self.price = price
        self.cap = cap
    }
}
