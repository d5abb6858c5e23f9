/// The server's arithmetic for an order; the only source of any total.
///
/// `total` = sum of lines + taxes + tip - waived.
public struct Quote: Hashable, Sendable {
    public struct Line: Hashable, Sendable {
        public var trip: TripID
        public var sailing: SailingID
        public var ticketType: TicketTypeID
        /// The label at the time of the sale; a later relabelling does not rewrite it.
        public var label: String
        public var quantity: Int
        public var unitPrice: Money

        public init(
            trip: TripID, sailing: SailingID, ticketType: TicketTypeID, label: String,
            quantity: Int, unitPrice: Money
        ) {
            self.trip = trip
            self.sailing = sailing
            self.ticketType = ticketType
            self.label = label
            self.quantity = quantity
            self.unitPrice = unitPrice
        }

        public var amount: Money { unitPrice * quantity }
    }

    /// The tax of one jurisdiction on the lines that it taxes.
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

    public var lines: [Line]
    public var taxes: [Tax]
    public var subtotal: Money
    public var tip: Money
    public var waived: Money
    public var total: Money

    /// Reads a quote back as it was stored; nothing is calculated again.
    public init(
        lines: [Line], taxes: [Tax], subtotal: Money, tip: Money, waived: Money, total: Money
    ) {
        self.lines = lines
        self.taxes = taxes
        self.subtotal = subtotal
        self.tip = tip
        self.waived = waived
        self.total = total
    }

    /// Calculates: each jurisdiction's tax once over its lines, rounded half up.
    public init(lines: [(line: Line, jurisdiction: JurisdictionID, rate: BasisPoints)], tip: Money)
    {
        var taxes: [Tax] = []
        for (line, jurisdiction, rate) in lines {
            if let index = taxes.firstIndex(where: { $0.jurisdiction == jurisdiction }) {
                taxes[index].taxable = taxes[index].taxable + line.amount
            } else {
                taxes.append(
                    Tax(jurisdiction: jurisdiction, rate: rate, taxable: line.amount, amount: .zero)
                )
            }
        }
        for index in taxes.indices {
            taxes[index].amount = taxes[index].rate.share(of: taxes[index].taxable)
        }
        self.lines = lines.map(\.line)
        self.taxes = taxes
        subtotal = self.lines.reduce(.zero) { $0 + $1.amount }
        self.tip = tip
        let sum = taxes.reduce(subtotal + tip) { $0 + $1.amount }
        waived = sum.minorUnits < Self.smallestCharge.minorUnits ? sum : .zero
        total = sum - waived
    }

    public var seats: [SeatLine] {
        lines.map {
            SeatLine(sailing: $0.sailing, ticketType: $0.ticketType, quantity: $0.quantity)
        }
    }

    /// The sailings of the lines, each once, in the order of the lines.
    public var sailings: [SailingID] { seats.sailings }
}

extension [SeatLine] {
    /// The sailings of the lines, each once, in the order of the lines.
    public var sailings: [SailingID] { map(\.sailing).unique }

    public var seatCount: Int { reduce(0) { $0 + $1.quantity } }
}
