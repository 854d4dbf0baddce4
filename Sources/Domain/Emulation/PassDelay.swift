import JobModel
import Quantities

/// Slurm's `batch_sched_delay`: what comes in is looked at by a loop that comes round once a second, and no
/// sooner than so long after it looked last. So the first job after a quiet while starts at once, and what
/// follows is looked at together.
///
/// Source: Slurm 22.05, slurm.conf(5), `SchedulerParameters`; `_slurmctld_background` of `controller.c`,
/// which compares whole seconds.
struct PassDelay: Sendable, Codable {
    private let length: SimDuration
    /// When the pass is due that looks at what came in; nil when nothing did.
    private var due: SimInstant?
    /// Whether somebody waits for the pass that is due.
    private var isUrgent = false
    /// The whole second of the last pass that looked at what had come in. Unit: s.
    private var lastSecond: Int64?
    /// The jobs that have come into a queue, or changed there, since the last pass.
    private var unseen: Set<Int32> = []

    /// How long after each whole second the loop comes round. Unit: µs.
    private static let phase: Int64 = 100_000

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
            self.isUrgent = true
        } else if due == nil {
            due = nextRound(after: now)
        }
    }

    /// When the loop comes round next and may look again.
    private func nextRound(after now: SimInstant) -> SimInstant {
        let phase = SimDuration(microseconds: Self.phase)
        let next = (now - phase).seconds + 1
        let allowed = lastSecond.map { $0 + length.seconds } ?? next
        return SimInstant(seconds: max(next, allowed)) + phase
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
        // Who starts at once, as srun does, is tried alone in Slurm: the loop does not hear of it.
        if due != nil, !isUrgent { lastSecond = now.seconds }
        due = nil
        isUrgent = false
        unseen.removeAll(keepingCapacity: true)
        return nil
    }

    /// When the loop looks at what has come in by `now`.
    func round(after now: SimInstant) -> SimInstant { max(now, due ?? now) }

    /// Takes note of a job that has come into a queue, or has changed there.
    mutating func notePlaced(_ slot: Int32) {
        if length > .zero { unseen.insert(slot) }
    }

    /// Whether no pass has looked at a job since it came into its queue.
    func isUnseen(_ slot: Int32) -> Bool { due != nil && unseen.contains(slot) }
}
