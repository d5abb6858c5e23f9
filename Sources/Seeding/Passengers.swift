internal import Crypto
internal import Domain

/// People who do not exist, the same ones for the same reference.
enum Passengers {
    private static let firstNames = [
        "Ada", "Grace", "Katherine", "Margaret", "Mary", "Dorothy", "Alan", "Edsger", "Niklaus",
        "Tony", "Barbara", "Frances", "Jean", "Leslie", "Robin", "Sophie",
    ]
    private static let lastNames = [
        "Harbour", "Quay", "Mast", "Keel", "Halyard", "Fathom", "Tiller", "Anchor", "Spinnaker",
        "Bowline", "Lantern", "Compass", "Sextant", "Gunwale", "Starboard", "Marlin", "Pelican",
        "Osprey", "Breaker", "Tidewater", "Saltmarsh", "Lagoon", "Jetty", "Causeway",
    ]

    static func contact(of reference: String) -> Contact {
        let digest = Array(SHA256.hash(data: Array(reference.utf8)))
        let first = firstNames[Int(digest[0]) % firstNames.count]
        let last = lastNames[Int(digest[1]) % lastNames.count]
        let number = Int(digest[2]) << 8 | Int(digest[3])
        return Contact(
            firstName: first, lastName: last,
            email: "\(first).\(last).\(number)@example.org".lowercased(),
            phone: "+1 555 01\(String(number % 90 + 10))", address: nil, specialRequests: nil)
    }
}
