internal import Archive
internal import Domain
internal import EventCodec
internal import EventLog
internal import Foundation
internal import Glibc
internal import Postgres
internal import ProjectionEngine
internal import Projections

extension Verbs {
    /// Checks the whole log, and all that must hold of the trade at every position; true when it is sound.
    ///
    /// With `sealPath`, the log is also held against a seal, whose key must be `key` where that is given.
    public func verify(against sealPath: String? = nil, key: String? = nil) async throws -> Bool {
        let seal = try sealPath.map { try readSeal($0, key) }
        let log = connections.log(1)
        let (head, broken) = try await log.verify { progress("read", $0) }
        let (audit, untrue) = try await audit(log)
        progress(nil, 0)
        var faults = broken.map { $0.description } + untrue
        if let contradiction = try await seal?.contradiction(in: log) {
            faults.append(contradiction)
        }
        faults += audit.chargedWithoutSeats.map {
            "booking \($0): money is kept, and the booking has nothing for it"
        }
        faults += try await ledgerFaults(audit, at: head)
        for fault in faults.prefix(EventLog.faultLimit) { say("FAULT \(fault)") }
        guard faults.isEmpty else { return false }
        say("the log is sound: \(head) events, positions dense, hash chain intact, all readable")
        say("every promise holds at every position: seats, codes, stock, totals, money, states")
        if let seal { saySealed(seal) }
        return true
    }

    func progress(_ what: String?, _ position: Int64) {
        guard isatty(2) == 1 else { return }
        FileHandle.standardError.write(
            Data((what.map { "\r\($0) \(position)  " } ?? "\r\u{1B}[K").utf8))
    }

    private func audit(_ log: EventLog) async throws -> (Audit, faults: [String]) {
        var audit = Audit()
        var faults: [String] = []
        var position: Int64 = 0
        while faults.count < EventLog.faultLimit {
            let events = try await log.read(after: position, limit: EventLog.readLimit)
            guard let last = events.last else { break }
            for stored in events {
                do throws(EventCodecError) {
                    let event = try EventCodec.decode(
                        type: stored.type, schemaVersion: stored.schemaVersion, data: stored.data)
                    let recorded = RecordedEvent(
                        position: stored.position,
                        recordedAt: Instant(microseconds: stored.recordedAt), event: event)
                    faults += audit.evolve(recorded).map(\.description)
                } catch {
                    faults.append("position \(stored.position): \(error)")
                }
            }
            position = last.position
            progress("checked", position)
        }
        return (audit, faults)
    }

    /// Where the ledger says something else than the log; nothing while it lags behind.
    private func ledgerFaults(_ audit: Audit, at head: Int64) async throws -> [String] {
        let client = connections.client(1)
        let reached = try await client.run([ProjectionStatus.reached(by: [PaymentLedger.name])])
        guard Int64(reached[0].integer(0, 0)) == head else {
            say("the ledger lags behind the log, and is not compared with it")
            return []
        }
        var ledger: [BookingID: (charged: Int, refunded: Int)] = [:]
        for sum in PaymentLedger.sums(try await client.run([PaymentLedger.sums])[0]) {
            ledger[sum.booking] = (sum.charged, sum.refunded)
        }
        let money = audit.moneyByBooking
        return Set(ledger.keys).union(money.keys).compactMap { booking in
            let (log, kept) = (money[booking], ledger[booking] ?? (0, 0))
            let isSame =
                log?.charged.minorUnits ?? 0 == kept.charged
                && log?.refunded.minorUnits ?? 0 == kept.refunded
            return isSame ? nil : "booking \(booking): the ledger has other sums than the log"
        }
    }
}
