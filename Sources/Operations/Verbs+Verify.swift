internal import Archive
internal import Domain
internal import EventCodec
internal import EventLog
internal import Foundation
internal import JSON
internal import Postgres
internal import ProjectionEngine
internal import Projections
internal import Publishing

/// What is to be verified.
public struct VerifyRequest: Sendable {
    /// A seal to hold the log against, and the key that it must be signed with where that is given.
    public var sealPath: String?
    public var key: String?
    /// Neither read models nor the stream EVENTS.
    public var isOfLogOnly = false
    /// It is a database that was made to be verified: the stream EVENTS belongs to another one, and nobody brings
    /// read models up to date.
    var isOfScratch = false

    public init() {}
}

extension Verbs {
    /// Checks the whole log, and all that rests on it, and says what it found; true when it is sound.
    public func verify(
        _ request: VerifyRequest = VerifyRequest(), isJSON: Bool = false
    ) async throws -> Bool {
        let (faults, findings) = try await findings(request)
        return sayVerdict(faults, findings, isJSON: isJSON)
    }

    /// The same for a database that was made to be verified.
    func verify(ofScratch: Bool) async throws -> Bool {
        var request = VerifyRequest()
        request.isOfScratch = ofScratch
        return try await verify(request)
    }

    /// The same for a program: what is not as it should be, and what is.
    public func findings(
        _ request: VerifyRequest = VerifyRequest()
    ) async throws -> (faults: [String], findings: [String]) {
        let seal = try request.sealPath.map { try readSeal($0, request.key) }
        let log = connections.log(2)
        do throws(PostgresError) {
            _ = try await log.identity()
        } catch {
            guard case .other(sqlState: "P0002") = error.kind else { throw error }
            return ([error.message], [])
        }
        let meter = Meter(Meter.Style(isJSON: false))
        let looksAtStream = !request.isOfLogOnly && !request.isOfScratch
        var busFaults: [String] = []
        let published = looksAtStream ? await publishedEvents(log, &busFaults) : nil
        var read = try await readLog(log, beside: published, meter)
        // What is worst comes first: of many faults not all are told.
        var faults = [try await seal?.contradiction(in: log)].compactMap { $0 }
        faults += read.faults
        let ledger = try await ledgerFaults(&read.audit, at: read.head)
        faults += read.audit.chargedWithoutSeats.map(\.description)
        faults += ledger ?? []
        var unseen: [String] = []
        var compared: [Rebuild.Outcome] = []
        if !request.isOfLogOnly {
            if faults.isEmpty {
                (compared, faults) = try await readModels(
                    log, meter, isOfScratch: request.isOfScratch)
            } else {
                unseen.append(
                    "read models were not compared: the log that they rest on is not sound")
            }
        }
        if let published { faults += try await Self.lost(published, log) }
        faults += read.streamFaults + busFaults
        meter.finish()
        // What was not looked at is told also of a log that is not sound.
        if ledger == nil {
            unseen.append(
                "the ledger was not compared with the log: it lags behind, or stands still: see "
                    + "'status'")
        }
        if published == nil, busFaults.isEmpty, looksAtStream {
            unseen.append("no NATS is known here: the stream EVENTS was not compared with the log")
        }
        guard faults.isEmpty else { return (faults, unseen) }
        var findings = [
            "the log is sound: \(grouped(read.head)) events, positions dense, hash chain intact, all "
                + "readable, tags as they should be",
            "every promise holds at every position: seats, codes, stock, totals, money, states",
        ]
        if let published {
            let reached = grouped(min(published.head, read.head))
            findings.append("the stream EVENTS is the log, up to position \(reached)")
        }
        findings += unseen + read.passedOver + Self.findings(compared)
        if let seal { findings.append(sealed(seal)) }
        return ([], findings)
    }

    /// What reading the log from end to end has shown.
    private struct ReadLog {
        var head: Int64
        var audit: Audit
        var faults: [String]
        /// Where the stream EVENTS has something else.
        var streamFaults: [String]
        /// What can't be read, and somebody has decided to do without.
        var passedOver: [String]
    }

