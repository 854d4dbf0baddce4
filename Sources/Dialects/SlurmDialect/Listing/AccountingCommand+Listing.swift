import IndexSets
public import Quantities
public import WireFormats

extension AccountingCommand {
    /// What `-e` prints: the fields, four a line. By Slurm's name only those that Slurm has.
    public var fieldList: [String] {
        let isSlurms = Dialect(program: program) == .slurm
        let names = AccountingFields.all.map(\.name).filter {
            !isSlurms || !AccountingFields.own.contains($0)
        }
        return stride(from: 0, to: names.count, by: 4).map { index in
            names[index..<min(index + 4, names.count)]
                .map { FormatText.fit($0, 19, right: false) }
                .joined(separator: " ")
        }
    }

    /// What the centre is asked for: all that is listed, and perhaps more.
    public var query: AccountingQuery {
        var query = AccountingQuery()
        if !jobs.isEmpty { query.ids = jobs.map(\.jobID) }
        query.users = users
        query.accounts = accounts
        // A number says of which cluster a job is.
        query.clusters = clusters ?? (jobs.isEmpty ? [ClusterWord.own] : nil)
        // The centre reads times in its own zone: in another one only what is relative means the same.
        let isFar = calendar.offsetSeconds != CivilTime.shanghaiOffsetSeconds
        func asked(_ text: String?) -> String? {
            isFar && text?.lowercased().hasPrefix("now") != true ? nil : text
        }
        query.from = asked(startText ?? (jobs.isEmpty && states == nil ? "today" : nil))
        query.until = asked(endText)
        query.fields = neededMembers
        return query
    }

    /// The members of records that the listing looks at, by their names on the wire; nil for all.
    public var neededMembers: Set<String>? {
        guard data == nil else { return nil }
        var members = AccountingFields.commonMembers
        for column in columns {
            guard let needed = AccountingFields.members[column.field.name] else { return nil }
            members.formUnion(needed)
        }
        if showsSteps { members.insert("steps") }
        if names != nil { members.insert("name") }
        if qos != nil { members.insert("qos") }
        if nodes != nil { members.insert("node_list") }
        return members
    }

    /// From when to when jobs are meant. Without `-S`: from the last midnight on, or from the
    /// beginning when jobs or states are named.
    ///
    /// - Throws: `CommandFailure` when a time cannot be read.
    public func period(
        now: SimInstant
    ) throws(CommandFailure) -> (start: SimInstant, end: SimInstant) {
        var start = SimInstant.epoch
        if let startText {
            start = try instant(startText, now: now)
        } else if jobs.isEmpty, states == nil {
            start = calendar.instant("today", now: now, isPast: true) ?? .epoch
        }
        let end = try endText.map { text throws(CommandFailure) in
            try instant(text, now: now)
        }
        return (start, end ?? .distantFuture)
    }

    private func instant(_ text: String, now: SimInstant) throws(CommandFailure) -> SimInstant {
        guard let instant = calendar.instant(text, now: now, isPast: true) else {
            throw CommandFailure(
                lines: ["Invalid time specification (pos=0): \(text)"],
                exitCode: 1
            )
        }
        return instant
    }

    /// What is printed for `list`.
    ///
    /// - Throws: `CommandFailure` when a time cannot be read.
    public func output(_ list: AccountingList) throws(CommandFailure) -> CommandOutput {
        let period = try period(now: list.now)
        let shown = runs(
            list.records.inOrderOfElements.kept { shows($0, in: period, now: list.now) }
        )
        if let data {
            let all = SlurmData(data.version, cluster: list.cluster, command: [program])
            return data.output(all.records(shown, list, withSteps: showsSteps))
        }
        var output = CommandOutput()
        // Looked up by name once, not for each line.
        let columns = columns
        if hasHeader {
            output.lines.append(line(columns) { field, _ in field.name })
            if delimiter == nil {
                output.lines.append(
                    line(columns) { _, width in String(repeating: "-", count: abs(width)) }
                )
            }
        }
        forEachRow(shown, list, columns) { row in
            output.lines.append(
                line(columns) { field, width in
                    let text = field.text(row).printable
                    // A field that is cut shows it by a plus sign.
                    guard delimiter == nil, text.utf8.count > abs(width), width != 0,
                        text.count > abs(width)
                    else { return text }
                    return text.prefix(abs(width) - 1) + "+"
                }
            )
        }
        return output
    }

