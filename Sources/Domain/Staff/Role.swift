/// What a member of staff may do.
public enum Role: String, Sendable, CaseIterable {
    /// Everything, and who else may do what.
    case owner
    /// Sells, changes, refunds, and keeps the catalogue.
    case office
    /// Checks people in, sees the manifest, and takes money at the quay.
    case dock
    /// Sees the manifest.
    case captain
    /// Reads everything and changes nothing.
    case reporting
    /// Sells for a commission, through an API key.
    case reseller
}
