import Domain
import Foundation
import JSON
import Sealing
import Testing

@testable import EventCodec

@Suite struct EventCodecTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures")

    @Test("has a sample of every type of event")
    func hasSamples() {
        #expect(Set(Samples.all.map(\.type)) == Set(EventType.allCases))
    }

    @Test("has a sample of every event that was ever stored")
    func readsEveryFixture() throws {
        let read =
            Samples.all.map { ($0, EventCodec.schemaVersion(of: $0.type)) }
            + Samples.older.map { ($0.event, $0.version) }
        let stored = try FileManager.default.contentsOfDirectory(atPath: Self.fixtures.path)
        #expect(Set(stored) == Set(read.map { "\($0.0.type.name).\($0.1).json" }))
    }

    @Test("reads and writes every stored event to the byte, for ever", arguments: Samples.all)
    func keepsFixtures(_ event: Event) throws {
        let stored = EventCodec.encode(event)
        let file = Self.fixtures.appendingPathComponent(
            "\(event.type.name).\(stored.schemaVersion).json")
        if ProcessInfo.processInfo.environment["QUARTERMASTER_WRITE_FIXTURES"] != nil,
            !FileManager.default.fileExists(atPath: file.path)
        {
            try Data(stored.data).write(to: file)
        }
        let bytes = Array(try Data(contentsOf: file))
        #expect(
            String(decoding: stored.data, as: UTF8.self) == String(decoding: bytes, as: UTF8.self))
        let read = try EventCodec.decode(
            type: stored.type, schemaVersion: stored.schemaVersion, data: bytes)
        #expect(read == event)
    }

    @Test("takes an old event from version to version, and leaves out none that is needed")
    func chainsUpcasters() throws {
        let chain = Upcaster.Chain(
            [1, 2, 4].map { version in
                Upcaster(type: .boatRegistered, version: version) { old, new throws(JSONError) in
                    new.keep(old)
                    switch version {
                    case 1: new.field("first", 1)
                    // Each sees what the one before has made.
                    case 2: new.field("second", try old["first"].integer() + 1)
                    default: _ = try old["nothing"]
                    }
                }
            })
        func upcast(from version: Int16, to current: Int16) throws -> String {
            let bytes = try Upcaster.upcast(
                Array("{}".utf8), of: .boatRegistered, from: version, to: current, by: chain)
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(try upcast(from: 1, to: 2) == #"{"first":1}"#)
        #expect(try upcast(from: 1, to: 3) == #"{"first":1,"second":2}"#)
        // The third has only gained what may be missing.
        #expect(try upcast(from: 1, to: 4) == #"{"first":1,"second":2}"#)
        #expect(throws: JSONError.self) { try upcast(from: 2, to: 3) }
        #expect(throws: JSONError.self) { try upcast(from: 4, to: 5) }
    }

    @Test("reads what was written in older versions", arguments: Samples.older)
    func readsOlderVersions(_ event: Event, version: Int16) throws {
        let file = Self.fixtures.appendingPathComponent("\(event.type.name).\(version).json")
        let read = try EventCodec.decode(
            type: event.type.rawValue, schemaVersion: version,
            data: Array(try Data(contentsOf: file)))
        #expect(read == event)
    }

    @Test("says which type or version it does not know")
    func refusesUnknown() {
        #expect(throws: EventCodecError(kind: .unknownType(999))) {
            try EventCodec.decode(type: 999, schemaVersion: 1, data: Array("{}".utf8))
        }
        #expect(throws: EventCodecError(kind: .unknownVersion(.tripListed, 7))) {
            try EventCodec.decode(type: 18, schemaVersion: 7, data: Array("{}".utf8))
        }
        #expect(throws: EventCodecError.self) {
            try EventCodec.decode(type: 18, schemaVersion: 1, data: Array("{}".utf8))
        }
    }

    @Test("tags each event with each of its entities once")
    func tagsOnce() {
        for event in Samples.all {
            #expect(!event.tags.isEmpty)
            #expect(Set(event.tags).count == event.tags.count)
        }
    }
}

@Suite struct SealingTests {
    private let contact = Contact(
        firstName: "Ada", lastName: "Lovelace \u{1F680}", email: "ada@example.org", phone: nil,
        address: "12 Square", specialRequests: "a\nb")
    private let customer = CustomerID(EntityID(high: 1, low: 2))

