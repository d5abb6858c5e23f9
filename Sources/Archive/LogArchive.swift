internal import Domain
internal import EventCodec
public import EventLog
internal import JSON
internal import Postgres

/// The whole log in a file: compressed NDJSON, a header and then one event a line, with its hash. It can be
/// read with `zstdcat` and no program of ours, checked without a database, and made a log again.
///
/// Names and addresses in it are sealed. The keys go into a file of their own, so that the archive proves
/// what happened to anybody, and says who it was only to those who have the keys.
public enum LogArchive {
    /// Writes the log up to its head, or up to `end`, to a file that is not there yet; returns the position
    /// of the last event. `progress` hears positions.
    public static func export(
        _ log: EventLog, to path: String, upTo end: Int64? = nil,
        progress: (Int64) -> Void = { _ in }
    ) async throws -> Int64 {
        let head = try await log.head()
        let last = min(end ?? head, head)
        let header = ArchiveHeader(
            content: .log, log: EntityID(try await log.identity()), count: last)
        let file = try CompressedWriter(path)
        try file.write(line: header.line)
        try await log.readChained(upTo: last) { events in
            for event in events {
                try file.write(line: event.line(try await unreadable(event, in: log)))
            }
            progress(events.last?.event.position ?? 0)
        }
        try file.finish()
        return last
    }

    private static func unreadable(
        _ link: ChainedEvent, in log: EventLog
    ) async throws -> UnreadableEvent? {
        let event = link.event
        do {
            _ = try EventCodec.decode(
                type: event.type, schemaVersion: event.schemaVersion, data: event.data)
            return nil
        } catch {
            let (type, tags) = try await log.words(at: event.position)
            return UnreadableEvent(type: type, tags: tags.map { EntityID($0) })
        }
    }

    /// Writes the keys of all customers who are not forgotten; returns how many.
    public static func exportCustomerKeys(_ log: EventLog, to path: String) async throws -> Int {
        let keys = try await log.customerKeys()
        let header = ArchiveHeader(
            content: .customerKeys, log: EntityID(try await log.identity()),
            count: Int64(keys.count))
        let file = try CompressedWriter(path)
        try file.write(line: header.line)
        for (customer, key) in keys {
            try file.write(line: CustomerKeyLine(customer: EntityID(customer), key: key).line)
        }
        try file.finish()
        return keys.count
    }

    /// Checks a file without a database: that it is whole, that positions are dense and that every hash
    /// fits. `visit` sees every event.
    public static func verify(
        _ path: String, visit: (ChainedEvent) throws -> Void = { _ in }
    ) throws -> (header: ArchiveHeader, faults: [LogFault]) {
        var chain = HashChain()
        var faults: [LogFault] = []
        let header = try read(path, .log) { line in
            let event = try ChainedEvent(line)
            faults += chain.add(event)
            try visit(event)
            return faults.count < EventLog.faultLimit
        }
        if faults.count < EventLog.faultLimit, chain.position != header.count {
            throw ArchiveError(
                "\(path) ends at position \(chain.position), and should at \(header.count)")
        }
        return (header, faults)
    }

    /// Lends the lines after the header, until `body` wants no more.
    static func read(
        _ path: String, _ content: ArchiveHeader.Content, _ body: ([UInt8]) throws -> Bool
    ) throws -> ArchiveHeader {
        let file = try CompressedReader(path)
        let header = try Self.header(file, path, content)
        var number = 1
        while let line = try file.nextLine() {
            number += 1
            do {
                guard try body(line) else { break }
            } catch let error as JSONError {
                throw ArchiveError("\(path), line \(number): \(error)")
            }
        }
        return header
    }

    static func header(
        _ file: CompressedReader, _ path: String, _ content: ArchiveHeader.Content
    ) throws(ArchiveError) -> ArchiveHeader {
        guard let line = try file.nextLine() else { throw ArchiveError("\(path) is empty") }
        let header: ArchiveHeader
        do {
            header = try ArchiveHeader(line)
        } catch {
            throw ArchiveError("\(path) is no archive of Quartermaster: \(error)")
        }
        guard header.content == content else {
            throw ArchiveError("\(path) is a \(header.content.rawValue), no \(content.rawValue)")
        }
        return header
    }
}
