import Emulation
import JobModel
import Quantities
import WorkloadFormats

/// When one job would start if nobody came after it: the fair start time of Sabin, Kochhar and
/// Sadayappan, "Job Fairness in Non-Preemptive Job Scheduling", ICPP 2004.
///
/// A replay of its own that goes on from a copy of the emulator, with the jobs' own run times and no more
/// submissions, until the job starts.
struct FairStart: EffectSink {
    private let jobs: ContiguousArray<TraceJob>
    private let overrun: OverrunRule
    private let job: JobID
    private var ends: EndQueue
    private var wake: Int64?
    private var start: Int64?

    /// Prepares it.
    ///
    /// - Parameters:
    ///   - jobs: the jobs in the order of submissions.
    ///   - ends: when those that run end.
    init(
        of job: JobID,
        _ jobs: ContiguousArray<TraceJob>,
        _ overrun: OverrunRule,
        _ ends: EndQueue
    ) {
        self.job = job
        self.jobs = jobs
        self.overrun = overrun
        self.ends = ends
    }

    /// When the job starts; nil when it never does. Unit: µs since the epoch.
    ///
    /// - Parameter now: the instant of its submission, of which all that happens before the pass has
    ///   happened.
    mutating func find(in emulator: Emulator, at now: Int64) -> Int64? {
        var emulator = emulator
        var now = now
        while true {
            wake = nil
            emulator.schedulingPass(at: SimInstant(microseconds: now), into: &self)
            let next = min(ends.nextInstant ?? .max, wake ?? .max)
            guard start == nil, next < .max else { return start }
            now = next
            while ends.nextInstant == now {
                let id = ends.pop()
                let state = jobs[Int(id.number) - 1].endState(overrun)
                do {
                    let instant = SimInstant(microseconds: now)
                    try emulator.end(id, state, at: instant, isForetold: false, into: &self)
                } catch {
                    preconditionFailure("job \(id) runs: \(error)")
                }
            }
        }
    }

    // MARK: Effects

    mutating func jobStarted(_ start: JobStart) {
        let begin = start.startedAt.microseconds + start.bootDelay.microseconds
        if start.id == job { self.start = begin }
        ends.push(start.id, at: begin + jobs[Int(start.id.number) - 1].length(overrun))
    }

    mutating func wake(at instant: SimInstant) {
        wake = min(wake ?? .max, instant.microseconds)
    }

    // Nothing cuts a job short here.
    mutating func jobEnded(_ end: JobEnd) {}
    mutating func jobMustStop(_ id: JobID, _ reason: StopReason) {}
    mutating func jobRequeued(_ run: JobEnd) {}
}

extension TraceJob {
    /// Whether the job ends at its limit.
    private func isCut(_ overrun: OverrunRule) -> Bool { overrun == .kill && runTime > timeLimit }

    /// How long the job runs when nothing happens to it. Unit: µs.
    fileprivate func length(_ overrun: OverrunRule) -> Int64 {
        isCut(overrun) ? timeLimit : runTime
    }

    /// How it ends then.
    fileprivate func endState(_ overrun: OverrunRule) -> EndState {
        isCut(overrun) ? .timeout : .completed
    }
}
