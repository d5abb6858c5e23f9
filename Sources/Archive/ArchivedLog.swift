internal import Domain
public import EventLog
public import Postgres

/// A log in a file, read as one reads the log itself: from the first event on, once, in order.
public actor ArchivedLog: LoggedEvents {
    private let path: String
    private let file: CompressedReader
    private let header: ArchiveHeader
    private var chain = HashChain()
    /// What was read and is not wanted yet.
    private var next: LoggedEvent?

    /// Opens an archive that must be of the log `identity`.
    ///
    /// Throws ``ArchiveError`` when it is not.
    public init(_ path: String, of identity: PostgresUUID) throws {
        self.path = path
        file = try CompressedReader(path)
        header = try LogArchive.header(file, path, .log)
        guard header.log == EntityID(identity) else {
            throw ArchiveError("\(path) is of another log, \(header.log)")
        }
    }

    public func head() -> Int64 { header.count }

    public func hash(from end: Int64) -> (position: Int64, hash: [UInt8]) {
        (chain.position, chain.hash)
    }

    /// Throws ``ArchiveError`` where a hash does not fit, or the file ends too early.
    public func read(
        after position: Int64, upTo end: Int64, _ wanted: WantedTypes
    ) throws -> [EventContent] {
        var events: [EventContent] = []
        while let event = try next ?? nextEvent() {
            guard event.position <= end else {
                next = event
                return events
            }
            next = nil
            if event.position > position, wanted.contains(event.type) {
                events.append(event.content)
            }
        }
        guard chain.position >= min(end, header.count) else {
            throw ArchiveError(
                "\(path) ends at position \(chain.position), and should at \(header.count)")
        }
        return events
    }

    private func nextEvent() throws -> LoggedEvent? {
        guard let line = try file.nextLine() else { return nil }
        let link = try ChainedEvent(line)
        if let fault = chain.add(link).first { throw ArchiveError("\(path): \(fault)") }
        return link.event
    }
}
