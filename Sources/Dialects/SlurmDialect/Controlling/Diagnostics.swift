import Quantities
public import WireFormats

/// `sdiag` and `yhdiag`: how busy a centre is.
public enum Diagnostics {
    /// What is printed, in the form of Slurm's. What a centre of ours does not count is 0. One pass of ours is
    /// a main cycle and a backfill cycle.
    public static func lines(
        _ status: CentreStatus,
        calendar: CentreCalendar = CentreCalendar()
    ) -> [String] {
        let rule = String(repeating: "*", count: 55)
        func stamp(_ text: String, _ seconds: Int64) -> String { "\(text) (\(seconds))" }
        let submitted = Int64(status.nextJobID) - 1
        let ended = status.jobsEnded
        return [
            rule,
            "sdiag output at "
                + stamp(calendar.dateLine(status.now), status.now.seconds),
            "Data since      "
                + stamp(calendar.dateLine(status.startedAt), status.startedAt.seconds),
            rule,
            "Server thread count:  1",
            "Agent queue size:     0",
            "Agent count:          0",
            "Agent thread count:   0",
            "DBD Agent queue size: 0",
            "",
            "Jobs submitted: \(submitted)",
            "Jobs started:   \(max(0, submitted - status.jobsPending))",
            "Jobs completed: \(ended)",
            "Jobs canceled:  0",
            "Jobs failed:    0",
            "",
            "Job states ts:  " + stamp(calendar.dateLine(status.now), status.now.seconds),
            "Jobs pending:   \(status.jobsPending)",
            "Jobs running:   \(status.jobsRunning)",
            "",
            "Main schedule statistics (microseconds):",
            "\tLast cycle:   0",
            "\tMax cycle:    0",
            "\tTotal cycles: \(status.passes)",
            "\tLast queue length: \(status.jobsPending)",
            "",
            "Backfilling stats",
            "\tTotal backfilled jobs (since last slurm start): 0",
            "\tTotal backfilled jobs (since last stats cycle start): 0",
            "\tTotal backfilled heterogeneous job components: 0",
            "\tTotal cycles: \(status.passes)",
            "\tLast queue length: \(status.jobsPending)",
        ]
    }
}
