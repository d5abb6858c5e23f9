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

    /// Types that one sailing may have.
    public static let countLimit = 20

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

extension [TicketType] {
    /// What becomes of a sailing's types with an event about one of them.
    public func evolved(by event: Event) -> [TicketType] {
        var types = self
        func change(_ id: TicketTypeID, _ change: (inout TicketType) -> Void) {
            guard let index = types.firstIndex(where: { $0.id == id }) else { return }
            change(&types[index])
        }
        switch event {
        case .ticketTypeDefined(let fact): types.append(fact.ticketType)
        case .ticketTypeRepriced(let fact): change(fact.ticketType) { $0.price = fact.value }
        case .ticketTypeCapped(let fact): change(fact.ticketType) { $0.cap = fact.value }
        case .ticketTypeRelabelled(let fact): change(fact.ticketType) { $0.label = fact.value }
        case .ticketTypeWithdrawn(let fact): types.removeAll { $0.id == fact.ticketType }
        default: break
        }
        return types
    }
}
