import Foundation
import GRDB
import Glibc

// Copies of a centre's store, made while the centre lives or without it.

/// What a copy holds.
public struct StoreCopy: Hashable, Sendable {
    /// Where its journal ends.
    public var end: AcknowledgedEnd
    /// What it takes. Unit: bytes.
    public var size: Int64

    /// Copies the store of a state folder, as it is at one instant, into a folder that is not there yet. Each
    /// row is checked against its hash. The copy is whole, or is not there.
    ///
    /// A daemon that has the folder open goes on; what it writes meanwhile is not in the copy.
    ///
    /// - Parameter isOpened: whether the new folder is to be opened as the centre itself; otherwise it is a copy
    ///   until somebody says what it is.
    /// - Throws: `PersistenceFailure`.
    public init(
        of source: String,
        to target: String,
        isOpened: Bool = false
    ) throws(PersistenceFailure) {
        let reader = try CentreReader(stateFolder: source)
        if let problem = try reader.headFinding(folder: source) {
            throw PersistenceFailure(kind: .lost, operation: "copy \(source)", message: problem)
        }
        guard access(target, F_OK) != 0 else {
            throw PersistenceFailure(
                kind: .other,
                operation: "make \(target)",
                message: "there is a file or folder of this name"
            )
        }
        let partial = Self.partialFolder(of: target)
        try Self.remove(partial)
        try StateFolder.make(partial)
        do throws(PersistenceFailure) {
            end = try reader.copy(into: partial, known: HeadFile.read(folder: source))
            try ImageFolder(stateFolder: source).copy(to: partial, upTo: end.batch)
            if isOpened { end.folder = FolderIdentity(path: partial) ?? FolderIdentity() }
            let head = try HeadFile(folder: partial)
            try head.write(end)
            try head.write(end)
            var info = stat()
            stat(partial + "/journal.sqlite", &info)
            let copy = try CentreReader(stateFolder: partial)
            size = Int64(info.st_size) + copy.segments.size(try copy.archivedSegments())
            guard rename(partial, target) == 0 else {
                throw PersistenceFailure(
                    kind: .other,
                    operation: "make \(target)",
                    message: String(cString: strerror(errno))
                )
            }
        } catch {
            try? Self.remove(partial)
            throw error
        }
        try Self.makeDurable((target as NSString).deletingLastPathComponent)
    }

    /// Where a copy is made before it takes its name.
    public static func partialFolder(of target: String) -> String { target + ".partial" }

    private static func remove(_ folder: String) throws(PersistenceFailure) {
        try PersistenceFailure.rethrowing("remove \(folder)") {
            guard FileManager.default.fileExists(atPath: folder) else { return }
            try FileManager.default.removeItem(atPath: folder)
        }
    }

    /// Makes the names in a folder survive a loss of power.
    static func makeDurable(_ folder: String) throws(PersistenceFailure) {
        let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SealedFile.failure("open \(folder)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SealedFile.failure("sync \(folder)") }
    }
}

extension CentreReader {
    /// Copies the database into a folder, page by page, and checks every row of the copy.
    fileprivate func copy(
        into folder: String,
        known: AcknowledgedEnd?
    ) throws(PersistenceFailure) -> AcknowledgedEnd {
        let path = folder + "/journal.sqlite"
        // Scripts and environments are in it.
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if descriptor >= 0 { close(descriptor) }
        try PersistenceFailure.rethrowing("copy the journal") {
            let queue = try DatabaseQueue(path: path)
            try self.copy(to: queue)
            // Only what the copy lists: a daemon may have archived more meanwhile.
            let copied = CentreReader(queue, stateFolder: folder, hasArchive: hasArchive)
            try segments.copy(copied.archivedSegments(), to: folder)
            try queue.writeWithoutTransaction { db in
                // One file, without a log beside it.
                try db.execute(sql: "PRAGMA journal_mode = DELETE")
            }
            try queue.close()
        }
        let copy = try CentreReader(stateFolder: folder)
        var end = AcknowledgedEnd()
        var last: JournalRow?
        try copy.forEachInput { last = $0 }
        try copy.forEachLedgerEntry { _ in }
        end.centre = try copy.meta("centre") ?? known?.centre ?? ""
        if let last {
            end.batch = last.batch
            end.length = last.sequence
            end.head = try copy.journalHash(ofRow: last.sequence) ?? end.head
        }
        return end
    }
}
