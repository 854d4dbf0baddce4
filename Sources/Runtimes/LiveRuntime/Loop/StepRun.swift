import Quantities
import WireFormats

/// One parallel program of a job, as the journal holds it with the end of the run.
struct StepRun: WireRecord {
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
