/// Reads logs in the Standard Workload Format.
///
/// Source: Feitelson, "The Standard Workload Format", version 2.2,
/// https://www.cs.huji.ac.il/labs/parallel/workload/swf.html; 18 fields a row, −1 for unknown.
/// Logs in the wild have more fields, CRLF, comments in the middle, fractions, and rows out of
/// order; all of that is read. A byte loop over the mapped file: see bench/ for its speed.
public struct SWFReader: Sendable {
    /// Which rows to leave out.
    public enum Filter: String, Hashable, Sendable, CaseIterable {
        /// Only what cannot be replayed.
        case none
        /// As in the published schedules of the predictsim study: drop run ≤ 0, requested time
        /// ≤ 0 and size > machine; then run := min(run, requested).
        case strong
    }

    let filter: Filter
    private let isStrict: Bool
    let machineProcessors: Int?

    /// Malformed rows kept for the report.
    static let malformedRowsKept = 10

    /// Makes a reader.
    ///
    /// - Parameters:
    ///   - filter: which rows to leave out.
    ///   - isStrict: whether the first malformed row is an error.
    ///   - machineProcessors: the machine's size for `Filter.strong`; nil takes the header's.
    public init(filter: Filter = .none, isStrict: Bool = false, machineProcessors: Int? = nil) {
        self.filter = filter
        self.isStrict = isStrict
        self.machineProcessors = machineProcessors
    }

    /// Reads a whole log.
    ///
    /// - Throws: `MalformedRow` when strict.
    public func read(_ bytes: UnsafeRawBufferPointer) throws(MalformedRow) -> Trace {
        var parts: ContiguousArray = [part(bytes, room: bytes.count)]
        return try trace(of: &parts)
    }

    // MARK: Parts

    /// What the lines of a part of a log give; lines count from the part's first, as line 1.
    public struct Part: Sendable {
        fileprivate var trace = Trace()
        fileprivate var lineCount = 0
        /// The row at which a strict reader stopped.
        fileprivate var refusal: MalformedRow?

        /// A part that has not been read.
        public init() {}
    }

    /// Where `count` parts of a log begin, and where the last one ends: at line ends, about equally
    /// far apart. Fewer, where there are fewer lines.
    public static func cuts(of bytes: UnsafeRawBufferPointer, partCount count: Int) -> [Int] {
        var cuts = [0]
        for index in stride(from: 1, to: count, by: 1) {
            let wanted = max(bytes.count / count * index, cuts[cuts.count - 1])
            guard let end = bytes[wanted...].firstIndex(of: UInt8(ascii: "\n")),
                end + 1 < bytes.count
            else { break }
            cuts.append(end + 1)
        }
        return cuts + [bytes.count]
    }

    /// Reads a part that begins and ends where lines do.
    ///
    /// - Parameter room: the bytes of all that is to be joined to it; room that is not used costs no
    ///   memory.
    public func part(_ bytes: UnsafeRawBufferPointer, room: Int) -> Part {
        var part = Part()
        // An SWF row is seldom shorter than 60 bytes.
        part.trace.jobs.reserveCapacity(room / 60)
        do throws(MalformedRow) {
            part.lineCount = try readLines(bytes, into: &part.trace)
        } catch {
            part.refusal = error
        }
        return part
    }

    /// The log whose parts these are, in order; the same wherever it was cut. Empties them.
    ///
    /// - Throws: `MalformedRow` when strict: the first of the log.
    /// - Precondition: there is a part.
    public func trace(of parts: inout ContiguousArray<Part>) throws(MalformedRow) -> Trace {
        var trace = try Self.joined(&parts)
        finish(&trace)
        return trace
    }

    private static func joined(_ parts: inout ContiguousArray<Part>) throws(MalformedRow) -> Trace {
        if let refusal = parts[0].refusal { throw refusal }
        var trace = Trace()
        swap(&trace, &parts[0].trace)
        var lineCount = parts[0].lineCount
        for index in parts.indices.dropFirst() {
            if var refusal = parts[index].refusal {
                refusal.line += lineCount
                throw refusal
            }
            trace.append(parts[index].trace, linesBefore: lineCount)
            lineCount += parts[index].lineCount
            parts[index].trace = Trace()
        }
        return trace
    }

    /// Returns the number of lines.
    private func readLines(
        _ bytes: UnsafeRawBufferPointer,
        into trace: inout Trace
    ) throws(MalformedRow) -> Int {
        let lastNewline = bytes.lastIndex(of: UInt8(ascii: "\n")) ?? -1
        var cursor = DelimitedText.byteOrderMarkLength(bytes)
        var line = 0
        while cursor < bytes.count {
            line += 1
            cursor = skipBlanks(bytes, cursor)
            guard cursor < bytes.count else { break }
            switch bytes[cursor] {
            case UInt8(ascii: "\n"): cursor += 1
            case UInt8(ascii: ";"), UInt8(ascii: "#"):
                let end = lineEnd(bytes, cursor)
                readHeader(bytes[cursor..<end], into: &trace)
                cursor = end + 1
            default:
                try readRow(bytes, &cursor, line: line, lastNewline: lastNewline, into: &trace)
            }
        }
        return line
    }

