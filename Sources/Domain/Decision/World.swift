/// What one rule remembers of the log: a fold over the events of ``types`` that carry one entity.
///
/// `evolve` never fails: it accepts every event ever stored. Answers cost the same however long
/// the log is, so a model keeps running figures.
public protocol DecisionModel: Sendable {
    static var types: Set<EventType> { get }
    init(of entity: EntityID)
    mutating func evolve(_ recorded: RecordedEvent)
    /// About how many things it remembers one by one: what a copy of it costs.
    var size: Int { get }
}

extension DecisionModel {
    public var size: Int { 1 }
}

/// Where a decision's models come from, and who takes note that they were looked at.
public protocol ModelSource: AnyObject {
    func model<Model: DecisionModel>(_ type: Model.Type, of entity: EntityID) -> Model
    func claim(_ entity: EntityID, as types: Set<EventType>)
}

/// The world as a decision sees it. What a decision looked at is its consistency boundary.
public struct World: ~Copyable {
    private let source: any ModelSource

    public init(source: any ModelSource) {
        self.source = source
    }

    /// The model of `entity`, noted as something that the decision rests on.
    public func look<Model: DecisionModel, Kind>(
        at type: Model.Type, of entity: ID<Kind>
    ) -> Model {
        source.model(type, of: entity.entity)
    }

    /// Notes that the decision rests on there being no event of `types` about `entity`.
    public func claim(_ entity: EntityID, as types: Set<EventType>) {
        source.claim(entity, as: types)
    }
}

/// Something to find out by looking at the world; pure, so it may be asked again at will.
public protocol Question: Sendable {
    associatedtype Answer: Sendable
    func answer(in world: borrowing World, at now: Instant) throws(Refusal) -> Answer
}

/// An order to the system: looks at what it needs, then answers with facts or a refusal.
///
/// A command that asks for what is already so answers with no facts.
public protocol Command: Sendable {
    func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event]
}
