import JobModel
import Quantities
import Scheduling

extension ActiveJob {
    /// The record of a job that was submitted just now.
    init(_ submission: JobSubmission, group: Int, at now: SimInstant) {
        self.init(
            key: QueueKey(
                rank: -submission.priority,
                submitted: now.microseconds + (submission.array?.isLast ?? false ? 1 : 0),
                id: submission.id.number
            ),
            request: submission.request,
            limitSeconds: submission.timeLimit.limitSeconds,
            partition: submission.partitions[0],
            group: group,
            isRequeuable: submission.isRequeuable
        )
        user = submission.user
        qos = submission.qos
        priority = submission.priority
        isPriorityFixed = submission.isPriorityFixed
    }

    /// What is told of its start.
    var start: JobStart {
        JobStart(
            id: id,
            partition: Int(partition),
            startedAt: SimInstant(microseconds: startedAt),
            bootDelay: SimDuration(microseconds: heldUp),
            deadline: SimInstant(microseconds: deadline),
            nodesHeld: nodesHeld,
            coresHeld: coresHeld,
            acceleratorsHeld: acceleratorsHeld
        )
    }

    /// What its run amounts to when it ends at `now`.
    func end(_ state: EndState, at now: SimInstant) -> JobEnd {
        let ran = phase == .running
        return JobEnd(
            id: id,
            state: state,
            partition: Int(partition),
            startedAt: ran ? SimInstant(microseconds: startedAt) : nil,
            endedAt: now,
            nodesHeld: ran ? nodesHeld : 0,
            coresHeld: ran ? coresHeld : 0,
            acceleratorsHeld: ran ? acceleratorsHeld : 0
        )
    }
}

extension JobSubmission {
    /// Whether it has anything that few jobs have.
    var isSpecial: Bool {
        partitions.count > 1 || notBefore != nil || hold != nil || !dependencies.isEmpty
            || requiredNodes != nil || excludedNodes != nil || deadline != nil || startsBy != nil
            || reservation != nil || het != nil
    }
}

extension SimDuration {
    /// A time limit as the planner counts it: whole seconds, parts counted whole, at most what
    /// unlimited plans as.
    var limitSeconds: UInt32 {
        let seconds = (min(self, .unlimited).microseconds + 999_999) / 1_000_000
        return UInt32(max(0, seconds))
    }
}
