public import Domain

extension Event {
    public var type: EventType {
        switch self {
        case .locationAdded: .locationAdded
        case .jurisdictionAdded: .jurisdictionAdded
        case .taxRateSet: .taxRateSet
        case .providerAdded: .providerAdded
        case .boatRegistered: .boatRegistered
        case .boatCapacityChanged: .boatCapacityChanged
        case .launchAnnounced: .launchAnnounced
        case .launchArchived: .launchArchived
        case .launchUnarchived: .launchUnarchived
        case .missionPlanned: .missionPlanned
        case .missionActivated: .missionActivated
        case .missionDeactivated: .missionDeactivated
        case .missionArchived: .missionArchived
        case .missionUnarchived: .missionUnarchived
        case .tripScheduled: .tripScheduled
        case .saleModeSet: .saleModeSet
        case .salesOpeningSet: .salesOpeningSet
        case .tripListed: .tripListed
        case .tripUnlisted: .tripUnlisted
        case .tripActivated: .tripActivated
        case .tripDeactivated: .tripDeactivated
        case .tripArchived: .tripArchived
        case .tripUnarchived: .tripUnarchived
        case .boatAssigned: .boatAssigned
        case .sailingLimitSet: .sailingLimitSet
        case .salesPaused: .salesPaused
        case .salesResumed: .salesResumed
        case .bookingPlaced: .bookingPlaced
        case .holdExtended: .holdExtended
        case .holdExpired: .holdExpired
        case .bookingAbandoned: .bookingAbandoned
        case .bookingConfirmed: .bookingConfirmed
        case .bookingCancelled: .bookingCancelled
        case .passengerCheckedIn: .passengerCheckedIn
        case .checkInReverted: .checkInReverted
        case .bookingCompleted: .bookingCompleted
        case .discountCodeIssued: .discountCodeIssued
        case .accessCodeIssued: .accessCodeIssued
        case .codeRevoked: .codeRevoked
        case .boatUnassigned: .boatUnassigned
        case .ticketTypeDefined: .ticketTypeDefined
        case .ticketTypeRepriced: .ticketTypeRepriced
        case .ticketTypeCapped: .ticketTypeCapped
        case .ticketTypeRelabelled: .ticketTypeRelabelled
        case .ticketTypeWithdrawn: .ticketTypeWithdrawn
        case .oversaleAuthorised: .oversaleAuthorised
        }
    }
}
