import Quantities
import Testing
import WireFormats

@testable import SlurmDialect

/// The cluster on which the transcripts were recorded, in wire records.
enum World {
    /// The recordings show UTC.
    static let calendar = CentreCalendar(offsetSeconds: 0)

    /// The instant of `HH:MM:SS` on the day of the recordings.
    static func at(_ clock: String) -> SimInstant {
        let parts = clock.split(separator: ":").compactMap { Int($0) }
        return CivilTime(
            year: 2026,
            month: 11,
            day: 21,
            hour: parts[0],
            minute: parts[1],
            second: parts[2]
        ).instant(offsetSeconds: 0)
    }

    static func nodes() -> [NodeInfo] {
        (1...16).map { number in
            var node = NodeInfo()
            node.name = "cn\(number)"
            node.cores = 8
            node.coresPerSocket = 8
            node.memory = ByteCount(mebibytes: 16_000)
            node.partitions = ["work"]
            if number <= 2 { node.partitions.append("debug") }
            if number <= 8 { node.partitions.append("small") }
            if number <= 2 {
                node.partitions += ["closed", "priv"]
                node.gres = "gpu:2"
                node.accelerators = 2
            }
            node.bootTime = at("01:13:01")
            node.lastBusy = at("01:25:59")
            return node
        }
    }

    static func partitions() -> [PartitionInfo] {
        let day = SimDuration(seconds: 86_400)
        var work = partition("work", "cn[1-16]", nodes: 16)
        work.isDefault = true
        work.maximumTime = SimDuration(seconds: 7 * 86_400)
        work.defaultTime = SimDuration(seconds: 3_600)
        var debug = partition("debug", "cn[1-2]", nodes: 2)
        debug.maximumTime = SimDuration(seconds: 1_800)
        debug.maximumNodes = 2
        debug.priorityTier = 10
        var small = partition("small", "cn[1-8]", nodes: 8)
        small.maximumTime = day
        small.maximumNodes = 2
        var closed = partition("closed", "cn[1-2]", nodes: 2)
        closed.state = "DOWN"
        var priv = partition("priv", "cn[1-2]", nodes: 2)
        priv.allowedAccounts = ["vip"]
        return [work, debug, small, closed, priv]
    }

    private static func partition(
        _ name: String,
        _ nodeList: String,
        nodes: Int32
    ) -> PartitionInfo {
        var partition = PartitionInfo()
        partition.name = name
        partition.nodeList = nodeList
        partition.nodeCount = nodes
        partition.cores = Int64(nodes) * 8
        partition.memory = ByteCount(mebibytes: Int64(nodes) * 16_000)
        partition.accelerators = 4
        partition.minimumNodes = 0
        return partition
    }

    /// A job of Alice's that waits, as `--wrap` makes it.
    static func job(_ number: UInt32, name: String = "wrap") -> JobInfo {
        var job = JobInfo()
        job.jobID = number
        job.name = name
        job.user = "alice"
        job.userID = 1_001
        job.group = "alice"
        job.groupID = 1_001
        job.account = "phys"
        job.partition = "work"
        job.priority = 1_035
        job.timeLimit = SimDuration(seconds: 3_600)
        return job
    }

    /// Job 1 of the recording `02_directives`, so many seconds after its start.
    static func directivesJob(runningFor seconds: Int64) -> JobInfo {
        var job = job(1, name: "mytest")
        job.state = "RUNNING"
        job.priority = 1_100
        job.submit = at("01:29:27")
        job.eligible = job.submit
        job.accrue = job.submit
        job.start = job.submit
        job.lastEvaluation = job.submit
        job.runTime = SimDuration(seconds: seconds)
        job.timeLimit = SimDuration(seconds: 600)
        job.nodeCount = 2
        job.nodeList = "cn[1-2]"
        job.batchHost = "cn1"
        job.cores = 8
        job.tasks = 4
        job.cpusPerTask = 2
        job.memoryPerNode = ByteCount(mebibytes: 500)
        job.comment = "a comment"
        job.workDirectory = "/lab/w/02_directives"
        job.command = "/lab/w/02_directives/job.sh"
        job.standardOutput = "/lab/w/02_directives/out.1"
        job.standardError = "/lab/w/02_directives/err.1"
        return job
    }

    /// Job 1 of the recording `02_directives` after its end.
    static func endedDirectivesJob() -> JobInfo {
        var job = directivesJob(runningFor: 13)
        job.state = "COMPLETED"
        job.end = at("01:29:40")
        return job
    }

    /// What a `squeue` command of a recording prints for `jobs`.
    static func queue(
        _ entry: Transcript.Entry,
        _ jobs: [JobInfo],
        now: SimInstant = .epoch
    ) throws -> CommandOutput {
        let command = try QueueCommand(
            program: "squeue",
            arguments: entry.arguments,
            variable: { _ in nil },
            user: entry.user,
            isUser: { ["alice", "bob", "carol"].contains($0) },
            calendar: calendar
        )
        return try command.output(JobList(now: now, jobs: jobs))
    }
}

/// Words as a shell cuts them, where they hold quotation marks and backslashes only.
func shellWords(_ text: String) throws -> [String] {
    // A directive's comment sign is nothing to a shell within a word; no recording has one.
    try BatchScript.words(text[...], line: 1)
}
