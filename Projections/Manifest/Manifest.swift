public import Domain
internal import EventCodec
internal import JSON
public import Postgres
public import ProjectionEngine

/// Who is on a sailing: a row for each booking with seats on it. Who that is, is read from ``BookingSearch``.
public struct Manifest: ReadModel {
    public struct Key: Hashable, Sendable {
        public var sailing: SailingID
        public var booking: BookingID
    }

    public struct Goods: Equatable, Sendable {
        /// nil where the row was written by a version that did not keep it.
        public var offer: OfferID?
        public var portion: Quote.Portion
    }

    public struct Scan: Equatable, Sendable {
        public var scan: ScanID
        public var scanner: String
        public var at: Instant
        public var passengers: [Int]
        public var isAboard: Bool
    }

    public struct Row: Equatable, Sendable {
        public var isSold: Bool
        public var seats: [Quote.Portion]
        /// The numbers of the booking's passengers on this sailing, and of those aboard.
        public var passengers: [Int]
        public var aboard: [Int]
        /// What they bought with the trip, and get when the first of them comes aboard.
        public var merchandise: [Goods]
        /// What scanners told of them.
        public var scans: [Scan] = []

        /// What a quote has on a sailing; nil when that is nothing.
        fileprivate init?(_ quote: Quote, on sailing: SailingID, isSold: Bool, aboard: [Int]) {
            let lines = quote.lines.filter { $0.sailing == sailing }
            guard !lines.isEmpty else { return nil }
            self.isSold = isSold
            self.aboard = aboard
            // Lines may differ in what they cost, which is no matter here.
            seats = lines.reduce(into: []) { seats, line in
                if let index = seats.firstIndex(where: { $0.label == line.label }) {
                    seats[index].quantity += line.quantity
                } else {
                    seats.append(Quote.Portion(label: line.label, quantity: line.quantity))
                }
            }
            passengers = quote.passengers(on: sailing)
            merchandise = quote.merchandise.filter { $0.trip == lines[0].trip }
                .map { goods in
                    Goods(
                        offer: goods.offer,
                        portion: Quote.Portion(label: goods.label, quantity: goods.quantity))
                }
        }

        fileprivate init(
            isSold: Bool, seats: [Quote.Portion], passengers: [Int], aboard: [Int],
            merchandise: [Goods],
            scans: [Scan]
        ) {
            self.isSold = isSold
            self.seats = seats
            self.passengers = passengers
            self.aboard = aboard
            self.merchandise = merchandise
            self.scans = scans
        }
    }

    public static let name = "manifest"
    public static let version = 5
    public static let opensContacts = false
    // A hold that is over stays: money that comes late may bring it back.
    public static let types = BookingLife.types.subtracting([
        .holdExtended, .holdExpired, .bookingAbandoned, .bookingCompleted, .contactChanged,
        .merchandiseFulfilled,
    ])
    public static let table = TableDefinition(
        key: [.init("sailing", .uuid), .init("booking", .uuid)],
        columns: [
            .init("is_sold", .bool), .init("seats", .json), .init("passengers", .json),
            .init("aboard", .json), .init("scans", .json), .init("merchandise", .json),
        ], indexes: ["(booking)"])

    public static func keys(of event: Event) -> [Key] {
        switch event {
        case .bookingPlaced(let fact): keys(fact.quote.sailings, fact.booking)
        case .bookingConfirmed(let fact): keys(fact.holdings.seats.sailings, fact.booking)
        case .bookingCancelled(let fact): keys(fact.holdings.seats.sailings, fact.booking)
        case .passengerCheckedIn(let fact), .checkInReverted(let fact):
            keys([fact.sailing], fact.booking)
        case .passengersScanned(let fact): keys([fact.sailing], fact.booking)
        case .lineQuantityChanged(let fact), .lineTicketTypeChanged(let fact),
            .bookingRescheduled(let fact), .passengersReassigned(let fact):
            keys((fact.before.seats + fact.quote.seats).sailings, fact.booking)
        case .alternativeOffered(let fact):
            keys((fact.before.seats + fact.quote.seats).sailings, fact.booking)
        default: []
        }
    }

