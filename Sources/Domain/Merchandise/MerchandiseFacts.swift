/// A thing that is sold with a trip; what is on the shelf are its variations.
public struct MerchandiseAdded: Hashable, Sendable {
    public var merchandise: MerchandiseID
    public var name: String

    public init(merchandise: MerchandiseID, name: String) {
        self.merchandise = merchandise
        self.name = name
    }
}

/// A size or colour of a thing. Stock is counted for each.
public struct VariationAdded: Hashable, Sendable {
    public var variation: VariationID
    public var merchandise: MerchandiseID
    public var label: String
    public var price: Money

    public init(
        variation: VariationID, merchandise: MerchandiseID, label: String, price: Money
    ) {
        self.variation = variation
        self.merchandise = merchandise
        self.label = label
        self.price = price
    }
}

public struct VariationRepriced: Hashable, Sendable {
    public var variation: VariationID
    public var price: Money

    public init(variation: VariationID, price: Money) {
        self.variation = variation
        self.price = price
    }
}

public struct StockReceived: Hashable, Sendable {
    public var variation: VariationID
    /// At least 1.
    public var quantity: Int

    public init(variation: VariationID, quantity: Int) {
        self.variation = variation
        self.quantity = quantity
    }
}

/// Somebody has counted, or something was broken, lost or found.
public struct StockAdjusted: Hashable, Sendable {
    public var variation: VariationID
    /// More or fewer; not zero.
    public var quantity: Int
    public var reason: String

    public init(variation: VariationID, quantity: Int, reason: String) {
        self.variation = variation
        self.quantity = quantity
        self.reason = reason
    }
}

/// A variation is sold with a trip.
public struct MerchandiseOffered: Hashable, Sendable {
    public var offer: OfferID
    public var trip: TripID
    public var variation: VariationID
    /// How many of it the trip may sell; nil: as many as there are.
    public var allotment: Int?

    public init(offer: OfferID, trip: TripID, variation: VariationID, allotment: Int?) {
        self.offer = offer
        self.trip = trip
        self.variation = variation
        self.allotment = allotment
    }
}

public struct OfferAllotmentSet: Hashable, Sendable {
    public var offer: OfferID
    public var allotment: Int?

    public init(offer: OfferID, allotment: Int?) {
        self.offer = offer
        self.allotment = allotment
    }
}

/// So many of what is offered with a trip.
public struct MerchandiseLine: Hashable, Sendable {
    public var offer: OfferID
    public var variation: VariationID
    /// At least 1.
    public var quantity: Int

    public init(offer: OfferID, variation: VariationID, quantity: Int) {
        self.offer = offer
        self.variation = variation
        self.quantity = quantity
    }
}

/// A booking's merchandise was handed over.
public struct MerchandiseFulfilled: Hashable, Sendable {
    public var booking: BookingID
    public var merchandise: [MerchandiseLine]

    public init(booking: BookingID, merchandise: [MerchandiseLine]) {
        self.booking = booking
        self.merchandise = merchandise
    }
}
