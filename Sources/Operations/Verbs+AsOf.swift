internal import Domain
internal import EventCodec
internal import Foundation
internal import Glibc
internal import JSON
public import ProjectionEngine
internal import Projections

/// What was known when: single things, manifests, whole read models, and why a figure is what it is.
extension Verbs {
    /// Shows a thing in every read model of which it is the key. `name` is a UUID, or a booking's code.
    public func show(_ name: String, asOf moment: Moment, isJSON: Bool) async throws {
        let asOf = try await asOf(moment)
        let entity = try await entity(name, asOf)
        let rows = try await rows(about: entity, asOf)
        guard !rows.isEmpty else {
            throw OperationError("nothing is known of \(name) as of \(text(asOf))")
        }
        guard isJSON else {
            say("\(entity) as of \(text(asOf))")
            for row in rows {
                say("\n\(row.readModel)")
                for column in row.key + row.columns { say(line(column.name, column.json)) }
            }
            return
        }
        sayJSON { json in
            json.object { json in
                json.name("entity")
                json.value(entity)
                json.field("asOf", asOf.position)
                json.field("rows", rows) { json, row in
                    json.object { json in
                        json.field("readModel", row.readModel)
                        json.name("row")
                        json.value(row)
                    }
                }
            }
        }
    }

    /// Prints who is on a sailing.
    public func manifest(_ name: String, asOf moment: Moment, isJSON: Bool) async throws {
        let asOf = try await asOf(moment)
        guard let entries = try await Manifest.sold(on: try sailing(name), asOf: asOf) else {
            throw unknownSailing(name, asOf)
        }
        guard !isJSON else {
            return sayJSON { json in
                json.object { json in
                    json.field("sailing", name)
                    json.field("asOf", asOf.position)
                    json.field("bookings", entries) { json, entry in
                        json.object { json in
                            json.field("code", entry.code)
                            json.field("firstName", entry.firstName)
                            json.field("lastName", entry.lastName)
                            json.field("passengers", entry.row.passengers) { $0.value($1) }
                            json.field("aboard", entry.row.aboard) { $0.value($1) }
                            json.field("merchandise", entry.row.merchandise) { json, goods in
                                json.object { json in
                                    json.field("label", goods.portion.label)
                                    json.field("quantity", goods.portion.quantity)
                                    json.field("handedOver", entry.handedOver(of: goods))
                                }
                            }
                        }
                    }
                }
            }
        }
        let seatCount = entries.reduce(0) { $0 + $1.row.passengers.count }
        let aboardCount = entries.reduce(0) { $0 + $1.row.aboard.count }
        say("sailing \(name) as of \(text(asOf))")
        say(
            "\(counted(Int64(entries.count), "booking")), \(counted(Int64(seatCount), "passenger")), "
                + "\(aboardCount) aboard")
        for entry in entries {
            let name = [entry.lastName, entry.firstName].compactMap { $0 }.joined(separator: ", ")
            let seats = entry.row.seats.map { "\($0.quantity) \($0.label)" }.joined(separator: ", ")
            say(
                "  \(entry.code)  \(padded(name, 32))  \(padded(seats, 24))  aboard \(entry.row.aboard.count)"
            )
            for goods in entry.row.merchandise {
                let handedOver = entry.handedOver(of: goods)
                say(
                    "            \(goods.portion.quantity) \(goods.portion.label), \(handedOver) handed over"
                )
            }
        }
    }

    /// Says how many seats of a sailing are free, and which events made it so.
    public func explainAvailability(
        _ name: String, asOf moment: Moment, isJSON: Bool
    ) async throws {
        let asOf = try await asOf(moment)
        let steps = try await SailingAvailability.explanation(of: try sailing(name), asOf: asOf)
        guard let last = steps.last else {
            throw unknownSailing(name, asOf)
        }
        guard !isJSON else {
            return sayJSON { json in
                json.object { json in
                    json.field("sailing", name)
                    json.field("asOf", asOf.position)
                    json.field("available", last.available)
                    json.field("events", steps) { json, step in write(step, to: &json) }
                }
            }
        }
        say("sailing \(name) as of \(text(asOf))")
        say(
            "\(last.available) available = \(last.limit) limit - \(last.committed) committed "
                + "- \(last.held) held\(last.isPaused ? ", and sales are paused" : "")")
        say("  position      recorded at               limit  committed  held  available  event")
        for step in steps {
            let figures = [
                (step.limit, 5), (step.committed, 9), (step.held, 4), (step.available, 9),
            ]
            .map { String($0.0).leftPadded($0.1) }.joined(separator: "  ")
            let booking = step.booking.map { " of \($0)" } ?? ""
            say(
                "  \(padded(grouped(step.position), 12))  \(padded("\(step.recordedAt)", 24))  "
                    + "\(figures)  \(step.type.name)\(booking) by \(step.actor)")
        }
    }