    private static func keys(_ sailings: [SailingID], _ booking: BookingID) -> [Key] {
        sailings.map { Key(sailing: $0, booking: booking) }
    }

    public static func begins(with event: Event) -> Bool { event.type == .bookingPlaced }

    public static func fold(_ row: Row?, of key: Key, _ event: ProjectedEvent) -> Row? {
        var row = row
        switch event.event {
        case .bookingPlaced(let fact):
            row = Row(fact.quote, on: key.sailing, isSold: false, aboard: [])
        case .lineQuantityChanged(let fact), .lineTicketTypeChanged(let fact),
            .bookingRescheduled(let fact), .passengersReassigned(let fact):
            let scans = row?.scans ?? []
            row = Row(
                fact.quote, on: key.sailing, isSold: fact.heldUntil == nil,
                aboard: row?.aboard ?? [])
            row?.scans = scans
        case .alternativeOffered(let fact):
            row = Row(fact.quote, on: key.sailing, isSold: false, aboard: [])
        case .bookingCancelled: row = nil
        case .bookingConfirmed: row?.isSold = true
        case .passengerCheckedIn(let fact):
            let aboard = Set(fact.passengers).union(row?.aboard ?? [])
            row?.aboard = aboard.sorted()
        case .checkInReverted(let fact):
            row?.aboard.removeAll { fact.passengers.contains($0) }
        case .passengersScanned(let fact):
            row?.scans.append(
                Scan(
                    scan: fact.scan, scanner: fact.scanner, at: fact.at,
                    passengers: fact.passengers, isAboard: fact.isAboard))
        default: break
        }
        return row
    }

    public static func write(_ key: Key, to fields: inout PostgresFields) {
        fields.append(key.sailing)
        fields.append(key.booking)
    }

    public static func write(_ row: Row, to fields: inout PostgresFields) {
        fields.append(row.isSold)
        fields.append { $0.array(row.seats) { $0.write($1) } }
        fields.append { $0.array(row.passengers) { $0.value($1) } }
        fields.append { $0.array(row.aboard) { $0.value($1) } }
        fields.append { json in
            json.array(row.scans) { json, scan in
                json.object { json in
                    json.field("scan", scan.scan)
                    json.field("scanner", scan.scanner)
                    json.field("at", scan.at)
                    json.field("passengers", scan.passengers) { $0.value($1) }
                    json.field("isAboard", scan.isAboard)
                }
            }
        }
        fields.append { json in
            json.array(row.merchandise) { json, goods in
                json.object { json in
                    json.field("offer", goods.offer)
                    json.field("label", goods.portion.label)
                    json.field("quantity", goods.portion.quantity)
                }
            }
        }
    }

    public static func read(_ rows: Rows, _ index: Int) -> (key: Key, row: Row) {
        func numbers(_ column: Int) -> [Int] {
            trusted { () throws(JSONError) in
                try rows.json(index, column).list { value throws(JSONError) in
                    try value.integer()
                }
            }
        }
        func goods(_ column: Int) -> [Goods] {
            trusted { () throws(JSONError) in
                try rows.json(index, column).list { value throws(JSONError) in
                    let json = try value.object()
                    return Goods(
                        offer: try json.optional("offer")?.id(),
                        portion: Quote.Portion(
                            label: try json["label"].string(),
                            quantity: try json["quantity"].integer()))
                }
            }
        }
        let scans = trusted { () throws(JSONError) in
            try rows.json(index, 6).list { value throws(JSONError) in
                let json = try value.object()
                return Scan(
                    scan: try json["scan"].id(), scanner: try json["scanner"].string(),
                    at: try json["at"].instant(),
                    passengers: try json["passengers"].list { value throws(JSONError) in
                        try value.integer()
                    }, isAboard: try json["isAboard"].bool())
            }
        }
        return (
            Key(sailing: rows.id(index, 0), booking: rows.id(index, 1)),
            Row(
                isSold: rows.bool(index, 2), seats: goods(3).map(\.portion), passengers: numbers(4),
                aboard: numbers(5), merchandise: goods(7), scans: scans)
        )
    }
}
