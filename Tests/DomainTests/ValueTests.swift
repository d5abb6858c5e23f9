import Testing

@testable import Domain

@Suite struct ValueTests {
    @Test(
        "reads and writes RFC 3339",
        arguments: [
            ("2026-11-22T17:30:00Z", "2026-11-22T17:30:00Z"),
            ("2026-11-22T12:30:00.5-05:00", "2026-11-22T17:30:00.5Z"),
            ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
            ("2024-02-29t00:00:00z", "2024-02-29T00:00:00Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ])
    func readsInstants(_ text: String, _ written: String) {
        #expect(Instant(text)?.description == written)
    }

    @Test(
        "refuses what is no instant",
        arguments: [
            "2026-11-22T17:30:00", "2026-11-22", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
            "2026-11-22T24:00:00Z", "2026-11-22T17:30Z", "2026-11-22T17:30:00.Z", "", "now",
            // In UTC, they lie in years that can't be written down.
            "9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:60Z",
        ])
    func refusesBadInstants(_ text: String) {
        #expect(Instant(text) == nil)
    }

    @Test("turns days into dates and back")
    func convertsDates() {
        for days in stride(from: Int64(-700_000), to: 2_900_000, by: 997) {
            #expect(CivilDate(daysSince1970: days).daysSince1970 == days)
        }
    }

    @Test("writes ids in lower case, reads both, and refuses others")
    func readsIDs() {
        let text = "0190b2a4-5c3e-7d2a-9f11-2b7c6d1e0f3a"
        #expect(EntityID(text)?.description == text)
        #expect(EntityID(text.uppercased())?.description == text)
        #expect(EntityID(bytes: EntityID(text)!.bytes)?.description == text)
        for bad in ["", "0190b2a4", text + "0", text.replacing("-", with: "_")] {
            #expect(EntityID(bad) == nil)
        }
        // What stands beside the digits in ASCII, at each place.
        for place in 0..<36 {
            for wrong in "/:@G`gö\u{B0}\0" {
                var characters = Array(text)
                characters[place] = wrong
                #expect(EntityID(String(characters)) == nil)
            }
        }
    }

    @Test("writes bytes as digits and reads them back, whatever their number")
    func readsHexadecimal() {
        for count in 0..<40 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255) }
            let digits = Hexadecimal.digits(of: bytes)
            let expected = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            #expect(digits == Array(expected.utf8))
            #expect(digits.withUnsafeBytes { Hexadecimal.bytes(of: $0) } == bytes)
            for place in digits.indices {
                var wrong = digits
                wrong[place] = UInt8(ascii: "g")
                #expect(wrong.withUnsafeBytes { Hexadecimal.bytes(of: $0) } == nil)
            }
        }
    }

    @Test("reads a confirmation code as it was written, in either case")
    func readsCodes() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<1000 {
            let code = ConfirmationCode.random(using: &generator)
            #expect(code.description.count == 8)
            #expect(ConfirmationCode(code.description.lowercased()) == code)
        }
        for bad in ["", "ABCDEFG", "ABCDEFG0", "ABCDEFGHI", "ABCDEFG1"] {
            #expect(ConfirmationCode(bad) == nil)
        }
        #expect(Set(ConfirmationCode.alphabet).count == 32)
    }

    @Test("says what is wrong with a text")
    func judgesTexts() {
        #expect(Text.name.fault(in: "Ångström, 王") == nil)
        #expect(Text.name.fault(in: String(repeating: "x", count: 129)) != nil)
        #expect(Text.name.fault(in: String(repeating: "x", count: 10_000)) != nil)
        #expect(Text.name.fault(in: "  ") != nil)
        #expect(Text.name.fault(in: "a\u{0}b") != nil)
        #expect(Text.specialRequests.fault(in: "a\nb") == nil)
    }
}
