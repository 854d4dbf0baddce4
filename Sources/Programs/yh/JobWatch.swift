import Glibc
import LocalClient
import Quantities
import SlurmDialect
import WireFormats

/// Looks now and then whether the centre still has a job running, for a command that runs its programs from
/// outside a script: nobody else ends them when the job is cancelled, or its time is over.
struct JobWatch {
    let job: UInt32
    private var next = ContinuousClock.now + Self.pause
    private static let pause = Duration.milliseconds(500)

    init(_ job: UInt32) { self.job = job }

    /// Why a job is over.
    enum End {
        case timeLimit, other

        /// What a node says behind the time at which it ended a step.
        var cause: String { self == .timeLimit ? " DUE TO TIME LIMIT" : "" }
    }

    /// How the job has ended; nil while it runs, where it was not time to look again, and when nobody can
    /// be asked.
    mutating func end() -> End? {
        guard ContinuousClock.now >= next else { return nil }
        defer { next = ContinuousClock.now + Self.pause }
        var client = LocalClient()
        client.timeoutSeconds = 1
        let list = try? client.get("/v1/jobs?ended=1&id=\(job)&fields=state", as: JobList.self)
        guard let list else { return nil }
        // One that is known no longer has ended long ago, or waits again.
        let state = list.jobs.first { $0.jobID == job }?.state ?? "CANCELLED"
        switch state {
        case "RUNNING", "SUSPENDED", "CONFIGURING": return nil
        case "TIMEOUT": return .timeLimit
        default: return .other
        }
    }

    /// How long after its SIGTERM a task is killed: the centre's KillWait.
    static var killWait: Duration {
        var client = LocalClient()
        client.timeoutSeconds = 1
        let status = try? client.get("/v1/status", as: CentreStatus.self)
        let text = status?.configuration.first { $0.name == "KillWait" }?.value
        let seconds = text?.split(separator: " ").first.flatMap { Int64($0) }
        return .seconds(seconds ?? 30)
    }
}
