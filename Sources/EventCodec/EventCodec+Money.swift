internal import Domain
internal import JSON

/// Payments and refunds.
extension EventCodec {
    static func writeMoney(_ event: Event, to json: inout JSONWriter) {
        switch event {
        case .paymentStarted(let fact):
            write(fact.payment, fact.booking, fact.amount, to: &json)
            json.field("provider", fact.provider.rawValue)
        case .paymentDeclined(let fact):
            json.field("payment", fact.payment)
            json.field("booking", fact.booking)
            json.field("reason", fact.reason)
        case .paymentSucceeded(let fact):
            write(fact.payment, fact.booking, fact.amount, to: &json)
            json.field("provider", fact.provider.rawValue)
            json.field("means", fact.means?.rawValue)
        case .paymentArrivedLate(let fact), .chargeDisputed(let fact):
            write(fact.payment, fact.booking, fact.amount, to: &json)
            json.field("provider", fact.provider.rawValue)
        case .refundRequested(let fact):
            json.field("refund", fact.refund)
            write(fact.payment, fact.booking, fact.amount, to: &json)
            json.field("provider", fact.provider.rawValue)
            json.field("cause", fact.cause.rawValue)
            json.field("reason", fact.reason)
            json.field("isGoodwill", fact.isGoodwill)
            json.field("isPastCutoff", fact.isPastCutoff)
        case .refundSucceeded(let fact):
            json.field("refund", fact.refund)
            write(fact.payment, fact.booking, fact.amount, to: &json)
        case .refundFailed(let fact):
            json.field("refund", fact.refund)
            write(fact.payment, fact.booking, fact.amount, to: &json)
            json.field("reason", fact.reason)
            json.field("hadSucceeded", fact.hadSucceeded)
        default: preconditionFailure("an event of another subject")
        }
    }

    private static func write(
        _ payment: PaymentID, _ booking: BookingID, _ amount: Money, to json: inout JSONWriter
    ) {
        json.field("payment", payment)
        json.field("booking", booking)
        json.field("amount", amount.minorUnits)
        json.field("currency", amount.currency.rawValue)
    }

    static func readMoney(_ type: EventType, from json: JSONObject) throws(JSONError) -> Event {
        switch type {
        case .paymentStarted:
            return .paymentStarted(
                PaymentStarted(
                    payment: try json["payment"].id(), booking: try json["booking"].id(),
                    amount: try amount(json), provider: try json["provider"].choice()))
        case .paymentDeclined:
            return .paymentDeclined(
                PaymentDeclined(
                    payment: try json["payment"].id(), booking: try json["booking"].id(),
                    reason: try json["reason"].string()))
        case .paymentSucceeded: return .paymentSucceeded(try charge(json))
        case .paymentArrivedLate: return .paymentArrivedLate(try charge(json))
        case .chargeDisputed: return .chargeDisputed(try charge(json))
        case .refundRequested:
            return .refundRequested(
                RefundRequested(
                    refund: try json["refund"].id(), payment: try json["payment"].id(),
                    booking: try json["booking"].id(), amount: try amount(json),
                    provider: try json["provider"].choice(), cause: try json["cause"].choice(),
                    reason: try json["reason"].string(),
                    isGoodwill: try json.optional("isGoodwill")?.bool(),
                    isPastCutoff: try json.optional("isPastCutoff")?.bool() ?? false))
        case .refundSucceeded:
            return .refundSucceeded(
                RefundSucceeded(
                    refund: try json["refund"].id(), payment: try json["payment"].id(),
                    booking: try json["booking"].id(), amount: try amount(json)))
        case .refundFailed:
            return .refundFailed(
                RefundFailed(
                    refund: try json["refund"].id(), payment: try json["payment"].id(),
                    booking: try json["booking"].id(), amount: try amount(json),
                    reason: try json["reason"].string(),
                    hadSucceeded: try json.optional("hadSucceeded")?.bool() ?? false))
        default: preconditionFailure("an event of another subject")
        }
    }

    private static func charge(_ json: JSONObject) throws(JSONError) -> ChargeMade {
        ChargeMade(
            payment: try json["payment"].id(), booking: try json["booking"].id(),
            amount: try amount(json), provider: try json["provider"].choice(),
            means: try json.optional("means")?.choice())
    }

    private static func amount(_ json: JSONObject) throws(JSONError) -> Money {
        Money(minorUnits: try json["amount"].integer(), currency: try json["currency"].choice())
    }
}
