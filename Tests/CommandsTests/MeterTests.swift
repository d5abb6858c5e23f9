import Testing

@testable import Operations

/// How long work shows how far it is.
@Suite struct MeterTests {
    @Test("shows a bar on a terminal, a line in a log, an object to a program")
    func shows() {
        #expect(
            Meter.text(.bar, "reading", 1500, of: 6000, perSecond: 1000)
                == "\r\u{1B}[K██████░░░░░░░░░░░░░░░░░░ 25 % reading 1,500 of 6,000, 1,000/s, 5 s left"
        )
        #expect(
            Meter.text(.lines, "reading", 1500, of: 6000, perSecond: 999)
                == "reading 1,500 of 6,000, 999/s, 5 s left\n")
        #expect(Meter.text(.lines, "reading", 0, of: 6000, perSecond: 0) == "reading 0 of 6,000\n")
        #expect(Meter.text(.lines, "swapping", 2, of: 2, perSecond: 9) == "swapping 2 of 2\n")
        #expect(
            Meter.text(.bar, "reading", 0, of: 0, perSecond: 0).hasSuffix("100 % reading 0 of 0"))
        // Others append while it catches up.
        #expect(
            Meter.text(.bar, "swapping", 90, of: 60, perSecond: 9)
                .hasSuffix("100 % swapping 90 of 90"))
        #expect(
            Meter.text(.json, "reading", 1500, of: 6000, perSecond: 1000)
                == #"{"step":"reading","done":1500,"total":6000,"perSecond":1000,"secondsLeft":5}"#)
        #expect(
            Meter.text(.json, "reading", 0, of: 6000, perSecond: 0)
                == #"{"step":"reading","done":0,"total":6000,"perSecond":0,"secondsLeft":null}"#)
    }
}
