extension TraceBuilder {
    /// Reads Microsoft's Philly log as one CSV: `timestamp,duration,num_gpus,gpu_time,cluster`.
    ///
    /// Processors are GPUs; `cluster` (a virtual cluster) becomes the partition; a job's number is
    /// the number of its row, from 1. The log has no limits. Rows are in no order.
    /// Source: Jeon et al., "Analysis of Large-Scale Multi-Tenant GPU Clusters for DNN Training
    /// Workloads", USENIX ATC 2019; the CSV is that of the ElasticFlow artifact (ASPLOS 2023).
    mutating func readPhilly(
        _ bytes: UnsafeRawBufferPointer,
        offsetSeconds: Int64
    ) throws(MalformedRow) {
        var text = DelimitedText(bytes, delimiter: UInt8(ascii: ","))
        guard text.next() else { return }
        let columns = try TableColumns(text, ["timestamp", "duration", "num_gpus"])
        let cluster = text.column("cluster", "vc")
        var number: Int64 = 0
        while text.next() {
            number += 1
            countRow()
            do throws(MalformedRow) {
                try columns.check(text)
                let submitted = try columns.instant(text, 0, offsetSeconds: offsetSeconds)
                let runTime = try columns.micros(text, 1)
                let gpus = try columns.integer(text, 2)
                guard runTime >= 0 else {
                    drop(.unknownRunTime)
                    continue
                }
                guard gpus > 0, gpus <= Int64(Int32.max) else {
                    drop(.unknownSize)
                    continue
                }
                add(
                    TraceJob(
                        id: number,
                        submitted: submitted * 1_000_000,
                        runTime: runTime,
                        timeLimit: 0,
                        processors: Int32(gpus),
                        line: Int32(clamping: text.line),
                        partition: partition(text.text(cluster))
                    )
                )
            } catch {
                try malformed(error)
            }
        }
    }
}

/// The columns of a table that a reader cannot do without, in the order it named them.
struct TableColumns {
    private let positions: [Int]
    private let names: [String]
    private let count: Int

    /// Finds the columns in the header, which is the current row.
    ///
    /// - Throws: `MalformedRow` that names the first column that is not there.
    init(_ header: DelimitedText, _ names: [String]) throws(MalformedRow) {
        var positions: [Int] = []
        for name in names {
            guard let position = header.column(name) else {
                throw MalformedRow(
                    line: header.line,
                    field: 0,
                    problem: "the header has no column \(name)"
                )
            }
            positions.append(position)
        }
        self.positions = positions
        self.names = names
        count = header.fields.count
    }

    /// What a column is called.
    func name(_ column: Int) -> String { names[column] }

    /// Checks that a row has as many fields as the header.
    func check(_ text: DelimitedText) throws(MalformedRow) {
        guard text.fields.count == count else {
            throw MalformedRow(
                line: text.line,
                field: 0,
                problem: "the row has \(text.fields.count) fields, the header \(count)"
            )
        }
    }

    /// A whole number; −1 when the field is empty.
    func integer(_ text: DelimitedText, _ column: Int) throws(MalformedRow) -> Int64 {
        try value(text, column, "is no whole number") { FieldBytes.integer($0) }
    }

    /// A decimal number of seconds in µs; negative when the field is empty.
    func micros(_ text: DelimitedText, _ column: Int) throws(MalformedRow) -> Int64 {
        try value(text, column, "is no number of seconds") { FieldBytes.micros($0) }
    }

    /// Seconds since 1970.
    func instant(
        _ text: DelimitedText,
        _ column: Int,
        offsetSeconds: Int64
    ) throws(MalformedRow) -> Int64 {
        let position = positions[column]
        let instant = FieldBytes.instantSeconds(text.raw(position), offsetSeconds: offsetSeconds)
        guard let instant, instant >= 0 else {
            throw problem(text, column, "is no time since 1970 like 2017-10-09 07:01:55")
        }
        return instant
    }

    /// A field's text.
    func text(_ text: DelimitedText, _ column: Int) -> String { text.text(positions[column]) }

    private func value(
        _ text: DelimitedText,
        _ column: Int,
        _ what: String,
        _ parse: (UnsafeRawBufferPointer) -> Int64?
    ) throws(MalformedRow) -> Int64 {
        let bytes = text.raw(positions[column])
        guard !bytes.isEmpty else { return -1 }
        guard let value = parse(bytes) else { throw problem(text, column, what) }
        return value
    }

    private func problem(_ text: DelimitedText, _ column: Int, _ what: String) -> MalformedRow {
        let position = positions[column]
        return MalformedRow(
            line: text.line,
            field: position + 1,
            problem: "\(names[column]) '\(text.text(position))' \(what)"
        )
    }
}
