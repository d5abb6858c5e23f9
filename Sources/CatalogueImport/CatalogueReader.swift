internal import Crypto
internal import Domain
internal import Yams

/// Walks a catalogue file, gathers what it adds and what is wrong with it.
struct CatalogueReader {
    private var list: FaultList
    private(set) var additions: [AddToCatalogue.Addition] = []
    private(set) var differences: [EntityID: CatalogueFault] = [:]
    private var locations: Set<String> = []
    private var jurisdictions: Set<String> = []
    private var providers: [String: (location: String, jurisdiction: String)] = [:]
    private var boats: [(reference: String, location: String)] = []
    private var jurisdictionLocations: [String: String] = [:]
    private var trips: [TripPlan] = []
    private var launches: Set<String> = []

    /// What the file says of the trips of each attempt.
    private struct TripPlan {
        var kind: TripKind
        var minutesBeforeLiftOff: Int
        var saleMode: SaleMode
        var boats: [String]?
    }

    static let sections = [
        "locations", "jurisdictions", "providers", "boats", "launches", "tripsPerAttempt",
    ]
    static let capacityLimit = 10_000
    /// Taxes of the file hold for all times that anybody asks about.
    static let taxesEffectiveFrom = Instant(microseconds: 0)

    init(file: String) {
        list = FaultList(file: file)
    }

    var faults: [CatalogueFault] { list.faults }

    mutating func read(_ root: Node) {
        guard let file = list.object(root, "the file", Self.sections) else { return }
        eachNamed(file, "locations") { $0.location($1, $2) }
        eachNamed(file, "jurisdictions") { $0.jurisdiction($1, $2) }
        eachNamed(file, "providers") { $0.provider($1, $2) }
        eachNamed(file, "boats") { $0.boat($1, $2) }
        each(file, "tripsPerAttempt") { $0.tripPlan($1) }
        each(file, "launches") { $0.launch($1) }
    }

    /// The id of the thing that the file calls so.
    static func id<K>(_ kind: String, _ reference: String) -> ID<K> {
        ID(EntityID(ofDigest: SHA256.hash(data: Array("catalogue/\(kind)/\(reference)".utf8))))
    }

    // MARK: Sections

    private mutating func eachNamed(
        _ file: YAMLObject, _ section: String,
        _ read: (inout CatalogueReader, String, Node) -> Void
    ) {
        guard let node = file[section] else { return }
        guard let mapping = node.mapping else {
            return list.add(node, "'\(section)' must be a mapping of names to things")
        }
        for (name, value) in mapping {
            guard let reference = name.string, !reference.isEmpty else {
                list.add(name, "a name must be a text")
                continue
            }
            read(&self, reference, value)
        }
    }

    private mutating func each(
        _ file: YAMLObject, _ section: String, _ read: (inout CatalogueReader, Node) -> Void
    ) {
        guard let node = file[section] else { return }
        guard let sequence = node.sequence else {
            return list.add(node, "'\(section)' must be a list")
        }
        for value in sequence { read(&self, value) }
    }

    /// A name that stands elsewhere in the file.
    private mutating func reference(
        _ object: YAMLObject, _ name: String, to known: some Collection<String>
    ) -> String? {
        guard let text = list.text(object, name) else { return nil }
        guard known.contains(text) else {
            let names = known.sorted().joined(separator: ", ")
            if let node = object[name] {
                list.add(node, "there is no \(name) '\(text)' in this file; there are \(names)")
            }
            return nil
        }
        return text
    }

    /// The id of a thing of the file, which may be there already with other terms.
    private mutating func id<K>(_ kind: String, _ reference: String, at node: Node) -> ID<K> {
        let id: ID<K> = Self.id(kind, reference)
        differences[id.entity] = list.fault(
            at: node, "the \(kind) '\(reference)' is there already, and reads differently there")
        return id
    }

    // MARK: Things

    private mutating func location(_ reference: String, _ node: Node) {
        locations.insert(reference)
        guard
            let object = list.object(
                node, "a location", ["name", "region", "country", "timeZone"])
        else { return }
        let name = list.text(object, "name")
        let region = list.text(object, "region", .label)
        let zone = list.timeZone(object, "timeZone")
        let country = list.country(object, "country")
        guard let name, let region, let country, let zone else { return }
        additions.append(
            .location(
                LocationAdded(
                    location: id("location", reference, at: node), name: name, region: region,
                    country: country, timeZone: zone)))
    }

