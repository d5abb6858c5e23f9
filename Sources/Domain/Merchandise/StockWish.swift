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

/// Refuses merchandise of which an order has more than it had, and more than there is.
func checkStock(
    of goods: [Quote.Goods], beyond before: [Quote.Goods], in world: borrowing World,
    at now: Instant
) throws(Refusal) {
    var others: [VariationID: Int] = [:]
    // What goes back to the shelf with the same order is there again.
    for old in before {
        let kept = goods.first { $0.offer == old.offer }?.quantity ?? 0
        if kept < old.quantity { others[old.variation, default: 0] -= old.quantity - kept }
    }
    for goods in goods {
        var line = goods.line
        line.quantity -= before.first { $0.offer == goods.offer }?.quantity ?? 0
        guard line.quantity > 0 else { continue }
        let wish = StockWish(line: line, others: others[goods.variation] ?? 0)
        try wish.check(in: world, at: now)
        others[goods.variation, default: 0] += line.quantity
    }
}
