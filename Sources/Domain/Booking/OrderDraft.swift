/// Where passengers are: a ticket type of a sailing.
public struct Place: Hashable, Sendable {
    public var sailing: SailingID
    public var ticketType: TicketTypeID

    public init(sailing: SailingID, ticketType: TicketTypeID) {
        self.sailing = sailing
        self.ticketType = ticketType
    }
}

/// One thing that is changed about what a booking holds.
public enum OrderChange: Hashable, Sendable {
    /// So many passengers from now on; none takes the place off the booking.
    case seats(Place, quantity: Int)
    /// So many of what is offered from now on.
    case merchandise(OfferID, quantity: Int)
    /// All passengers of one place, or so many of them, go to another; each keeps his number.
    case move(from: Place, to: Place, quantity: Int?)
}

extension [OrderChange] {
    /// Throws where one thing is to be so many in two ways: each says how many there are to be, and not how many more.
    func checkEachOnce() throws(Refusal) {
        var places: Set<Place> = []
        var offers: Set<OfferID> = []
        for change in self {
            switch change {
            case .seats(let place, _) where !places.insert(place).inserted:
                throw .invalid(
                    field: "seats", reason: "names one ticket type of a sailing twice")
            case .merchandise(let offer, _) where !offers.insert(offer).inserted:
                throw .invalid(field: "merchandise", reason: "names one offer twice")
            case .seats, .merchandise, .move: break
            }
        }
    }
}

/// What prices a changed booking has.
public enum ChangePricing: String, Sendable, CaseIterable {
    /// Those that the customer bought at; what is new costs what it costs now.
    case kept
    /// Those of now.
    case current
}

/// A booking's order while it is changed.
struct OrderDraft {
    private(set) var lines: [Quote.Line]
    private(set) var goods: [Quote.Goods]
    private let aboard: Set<Int>
    /// What the customer has in his hands stays what it was.
    private let handedOver: Set<OfferID>
    private var lastPassenger: Int
    /// Where the boats of its passengers were taxed, by their numbers.
    private let jurisdictions: [Int: JurisdictionID]
    /// Where the passengers of a trip went first: merchandise follows them.
    private var followed: [TripID: TripID] = [:]

    /// Moves that have been made.
    private var moveCount = 0

    init(_ life: BookingLife, _ placed: BookingPlaced, in world: borrowing World) {
        var jurisdictions: [Int: JurisdictionID] = [:]
        for number in placed.quote.lines.flatMap(\.passengers) {
            guard let sailing = life.pricedAt[number] else { continue }
            jurisdictions[number] = Self.jurisdiction(of: sailing, in: world)
        }
        self.jurisdictions = jurisdictions
        lines = placed.quote.lines
        goods = placed.quote.merchandise
        aboard = life.aboard
        handedOver = Set(life.handedOver.counts.keys)
        lastPassenger = life.lastPassenger
    }

    mutating func apply(_ change: OrderChange, in world: borrowing World) throws(Refusal) {
        switch change {
        case .seats(let place, let quantity): try setSeats(at: place, to: quantity, in: world)
        case .merchandise(let offer, let quantity):
            try setGoods(offer, to: quantity, in: world)
        case .move(let from, let to, let quantity):
            try move(from, to, quantity, in: world)
            moveCount += 1
        }
        lines.removeAll { $0.passengers.isEmpty }
        goods.removeAll { $0.quantity == 0 }
    }

    /// Merchandise is sold with the seats of its trip: it goes where they went, and is what that trip offers of it, where
    /// it does.
    mutating func followSeats(in world: borrowing World) throws(Refusal) {
        for index in goods.indices where !lines.contains(where: { $0.trip == goods[index].trip }) {
            var trip = goods[index].trip
            var passed: Set<TripID> = [trip]
            // They may have gone on from there.
            while let next = followed[trip], passed.insert(next).inserted,
                !lines.contains(where: { $0.trip == trip })
            {
                trip = next
            }
            guard lines.contains(where: { $0.trip == trip }) else {
                throw .merchandiseWithoutSeats(
                    offer: goods[index].offer, trip: goods[index].trip)
            }
            goods[index].trip = trip
            let offers = world.look(at: TripOffers.self, of: trip).offers
            guard let offer = offers[goods[index].variation],
                !handedOver.contains(goods[index].offer),
                !goods.contains(where: { $0.offer == offer })
            else { continue }
            goods[index].offer = offer
        }
    }

