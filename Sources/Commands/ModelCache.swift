public import Domain
internal import EventCodec
internal import EventLog
public import Postgres

/// The decision models in memory, all of them brought up to one position.
///
/// It also takes note of what the decision under way looks at. Used by one decision loop only.
final class ModelCache: ModelSource {
    /// The position up to which every model in here knows all events that concern it.
    private(set) var position: Int64
    /// The furthest that any model is read up to. While it is ahead of `position`, nothing may be
    /// decided: events foreseen next would have positions that such a model takes for known.
    private(set) var knownTo: Int64
    private var slots: [EntityID: [any ModelSlot]] = [:]
    private(set) var count = 0
    private var clock = 0
    /// The last events, oldest first, without holes up to `position`.
    private var recent: [RecordedEvent] = []
    private(set) var notes = Notes()
    /// Events of the batch under way, which may yet fail, and the slots that know of them.
    private var anticipated: [RecordedEvent] = []
    /// Each once.
    private var touched: [any ModelSlot] = []
    /// When the event at ``position`` was recorded, where that is known: by it a log is recognised.
    private var positionRecordedAt: Int64?
    /// Whether models are kept as they were before the batch under way. It costs a copy of each that the batch changes, and
    /// saves reading it anew where others append as well.
    var keepsBackups = false
    /// The size of a model from which a copy for each batch costs more than reading it anew now and then.
    static let backupLimit = 1_000

    static let recentLimit = 4096

    /// What one decision looked at.
    struct Notes {
        var looked: [any ModelSlot] = []
        var claims: [QueryItem] = []
        var missing: [MissingModel] = []
    }

    init(position: Int64) {
        self.position = position
        knownTo = position
    }

    // MARK: What decisions see

    func beginDecision() {
        notes = Notes()
    }

    func model<Model: DecisionModel>(_ type: Model.Type, of entity: EntityID) -> Model {
        guard let slot = slot(of: ObjectIdentifier(type), entity) as? Slot<Model> else {
            let missing = MissingModel(type, entity)
            if !notes.missing.contains(where: { $0.key == missing.key }) {
                notes.missing.append(missing)
            }
            return Model(of: entity)
        }
        clock += 1
        slot.lastUse = clock
        if !notes.looked.contains(where: { $0 === slot }) { notes.looked.append(slot) }
        return slot.model
    }

    func claim(_ entity: EntityID, as types: Set<EventType>) {
        notes.claims.append(
            QueryItem(types: Set(types.map(\.rawValue)), tags: [PostgresUUID(entity)]))
    }

    /// The boundary of the decision that was just made.
    func conditions() -> [ConditionItem] {
        notes.looked.map { ConditionItem(item: $0.item, after: max(position, $0.settledTo)) }
            + notes.claims.map { ConditionItem(item: $0, after: 0) }
    }

    // MARK: Events

    /// Applies an event, found by `tags`, that is not committed yet; `takeBack` undoes it. With `keepingAll`, also models
    /// stay that are large.
    func anticipate(_ recorded: RecordedEvent, tags: [EntityID], keepingAll: Bool) {
        anticipated.append(recorded)
        let limit = keepingAll ? .max : keepsBackups ? Self.backupLimit : 0
        forEachSlot(concernedBy: recorded.event.type, tags) { slot in
            if slot.touch(keepingBelow: limit) { touched.append(slot) }
            slot.evolve(recorded)
        }
    }

    /// What was anticipated came true, at the positions that were foreseen.
    func settle(_ events: [RecordedEvent], recordedAt: Int64) {
        for slot in touched { slot.settle() }
        anticipated.removeAll()
        touched.removeAll()
        remember(events, recordedAt: recordedAt)
    }

    /// What was anticipated did not come true, or elsewhere: the models it changed are as they were, or dropped where
    /// they were not kept.
    func takeBack() {
        for slot in touched where !slot.restore() { remove(slot) }
        anticipated.removeAll()
        touched.removeAll()
    }

