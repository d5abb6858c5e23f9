extension Array where Element: Equatable {
    /// The elements, each once, in the order in which they first stand. For short arrays.
    @inlinable public var unique: [Element] {
        var seen: [Element] = []
        for element in self where !seen.contains(element) { seen.append(element) }
        return seen
    }
}
