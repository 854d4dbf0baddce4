extension TraceBuilder {
    /// Reads a table whose columns somebody named.
    ///
    /// - Throws: `MalformedRow` when strict, or when a column is not there.
    mutating func readTable(
        _ bytes: UnsafeRawBufferPointer,
        _ form: TableForm,
        offsetSeconds: Int64
    ) throws(MalformedRow) {
        var text = DelimitedText(bytes, layout: .detect(bytes))
        guard text.next() else { return }
        let table = try TableColumnsByRole(form, text, offsetSeconds: offsetSeconds)
        var hasRow = form.isHeaderless || text.next()
        var number: Int64 = 0
        while hasRow {
            number += 1
            countRow()
            do throws(MalformedRow) {
                try addRow(number, try table.row(text), text)
            } catch {
                try malformed(error)
            }
            hasRow = text.next()
        }
    }

    private mutating func addRow(
        _ number: Int64,
        _ row: TableRow,
        _ text: DelimitedText
    ) throws(MalformedRow) {
        guard let submitted = row.submitted, submitted >= 0 else { return drop(.unknownSubmission) }
        guard !row.hasStartColumn || row.started != nil else { return drop(.neverStarted) }
        let measured =
            row.runTime
            ?? row.ended.flatMap { end in row.started.map { end - $0 } }
        guard let runTime = measured, runTime >= 0 else { return drop(.unknownRunTime) }
        guard runTime > 0 || !row.state.uppercased().hasPrefix("CANCEL") else {
            return drop(.neverStarted)
        }
        guard let size = row.processors, size > 0, size <= Int64(Int32.max) else {
            return drop(.unknownSize)
        }
        let wait = row.started.map { ($0 - submitted) / 1_000_000 } ?? -1
        add(
            TraceJob(
                id: row.id ?? number,
                submitted: submitted,
                runTime: runTime,
                timeLimit: row.limit ?? 0,
                processors: Int32(size),
                line: Int32(clamping: text.line),
                user: user(row.user),
                group: group(row.account),
                queue: queue(row.qos),
                partition: partition(row.partition),
                waitSeconds: Int32(clamping: max(-1, wait))
            ),
            row.request
        )
    }
}

/// What a row of a table says. Times in µs.
private struct TableRow {
    var id: Int64?
    var submitted: Int64?
    var hasStartColumn = false
    var started: Int64?
    var ended: Int64?
    var runTime: Int64?
    var limit: Int64?
    var processors: Int64?
    var request: TraceRequest?
    var user = ""
    var account = ""
    var qos = ""
    var partition = ""
    var state = ""
}

/// The columns of a table, found in its header.
private struct TableColumnsByRole {
    private enum Place {
        case column(Int)
        case number(Int64)
    }

    private let places: [TableForm.Role: [(isDivisor: Bool, place: Place)]]
    private let fieldCount: Int
    private let offsetSeconds: Int64

    init(
        _ form: TableForm,
        _ header: DelimitedText,
        offsetSeconds: Int64
    ) throws(MalformedRow) {
        var places: [TableForm.Role: [(isDivisor: Bool, place: Place)]] = [:]
        for role in TableForm.Role.allCases {
            guard let value = form.values[role] else { continue }
            var list: [(isDivisor: Bool, place: Place)] = []
            for (isDivisor, factor) in [(false, value.first)] + value.others {
                list.append((isDivisor, try Self.place(factor, header)))
            }
            places[role] = list
        }
        self.places = places
        fieldCount = header.fields.count
        self.offsetSeconds = offsetSeconds
    }

    private static func place(
        _ factor: TableForm.Factor,
        _ header: DelimitedText
    ) throws(MalformedRow) -> Place {
        func missing(_ what: String) -> MalformedRow {
            let names = header.fields.indices.map { header.text($0) }.joined(separator: ", ")
            return MalformedRow(
                line: header.line,
                field: 0,
                problem: "the table has no column \(what); it has \(names)"
            )
        }
        switch factor {
        case .number(let number): return .number(number)
        case .position(let position):
            guard position < header.fields.count else { throw missing("\(position + 1)") }
            return .column(position)
        case .column(let name):
            guard let column = header.column(name) else { throw missing("'\(name)'") }
            return .column(column)
        }
    }

    // MARK: Rows