    /// Applies the committed events that follow on `position`, in order, the last of them recorded at `recordedAt`. No batch
    /// is under way.
    func apply(_ events: [RecordedEvent], recordedAt: Int64) {
        precondition(anticipated.isEmpty, "following the log while a batch is under way")
        for recorded in events {
            forEachSlot(concernedBy: recorded.event.type, recorded.event.tags) {
                $0.evolve(recorded)
            }
        }
        remember(events, recordedAt: recordedAt)
    }

    /// Whether what the log has at ``position`` is what is known of it; where nothing is yet, it is learnt.
    func recognises(_ event: LoggedEvent?) -> Bool {
        guard let event, event.position == position else { return false }
        if positionRecordedAt == nil { positionRecordedAt = event.recordedAt }
        return event.recordedAt == positionRecordedAt
    }

    private func remember(_ events: [RecordedEvent], recordedAt: Int64) {
        guard let last = events.last else { return }
        recent += events
        if recent.count > 2 * Self.recentLimit {
            recent.removeFirst(recent.count - Self.recentLimit)
        }
        (position, positionRecordedAt) = (last.position, recordedAt)
        knownTo = max(knownTo, position)
    }

    /// Drops everything: the log has gone on too far to follow.
    func restart(at position: Int64) {
        slots.removeAll()
        anticipated.removeAll()
        touched.removeAll()
        recent.removeAll()
        count = 0
        (self.position, positionRecordedAt) = (position, nil)
        knownTo = position
    }

    // MARK: Coming and going

    /// Takes a model that was read aside. False when it is too old to be brought up to date.
    func insert<Model: DecisionModel>(
        _ model: Model, of entity: EntityID, completeTo: Int64
    ) -> Bool {
        guard slot(of: ObjectIdentifier(Model.self), entity) == nil else { return true }
        if completeTo < position {
            guard let oldest = recent.first?.position, oldest <= completeTo + 1 else {
                return false
            }
        }
        knownTo = max(knownTo, completeTo)
        let slot = Slot(model, of: entity, completeTo: completeTo)
        for recorded in recent
        where recorded.position > completeTo && slot.isConcerned(by: recorded) {
            slot.evolve(recorded)
        }
        for recorded in anticipated where slot.isConcerned(by: recorded) {
            if slot.touch(keepingBelow: keepsBackups ? Self.backupLimit : 0) {
                touched.append(slot)
            }
            slot.evolve(recorded)
        }
        clock += 1
        slot.lastUse = clock
        slots[entity, default: []].append(slot)
        count += 1
        return true
    }

    /// Drops the least recently used models, a tenth of the limit at a time.
    func shrink(to limit: Int) {
        guard count > limit else { return }
        let oldest = slots.values.joined().sorted { $0.lastUse < $1.lastUse }
        for slot in oldest.prefix(count - limit + limit / 10) { remove(slot) }
    }

    private func slot(of type: ObjectIdentifier, _ entity: EntityID) -> (any ModelSlot)? {
        slots[entity]?.first { $0.type == type }
    }

    private func forEachSlot(
        concernedBy type: EventType, _ tags: [EntityID], _ body: (any ModelSlot) -> Void
    ) {
        for tag in tags {
            for slot in slots[tag] ?? [] where slot.concerns(type) { body(slot) }
        }
    }

    private func remove(_ slot: any ModelSlot) {
        guard let index = slots[slot.entity]?.firstIndex(where: { $0 === slot }) else { return }
        slots[slot.entity]?.remove(at: index)
        if slots[slot.entity]?.isEmpty ?? false { slots[slot.entity] = nil }
        count -= 1
    }
}

/// A model in memory, whatever its type.
protocol ModelSlot: AnyObject {
    var type: ObjectIdentifier { get }
    var entity: EntityID { get }
    var item: QueryItem { get }
    /// What was read from the log is known up to here, which may be ahead of the cache.
    var settledTo: Int64 { get }
    var lastUse: Int { get }
    func concerns(_ type: EventType) -> Bool
    /// Folds an event in, unless the model knows it already.
    func evolve(_ recorded: RecordedEvent)
    /// To be called before events of the batch under way are folded in; true when it is the first time. Then the model is kept
    /// as it is, if its size is below a limit.
    func touch(keepingBelow limit: Int) -> Bool
    /// Makes it what it was before the batch under way; false where that was not kept.
    func restore() -> Bool
    /// The batch under way came true.
    func settle()
}

