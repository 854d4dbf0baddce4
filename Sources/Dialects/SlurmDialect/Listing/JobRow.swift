import Quantities
import WireFormats

/// A job in a listing: one job, or the waiting elements of a job array in one row.
struct JobRow {
    var info: JobInfo
    /// The waiting elements, as `3-10%2`, when the row stands for a job array.
    var elements: String?
    var calendar: CentreCalendar

    /// Rows for `jobs`, in which the waiting elements of each job array share one, at the place of
    /// the first of them.
    static func folding(_ jobs: [JobInfo], calendar: CentreCalendar) -> [JobRow] {
        var waiting: [UInt32: [JobInfo]] = [:]
        for job in jobs where job.state == "PENDING" {
            if let array = job.arrayJobID { waiting[array, default: []].append(job) }
        }
        var rows: [JobRow] = []
        for job in jobs {
            guard job.state == "PENDING", let array = job.arrayJobID else {
                rows.append(JobRow(info: job, calendar: calendar))
                continue
            }
            guard let elements = waiting.removeValue(forKey: array) else { continue }
            var row = JobRow(info: job, calendar: calendar)
            row.info.jobID = array
            row.info.priority = elements.map(\.priority).max() ?? job.priority
            var reasons: [String] = []
            for element in elements where !reasons.contains(element.shownReason) {
                reasons.append(element.shownReason)
            }
            row.info.reasonText = reasons.joined(separator: ",")
            row.elements = rangeText(elements.compactMap(\.arrayTaskID).sorted())
            if let limit = job.arrayLimit { row.elements? += "%\(limit)" }
            rows.append(row)
        }
        return rows
    }

    /// `1-3,9` for ascending numbers.
    static func rangeText(_ numbers: [UInt32]) -> String {
        var parts: [String] = []
        var index = 0
        while index < numbers.count {
            var last = index
            while last + 1 < numbers.count, numbers[last + 1] == numbers[last] + 1 { last += 1 }
            parts.append(
                last > index ? "\(numbers[index])-\(numbers[last])" : "\(numbers[index])"
            )
            index = last + 1
        }
        return parts.joined(separator: ",")
    }

    /// `20_[3-10%2]`, `20_1` or `1`.
    var id: String {
        guard let array = info.arrayJobID else { return "\(info.jobID)" }
        if let elements { return "\(array)_[\(elements)]" }
        return info.arrayTaskID.map { "\(array)_\($0)" } ?? "\(array)"
    }

    /// How much is known of a waiting job's start: 2 where the user said it, 1 where the scheduler
    /// plans it, 0 where nobody has looked.
    var foresight: Int {
        switch info.reason {
        case "BeginTime": 2
        case "Resources", "Priority": 1
        default: 0
        }
    }

    /// When it started, or is expected to.
    var start: SimInstant? { info.start ?? info.expectedStart }

    /// When it ended, or will at the latest.
    var end: SimInstant? {
        if let end = info.end { return end }
        guard let start, let limit = info.timeLimit else { return nil }
        return start + limit
    }

    /// The nodes, or in brackets why there are none or why it failed.
    var nodesOrReason: String {
        let states = ["PENDING", "TIMEOUT", "OUT_OF_MEMORY", "DEADLINE", "FAILED"]
        return states.contains(info.state) ? "(\(info.shownReason))" : info.nodeList
    }

    func text(_ instant: SimInstant?) -> String {
        instant.map { calendar.text($0) } ?? "N/A"
    }
}

extension JobInfo {
    /// The reason, or the sentence in its place.
    var shownReason: String { reasonText ?? reason }

    /// Memory for each node or core, as asked for.
    var memoryText: String {
        AmountText.memory(mebibytes: (memoryPerNode ?? memoryPerCPU)?.mebibytes ?? 0)
    }

    /// `cpu=8,mem=1000M,node=2,billing=8,gres/gpu=2`.
    var tresText: String {
        var parts = ["cpu=\(cores)"]
        if let memory, memory.count > 0 {
            parts.append("mem=" + AmountText.memory(mebibytes: memory.mebibytes))
        }
        parts += ["node=\(nodeCount)", "billing=\(cores)"]
        if accelerators > 0 { parts.append("gres/gpu=\(accelerators)") }
        return parts.joined(separator: ",")
    }
}
