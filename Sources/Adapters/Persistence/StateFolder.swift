import Glibc
import Synchronization

/// The folder in which a centre keeps its state, held by one process at a time.
///
///     journal.sqlite   inputs, records of ended jobs, ledger entries
///     head             where the journal ended when that was acknowledged last
///     lock             held (flock) while a daemon runs; its process number, for people
///     jobs/            one folder for each run of a real job
///     xinghed.log      what the daemon logged, when `xinghe up` started it
public final class StateFolder: Sendable {
    /// The absolute path.
    public let path: String
    /// −1 once the folder was let go.
    private let lockDescriptor: Atomic<Int32>

    /// Makes the folder when it is absent, and takes it.
    ///
    /// - Throws: `PersistenceFailure` of kind `inUse`, naming the other process, when it is taken.
    public init(path: String) throws(PersistenceFailure) {
        func failed(_ operation: String) -> PersistenceFailure {
            PersistenceFailure(
                kind: errno == ENOSPC ? .full : .other,
                operation: operation,
                message: String(cString: strerror(errno))
            )
        }
        try Self.make(path)
        let lock = path + "/lock"
        // Whoever can open it can hold it: nobody else may, nor the file of an earlier version.
        let descriptor = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failed("open \(lock)") }
        fchmod(descriptor, 0o600)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            var bytes = [UInt8](repeating: 0, count: 32)
            let count = max(0, read(descriptor, &bytes, bytes.count))
            close(descriptor)
            let owner = String(decoding: bytes[..<count].prefix { $0 != 0x0A }, as: UTF8.self)
            throw PersistenceFailure(
                kind: .inUse,
                operation: "open state folder \(path)",
                // It is taken a moment before the number is written.
                message: owner.isEmpty
                    ? "another xinghed is opening it"
                    : "another xinghed (process \(owner)) has it open"
            )
        }
        // The name is for people only; a full disk must not keep the centre closed.
        let name = "\(getpid())\n"
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, name, name.utf8.count, 0) }
        // The journal holds scripts and environments: it is nobody else's to read. SQLite gives its
        // side files the mode of the main one.
        let journal = open(path + "/journal.sqlite", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if journal >= 0 { close(journal) }
        self.path = path
        lockDescriptor = Atomic(descriptor)
    }

    deinit {
        release()
    }

    /// Lets another process take the folder. The store must not be written to any more.
    public func release() {
        let descriptor = lockDescriptor.exchange(-1, ordering: .acquiringAndReleasing)
        guard descriptor >= 0 else { return }
        // A child between fork and exec shares the lock; unlocking ends it for all.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Makes the folder, and those above it, when they are absent.
    ///
    /// - Throws: `PersistenceFailure`.
    public static func make(_ path: String) throws(PersistenceFailure) {
        var built = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            built += "/" + part
            if mkdir(built, 0o755) != 0, errno != EEXIST {
                throw PersistenceFailure(
                    kind: errno == ENOSPC ? .full : .other,
                    operation: "make state folder \(path)",
                    message: "\(built): \(String(cString: strerror(errno)))"
                )
            }
        }
        var info = stat()
        guard stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
            throw PersistenceFailure(
                kind: .other,
                operation: "make state folder \(path)",
                message: "there is a file of this name, which is no folder"
            )
        }
    }
}
