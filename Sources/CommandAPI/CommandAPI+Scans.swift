internal import Commands
internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Web

/// What a scanner at the quay tells, at once or hours later.
extension CommandAPI {
    /// Scans that are told together.
    static let scanLimit = 300

    var scanOperations: [Operation] {
        [
            Operation(
                "recordScans", .post, "/v1/sailings/{sailing}/scans", for: .quay
            ) { request, context in
                try await recordScans(request, context.id("sailing"))
            }
        ]
    }

    /// Each scan's own id is its idempotency key, so a batch may be told again, in whole or in parts: it has to be, as a
    /// whole, where what became of one of them is not known.
    private func recordScans(_ request: Request, _ sailing: SailingID) async throws -> Response {
        let actor = Caller.current.actor
        let body = try await Body.read(request)
        let scans = try reading { () throws(JSONError) in
            try body.json.allow(only: ["scanner", "scans"])
            let scanner = try body.json["scanner"].text(.label)
            return try body.json["scans"].list { value throws(JSONError) in
                try Self.scan(value.object(), by: scanner, on: sailing)
            }
        }
        guard (1...Self.scanLimit).contains(scans.count) else {
            throw Problem.malformed(field: "scans", "must be 1 to \(Self.scanLimit)")
        }
        let told = try await withThrowingTaskGroup(of: (Int, Told).self) { group in
            for (index, scan) in scans.enumerated() {
                let hash = requestHash(request, scan.text)
                group.addTask { (index, try await tell(scan, hash, by: actor)) }
            }
            return try await group.reduce(into: [Int: Told]()) { $0[$1.0] = $1.1 }
        }
        // Asked when all are told, so that what one scan says of another is the same in any order.
        var outcomes: [(RecordScan, Told, Result<ScanOutcome.Answer, Problem>)] = []
        var position: Int64 = 0
        for (index, scan) in scans.enumerated() {
            guard let told = told[index] else { continue }
            position = max(position, told.position)
            if let problem = told.problem {
                outcomes.append((scan, told, .failure(problem)))
            } else {
                let outcome = try await ask(ScanOutcome(scan: scan.scan, subject: scan.subject))
                position = max(position, outcome.position)
                outcomes.append((scan, told, .success(outcome.answer)))
            }
        }
        return answer(position: position) { json in
            json.field("scans", outcomes) { json, outcome in
                json.object { json in
                    json.field("scan", outcome.0.scan)
                    switch outcome.2 {
                    case .success(let answer): json.write(answer, of: outcome.0)
                    case .failure(let problem): json.write(problem)
                    }
                    json.field("handedOver", outcome.1.handedOver) { $0.write($1) }
                }
            }
        }
    }

    /// What came of telling one scan.
    private struct Told: Sendable {
        var position: Int64
        var handedOver: [Quote.Portion] = []
        /// Why it was refused; anything else that goes wrong is no outcome of a scan.
        var problem: Problem?
    }

    private func tell(
        _ scan: RecordScan, _ hash: [UInt8], by actor: String
    ) async throws(Problem) -> Told {
        let envelope = Envelope(
            id: scan.scan.entity, requestHash: hash, actor: actor, commands: [scan])
        let receipt: Receipt
        do throws(CommandError) {
            receipt = try await loop.submit(envelope)
        } catch {
            let problem = problem(for: error)
            switch error {
            case .refused: return Told(position: problem.position ?? 0, problem: problem)
            case .keyReused: return Told(position: 0, problem: Self.reused)
            default: throw problem
            }
        }
        return Told(position: receipt.position, handedOver: try await handedOver(by: receipt))
    }

    private static let reused = Problem(
        "key-reused", .unprocessableContent, "The scan was told before",
        detail: "this scan was told with something else before: draw a new id for each scan")

    private static func scan(
        _ json: JSONObject, by scanner: String, on sailing: SailingID
    ) throws(JSONError) -> RecordScan {
        try json.allow(only: ["scan", "booking", "code", "passengers", "at", "direction"])
        let subject: RecordScan.Subject
        if let booking = json.optional("booking") {
            subject = .booking(try booking.id())
        } else {
            guard let code = ConfirmationCode(try json["code"].string()) else {
                throw try json["code"].fault("must be a confirmation code")
            }
            subject = .code(code)
        }
        let passengers = try json.optional("passengers")?.list { value throws(JSONError) in
            try value.integer()
        }
        let scan = try json["scan"].id(Kind.Scan.self)
        // It is the key under which the scan counts once: see `idempotencyKey()`.
        guard !scan.entity.isMade else {
            throw try json["scan"].fault("must be a UUID, drawn at random (version 4 or 7)")
        }
        let direction = try json.optional("direction")?.choice(of: Direction.self) ?? .aboard
        return RecordScan(
            scan: scan, subject: subject, sailing: sailing,
            passengers: passengers, scanner: scanner, at: try json["at"].instant(),
            isAboard: direction == .aboard)
    }

    private enum Direction: String, CaseIterable {
        case aboard
        case ashore
    }
}

extension RecordScan {
    /// The same for the same scan, whatever batch it is told in.
    fileprivate var text: [UInt8] {
        Array("\(scan) \(subject) \(passengers ?? []) \(scanner) \(at) \(isAboard)".utf8)
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ answer: ScanOutcome.Answer, of scan: RecordScan) {
        let outcome =
            scan.isAboard ? (answer.first.isEmpty ? "already_aboard" : "aboard") : "ashore"
        field("outcome", outcome)
        field("booking", answer.booking)
        field("first", answer.first) { $0.value($1) }
        field("others", answer.others) { json, other in
            json.object { json in
                json.field("scan", other.scan)
                json.field("scanner", other.scanner)
                json.field("at", other.at)
                json.field("passengers", other.passengers) { $0.value($1) }
            }
        }
        field("problem", nil as String?)
        field("detail", nil as String?)
    }

    fileprivate mutating func write(_ problem: Problem) {
        field("outcome", "refused")
        field("booking", nil as String?)
        field("first", [] as [Int]) { $0.value($1) }
        field("others", [] as [Int]) { $0.value($1) }
        field("problem", problem.type)
        field("detail", problem.detail)
    }
}
