public import Domain
public import ProjectionEngine

extension Manifest {
    /// The sold bookings of a sailing by last name, as of a moment: what ``sold(on:after:limit:)`` gave then;
    /// nil when there was no such sailing, or its boat had been taken off.
    public static func sold(on sailing: SailingID, asOf moment: AsOf) async throws
        -> [ManifestEntry]?
    {
        let events = try await moment.events(
            of: [sailing.entity], for: [SailingAvailability.self, Manifest.self]
        ).map(\.event)
        let sailings = moment.rows(of: SailingAvailability.self, from: events)
        guard sailings[sailing]?.row.isAssigned ?? false else { return nil }
        let sold = moment.rows(of: Manifest.self, from: events)
            .filter { $0.sailing == sailing && $1.row.isSold }
        let bookings = sold.keys.map(\.booking)
        let theirs = try await moment.events(
            of: bookings.map(\.entity), for: [BookingSearch.self, BookingByCode.self]
        ).map(\.event)
        let people = moment.rows(of: BookingSearch.self, from: theirs)
        let pages = moment.rows(of: BookingByCode.self, from: theirs)
        return sold.compactMap { key, view in
            guard let person = people[key.booking]?.row, let page = pages[key.booking]?.row
            else { return nil }
            return ManifestEntry(
                booking: key.booking, row: view.row, code: person.code.description,
                firstName: person.firstName, lastName: person.lastName,
                specialRequests: person.specialRequests, handedOver: page.handedOver)
        }
        .sorted { ($0.lastName ?? "", $0.booking.entity) < ($1.lastName ?? "", $1.booking.entity) }
    }
}
