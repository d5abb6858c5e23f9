internal import Domain
internal import Foundation
internal import Yams

/// A mapping of the file, read member by member; mistakes are gathered and reading goes on.
struct YAMLObject {
    let node: Node
    let pairs: [(name: Node, value: Node)]

    subscript(name: String) -> Node? {
        pairs.first { $0.name.string == name }?.value
    }
}

/// Gathers what is wrong with a file.
struct FaultList {
    let file: String
    private(set) var faults: [CatalogueFault] = []

    mutating func add(_ node: Node, _ reason: String) { faults.append(fault(at: node, reason)) }

    func fault(at node: Node, _ reason: String) -> CatalogueFault {
        let mark = node.mark
        return CatalogueFault(
            file: file, line: mark?.line ?? 1, column: mark?.column ?? 1, reason: reason)
    }

    /// The members of a mapping; each must be one of `names`, and stand there once.
    mutating func object(_ node: Node, _ what: String, _ names: [String]) -> YAMLObject? {
        guard let mapping = node.mapping else {
            add(node, "\(what) must be a mapping with \(names.joined(separator: ", "))")
            return nil
        }
        for (name, _) in mapping where !names.contains(name.string ?? "") {
            add(
                name,
                "\(what) has no '\(name.string ?? "?")'; it has \(names.joined(separator: ", "))")
        }
        return YAMLObject(node: node, pairs: mapping.map { ($0.key, $0.value) })
    }

    mutating func text(_ object: YAMLObject, _ name: String, _ kind: Text = .name) -> String? {
        guard let node = object[name] else {
            add(object.node, "'\(name)' is missing")
            return nil
        }
        // What is not in quotes and reads as nothing is nothing.
        guard let text = node.string, node.scalar?.style != .plain || node.null == nil else {
            add(node, "'\(name)' must be a text")
            return nil
        }
        if let fault = kind.fault(in: text) {
            add(node, "'\(name)' \(fault)")
            return nil
        }
        return text
    }

    /// The United States where it is missing.
    mutating func country(_ object: YAMLObject, _ name: String) -> Country? {
        guard let node = object[name] else { return .unitedStates }
        guard let country = node.string.flatMap({ Country($0) }) else {
            add(node, "'\(name)' must be the two letters of a country, such as US")
            return nil
        }
        return country
    }

    mutating func number(
        _ object: YAMLObject, _ name: String, in range: ClosedRange<Int>
    ) -> Int? {
        guard let node = object[name] else {
            add(object.node, "'\(name)' is missing")
            return nil
        }
        return number(node, name, in: range)
    }

    mutating func number(_ node: Node, _ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let number = node.scalar.flatMap({ Int($0.string) }), range.contains(number) else {
            add(
                node,
                "'\(name)' must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    mutating func instant(_ node: Node) -> Instant? {
        guard let instant = node.string.flatMap({ Instant($0) }) else {
            add(node, "must be a time with its zone, in quotes, such as \"2026-11-22T17:30:00Z\"")
            return nil
        }
        return instant
    }

    mutating func timeZone(_ object: YAMLObject, _ name: String) -> String? {
        guard let zone = text(object, name) else { return nil }
        guard TimeZone(identifier: zone) != nil, zone.contains("/") else {
            if let node = object[name] {
                add(node, "'\(zone)' is no zone of the IANA database, such as America/New_York")
            }
            return nil
        }
        return zone
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ object: YAMLObject, _ name: String, of type: Choice.Type = Choice.self
    ) -> Choice? where Choice.RawValue == String {
        guard let text = text(object, name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            if let node = object[name] { add(node, "'\(name)' must be one of \(names)") }
            return nil
        }
        return choice
    }
}
