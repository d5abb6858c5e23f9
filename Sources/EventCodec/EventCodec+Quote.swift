public import Domain
public import JSON

/// An order as it was calculated; also how read models keep it.
extension EventCodec {
    /// All amounts are in minor units of the quote's one currency. What says nothing is left out:
    /// passengers who are numbered through, and no discount.
    public static func write(_ quote: Quote, to json: inout JSONWriter) {
        let isNumberedThrough = quote.lines.isNumberedThrough
        json.field("currency", quote.total.currency.rawValue)
        json.field("lines", quote.lines) { json, line in
            json.object { json in
                json.field("trip", line.trip)
                json.field("sailing", line.sailing)
                json.field("ticketType", line.ticketType)
                json.field("label", line.label)
                json.field("quantity", line.quantity)
                if !isNumberedThrough {
                    json.field("passengers", line.passengers) { $0.value($1) }
                }
                json.field("unitPrice", line.unitPrice.minorUnits)
                if line.discount.minorUnits != 0 {
                    json.field("discount", line.discount.minorUnits)
                }
            }
        }
        json.field("merchandise", quote.merchandise) { json, goods in
            json.object { json in
                json.field("trip", goods.trip)
                json.field("offer", goods.offer)
                json.field("variation", goods.variation)
                json.field("label", goods.label)
                json.field("quantity", goods.quantity)
                json.field("unitPrice", goods.unitPrice.minorUnits)
                if goods.discount.minorUnits != 0 {
                    json.field("discount", goods.discount.minorUnits)
                }
            }
        }
        json.field("taxes", quote.taxes) { json, tax in
            json.object { json in
                json.field("jurisdiction", tax.jurisdiction)
                json.field("rateBasisPoints", tax.rate.count)
                json.field("taxable", tax.taxable.minorUnits)
                json.field("amount", tax.amount.minorUnits)
            }
        }
        json.field("subtotal", quote.subtotal.minorUnits)
        json.field("discount", quote.discount.minorUnits)
        write(quote.codes, to: &json)
        json.field("tip", quote.tip.minorUnits)
        json.field("waived", quote.waived.minorUnits)
        json.field("total", quote.total.minorUnits)
    }

    /// Reads what ``write(_:to:)`` wrote.
    public static func quote(_ json: JSONObject) throws(JSONError) -> Quote {
        let currency: Currency = try json["currency"].choice()
        func money(_ value: JSONValue?) throws(JSONError) -> Money {
            Money(minorUnits: try value?.integer() ?? 0, currency: currency)
        }
        func tax(_ value: JSONValue) throws(JSONError) -> Quote.Tax {
            let json = try value.object()
            return Quote.Tax(
                jurisdiction: try json["jurisdiction"].id(),
                rate: try json["rateBasisPoints"].basisPoints(),
                taxable: try money(json["taxable"]), amount: try money(json["amount"]))
        }
        func goods(_ value: JSONValue) throws(JSONError) -> Quote.Goods {
            let json = try value.object()
            return Quote.Goods(
                trip: try json["trip"].id(), offer: try json["offer"].id(),
                variation: try json["variation"].id(), label: try json["label"].string(),
                quantity: try json["quantity"].integer(), unitPrice: try money(json["unitPrice"]),
                discount: try money(json.optional("discount")))
        }
        var quote = Quote(
            lines: try lines(json["lines"], money),
            merchandise: try json.optional("merchandise")?.list(goods) ?? [],
            taxes: try json["taxes"].list(tax), subtotal: try money(json["subtotal"]),
            discount: try money(json.optional("discount")),
            codes: try codeUses(json.optional("codes")), tip: try money(json["tip"]),
            waived: try money(json["waived"]), total: try money(json["total"]))
        if quote.discount.minorUnits > 0 { quote.spreadUnnamedDiscount() }
        return quote
    }

    private static func lines(
        _ value: JSONValue, _ money: (JSONValue?) throws(JSONError) -> Money
    ) throws(JSONError) -> [Quote.Line] {
        var next = 1
        return try value.list { value throws(JSONError) in
            let json = try value.object()
            let quantity = try json["quantity"].integer()
            guard quantity >= 0 else { throw try json["quantity"].fault("must not be negative") }
            let passengers = try json.optional("passengers")?.list {
                value throws(JSONError) in try value.integer()
            }
            defer { next += quantity }
            return Quote.Line(
                trip: try json["trip"].id(), sailing: try json["sailing"].id(),
                ticketType: try json["ticketType"].id(), label: try json["label"].string(),
                passengers: passengers ?? [Int](next..<next + quantity),
                unitPrice: try money(json["unitPrice"]),
                discount: try money(json.optional("discount")))
        }
    }
}

extension Quote {
    /// Before version 3 a quote did not say which lines its discount was on: all of them, by what they cost.
    fileprivate mutating func spreadUnnamedDiscount() {
        let isNamed =
            lines.contains { $0.discount.minorUnits > 0 }
            || merchandise.contains { $0.discount.minorUnits > 0 }
        guard !isNamed else { return }
        let shares = discount.split(
            by: lines.map(\.amount.minorUnits) + merchandise.map(\.amount.minorUnits))
        for index in lines.indices { lines[index].discount = shares[index] }
        for index in merchandise.indices {
            merchandise[index].discount = shares[lines.count + index]
        }
    }
}