    // MARK: Seats

    private mutating func setSeats(
        at place: Place, to quantity: Int, in world: borrowing World
    ) throws(Refusal) {
        guard (0...QuoteOrder.seatLimit).contains(quantity) else {
            throw .orderTooLarge(wanted: quantity, limit: QuoteOrder.seatLimit)
        }
        let count = lines.reduce(0) { $0 + ($1.isAt(place) ? $1.quantity : 0) }
        if quantity < count { _ = try take(count - quantity, from: place) }
        guard quantity > count else { return }
        let more = lastPassenger + 1...lastPassenger + quantity - count
        lastPassenger = more.upperBound
        // A discount is of the seats that it was given for, and who is new is taxed where he goes.
        let here = Self.jurisdiction(of: place.sailing, in: world)
        let same = lines.firstIndex {
            $0.isAt(place) && $0.discount == .zero && jurisdiction(of: $0) ?? here == here
        }
        if let same {
            lines[same].passengers += more
        } else if var line = lines.first(where: { $0.isAt(place) }) {
            (line.passengers, line.discount) = (Array(more), .zero)
            lines.append(line)
        } else {
            let (trip, type) = try found(place, in: world)
            lines.append(
                Quote.Line(
                    trip: trip, sailing: place.sailing, ticketType: type.id, label: type.label,
                    passengers: Array(more), unitPrice: type.price))
        }
    }

    private mutating func move(
        _ from: Place, _ to: Place, _ quantity: Int?, in world: borrowing World
    ) throws(Refusal) {
        guard from != to else { return }
        let count = lines.reduce(0) { $0 + ($1.isAt(from) ? $1.quantity : 0) }
        guard count > 0 else { throw .unknown(kind: "line", id: from.ticketType.entity) }
        let (trip, type) = try found(to, in: world)
        for var part in try take(quantity ?? count, from: from) {
            if part.trip != trip, followed[part.trip] == nil { followed[part.trip] = trip }
            (part.trip, part.sailing) = (trip, to.sailing)
            (part.ticketType, part.label) = (type.id, type.label)
            let origin = jurisdiction(of: part)
            let same = lines.firstIndex {
                $0.isAt(to) && $0.unitPrice == part.unitPrice && $0.label == part.label
                    && $0.isDiscounted(like: part) && jurisdiction(of: $0) == origin
            }
            if let same {
                lines[same].passengers = (lines[same].passengers + part.passengers).sorted()
                lines[same].discount = lines[same].discount + part.discount
            } else {
                lines.append(part)
            }
        }
    }

    /// Takes passengers away, those with the highest numbers first, with their part of the discount;
    /// never one who is aboard.
    private mutating func take(_ count: Int, from place: Place) throws(Refusal) -> [Quote.Line] {
        let ours = lines.filter { $0.isAt(place) }.flatMap(\.passengers)
        guard (1...ours.count).contains(count) else {
            throw .invalid(
                field: "moves[\(moveCount)].quantity", reason: "must be 1 to \(ours.count)")
        }
        let ashore = ours.filter { !aboard.contains($0) }
        guard count <= ashore.count else {
            throw .passengersAboard(aboard: ours.count - ashore.count, wanted: count)
        }
        let leaving = Set(ashore.sorted().suffix(count))
        return lines.indices.compactMap { index in
            lines[index].isAt(place) ? lines[index].split(off: leaving) : nil
        }
    }

