import Foundation
import Glibc

// Images of a centre's state beside its journal, each in a file (`SealedFile`) named after the last batch in
// it:
//
//     xinghe-image-1 TAB batch TAB rows of the journal TAB hash of the last TAB program TAB bytes TAB sum LF
//     the state

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

    private static let kind = "xinghe-image-1"

    /// The file of it.
    fileprivate var file: SealedFile {
        let words = program.map { $0.isWhitespace ? "-" : $0 }
        let fields = [Self.kind, String(batch), String(journalLength), journalHead, String(words)]
        return SealedFile(fields: fields, content: state)
    }

    /// Reads a file; nil for what is not an image, or was changed.
    fileprivate init?(_ path: String) throws(PersistenceFailure) {
        guard let file = try SealedFile(path, kind: Self.kind), file.fields.count == 5,
            let batch = Int64(file.fields[1]), let length = Int64(file.fields[2])
        else { return nil }
        self.init(
            batch: batch,
            journalLength: length,
            journalHead: file.fields[3],
            program: file.fields[4],
            state: file.content
        )
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
        guard let image = try StoredImage(file), image.batch == batch else {
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
        try image.file.write(String(image.batch), in: path)
        let others = batches
        let kept = others.filter { $0 <= image.batch }.prefix(Self.countKept)
        for other in others where !kept.contains(other) { remove(other) }
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
}
