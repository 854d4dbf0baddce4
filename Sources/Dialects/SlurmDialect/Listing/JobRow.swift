import IndexSets
import Quantities
import WireFormats

/// A job in a listing: one job, or the waiting elements of a job array in one row.
struct JobRow {
    var info: JobInfo
    /// The waiting elements, as `3-10%2`, when the row stands for a job array.
    var elements: String?
    var calendar: CentreCalendar
    /// The step that the row is about; nil for the job.
    var step: StepRecord?

    /// A row for one job. An element that waits with others has their array's number.
    init(info: JobInfo, calendar: CentreCalendar) {
        self.info = info
        self.calendar = calendar
        if info.waitsWithArray, let array = info.arrayJobID { self.info.jobID = array }
    }

    /// Rows for `jobs`, in which the waiting elements of each job array share one, at the place of
    /// the first of them, and so do those that were cancelled together.
    static func folding(_ jobs: [JobInfo], calendar: CentreCalendar) -> [JobRow] {
        let cancelled = CancelledElements(jobs)
        func isFolded(_ job: JobInfo) -> Bool {
            job.state == "PENDING" || cancelled.together.contains(job.jobID)
        }
        var waiting: [UInt32: [JobInfo]] = [:]
        for job in jobs where isFolded(job) {
            if let array = job.arrayJobID { waiting[array, default: []].append(job) }
        }
        var rows: [JobRow] = []
        rows.reserveCapacity(jobs.count)
        for job in jobs where !cancelled.traceless.contains(job.jobID) {
            guard isFolded(job), let array = job.arrayJobID else {
                rows.append(JobRow(info: job, calendar: calendar))
                continue
            }
            guard let elements = waiting.removeValue(forKey: array) else { continue }
            var row = JobRow(info: job, calendar: calendar)
            row.info.jobID = array
            row.info.priority = elements.map(\.priority).max() ?? job.priority
            let reasons = reasons(of: elements)
            row.info.reasonText = reasons.joined(separator: ",")
            row.elements = elements.compactMap(\.arrayTaskID).sorted().rangeText
            // Slurm tells no limit where it has put records together that it had taken apart.
            if reasons.count == 1, let limit = job.arrayLimit { row.elements? += "%\(limit)" }
            rows.append(row)
        }
        return rows
    }

    /// Why the waiting elements of an array wait, each reason once. The scheduler looks at all of them as
    /// one, so of its own reasons there is one.
    private static func reasons(of elements: [JobInfo]) -> [String] {
        var reasons: [String] = []
        for element in elements where !reasons.contains(element.shownReason) {
            let isScheduler = schedulerReasons.contains(element.shownReason)
            guard !isScheduler || !reasons.contains(where: schedulerReasons.contains) else {
                continue
            }
            reasons.append(element.shownReason)
        }
        return reasons
    }

    private static let schedulerReasons: Set<String> = [
        "None", "Priority", "Resources", "JobArrayTaskLimit",
    ]

    /// Rows in the order in which Slurm tells of one job array that is asked for by its number: what
    /// waits, then the elements from the last one back.
    static func ofOneArray(_ rows: [JobRow]) -> [JobRow] {
        // Components follow one another.
        if rows.first?.info.hetJobID != nil { return rows }
        func isRest(_ row: JobRow) -> Bool { row.elements != nil || row.info.state == "PENDING" }
        return rows.filter(isRest) + rows.reversed().filter { !isRest($0) }
    }

    /// `20_[3-10%2]`, `20_1`, `20+1` or `1`.
    var id: String {
        if let job = info.hetJobID, let offset = info.hetJobOffset { return "\(job)+\(offset)" }
        guard let array = info.arrayJobID else { return "\(info.jobID)" }
        if let elements { return "\(array)_[\(elements)]" }
        return info.arrayTaskID.map { "\(array)_\($0)" } ?? "\(array)"
    }

    /// When it started, or is expected to. Slurm has a job that was cancelled before its start begin and
    /// end at once.
    var start: SimInstant? {
        info.start ?? (JobStates.hasEnded(info.state) ? info.end : info.expectedStart)
    }

    /// What Slurm sorts by before it sorts by what was asked for, in whole seconds: the later start first, then
    /// jobs whose start the scheduler has planned, then those of which nothing is known.
    var plannedStart: Int64 {
        func seconds(_ instant: SimInstant?) -> Int64 { (instant?.microseconds ?? 0) / 1_000_000 }
        switch info.reason {
        case "BeginTime": return seconds(info.eligible ?? start)
        case "Resources", "Priority": return 1
        default: return info.state == "PENDING" ? 0 : seconds(start)
        }
    }

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
