/// Takes what a scanner saw, now or a while ago: in whatever order scans are told, and however often, the
/// same people are aboard in the end, for who was seen last is where he was seen.
public struct RecordScan: Command {
    /// A scanner's clock may be ahead by so much.
    public static let clockMargin = TimeSpan.minutes(5)

    public enum Subject: Hashable, Sendable {
        case booking(BookingID)
        case code(ConfirmationCode)
    }

    public var scan: ScanID
    public var subject: Subject
    public var sailing: SailingID
    /// nil: everybody that the booking has on this sailing.
    public var passengers: [Int]?
    public var scanner: String
    public var at: Instant
    public var isAboard: Bool

    public init(
        scan: ScanID, subject: Subject, sailing: SailingID, passengers: [Int]?, scanner: String,
        at: Instant, isAboard: Bool
    ) {
        self.scan = scan
        self.subject = subject
        self.sailing = sailing
        self.passengers = passengers
        self.scanner = scanner
        self.at = at
        self.isAboard = isAboard
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        guard at <= now + Self.clockMargin else {
            throw .invalid(field: "at", reason: "is in the future: look at the scanner's clock")
        }
        let booking = try subject.booking(in: world)
        let life = world.look(at: BookingLife.self, of: booking)
        if life.scans.contains(where: { $0.scan == scan }) { return [] }
        let wanted = try boardable(
            still(passengers, of: life, on: sailing), of: life, booking, on: sailing,
            orCompleted: true,
            isLeaving: !isAboard, seen: at, in: world)
        let fact = PassengersScanned(
            scan: scan, booking: booking, sailing: sailing, passengers: wanted, scanner: scanner,
            at: at, isAboard: isAboard)
        let sighting = Sighting(fact)
        let changed = wanted.filter { number in
            life.aboard.contains(number) != isAboard
                && max(life.lastSeen(number) ?? sighting, sighting) == sighting
        }
        let scanned = Event.passengersScanned(fact)
        guard !changed.isEmpty else {
            // Who was aboard got what he had bought, whatever was seen of him since.
            return [scanned]
                + (isAboard
                    ? handingOver(of: life, booking, on: sailing, isTold: true, boughtBy: at) : [])
        }
        guard isAboard else {
            return [
                scanned,
                .checkInReverted(
                    PassengersChecked(
                        booking: booking, sailing: sailing, passengers: changed, at: at)),
            ]
        }
        return [scanned] + boarding(changed, of: life, booking, on: sailing, at: at)
    }
}

/// Without those who were of the booking here and are not any more, where others still are: what was seen of them is told
/// in vain, and must not keep the others from being aboard.
private func still(_ passengers: [Int]?, of life: BookingLife, on sailing: SailingID) -> [Int]? {
    guard let passengers else { return nil }
    let numbers = life.passengers(on: sailing)
    let left = passengers.filter { numbers.contains($0) || $0 > life.lastPassenger || $0 < 1 }
    return left.isEmpty ? passengers : left
}

extension RecordScan.Subject {
    func booking(in world: borrowing World) throws(Refusal) -> BookingID {
        switch self {
        case .booking(let booking): return booking
        case .code(let code):
            let terms = world.look(at: CodeTerms.self, of: ID<Kind.Booking>(code.entity))
            guard let booking = terms.booking else { throw .unknownCode(code) }
            return booking
        }
    }
}

/// Which booking has a confirmation code.
public struct CodeTerms: DecisionModel {
    public static let types: Set<EventType> = [.bookingPlaced]
    public private(set) var booking: BookingID?

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        if case .bookingPlaced(let fact) = recorded.event { booking = fact.booking }
    }
}

/// Where a passenger was seen. The later one counts; of two at one instant the one of the greater scan, so
/// that the order in which they are told is of no account.
public struct Sighting: Hashable, Comparable, Sendable {
    public var at: Instant
    public var scan: ScanID?
    public var isAboard: Bool

    init(_ at: Instant, isAboard: Bool) {
        self.at = at
        self.isAboard = isAboard
    }

    init(_ fact: PassengersScanned) {
        at = fact.at
        scan = fact.scan
        isAboard = fact.isAboard
    }

    public static func < (left: Sighting, right: Sighting) -> Bool {
        if left.at != right.at { return left.at < right.at }
        guard let mine = left.scan else { return right.scan != nil }
        guard let other = right.scan else { return false }
        return mine.entity < other.entity
    }
}

/// What became of a scan: who went aboard with it, and who else let the same people in.
public struct ScanOutcome: Question {
    public struct Answer: Hashable, Sendable {
        public var booking: BookingID
        /// Those who went aboard with this scan: nobody had let them in before.
        public var first: [Int]
        /// Other scans that saw some of the same people aboard as well, earlier or later.
        public var others: [PassengersScanned]
    }

    public var scan: ScanID
    public var subject: RecordScan.Subject

    public init(scan: ScanID, subject: RecordScan.Subject) {
        self.scan = scan
        self.subject = subject
    }

    public func answer(in world: borrowing World, at now: Instant) throws(Refusal) -> Answer {
        let booking = try subject.booking(in: world)
        let life = world.look(at: BookingLife.self, of: booking)
        guard let mine = life.scans.first(where: { $0.scan == scan }), mine.isAboard else {
            return Answer(booking: booking, first: [], others: [])
        }
        let others = life.scans.filter { other in
            other.isAboard && other.scan != scan && other.sailing == mine.sailing
                && !Set(other.passengers).isDisjoint(with: mine.passengers)
        }
        let first = mine.passengers.filter { !life.wasAboard($0, before: Sighting(mine)) }
        return Answer(booking: booking, first: first, others: others)
    }
}
