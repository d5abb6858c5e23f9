/// So many more of what is offered, beside others of the same variation in the same order.
struct StockWish {
    var line: MerchandiseLine
    var others: Int

    /// Refuses more than there are, on the shelf and of the trip's allotment.
    func check(in world: borrowing World, at now: Instant) throws(Refusal) {
        let stock = world.look(at: VariationStock.self, of: line.variation).available(at: now)
        let allotment = world.look(at: OfferTerms.self, of: line.offer).available(at: now)
        let available = max(0, min(stock - others, allotment ?? .max))
        guard line.quantity <= available else {
            throw .notEnoughStock(
                offer: line.offer, available: available, wanted: line.quantity)
        }
    }
}
