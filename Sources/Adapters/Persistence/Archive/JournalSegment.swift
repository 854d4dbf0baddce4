import Glibc
import Quantities

/// A stretch of the journal that lies in a file of its own, packed, as the store lists it. Its rows are not in
/// the table any more.
public struct JournalSegment: Hashable, Sendable {
    /// The first row.
    public var first: Int64
    /// The last row.
    public var last: Int64
    /// The batch of the last row.
    public var lastBatch: Int64
    /// The chain before the first row.
    var before: HashChain
    /// The chain after the last.
    var end: HashChain
    /// The sum that the file bears.
    public var sum: String

    /// The name of its file.
    public var name: String { "\(first)-\(last)" }
}

/// The files of archived stretches of a journal, in the folder `segments` of a state folder:
///
///     xinghe-segment-1 TAB first row TAB last row TAB last batch TAB hash before TAB hash of the last
///         TAB program TAB bytes unpacked TAB bytes TAB sum LF
///     the rows, packed
///
/// `program` is the version that had decided last when the segment was made. Of each row there are, behind one
/// another, how much its batch and its instant (µs) are beyond those of the row before, its kind and its body.
public struct SegmentFolder: Sendable {
    private let path: String

    private static let kind = "xinghe-segment-1"

    /// How long kinds and bodies of the rows of a segment are together at most; a single row may be longer. Unit:
    /// bytes.
    static let bodiesMaximum = 4 << 20

    /// The segments of a state folder; there need not be any.
    public init(stateFolder: String) {
        path = stateFolder + "/segments"
    }

    /// The file of a segment.
    func file(_ segment: JournalSegment) -> String { "\(path)/\(segment.name)" }

    /// Writes rows that follow one another into a file, durably.
    ///
    /// - Parameter before: the chain before the first.
    /// - Throws: `PersistenceFailure`.
    func write(
        _ rows: [JournalRow],
        after before: HashChain,
        program: String
    ) throws(PersistenceFailure) -> JournalSegment {
        guard let first = rows.first, let last = rows.last else {
            preconditionFailure("a segment of no rows")
        }
        var end = before
        var writer = PackedWriter()
        var (batch, instant) = (Int64(0), Int64(0))
        for row in rows {
            end.extend(row)
            writer.append(row.batch - batch)
            writer.append(row.instant.microseconds &- instant)
            writer.append(row.kind)
            writer.append(row.body)
            (batch, instant) = (row.batch, row.instant.microseconds)
        }
        let words = program.map { $0.isWhitespace ? "-" : $0 }
        let file = SealedFile(
            fields: [
                Self.kind, String(first.sequence), String(last.sequence), String(last.batch),
                before.hexText, end.hexText, String(words), String(writer.bytes.count),
            ],
            content: DeflatedBytes.pack(writer.bytes)
        )
        let segment = JournalSegment(
            first: first.sequence,
            last: last.sequence,
            lastBatch: last.batch,
            before: before,
            end: end,
            sum: file.sum
        )
        try file.write(segment.name, in: path)
        return segment
    }

    /// What is wrong with the file of a segment, in words that name it; nil when it is the one that was written.
    ///
    /// - Parameter readsAll: whether its content is read and proved, and not only its length and first line.
    func finding(_ segment: JournalSegment, readsAll: Bool) -> String? {
        do throws(PersistenceFailure) {
            if readsAll {
                _ = try sealed(segment)
            } else {
                try checkPresence(of: segment)
                let head = try SealedFile.head(file(segment), kind: Self.kind)
                guard let head, isListed(head.fields, head.sum, segment) else {
                    throw changed(segment)
                }
            }
            return nil
        } catch {
            return error.message
        }
    }

    /// The rows of a segment; each is what the chain says.
    ///
    /// - Throws: `PersistenceFailure`, of kind `damaged`, in words that name the file.
    func rows(of segment: JournalSegment) throws(PersistenceFailure) -> [JournalRow] {
        let file = try sealed(segment)
        guard let length = Int(file.fields[7]),
            let bytes = DeflatedBytes.unpack(file.content, to: length),
            let rows = Self.rows(in: bytes, of: segment)
        else { throw changed(segment) }
        var chain = segment.before
        for row in rows { chain.extend(row) }
        guard chain == segment.end else { throw changed(segment) }
        return rows
    }

