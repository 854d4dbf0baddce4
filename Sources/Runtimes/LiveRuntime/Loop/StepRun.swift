import IndexSets
import JobModel
import Quantities
import WireFormats

/// One parallel program of a job, as the journal holds it with the end of the run.
struct StepRun: WireRecord, Codable {
    /// The program's name; nil for the job's.
    var name: String?
    /// When it started, after the start of the run.
    var after = SimDuration.zero
    /// How long it ran.
    var length = SimDuration.zero
    /// The highest exit status of its tasks.
    var exitCode: Int32 = 0
    /// The signal that ended it, or 0.
    var signal: Int32 = 0
    /// Whether it was cut short with the job.
    var isCancelled = false
    /// Its tasks and nodes; nil for those of the job.
    var tasks: Int32?
    var nodes: Int32?
    /// Its number in the job; nil for its place among the programs.
    var number: Int32?
    /// The component of the heterogeneous job that it ran on; nil for the first, or the job.
    var component: Int32?

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("name", &name)
        try fields("after", &after)
        try fields("length", &length)
        try fields("exit_code", &exitCode)
        try fields("signal", &signal)
        try fields("cancelled", &isCancelled)
        try fields("tasks", &tasks)
        try fields("nodes", &nodes)
        try fields.ifPresent("number", &number)
        try fields.ifPresent("component", &component)
    }
}

extension StepRun {
    /// Reads what `yhrun` and its like left of the steps of a rehearsed run, a line each:
    /// `START END EXIT SIGNAL PARTS NUMBER NAME`, with instants in microseconds, and 128 added to the signal
    /// of a step that was cancelled; other lines say that a step began. The steps come by their numbers, those
    /// on several components once for each.
    static func read(_ lines: [Substring], _ entry: JobEntry) -> [StepRun] {
        guard let start = entry.status.startedAt else { return [] }
        let latest = start.microseconds + lengthMaximum
        let runs = lines.lazy.compactMap { line -> (number: Int64, runs: [StepRun])? in
            let words = line.split(separator: " ", maxSplits: 6)
            let numbers = words.prefix(4).compactMap { Int64($0) }
            guard words.count == 7, numbers.count == 4, let number = Int64(words[5]) else {
                return nil
            }
            // A job can write anything here: what lies before its run, or years after it, is cut.
            let begin = min(max(start.microseconds, numbers[0]), latest)
            var run = StepRun()
            run.name = String(words[6].prefix(256))
            run.after = SimDuration(microseconds: begin - start.microseconds)
            run.length = SimDuration(microseconds: max(begin, min(numbers[1], latest)) - begin)
            run.exitCode = Int32(truncatingIfNeeded: numbers[2] & 127)
            run.signal = Int32(truncatingIfNeeded: numbers[3] & 127)
            run.isCancelled = numbers[3] & 128 != 0
            return (
                number,
                Part.read(words[4], entry).map { part in
                    var own = run
                    own.tasks = part.tasks
                    own.nodes = part.nodes
                    own.component = part.component
                    return own
                }
            )
        }
        let inOrder = runs.prefix(CentreState.stepsMaximum).sorted { $0.number < $1.number }
        let records = inOrder.enumerated().lazy.flatMap { place, step in
            step.runs.lazy.map { run in
                var run = run
                // Where steps are spread over components their places do not tell their numbers.
                if entry.specification.submission.het != nil { run.number = Int32(clamping: place) }
                return run
            }
        }
        // A line is a record for each of its components.
        return Array(records.prefix(CentreState.stepsMaximum))
    }

    /// Those of them on a job, or a component of it, that have begun and not ended:
    /// `begin PROCESS START PARTS NAME`.
    ///
    /// - Parameters:
    ///   - leader: whose run it is.
    ///   - entry: the same, or another component.
    ///   - nodeName: the name of the node at a position.
    static func running(
        _ lines: [Substring],
        of leader: JobEntry,
        on entry: JobEntry,
        nodeName: (Int) -> String
    ) -> [StepRecord] {
        let ended = Set(
            lines.compactMap { line in
                let words = line.split(separator: " ", maxSplits: 6)
                return words.count == 7 && words[0] != "begin" ? Int(words[5]) : nil
            }
        )
        let begun = lines.filter { $0.hasPrefix("begin ") }.prefix(CentreState.stepsMaximum)
        let component = entry.isFollower ? entry.specification.submission.het?.offset : nil
        return begun.enumerated().compactMap { number, line in
            let words = line.split(separator: " ", maxSplits: 4)
            guard !ended.contains(number), words.count == 5, let process = Int64(words[1]),
                let start = Int64(words[2]),
                let part = Part.read(words[3], leader).first(where: { $0.component == component })
            else { return nil }
            var step = StepRecord()
            step.id = "\(entry.status.steps.count + number)"
            step.name = String(words[4].prefix(256))
            step.process = Int32(clamping: process)
            step.start = SimInstant(microseconds: start)
            step.tasks = part.tasks
            let nodes = entry.status.nodes.prefix(Int(part.nodes))
            step.cores = nodes.reduce(0) { $0 + Int64($1.cores) }
            step.nodeList = HostList.compress(nodes.map { nodeName($0.node) })
            return step
        }
    }

    /// What a step has of one component of its job, or of a job that has none.
    private struct Part {
        var component: Int32?
        var tasks: Int32
        var nodes: Int32

        /// `TASKS:NODES`, or `COMPONENT:TASKS:NODES` with commas between several.
        static func read(_ text: Substring, _ entry: JobEntry) -> [Part] {
            let count = entry.specification.submission.het?.count ?? 1
            return text.split(separator: ",").prefix(Int(count)).compactMap { text in
                let words = text.split(separator: ":")
                let numbers = words.compactMap { Int64($0) }.map { Int32(clamping: $0) }
                guard (2...3).contains(words.count), numbers.count == words.count else {
                    return nil
                }
                let component = numbers.count == 3 ? numbers[0] : 0
                guard (0..<count).contains(component) else { return nil }
                return Part(
                    component: component == 0 ? nil : component,
                    tasks: max(1, numbers[numbers.count - 2]),
                    nodes: max(1, numbers[numbers.count - 1])
                )
            }
        }
    }

    /// The longest that a run may take: a year. Unit: µs.
    private static let lengthMaximum: Int64 = 366 * 86_400_000_000
}
