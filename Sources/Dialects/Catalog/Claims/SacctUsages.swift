public import Billing
import JobModel
import Quantities
import WorkloadFormats

/// What jobs of a real Slurm held, out of a `sacct -P` export: what a centre bills that ran them.
///
/// Rows of steps are passed over; so are jobs that never started or have not ended, which are
/// counted. Anything else that cannot be billed refuses the file as a whole, by line.
public struct SacctUsages: Sendable {
    /// The runs, by the instant of their end, then job and attempt.
    public private(set) var usages: [JobUsage] = []
    /// Element `i` is the line of run `i`.
    public private(set) var lines: [Int] = []
    /// Generic resources that runs held and that nobody charges, such as `gres/shard`.
    public private(set) var otherGres: Set<String> = []
    /// Jobs that were cancelled before they started.
    public private(set) var neverStarted = 0
    /// Jobs that have not ended.
    public private(set) var running = 0

    /// Columns that the export lacks, and what is therefore not charged.
    public private(set) var gaps: [(column: String, uncharged: String)] = []

    private struct Run {
        var line: Int
        var usage: JobUsage
    }

    /// Reads an export.
    ///
    /// - Parameters:
    ///   - file: what refusals call it.
    ///   - offsetSeconds: the clock of the export, east of UTC.
    ///   - platforms: the platform of each partition; a partition that is not listed is one of its
    ///     own name.
    /// - Throws: the first thing that is wrong.
    public init(
        _ bytes: UnsafeRawBufferPointer,
        file: String,
        offsetSeconds: Int64,
        platforms: [String: String]
    ) throws(FileRefusal) {
        var rows: [SacctRow] = []
        var malformed: MalformedRow?
        do throws(MalformedRow) {
            let columns = try SacctExport(offsetSeconds: offsetSeconds).read(bytes) { result in
                switch result {
                case .success(let row): rows.append(row)
                case .failure(let row): malformed = malformed ?? row
                }
            }
            gaps = Self.gaps(columns)
        } catch {
            malformed = error
        }
        if let malformed {
            throw FileRefusal(
                file: file,
                line: malformed.line,
                field: malformed.field > 0 ? "column \(malformed.field)" : "",
                problem: .conflict(malformed.problem)
            )
        }
        guard !rows.isEmpty else {
            throw FileRefusal(file: file, line: 1, field: "", problem: .emptyFile)
        }
        var runs: [Run] = []
        for row in rows where !row.isStep {
            guard let usage = try usage(of: row, file, platforms) else { continue }
            runs.append(Run(line: row.line, usage: usage))
        }
        let ordered = try Self.numbered(runs, file)
        usages = ordered.map(\.usage)
        lines = ordered.map(\.line)
    }

    private static func gaps(_ columns: Set<String>) -> [(column: String, uncharged: String)] {
        var gaps: [(String, String)] = []
        if !columns.contains("alloctres") {
            gaps.append(("AllocTRES", "cards, and memory beyond a core's share"))
        }
        if columns.isDisjoint(with: ["nnodes", "allocnodes", "alloctres"]) {
            gaps.append(("NNodes", "node-hours"))
        }
        if !columns.contains("qos") { gaps.append(("QOS", "factors of qualities of service")) }
        return gaps
    }