    // MARK: Rows

    /// The fields of one row that a replay needs; times in µs.
    private struct Row {
        var fields = InlineArray<18, Int64>(repeating: -1)
        var count = 0
        /// Whether a number of processors (fields 5 and 8) has a fraction; it is rounded up.
        var isAllocatedFraction = false
        var isRequestedFraction = false
    }

    /// What is in a field, by its position.
    private enum FieldUse {
        case time, size, whole
        /// A recorded wait: compared with, and nothing else, so that it need not be there.
        case wait
        /// Nothing that a replay needs: whatever looks like a number will do.
        case none

        init(_ position: Int) {
            self =
                switch position {
                case 1, 3, 8: .time
                case 4, 7: .size
                case 0, 10, 11, 12, 14, 15: .whole
                case 2: .wait
                default: .none
                }
        }
    }

    private func readRow(
        _ bytes: UnsafeRawBufferPointer,
        _ cursor: inout Int,
        line: Int,
        lastNewline: Int,
        into trace: inout Trace
    ) throws(MalformedRow) {
        trace.rowCount += 1
        let start = cursor
        var row = Row()
        if let end = Self.plainRow(bytes, start, lastNewline: lastNewline, into: &row) {
            cursor = end
            return add(row, line: line, to: &trace)
        }
        row = Row()
        if let problem = parse(bytes, &cursor, into: &row) {
            cursor = lineEnd(bytes, start) + 1
            let field = row.count < 18 ? row.count + 1 : 0
            let report = MalformedRow(line: line, field: field, problem: problem)
            if isStrict { throw report }
            drop(.malformed, &trace)
            if trace.malformedRows.count < Self.malformedRowsKept {
                trace.malformedRows.append(report)
            }
            return
        }
        cursor = lineEnd(bytes, cursor) + 1
        add(row, line: line, to: &trace)
    }

    /// Reads a row of 18 whole numbers, as nearly all are, and nothing else.
    ///
    /// - Parameter lastNewline: the file's last newline, not before `start`. No loop below goes past
    ///   a newline, so none needs to look at the count of bytes.
    /// - Returns: where the next line begins; nil when the row needs a closer look.
    @inline(__always)
    private static func plainRow(
        _ bytes: UnsafeRawBufferPointer,
        _ start: Int,
        lastNewline: Int,
        into row: inout Row
    ) -> Int? {
        guard start <= lastNewline, let base = bytes.baseAddress else { return nil }
        var next = base.assumingMemoryBound(to: UInt8.self) + start
        for field in 0..<18 {
            while next.pointee == 0x20 || next.pointee == 0x09 { next += 1 }
            let isNegative = next.pointee == UInt8(ascii: "-")
            if isNegative {
                next += 1
                // Unknown: half of the fields of most logs, and what the row holds already.
                if next.pointee == UInt8(ascii: "1"), next[1] == 0x20 {
                    next += 2
                    continue
                }
            }
            var digit = next.pointee &- 48
            guard digit < 10 else { return nil }
            var value: Int64 = 0
            let first = next
            repeat {
                value = value &* 10 &+ Int64(digit)
                next += 1
                digit = next.pointee &- 48
            } while digit < 10
            guard next - first <= 12 else { return nil }
            row.fields[field] = isNegative ? -value : value
            let byte = next.pointee
            guard byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A else { return nil }
        }
        row.fields[1] &*= 1_000_000
        row.fields[3] &*= 1_000_000
        row.fields[8] &*= 1_000_000
        while next.pointee != 0x0A { next += 1 }
        row.count = 18
        return next - base.assumingMemoryBound(to: UInt8.self) + 1
    }

    /// Reads up to 18 numbers of a row; times (fields 2, 4 and 9) in µs, others as integers.
    ///
    /// - Returns: what is wrong, or nil.
    private func parse(
        _ bytes: UnsafeRawBufferPointer,
        _ cursor: inout Int,
        into row: inout Row
    ) -> String? {
        var position = cursor
        let count = bytes.count
        while row.count < 18 {
            while position < count, bytes[position] == 0x20 || bytes[position] == 0x09 {
                position &+= 1
            }
            guard position < count, bytes[position] != 0x0A, bytes[position] != 0x0D else {
                cursor = position
                return "the row has \(row.count) fields, 18 are needed"
            }
            let start = position
            while position < count, !Self.endsField(bytes[position]) { position &+= 1 }
            let field = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
            if let problem = Self.read(field, into: &row) { return problem }
            row.count &+= 1
        }
        cursor = position
        return nil
    }

