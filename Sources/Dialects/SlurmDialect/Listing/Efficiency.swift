import Quantities
public import WireFormats

/// `seff` and `yheff`: how much of what a job held it used.
///
/// Source of the form: Slurm 22.05, `contribs/seff`.
public enum Efficiency {
    /// The lines of a job's report.
    public static func lines(_ record: AccountingRecord, cluster: String) -> [String] {
        let id = AccountingRow(record: record, calendar: CentreCalendar()).id
        var lines = [
            "Job ID: \(record.jobID)"
        ]
        if record.arrayJobID != nil { lines.append("Array Job ID: \(id)") }
        lines += [
            "Cluster: \(cluster)",
            "User/Group: \(record.user)/\(record.group)",
            "State: \(record.state) (exit code \(record.exitCode))",
        ]
        let nodes = Int64(max(1, record.nodeCount))
        if nodes > 1 {
            lines += ["Nodes: \(nodes)", "Cores per node: \(record.cores / nodes)"]
        } else {
            lines.append("Cores: \(record.cores)")
        }
        let wall = record.elapsed.seconds
        let used = record.steps.compactMap(\.processorTime).reduce(0) { $0 + $1.seconds }
        let (held, overflow) = wall.multipliedReportingOverflow(by: record.cores)
        let share = held > 0 && !overflow ? AmountText.ratio(used * 100, held, digits: 2) : "0.00"
        lines += [
            "CPU Utilized: \(SlurmTime.full(seconds: used))",
            "CPU Efficiency: \(share)% of \(SlurmTime.full(seconds: overflow ? .max : held)) core-walltime",
            "Job Wall-clock time: \(SlurmTime.full(record.elapsed))",
        ]
        let largest = record.steps.compactMap(\.maximumResident).map(\.count).max() ?? 0
        lines.append("Memory Utilized: \(amount(largest))")
        if let asked = record.requestedMemory?.count, asked > 0 {
            let part = AmountText.ratio(largest / 1_024 * 100, max(1, asked / 1_024), digits: 2)
            lines.append("Memory Efficiency: \(part)% of \(amount(asked))")
        }
        if record.end == nil, record.start != nil {
            lines.append("WARNING: Efficiency statistics may be misleading for RUNNING jobs.")
        }
        return lines
    }

    private static func amount(_ bytes: Int64) -> String {
        var (unit, size) = (0, Int64(1))
        let units = ["B", "KB", "MB", "GB", "TB"]
        while unit + 1 < units.count, bytes >= size * 1_024 {
            size *= 1_024
            unit += 1
        }
        return "\(AmountText.ratio(bytes, size, digits: 2)) \(units[unit])"
    }
}