    /// Says what has changed of a thing between two moments, and which events changed it.
    public func diff(
        _ name: String, from: Moment, to: Moment, isJSON: Bool
    ) async throws {
        let (before, after) = (try await asOf(from), try await asOf(to))
        guard before.position <= after.position else {
            throw OperationError(
                "position \(before.position) is later than \(after.position): name the earlier moment first"
            )
        }
        let entity = try await entity(name, after)
        let events = try await after.events(
            of: [entity], for: AllReadModels.list, after: before.position)
        let changes = Self.changes(
            from: try await rows(about: entity, before), to: try await rows(about: entity, after))
        guard !isJSON else {
            return sayJSON { json in
                json.object { json in
                    json.name("entity")
                    json.value(entity)
                    json.field("from", before.position)
                    json.field("to", after.position)
                    json.field("events", events) { json, entry in
                        json.object { json in
                            json.field("position", entry.event.position)
                            json.field("at", entry.event.recordedAt)
                            json.field("type", entry.event.type.name)
                            json.field("actor", entry.actor)
                        }
                    }
                    json.field("changes", changes) { json, change in
                        json.object { json in
                            json.field("readModel", change.readModel)
                            json.field("column", change.column)
                            json.field("hadRow", change.before != nil)
                            json.field("hasRow", change.after != nil)
                            json.name("before")
                            json.value(json: change.before ?? Array("null".utf8))
                            json.name("after")
                            json.value(json: change.after ?? Array("null".utf8))
                        }
                    }
                }
            }
        }
        say("\(entity) from \(text(before)) to \(text(after))")
        for (actor, event) in events {
            say(
                "  \(grouped(event.position))  \(event.recordedAt)  \(event.type.name) by \(actor)"
            )
        }
        if changes.isEmpty { say("no column of any read model differs") }
        for change in changes {
            say("\(change.readModel).\(change.column)")
            say("  - \(change.before.map { String(decoding: $0, as: UTF8.self) } ?? "no row")")
            say("  + \(change.after.map { String(decoding: $0, as: UTF8.self) } ?? "no row")")
        }
    }

    /// Builds a whole read model as of a moment, prints it as CSV and throws it away.
    public func table(_ name: String, asOf moment: Moment) async throws {
        let asOf = try await asOf(moment)
        guard let model = try models([name]).first else { return }
        let meter = Meter(Meter.Style(isJSON: false))
        let build = try await TableAsOf.begin(
            model, upTo: asOf.position, connections.rebuildable)
        try await build.copyOut(as: .csv) {
            meter.tell("reading", $0, of: asOf.position)
            if $0 >= asOf.position { meter.finish() }
        } _: { rows in
            say(rows)
        }
    }

    // MARK: Pieces

    private struct Change {
        var readModel: String
        var column: String
        var before: [UInt8]?
        var after: [UInt8]?
    }

    private static func changes(from before: [ShownRow], to after: [ShownRow]) -> [Change] {
        let (old, new) = (values(before), values(after))
        return Set(old.keys).union(new.keys).sorted { $0.lexicographicallyPrecedes($1) }
            .filter { old[$0] != new[$0] }
            .map { Change(readModel: $0[0], column: $0[1], before: old[$0], after: new[$0]) }
    }

    /// Values by read model and column, which also has the key where that is of several columns.
    private static func values(_ rows: [ShownRow]) -> [[String]: [UInt8]] {
        var values: [[String]: [UInt8]] = [:]
        for row in rows {
            let key = row.key.map { String(decoding: $0.json, as: UTF8.self) }
            for column in row.columns {
                let name =
                    row.key.count == 1
                    ? column.name : "\(column.name) of \(key.joined(separator: " "))"
                values[[row.readModel, name]] = column.json
            }
        }
        return values
    }

    private func rows(about entity: EntityID, _ asOf: AsOf) async throws -> [ShownRow] {
        let events = try await asOf.events(of: [entity], for: AllReadModels.list).map(\.event)
        return AllReadModels.list.flatMap {
            ShownRow.rows(of: $0, about: entity, from: events, asOf: asOf)
        }
    }

    func asOf(_ moment: Moment) async throws -> AsOf {
        try await AsOf(moment, of: connections.log(2))
    }

    func entity(_ name: String, _ asOf: AsOf) async throws -> EntityID {
        if let id = EntityID(name) { return id }
        guard let code = ConfirmationCode(name) else {
            throw OperationError("'\(name)' is neither a UUID nor a booking's code")
        }
        guard let booking = try await BookingByCode.booking(with: code, asOf: asOf) else {
            throw OperationError("there is no booking \(code) as of \(text(asOf))")
        }
        return booking.entity
    }

    private func sailing(_ name: String) throws(OperationError) -> SailingID {
        guard let id = EntityID(name) else {
            throw OperationError("'\(name)' is no UUID of a sailing")
        }
        return SailingID(id)
    }

    private func unknownSailing(_ name: String, _ asOf: AsOf) -> OperationError {
        OperationError("there is no sailing \(name) as of \(text(asOf))")
    }

    private func text(_ asOf: AsOf) -> String {
        "position \(grouped(asOf.position))" + (asOf.recordedAt.map { ", \($0)" } ?? "")
    }

    private func line(_ name: String, _ json: [UInt8]) -> String {
        "  \(padded(name, 18))  \(String(decoding: json, as: UTF8.self))"
    }

    private func write(_ step: AvailabilityStep, to json: inout JSONWriter) {
        json.object { json in
            json.field("position", step.position)
            json.field("at", step.recordedAt)
            json.field("type", step.type.name)
            json.field("actor", step.actor)
            json.field("booking", step.booking)
            json.field("limit", step.limit)
            json.field("committed", step.committed)
            json.field("held", step.held)
            json.field("available", step.available)
            json.field("isPaused", step.isPaused)
        }
    }
}

/// Prints one JSON document on a line of its own.
func sayJSON(_ body: (inout JSONWriter) -> Void) {
    say(String(decoding: JSONWriter.write(body), as: UTF8.self))
}

/// A text and as many spaces as a column needs.
func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

extension String {
    func leftPadded(_ width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}
