internal import CZstd
internal import Glibc

/// An archive, a seal or their files can't be used: in one sentence, why.
public struct ArchiveError: Error, Hashable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }

    /// What the operating system says about a file.
    static func system(_ path: String) -> ArchiveError {
        ArchiveError("\(path): \(String(cString: strerror(errno)))")
    }
}

/// Writes lines to a file, compressed with Zstandard (RFC 8878). The file appears under its name when it is
/// finished, readable for its owner only; what is not finished leaves nothing behind.
final class CompressedWriter {
    /// Lines gathered before they are compressed.
    private static let chunkSize = 1 << 20
    /// Three times as fast as SHA-256 makes the hashes, at a seventh of the size.
    private static let level: CInt = 3

    private let path: String
    private let partPath: String
    private let descriptor: CInt
    private let stream: OpaquePointer
    private var pending: [UInt8] = []
    private var output = [UInt8](repeating: 0, count: ZSTD_CStreamOutSize())
    private var isFinished = false

    init(_ path: String) throws(ArchiveError) {
        guard access(path, F_OK) != 0 else { throw ArchiveError("\(path) is there already") }
        self.path = path
        partPath = path + ".part"
        descriptor = open(partPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(partPath) }
        guard let stream = ZSTD_createCStream() else { preconditionFailure("out of memory") }
        self.stream = stream
        ZSTD_CCtx_setParameter(stream, ZSTD_c_compressionLevel, Self.level)
        ZSTD_CCtx_setParameter(stream, ZSTD_c_checksumFlag, 1)
    }

    deinit {
        ZSTD_freeCStream(stream)
        close(descriptor)
        if !isFinished { unlink(partPath) }
    }

    func write(line: [UInt8]) throws(ArchiveError) {
        pending.append(contentsOf: line)
        pending.append(UInt8(ascii: "\n"))
        if pending.count >= Self.chunkSize { try compress(ZSTD_e_continue) }
    }

    /// Puts the whole file in its place, on disk.
    func finish() throws(ArchiveError) {
        try compress(ZSTD_e_end)
        guard fsync(descriptor) == 0, rename(partPath, path) == 0 else { throw .system(path) }
        isFinished = true
    }

    private func compress(_ directive: ZSTD_EndDirective) throws(ArchiveError) {
        var consumed = 0
        while true {
            let (left, produced) = pending.withUnsafeBytes { source in
                var input = ZSTD_inBuffer(
                    src: source.baseAddress, size: source.count, pos: consumed)
                return output.withUnsafeMutableBytes { target in
                    var buffer = ZSTD_outBuffer(
                        dst: target.baseAddress, size: target.count, pos: 0)
                    let left = ZSTD_compressStream2(stream, &buffer, &input, directive)
                    consumed = input.pos
                    return (left, buffer.pos)
                }
            }
            guard ZSTD_isError(left) == 0 else {
                throw ArchiveError("\(path): \(String(cString: ZSTD_getErrorName(left)))")
            }
            try put(produced)
            let isDone = directive == ZSTD_e_end ? left == 0 : consumed == pending.count
            if isDone { break }
        }
        pending.removeAll(keepingCapacity: true)
    }

    private func put(_ count: Int) throws(ArchiveError) {
        var start = 0
        while start < count {
            let written = output.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + start, count - start)
            }
            guard written > 0 else { throw .system(partPath) }
            start += written
        }
    }
}

/// Reads the lines of a compressed file.
final class CompressedReader {
    /// A longer line is no event's.
    private static let lineLimit = 16 << 20

    private let path: String
    private let descriptor: CInt
    private let stream: OpaquePointer
    private var compressed = [UInt8](repeating: 0, count: ZSTD_DStreamInSize())
    private var compressedRange = 0..<0
    private var text: [UInt8] = []
    private var lineStart = 0
    /// Nothing is left of the last frame.
    private var isComplete = true
    private var isAtEnd = false

    init(_ path: String) throws(ArchiveError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(path) }
        guard let stream = ZSTD_createDStream() else { preconditionFailure("out of memory") }
        self.stream = stream
    }

    deinit {
        ZSTD_freeDStream(stream)
        close(descriptor)
    }

    /// The next line without its end; nil after the last.
    func nextLine() throws(ArchiveError) -> [UInt8]? {
        var searched = lineStart
        while true {
            let end = text.withUnsafeBytes { bytes -> Int? in
                guard searched < bytes.count, let start = bytes.baseAddress,
                    let found = memchr(start + searched, 0x0A, bytes.count - searched)
                else { return nil }
                return UnsafeRawPointer(found) - start
            }
            if let end {
                defer { lineStart = end + 1 }
                return Array(text[lineStart..<end])
            }
            guard text.count - lineStart < Self.lineLimit else {
                throw ArchiveError("\(path) has a line that is longer than any event")
            }
            text.removeFirst(lineStart)
            lineStart = 0
            searched = text.count
            guard try decompressMore() else {
                guard text.isEmpty, isComplete else {
                    throw ArchiveError("\(path) is cut off")
                }
                return nil
            }
        }
    }

    /// False at the end of the file.
    private func decompressMore() throws(ArchiveError) -> Bool {
        if compressedRange.isEmpty {
            if isAtEnd { return false }
            let count = compressed.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress, $0.count)
            }
            guard count >= 0 else { throw .system(path) }
            guard count > 0 else {
                isAtEnd = true
                return false
            }
            compressedRange = 0..<count
        }
        let old = text.count
        text.append(contentsOf: repeatElement(0, count: ZSTD_DStreamOutSize()))
        let (left, consumed, produced) = compressed.withUnsafeBytes { source in
            var input = ZSTD_inBuffer(
                src: source.baseAddress, size: compressedRange.upperBound,
                pos: compressedRange.lowerBound)
            return text.withUnsafeMutableBytes { target in
                var buffer = ZSTD_outBuffer(
                    dst: target.baseAddress, size: target.count, pos: old)
                let left = ZSTD_decompressStream(stream, &buffer, &input)
                return (left, input.pos, buffer.pos)
            }
        }
        text.removeLast(text.count - produced)
        guard ZSTD_isError(left) == 0 else {
            throw ArchiveError("\(path) is damaged: \(String(cString: ZSTD_getErrorName(left)))")
        }
        compressedRange = consumed..<compressedRange.upperBound
        isComplete = left == 0
        return true
    }
}