    @Test("opens what it sealed, for the same customer with the same key only")
    func seals() {
        let key = CustomerKey()
        let sealed = key.seal(contact, of: customer)
        #expect(key.open(sealed, of: customer) == contact)
        #expect(CustomerKey(bytes: key.bytes)?.open(sealed, of: customer) == contact)
        #expect(key.open(sealed, of: CustomerID(EntityID(high: 1, low: 3))) == nil)
        #expect(CustomerKey().open(sealed, of: customer) == nil)
    }

    @Test("shows nothing of a name in what it sealed, and opens nothing that was altered")
    func hides() {
        let key = CustomerKey()
        var sealed = key.seal(contact, of: customer)
        #expect(!String(decoding: sealed.bytes, as: UTF8.self).contains("Ada"))
        sealed.bytes[20] ^= 1
        #expect(key.open(sealed, of: customer) == nil)
        #expect(key.open(Sealed(bytes: []), of: customer) == nil)
    }
}

@Suite struct JSONTests {
    @Test(
        "refuses what is not JSON",
        arguments: [
            "", "{", "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "01", "1.", "\"\u{1}\"", "nul",
            "\"\\x\"", "\"\\ud800\"", "{}x", "[1 2]", "{a:1}", "'a'",
            String(repeating: "[", count: 100),
            "{" + (0...64).map { "\"\($0)\":0" }.joined(separator: ",") + "}",
        ])
    func refuses(_ text: String) {
        #expect(throws: JSONError.self) { try JSONDocument(Array(text.utf8)) }
    }

    @Test("refuses broken UTF-8")
    func refusesBrokenUTF8() {
        #expect(throws: JSONError.self) { try JSONDocument([0x22, 0xC3, 0x28, 0x22]) }
    }

    @Test("reads escapes, and writes what it can read")
    func readsEscapes() throws {
        let text = #"{"a":"\u0041\ud83d\ude80\n\"\\","b":[1,-2,{"c":null}],"d":true}"#
        let json = try JSONDocument(Array(text.utf8)).root.object()
        #expect(try json["a"].string() == "A🚀\n\"\\")
        #expect(try json["b"].array()[1].integer() == -2)
        let zoned = try JSONDocument(Array(#"["2026-11-22T18:30:00\u002b01:00", 7]"#.utf8)).root
        #expect(try zoned.array()[0].instant() == Instant("2026-11-22T17:30:00Z"))
        let error = #expect(throws: JSONError.self) { try zoned.array()[1].instant() }
        #expect(error?.reason == "must be a string")
        let written = JSONWriter.write { $0.object { $0.field("a", "A🚀\n\"\\") } }
        #expect(try JSONDocument(written).root.object()["a"].string() == "A🚀\n\"\\")
    }

    @Test("sees what is special in a string at every place, and only that")
    func seesSpecials() throws {
        for length in 1..<40 {
            for place in 0..<length {
                for special in ["\"", "\\", "\u{1F}", "\u{80}", "é", "🚀", " ", "!", "\u{7F}"] {
                    var characters = Array(repeating: "x", count: length)
                    characters[place] = special
                    let text = characters.joined()
                    let written = JSONWriter.write { $0.array([text, text]) { $0.value($1) } }
                    let read = try JSONDocument(written).root.array().map { try $0.string() }
                    #expect(read == [text, text])
                }
                var bytes = Array("[\"\(String(repeating: "x", count: length))\"]".utf8)
                bytes[2 + place] = 0x1F
                #expect(throws: JSONError.self) { try JSONDocument(bytes) }
            }
        }
    }

    @Test("names the place of a mistake")
    func namesPlaces() throws {
        let json = try JSONDocument(Array(#"{"lines":[{"x":1},{"x":"a"}]}"#.utf8)).root.object()
        let error = #expect(throws: JSONError.self) {
            try json["lines"].array()[1].object()["x"].integer()
        }
        #expect(error?.path == "lines[1].x")
        let missing = #expect(throws: JSONError.self) {
            try json["lines"].array()[0].object()["y"]
        }
        #expect(missing?.path == "lines[0].y")
    }
}
