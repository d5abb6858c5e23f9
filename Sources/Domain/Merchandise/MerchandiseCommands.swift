/// What the office does with merchandise. What is so already is left alone.
public struct KeepMerchandise: Command {
    public enum Deed: Hashable, Sendable {
        case add(MerchandiseAdded)
        case addVariation(VariationAdded)
        case reprice(VariationID, Money)
        case receive(VariationID, quantity: Int)
        case adjust(VariationID, quantity: Int, reason: String)
        case offer(MerchandiseOffered)
        case allot(OfferID, Int?)
    }

    public var deed: Deed

    public init(_ deed: Deed) {
        self.deed = deed
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        switch deed {
        case .add(let fact):
            let known = world.look(at: MerchandiseTerms.self, of: fact.merchandise).added
            guard try isNew(fact, known, "merchandise", fact.merchandise) else { return [] }
            return [.merchandiseAdded(fact)]
        case .addVariation(let fact):
            guard world.look(at: MerchandiseTerms.self, of: fact.merchandise).added != nil else {
                throw .unknown(kind: "merchandise", id: fact.merchandise.entity)
            }
            let known = world.look(at: VariationStock.self, of: fact.variation).added
            guard try isNew(fact, known, "variation", fact.variation) else { return [] }
            return [.variationAdded(fact)]
        case .reprice(let variation, let price):
            guard try known(variation, in: world).price != price else { return [] }
            return [.variationRepriced(VariationRepriced(variation: variation, price: price))]
        case .receive(let variation, let quantity):
            _ = try known(variation, in: world)
            guard quantity >= 1 else {
                throw .invalid(field: "quantity", reason: "must be at least 1")
            }
            return [.stockReceived(StockReceived(variation: variation, quantity: quantity))]
        case .adjust(let variation, let quantity, let reason):
            return [try adjusted(variation, quantity, reason, in: world, at: now)]
        case .offer(let fact): return try offered(fact, in: world)
        case .allot(let offer, let allotment):
            return try allotted(offer, allotment, in: world, at: now)
        }
    }

    private func adjusted(
        _ variation: VariationID, _ quantity: Int, _ reason: String, in world: borrowing World,
        at now: Instant
    ) throws(Refusal) -> Event {
        let stock = try known(variation, in: world)
        guard quantity != 0 else { throw .invalid(field: "quantity", reason: "must not be zero") }
        let used = stock.used(at: now)
        guard quantity > 0 || stock.stock + quantity >= used else {
            throw .stockBelowUse(
                variation: variation, stock: stock.stock + quantity, used: used)
        }
        return .stockAdjusted(
            StockAdjusted(variation: variation, quantity: quantity, reason: reason))
    }

    private func offered(
        _ fact: MerchandiseOffered, in world: borrowing World
    ) throws(Refusal) -> [Event] {
        guard world.look(at: TripTerms.self, of: fact.trip).scheduled != nil else {
            throw .unknown(kind: "trip", id: fact.trip.entity)
        }
        _ = try known(fact.variation, in: world)
        try checkAllotment(fact.allotment)
        let known = world.look(at: OfferTerms.self, of: fact.offer).offered
        guard try isNew(fact, known, "offer", fact.offer) else { return [] }
        // A trip has one allotment of a thing.
        if let other = world.look(at: TripOffers.self, of: fact.trip).offers[fact.variation] {
            throw .alreadyExists(kind: "offer", id: other.entity)
        }
        return [.merchandiseOffered(fact)]
    }

    private func allotted(
        _ offer: OfferID, _ allotment: Int?, in world: borrowing World, at now: Instant
    ) throws(Refusal) -> [Event] {
        let terms = world.look(at: OfferTerms.self, of: offer)
        guard terms.offered != nil else { throw .unknown(kind: "offer", id: offer.entity) }
        try checkAllotment(allotment)
        let used = terms.used(at: now)
        if let allotment, allotment < used {
            throw .allotmentBelowUse(offer: offer, allotment: allotment, used: used)
        }
        guard terms.allotment != allotment else { return [] }
        return [.offerAllotmentSet(OfferAllotmentSet(offer: offer, allotment: allotment))]
    }

    private func checkAllotment(_ allotment: Int?) throws(Refusal) {
        guard let allotment, allotment < 0 else { return }
        throw .invalid(field: "allotment", reason: "must not be negative")
    }

    private func known(
        _ variation: VariationID, in world: borrowing World
    ) throws(Refusal) -> VariationStock {
        let stock = world.look(at: VariationStock.self, of: variation)
        guard stock.added != nil else { throw .unknown(kind: "variation", id: variation.entity) }
        return stock
    }

    private func isNew<Fact: Equatable, K>(
        _ fact: Fact, _ known: Fact?, _ kind: String, _ id: ID<K>
    ) throws(Refusal) -> Bool {
        guard let known else { return true }
        guard known == fact else { throw .alreadyExists(kind: kind, id: id.entity) }
        return false
    }
}
