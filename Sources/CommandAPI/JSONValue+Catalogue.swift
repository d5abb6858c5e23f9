internal import Foundation
internal import JSON
internal import Web

extension JSONValue {
    /// More passengers than any boat carries.
    static let seatCountLimit = 10_000

    func seatCount() throws(JSONError) -> Int {
        try integer(in: 0...Self.seatCountLimit)
    }

    /// A name of the IANA time zone database.
    func timeZone() throws(JSONError) -> String {
        let name = try string()
        guard name.contains("/") || name == "UTC", TimeZone(identifier: name) != nil else {
            throw fault("must be a zone of the IANA database, such as America/New_York")
        }
        return name
    }
}
