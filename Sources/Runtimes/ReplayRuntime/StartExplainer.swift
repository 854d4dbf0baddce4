public import Emulation
public import JobModel
public import Quantities
public import Scheduling

/// Why one job of a replay started when it did.
///
/// An observer of the one engine: it is asked after the events of every instant and notes what the
/// scheduling pass went by. Jobs are positions in the trace, times are µs of trace time.
public struct StartExplanation: Sendable {
    /// Why it did not start at an instant.
    public enum Reason: Hashable, Sendable {
        /// What the pass went by; slots are positions in the trace.
        case obstacle(Obstacle)
        /// It was not in a queue: a limit, a hold, a dependency.
        case aside(PendingReason)
    }

    /// Instants in a row at which it was considered and did not start for one reason.
    public struct Stretch: Sendable {
        /// The reason, with the most that was free or the numbers of the last of them.
        public var reason: Reason
        /// The first instant.
        public var first: Int64
        /// The last instant.
        public var last: Int64
        /// How many there were.
        public var count: Int
    }

    /// The job.
    public var job: Int
    /// The nodes (cores where nodes are shared) that it needs.
    public var needed: Int32 = 0
    /// Who waited before it after the pass at its arrival: the first few, and how many.
    public var aheadAtArrival: (jobs: [Int], count: Int) = ([], 0)
    /// Who waited before it after the pass that started it: those it overtook.
    public var overtaken: (jobs: [Int], count: Int) = ([], 0)
    /// Why it waited, in order of time.
    public var stretches: [Stretch] = []
    /// When so much was free for the first time that it could have started, had it been first.
    public var earliest: Int64?
    /// The first reservation that it had as the head of the queue or in a plan.
    public var firstPromise: Int64?
    /// When it started; nil as long as it has not.
    public var started: Int64?
    /// At its start, the reservation of the job that was first in the queue then.
    public var headAtStart: (job: Int, promise: Int64?)?

    /// The most jobs that are listed by name.
    public static let listed = 5
}

/// Watches a replay for one job.
public struct StartExplainer {
    /// What has been found so far.
    public private(set) var explanation: StartExplanation
    private let id: JobID
    private let origin: Int64
    private var hasArrived = false

    /// Makes an observer.
    ///
    /// - Parameters:
    ///   - job: the job's position in the trace.
    ///   - unixStartTime: where trace time begins. Unit: s since the epoch.
    public init(job: Int, unixStartTime: Int64) {
        explanation = StartExplanation(job: job)
        id = JobID(UInt32(job + 1))
        origin = unixStartTime * 1_000_000
    }

    /// Looks at the emulator after the pass of an instant.
    public mutating func observe(_ emulator: Emulator, _ now: SimInstant) {
        guard explanation.started == nil, let phase = emulator.phase(of: id) else { return }
        let time = now.microseconds - origin
        if let room = emulator.room(for: id, at: now) {
            explanation.needed = room.needed
            if explanation.earliest == nil, room.free >= room.needed { explanation.earliest = time }
        }
        if !hasArrived {
            hasArrived = true
            explanation.aheadAtArrival = jobsAhead(emulator)
        }
        guard phase != .running else {
            explanation.started = time
            explanation.overtaken = jobsAhead(emulator)
            noteHead(emulator, now)
            return
        }
        if let obstacle = emulator.obstacle(to: id, at: now) {
            note(.obstacle(inTraceTerms(obstacle, emulator)), at: time)
        } else {
            note(.aside(emulator.pendingReason(of: id) ?? .none), at: time)
        }
    }

    private func jobsAhead(_ emulator: Emulator) -> (jobs: [Int], count: Int) {
        let ahead = emulator.jobsAhead(of: id, most: StartExplanation.listed)
        return (ahead.ids.map(position), ahead.count)
    }

    private mutating func noteHead(_ emulator: Emulator, _ now: SimInstant) {
        guard let head = emulator.jobsAhead(of: id, most: 1).ids.first else { return }
        var promise: Int64?
        if case .firstAndNoRoom(_, let instant?)? = emulator.obstacle(to: head, at: now) {
            promise = instant - origin
        }
        explanation.headAtStart = (position(head), promise)
    }

    private mutating func note(_ reason: StartExplanation.Reason, at time: Int64) {
        if explanation.firstPromise == nil { explanation.firstPromise = promise(reason) }
        if let last = explanation.stretches.indices.last,
            isSameKind(explanation.stretches[last].reason, reason)
        {
            explanation.stretches[last].reason = joined(explanation.stretches[last].reason, reason)
            explanation.stretches[last].last = time
            explanation.stretches[last].count += 1
        } else {
            explanation.stretches.append(
                StartExplanation.Stretch(reason: reason, first: time, last: time, count: 1)
            )
        }
    }

    /// What is told of a stretch that goes on: the most that was free, else the newest numbers.
    private func joined(
        _ old: StartExplanation.Reason,
        _ new: StartExplanation.Reason
    ) -> StartExplanation.Reason {
        guard case .obstacle(.noRoom(let before)) = old, case .obstacle(.noRoom(let now)) = new
        else { return new }
        return .obstacle(.noRoom(free: max(before, now)))
    }

    private func promise(_ reason: StartExplanation.Reason) -> Int64? {
        switch reason {
        case .obstacle(.firstAndNoRoom(_, let instant)): instant
        case .obstacle(.plannedFor(let instant)): instant
        default: nil
        }
    }

    /// Whether two reasons are told in one line: only numbers that change all the time differ.
    private func isSameKind(
        _ left: StartExplanation.Reason,
        _ right: StartExplanation.Reason
    ) -> Bool {
        switch (left, right) {
        case (.obstacle(.noRoom), .obstacle(.noRoom)),
            (.obstacle(.firstAndNoRoom), .obstacle(.firstAndNoRoom)),
            (.obstacle(.keptForOthers), .obstacle(.keptForOthers)),
            (.obstacle(.waitsForRepairs), .obstacle(.waitsForRepairs)):
            true
        case (
            .obstacle(.behindBlockedHead(let one, _, _)),
            .obstacle(.behindBlockedHead(let other, _, _))
        ): one == other
        case (
            .obstacle(.wouldDelayHead(let one, let before, _)),
            .obstacle(.wouldDelayHead(let other, let after, _))
        ): one == other && before == after
        default: left == right
        }
    }

    /// Slots to positions in the trace, instants to trace time.
    private func inTraceTerms(_ obstacle: Obstacle, _ emulator: Emulator) -> Obstacle {
        func job(_ slot: Int32) -> Int32 { Int32(position(emulator.job(inSlot: slot))) }
        return switch obstacle {
        case .firstAndNoRoom(let free, let promise):
            .firstAndNoRoom(free: free, promise: promise.map { $0 - origin })
        case .behindBlockedHead(let head, let headNodes, let free):
            .behindBlockedHead(head: job(head), headNodes: headNodes, free: free)
        case .wouldDelayHead(let head, let shadow, let extra):
            .wouldDelayHead(head: job(head), shadow: shadow - origin, extra: extra)
        case .plannedFor(let instant): .plannedFor(instant - origin)
        case .noPlaceOnSharedNodes(let head): .noPlaceOnSharedNodes(head: job(head))
        case .noRoom, .waitsForRepairs, .keptForOthers, .notChosen: obstacle
        }
    }

    private func position(_ id: JobID) -> Int { Int(id.number) - 1 }
}
