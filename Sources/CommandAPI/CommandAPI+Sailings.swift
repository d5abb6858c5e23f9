internal import Commands
internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Web

extension CommandAPI {
    /// What a sailing has for sale; all of it is the office's.
    var sailingOperations: [Operation] {
        let types = "/v1/sailings/{sailing}/ticket-types"
        return [
            Operation("defineTicketType", .post, types, for: .office) { request, context in
                let sailing = try context.id("sailing", Kind.Sailing.self)
                let body = try await Body.read(request)
                let type = try reading { () throws(JSONError) in
                    try Self.ticketType(body.json)
                }
                let receipt = try await submit(
                    request, body, [DefineTicketType(sailing: sailing, ticketType: type)])
                // A repeat of the request has the id that was drawn first.
                guard case .ticketTypeDefined(let fact) = receipt.events.first?.event else {
                    return changed(type.id.entity, by: receipt, .created)
                }
                return changed(fact.ticketType.id.entity, by: receipt, .created)
            },
            Operation(
                "changeTicketType", .patch, types + "/{ticketType}", for: .office
            ) { request, context in
                let sailing = try context.id("sailing", Kind.Sailing.self)
                let type = try context.id("ticketType", Kind.TicketType.self)
                let body = try await Body.read(request)
                let changes = try reading { () throws(JSONError) in
                    try Self.ticketTypeChanges(body.json)
                }
                guard !changes.isEmpty else {
                    throw Problem.malformed(
                        field: "", "there is nothing to change; there are label, price, cap")
                }
                return try await change(
                    request, body, type.entity,
                    ChangeTicketType(sailing: sailing, ticketType: type, changes: changes))
            },
            Operation(
                "withdrawTicketType", .post, types + "/{ticketType}/withdraw", for: .office
            ) { request, context in
                let sailing = try context.id("sailing", Kind.Sailing.self)
                let type = try context.id("ticketType", Kind.TicketType.self)
                return try await change(
                    request, Body.none(request), type.entity,
                    WithdrawTicketType(sailing: sailing, ticketType: type))
            },
            Operation(
                "unassignBoat", .post, "/v1/sailings/{sailing}/unassign", for: .office
            ) { request, context in
                let sailing = try context.id("sailing", Kind.Sailing.self)
                return try await change(
                    request, Body.none(request), sailing.entity,
                    UnassignBoat(sailing: sailing))
            },
        ]
    }

    private func change(
        _ request: Request, _ body: Body, _ entity: EntityID, _ command: any Command
    ) async throws(Problem) -> Response {
        let receipt = try await submit(request, body, [command])
        return changed(entity, by: receipt)
    }

    static func ticketType(_ json: JSONObject) throws(JSONError) -> TicketType {
        try json.allow(only: ["id", "label", "price", "fixedCap"])
        var generator = SystemRandomNumberGenerator()
        let cap = try json.optional("fixedCap")?.seatCount()
        return TicketType(
            id: try json.optional("id")?.id() ?? ID(.random(using: &generator)),
            label: try json["label"].text(.label), price: try json["price"].money(),
            cap: cap.map { .fixed($0) } ?? .shared)
    }

    private static func ticketTypeChanges(
        _ json: JSONObject
    ) throws(JSONError) -> [ChangeTicketType.Change] {
        try json.allow(only: ["label", "price", "cap"])
        var changes: [ChangeTicketType.Change] = []
        if let value = json.optional("label") { changes.append(.label(try value.text(.label))) }
        if let value = json.optional("price") { changes.append(.price(try value.money())) }
        if let value = json.optional("cap") { changes.append(try cap(value)) }
        return changes
    }

    /// A number of seats, or `"shared"`, or `"inherited"`.
    private static func cap(_ value: JSONValue) throws(JSONError) -> ChangeTicketType.Change {
        switch try? value.string() {
        case "shared": return .cap(.shared)
        case "inherited": return .inheritedCap
        case nil: return .cap(.fixed(try value.seatCount()))
        default: throw value.fault("must be a number of seats, \"shared\" or \"inherited\"")
        }
    }
}
