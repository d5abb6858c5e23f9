import EventCodec

@testable import Domain

/// A world in memory whose models follow what is decided.
final class SeasonSource: ModelSource {
    private struct Key: Hashable {
        let model: ObjectIdentifier
        let entity: EntityID
    }

    private var models: [Key: any DecisionModel] = [:]
    private var keys: [EntityID: Set<Key>] = [:]
    private var log: [EntityID: [RecordedEvent]] = [:]

    func model<Model: DecisionModel>(_ type: Model.Type, of entity: EntityID) -> Model {
        let key = Key(model: ObjectIdentifier(type), entity: entity)
        if let known = models[key] as? Model { return known }
        var model = Model(of: entity)
        for event in log[entity] ?? [] where Model.types.contains(event.event.type) {
            model.evolve(event)
        }
        models[key] = model
        keys[entity, default: []].insert(key)
        return model
    }

    func claim(_ entity: EntityID, as types: Set<EventType>) {}

    func record(_ event: RecordedEvent) {
        for tag in event.event.tags {
            log[tag, default: []].append(event)
            for key in keys[tag] ?? [] { evolve(key, event) }
        }
    }

    private func evolve(_ key: Key, _ event: RecordedEvent) {
        guard var model = models[key], type(of: model).types.contains(event.event.type) else {
            return
        }
        model.evolve(event)
        models[key] = model
    }
}
