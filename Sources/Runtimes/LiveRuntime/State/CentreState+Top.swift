import Emulation
import JobModel
import Quantities
import SlurmDialect
import WireFormats

extension CentreState {
    /// Puts a pending job before all others of the same user, partition, account and QOS, at the cost of
    /// these alone: none of them gets a higher priority than the first of them had.
    ///
    /// Source: Slurm 22.05, scontrol(1), `top`.
    mutating func top(_ id: UInt32, at instant: SimInstant) -> Refusal? {
        guard let entry = jobs[id] else { return Refusal(.invalidJobID) }
        guard !entry.hasEnded else { return Refusal(.alreadyDone) }
        guard entry.status.phase == .pending else { return Refusal(.notPending) }
        var group: [JobEntry] = []
        jobs.forEach { if isAlike($0, entry) { group.append($0) } }
        // As they stand in the queue: by priority, then by number.
        group.sort { (priority(of: $1), $0.id) < (priority(of: $0), $1.id) }
        let priorities = group.map(priority)
        let order = [entry] + group.filter { $0.id != id }
        var last: Int64?
        for (priority, entry) in zip(priorities, order) {
            let new = last.map { min(priority, $0 - 1) } ?? priority
            last = new
            if let refusal = setPriority(of: entry, to: new, at: instant) { return refusal }
        }
        return nil
    }

    private func priority(of entry: JobEntry) -> Int64 {
        emulator.priority(of: JobID(entry.id))
            ?? JobStatus.usualPriority + entry.status.priority
    }

    private func isAlike(_ one: JobEntry, _ other: JobEntry) -> Bool {
        one.status.phase == .pending && one.status.partitions == other.status.partitions
            && one.specification.account == other.specification.account
            && one.specification.request.userID == other.specification.request.userID
            && one.specification.request.qos == other.specification.request.qos
    }

    private mutating func setPriority(
        of entry: JobEntry,
        to priority: Int64,
        at instant: SimInstant
    ) -> Refusal? {
        let difference = priority - self.priority(of: entry)
        guard difference != 0 else { return nil }
        let new = entry.status.priority + difference
        let input = Input.changePriority(
            JobID(entry.id),
            new,
            isFixed: entry.status.isPriorityFixed
        )
        if let rejection = send(input, at: instant) { return Refusal(rejection) }
        let kind = entry.status.isPriorityFixed ? "fixed_priority" : "priority"
        note(RecordedAction(kind, at: instant, value: new), of: entry.id)
        jobs.update(entry.id) { status in
            status.priority = new
            status.nice = Int32(clamping: Int64(status.nice) - difference)
        }
        return nil
    }
}