    private static func rows(in bytes: [UInt8], of segment: JournalSegment) -> [JournalRow]? {
        var reader = PackedReader(bytes)
        var rows: [JournalRow] = []
        var (batch, instant) = (Int64(0), Int64(0))
        while !reader.isAtEnd {
            guard let batches = reader.signedNumber(), let time = reader.signedNumber(),
                let kind = reader.text(), let body = reader.text()
            else { return nil }
            batch &+= batches
            instant &+= time
            let sequence = segment.first + Int64(rows.count)
            rows.append(
                JournalRow(
                    sequence: sequence,
                    batch: batch,
                    instant: SimInstant(microseconds: instant),
                    kind: kind,
                    body: body
                )
            )
        }
        guard rows.last?.sequence == segment.last, batch == segment.lastBatch else { return nil }
        return rows
    }

    /// The file of a segment, when it is the one that the store lists.
    private func sealed(_ segment: JournalSegment) throws(PersistenceFailure) -> SealedFile {
        try checkPresence(of: segment)
        guard let file = try SealedFile(file(segment), kind: Self.kind),
            isListed(file.fields, file.sum, segment)
        else { throw changed(segment) }
        return file
    }

    /// Whether a first line is that of the file that the store lists.
    private func isListed(_ fields: [String], _ sum: String, _ segment: JournalSegment) -> Bool {
        fields.count == 8 && sum == segment.sum
            && fields[1...5] == [
                String(segment.first), String(segment.last), String(segment.lastBatch),
                segment.before.hexText, segment.end.hexText,
            ]
    }

    private func checkPresence(of segment: JournalSegment) throws(PersistenceFailure) {
        let name = file(segment)
        guard access(name, F_OK) == 0 || errno != ENOENT else {
            throw PersistenceFailure(
                kind: .damaged,
                operation: "read the journal",
                message: "\(name), which has \(Self.words(segment)), is missing"
            )
        }
    }

    private func changed(_ segment: JournalSegment) -> PersistenceFailure {
        PersistenceFailure(
            kind: .damaged,
            operation: "read the journal",
            message: "\(file(segment)), which has \(Self.words(segment)), was changed or cut short"
        )
    }

    private static func words(_ segment: JournalSegment) -> String {
        segment.first == segment.last
            ? "row \(segment.first) of the journal"
            : "rows \(segment.first) to \(segment.last) of the journal"
    }

    /// Copies segments into another state folder, each checked.
    ///
    /// - Throws: `PersistenceFailure`.
    func copy(
        _ segments: [JournalSegment],
        to folder: String
    ) throws(PersistenceFailure) {
        let target = SegmentFolder(stateFolder: folder)
        for segment in segments { try sealed(segment).write(segment.name, in: target.path) }
    }

    /// Removes the files that no segment has: a program that was killed wrote them, and had not listed them yet.
    /// What is called like no file of a segment is left alone.
    ///
    /// - Returns: the names of those that are gone.
    func sweep(keeping segments: [JournalSegment]) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        let kept = Set(segments.map(\.name))
        var gone: [String] = []
        while let entry = readdir(folder) {
            // SAFETY: a name of a folder ends with a zero byte within its array.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let numbers = name.split(separator: "-", omittingEmptySubsequences: false)
            let isSegment = numbers.count == 2 && numbers.allSatisfy { Int64($0) != nil }
            guard isSegment && !kept.contains(name) || name == "partial" else { continue }
            if unlink("\(path)/\(name)") == 0 { gone.append(name) }
        }
        return gone.sorted()
    }

    /// What all files of segments take. Unit: bytes.
    func size(_ segments: [JournalSegment]) -> Int64 {
        segments.reduce(0) { sum, segment in
            var info = stat()
            return stat(file(segment), &info) == 0 ? sum + Int64(info.st_size) : sum
        }
    }
}
