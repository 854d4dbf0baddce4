import JobModel
public import Quantities

// Who must make way so that a job can be placed now.
//
// Source: Slurm 22.05, `src/plugins/select/cons_tres/job_test.c`, `_run_now`.

extension SchedulingGroup {
    /// The jobs of the common queue from the first on, as long as they are wanted.
    public func firstQueued(while isWanted: (Int32) -> Bool) -> [Int32] {
        var slots: [Int32] = []
        var cursor = queue.first()
        while let current = cursor, isWanted(queue.slot(at: current)) {
            slots.append(queue.slot(at: current))
            cursor = queue.entry(after: current)
        }
        return slots
    }

    /// The slots of the running jobs, by their expected ends.
    public var runningSlots: [Int32] {
        var slots: [Int32] = []
        ends.forEach { entry in
            slots.append(entry.slot)
            return true
        }
        return slots
    }

    /// A running job that may have to make way.
    public struct Candidate: Hashable, Sendable {
        /// Its slot.
        public var slot: Int32
        /// Whether it is suspended then, and lends only its cores.
        public var isSuspended: Bool

        /// Makes a candidate.
        public init(slot: Int32, isSuspended: Bool) {
            self.slot = slot
            self.isSuspended = isSuspended
        }
    }

    /// The running jobs that must make way so that a queued job can be placed now.
    ///
    /// One candidate after the other is thought away until the job can be placed. Those that hold none
    /// of the nodes that it gets then may stay; and once more, with those first that hold most of
    /// these nodes, since fewer may do.
    ///
    /// - Parameters:
    ///   - candidates: who may be made to stop, in the order in which they are.
    ///   - leaving: running jobs that stop anyway.
    ///   - partition: the only one in which the job is to be placed; nil for any.
    /// - Returns: empty when those that are leaving suffice; nil when nothing does.
    public func victims(
        for slot: Int32,
        among candidates: [Candidate],
        leaving: [Int32],
        inPartition partition: Int?,
        _ jobs: ActiveJobs,
        at now: SimInstant
    ) -> [Candidate]? {
        var group = self
        for other in leaving { group.takeBack(other, jobs) }
        let stillFree = group.placeLent(slot, partition, jobs, now)
        if stillFree != nil { return [] }
        guard let first = group.fewest(candidates, for: slot, partition, jobs, now) else {
            return nil
        }
        guard first.victims.count > 1 else { return first.victims }
        let overlap = candidates.map { other in
            segments(of: other.slot, jobs).filter { first.nodes.contains($0.node) }.count
        }
        let order = candidates.indices.sorted { (-overlap[$0], $0) < (-overlap[$1], $1) }
        let again = group.fewest(order.map { candidates[$0] }, for: slot, partition, jobs, now)
        guard let again, again.victims.count < first.victims.count else { return first.victims }
        return again.victims
    }

    /// The first candidates that make room, without those whose nodes are not needed.
    private func fewest(
        _ candidates: [Candidate],
        for slot: Int32,
        _ partition: Int?,
        _ jobs: ActiveJobs,
        _ now: SimInstant
    ) -> (victims: [Candidate], nodes: Set<Int32>)? {
        func place(without count: Int) -> Placed? {
            var group = self
            for other in candidates.prefix(count) {
                if other.isSuspended {
                    group.vacate(other.slot, jobs)
                } else {
                    group.takeBack(other.slot, jobs)
                }
            }
            return group.placeLent(slot, partition, jobs, now)
        }
        // More that are gone never leave less room.
        guard var best = place(without: candidates.count) else { return nil }
        var (low, high) = (0, candidates.count)
        while low + 1 < high {
            let middle = (low + high) / 2
            if let placed = place(without: middle) {
                (best, high) = (placed, middle)
            } else {
                low = middle
            }
        }
        let nodes = Set(best.segments.map(\.node))
        let victims = candidates.prefix(high).filter { other in
            segments(of: other.slot, jobs).contains { nodes.contains($0.node) }
        }
        return (victims, nodes)
    }

    /// Takes the nodes of a running job back in a copy that is only asked.
    private mutating func takeBack(_ slot: Int32, _ jobs: ActiveJobs) {
        if isInLoan(slot) {
            takeBackLent(slot, jobs)
        } else if nodes.isUniform {
            nodes.release(listFrom: jobs[slot].firstNode)
        } else {
            nodes.release(jobs.segments[Int(slot)], of: jobs[slot].request)
        }
    }

    private mutating func placeLent(
        _ slot: Int32,
        _ partition: Int?,
        _ jobs: ActiveJobs,
        _ now: SimInstant
    ) -> Placed? {
        look(for: slot, jobs, at: now.microseconds)
        prepareNodes()
        return placeNow(
            slot,
            jobs,
            at: now.microseconds,
            isLeast: true,
            inPartition: partition
        )
    }
}
