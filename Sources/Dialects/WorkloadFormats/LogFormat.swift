/// The forms of logs that can be read.
public enum LogFormat: String, Hashable, Sendable, CaseIterable {
    /// Standard Workload Format 2.2.
    case swf
    /// What `sacct` prints: with `-P`, `-p` or `--delimiter`, in columns of fixed width, or `--json`.
    case sacct
    /// Microsoft's Philly GPU cluster, as one CSV: `timestamp,duration,num_gpus,gpu_time,cluster`.
    case philly
    /// Pods of Alibaba's cluster-trace-gpu-v2023.
    case alibaba
    /// Instances of Alibaba's cluster-trace-gpu-v2025.
    case alibaba2025 = "alibaba-2025"
    /// SenseTime's Helios clusters.
    case helios
    /// Shanghai AI Laboratory's Acme clusters.
    case acme
    /// Tasks of Alibaba's PAI, cluster-trace-gpu-v2020.
    case pai
    /// The jobs of the Muri study.
    case muri
    /// Any table, its columns named by a `TableForm`.
    case table

    /// The form of a log, told by its first line that is neither empty nor a comment; SWF when
    /// nothing says otherwise.
    public static func detect(_ bytes: UnsafeRawBufferPointer) -> Self {
        if bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") { return .sacct }
        var text = DelimitedText(bytes, layout: .detect(bytes))
        while text.next() {
            let first = text.fields[0]
            // A comment of SWF. A header line of the others starts with a letter.
            if !first.isEmpty,
                [UInt8(ascii: ";"), UInt8(ascii: "#")].contains(bytes[first.lowerBound])
            {
                continue
            }
            return detect(header: text)
        }
        return .swf
    }

    private static func detect(header: DelimitedText) -> Self {
        func has(_ names: String...) -> Bool { names.allSatisfy { header.column($0) != nil } }
        if has("num_gpus", "timestamp") { return .philly }
        if has("cpu_milli", "creation_time") { return .alibaba }
        if has("instance_sn", "gpu_request", "creation_time") { return .alibaba2025 }
        if has("vc", "gpu_num", "submit_time", "start_time") { return .helios }
        if has("type", "node_num", "gpu_num", "submit_time") { return .acme }
        if has("num_gpu", "submit_time", "iterations") { return .muri }
        if has("jobid"), header.fields.count > 1 { return .sacct }
        let states = ["Terminated", "Running", "Failed", "Waiting"]
        if header.fields.count == 10, states.contains(header.text(3)) { return .pai }
        return .swf
    }
}

/// Reads a log of any form into a `Trace`.
public struct LogReader: Sendable {
    private let format: LogFormat?
    private let form: TableForm?
    private let filter: SWFReader.Filter
    private let isStrict: Bool
    private let machineProcessors: Int?
    private let offsetSeconds: Int64
    private let keepsRows: Bool
    private let keepsCancelled: Bool

    /// Makes a reader.
    ///
    /// - Parameters:
    ///   - format: the form; nil tells it from the content.
    ///   - form: what the columns of a table are; nil for the forms that are known.
    ///   - filter: which rows to leave out.
    ///   - isStrict: whether the first malformed row is an error.
    ///   - machineProcessors: the machine's size for `Filter.strong`; nil takes the log's.
    ///   - offsetSeconds: the clock of civil times in the log, east of UTC.
    ///   - keepsCancelled: whether jobs that were cancelled while they waited are jobs, for a machine on
    ///     which they wait again.
    ///   - keepsRows: whether the rows of a log in the Standard Workload Format are kept as they are.
    public init(
        format: LogFormat? = nil,
        form: TableForm? = nil,
        filter: SWFReader.Filter = .none,
        isStrict: Bool = false,
        machineProcessors: Int? = nil,
        offsetSeconds: Int64 = 0,
        keepsRows: Bool = false,
        keepsCancelled: Bool = false
    ) {
        self.format = format
        self.form = form
        self.filter = filter
        self.isStrict = isStrict
        self.machineProcessors = machineProcessors
        self.offsetSeconds = offsetSeconds
        self.keepsRows = keepsRows
        self.keepsCancelled = keepsCancelled
    }

