import WireFormats
public import WorkloadFormats

/// What reading a log left out or changed, for people and for programs. Nothing is silent.
extension Trace {
    /// One line for each thing, without newlines.
    var remarkLines: [String] {
        var lines: [String] = []
        for reason in DropReason.allCases {
            guard let count = dropped[reason] else { continue }
            lines.append("left out: \(counted(count, "row")), \(reason.text)")
            if reason == .malformed { lines += malformedLines(of: count) }
        }
        for (count, what) in changes where count > 0 {
            lines.append("changed: \(counted(count, "job")) \(what)")
        }
        if outOfOrder > 0 {
            lines.append("sorted: \(counted(outOfOrder, "row")) stood after a later submission")
        }
        if let badStartTime {
            lines.append("UnixStartTime '\(badStartTime)' is no time from 1970 to 9999; 0 is taken")
        }
        return lines
    }

    private func malformedLines(of count: Int) -> [String] {
        var lines = malformedRows.map { row in
            let field = row.field > 0 ? ", field \(row.field)" : ""
            return "  line \(row.line)\(field): \(row.problem)"
        }
        if count > malformedRows.count {
            lines.append("  … and \(count - malformedRows.count) more")
        }
        return lines
    }

    private var changes: [(count: Int, what: String)] {
        [
            (withoutLimit, "without a time limit; the run time is the limit"),
            (withAllocatedSize, "without a requested size; the allocated size is taken"),
            (cutAtLimit, "that ran beyond the limit, cut there (--filter strong)"),
        ]
    }

    /// The same as members of a JSON object.
    var readingMembers: [JSONValue.Member] {
        let drops = DropReason.allCases.compactMap { reason in
            dropped[reason].map { JSONValue.Member("\(reason)", .integer(Int64($0))) }
        }
        return [
            .init("format", .string(format.rawValue)), .init("jobs", .integer(Int64(jobs.count))),
            .init("rows", .integer(Int64(rowCount))), .init("dropped", .object(drops)),
            .init("without_limit", .integer(Int64(withoutLimit))),
            .init("with_allocated_size", .integer(Int64(withAllocatedSize))),
            .init("cut_at_limit", .integer(Int64(cutAtLimit))),
            .init("out_of_order", .integer(Int64(outOfOrder))),
            .init(
                "malformed",
                .array(
                    malformedRows.map {
                        [
                            "line": .integer(Int64($0.line)), "field": .integer(Int64($0.field)),
                            "problem": .string($0.problem),
                        ]
                    }
                )
            ),
        ]
    }

    /// Why no job could be read: `no job can be read from it (12 rows malformed; …)`.
    public var emptinessText: String {
        guard rowCount > 0 else { return "no job can be read from it: it has no rows" }
        let lines = remarkLines.joined(separator: "\n  ")
        return "no job can be read from it as \(format.rawValue)\n  \(lines)"
    }
}

/// `1 job`, `2,000 jobs`.
func counted(_ count: Int, _ noun: String) -> String {
    "\(NumberText.grouped(Int64(count))) \(noun)\(count == 1 ? "" : "s")"
}
