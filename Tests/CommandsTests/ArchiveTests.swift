import Commands
import Crypto
import Domain
import EventLog
import Foundation
import Operations
import Postgres
import Testing
import TestSupport

@testable import Archive

@Suite struct ArchiveTests {
    private let key = Curve25519.Signing.PrivateKey()
    private let noon = Instant("2026-06-01T12:00:00Z")!

    @Test("makes an empty database the log it was: positions, hashes, tags, identity and keys")
    func restores() async throws {
        try await withArchive { database, file, keys in
            try await TestDatabase.with { other in
                let head = try await LogArchive.restore(
                    file, customerKeys: keys, to: other.connections.administrative)
                let here = try await database.connections.log(1).head()
                #expect(head == here)
                for query in [
                    "SELECT * FROM log.event", "SELECT * FROM log.event_tag",
                    "SELECT * FROM log.identity", "SELECT * FROM vault.customer_key",
                ] {
                    let (here, there) = (
                        try await contents(of: query, database),
                        try await contents(of: query, other)
                    )
                    #expect(here == there, "\(query)")
                }
                #expect(try await other.connections.log(1).verify().faults.isEmpty)
                await #expect(throws: ArchiveError.self) {
                    try await LogArchive.restore(file, to: other.connections.administrative)
                }
            }
        }
    }

    @Test("sells on where an archive ends")
    func sellsOn() async throws {
        try await TestDatabase.with { database in
            let fleet = SeaFleet(capacity: 3)
            try await withLoops(1, on: database) { loops in
                _ = try await loops[0].submit(fleet.envelope)
                _ = try await loops[0].submit(fleet.order(seats: 2))
            }
            let (file, _) = try await export(database)
            try await TestDatabase.with { other in
                _ = try await LogArchive.restore(file, to: other.connections.administrative)
                try await withLoops(1, on: other) { loops in
                    _ = try await loops[0].submit(fleet.order(seats: 1))
                    await #expect(throws: CommandError.self) {
                        try await loops[0].submit(fleet.order(seats: 1))
                    }
                    #expect(try await loops[0].log.verify().faults.isEmpty)
                }
            }
        }
    }

    @Test("carries an event that only a newer program can read, with its tags")
    func carriesNewerEvents() async throws {
        try await TestDatabase.with { database in
            let fleet = SeaFleet(capacity: 3)
            try await withLoops(1, on: database) { loops in
                _ = try await loops[0].submit(fleet.envelope)
                try await database.administer(
                    "INSERT INTO log.event_type (code, name) VALUES (999, 'BoatPainted')")
                _ = try await loops[0].log.append([
                    AppendCommand(
                        id: PostgresUUID(high: 1, low: 1), requestHash: [1],
                        correlationID: PostgresUUID(high: 1, low: 1), causationPosition: nil,
                        actor: "test",
                        events: [
                            NewEvent(
                                type: 999, schemaVersion: 1, data: Array(#"{"to":"blue"}"#.utf8),
                                tags: [PostgresUUID(high: 7, low: 7)])
                        ], conditions: [])
                ])
                _ = try await loops[0].submit(fleet.order(seats: 1))
            }
            let (file, _) = try await export(database)
            try await TestDatabase.with { other in
                _ = try await LogArchive.restore(file, to: other.connections.administrative)
                for query in [
                    "SELECT * FROM log.event", "SELECT * FROM log.event_tag",
                    "SELECT * FROM log.event_type",
                ] {
                    let (here, there) = (
                        try await contents(of: query, database),
                        try await contents(of: query, other)
                    )
                    #expect(here == there, "\(query)")
                }
            }
        }
    }

    /// What somebody could do to a file, and whether the chain, or the reader, finds it.
    enum Alteration: CaseIterable {
        case data, actor, time, type, hash, missing, swapped, cutOff, doubled
        /// The control: it is read as well as it was.
        case nothing
    }

    @Test("finds whatever was altered in a file, and puts nothing of it into a database")
    func findsAlterations() async throws {
        try await withArchive { _, file, _ in
            let untouched = try LogArchive.verify(file).faults
            #expect(untouched.isEmpty)
            let copied = try LogArchive.verify(try alter(file, .nothing)).faults
            #expect(copied.isEmpty)
            for alteration in Alteration.allCases where alteration != .nothing {
                let altered = try alter(file, alteration)
                let faults = try? LogArchive.verify(altered).faults
                #expect(faults?.isEmpty != true, "\(alteration)")
                try await TestDatabase.with { other in
                    await #expect(throws: (any Error).self, "\(alteration)") {
                        try await LogArchive.restore(
                            altered, to: other.connections.administrative)
                    }
                    let head = try await other.connections.log(1).head()
                    #expect(head == 0)
                }
            }
        }
    }

    @Test("says of a file that is damaged or no archive what it is")
    func refusesOtherFiles() async throws {
        try await withArchive { _, file, keys in
            #expect(throws: ArchiveError.self) { try LogArchive.verify(keys) }
            #expect(throws: ArchiveError.self) { try LogArchive.verify(#filePath) }
            #expect(throws: ArchiveError.self) { try LogArchive.verify(file + ".nothing") }
            let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
            let short = file + ".short"
            try bytes.prefix(bytes.count - 20).write(to: URL(fileURLWithPath: short))
            #expect(throws: ArchiveError.self) { try LogArchive.verify(short) }
        }
    }

    @Test("proves by a seal that nothing before it was altered, and finds it when it was")
    func seals() async throws {
        try await TestDatabase.with { database in
            let log = database.connections.log(1)
            let fleet = SeaFleet(capacity: 9)
            try await withLoops(1, on: database) { loops in
                _ = try await loops[0].submit(fleet.envelope)
                let seal = try await Seal(headOf: log, at: noon, signingWith: key)
                _ = try await loops[0].submit(fleet.order(seats: 1))
                #expect(try await seal.contradiction(in: log) == nil)
                #expect(try Seal(seal.text, expectedKey: seal.keyText) == seal)
                #expect(throws: ArchiveError.self) {
                    try Seal(seal.text, expectedKey: String(repeating: "0", count: 64))
                }
                let forged = String(decoding: seal.text, as: UTF8.self)
                    .replacingOccurrences(
                        of: #""position":\#(seal.position)"#, with: #""position":1"#)
                #expect(throws: ArchiveError.self) { try Seal(Array(forged.utf8)) }
                #expect(
                    seal.contradiction(log: seal.log, hash: nil)?.contains("ends before") == true)
                let (before, _) = try await export(database)
                let sealed = before + ".seal"
                try Data(seal.text).write(to: URL(fileURLWithPath: sealed))
                #expect(try verifyArchive(before, against: sealed, key: seal.keyText))
                // Who can write the table can make a chain that fits; he can't make the seal fit it.
                try await rewriteHistory(database, at: seal.position)
                #expect(try await log.verify().faults.isEmpty)
                #expect(try await seal.contradiction(in: log)?.contains("was altered") == true)
                let (after, _) = try await export(database)
                #expect(try verifyArchive(after, against: nil, key: nil))
                #expect(try !verifyArchive(after, against: sealed, key: nil))
            }
        }
    }

    /// Alters an actor and makes all hashes anew, as a thorough forger would.
    private func rewriteHistory(_ database: TestDatabase, at position: Int64) async throws {
        try await database.administer(
            """
            SET session_replication_role = replica;
            UPDATE log.event SET actor = 'nobody' WHERE position = \(position);
            """)
        var (previous, script): ([UInt8], String) = ([], "SET session_replication_role = replica;")
        try await database.connections.log(1).readChained { events in
            for link in events {
                previous = HashChain.hash(
                    link.event, requestHash: link.command?.requestHash ?? [], after: previous)
                let digits = String(decoding: Hexadecimal.digits(of: previous), as: UTF8.self)
                script += """
                    UPDATE log.event SET hash = '\\x\(digits)' WHERE position = \
                    \(link.event.position);
                    """
            }
        }
        try await database.administer(script)
    }

    private func withArchive(
        _ body: (TestDatabase, _ file: String, _ keys: String) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            try await withLoops(1, on: database) { loops in
                let fleet = SeaFleet(capacity: 50)
                _ = try await loops[0].submit(fleet.envelope)
                for seats in 1...5 { _ = try await loops[0].submit(fleet.order(seats: seats)) }
            }
            let (file, keys) = try await export(database)
            try await body(database, file, keys)
        }
    }

    private func export(_ database: TestDatabase) async throws -> (file: String, keys: String) {
        let folder = ServerProcess.scratchFolder()
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        let (file, keys) = (folder + "/log.zst", folder + "/keys.zst")
        let log = database.connections.log(1)
        let head = try await LogArchive.export(log, to: file)
        #expect(head > 0)
        #expect(try await LogArchive.exportCustomerKeys(log, to: keys) > 0)
        return (file, keys)
    }

    private func contents(of query: String, _ database: TestDatabase) async throws -> [String] {
        let rows = try await database.administer(
            "SELECT t::text FROM (\(query)) AS t ORDER BY t::text")
        return (0..<rows.count).map { rows.text($0, 0) }
    }

    private func alter(_ file: String, _ alteration: Alteration) throws -> String {
        let reader = try CompressedReader(file)
        var lines: [String] = []
        while let line = try reader.nextLine() {
            lines.append(String(decoding: line, as: UTF8.self))
        }
        func change(_ old: String, to new: String) {
            #expect(lines[5].contains(old))
            lines[5] = lines[5].replacingOccurrences(of: old, with: new)
        }
        switch alteration {
        case .data: change(#""data":{"#, to: #""data":{ "#)
        case .actor: change(#""actor":"#, to: #""actor":"x","former":"#)
        case .time: change(#""recordedAt":"2"#, to: #""recordedAt":"3"#)
        // No hash is over it, and whoever reads the file goes by it.
        case .type: change(#""type":""#, to: #""type":"Not"#)
        case .hash: change(#""hash":""#, to: #""hash":"00"#)
        case .missing: lines.remove(at: 5)
        case .swapped: lines.swapAt(5, 6)
        case .cutOff: lines.removeLast()
        case .doubled: lines.insert(lines[5], at: 6)
        case .nothing: break
        }
        let altered = "\(file).\(alteration)"
        let writer = try CompressedWriter(altered)
        for line in lines { try writer.write(line: Array(line.utf8)) }
        try writer.finish()
        return altered
    }
}
