import WireFormats

/// Reads what `sacct` prints, by the names in its first line: with `-P` or `-p`, another
/// `--delimiter`, in columns of fixed width, or as JSON.
///
/// Needed are JobID, Submit and Start, and End or Elapsed; which others, the user of the rows says.
/// Export with `sacct -a -X -P -S … -o JobID,JobIDRaw,User,Account,Partition,QOS,Submit,Start,End,
/// Elapsed,Timelimit,NNodes,AllocCPUS,ReqTRES,State`.
public struct SacctExport: Sendable {
    private let offsetSeconds: Int64

    /// Makes a reader.
    ///
    /// - Parameter offsetSeconds: the clock of the export, east of UTC; `sacct` prints local time.
    public init(offsetSeconds: Int64 = 0) {
        self.offsetSeconds = offsetSeconds
    }

    /// Hands each row to `body`, or what is wrong with it.
    ///
    /// - Returns: the columns that the first line names, in lower case.
    /// - Throws: `MalformedRow` when the first line does not name the columns that are needed.
    @discardableResult
    public func read(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (Result<SacctRow, MalformedRow>) -> Void
    ) throws(MalformedRow) -> Set<String> {
        if bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") {
            return try readJSON(bytes, body)
        }
        var text = DelimitedText(bytes, layout: .detect(bytes))
        guard text.next() else { return [] }
        let columns = try Columns(text)
        let names = Set(text.fields.indices.map { text.text($0).lowercased() })
        while text.next() {
            do throws(MalformedRow) {
                body(.success(try row(text, columns)))
            } catch {
                body(.failure(error))
            }
        }
        return names
    }

    private struct Columns {
        let count: Int
        let id: Int
        let submitted: Int
        let started: Int
        let ended: Int?
        let elapsed: Int?
        let elapsedRaw: Int?
        let rawID, user, account, partition, qos, state, timeLimit, timeLimitRaw: Int?
        let replay, constraints, reservation, submitLine: Int?
        let nodes, allocCPUs, nCPUs, reqCPUs, requested, allocated: Int?

        init(_ header: DelimitedText) throws(MalformedRow) {
            func needed(_ name: String, _ column: Int?) throws(MalformedRow) -> Int {
                guard let column else {
                    throw MalformedRow(
                        line: header.line,
                        field: 0,
                        problem: "a sacct export without the column \(name)"
                    )
                }
                return column
            }
            count = header.fields.count
            id = try needed("JobID", header.column("JobID"))
            submitted = try needed("Submit", header.column("Submit"))
            started = try needed("Start", header.column("Start"))
            ended = header.column("End")
            elapsed = header.column("Elapsed")
            elapsedRaw = header.column("ElapsedRaw")
            _ = try needed("End or Elapsed", ended ?? elapsed ?? elapsedRaw)
            rawID = header.column("JobIDRaw")
            user = header.column("User")
            account = header.column("Account")
            partition = header.column("Partition")
            qos = header.column("QOS")
            state = header.column("State")
            timeLimit = header.column("Timelimit")
            timeLimitRaw = header.column("TimelimitRaw")
            replay = header.column("Replay")
            constraints = header.column("Constraints")
            reservation = header.column("Reservation")
            submitLine = header.column("SubmitLine")
            nodes = header.column("NNodes", "AllocNodes")
            allocCPUs = header.column("AllocCPUS")
            nCPUs = header.column("NCPUS")
            reqCPUs = header.column("ReqCPUS")
            requested = header.column("ReqTRES")
            allocated = header.column("AllocTRES")
        }
    }

    private func row(
        _ text: DelimitedText,
        _ columns: Columns
    ) throws(MalformedRow) -> SacctRow {
        // `sacct -p` ends each row, the header too, with a delimiter.
        guard text.fields.count == columns.count else {
            throw MalformedRow(
                line: text.line,
                field: 0,
                problem: "the row has \(text.fields.count) fields, the header \(columns.count)"
            )
        }
        func malformed(_ column: Int, _ problem: String) -> MalformedRow {
            MalformedRow(line: text.line, field: column + 1, problem: problem)
        }
        func instant(_ column: Int?) throws(MalformedRow) -> Int64? {
            guard let column else { return nil }
            let field = text.raw(column)
            if field.isEmpty || ["Unknown", "None", "N/A"].contains(text.text(column)) {
                return nil
            }
            guard
                let seconds = FieldBytes.instantSeconds(field, offsetSeconds: offsetSeconds)
            else { throw malformed(column, "'\(text.text(column))' is no time") }
            return seconds
        }
        func count(_ column: Int?) throws(MalformedRow) -> Int64? {
            guard let column, !text.raw(column).isEmpty else { return nil }
            guard let value = FieldBytes.count(text.raw(column)) else {
                throw malformed(column, "'\(text.text(column))' is no number")
            }
            return value
        }
        func tres(_ column: Int?) throws(MalformedRow) -> SacctTRES {
            guard let column else { return SacctTRES() }
            do throws(SacctTRES.Unreadable) {
                return try SacctTRES(text.text(column))
            } catch {
                throw malformed(column, "'\(error.part)' is no count of a resource")
            }
        }
        guard let id = SacctJobID(text.text(columns.id)) else {
            throw malformed(columns.id, "'\(text.text(columns.id))' is no job number")
        }
        return SacctRow(
            line: text.line,
            id: id,
            rawID: id.step == nil ? try count(columns.rawID) : nil,
            user: text.text(columns.user),
            account: text.text(columns.account),
            partition: text.text(columns.partition),
            qos: text.text(columns.qos),
            state: String(text.text(columns.state).prefix { $0 != " " && $0 != "+" }),
            submitted: try instant(columns.submitted),
            started: try instant(columns.started),
            ended: try instant(columns.ended),
            elapsed: try elapsed(text, columns),
            timeLimit: try timeLimit(text, columns),
            nodeCount: try count(columns.nodes),
            heldCPUs: try count(columns.allocCPUs ?? columns.nCPUs),
            requestedCPUs: try count(columns.reqCPUs),
            requested: try tres(columns.requested),
            allocated: try tres(columns.allocated),
            constraints: text.text(columns.constraints),
            reservation: text.text(columns.reservation),
            submitLine: text.text(columns.submitLine),
            replay: id.step == nil ? try recorded(text, columns.replay) : nil
        )
    }

    private func recorded(
        _ text: DelimitedText,
        _ column: Int?
    ) throws(MalformedRow) -> RecordedJob? {
        guard let column, !text.raw(column).isEmpty else { return nil }
        do throws(JSONValue.Malformed) {
            return try RecordedJob(json: JSONValue(parsing: text.text(column)))
        } catch {
            throw MalformedRow(line: text.line, field: column + 1, problem: error.problem)
        }
    }

    private func elapsed(
        _ text: DelimitedText,
        _ columns: Columns
    ) throws(MalformedRow) -> Int64? {
        guard let column = columns.elapsed ?? columns.elapsedRaw,
            !text.raw(column).isEmpty
        else { return nil }
        let field = text.raw(column)
        let parsed =
            columns.elapsed == nil
            ? FieldBytes.micros(field, digitsMaximum: 10) : FieldBytes.slurmDuration(field)
        guard let value = parsed, value >= 0 else {
            throw MalformedRow(
                line: text.line,
                field: column + 1,
                problem: "'\(text.text(column))' is no time elapsed"
            )
        }
        return value
    }

    private func timeLimit(
        _ text: DelimitedText,
        _ columns: Columns
    ) throws(MalformedRow) -> SacctTimeLimit {
        guard let column = columns.timeLimit ?? columns.timeLimitRaw else { return .unknown }
        switch text.text(column) {
        case "", "Unknown", "INVALID": return .unknown
        case "Partition_Limit": return .partition
        case "UNLIMITED": return .unlimited
        default: break
        }
        let field = text.raw(column)
        let parsed =
            columns.timeLimit == nil
            ? FieldBytes.micros(field, digitsMaximum: 9).map { $0 * 60 }
            : FieldBytes.slurmDuration(field)
        guard let limit = parsed, limit >= 0 else {
            throw MalformedRow(
                line: text.line,
                field: column + 1,
                problem: "'\(text.text(column))' is no time limit"
            )
        }
        return .microseconds(limit)
    }
}
