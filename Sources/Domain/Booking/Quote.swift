/// The server's arithmetic for an order; the only source of any total.
///
/// `total` = sum of lines and merchandise - discount + taxes + tip - waived.
public struct Quote: Hashable, Sendable {
    public struct Line: Hashable, Sendable {
        public var trip: TripID
        public var sailing: SailingID
        public var ticketType: TicketTypeID
        /// The label at the time of the sale; a later relabelling does not rewrite it.
        public var label: String
        /// A number for each person, of his own in the booking and for as long as he is in it, whichever
        /// line he is moved to.
        public var passengers: [Int]
        public var unitPrice: Money
        /// The line's part of the order's discount.
        public var discount: Money

        public init(
            trip: TripID, sailing: SailingID, ticketType: TicketTypeID, label: String,
            passengers: [Int], unitPrice: Money, discount: Money = .zero
        ) {
            self.trip = trip
            self.sailing = sailing
            self.ticketType = ticketType
            self.label = label
            self.passengers = passengers
            self.unitPrice = unitPrice
            self.discount = discount
        }

        public var quantity: Int { passengers.count }
        public var amount: Money { unitPrice * quantity }
    }

    /// Merchandise, as it was called and priced at the time of the sale.
    public struct Goods: Hashable, Sendable {
        public var trip: TripID
        public var offer: OfferID
        public var variation: VariationID
        public var label: String
        public var quantity: Int
        public var unitPrice: Money
        /// The line's part of the order's discount.
        public var discount: Money

        public init(
            trip: TripID, offer: OfferID, variation: VariationID, label: String, quantity: Int,
            unitPrice: Money, discount: Money = .zero
        ) {
            self.trip = trip
            self.offer = offer
            self.variation = variation
            self.label = label
            self.quantity = quantity
            self.unitPrice = unitPrice
            self.discount = discount
        }

        public var amount: Money { unitPrice * quantity }

        public var line: MerchandiseLine {
            MerchandiseLine(offer: offer, variation: variation, quantity: quantity)
        }
    }

    /// So many of something, under the name at which it was sold.
    public struct Portion: Hashable, Sendable {
        public var label: String
        public var quantity: Int

        public init(label: String, quantity: Int) {
            self.label = label
            self.quantity = quantity
        }
    }

    /// The tax of one jurisdiction on the lines that it taxes, less their part of the discount.
    public struct Tax: Hashable, Sendable {
        public var jurisdiction: JurisdictionID
        public var rate: BasisPoints
        public var taxable: Money
        public var amount: Money

        public init(
            jurisdiction: JurisdictionID, rate: BasisPoints, taxable: Money, amount: Money
        ) {
            self.jurisdiction = jurisdiction
            self.rate = rate
            self.taxable = taxable
            self.amount = amount
        }
    }

    /// A total below this, but above nothing, cannot be charged and is waived.
    public static let smallestCharge = Money(minorUnits: 50)

    /// What is asked for of what is due: nothing, where that is too little to be charged.
    public static func chargeable(_ due: Money) -> Money {
        (1..<smallestCharge.minorUnits).contains(due.minorUnits)
            ? Money(minorUnits: 0, currency: due.currency) : due
    }

    public var lines: [Line]
    public var merchandise: [Goods]
    public var taxes: [Tax]
    public var subtotal: Money
    public var discount: Money
    /// The codes that had an effect.
    public var codes: [CodeUse]
    public var tip: Money
    public var waived: Money
    public var total: Money

    /// Reads a quote back as it was stored; nothing is calculated again.
    public init(
        lines: [Line], merchandise: [Goods], taxes: [Tax], subtotal: Money, discount: Money,
        codes: [CodeUse], tip: Money, waived: Money, total: Money
    ) {
        self.lines = lines
        self.merchandise = merchandise
        self.taxes = taxes
        self.subtotal = subtotal
        self.discount = discount
        self.codes = codes
        self.tip = tip
        self.waived = waived
        self.total = total
    }

    /// Seats or merchandise, with all that their price is calculated from.
    public struct Item: Sendable {
        enum Content: Sendable {
            case seats(Line)
            case goods(Goods)
        }

        var content: Content
        public var jurisdiction: JurisdictionID
        public var rate: BasisPoints
        /// Whether the order's discount is one on this too.
        public var isDiscounted: Bool

        public init(
            _ line: Line, jurisdiction: JurisdictionID, rate: BasisPoints,
            isDiscounted: Bool = false
        ) {
            content = .seats(line)
            self.jurisdiction = jurisdiction
            self.rate = rate
            self.isDiscounted = isDiscounted
        }

        public init(
            _ goods: Goods, jurisdiction: JurisdictionID, rate: BasisPoints,
            isDiscounted: Bool = false
        ) {
            content = .goods(goods)
            self.jurisdiction = jurisdiction
            self.rate = rate
            self.isDiscounted = isDiscounted
        }

