import ClusterModel
import Emulation
import IndexSets
import JobModel
import Quantities
import WireFormats

// What decided about a job, for `sacct`'s column Replay: a replay of such an export on the same
// machine and under the same policy takes the same decisions.

extension CentreState {
    /// Notes what somebody did to a job.
    mutating func note(_ action: RecordedAction, of id: UInt32) {
        jobs.update(id) { $0.actions.append(action) }
    }

    /// Notes it unless it was refused, and hands the refusal on.
    mutating func note(
        _ kind: String,
        of id: UInt32,
        ifAccepted rejection: InputRejection?,
        at instant: SimInstant
    ) -> Refusal? {
        if let rejection { return Refusal(rejection) }
        note(RecordedAction(kind, at: instant), of: id)
        return nil
    }

    /// The record of a job.
    func replay(of entry: JobEntry) -> RecordedJob {
        let specification = entry.specification
        var submission = specification.submission
        submission.dependencies = entry.status.submittedDependencies
        var record = recorded(submission, of: entry, for: specification.submittedTo)
        let status = entry.status
        record.actions = status.actions
        if case .ended(let state) = status.phase {
            record.state = state.slurmName
            if let start = status.startedAt, let end = status.endedAt, !isCutShort(state) {
                record.runTime = status.runTime(from: start, to: end)
            }
        }
        return record
    }

    private func isCutShort(_ state: EndState) -> Bool {
        switch state {
        case .completed, .failed, .timeout, .outOfMemory: false
        case .cancelled, .nodeFail, .preempted, .deadline: true
        }
    }

    /// A submission in names.
    func recorded(
        _ submission: JobSubmission,
        of entry: JobEntry,
        for party: Party
    ) -> RecordedJob {
        let specification = entry.specification
        var record = RecordedJob()
        record.id = entry.id
        record.submit = specification.submittedAt
        record.partitions = submission.partitions.map { rules.machine.partitions[$0].name }
        record.request = RecordedRequest(submission.request)
        record.timeLimit = submission.timeLimit
        record.priority = submission.priority
        record.isPriorityFixed = submission.isPriorityFixed
        record.user = specification.request.user
        record.account = party.account
        record.qos = party.qos
        record.array = specification.array?.job
        let isLast = specification.array.map { $0.isNumberedLate && $0.job == entry.id } == true
        record.isArrayLast = isLast ? true : nil
        record.hetJob = submission.het?.leader.number
        record.hetOffset = submission.het?.offset ?? 0
        record.hetSize = submission.het?.count ?? 0
        record.arrayMaximum = specification.array?.limit.map { Int32(clamping: $0) }
        record.licenses =
            submission.licenses.isEmpty
            ? nil
            : LicenseList.text(
                submission.licenses.map {
                    (rules.machine.licenses[Int($0.license)].name, $0.count)
                }
            )
        record.begin = submission.notBefore
        record.deadline = submission.deadline
        record.startsBy = submission.startsBy
        record.hold = submission.hold.map { $0 == .admin ? "admin" : "user" }
        record.dependencies = submission.dependencies.map { dependency in
            var text = RecordedDependency()
            text.kind = dependency.kind.slurmName
            text.first = dependency.jobs.lowerBound
            text.last = dependency.jobs.upperBound
            text.delay = dependency.delay
            return text
        }
        record.needsAnyDependency = submission.needsAnyDependency
        record.name = submission.name
        record.requiredNodes = submission.requiredNodes.map { rules.machine.hostList(of: $0) }
        record.excludedNodes = submission.excludedNodes.map { rules.machine.hostList(of: $0) }
        record.isRequeuable = submission.isRequeuable
        record.isAwaited = submission.isAwaited
        record.runTime = specification.runTime
        return record
    }
}

extension RecordedRequest {
    /// A request as it is recorded.
    init(_ request: ResourceRequest) {
        self.init()
        chunks = request.chunkCount
        chunksMaximum = request.isElastic ? request.chunkCountMaximum : nil
        nodesMinimum = request.nodesMinimum
        nodesMaximum = request.nodesMaximum == .max ? nil : request.nodesMaximum
        cores = request.coresPerChunk
        memory = request.memoryMebibytesPerChunk
        cards = request.acceleratorsPerChunk
        cardShare = request.acceleratorShare
        nodeMemory = request.memoryMebibytesPerNode
        nodeCards = request.acceleratorsPerNode
        chunksPerNode =
            request.chunksPerNodeMaximum == .max ? nil : request.chunksPerNodeMaximum
        isExclusive = request.isExclusive
        keepsNodes = request.keeper != NodeKeeper.none
    }
}
