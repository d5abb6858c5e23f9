internal import Domain
internal import JSON

/// What operators decide about the log.
extension EventCodec {
    static func write(_ fact: LogEpochBegun, to json: inout JSONWriter) {
        json.field("log", fact.log)
        json.field("epoch", fact.epoch)
        json.field("from", fact.from)
        json.field("publishedUpTo", fact.publishedUpTo)
        json.field("reason", fact.reason)
    }

    static func epoch(_ json: JSONObject) throws(JSONError) -> LogEpochBegun {
        LogEpochBegun(
            log: try json["log"].id(), epoch: try json["epoch"].integer(),
            from: try json.optional("from").map { value throws(JSONError) in
                Int64(try value.integer())
            },
            publishedUpTo: Int64(try json["publishedUpTo"].integer()),
            reason: try json["reason"].string())
    }

    static func write(_ fact: ProjectionEventSkipped, to json: inout JSONWriter) {
        json.field("log", fact.log)
        json.field("projection", fact.projection)
        json.field("position", fact.position)
        json.field("reason", fact.reason)
    }

    static func skip(_ json: JSONObject) throws(JSONError) -> ProjectionEventSkipped {
        ProjectionEventSkipped(
            log: try json["log"].id(), projection: try json["projection"].string(),
            position: Int64(try json["position"].integer()), reason: try json["reason"].string())
    }
}
