public import Domain
public import Postgres
internal import ProjectionEngine

/// An offer as customers see it.
public struct OfferView: Sendable {
    public var offer: OfferID
    public var variation: VariationID
    public var name: String
    public var label: String
    public var price: Money
    /// What the shelf and the allotment leave.
    public var available: Int
}

extension MerchandiseOffers {
    /// Offers of one trip, by name.
    public static func all(of trip: TripID) -> PostgresCall {
        PostgresCall(
            """
            SELECT o.offer, o.variation, m.name, s.label, s.price, s.currency,
                   least(s.received + s.adjusted - s.reserved - s.sold,
                         o.allotment - o.reserved - o.sold) AS available
            FROM reading.merchandise_offer o
            JOIN reading.merchandise_stock s ON s.variation = o.variation
            JOIN reading.catalogue_entry m ON m.entity = s.merchandise
            WHERE o.trip = $1::uuid
            ORDER BY m.name, s.label, o.offer
            """, [.id(trip)])
    }

    public static func views(_ rows: Rows) -> [OfferView] {
        (0..<rows.count).map { index in
            OfferView(
                offer: rows.id(index, 0), variation: rows.id(index, 1), name: rows.text(index, 2),
                label: rows.text(index, 3),
                price: Money(minorUnits: rows.integer(index, 4), currency: rows.choice(index, 5)),
                available: max(0, rows.integer(index, 6)))
        }
    }
}
