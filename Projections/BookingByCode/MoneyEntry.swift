public import Domain
internal import EventCodec
internal import JSON

/// What one event changed of a booking's money: what was sold by it, and what was moved.
public struct MoneyEntry: Equatable, Sendable {
    public var at: Instant
    /// More or less of what is sold; all of it negative where a booking was cancelled.
    public var sums: Sums

    /// Amounts in minor units of the booking's currency.
    public struct Sums: Equatable, Sendable {
        public var gross = 0
        public var discount = 0
        public var tax = 0
        public var tip = 0
        public var waived = 0
        public var charged = 0
        public var refunded = 0

        public init(charged: Int = 0, refunded: Int = 0) {
            self.charged = charged
            self.refunded = refunded
        }

        init(_ quote: Quote) {
            gross = quote.subtotal.minorUnits
            discount = quote.discount.minorUnits
            tax = quote.taxes.reduce(0) { $0 + $1.amount.minorUnits }
            tip = quote.tip.minorUnits
            waived = quote.waived.minorUnits
        }

        static func - (left: Sums, right: Sums) -> Sums {
            var sums = left
            sums.gross -= right.gross
            sums.discount -= right.discount
            sums.tax -= right.tax
            sums.tip -= right.tip
            sums.waived -= right.waived
            sums.charged -= right.charged
            sums.refunded -= right.refunded
            return sums
        }

        /// What the customers owe for what was sold.
        public var total: Int { gross - discount + tax + tip - waived }
        /// What is left of the money that came in.
        public var net: Int { charged - refunded }
    }

    /// nil where nothing is different.
    init?(_ sums: Sums, at instant: Instant) {
        guard sums != Sums() else { return nil }
        at = instant
        self.sums = sums
    }

    // MARK: Columns

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("at", at)
            json.field("gross", sums.gross)
            json.field("discount", sums.discount)
            json.field("tax", sums.tax)
            json.field("tip", sums.tip)
            json.field("waived", sums.waived)
            json.field("charged", sums.charged)
            json.field("refunded", sums.refunded)
        }
    }

    init(_ json: JSONObject) throws(JSONError) {
        at = try json["at"].instant()
        sums = Sums()
        sums.gross = try json["gross"].integer()
        sums.discount = try json["discount"].integer()
        sums.tax = try json["tax"].integer()
        sums.tip = try json["tip"].integer()
        sums.waived = try json["waived"].integer()
        sums.charged = try json["charged"].integer()
        sums.refunded = try json["refunded"].integer()
    }
}
