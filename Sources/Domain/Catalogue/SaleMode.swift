/// Who may buy seats of a trip.
public enum SaleMode: String, Sendable, CaseIterable {
    /// Staff only.
    case `private`
    /// With an access code.
    case earlyBird = "early_bird"
    case `public`

    /// From the sales opening on, the mode counts as one step more open.
    ///
    /// A function of the stored mode and `now`: nothing is written when the moment comes.
    public func effective(opening: Instant?, at now: Instant) -> SaleMode {
        guard let opening, now >= opening else { return self }
        switch self {
        case .private: return .earlyBird
        case .earlyBird, .public: return .public
        }
    }
}
