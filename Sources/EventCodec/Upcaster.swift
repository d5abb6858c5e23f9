internal import Domain
internal import JSON

/// Turns the data of an event from one version into that of the next: a pure function, which knows these two
/// versions and no others. What stands in the log is never touched.
///
/// They are chained, so that what reads an event knows the last version only. A type whose versions only gained
/// members that may be missing needs none: what is missing says so by itself.
struct Upcaster: Sendable {
    var type: EventType
    /// The version that it reads; it makes the next.
    var version: Int16
    var upcast: @Sendable (JSONObject, inout JSONWriter) throws(JSONError) -> Void

    static let chain = Chain([
        // All docks were in one country before there were others.
        Upcaster(type: .locationAdded, version: 1) { old, new throws(JSONError) in
            new.keep(old)
            new.field("country", Country.unitedStates.code)
        }
    ])

    /// All of them, found by what they read, because one is asked for by every event that was stored in an older
    /// version.
    struct Chain: Sendable {
        private let byVersion: [Step: Upcaster]

        private struct Step: Hashable {
            var type: EventType
            var version: Int16
        }

        init(_ all: [Upcaster]) {
            byVersion = Dictionary(
                uniqueKeysWithValues: all.map { (Step(type: $0.type, version: $0.version), $0) })
        }

        /// The one that reads a version, if it needs one.
        func step(_ type: EventType, _ version: Int16) -> Upcaster? {
            byVersion[Step(type: type, version: version)]
        }
    }

    /// The data of an event of `version` as that of `current`, one version after the other.
    static func upcast(
        _ data: [UInt8], of type: EventType, from version: Int16, to current: Int16,
        by chain: Chain = chain
    ) throws(JSONError) -> [UInt8] {
        var data = data
        for version in version..<current {
            guard let step = chain.step(type, version) else { continue }
            let old = try JSONDocument(data).root.object()
            var new = JSONWriter()
            var failure: JSONError?
            new.object { json in
                do throws(JSONError) {
                    try step.upcast(old, &json)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            data = new.bytes
        }
        return data
    }
}

extension JSONWriter {
    /// Writes the members of another object as they are.
    mutating func keep(_ object: JSONObject) {
        for (name, value) in object.members {
            self.name(name)
            self.value(json: value.source)
        }
    }
}