    private func readLog(
        _ log: EventLog, beside published: PublishedEvents?, _ meter: Meter
    ) async throws -> ReadLog {
        let total = try await log.head()
        let skips = try await Skips.load(from: log)
        var audit = Audit()
        var (faults, streamFaults, passedOver): ([String], [String], [String]) = ([], [], [])
        let (head, broken) = try await log.verify { page in
            let (events, unreadable) = await Self.decoded(page)
            // What read models were told to do without is no news.
            for (position, error) in unreadable {
                let fault = "position \(position): \(try await error.named(in: log, at: position))"
                if skips.contains(position) {
                    passedOver.append("\(fault); read models do without it, as somebody decided")
                } else {
                    faults.append(fault)
                }
            }
            var tags: [[PostgresUUID]?] = []
            for (stored, event) in zip(page, events) {
                tags.append(event?.tags.map { PostgresUUID(high: $0.high, low: $0.low) })
                guard let event else { continue }
                let recorded = RecordedEvent(
                    position: stored.event.position,
                    recordedAt: Instant(microseconds: stored.event.recordedAt), event: event)
                faults += audit.evolve(recorded).map(\.description)
            }
            // Of a stream that is another from somewhere on, no more need be told.
            if streamFaults.count < EventLog.faultLimit {
                streamFaults +=
                    try await published?.faults(in: page.map(\.event))
                    .map { "position \($0.position): \($0.reason)" } ?? []
            }
            meter.tell("verifying", page.last?.event.position ?? 0, of: total)
            return faults.count < EventLog.faultLimit ? tags : nil
        }
        return ReadLog(
            head: head, audit: audit, faults: broken.map(\.description) + faults,
            streamFaults: streamFaults, passedOver: passedOver)
    }

    /// What was published and is not in the log any more.
    private static func lost(
        _ published: PublishedEvents, _ log: EventLog
    ) async throws -> [String] {
        let now = try await log.head()
        guard published.head > now else { return [] }
        return [
            "position \(now + 1): the stream EVENTS goes on up to \(published.head), and the "
                + "log has lost that: see 'events reset-stream'"
        ]
    }

    /// The read models held against a fresh fold, and what is wrong with them.
    private func readModels(
        _ log: EventLog, _ meter: Meter, isOfScratch: Bool
    ) async throws -> (compared: [Rebuild.Outcome], faults: [String]) {
        let statuses = try await ProjectionStatus.all(connections.client(1))
            .filter { !$0.isKept }
        var faults = statuses.compactMap(Self.stop)
        let head = try await log.head()
        faults += statuses.filter { $0.position > head }.map {
            "\($0.name) is at position \($0.position), and the log ends at \(head): rebuild it"
        }
        do {
            let compared = try await compareReadModels(log, meter, isOfScratch: isOfScratch)
            faults += compared.flatMap(Self.faults)
            if !isOfScratch { faults += Self.notCompared(compared, of: statuses) }
            return (compared, faults)
        } catch let error as ProjectionFault {
            return ([], faults + ["read models can't be folded anew: \(error)"])
        }
    }

    /// Nil where no NATS is known; one that is known and can't be asked is a fault, for who asks by night looks at the
    /// status that this ends with.
    private func publishedEvents(
        _ log: EventLog, _ faults: inout [String]
    ) async -> PublishedEvents? {
        guard let url = try? place.natsURL() else { return nil }
        do {
            return try await PublishedEvents(log, busURL: url, logger: connections.logger)
        } catch {
            faults.append(
                "the stream EVENTS can't be compared with the log: \(sentence(for: error))")
            return nil
        }
    }

    /// Both halves of a page at the same time; nil for what can't be read, and why.
    private static func decoded(
        _ page: [ChainedEvent]
    ) async -> (events: [Event?], faults: [(position: Int64, error: EventCodecError)]) {
        func decode(_ range: Range<Int>) -> [Result<Event, EventCodecError>] {
            page[range].map { link in
                Result { () throws(EventCodecError) in
                    try EventCodec.decode(
                        type: link.event.type, schemaVersion: link.event.schemaVersion,
                        data: link.event.data)
                }
            }
        }
        let middle = page.count / 2
        async let second = decode(middle..<page.count)
        let all = decode(0..<middle) + (await second)
        let faults = zip(page, all).compactMap { link, result -> (Int64, EventCodecError)? in
            guard case .failure(let error) = result else { return nil }
            return (link.event.position, error)
        }
        return (all.map { try? $0.get() }, faults)
    }

    // MARK: Read models

    /// Folds all of them anew, in one reading of the log, and compares them with the live ones.
    private func compareReadModels(
        _ log: EventLog, _ meter: Meter, isOfScratch: Bool
    ) async throws -> [Rebuild.Outcome] {
        try await RebuildControl.sweep(connections.writingClient(1))
        var fold = Rebuild(
            AllReadModels.list, from: log, configuration: connections.rebuildable)
        fold.onlyCompares = true
        if isOfScratch { fold.foldsUpTo = try await slowestReadModel() }
        return try await fold.run { progress in
            meter.tell("read models: \(progress.step)", progress.position, of: progress.head)
        }
    }