    /// The run of a row; nil when it held nothing or still does.
    private mutating func usage(
        of row: SacctRow,
        _ file: String,
        _ platforms: [String: String]
    ) throws(FileRefusal) -> JobUsage? {
        func refusal(_ field: String, _ words: String) -> FileRefusal {
            FileRefusal(file: file, line: row.line, field: field, problem: .conflict(words))
        }
        if ["PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "STOPPED", "RESIZING"]
            .contains(row.state)
        {
            running += 1
            return nil
        }
        guard let outcome = Self.outcome(row.state) else {
            throw refusal(
                "State",
                row.state.isEmpty
                    ? "is missing, and says what is charged" : "'\(row.state)' is unknown"
            )
        }
        guard let started = row.started else {
            neverStarted += 1
            return nil
        }
        let end = row.ended.map { $0 * 1_000_000 }
        // Elapsed leaves out the time for which a job was suspended.
        guard let elapsed = row.elapsed ?? end.map({ $0 - started * 1_000_000 }), elapsed >= 0,
            (0...253_402_300_799).contains(started), elapsed < 1_000_000_000_000_000
        else { throw refusal("End", "the time that the job ran is not stated or impossible") }
        if let end, elapsed > end - started * 1_000_000 {
            throw refusal("Elapsed", "the job cannot have run longer than from Start to End")
        }
        guard let cores = row.heldCPUs ?? row.allocated.cpus else {
            throw refusal("AllocCPUS", "what the job held is not stated")
        }
        let nodes = row.nodeCount ?? row.allocated.nodes ?? 0
        let cards = row.allocated.cards ?? 0
        for (field, count) in [("AllocCPUS", cores), ("NNodes", nodes), ("AllocTRES", cards)]
        where !(0...Self.countMaximum).contains(count) {
            throw refusal(field, "\(count) is more than any machine has (\(Self.countMaximum))")
        }
        otherGres.formUnion(row.allocated.otherGres)
        guard !row.account.isEmpty else { throw refusal("Account", "is missing, and has to pay") }
        guard !row.partition.isEmpty, !row.partition.contains(",") else {
            throw refusal("Partition", "'\(row.partition)' does not say where the job ran")
        }
        guard row.rawID != nil || (row.id.arrayTask == nil && row.id.hetOffset == nil) else {
            throw refusal("JobIDRaw", "the column is needed for elements of arrays")
        }
        guard let number = UInt32(exactly: row.rawID ?? row.id.base) else {
            throw refusal("JobID", "\(row.rawID ?? row.id.base) is larger than a job number")
        }
        let start = SimInstant(seconds: started)
        return JobUsage(
            id: JobID(number),
            account: row.account,
            user: row.user,
            partition: row.partition,
            platform: platforms[row.partition] ?? row.partition,
            qos: row.qos,
            outcome: outcome,
            nodeCount: nodes,
            coreCount: cores,
            cardCount: cards,
            memory: row.allocated.memoryMebibytes.map { ByteCount(mebibytes: $0) },
            startedAt: start,
            endedAt: start + SimDuration(microseconds: elapsed)
        )
    }

    /// A hundred million cores, nodes or cards.
    private static let countMaximum: Int64 = 100_000_000

    /// Gives the runs of one job their numbers, in the order of their starts.
    private static func numbered(
        _ runs: [Run],
        _ file: String
    ) throws(FileRefusal) -> [Run] {
        let ordered = runs.sorted {
            ($0.usage.id.number, $0.usage.startedAt ?? .epoch, $0.line)
                < ($1.usage.id.number, $1.usage.startedAt ?? .epoch, $1.line)
        }
        var numbered: [Run] = []
        var last: Run?
        for var run in ordered {
            if let last, last.usage.id == run.usage.id {
                guard last.usage.startedAt != run.usage.startedAt else {
                    throw FileRefusal(
                        file: file,
                        line: max(run.line, last.line),
                        field: "JobID",
                        problem: .duplicate(
                            name: "\(run.usage.id)",
                            of: "run (line \(min(run.line, last.line)))"
                        )
                    )
                }
                run.usage.attempt = last.usage.attempt + 1
            }
            last = run
            numbered.append(run)
        }
        return numbered.indices.sorted {
            let (left, right) = (numbered[$0].usage, numbered[$1].usage)
            return (left.endedAt, left.id.number, left.attempt)
                < (right.endedAt, right.id.number, right.attempt)
        }.map { numbered[$0] }
    }

    /// Slurm's state as an outcome; nil for one that is no end.
    private static func outcome(_ state: String) -> RunOutcome? {
        switch state {
        case "REQUEUED": .requeuedBySystem
        case "BOOT_FAIL": .ended(.nodeFail)
        case "DEADLINE": .ended(.timeout)
        case "REVOKED": .ended(.cancelled)
        default: EndState.allCases.first { $0.slurmName == state }.map { .ended($0) }
        }
    }
}

/// Reads who pays in an export: CSV with a header, one line an account; docs/billing.md describes
/// the columns.
public enum AccountsReader {
    private static let requiredColumns = ["account", "enterprise", "class"]
    private static let optionalColumns = ["title", "registered_in"]

    /// Reads accounts.
    ///
    /// - Parameter file: what refusals call the text.
    /// - Throws: the first thing that is wrong.
    public static func accounts(
        text: String,
        file: String
    ) throws(FileRefusal) -> [BillingAccount] {
        let table = try CSVTable(
            text: text,
            file: file,
            required: requiredColumns,
            optional: optionalColumns
        )
        var accounts: [BillingAccount] = []
        var lines: [String: Int] = [:]
        for row in table.rows {
            let name = try row.required("account")
            if let first = lines.updateValue(row.line, forKey: name) {
                throw row.refusal("account", .duplicate(name: name, of: "account (line \(first))"))
            }
            accounts.append(
                BillingAccount(
                    name: name,
                    title: row["title"] ?? "",
                    enterprise: try row.name("enterprise"),
                    classes: try TenantsReader.labels(row),
                    registeredIn: try row.name("registered_in")
                )
            )
        }
        return accounts
    }
}
