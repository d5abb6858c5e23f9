internal import Commands
internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Web

extension CommandAPI {
    /// The office's operations; all of them need the staff token.
    var catalogueOperations: [Operation] {
        [
            adding("addLocation", "/v1/locations", Self.location),
            adding("addJurisdiction", "/v1/jurisdictions", Self.jurisdiction),
            adding("addProvider", "/v1/providers", Self.provider),
            adding("registerBoat", "/v1/boats", Self.boat),
            adding("announceLaunch", "/v1/launches", Self.launch),
            adding("planMission", "/v1/missions", Self.mission),
            adding("scheduleTrip", "/v1/trips", Self.trip),
            adding("assignBoat", "/v1/sailings", Self.sailing),
            changing("changeLaunch", "/v1/launches/{launch}", ["isArchived"]) {
                id, json throws(JSONError) in
                try json.optional("isArchived").map { value throws(JSONError) in
                    [ArchiveLaunch(launch: ID(id), isArchived: try value.bool())]
                } ?? []
            },
            changing(
                "changeMission", "/v1/missions/{mission}",
                ["refundCutoffHours", "isActive", "isArchived"]
            ) {
                id, json throws(JSONError) in
                [ChangeMission(mission: ID(id), changes: try Self.missionChanges(json))]
            },
            changing(
                "changeTrip", "/v1/trips/{trip}",
                ["saleMode", "salesOpenAt", "isListed", "isActive", "isArchived"]
            ) { id, json throws(JSONError) in
                [ChangeTrip(trip: ID(id), changes: try Self.tripChanges(json))]
            },
            changing("changeBoat", "/v1/boats/{boat}", ["capacity", "ticketTypes"]) {
                id, json throws(JSONError) in
                try Self.boatChanges(ID(id), json)
            },
            changing(
                "setTaxRate", "/v1/jurisdictions/{jurisdiction}",
                ["rateBasisPoints", "effectiveFrom"]
            ) { id, json throws(JSONError) in
                [
                    SetTaxRate(
                        jurisdiction: ID(id), rate: try json["rateBasisPoints"].basisPoints(),
                        effectiveFrom: try json["effectiveFrom"].instant())
                ]
            },
            changing("changeSailing", "/v1/sailings/{sailing}", ["limit", "isPaused"]) {
                id, json throws(JSONError) in
                try Self.sailingChanges(ID(id), json)
            },
        ]
    }

    private func adding(
        _ id: String, _ path: String,
        _ read: @escaping @Sendable (JSONObject, EntityID) throws(JSONError) -> AddToCatalogue
    ) -> Operation {
        Operation(id, .post, path, for: .office) { request, _ in
            let body = try await Body.read(request)
            let (command, named) = try reading { () throws(JSONError) in
                let id: ID<Any>? = try body.json.optional("id")?.id()
                let entity = id?.entity ?? draw(Any.self).entity
                return (try read(body.json, entity), entity)
            }
            let receipt = try await submit(request, body, [command])
            // The first tag of an event that adds a thing is the thing.
            let entity = receipt.events.first?.event.tags.first ?? named
            return answer(.created, position: receipt.position) { json in
                json.name("id")
                json.value(entity)
            }
        }
    }

    private func changing(
        _ id: String, _ path: String, _ fields: [String],
        _ read: @escaping @Sendable (EntityID, JSONObject) throws(JSONError) -> [any Command]
    ) -> Operation {
        let name = String(path.split(separator: "{")[1].dropLast())
        return Operation(id, .patch, path, for: .office) { request, context in
            let entity = try context.id(name, Any.self).entity
            let body = try await Body.read(request)
            let commands = try reading { () throws(JSONError) in
                try body.json.allow(only: fields)
                for (name, value) in body.json.members
                where value.isNull && !Self.emptied.contains(name) {
                    throw value.fault("must not be null")
                }
                return try read(entity, body.json)
            }
            guard !commands.isEmpty, !body.json.members.isEmpty else {
                throw Problem.malformed(
                    field: "",
                    "there is nothing to change; there are \(fields.joined(separator: ", "))")
            }
            let receipt = try await submit(request, body, commands)
            return changed(entity, by: receipt)
        }
    }

