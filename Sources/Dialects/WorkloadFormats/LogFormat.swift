/// The forms of logs that can be read.
public enum LogFormat: String, Hashable, Sendable, CaseIterable {
    /// Standard Workload Format 2.2.
    case swf
    /// Microsoft's Philly GPU cluster, as one CSV: `timestamp,duration,num_gpus,gpu_time,cluster`.
    case philly
    /// Pods of Alibaba's cluster-trace-gpu-v2023.
    case alibaba
    /// What `sacct -P` prints.
    case sacct

    /// The form of a log, told by its first line that is neither empty nor a comment; SWF when
    /// nothing says otherwise.
    public static func detect(_ bytes: UnsafeRawBufferPointer) -> Self {
        var text = DelimitedText(bytes, delimiter: UInt8(ascii: ","))
        while text.next() {
            let first = text.fields[0]
            // A comment of SWF. A header line of the others starts with a letter.
            if !first.isEmpty, bytes[first.lowerBound] == UInt8(ascii: ";") { continue }
            if text.column("num_gpus") != nil, text.column("timestamp") != nil { return .philly }
            if text.column("cpu_milli") != nil, text.column("creation_time") != nil {
                return .alibaba
            }
            let names = text.text(0).split(separator: "|").map { $0.lowercased() }
            return names.count > 1 && names.contains("jobid") ? .sacct : .swf
        }
        return .swf
    }
}

/// Reads a log of any form into a `Trace`.
public struct LogReader: Sendable {
    private let format: LogFormat?
    private let filter: SWFReader.Filter
    private let isStrict: Bool
    private let machineProcessors: Int?
    private let offsetSeconds: Int64

    /// Makes a reader.
    ///
    /// - Parameters:
    ///   - format: the form; nil tells it from the content.
    ///   - filter: which rows to leave out.
    ///   - isStrict: whether the first malformed row is an error.
    ///   - machineProcessors: the machine's size for `Filter.strong`; nil takes the log's.
    ///   - offsetSeconds: the clock of civil times in the log, east of UTC.
    public init(
        format: LogFormat? = nil,
        filter: SWFReader.Filter = .none,
        isStrict: Bool = false,
        machineProcessors: Int? = nil,
        offsetSeconds: Int64 = 0
    ) {
        self.format = format
        self.filter = filter
        self.isStrict = isStrict
        self.machineProcessors = machineProcessors
        self.offsetSeconds = offsetSeconds
    }

    /// Reads a whole log.
    ///
    /// - Parameter readSWF: reads one in the Standard Workload Format, perhaps in parts.
    /// - Throws: `MalformedRow` when strict, or when a table lacks a column that is needed.
    public func read(
        _ bytes: UnsafeRawBufferPointer,
        readSWF: (SWFReader, UnsafeRawBufferPointer) throws(MalformedRow) -> Trace = {
            reader,
            bytes throws(MalformedRow) in try reader.read(bytes)
        }
    ) throws(MalformedRow) -> Trace {
        let format = format ?? LogFormat.detect(bytes)
        var first = DelimitedText(bytes, delimiter: UInt8(ascii: ","))
        if first.next(), first.column("sn") != nil, first.column("cpu_milli") != nil {
            throw MalformedRow(
                line: first.line,
                field: 0,
                problem: "a list of nodes, not of jobs"
            )
        }
        var builder = TraceBuilder(
            format: format,
            filter: filter,
            isStrict: isStrict,
            machineProcessors: machineProcessors
        )
        switch format {
        case .swf:
            let reader = SWFReader(
                filter: filter,
                isStrict: isStrict,
                machineProcessors: machineProcessors
            )
            return try readSWF(reader, bytes)
        case .philly: try builder.readPhilly(bytes, offsetSeconds: offsetSeconds)
        case .alibaba: try builder.readAlibaba(bytes)
        case .sacct: try builder.readSacct(bytes, offsetSeconds: offsetSeconds)
        }
        return builder.finish()
    }
}