    private mutating func jurisdiction(_ reference: String, _ node: Node) {
        jurisdictions.insert(reference)
        guard
            let object = list.object(
                node, "a jurisdiction", ["name", "location", "salesTaxBasisPoints"])
        else { return }
        let name = list.text(object, "name")
        let location = self.reference(object, "location", to: locations)
        let rate = list.number(object, "salesTaxBasisPoints", in: 0...10_000)
        guard let name, let location, let rate = rate.flatMap(BasisPoints.init) else { return }
        jurisdictionLocations[reference] = location
        additions.append(
            .jurisdiction(
                JurisdictionAdded(
                    jurisdiction: id("jurisdiction", reference, at: node),
                    location: Self.id("location", location), name: name),
                rate: rate, effectiveFrom: Self.taxesEffectiveFrom))
    }

    private mutating func provider(_ reference: String, _ node: Node) {
        providers[reference] = ("", "")
        let names = ["name", "dock", "address", "jurisdiction", "mapLink"]
        guard let object = list.object(node, "a provider", names) else { return }
        let name = list.text(object, "name")
        let dock = list.text(object, "dock")
        let address = list.text(object, "address", .address)
        let jurisdiction = self.reference(object, "jurisdiction", to: jurisdictions)
        let mapLink = object["mapLink"] == nil ? nil : list.text(object, "mapLink", .address)
        guard let name, let dock, let address, let jurisdiction else { return }
        providers[reference] = (jurisdictionLocations[jurisdiction] ?? "", jurisdiction)
        additions.append(
            .provider(
                ProviderAdded(
                    provider: id("provider", reference, at: node),
                    jurisdiction: Self.id("jurisdiction", jurisdiction), name: name, dock: dock,
                    address: address, mapLink: mapLink)))
    }

    private mutating func boat(_ reference: String, _ node: Node) {
        if let fault = Text.label.fault(in: reference) {
            list.add(node, "a boat's name here \(fault)")
        }
        guard
            let object = list.object(node, "a boat", ["name", "provider", "capacity", "tickets"])
        else { return }
        let name = list.text(object, "name")
        let provider = self.reference(object, "provider", to: providers.keys)
        let capacity = list.number(object, "capacity", in: 1...Self.capacityLimit)
        let types = ticketTypes(of: reference, object)
        guard let name, let provider, let capacity, !types.isEmpty else { return }
        boats.append((reference, providers[provider]?.location ?? ""))
        let jurisdiction = providers[provider]?.jurisdiction ?? ""
        additions.append(
            .boat(
                BoatRegistered(
                    boat: id("boat", reference, at: node), provider: Self.id("provider", provider),
                    jurisdiction: Self.id("jurisdiction", jurisdiction), name: name,
                    slug: reference, capacity: capacity, ticketTypes: types)))
    }

    /// `Adult: 12900`, or `Upper deck: { price: 17900, seats: 24 }`.
    private mutating func ticketTypes(of boat: String, _ object: YAMLObject) -> [TicketType] {
        guard let node = object["tickets"], let mapping = node.mapping, !mapping.isEmpty else {
            list.add(
                object["tickets"] ?? object.node, "'tickets' must name at least one ticket type")
            return []
        }
        var types: [TicketType] = []
        for (label, value) in mapping {
            guard let name = label.string, Text.label.fault(in: name) == nil else {
                list.add(label, "a ticket type's label must be a text of 1 to 64 characters")
                continue
            }
            var price: Int?
            var cap = TicketType.Cap.shared
            if value.mapping != nil {
                guard let terms = list.object(value, "a ticket type", ["price", "seats"]) else {
                    continue
                }
                price = list.number(terms, "price", in: 0...Money.minorUnitsLimit)
                if let seats = terms["seats"] {
                    guard let count = list.number(seats, "seats", in: 0...Self.capacityLimit) else {
                        continue
                    }
                    cap = .fixed(count)
                }
            } else {
                price = list.number(value, name, in: 0...Money.minorUnitsLimit)
            }
            guard let price else { continue }
            types.append(
                TicketType(
                    id: Self.id("ticketType", "\(boat)/\(name)"), label: name,
                    price: Money(minorUnits: price), cap: cap))
        }
        return types
    }

