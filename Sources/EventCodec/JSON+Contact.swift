public import Domain
public import JSON

extension JSONWriter {
    /// A contact in clear: for what is sealed, and for those who may read it.
    public mutating func write(_ contact: Contact) {
        object { json in
            json.field("firstName", contact.firstName)
            json.field("lastName", contact.lastName)
            json.field("email", contact.email)
            json.field("phone", contact.phone)
            json.field("address", contact.address)
            json.field("specialRequests", contact.specialRequests)
        }
    }
}

extension Contact {
    /// Reads what ``JSON/JSONWriter/write(_:)`` wrote.
    public init(_ json: JSONObject) throws(JSONError) {
        self.init(
            firstName: try json["firstName"].string(), lastName: try json["lastName"].string(),
            email: try json["email"].string(), phone: try json.optional("phone")?.string(),
            address: try json.optional("address")?.string(),
            specialRequests: try json.optional("specialRequests")?.string())
    }
}
