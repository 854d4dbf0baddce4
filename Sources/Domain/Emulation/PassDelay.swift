import JobModel
import Quantities

/// Slurm's `batch_sched_delay`: a pass may wait for so long after something came in, so that what
/// comes in meanwhile is looked at together.
///
/// Source: Slurm 22.05, slurm.conf(5), `SchedulerParameters`.
struct PassDelay: Sendable, Codable {
    private let length: SimDuration
    /// When the pass is due that looks at what came in; nil when nothing did.
    private var due: SimInstant?
    /// The jobs that have come into a queue, or changed there, since the last pass.
    private var unseen: Set<Int32> = []

    init(seconds: Int) {
        length = SimDuration(seconds: Int64(seconds))
    }

    /// Takes note that something came in.
    ///
    /// - Parameter isUrgent: whether the pass may not wait.
    mutating func note(at now: SimInstant, isUrgent: Bool = false) {
        guard length > .zero else { return }
        if isUrgent {
            due = now
        } else if due == nil {
            due = now + length
        }
    }

    /// Takes note of what came in; time alone is nothing.
    mutating func note(_ input: Input, at now: SimInstant) {
        if case .timer = input { return }
        note(at: now)
    }

    /// When the next pass may be; nil when it may be now, which is then noted.
    mutating func nextPass(at now: SimInstant) -> SimInstant? {
        guard length > .zero else { return nil }
        if let due, now < due { return due }
        due = nil
        unseen.removeAll(keepingCapacity: true)
        return nil
    }

    /// Takes note of a job that has come into a queue, or has changed there.
    mutating func notePlaced(_ slot: Int32) {
        if length > .zero { unseen.insert(slot) }
    }

    /// Whether no pass has looked at a job since it came into its queue.
    func isUnseen(_ slot: Int32) -> Bool { due != nil && unseen.contains(slot) }
}