    private static func stop(_ status: ProjectionStatus) -> String? {
        status.stoppedAtPosition.map { position in
            "\(status.name) stands still before position \(position): "
                + "\(status.stoppedBecause ?? "nobody knows why")"
        }
    }

    /// Who asks by night looks at the status that this ends with: what is there and could not be looked at is not sound.
    private static func notCompared(
        _ outcomes: [Rebuild.Outcome], of statuses: [ProjectionStatus]
    ) -> [String] {
        let running = statuses.filter { $0.stoppedAtPosition == nil }.map(\.name)
        return outcomes.filter { $0.difference == nil && running.contains($0.name) }.map {
            "\($0.name) can't be compared with the log: it lags, is of another version, or has no table: see "
                + "'status'; 'rebuild \($0.name)' makes it anew"
        }
    }

    /// How far the read model has come that is furthest back.
    private func slowestReadModel() async throws -> Int64? {
        try await ProjectionStatus.all(connections.client(1)).filter { !$0.isKept }
            .map(\.position).min()
    }

    private static func faults(_ outcome: Rebuild.Outcome) -> [String] {
        guard let difference = outcome.difference, !difference.isNone else { return [] }
        let all = difference.rows.map {
            "position \($0.position): the row \($0.key) of \(outcome.name) is not what its events say"
        }
        let more = difference.count - difference.rows.count
        return more > 0 ? all + ["and \(more) more rows of \(outcome.name)"] : all
    }

    private static func findings(_ compared: [Rebuild.Outcome]) -> [String] {
        let others = compared.filter { $0.difference == nil }.map(\.name)
        var findings: [String] = []
        if others.count < compared.count {
            let count = compared.count - others.count
            findings.append("\(count) read models are what a fresh fold of the log makes")
        }
        if !others.isEmpty {
            let names = others.joined(separator: ", ")
            findings.append(
                "not compared, for they are of another version, or nobody has built them here: \(names)"
            )
        }
        return findings
    }

    /// Where the ledger says something else than the log; nil while it lags behind. Where it has come further than
    /// `head`, the audit is brought there.
    private func ledgerFaults(_ audit: inout Audit, at head: Int64) async throws -> [String]? {
        // Before the first event nobody has made the ledger's table.
        guard head > 0 else { return [] }
        let client = connections.client(1)
        let first = try await client.run([ProjectionStatus.reached(by: [PaymentLedger.name])])
        guard Int64(first[0].integer(0, 0)) >= head else { return nil }
        let (reached, sums) = PaymentLedger.sums(try await client.run([PaymentLedger.sums])[0])
        try await connections.log(1).readChained(after: head, upTo: reached) { page in
            for (stored, event) in zip(page, await Self.decoded(page).events) {
                guard let event else { continue }
                _ = audit.evolve(
                    RecordedEvent(
                        position: stored.event.position,
                        recordedAt: Instant(microseconds: stored.event.recordedAt), event: event))
            }
        }
        var ledger: [BookingID: (charged: Int, refunded: Int)] = [:]
        for sum in sums { ledger[sum.booking] = (sum.charged, sum.refunded) }
        let money = audit.moneyByBooking
        return Set(ledger.keys).union(money.keys).compactMap { booking in
            let (log, kept) = (money[booking], ledger[booking] ?? (0, 0))
            let isSame =
                log?.charged.minorUnits ?? 0 == kept.charged
                && log?.refunded.minorUnits ?? 0 == kept.refunded
            let place = log.map { "position \($0.position)" } ?? "no event"
            return isSame ? nil : "\(place): the ledger has other sums than the log (\(booking))"
        }
    }
}

/// Says what a check has found. True when there are no faults.
func sayVerdict(_ faults: [String], _ findings: [String], isJSON: Bool) -> Bool {
    let shown = faults.prefix(EventLog.faultLimit)
    guard !isJSON else {
        sayJSON { json in
            json.object { json in
                json.field("isSound", faults.isEmpty)
                json.field("faultCount", faults.count)
                json.field("faults", Array(shown)) { $0.value($1) }
                json.field("findings", findings) { $0.value($1) }
            }
        }
        return faults.isEmpty
    }
    for fault in shown { say("FAULT \(fault)") }
    if faults.count > shown.count {
        say("and \(grouped(Int64(faults.count - shown.count))) more faults")
    }
    for finding in findings { say(finding) }
    return faults.isEmpty
}
