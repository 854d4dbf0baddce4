import CZlib
import Glibc

/// Why a trace cannot be read.
public struct TraceFileFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file.
    public var path: String
    /// What went wrong.
    public var problem: String

    /// `log.swf.gz: …`.
    public var description: String { "\(path): \(problem)" }
}

/// The bytes of a trace: a file, mapped; a compressed file, unpacked; or standard input.
public enum TraceFile {
    /// Hands the bytes of a trace to `body`; they are valid during the call.
    ///
    /// gzip goes through zlib; xz, zstd and bzip2 through their programs. What a file is, its first bytes
    /// tell, not its name. `-` is standard input.
    ///
    /// - Parameter limit: the most bytes that are read, before they are unpacked.
    /// - Throws: `TraceFileFailure`, also of what has more bytes than `limit`; or what `body` throws.
    public static func withBytes<Result>(
        of path: String,
        atMost limit: Int = .max,
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, "open") }
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path, "fstat") }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw TraceFileFailure(path: path, problem: "is a folder")
        }
        if status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 {
            let size = Int(status.st_size)
            guard size <= limit else { throw tooLarge(path, limit) }
            guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0),
                base != MAP_FAILED
            else { throw failure(path, "mmap") }
            defer { munmap(base, size) }
            madvise(base, size, MADV_SEQUENTIAL)
            let bytes = UnsafeRawBufferPointer(start: base, count: size)
            return try unpacked(bytes, path, body)
        }
        let bytes = try readAll(descriptor, path, limit)
        return try bytes.withUnsafeBytes { try unpacked($0, path, body) }
    }

    private static func unpacked<Result>(
        _ bytes: UnsafeRawBufferPointer,
        _ path: String,
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        if bytes.starts(with: [0x1F, 0x8B]) {
            return try gunzip(bytes, path).withUnsafeBytes(body)
        }
        if bytes.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A]) {
            return try run("xz", from: "xz-utils", on: bytes, path).withUnsafeBytes(body)
        }
        if bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
            return try run("zstd", from: "zstd", on: bytes, path).withUnsafeBytes(body)
        }
        if bytes.starts(with: "BZh".utf8) {
            return try run("bzip2", from: "bzip2", on: bytes, path).withUnsafeBytes(body)
        }
        if bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
            throw TraceFileFailure(
                path: path,
                problem: "is a ZIP archive; unpack it first: unzip -p FILE.zip > LOG"
            )
        }
        return try body(bytes)
    }

    private static func failure(_ path: String, _ call: String) -> TraceFileFailure {
        TraceFileFailure(path: path, problem: "\(call): \(String(cString: strerror(errno)))")
    }

    private static func tooLarge(_ path: String, _ limit: Int) -> TraceFileFailure {
        TraceFileFailure(path: path, problem: "has more than \(limit) bytes")
    }

    private static func readAll(
        _ descriptor: Int32,
        _ path: String,
        _ limit: Int
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure(path, "read") }
            if count == 0 { return bytes }
            guard count <= limit - bytes.count else { throw tooLarge(path, limit) }
            bytes += buffer[..<count]
        }
    }

    /// Unpacks gzip, members one after another as `cat a.gz b.gz` makes them.
    private static func gunzip(
        _ packed: UnsafeRawBufferPointer,
        _ path: String
    ) throws -> [UInt8] {
        var stream = z_stream()
        let windowBits: Int32 = 15 + 16  // 15 is the largest window, 16 asks for gzip.
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(&stream, windowBits, ZLIB_VERSION, size) == Z_OK else {
            throw TraceFileFailure(path: path, problem: "zlib cannot start")
        }
        defer { inflateEnd(&stream) }
        var output: [UInt8] = []
        output.reserveCapacity(packed.count * 6)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var consumed = 0
        while consumed < packed.count {
            let step = min(packed.count - consumed, 1 << 30)
            let input = UnsafeRawBufferPointer(rebasing: packed[consumed..<(consumed + step)])
            // SAFETY: zlib's interface lacks const; inflate does not write to its input.
            stream.next_in = UnsafeMutablePointer(
                mutating: input.bindMemory(to: UInt8.self).baseAddress
            )
            stream.avail_in = UInt32(step)
            var code = Z_OK
            repeat {
                code = buffer.withUnsafeMutableBufferPointer { space in
                    stream.next_out = space.baseAddress
                    stream.avail_out = UInt32(space.count)
                    return inflate(&stream, Z_NO_FLUSH)
                }
                guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else {
                    throw TraceFileFailure(path: path, problem: "the gzip data is damaged")
                }
                output += buffer[..<(buffer.count - Int(stream.avail_out))]
            } while code == Z_OK && (stream.avail_out == 0 || stream.avail_in > 0)
            consumed += step - Int(stream.avail_in)
            if code == Z_STREAM_END {
                // Tapes and block devices fill up with zeros; gzip ignores those as well.
                if packed[consumed...].allSatisfy({ $0 == 0 }) { break }
                guard inflateReset(&stream) == Z_OK else {
                    throw TraceFileFailure(path: path, problem: "zlib cannot go on")
                }
            } else if consumed == packed.count {
                throw TraceFileFailure(path: path, problem: "the gzip data ends too early")
            }
        }
        return output
    }

    /// Unpacks with a program of Debian's `xz-utils`, `zstd` or `bzip2`.
    private static func run(
        _ program: String,
        from package: String,
        on packed: UnsafeRawBufferPointer,
        _ path: String
    ) throws -> [UInt8] {
        let wanted = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        // The name goes through a shell.
        let folder = wanted.contains("'") ? "/tmp" : wanted
        var template = Array("\(folder)/xinghe-trace-XXXXXX".utf8CString)
        let scratch = mkstemp(&template)
        guard scratch >= 0 else { throw failure(path, "mkstemp") }
        defer { close(scratch) }
        let name = template.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { String(cString: $0) } ?? ""
        }
        defer { unlink(name) }
        var written = 0
        while written < packed.count {
            let rest = UnsafeRawBufferPointer(rebasing: packed[written...])
            let count = write(scratch, rest.baseAddress, rest.count)
            guard count > 0 else { throw failure(path, "write to \(folder)") }
            written += count
        }
        guard let pipe = popen("\(program) -dc '\(name)' 2>/dev/null", "r") else {
            throw failure(path, program)
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0 {
            bytes += buffer[..<count]
        }
        // The shell's status when it finds no such program is 127; wait(2) keeps it in bits 8…15.
        let status = pclose(pipe)
        guard status == 0 else {
            let problem =
                status == 127 << 8
                ? "the program \(program) is not installed (Debian: apt install \(package))"
                : "the \(program) data is damaged or ends too early"
            throw TraceFileFailure(path: path, problem: problem)
        }
        return bytes
    }
}