    /// Fields for which null is a value.
    private static let emptied: Set = ["salesOpenAt", "limit"]

    // MARK: What is added

    private static func location(_ json: JSONObject, _ id: EntityID) throws(JSONError)
        -> AddToCatalogue
    {
        try json.allow(only: ["id", "name", "region", "country", "timeZone"])
        return AddToCatalogue(
            .location(
                LocationAdded(
                    location: ID(id), name: try json["name"].text(.name),
                    region: try json["region"].text(.label),
                    country: try country(json.optional("country")),
                    timeZone: try json["timeZone"].timeZone())))
    }

    private static func country(_ value: JSONValue?) throws(JSONError) -> Country {
        guard let value else { return .unitedStates }
        guard let country = Country(try value.string()) else {
            throw value.fault("must be the two letters of a country, such as US")
        }
        return country
    }

    private static func jurisdiction(
        _ json: JSONObject, _ id: EntityID
    ) throws(JSONError) -> AddToCatalogue {
        try json.allow(only: ["id", "location", "name", "rateBasisPoints", "effectiveFrom"])
        return AddToCatalogue(
            .jurisdiction(
                JurisdictionAdded(
                    jurisdiction: ID(id), location: try json["location"].id(),
                    name: try json["name"].text(.name)),
                rate: try json["rateBasisPoints"].basisPoints(),
                effectiveFrom: try json["effectiveFrom"].instant()))
    }

    private static func provider(_ json: JSONObject, _ id: EntityID) throws(JSONError)
        -> AddToCatalogue
    {
        try json.allow(only: ["id", "jurisdiction", "name", "dock", "address", "mapLink"])
        return AddToCatalogue(
            .provider(
                ProviderAdded(
                    provider: ID(id), jurisdiction: try json["jurisdiction"].id(),
                    name: try json["name"].text(.name), dock: try json["dock"].text(.name),
                    address: try json["address"].text(.address),
                    mapLink: try json.optional("mapLink")?.text(.address))))
    }

    private static func boat(_ json: JSONObject, _ id: EntityID) throws(JSONError) -> AddToCatalogue
    {
        try json.allow(only: ["id", "provider", "name", "slug", "capacity", "ticketTypes"])
        return AddToCatalogue(
            .boat(
                BoatRegistered(
                    boat: ID(id), provider: try json["provider"].id(), jurisdiction: ID(id),
                    name: try json["name"].text(.name), slug: try json["slug"].text(.label),
                    capacity: try json["capacity"].seatCount(),
                    ticketTypes: try json["ticketTypes"].list(ticketType))))
    }

    private static func launch(_ json: JSONObject, _ id: EntityID) throws(JSONError)
        -> AddToCatalogue
    {
        try json.allow(only: ["id", "location", "name", "summary", "liftOff", "confidence"])
        return AddToCatalogue(
            .launch(
                LaunchAnnounced(
                    launch: ID(id), location: try json["location"].id(),
                    name: try json["name"].text(.name),
                    summary: try json.optional("summary")?.text(.summary),
                    liftOff: try json["liftOff"].instant(),
                    confidence: try json.optional("confidence")?.choice() ?? .net)))
    }

    private static func mission(_ json: JSONObject, _ id: EntityID) throws(JSONError)
        -> AddToCatalogue
    {
        try json.allow(only: ["id", "launch", "name", "refundCutoffHours"])
        return AddToCatalogue(
            .mission(
                MissionPlanned(
                    mission: ID(id), launch: try json["launch"].id(),
                    name: try json["name"].text(.name),
                    refundCutoffHours: try refundCutoff(json) ?? 12)))
    }

    private static func refundCutoff(_ json: JSONObject) throws(JSONError) -> Int? {
        try json.optional("refundCutoffHours")?.integer(in: MissionPlanned.refundCutoffRange)
    }

