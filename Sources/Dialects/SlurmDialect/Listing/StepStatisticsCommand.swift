public import WireFormats

/// `sstat` and `yhstat`: what the steps of running jobs use.
public struct StepStatisticsCommand: Hashable, Sendable {
    enum Option: Hashable, Sendable {
        case accepted, all, format, help, helpFormat, jobs, noHeader, parsable, parsable2, usage
        case version
    }

    static let table = OptionTable<Option>([
        OptionSpec(.all, "allsteps", "a"), OptionSpec(.format, "fields", "o", .required),
        OptionSpec(.format, "format", "o", .required), OptionSpec(.help, "help", "h"),
        OptionSpec(.helpFormat, "helpformat", "e"), OptionSpec(.jobs, "jobs", "j", .required),
        OptionSpec(.accepted, "noconvert"), OptionSpec(.noHeader, "noheader", "n"),
        OptionSpec(.parsable, "parsable", "p"), OptionSpec(.parsable2, "parsable2", "P"),
        OptionSpec(.accepted, "pidformat", "i"), OptionSpec(.usage, "usage"),
        OptionSpec(.accepted, "verbose", "v"), OptionSpec(.version, "version", "V"),
    ])

    /// What was asked for instead of a listing.
    public private(set) var information: QueueCommand.Information?
    /// Whether only the names of the fields are to be listed.
    public private(set) var listsFields = false
    /// The jobs.
    public private(set) var jobs: [JobSelector] = []

    private let program: String
    private var steps: [String?] = []
    private var showsAll = false
    private var format = Self.standard
    private var style = TableStyle()

    /// Reads the command line.
    ///
    /// - Throws: `CommandFailure`, ready to be printed.
    public init(program: String, arguments: [String]) throws(CommandFailure) {
        self.program = program
        let given = try Self.table.parse(arguments, for: program)
        for option in given.options {
            let value = option.value ?? ""
            switch option.id {
            case .accepted: break
            case .all: showsAll = true
            case .format: format = value
            case .help, .usage: information = .usage
            case .helpFormat: listsFields = true
            case .jobs: try select(value)
            case .noHeader: style.hasHead = false
            case .parsable:
                style.delimiter = "|"
                style.endsWithDelimiter = true
            case .parsable2: style.delimiter = "|"
            case .version: information = .version
            }
        }
        for operand in given.operands { try select(operand) }
        guard information == nil, !listsFields else { return }
        _ = try fields()
        guard !jobs.isEmpty else {
            throw .error(program, "You didn't give me any jobs to stat.")
        }
    }

    private mutating func select(_ text: String) throws(CommandFailure) {
        for word in listOutsideBrackets(text) {
            let parts = word.split(separator: ".", maxSplits: 1).map(String.init)
            guard let job = parts.first.flatMap({ OptionValues.job($0) }) else {
                throw CommandFailure(
                    lines: ["\(program): fatal: Bad job/step specified: \(word)"],
                    exitCode: 1
                )
            }
            jobs.append(job)
            steps.append(parts.count > 1 ? parts[1] : nil)
        }
    }

    private static let standard =
        "JobID,MaxVMSize,MaxVMSizeNode,MaxVMSizeTask,AveVMSize,MaxRSS,MaxRSSNode,MaxRSSTask,AveRSS,"
        + "MaxPages,MaxPagesNode,MaxPagesTask,AvePages,MinCPU,MinCPUNode,MinCPUTask,AveCPU,NTasks,"
        + "AveCPUFreq,ReqCPUFreqMin,ReqCPUFreqMax,ReqCPUFreqGov,ConsumedEnergy,MaxDiskRead,"
        + "MaxDiskReadNode,MaxDiskReadTask,AveDiskRead,MaxDiskWrite,MaxDiskWriteNode,"
        + "MaxDiskWriteTask,AveDiskWrite,TRESUsageInAve,TRESUsageInMax,TRESUsageInMaxNode,"
        + "TRESUsageInMaxTask,TRESUsageInMin,TRESUsageInMinNode,TRESUsageInMinTask,TRESUsageInTot,"
        + "TRESUsageOutAve,TRESUsageOutMax,TRESUsageOutMaxNode,TRESUsageOutMaxTask,"
        + "TRESUsageOutMin,TRESUsageOutMinNode,TRESUsageOutMinTask,TRESUsageOutTot"

    /// What `-e` prints.
    public var fieldList: [String] {
        let names = list(Self.standard)
        return stride(from: 0, to: names.count, by: 4).map { index in
            names[index..<min(index + 4, names.count)]
                .map { FormatText.fit($0, 19, right: false) }
                .joined(separator: " ")
        }
    }

    private func fields() throws(CommandFailure) -> [TableField<AccountingRow>] {
        let known = list(Self.standard)
        // The fields of sacct, as wide as sstat has them.
        let widths = ["AveDiskRead": 12, "AveDiskWrite": 12]
        let all: [(name: String, field: TableField<AccountingRow>)] =
            known.compactMap { name in
                AccountingFields.named(name).map { field in
                    let width = widths[name] ?? field.width
                    return (name, TableField(field.name, width, field.text))
                }
            }
        return try FieldList.choose(format, from: all) { name in
            CommandFailure(
                lines: ["\(program): error: Invalid field requested: \"\(name)\""],
                exitCode: 1
            )
        }
    }

    /// What is printed.
    ///
    /// - Throws: `CommandFailure` for a field that there is not.
    public func output(_ accounting: AccountingList) throws(CommandFailure) -> CommandOutput {
        var output = CommandOutput()
        var rows: [AccountingRow] = []
        for (job, step) in zip(jobs, steps) {
            let running = accounting.records.filter { record in
                record.start != nil && record.end == nil
                    && job.selects(
                        jobID: record.jobID,
                        arrayJobID: record.arrayJobID,
                        arrayTaskID: record.arrayTaskID,
                        het: (record.hetJobID, record.hetJobOffset)
                    )
            }
            if running.isEmpty {
                output.errors.append("\(program): error: No steps running for job \(job.jobID)")
            }
            for record in running {
                for running in record.steps where running.state == "RUNNING" {
                    // Without -a: the numbered steps, or the one that was asked for.
                    let isWanted =
                        step.map { $0 == running.id } ?? (showsAll || Int(running.id) != nil)
                    guard isWanted else { continue }
                    rows.append(
                        AccountingRow(
                            record: record,
                            cluster: accounting.cluster,
                            step: running,
                            calendar: CentreCalendar()
                        )
                    )
                }
            }
        }
        output.lines = style.lines(try fields(), rows)
        return output
    }
}
