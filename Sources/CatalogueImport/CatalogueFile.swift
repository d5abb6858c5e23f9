public import Domain
internal import Foundation
internal import Yams

/// A mistake in a catalogue file: where it is, and what would be right.
public struct CatalogueFault: Error, Hashable, Sendable, CustomStringConvertible {
    public let file: String
    public let line: Int
    public let column: Int
    public let reason: String

    public var description: String { "\(file):\(line):\(column): \(reason)" }
}

/// All mistakes of a file, in the order of its lines.
public struct CatalogueFaults: Error, Sendable, CustomStringConvertible {
    public let faults: [CatalogueFault]

    public var description: String { faults.map(\.description).joined(separator: "\n") }
}

/// A catalogue in YAML: locations, jurisdictions, providers, boats, launches and their attempts.
public struct CatalogueFile: Sendable {
    /// The commands that bring everything of the file into being, in an order that works.
    public let additions: [AddToCatalogue.Addition]
    /// The mistake that shows only when the file is held against what there is: that a thing reads differently there.
    public let differences: [EntityID: CatalogueFault]

    /// The project's own catalogue: real launches, made-up boats.
    public static func seed() throws -> CatalogueFile {
        guard let url = Bundle.module.url(forResource: "launches", withExtension: "yaml") else {
            preconditionFailure("the program's catalogue is missing")
        }
        return try CatalogueFile(
            try String(contentsOf: url, encoding: .utf8), name: "launches.yaml")
    }

    /// Reads a catalogue whole; throws ``CatalogueFaults`` with every mistake that it finds.
    ///
    /// Ids are derived from the names that things have in the file, so reading it twice makes the
    /// same things.
    public init(_ yaml: String, name: String) throws(CatalogueFaults) {
        var reader = CatalogueReader(file: name)
        do {
            guard let root = try Yams.compose(yaml: yaml) else {
                throw CatalogueFaults(faults: [
                    CatalogueFault(file: name, line: 1, column: 1, reason: "the file is empty")
                ])
            }
            reader.read(root)
        } catch let error as YamlError {
            let (line, column) = error.place
            throw CatalogueFaults(faults: [
                CatalogueFault(file: name, line: line, column: column, reason: error.problem)
            ])
        } catch let error as CatalogueFaults {
            throw error
        } catch {
            throw CatalogueFaults(faults: [
                CatalogueFault(file: name, line: 1, column: 1, reason: "\(error)")
            ])
        }
        guard reader.faults.isEmpty else {
            let sorted = reader.faults.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
            throw CatalogueFaults(faults: sorted)
        }
        additions = reader.additions
        differences = reader.differences
    }
}

extension YamlError {
    fileprivate var place: (line: Int, column: Int) {
        switch self {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
            return (mark.line, mark.column)
        case .duplicatedKeysInMapping(_, let context):
            return (context.mark.line, context.mark.column)
        case .reader(_, let offset?, _, let yaml):
            let lines = yaml.prefix(offset).split(
                omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            return (lines.count, (lines.last?.count ?? 0) + 1)
        default: return (1, 1)
        }
    }

    fileprivate var problem: String {
        switch self {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _),
            .composer(_, let problem, _, _), .reader(let problem, _, _, _):
            "not YAML: \(problem)"
        case .duplicatedKeysInMapping(let names, _):
            "'\(names.joined(separator: "', '"))' stands there more than once; each name goes once"
        default: "not YAML: \(self)"
        }
    }
}