    private mutating func tripPlan(_ node: Node) {
        let names = ["kind", "departsBeforeLiftOffMinutes", "saleMode", "boats"]
        guard let object = list.object(node, "a trip", names) else { return }
        let kind = list.choice(object, "kind", of: TripKind.self)
        let minutes = list.number(object, "departsBeforeLiftOffMinutes", in: -1440...10_080)
        let mode = list.choice(object, "saleMode", of: SaleMode.self)
        let boats = chosenBoats(object)
        guard let kind, let minutes, let mode else { return }
        trips.append(
            TripPlan(kind: kind, minutesBeforeLiftOff: minutes, saleMode: mode, boats: boats))
    }

    /// nil for all boats of the location.
    private mutating func chosenBoats(_ object: YAMLObject) -> [String]? {
        guard let node = object["boats"] else {
            list.add(object.node, "'boats' is missing: all, or a list of boats")
            return nil
        }
        if node.string == "all" { return nil }
        guard let sequence = node.sequence else {
            list.add(node, "'boats' must be all, or a list of boats")
            return nil
        }
        var chosen: [String] = []
        for boat in sequence {
            guard let name = boat.string, boats.contains(where: { $0.reference == name }) else {
                let known = boats.map(\.reference).joined(separator: ", ")
                list.add(
                    boat,
                    "there is no boat '\(boat.string ?? "?")' in this file; there are \(known)")
                continue
            }
            chosen.append(name)
        }
        if sequence.isEmpty { list.add(node, "'boats' must be all, or a list of one boat or more") }
        return chosen
    }

    /// Each attempt is one mission; the launch's target is that of the last.
    private mutating func launch(_ node: Node) {
        guard
            let object = list.object(node, "a launch", ["name", "location", "summary", "attempts"])
        else { return }
        let name = list.text(object, "name")
        let location = reference(object, "location", to: locations)
        let summary = object["summary"] == nil ? nil : list.text(object, "summary", .summary)
        var attempts: [Instant] = []
        if let node = object["attempts"], let sequence = node.sequence, !sequence.isEmpty {
            for attempt in sequence {
                guard let instant = list.instant(attempt) else { continue }
                if let last = attempts.last, instant <= last {
                    list.add(attempt, "an attempt must be later than the one before it")
                }
                attempts.append(instant)
            }
        } else {
            list.add(object["attempts"] ?? object.node, "'attempts' must be a list of times")
        }
        guard let name, let location, let last = attempts.last else { return }
        guard launches.insert("\(location)/\(name)").inserted else {
            return list.add(
                object["name"] ?? node,
                "there is a launch '\(name)' at \(location) in this file already")
        }
        let launch: LaunchID = id("launch", "\(location)/\(name)", at: node)
        additions.append(
            .launch(
                LaunchAnnounced(
                    launch: launch, location: Self.id("location", location), name: name,
                    summary: summary, liftOff: last, confidence: .confirmed)))
        for (index, attempt) in attempts.enumerated() {
            mission(index + 1, at: attempt, of: launch, "\(location)/\(name)", at: location)
        }
    }

    private mutating func mission(
        _ number: Int, at liftOff: Instant, of launch: LaunchID, _ reference: String,
        at location: String
    ) {
        let mission: MissionID = Self.id("mission", "\(reference)/\(number)")
        additions.append(
            .mission(
                MissionPlanned(
                    mission: mission, launch: launch, name: "Take \(number)",
                    refundCutoffHours: 12)))
        for (index, plan) in trips.enumerated() {
            let here = boats.filter {
                $0.location == location && plan.boats?.contains($0.reference) ?? true
            }
            // Its boats are all elsewhere.
            if plan.boats != nil, here.isEmpty { continue }
            let trip: TripID = Self.id("trip", "\(reference)/\(number)/\(index + 1)")
            let departure = liftOff - .minutes(plan.minutesBeforeLiftOff)
            additions.append(
                .trip(
                    TripScheduled(
                        trip: trip, mission: mission, launch: launch,
                        location: Self.id("location", location), kind: plan.kind, label: nil,
                        times: TripTimes(departure: departure, of: plan.kind),
                        saleMode: plan.saleMode, salesOpenAt: nil, isListed: true)))
            for boat in here {
                additions.append(
                    .sailing(
                        BoatAssigned(
                            sailing: Self.id(
                                "sailing", "\(reference)/\(number)/\(index + 1)/\(boat.reference)"),
                            trip: trip, mission: mission, launch: launch,
                            boat: Self.id("boat", boat.reference),
                            jurisdiction: ID(trip.entity), limit: nil, ticketTypes: [])))
            }
        }
    }
}