    /// The runs that are listed of each job: the last one, or all. A job that waits to run again is
    /// known by the run before.
    private func runs(_ records: [AccountingRecord]) -> [AccountingRecord] {
        let known = records.kept { $0.state != "PENDING" || $0.restarts == 0 }
        guard !showsDuplicates else { return inOrderOfRecord(known) }
        // Who was never requeued has one run.
        guard known.contains(where: { $0.restarts != 0 }) else { return known }
        var last: [UInt32: Int32] = [:]
        for record in known { last[record.jobID] = max(last[record.jobID] ?? 0, record.restarts) }
        return known.filter { $0.restarts == last[$0.jobID] }
    }

    /// The runs in the order in which Slurm makes their records: at the submission, and at each requeue.
    private func inOrderOfRecord(_ records: [AccountingRecord]) -> [AccountingRecord] {
        var ends: [UInt32: [Int32: SimInstant]] = [:]
        for record in records { ends[record.jobID, default: [:]][record.restarts] = record.end }
        func made(_ record: AccountingRecord) -> SimInstant {
            ends[record.jobID]?[record.restarts - 1] ?? record.submit
        }
        return records.enumerated()
            .sorted { (made($0.element), $0.offset) < (made($1.element), $1.offset) }
            .map(\.element)
    }

    private typealias Column = (field: AccountingFields.Field, width: Int)

    private func line(
        _ columns: [Column],
        _ text: (AccountingFields.Field, Int) -> String
    ) -> String {
        if let delimiter {
            let line = columns.map { text($0.field, $0.width) }.joined(separator: delimiter)
            return endsWithDelimiter ? line + delimiter : line
        }
        var line = ""
        for column in columns {
            let text = text(column.field, column.width)
            FormatText.append(text, abs(column.width), right: column.width > 0, to: &line)
            line += " "
        }
        return line
    }

    /// Hands over the rows of a listing in their order.
    private func forEachRow(
        _ records: [AccountingRecord],
        _ list: AccountingList,
        _ columns: [Column],
        _ body: (AccountingRow) -> Void
    ) {
        // A replay needs every element.
        let isForReplay = columns.contains { AccountingFields.own.contains($0.field.name) }
        let cancelled = CancelledElements(isForReplay ? [] : records)
        func isFolded(_ record: AccountingRecord) -> Bool {
            record.state == "PENDING" || cancelled.together.contains(record.jobID)
        }
        var waiting: [UInt32: [AccountingRecord]] = [:]
        for record in records where isFolded(record) {
            if let array = record.arrayJobID { waiting[array, default: []].append(record) }
        }
        for record in records where !cancelled.traceless.contains(record.jobID) {
            var row = AccountingRow(
                record: record,
                cluster: list.cluster(of: record),
                calendar: calendar,
                unit: unit
            )
            if isFolded(record), let array = record.arrayJobID {
                guard let elements = waiting.removeValue(forKey: array) else { continue }
                let limit = record.arrayLimit.map { "%\($0)" } ?? ""
                row.elements =
                    elements.compactMap(\.arrayTaskID).sorted().rangeText + limit
            }
            body(row)
            guard showsSteps else { continue }
            for step in record.steps {
                body(
                    AccountingRow(
                        record: record,
                        cluster: list.cluster(of: record),
                        step: step,
                        calendar: calendar,
                        unit: unit
                    )
                )
            }
        }
    }

    private func shows(
        _ record: AccountingRecord,
        in period: (start: SimInstant, end: SimInstant),
        now: SimInstant
    ) -> Bool {
        func has(_ values: [String]?, _ value: String) -> Bool {
            values.map { $0.contains(value) } ?? true
        }
        guard record.submit <= period.end, (record.end ?? now) >= period.start,
            has(users, record.user) || has(users, "\(record.userID)"),
            has(accounts, record.account), has(names, record.name), has(qos, record.qos),
            has(partitions, record.partition),
            states.map({ $0.contains(record.state) }) ?? true,
            jobs.isEmpty
                || jobs.contains(where: { job in
                    job.selects(
                        jobID: record.jobID,
                        arrayJobID: record.arrayJobID,
                        arrayTaskID: record.arrayTaskID,
                        het: (record.hetJobID, record.hetJobOffset)
                    )
                })
        else { return false }
        guard let nodes else { return true }
        return ((try? HostList.expand(record.nodeList)) ?? []).contains(where: nodes.contains)
    }
}

extension [AccountingRecord] {
    /// Those for which `isKept` is true. Records are large, and usually all are kept: then nothing is copied.
    fileprivate func kept(_ isKept: (AccountingRecord) -> Bool) -> [AccountingRecord] {
        allSatisfy(isKept) ? self : filter(isKept)
    }
}
