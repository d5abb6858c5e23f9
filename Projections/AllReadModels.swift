public import ProjectionEngine

/// Every read model of the system; each is one folder here.
public enum AllReadModels {
    public static let list: [any ReadModel.Type] = [
        BookingByCode.self, BookingSearch.self, CatalogueEntries.self, CodeUsage.self,
        Manifest.self, MerchandiseOffers.self, MerchandiseStock.self, PaymentLedger.self,
        SailingAvailability.self, TripsOnSale.self,
    ]
}
