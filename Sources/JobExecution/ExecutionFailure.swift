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
enum SmallFile {
    /// The bytes of a file; of one that is larger than `maximum`, the first ones.
    static func read(
        _ path: String,
        maximum: Int = .max
    ) throws(ExecutionFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ExecutionFailure(call: "open", subject: path, code: errno)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count < maximum {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw ExecutionFailure(call: "read", subject: path, code: errno)
            }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
        return bytes
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
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
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
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw ExecutionFailure(call: "open", subject: path, code: errno)
        }
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