    private static func endsField(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    /// Reads the next field of a row.
    ///
    /// - Returns: what is wrong, or nil.
    private static func read(_ field: UnsafeRawBufferPointer, into row: inout Row) -> String? {
        let use = FieldUse(row.count)
        guard use != .none else {
            return FieldBytes.looksLikeNumber(field) ? nil : "the field is not a number"
        }
        // 12 digits of seconds are 30,000 years and still fit in 64 bits as microseconds.
        let number =
            use == .whole
            ? FieldBytes.plainInteger(signless(field)[...], digitsMaximum: 18) : nil
        if let number {
            row.fields[row.count] = number
            return nil
        }
        guard let micros = FieldBytes.scientific(signless(field)) else {
            let isAbsent = use == .wait && FieldBytes.looksLikeNumber(field)
            return isAbsent ? nil : "the field is not a number"
        }
        if use == .time {
            row.fields[row.count] = micros
            return nil
        }
        let isFraction = micros % 1_000_000 != 0
        // Half a processor is one that nobody else gets.
        row.fields[row.count] = micros / 1_000_000 + (isFraction && micros > 0 ? 1 : 0)
        if isFraction, row.count == 4 { row.isAllocatedFraction = true }
        if isFraction, row.count == 7 { row.isRequestedFraction = true }
        return isFraction && use == .whole ? "the field is no whole number" : nil
    }

    /// A number without its `+`.
    private static func signless(_ field: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        field.first == UInt8(ascii: "+") ? UnsafeRawBufferPointer(rebasing: field[1...]) : field
    }

    private func add(_ row: borrowing Row, line: Int, to trace: inout Trace) {
        let status = row.fields[10]
        let requested = row.fields[7]
        let size = requested > 0 ? requested : row.fields[4]
        let submitted = row.fields[1]
        var runTime = row.fields[3]
        var limit = row.fields[8]
        guard !(2...4).contains(status) else { return drop(.partialExecution, &trace) }
        guard submitted >= 0 else { return drop(.unknownSubmission, &trace) }
        if filter == .strong {
            guard runTime > 0, limit > 0, size > 0 else { return drop(.filtered, &trace) }
            if runTime > limit {
                runTime = limit
                trace.cutAtLimit += 1
            }
        }
        guard status != 5 || runTime > 0 else { return drop(.neverStarted, &trace) }
        guard runTime >= 0 else { return drop(.unknownRunTime, &trace) }
        guard size > 0, size <= Int64(Int32.max) else { return drop(.unknownSize, &trace) }
        guard max(runTime, limit) <= Trace.durationMaximum, submitted <= Trace.instantMaximum
        else { return drop(.outOfRange, &trace) }
        if requested <= 0 { trace.withAllocatedSize += 1 }
        if requested > 0 ? row.isRequestedFraction : row.isAllocatedFraction {
            trace.withFractionalSize += 1
        }
        if limit <= 0 {
            limit = runTime
            trace.withoutLimit += 1
        }
        trace.jobs.append(
            TraceJob(
                id: row.fields[0],
                submitted: submitted,
                runTime: runTime,
                timeLimit: limit,
                processors: Int32(size),
                line: Int32(clamping: line),
                user: Int32(clamping: row.fields[11]),
                group: Int32(clamping: row.fields[12]),
                queue: Int32(clamping: row.fields[14]),
                partition: Int32(clamping: row.fields[15]),
                waitSeconds: Int32(clamping: max(-1, row.fields[2])),
                status: Int8(clamping: status)
            )
        )
    }

    private func drop(_ reason: DropReason, _ trace: inout Trace) {
        trace.dropped[reason, default: 0] += 1
    }

    // MARK: Header

    private func readHeader(_ bytes: Slice<UnsafeRawBufferPointer>, into trace: inout Trace) {
        // `; MaxProcs: 100`, `;MaxProcs : 100`, `;; maxprocs=100` are all seen.
        let text = String(decoding: bytes, as: UTF8.self)
        let body = text.drop { $0 == ";" || $0 == "#" || $0 == " " || $0 == "\t" }
        guard let separator = body.firstIndex(where: { $0 == ":" || $0 == "=" }) else { return }
        let name = trimmed(body[..<separator])
        let value = trimmed(body[body.index(after: separator)...])
        guard !name.isEmpty, !name.contains(" ") else { return }
        trace.header.append((name, value))
    }

    private func trimmed(_ text: Substring) -> String {
        let isSpace: (Character) -> Bool = { $0.isWhitespace }
        let head = text.drop(while: isSpace)
        return String(head.reversed().drop(while: isSpace).reversed())
    }

    // MARK: Bytes

    private func skipBlanks(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var cursor = start
        while cursor < bytes.count,
            bytes[cursor] == 0x20 || bytes[cursor] == 0x09 || bytes[cursor] == 0x0D
        {
            cursor += 1
        }
        return cursor
    }

    private func lineEnd(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var cursor = start
        while cursor < bytes.count, bytes[cursor] != 0x0A { cursor &+= 1 }
        return cursor
    }
}