        public var amount: Money {
            switch content {
            case .seats(let line): line.amount
            case .goods(let goods): goods.amount
            }
        }

        /// Its part of the order's discount.
        var discount: Money {
            get {
                switch content {
                case .seats(let line): line.discount
                case .goods(let goods): goods.discount
                }
            }
            set {
                switch content {
                case .seats(var line):
                    line.discount = newValue
                    content = .seats(line)
                case .goods(var goods):
                    goods.discount = newValue
                    content = .goods(goods)
                }
            }
        }

        var line: Line? { if case .seats(let line) = content { line } else { nil } }
        var goods: Goods? { if case .goods(let goods) = content { goods } else { nil } }
    }

    /// Calculates an order: the discount is spread over the lines that it is on by what they cost, and
    /// the passengers are numbered through.
    ///
    /// The uses of `codes` make up the discount; it must not be more than the lines that it is on.
    public init(_ items: [Item], codes: [CodeUse] = [], tip: Money) {
        let discount = codes.reduce(Money.zero) { $0 + $1.discount }
        var items = items
        if discount.minorUnits > 0 { items.spread(discount) }
        self.init(discounted: items, codes: codes, tip: tip)
        lines.numberThrough()
    }

    /// Calculates from items that have their parts of the discount: each jurisdiction's tax is taken once
    /// over what is left of its lines, rounded half up.
    init(discounted items: [Item], codes: [CodeUse], tip: Money) {
        var taxes: [Tax] = []
        for item in items {
            let taxable = item.amount - item.discount
            if let index = taxes.firstIndex(where: { $0.jurisdiction == item.jurisdiction }) {
                taxes[index].taxable = taxes[index].taxable + taxable
            } else {
                taxes.append(
                    Tax(
                        jurisdiction: item.jurisdiction, rate: item.rate, taxable: taxable,
                        amount: .zero))
            }
        }
        for index in taxes.indices {
            taxes[index].amount = taxes[index].rate.share(of: taxes[index].taxable)
        }
        lines = items.compactMap(\.line)
        merchandise = items.compactMap(\.goods)
        self.taxes = taxes
        subtotal = items.reduce(.zero) { $0 + $1.amount }
        discount = items.reduce(.zero) { $0 + $1.discount }
        self.codes = codes
        self.tip = tip
        let sum = taxes.reduce(subtotal - discount + tip) { $0 + $1.amount }
        waived = sum.minorUnits < Self.smallestCharge.minorUnits ? sum : .zero
        total = sum - waived
    }

    public var holdings: Holdings {
        Holdings(seats: seats, codes: codes, merchandise: merchandise.map(\.line))
    }

    public var seats: [SeatLine] {
        lines.map {
            SeatLine(sailing: $0.sailing, ticketType: $0.ticketType, quantity: $0.quantity)
        }
    }

    /// The sailings of the lines, each once, in the order of the lines.
    public var sailings: [SailingID] { seats.sailings }

    /// The numbers of the passengers on `sailing`, in order.
    public func passengers(on sailing: SailingID) -> [Int] {
        lines.filter { $0.sailing == sailing }.flatMap(\.passengers).sorted()
    }
}

extension [Quote.Item] {
    /// Spreads a discount over the items that it is on, by what they cost.
    mutating func spread(_ discount: Money) {
        let shares = discount.split(by: map { $0.isDiscounted ? $0.amount.minorUnits : 0 })
        for (index, share) in shares.enumerated() { self[index].discount = share }
    }
}

extension [Quote.Line] {
    /// Whether the passengers are numbered from 1 through all lines, in order.
    public var isNumberedThrough: Bool {
        var next = 1
        for line in self {
            for number in line.passengers {
                guard number == next else { return false }
                next += 1
            }
        }
        return true
    }

    /// Numbers the passengers so.
    public mutating func numberThrough() {
        var next = 1
        for index in indices {
            let count = self[index].quantity
            self[index].passengers = [Int](next..<next + count)
            next += count
        }
    }
}

extension [SeatLine] {
    /// The sailings of the lines, each once, in the order of the lines.
    public var sailings: [SailingID] { map(\.sailing).unique }

    public var seatCount: Int { reduce(0) { $0 + $1.quantity } }
}

extension Quote {
    /// Refuses what comes to more than anybody takes in one piece: it would be charged, and the message of it not
    /// understood.
    func checkTotal() throws(Refusal) {
        let limit = Money(minorUnits: Money.minorUnitsLimit)
        guard total.minorUnits <= limit.minorUnits else {
            throw .invalid(
                field: "lines", reason: "come to \(total), and one order may come to \(limit)")
        }
    }
}
