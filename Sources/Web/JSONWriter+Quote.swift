public import Domain
internal import EventCodec
public import JSON

extension JSONWriter {
    /// The members of a quote, as answers show it, with what each code did.
    ///
    /// `outcomes` are those of an order that is only being asked about; of a quote that stands in a
    /// booking, only codes that had an effect are known.
    public mutating func write(_ quote: Quote, outcomes: [CodeOutcome]? = nil) {
        field("lines", quote.lines) { json, line in
            json.object { json in
                json.field("trip", line.trip)
                json.field("sailing", line.sailing)
                json.field("ticketType", line.ticketType)
                json.field("label", line.label)
                json.field("quantity", line.quantity)
                json.field("passengers", line.passengers) { $0.value($1) }
                json.field("unitPrice") { $0.write(line.unitPrice) }
                json.field("discount") { $0.write(line.discount) }
                json.field("amount") { $0.write(line.amount) }
            }
        }
        field("merchandise", quote.merchandise) { json, goods in
            json.object { json in
                json.field("trip", goods.trip)
                json.field("offer", goods.offer)
                json.field("label", goods.label)
                json.field("quantity", goods.quantity)
                json.field("unitPrice") { $0.write(goods.unitPrice) }
                json.field("discount") { $0.write(goods.discount) }
                json.field("amount") { $0.write(goods.amount) }
            }
        }
        field("subtotal") { $0.write(quote.subtotal) }
        field("discount") { $0.write(quote.discount) }
        field("codes", outcomes ?? quote.codes.map(CodeOutcome.init)) { json, outcome in
            json.object { $0.write(outcome) }
        }
        field("taxes", quote.taxes) { json, tax in
            json.object { json in
                json.field("jurisdiction", tax.jurisdiction)
                json.field("rateBasisPoints", tax.rate.count)
                json.field("taxable") { $0.write(tax.taxable) }
                json.field("amount") { $0.write(tax.amount) }
            }
        }
        field("tip") { $0.write(quote.tip) }
        field("waived") { $0.write(quote.waived) }
        field("total") { $0.write(quote.total) }
    }

    private mutating func write(_ outcome: CodeOutcome) {
        field("kind", outcome.code.kind.rawValue)
        field("code", outcome.code.text)
        let (effect, discount, obstacle): (String, Money, CodeObstacle?) =
            switch outcome.effect {
            case .discounted(let amount): ("discounted", amount, nil)
            case .admitted: ("admitted", .zero, nil)
            case .nothing(let obstacle): ("nothing", .zero, obstacle)
            }
        field("effect", effect)
        field("discount") { $0.write(discount) }
        field("because", obstacle?.name)
        field("detail", obstacle?.detail)
    }
}

extension CodeOutcome {
    /// What a code did that a booking uses.
    fileprivate init(_ use: CodeUse) {
        switch use.code.kind {
        case .discount: self.init(code: use.code, effect: .discounted(use.discount))
        case .access: self.init(code: use.code, effect: .admitted)
        }
    }
}

extension CodeObstacle {
    /// What programs go by; never changes.
    public var name: String {
        switch self {
        case .unknown: "unknown"
        case .revoked: "revoked"
        case .notYet: "not-yet"
        case .over: "over"
        case .usedUp: "used-up"
        case .belowMinimum: "below-minimum"
        case .otherTrips: "other-trips"
        case .notNeeded: "not-needed"
        }
    }

    /// What people read, with the figures.
    public var detail: String {
        switch self {
        case .unknown: "there is no such code"
        case .revoked: "the code has been taken out of use"
        case .notYet(let from): "the code is good from \(from) on"
        case .over(let until): "the code was good until \(until)"
        case .usedUp(let limit): "all \(limit) uses of the code are taken"
        case .belowMinimum(let minimum, let subtotal):
            "the code asks for an order of \(minimum), and this one comes to \(subtotal)"
        case .otherTrips: "the code is for other trips"
        case .notNeeded: "the code has nothing to do here"
        }
    }
}
