import Crypto
import Foundation
import Glibc

// Images of a centre's state beside its journal, each in a file named after the last batch in it:
//
//     xinghe-image-1 TAB batch TAB rows of the journal TAB hash of the last TAB program TAB bytes TAB sum LF
//     the state
//
// The sum is SHA-256 over the fields before it and the state. A file has its name only once it is whole and
// durable, so one that is there and does not match its sum was changed later.

/// The state of a centre after a batch, with the place in the journal from which it is to be gone on.
public struct StoredImage: Hashable, Sendable {
    /// The last batch that is in it.
    public var batch: Int64
    /// The rows of the journal up to that batch.
    public var journalLength: Int64
    /// The hash of the last of them, in hexadecimal.
    public var journalHead: String
    /// The version of the program that wrote it.
    public var program: String
    /// The state.
    public var state: [UInt8]

    /// Makes an image.
    public init(
        batch: Int64,
        journalLength: Int64,
        journalHead: String,
        program: String,
        state: [UInt8]
    ) {
        self.batch = batch
        self.journalLength = journalLength
        self.journalHead = journalHead
        self.program = program
        self.state = state
    }

    private static let version = "xinghe-image-1"

    /// The fields of the first line but for the sum.
    private var fields: [String] {
        let words = program.map { $0.isWhitespace ? "-" : $0 }
        return [
            Self.version, String(batch), String(journalLength), journalHead, String(words),
            String(state.count),
        ]
    }

    private static func sum(_ fields: [String], _ state: some DataProtocol) -> String {
        var hash = SHA256()
        hash.update(data: Array(fields.joined(separator: "\t").utf8))
        hash.update(data: state)
        return HashChain.hexText(hash.finalize())
    }

    /// The first line.
    fileprivate var head: [UInt8] {
        let line = fields + [Self.sum(fields, state)]
        return Array((line.joined(separator: "\t") + "\n").utf8)
    }

    /// The longest first line. Unit: bytes.
    private static let headMaximum = 4_096

    /// Reads a file; nil for what is not an image, or was changed. Its first line says how long the file must
    /// be: one of another length is not read any further.
    fileprivate init?(_ descriptor: Int32) throws(Failed) {
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw Failed() }
        guard info.st_mode & S_IFMT == S_IFREG else { return nil }
        let begin = try Self.bytes(
            of: descriptor,
            min(Int(info.st_size), Self.headMaximum),
            from: 0
        )
        guard let end = begin.firstIndex(of: 0x0A),
            let line = String(validating: begin[..<end], as: UTF8.self)
        else { return nil }
        let words = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 7, words[0] == Self.version, let batch = Int64(words[1]),
            let length = Int64(words[2]), let count = Int(words[5]), count >= 0,
            count == Int(info.st_size) - end - 1
        else { return nil }
        let state = try Self.bytes(of: descriptor, count, from: end + 1)
        guard state.count == count, words[6] == Self.sum(Array(words[..<6]), state) else {
            return nil
        }
        self.init(
            batch: batch,
            journalLength: length,
            journalHead: words[3],
            program: words[4],
            state: state
        )
    }

    /// A system call failed; why is in `errno`.
    fileprivate struct Failed: Error {}

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
}

/// The images in a state folder.
public struct ImageFolder: Sendable {
    private let path: String

    /// How many are kept: should the last one not be readable, there is the one before.
    public static let countKept = 2

    /// The images of a state folder; there need not be any.
    public init(stateFolder: String) {
        path = stateFolder + "/images"
    }

    /// The batches of which there are images, the last one first.
    public var batches: [Int64] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.compactMap { Int64($0) }.sorted(by: >)
    }

    private func file(_ batch: Int64) -> String { "\(path)/\(batch)" }

    /// How large the last image is; 0 when there is none. Unit: byte.
    public var lastSize: Int64 {
        var status = stat()
        guard let last = batches.first, stat(file(last), &status) == 0 else { return 0 }
        return Int64(status.st_size)
    }

    /// Reads the image of a batch.
    ///
    /// - Throws: `PersistenceFailure`, of kind `damaged` when it was changed.
    public func image(ofBatch batch: Int64) throws(PersistenceFailure) -> StoredImage {
        let file = file(batch)
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.failure("read \(file)") }
        defer { close(descriptor) }
        let found: StoredImage?
        do throws(StoredImage.Failed) {
            found = try StoredImage(descriptor)
        } catch {
            throw Self.failure("read \(file)")
        }
        guard let image = found, image.batch == batch else {
            throw PersistenceFailure(
                kind: .damaged,
                operation: "read \(file)",
                message: "it does not match its hash"
            )
        }
        return image
    }

    /// Writes an image, durably, and removes all but the last ones. Images of later batches are of a journal
    /// that was cut.
    ///
    /// - Throws: `PersistenceFailure`; there is no image of that batch then.
    public func write(_ image: StoredImage) throws(PersistenceFailure) {
        if access(path, F_OK) != 0 { try StateFolder.make(path) }
        let partial = path + "/partial"
        do throws(PersistenceFailure) {
            try Self.write([image.head, image.state], to: partial)
            guard rename(partial, file(image.batch)) == 0 else {
                throw Self.failure("rename \(partial)")
            }
        } catch {
            unlink(partial)
            throw error
        }
        StoreCopy.makeDurable(path)
        let others = batches
        let kept = others.filter { $0 <= image.batch }.prefix(Self.countKept)
        for other in others where !kept.contains(other) { remove(other) }
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

    /// Removes the image of a batch, if there is one.
    public func remove(_ batch: Int64) { unlink(file(batch)) }

    /// Copies the images of no later batch than `last` into another state folder.
    func copy(to folder: String, upTo last: Int64) throws(PersistenceFailure) {
        for batch in batches.reversed() where batch <= last {
            // One that cannot be read is no loss: the copy has the journal.
            guard let image = try? self.image(ofBatch: batch) else { continue }
            try ImageFolder(stateFolder: folder).write(image)
        }
    }

    private static func failure(_ operation: String) -> PersistenceFailure {
        PersistenceFailure(
            kind: errno == ENOSPC ? .full : .other,
            operation: operation,
            message: String(cString: strerror(errno))
        )
    }
}