    /// Reads a whole log.
    ///
    /// - Parameter readSWF: reads one in the Standard Workload Format, perhaps in parts.
    /// - Throws: `MalformedRow` when strict, when a table lacks a column that is needed, or when the
    ///   log looks like something that nobody said how to read.
    public func read(
        _ bytes: UnsafeRawBufferPointer,
        readSWF: (SWFReader, UnsafeRawBufferPointer) throws(MalformedRow) -> Trace = {
            reader,
            bytes throws(MalformedRow) in try reader.read(bytes)
        }
    ) throws(MalformedRow) -> Trace {
        let format = form == nil ? format ?? LogFormat.detect(bytes) : .table
        try UnreadableLog.check(bytes, told: self.format != nil || form != nil, as: format)
        var builder = TraceBuilder(
            format: format,
            filter: filter,
            isStrict: isStrict,
            machineProcessors: machineProcessors,
            keepsCancelled: keepsCancelled
        )
        switch format {
        case .swf:
            let reader = SWFReader(
                filter: filter,
                isStrict: isStrict,
                machineProcessors: machineProcessors
            )
            var trace = try readSWF(reader, bytes)
            if keepsRows { trace.keepRows(bytes) }
            return trace
        case .philly: try builder.readPhilly(bytes, offsetSeconds: offsetSeconds)
        case .alibaba: try builder.readAlibaba(bytes)
        case .sacct: try builder.readSacct(bytes, offsetSeconds: offsetSeconds)
        case .helios, .acme, .muri, .pai, .alibaba2025, .table:
            guard let form = form ?? TableForm.published(format) else {
                throw MalformedRow(
                    line: 1,
                    field: 0,
                    problem: "say which columns of the table hold what, with --columns"
                )
            }
            try builder.readTable(bytes, form, offsetSeconds: offsetSeconds)
        }
        return builder.finish()
    }
}

/// What looks like a log but cannot be read as it is, and what to do about it.
private enum UnreadableLog {
    /// Looks at the first line.
    ///
    /// - Parameter told: whether somebody said what the log is.
    /// - Throws: what it looks like.
    static func check(
        _ bytes: UnsafeRawBufferPointer,
        told: Bool,
        as format: LogFormat
    ) throws(MalformedRow) {
        guard bytes.first(where: { $0 > 0x20 }) != UInt8(ascii: "{") else { return }
        var first = DelimitedText(bytes, layout: .detect(bytes))
        guard first.next() else { return }
        func refusal(_ problem: String) -> MalformedRow {
            MalformedRow(line: first.line, field: 0, problem: problem)
        }
        if first.column("sn") != nil, first.column("cpu_milli") != nil {
            throw refusal("a list of nodes, not of jobs")
        }
        guard !told, format == .swf, first.fields.count > 1 else { return }
        let start = first.text(0)
        guard let letter = start.unicodeScalars.first, letter != ";" else { return }
        // Rows of SWF with tabs between are numbers and nothing else.
        let hasWords = first.fields.indices.contains { first.text($0).contains(where: \.isLetter) }
        if hasWords, first.fields.count > 4, SacctJobID(start) != nil {
            throw refusal(
                "it looks like an export of sacct without its first line, which names the columns; "
                    + "export without -n (--noheader)"
            )
        }
        guard letter.properties.isAlphabetic else { return }
        let names = first.fields.indices.prefix(12).map { first.text($0) }
        throw refusal(
            "a table (\(names.joined(separator: ", "))\(first.fields.count > 12 ? ", …" : "")) of no "
                + "known form; say which columns hold what: "
                + "--columns submit=COLUMN,run=COLUMN,processors=COLUMN (docs/replay.md)"
        )
    }
}

extension Trace {
    /// Keeps the row of each job as it stands in the log.
    fileprivate mutating func keepRows(_ bytes: UnsafeRawBufferPointer) {
        var order = jobs.indices.map { (line: jobs[$0].line, job: $0) }
        order.sort { ($0.line, $0.job) < ($1.line, $1.job) }
        rows = KeptRows(jobCount: jobs.count)
        var next = 0
        var line: Int32 = 0
        var start = 0
        while start < bytes.count, next < order.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            line &+= 1
            while next < order.count, order[next].line == line {
                rows.keep(bytes[start..<end], of: order[next].job)
                next += 1
            }
            start = end + 1
        }
    }
}

/// Rows of a log, for those who need more of them than a replay does.
public struct KeptRows: Sendable {
    private var bytes: [UInt8] = []
    private var ranges: ContiguousArray<Range<Int>> = []

    /// No rows.
    public init() {}

    init(jobCount: Int) {
        ranges = ContiguousArray(repeating: 0..<0, count: jobCount)
    }

    /// Whether nobody asked to keep them.
    public var isEmpty: Bool { ranges.isEmpty }

    mutating func keep(_ row: Slice<UnsafeRawBufferPointer>, of job: Int) {
        let start = bytes.count
        bytes += row
        ranges[job] = start..<bytes.count
    }

    /// The same rows for jobs in another order.
    public func reordered(by order: [Int]) -> Self {
        var copy = self
        if !isEmpty { copy.ranges = ContiguousArray(order.map { ranges[$0] }) }
        return copy
    }

    /// The fields of the row of a job, as they are written.
    public func fields(of job: Int) -> [ArraySlice<UInt8>] {
        bytes[ranges[job]].split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    }
}