    private static func trip(_ json: JSONObject, _ id: EntityID) throws(JSONError) -> AddToCatalogue
    {
        try json.allow(only: [
            "id", "mission", "kind", "label", "departure", "boarding", "checkIn", "saleMode",
            "salesOpenAt", "isListed",
        ])
        let kind: TripKind = try json["kind"].choice()
        var times = TripTimes(departure: try json["departure"].instant(), of: kind)
        if let boarding = try json.optional("boarding")?.instant() {
            times.boarding = boarding
            times.checkIn = boarding - kind.boardingSpan
        }
        if let checkIn = try json.optional("checkIn")?.instant() { times.checkIn = checkIn }
        return AddToCatalogue(
            .trip(
                TripScheduled(
                    trip: ID(id), mission: try json["mission"].id(), launch: ID(id),
                    location: ID(id), kind: kind, label: try json.optional("label")?.text(.label),
                    times: times, saleMode: try json["saleMode"].choice(),
                    salesOpenAt: try json.optional("salesOpenAt").map {
                        value throws(JSONError) in try value.instant()
                    },
                    isListed: try json.optional("isListed")?.bool() ?? true)))
    }

    private static func sailing(_ json: JSONObject, _ id: EntityID) throws(JSONError)
        -> AddToCatalogue
    {
        try json.allow(only: ["id", "trip", "boat", "limit", "ticketTypes"])
        return AddToCatalogue(
            .sailing(
                BoatAssigned(
                    sailing: ID(id), trip: try json["trip"].id(), mission: ID(id), launch: ID(id),
                    boat: try json["boat"].id(), jurisdiction: ID(id),
                    limit: try json.optional("limit")?.seatCount(),
                    ticketTypes: try json.optional("ticketTypes")?.list(ticketType) ?? [])))
    }

    private static func ticketType(_ value: JSONValue) throws(JSONError) -> TicketType {
        try ticketType(value.object())
    }

    // MARK: What is changed

    private static func missionChanges(_ json: JSONObject) throws(JSONError) -> [ChangeMission
        .Change]
    {
        var changes: [ChangeMission.Change] = []
        if let hours = try refundCutoff(json) { changes.append(.refundCutoff(hours: hours)) }
        if let value = json.optional("isActive") { changes.append(.active(try value.bool())) }
        if let value = json.optional("isArchived") { changes.append(.archived(try value.bool())) }
        return changes
    }

    private static func tripChanges(_ json: JSONObject) throws(JSONError) -> [ChangeTrip.Change] {
        var changes: [ChangeTrip.Change] = []
        if let value = json.optional("saleMode") { changes.append(.saleMode(try value.choice())) }
        // Here null is a value: it takes the opening away.
        for (name, value) in json.members where name == "salesOpenAt" {
            changes.append(.salesOpening(value.isNull ? nil : try value.instant()))
        }
        if let value = json.optional("isListed") { changes.append(.listed(try value.bool())) }
        if let value = json.optional("isActive") { changes.append(.active(try value.bool())) }
        if let value = json.optional("isArchived") { changes.append(.archived(try value.bool())) }
        return changes
    }

    private static func boatChanges(
        _ boat: BoatID, _ json: JSONObject
    ) throws(JSONError) -> [any Command] {
        var commands: [any Command] = []
        if let value = json.optional("capacity") {
            commands.append(ChangeBoatCapacity(boat: boat, capacity: try value.seatCount()))
        }
        if let value = json.optional("ticketTypes") {
            commands.append(
                SetBoatTicketTypes(boat: boat, ticketTypes: try value.list(ticketType)))
        }
        return commands
    }

    private static func sailingChanges(
        _ sailing: SailingID, _ json: JSONObject
    ) throws(JSONError) -> [any Command] {
        var commands: [any Command] = []
        // Here null is a value: the boat's capacity is the limit again.
        for (name, value) in json.members where name == "limit" {
            let limit = value.isNull ? nil : try value.seatCount()
            commands.append(SetSailingLimit(sailing: sailing, limit: limit))
        }
        if let value = json.optional("isPaused") {
            commands.append(PauseSales(sailing: sailing, isPaused: try value.bool()))
        }
        return commands
    }
}