private final class Slot<Model: DecisionModel>: ModelSlot {
    var model: Model
    let entity: EntityID
    let item: QueryItem
    let settledTo: Int64
    /// The last event folded in; one of the batch under way may be among them.
    private var foldedTo: Int64
    var lastUse = 0
    private let types = Model.types
    private var isTouched = false
    private var backup: (model: Model, foldedTo: Int64)?

    init(_ model: Model, of entity: EntityID, completeTo: Int64) {
        self.model = model
        self.entity = entity
        settledTo = completeTo
        foldedTo = completeTo
        item = QueryItem(
            types: Set(Model.types.map(\.rawValue)), tags: [PostgresUUID(entity)])
    }

    var type: ObjectIdentifier { ObjectIdentifier(Model.self) }

    func concerns(_ type: EventType) -> Bool { types.contains(type) }

    func isConcerned(by recorded: RecordedEvent) -> Bool {
        concerns(recorded.event.type) && recorded.event.tags.contains(entity)
    }

    func evolve(_ recorded: RecordedEvent) {
        guard recorded.position > foldedTo else { return }
        model.evolve(recorded)
        foldedTo = recorded.position
    }

    func touch(keepingBelow limit: Int) -> Bool {
        guard !isTouched else { return false }
        isTouched = true
        if limit > 0, model.size < limit { backup = (model, foldedTo) }
        return true
    }

    func restore() -> Bool {
        defer { settle() }
        guard let backup else { return false }
        (model, foldedTo) = backup
        return true
    }

    func settle() {
        (isTouched, backup) = (false, nil)
    }
}

/// A model that a decision looked at and that is not in memory.
struct MissingModel: Sendable {
    struct Key: Hashable, Sendable {
        var type: ObjectIdentifier
        var entity: EntityID
    }

    let key: Key
    private let type: any DecisionModel.Type

    init(_ type: any DecisionModel.Type, _ entity: EntityID) {
        key = Key(type: ObjectIdentifier(type), entity: entity)
        self.type = type
    }

    /// Events read at a time, so that a long history takes time and not memory.
    static let pageLimit = 1000

    /// Folds it from the log.
    func load(
        from log: EventLog, at now: Instant
    ) async throws -> (model: any DecisionModel, completeTo: Int64) {
        var model: any DecisionModel = type.init(of: key.entity)
        let item = QueryItem(
            types: Set(type.types.map(\.rawValue)), tags: [PostgresUUID(key.entity)])
        var position: Int64 = 0
        while true {
            let (events, completeTo) = try await log.read(
                item, after: position, limit: Self.pageLimit)
            for event in events { model.evolve(try RecordedEvent(event, at: now)) }
            position = completeTo
            if events.count < Self.pageLimit { return (model, completeTo) }
        }
    }
}

extension PostgresUUID {
    public init(_ id: EntityID) {
        self.init(high: id.high, low: id.low)
    }
}

extension RecordedEvent {
    /// What the log has recorded as of later than `now` counts as of now, see ``init(_:at:)``.
    static func clamped(_ events: [RecordedEvent], to now: Instant) -> [RecordedEvent] {
        guard let last = events.last, last.recordedAt > now else { return events }
        return events.map { event in
            RecordedEvent(
                position: event.position, recordedAt: min(event.recordedAt, now), event: event.event
            )
        }
    }

    /// With `now`, what a database whose clock was ahead has recorded as of later counts as of now: until its clock has made
    /// up for that, holds would seem to have run out.
    init(_ event: LoggedEvent, at now: Instant? = nil) throws(EventCodecError) {
        let recordedAt = Instant(microseconds: event.recordedAt)
        self.init(
            position: event.position, recordedAt: now.map { min(recordedAt, $0) } ?? recordedAt,
            event: try EventCodec.decode(
                type: event.type, schemaVersion: event.schemaVersion, data: event.data))
    }
}
