import IndexSets
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

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("name", &name)
        try fields("after", &after)
        try fields("length", &length)
        try fields("exit_code", &exitCode)
        try fields("signal", &signal)
        try fields("cancelled", &isCancelled)
        try fields("tasks", &tasks)
        try fields("nodes", &nodes)
    }
}

extension StepRun {
    /// Reads what `yhrun` and its like left of the steps of a rehearsed run, a line each:
    /// `START END EXIT SIGNAL TASKS NODES NUMBER NAME`, with instants in microseconds, and 128 added to the signal
    /// of a step that was cancelled; other lines say that a step began. The steps come by their numbers.
    static func read(_ lines: [Substring], _ entry: JobEntry) -> [StepRun] {
        guard let start = entry.status.startedAt else { return [] }
        let latest = start.microseconds + lengthMaximum
        let runs = lines.lazy.compactMap { line -> (number: Int64, run: StepRun)? in
            let words = line.split(separator: " ", maxSplits: 7)
            let numbers = words.prefix(7).compactMap { Int64($0) }
            guard words.count == 8, numbers.count == 7 else { return nil }
            // A job can write anything here: what lies before its run, or years after it, is cut.
            let begin = min(max(start.microseconds, numbers[0]), latest)
            var run = StepRun()
            run.name = String(words[7].prefix(256))
            run.after = SimDuration(microseconds: begin - start.microseconds)
            run.length = SimDuration(microseconds: max(begin, min(numbers[1], latest)) - begin)
            run.exitCode = Int32(truncatingIfNeeded: numbers[2] & 127)
            run.signal = Int32(truncatingIfNeeded: numbers[3] & 127)
            run.isCancelled = numbers[3] & 128 != 0
            run.tasks = Int32(clamping: max(1, numbers[4]))
            run.nodes = Int32(clamping: max(1, numbers[5]))
            return (numbers[6], run)
        }
        return runs.prefix(CentreState.stepsMaximum).sorted { $0.number < $1.number }.map(\.run)
    }

    /// Those of them that have begun and not ended: `begin PROCESS START TASKS NODES NAME`.
    ///
    /// - Parameter nodeName: the name of the node at a position.
    static func running(
        _ lines: [Substring],
        _ entry: JobEntry,
        nodeName: (Int) -> String
    ) -> [StepRecord] {
        let ended = Set(
            lines.compactMap { line in
                let words = line.split(separator: " ", maxSplits: 7)
                return words.count == 8 ? Int(words[6]) : nil
            }
        )
        let begun = lines.filter { $0.hasPrefix("begin ") }.prefix(CentreState.stepsMaximum)
        return begun.enumerated().compactMap { number, line in
            let words = line.split(separator: " ", maxSplits: 5)
            let numbers = words.dropFirst().prefix(4).compactMap { Int64($0) }
            guard !ended.contains(number), words.count == 6, numbers.count == 4 else { return nil }
            var step = StepRecord()
            step.id = "\(entry.status.steps.count + number)"
            step.name = String(words[5].prefix(256))
            step.process = Int32(clamping: numbers[0])
            step.start = SimInstant(microseconds: numbers[1])
            step.tasks = Int32(clamping: max(1, numbers[2]))
            let nodes = entry.status.nodes.prefix(Int(clamping: max(1, numbers[3])))
            step.cores = nodes.reduce(0) { $0 + Int64($1.cores) }
            step.nodeList = HostList.compress(nodes.map { nodeName($0.node) })
            return step
        }
    }

    /// The longest that a run may take: a year. Unit: µs.
    private static let lengthMaximum: Int64 = 366 * 86_400_000_000
}