    /// Where the passengers of a line were taxed; nil where all are new.
    func jurisdiction(of line: Quote.Line) -> JurisdictionID? {
        line.passengers.lazy.compactMap { jurisdictions[$0] }.first
    }

    private static func jurisdiction(
        of sailing: SailingID, in world: borrowing World
    ) -> JurisdictionID? {
        world.look(at: SailingSeats.self, of: sailing).original?.jurisdiction
    }

    private func found(
        _ place: Place, in world: borrowing World
    ) throws(Refusal) -> (trip: TripID, type: TicketType) {
        let seats = world.look(at: SailingSeats.self, of: place.sailing)
        guard let assigned = seats.assigned else {
            throw .unknown(kind: "sailing", id: place.sailing.entity)
        }
        guard let type = seats.ticketType(place.ticketType) else {
            throw .unknown(kind: "ticket type", id: place.ticketType.entity)
        }
        return (assigned.trip, type)
    }

    // MARK: Merchandise

    private mutating func setGoods(
        _ offer: OfferID, to quantity: Int, in world: borrowing World
    ) throws(Refusal) {
        guard (0...QuoteOrder.seatLimit).contains(quantity) else {
            throw .invalid(field: "quantity", reason: "must be 0 to \(QuoteOrder.seatLimit)")
        }
        guard let index = goods.firstIndex(where: { $0.offer == offer }) else {
            guard quantity > 0 else { throw .unknown(kind: "offer", id: offer.entity) }
            goods.append(try Quote.Goods(offer, quantity: quantity, in: world))
            return
        }
        let before = goods[index].quantity
        if quantity < before {
            let parts = goods[index].discount.split(by: [quantity, before - quantity])
            goods[index].discount = parts[0]
        }
        goods[index].quantity = quantity
    }

    /// Prices everything as of now.
    mutating func reprice(in world: borrowing World) {
        for index in lines.indices {
            let seats = world.look(at: SailingSeats.self, of: lines[index].sailing)
            guard let type = seats.ticketType(lines[index].ticketType) else { continue }
            (lines[index].unitPrice, lines[index].discount) = (type.price, .zero)
        }
        for index in goods.indices {
            let stock = world.look(at: VariationStock.self, of: goods[index].variation)
            (goods[index].unitPrice, goods[index].discount) = (stock.price, .zero)
        }
    }
}

extension Quote.Line {
    var place: Place { Place(sailing: sailing, ticketType: ticketType) }

    fileprivate func isAt(_ place: Place) -> Bool { self.place == place }

    /// Whether each seat has the same part of the discount.
    fileprivate func isDiscounted(like other: Quote.Line) -> Bool {
        discount * other.quantity == other.discount * quantity
    }

    /// Takes those of the passengers who are in it out of the line, with their part of its discount.
    fileprivate mutating func split(off leaving: Set<Int>) -> Quote.Line? {
        var part = self
        part.passengers = passengers.filter { leaving.contains($0) }
        guard !part.passengers.isEmpty else { return nil }
        passengers.removeAll { leaving.contains($0) }
        let discounts = discount.split(by: [passengers.count, part.passengers.count])
        (discount, part.discount) = (discounts[0], discounts[1])
        return part
    }
}

extension Quote.Goods {
    /// So many of an offer, as it is called and priced now.
    init(_ offer: OfferID, quantity: Int, in world: borrowing World) throws(Refusal) {
        let terms = world.look(at: OfferTerms.self, of: offer)
        guard let offered = terms.offered else { throw .unknown(kind: "offer", id: offer.entity) }
        let stock = world.look(at: VariationStock.self, of: offered.variation)
        guard let added = stock.added else {
            throw .unknown(kind: "variation", id: offered.variation.entity)
        }
        let name = world.look(at: MerchandiseTerms.self, of: added.merchandise).added?.name ?? ""
        self.init(
            trip: offered.trip, offer: offer, variation: offered.variation,
            label: "\(name), \(added.label)", quantity: quantity, unitPrice: stock.price)
    }
}
