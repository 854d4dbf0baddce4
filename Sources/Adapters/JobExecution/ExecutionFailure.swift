import Glibc

/// A system call that did not do its part.
public struct ExecutionFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call, such as `open`.
    public var call: String
    /// What it was called for: a path or a process.
    public var subject: String
    /// Its errno.
    public var code: Int32

    /// Makes a report.
    public init(call: String, subject: String, code: Int32) {
        self.call = call
        self.subject = subject
        self.code = code
    }

    /// `open /a/b: No such file or directory`.
    public var description: String { "\(call) \(subject): \(String(cString: strerror(code)))" }
}

/// Small files, whole. No Foundation: `xinghe-step` starts once for every job.
///
/// Where daemon and job have the same user the job can put anything in their place. Only regular
/// files are opened: a pipe would let the daemon wait for ever, a device would never end.
enum SmallFile {
    /// The largest file that is read whole: a specification with its environment is far smaller.
    private static let largest = 64 << 20

    /// The bytes of a file; of one that is larger than `maximum`, the first ones.
    static func read(
        _ path: String,
        maximum: Int = largest
    ) throws(ExecutionFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        try forEachChunk(of: path, maximum: maximum) { bytes += $0 }
        return bytes
    }

    /// Calls `body` with one piece of a file after the other, `maximum` bytes together. Returns how
    /// many bytes were left unread.
    @discardableResult
    static func forEachChunk(
        of path: String,
        maximum: Int,
        _ body: (ArraySlice<UInt8>) -> Void
    ) throws(ExecutionFailure) -> Int {
        let (descriptor, size) = try openRegular(path, O_RDONLY)
        defer { close(descriptor) }
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        var done = 0
        while done < maximum {
            let count = Glibc.read(descriptor, &chunk, min(chunk.count, maximum - done))
            if count < 0 {
                if errno == EINTR { continue }
                throw ExecutionFailure(call: "read", subject: path, code: errno)
            }
            guard count > 0 else { return 0 }
            done += count
            body(chunk[..<count])
        }
        return max(0, size - done)
    }

    /// Opens a file and says how large it is.
    private static func openRegular(
        _ path: String,
        _ flags: Int32
    ) throws(ExecutionFailure) -> (descriptor: Int32, size: Int) {
        let safely = O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC
        let descriptor = open(path, flags | safely, 0o644)
        guard descriptor >= 0 else {
            throw ExecutionFailure(call: "open", subject: path, code: errno)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw ExecutionFailure(call: "open as a regular file", subject: path, code: EINVAL)
        }
        return (descriptor, Int(status.st_size))
    }

    /// Makes a file with these bytes that nobody sees half written: a temporary one takes its
    /// place by rename, or by link when there must be none yet.
    static func write(
        _ bytes: [UInt8],
        to path: String,
        mode: mode_t = 0o644,
        mustBeNew: Bool = false
    ) throws(ExecutionFailure) {
        let temporary = "\(path).\(getpid())"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw ExecutionFailure(call: "open", subject: temporary, code: errno)
        }
        defer { unlink(temporary) }
        do {
            defer { close(descriptor) }
            try append(bytes, to: descriptor, path: temporary)
        }
        let result = mustBeNew ? link(temporary, path) : rename(temporary, path)
        guard result == 0 else {
            throw ExecutionFailure(call: mustBeNew ? "link" : "rename", subject: path, code: errno)
        }
    }

    /// Appends one line in one write, so that a reader finds it whole or not at all.
    static func appendLine(_ line: String, to path: String) throws(ExecutionFailure) {
        let (descriptor, _) = try openRegular(path, O_WRONLY | O_CREAT | O_APPEND)
        defer { close(descriptor) }
        try append(Array((line + "\n").utf8), to: descriptor, path: path)
    }

    static func append(
        _ bytes: [UInt8],
        to descriptor: Int32,
        path: String
    ) throws(ExecutionFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw ExecutionFailure(call: "write", subject: path, code: errno)
            }
            rest = rest.dropFirst(count)
        }
    }

    /// The lines that are finished by a newline, of the first mebibyte; a torn last one is left out.
    static func finishedLines(_ path: String) -> [Substring] {
        guard let bytes = try? read(path, maximum: 1 << 20), let end = bytes.lastIndex(of: 0x0A)
        else { return [] }
        return String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\n")
    }
}
