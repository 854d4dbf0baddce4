import Crypto
import Glibc

// What was acknowledged last, in a file of its own beside the journal.
//
// SQLite cannot tell that a journal was longer once: a write-ahead log that is gone, or ends with a damaged
// page, is to it one that was never written. So after each transaction, and before anybody is told of it, the
// end of the chain is written here too, and made durable. Two places take turns: when the power fails while
// one is written, the other still says the end before.
//
// It also says which folder it was written in. A folder that is another one, by its number in the file
// system, is a copy, or was moved: whose real jobs are whose cannot be told then.

/// The end of a journal, as it was acknowledged.
public struct AcknowledgedEnd: Hashable, Sendable {
    /// The centre, by a number of 128 bits drawn when it was made.
    public var centre = ""
    /// The last batch.
    public var batch: Int64 = 0
    /// The rows of the journal.
    public var length: Int64 = 0
    /// The hash of the last, in hexadecimal.
    public var head = HashChain().hexText
    /// The state folder in which it was written; 0 for one that no daemon has opened.
    public var folder = FolderIdentity()

    /// The end of an empty journal.
    public init() {}
}

/// A folder, as the file system knows it.
public struct FolderIdentity: Hashable, Sendable {
    /// The number of its inode.
    public var inode: UInt64 = 0
    /// The device that it is on: the number holds until the computer is started again.
    public var device: UInt64 = 0
    /// The boot of the computer.
    public var boot = ""

    /// No folder.
    public init() {}

    /// The folder at a path; nil when there is none.
    public init?(path: String) {
        var info = stat()
        guard stat(path, &info) == 0 else { return nil }
        inode = UInt64(info.st_ino)
        device = UInt64(info.st_dev)
        boot = Self.bootID
    }

    /// Whether this is the folder that `other` was.
    func isSame(as other: FolderIdentity) -> Bool {
        inode == other.inode && (device == other.device || boot != other.boot)
    }

    private static var bootID: String {
        let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = max(0, read(descriptor, &bytes, bytes.count))
        return String(decoding: bytes[..<count].prefix { $0 != 0x0A }, as: UTF8.self)
    }
}

/// The file `head` of a state folder.
public final class HeadFile {
    /// One place is a sector: it is written whole, or not at all.
    private static let placeSize = 512
    private static let version = "xinghe-head-1"

    private let descriptor: Int32
    private var turn = 0

    /// Opens the file of a folder for writing, or makes it.
    ///
    /// - Throws: `PersistenceFailure`.
    init(folder: String) throws(PersistenceFailure) {
        let path = Self.path(folder)
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("open \(path)") }
    }

    deinit {
        close(descriptor)
    }

    private static func path(_ folder: String) -> String { folder + "/head" }

    /// What the file of a folder says; nil when there is no file, or none of its places can be read.
    public static func read(folder: String) -> AcknowledgedEnd? {
        let descriptor = open(path(folder), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 2 * placeSize)
        let count = max(0, pread(descriptor, &bytes, bytes.count, 0))
        let places = [bytes[..<min(count, placeSize)], bytes[min(count, placeSize)..<count]]
        // Of two places the later counts.
        return places.compactMap(end).max { ($0.length, $0.batch) < ($1.length, $1.batch) }
    }

    private static func end(_ place: ArraySlice<UInt8>) -> AcknowledgedEnd? {
        guard let line = String(validating: place.prefix { $0 != 0x0A }, as: UTF8.self) else {
            return nil
        }
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 9, fields[0] == version,
            fields[8] == sum(fields[..<8].joined(separator: "\t")), let batch = Int64(fields[2]),
            let length = Int64(fields[3]), let inode = UInt64(fields[5]),
            let device = UInt64(fields[6])
        else { return nil }
        var end = AcknowledgedEnd()
        end.centre = fields[1]
        end.batch = batch
        end.length = length
        end.head = fields[4]
        end.folder.inode = inode
        end.folder.device = device
        end.folder.boot = fields[7]
        return end
    }

    private static func sum(_ text: String) -> String {
        HashChain.hexText(SHA256.hash(data: Array(text.utf8)).prefix(8))
    }

    /// Writes the end and makes it durable. The file never grows, so that a full disk is no reason to fail.
    ///
    /// - Throws: `PersistenceFailure`.
    func write(_ end: AcknowledgedEnd) throws(PersistenceFailure) {
        let text = [
            Self.version, end.centre, String(end.batch), String(end.length), end.head,
            String(end.folder.inode), String(end.folder.device), end.folder.boot,
        ].joined(separator: "\t")
        var bytes = Array("\(text)\t\(Self.sum(text))\n".utf8)
        precondition(bytes.count <= Self.placeSize, "an end that does not fit its place")
        bytes += [UInt8](repeating: 0x20, count: Self.placeSize - bytes.count)
        let place = off_t(turn * Self.placeSize)
        guard pwrite(descriptor, bytes, bytes.count, place) == bytes.count,
            fdatasync(descriptor) == 0
        else { throw Self.failure("write the head of the journal") }
        turn = 1 - turn
    }

    private static func failure(_ operation: String) -> PersistenceFailure {
        PersistenceFailure(
            kind: errno == ENOSPC ? .full : .other,
            operation: operation,
            message: String(cString: strerror(errno))
        )
    }
}

/// A file that must stay the one that it was when it was opened.
struct WatchedFile {
    private let path: String
    private var inode: UInt64?

    init(_ path: String) {
        self.path = path
    }

    /// Whether the file at the path is still the one that was there at the first call.
    mutating func isThere() -> Bool {
        var info = stat()
        guard stat(path, &info) == 0 else { return inode == nil }
        guard let inode else {
            self.inode = UInt64(info.st_ino)
            return true
        }
        return inode == UInt64(info.st_ino)
    }
}