    func row(_ text: DelimitedText) throws(MalformedRow) -> TableRow {
        guard text.fields.count == fieldCount else {
            throw MalformedRow(
                line: text.line,
                field: 0,
                problem: "the row has \(text.fields.count) fields, the first \(fieldCount)"
            )
        }
        var row = TableRow()
        row.id = column(.id).flatMap { FieldBytes.integer(text.raw($0)) }
        row.hasStartColumn = places[.start] != nil
        row.submitted = try instant(.submit, text)
        row.started = try instant(.start, text)
        row.ended = try instant(.end, text)
        row.runTime = try length(.run, text)
        row.limit = try length(.limit, text)
        row.user = name(.user, text)
        row.account = name(.account, text)
        row.qos = name(.qos, text)
        row.partition = name(.partition, text)
        row.state = name(.state, text)
        let parts = try amount(.parts, text).map(Self.whole)
        let cores = try amount(.cores, text)
        let cards = try amount(.cards, text)
        let memory = try amount(.memory, text).map(Self.whole)
        let each = cards.map(Self.whole) ?? cores.map(Self.whole)
        row.processors =
            try amount(.processors, text).map(Self.whole)
            ?? each.map { $0.multipliedReportingOverflow(by: max(1, parts ?? 1)).partialValue }
        row.request = request(parts, cores, memory, cards)
        return row
    }

    private func request(
        _ parts: Int64?,
        _ cores: Int64?,
        _ memory: Int64?,
        _ cards: Int64?
    ) -> TraceRequest? {
        // A field may be empty; where there is a column, each job has a request.
        guard [.cores, .cards, .memory].contains(where: { places[$0] != nil }) else { return nil }
        let share = cards.map { $0 % 1_000_000 / 1_000 } ?? 0
        let isShare = (parts ?? 1) <= 1 && (cards ?? 0) < 1_000_000 && share > 0
        return TraceRequest(
            chunks: Int32(clamping: max(1, parts ?? 1)),
            milliCores: Int32(clamping: (cores ?? 0) / 1_000),
            memoryMebibytes: Int32(clamping: memory ?? 0),
            cards: Int32(clamping: cards.map(Self.whole) ?? 0),
            milliCard: isShare ? Int32(share) : 1_000
        )
    }

    /// Millionths as a whole number, rounded up.
    private static func whole(_ millionths: Int64) -> Int64 {
        millionths / 1_000_000 + (millionths % 1_000_000 > 0 ? 1 : 0)
    }

    private func column(_ role: TableForm.Role) -> Int? {
        guard let list = places[role], list.count == 1, case .column(let column) = list[0].place
        else { return nil }
        return column
    }

    private func name(_ role: TableForm.Role, _ text: DelimitedText) -> String {
        text.text(column(role))
    }

    private static func isEmpty(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let word = String(decoding: bytes, as: UTF8.self).lowercased()
        return ["", "none", "null", "nan", "n/a", "unknown"].contains(word)
    }

    private func problem(_ text: DelimitedText, _ column: Int, _ what: String) -> MalformedRow {
        MalformedRow(
            line: text.line,
            field: column + 1,
            problem: "'\(text.text(column))' is \(what)"
        )
    }

    /// A time since 1970 in µs; nil when the field is empty.
    private func instant(
        _ role: TableForm.Role,
        _ text: DelimitedText
    ) throws(MalformedRow) -> Int64? {
        guard places[role] != nil else { return nil }
        guard let column = column(role) else { return try amount(role, text) }
        let bytes = text.raw(column)
        guard !Self.isEmpty(bytes) else { return nil }
        if let micros = FieldBytes.scientific(bytes) { return micros }
        guard let seconds = FieldBytes.instantSeconds(bytes, offsetSeconds: offsetSeconds) else {
            throw problem(text, column, "no time")
        }
        return seconds * 1_000_000
    }

    /// A length of time in µs; nil when the field is empty.
    private func length(
        _ role: TableForm.Role,
        _ text: DelimitedText
    ) throws(MalformedRow) -> Int64? {
        guard let column = column(role) else { return try amount(role, text) }
        let bytes = text.raw(column)
        guard !Self.isEmpty(bytes) else { return nil }
        guard let micros = FieldBytes.scientific(bytes) ?? FieldBytes.slurmDuration(bytes) else {
            throw problem(text, column, "no length of time")
        }
        return micros
    }

    /// A number in millionths; nil when a field is empty.
    private func amount(
        _ role: TableForm.Role,
        _ text: DelimitedText
    ) throws(MalformedRow) -> Int64? {
        guard let list = places[role] else { return nil }
        var product: Int128 = 1_000_000
        for (isDivisor, place) in list {
            let factor: Int64
            switch place {
            case .number(let number): factor = number
            case .column(let column):
                let bytes = text.raw(column)
                guard !Self.isEmpty(bytes) else { return nil }
                guard let value = FieldBytes.scientific(bytes) else {
                    throw problem(text, column, "no number")
                }
                factor = value
            }
            if isDivisor {
                guard factor != 0 else { return nil }
                product = product * 1_000_000 / Int128(factor)
            } else {
                product = product * Int128(factor) / 1_000_000
            }
            guard product.magnitude < 1 << 62 else { return nil }
        }
        return Int64(product)
    }
}
