/// How many of each thing the people of a booking have been given.
public struct HandedOverGoods: Hashable, Sendable {
    public private(set) var counts: [OfferID: Int]

    public init(_ counts: [OfferID: Int] = [:]) {
        self.counts = counts
    }

    public subscript(offer: OfferID) -> Int { counts[offer] ?? 0 }

    public mutating func add(_ lines: [MerchandiseLine]) {
        for line in lines { counts[line.offer, default: 0] += line.quantity }
    }

    /// What a changed booking has no more was brought back.
    public mutating func keep(of quote: Quote) {
        var left: [OfferID: Int] = [:]
        for goods in quote.merchandise {
            left[goods.offer] = counts[goods.offer].map { min($0, goods.quantity) }
        }
        counts = left
    }
}

extension [Quote.Goods] {
    /// How many there are of each thing.
    var counts: [OfferID: Int] {
        Dictionary(map { ($0.offer, $0.quantity) }, uniquingKeysWith: +)
    }
}
