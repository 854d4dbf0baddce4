import Crypto
import Foundation
import Glibc

/// A file that is written once, whole, and bears its own sum:
///
///     kind TAB field TAB … TAB bytes of the content TAB sum LF
///     the content
///
/// The sum is SHA-256 over the fields before it and the content. A file has its name only once it is whole and
/// durable, so one that is there and does not match its sum was changed later.
struct SealedFile {
    /// What stands in the first line before the two numbers of the content, the kind first. Without tabs and
    /// line breaks.
    let fields: [String]
    let content: [UInt8]
    /// SHA-256 over fields and content, in hexadecimal, as the first line bears it.
    let sum: String

    init(fields: [String], content: [UInt8]) {
        self.fields = fields
        self.content = content
        sum = Self.sum(fields + [String(content.count)], content)
    }

    private init(fields: [String], content: [UInt8], sum: String) {
        self.fields = fields
        self.content = content
        self.sum = sum
    }

    /// The longest first line. Unit: bytes.
    private static let headMaximum = 4_096

    private static func sum(_ fields: [String], _ content: some DataProtocol) -> String {
        var hash = SHA256()
        hash.update(data: Array(fields.joined(separator: "\t").utf8))
        hash.update(data: content)
        return HashChain.hexText(hash.finalize())
    }

    // MARK: - Reading

    /// Reads a file; nil for what is not one of this kind, or was changed. Its first line says how long the file
    /// must be: one of another length is not read any further.
    ///
    /// - Throws: `PersistenceFailure` when it is not there or cannot be read.
    init?(_ path: String, kind: String) throws(PersistenceFailure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.failure("read \(path)") }
        defer { close(descriptor) }
        do throws(Failed) {
            guard let file = try Self.file(descriptor, kind) else { return nil }
            self = file
        } catch {
            throw Self.failure("read \(path)")
        }
    }

    /// The first line of a file of this kind that is as long as that says, and the sum that it bears; nil for
    /// another. What is in it is not read, and so not proved.
    ///
    /// - Throws: `PersistenceFailure` when it is not there or cannot be read.
    static func head(
        _ path: String,
        kind: String
    ) throws(PersistenceFailure) -> (fields: [String], sum: String)? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("read \(path)") }
        defer { close(descriptor) }
        do throws(Failed) {
            guard let head = try head(descriptor, kind) else { return nil }
            return (Array(head.words.dropLast(2)), head.words.last ?? "")
        } catch {
            throw failure("read \(path)")
        }
    }

    private static func file(
        _ descriptor: Int32,
        _ kind: String
    ) throws(Failed) -> SealedFile? {
        guard let head = try head(descriptor, kind) else { return nil }
        let content = try bytes(of: descriptor, head.count, from: head.begin)
        let fields = Array(head.words.dropLast())
        let sum = sum(fields, content)
        guard content.count == head.count, head.words.last == sum else { return nil }
        return SealedFile(fields: fields.dropLast(), content: content, sum: sum)
    }

    /// The words of the first line, and where and how long the content is.
    private static func head(
        _ descriptor: Int32,
        _ kind: String
    ) throws(Failed) -> (words: [String], begin: Int, count: Int)? {
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw Failed() }
        guard info.st_mode & S_IFMT == S_IFREG else { return nil }
        let begin = try bytes(of: descriptor, min(Int(info.st_size), headMaximum), from: 0)
        guard let end = begin.firstIndex(of: 0x0A),
            let line = String(validating: begin[..<end], as: UTF8.self)
        else { return nil }
        let words = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard words.count > 2, words[0] == kind, let count = Int(words[words.count - 2]),
            count >= 0, count == Int(info.st_size) - end - 1
        else { return nil }
        return (words, end + 1, count)
    }

    /// A system call failed; why is in `errno`.
    private struct Failed: Error {}

    /// So many bytes of a file; fewer where it ends.
    private static func bytes(
        of descriptor: Int32,
        _ count: Int,
        from start: Int
    ) throws(Failed) -> [UInt8] {
        var hasFailed = false
        // SAFETY: as many bytes are counted as `pread` has filled.
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let rest = buffer.baseAddress.map { $0 + filled }
                let read = pread(descriptor, rest, count - filled, off_t(start + filled))
                if read < 0, errno == EINTR { continue }
                hasFailed = read < 0
                guard read > 0 else { return }
                filled += read
            }
        }
        if hasFailed { throw Failed() }
        return bytes
    }

    // MARK: - Writing

    /// Writes the file durably, in place of one of this name.
    ///
    /// - Throws: `PersistenceFailure`; what had the name has it still then.
    func write(_ name: String, in folder: String) throws(PersistenceFailure) {
        if access(folder, F_OK) != 0 {
            try StateFolder.make(folder)
            // What is archived stands in these files alone: the folder must outlast a loss of power, too.
            try StoreCopy.makeDurable((folder as NSString).deletingLastPathComponent)
        }
        let counted = fields + [String(content.count)]
        let line = (counted + [sum]).joined(separator: "\t") + "\n"
        let partial = folder + "/partial"
        do throws(PersistenceFailure) {
            try Self.write([Array(line.utf8), content], to: partial)
            guard rename(partial, "\(folder)/\(name)") == 0 else {
                throw Self.failure("rename \(partial)")
            }
        } catch {
            unlink(partial)
            throw error
        }
        try StoreCopy.makeDurable(folder)
    }

    /// Writes a file of these parts durably, in place of what is there.
    private static func write(_ parts: [[UInt8]], to file: String) throws(PersistenceFailure) {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("make \(file)") }
        defer { close(descriptor) }
        for part in parts {
            var rest = part[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.write(descriptor, $0.baseAddress, $0.count)
                }
                guard count > 0 || count < 0 && errno == EINTR else {
                    throw failure("write \(file)")
                }
                rest = rest.dropFirst(max(0, count))
            }
        }
        guard fsync(descriptor) == 0 else { throw failure("write \(file)") }
    }

    static func failure(_ operation: String) -> PersistenceFailure {
        PersistenceFailure(
            kind: errno == ENOSPC ? .full : .other,
            operation: operation,
            message: String(cString: strerror(errno))
        )
    }
}
