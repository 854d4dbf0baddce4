import Accounts
public import ClusterModel
import Emulation
import IndexSets
import JobModel
import Quantities
import Scheduling
import WireFormats
public import WorkloadFormats

/// A log that tells of each job what decided about it, in the terms of a machine: what a live centre
/// exported, to be decided again.
public struct RecordedCentre: Sendable {
    /// What each job of the trace is submitted as, where that was recorded whole.
    private var submissions: [JobSubmission] = []
    /// What makes it of what a log tells; nil where it was recorded whole.
    private var terms: LogTerms?
    /// How long each runs, whatever its limit. Unit: µs.
    var lengths: [Int64] = []
    /// How each ends.
    var states: [EndState] = []
    /// What was done to jobs, in order: by people, and after the pass of an instant by the rule that a
    /// dependency which cannot be fulfilled ends the job. Unit: µs since the epoch.
    var actions: [(instant: Int64, isLate: Bool, input: Input)] = []

    /// What a log names that the machine does not have.
    public struct Unknown: Error, Hashable, Sendable {
        /// The line of the log.
        public var line: Int32
        /// What it is: `partition`, `QOS`, `licence`, `node`, `dependency`, `component`, `action`, `state`.
        public var kind: String
        /// What stands there.
        public var name: String
    }

    /// What of the log is not obeyed, one line each.
    public var notes: [String] { terms?.notes ?? [] }

    /// Puts what a log tells of its jobs into the terms of a machine: partitions, accounts, QOS, features,
    /// dependencies, arrays, and when who waited was cancelled.
    ///
    /// - Parameter partitionMap: other names for partitions of the log.
    /// - Throws: the first name of a partition that the machine does not have.
    /// - Precondition: the trace has details.
    public init(
        details trace: Trace,
        on machine: Machine,
        partitionMap: [String: String] = [:]
    ) throws(Unknown) {
        precondition(trace.details.count == trace.jobs.count)
        terms = try LogTerms(trace, on: machine, partitionMap: partitionMap)
        let origin = trace.unixStartTime * 1_000_000
        for (index, detail) in trace.details.enumerated() where detail.cancelledAt >= 0 {
            actions.append((detail.cancelledAt + origin, false, .cancel(ReplayDriver.id(index))))
        }
        actions = actions.enumerated()
            .sorted { ($0.element.instant, $0.offset) < ($1.element.instant, $1.offset) }
            .map(\.element)
    }

    /// What the job at a place of the trace is submitted as.
    func submission(_ trace: Trace, at index: Int) -> JobSubmission {
        terms?.submission(trace, at: index) ?? submissions[index]
    }

    /// Puts the records of a trace into the terms of a machine.
    ///
    /// - Throws: the first name that the machine does not have.
    public init(_ trace: Trace, on machine: Machine) throws(Unknown) {
        var reader = RecordReader(machine, ids: trace.records.map(\.id))
        submissions.reserveCapacity(trace.records.count)
        for (index, record) in trace.records.enumerated() {
            reader.line = trace.jobs[index].line
            submissions.append(try reader.submission(record, at: index))
            lengths.append(trace.jobs[index].runTime)
            states.append(try reader.state(record))
            for action in record.actions {
                actions.append(
                    (
                        action.instant.microseconds, action.kind == RecordedAction.endOnInvalid,
                        try reader.input(action, record, at: index)
                    )
                )
            }
        }
        // The order of one instant is that of the jobs' numbers.
        actions = actions.enumerated()
            .sorted { left, right in
                let (one, other) = (left.element, right.element)
                return (one.instant, one.isLate ? 1 : 0, left.offset)
                    < (other.instant, other.isLate ? 1 : 0, right.offset)
            }
            .map(\.element)
    }
}

/// Turns names into numbers.
private struct RecordReader {
    let machine: Machine
    var people: PeopleNumbers
    let qos: [String: Int32]
    let nodes: [String: Int]
    /// The numbers of the log's jobs, rising.
    let ids: [UInt32]
    var line: Int32 = 0

    init(_ machine: Machine, ids: [UInt32]) {
        self.machine = machine
        self.ids = ids
        people = PeopleNumbers(machine)
        let names = machine.qosInOrder.enumerated().map { ($1.name, Int32($0)) }
        qos = Dictionary(names) { first, _ in first }
        nodes = machine.nodeIndices()
    }

    func unknown(_ kind: String, _ name: String) -> RecordedCentre.Unknown {
        RecordedCentre.Unknown(line: line, kind: kind, name: name)
    }

    mutating func submission(
        _ record: RecordedJob,
        at index: Int
    ) throws(RecordedCentre.Unknown) -> JobSubmission {
        var partitions: [Int] = []
        for name in record.partitions {
            guard let place = machine.partitionIndex(named: name) else {
                throw unknown("partition", name)
            }
            partitions.append(place)
        }
        guard !partitions.isEmpty else { throw unknown("partition", "") }
        let user = people.user(record.user)
        var submission = JobSubmission(
            id: ReplayDriver.id(index),
            partitions: partitions,
            request: try request(record.request, user),
            timeLimit: record.timeLimit,
            priority: Self.priority(record.priority),
            array: record.array.map {
                ArrayMembership(
                    id: JobID($0),
                    maximum: record.arrayMaximum,
                    isLast: record.isArrayLast == true
                )
            },
            notBefore: record.begin,
            hold: record.hold.map { $0 == "admin" ? .admin : .user },
            requiredNodes: try nodeSet(record.requiredNodes),
            excludedNodes: try nodeSet(record.excludedNodes),
            isRequeuable: record.isRequeuable
        )
        submission.isAwaited = record.isAwaited
        submission.het = try membership(record, at: index)
        if let required = submission.requiredNodes {
            submission.request.require(nodes: Int32(required.count))
        }
        submission.licenses = try licenses(record.licenses)
        submission.deadline = record.deadline
        submission.startsBy = record.startsBy
        submission.isPriorityFixed = record.isPriorityFixed
        submission.user = user
        submission.account = people.account(record.account)
        submission.name = record.name
        submission.needsAnyDependency = record.needsAnyDependency
        // A tariff may price a QOS that nothing else is said of.
        submission.qos = qos[record.qos] ?? 0
        for dependency in record.dependencies {
            submission.dependencies.append(try self.dependency(dependency))
        }
        return submission
    }

    /// The heterogeneous job of a component, whose others stand around it in the log.
    private func membership(
        _ record: RecordedJob,
        at index: Int
    ) throws(RecordedCentre.Unknown) -> HetMembership? {
        guard let leader = record.hetJob else { return nil }
        let (offset, size) = (Int(record.hetOffset), Int(record.hetSize))
        let first = index - offset
        guard (2...HetMembership.countMaximum).contains(size), (0..<size).contains(offset),
            first >= 0, first + size <= ids.count, ids[first] == leader,
            ids[first + size - 1] - leader == UInt32(size - 1)
        else { throw unknown("component", "\(leader)+\(record.hetOffset)") }
        return HetMembership(
            leader: ReplayDriver.id(first),
            offset: record.hetOffset,
            count: record.hetSize
        )
    }

    /// A priority as Slurm has them, or the difference of two.
    private static func priority(_ value: Int64) -> Int64 {
        min(max(value, -(1 << 33)), 1 << 33)
    }

    private func request(
        _ record: RecordedRequest,
        _ user: Int32
    ) throws(RecordedCentre.Unknown) -> ResourceRequest {
        let isShare = record.cardShare < 1_000
        let counts = [record.chunks, record.cores, record.chunksPerNode ?? 1]
        let amounts = [record.memory, record.cards, record.nodeMemory, record.nodeCards]
        guard counts.allSatisfy({ $0 >= 1 }), amounts.allSatisfy({ $0 >= 0 }),
            (1...1_000).contains(record.cardShare),
            !isShare || record.chunks == 1 && record.cards == 1, record.nodesMinimum >= 0
        else { throw unknown("request", "") }
        var request = ResourceRequest(
            chunkCount: record.chunks,
            coresPerChunk: record.cores,
            memoryMebibytesPerChunk: record.memory,
            acceleratorsPerChunk: record.cards,
            acceleratorShare: record.cardShare,
            chunksPerNodeMaximum: record.chunksPerNode ?? .max,
            isExclusive: record.isExclusive
        )
        request.extraChunks = max(0, (record.chunksMaximum ?? record.chunks) &- record.chunks)
        request.nodesMinimum = record.nodesMinimum
        request.nodesMaximum = max(record.nodesMinimum, record.nodesMaximum ?? .max)
        request.memoryMebibytesPerNode = record.nodeMemory
        request.acceleratorsPerNode = record.nodeCards
        if record.keepsNodes { request.keeper = NodeKeeper.key(ofUser: user) }
        return request
    }

    private func nodeSet(_ list: String?) throws(RecordedCentre.Unknown) -> IDSet? {
        guard let list else { return nil }
        guard let names = try? HostList.expand(list) else { throw unknown("node", list) }
        var set = IDSet()
        for name in names {
            guard let index = nodes[name] else { throw unknown("node", name) }
            set.insert(index)
        }
        return set
    }

    private func licenses(
        _ text: String?
    ) throws(RecordedCentre.Unknown) -> [LicenseNeed] {
        guard let text else { return [] }
        guard let list = LicenseList.read(text) else { throw unknown("licence", text) }
        var needs: [LicenseNeed] = []
        for (name, count) in list {
            guard let place = machine.licenses.firstIndex(where: { $0.name == name }) else {
                throw unknown("licence", name)
            }
            needs.append(LicenseNeed(license: Int32(place), count: count))
        }
        return needs
    }

    private func dependency(
        _ record: RecordedDependency
    ) throws(RecordedCentre.Unknown) -> Dependency {
        guard let kind = Dependency.Kind(slurmName: record.kind) else {
            throw unknown("dependency", record.kind)
        }
        if kind == .singleton { return .singleton }
        // Jobs that the log does not have count as those that nobody knows any more.
        let first = lowerBound(record.first)
        let last = record.last == .max ? ids.count : lowerBound(record.last + 1)
        guard first < last else { return .unknown(kind) }
        let range = ReplayDriver.id(first).number...ReplayDriver.id(last - 1).number
        return Dependency(kind, range, delay: record.delay)
    }

    private func lowerBound(_ id: UInt32) -> Int {
        var (low, high) = (0, ids.count)
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func state(_ record: RecordedJob) throws(RecordedCentre.Unknown) -> EndState {
        guard let state = EndState.allCases.first(where: { $0.slurmName == record.state }) else {
            return .completed
        }
        // How it was cut short is decided again; how it would have ended by itself nobody knows.
        switch state {
        case .completed, .failed, .timeout, .outOfMemory: return state
        case .cancelled, .nodeFail, .preempted, .deadline: return .completed
        }
    }

    mutating func input(
        _ action: RecordedAction,
        _ record: RecordedJob,
        at index: Int
    ) throws(RecordedCentre.Unknown) -> Input {
        let id = ReplayDriver.id(index)
        let value = action.value ?? 0
        switch action.kind {
        case "cancel", RecordedAction.endOnInvalid: return .cancel(id)
        case "hold": return .hold(id, .user)
        case "hold_admin": return .hold(id, .admin)
        case "release": return .release(id)
        case "requeue": return .requeue(id)
        case "suspend": return .suspend(id)
        case "resume": return .resume(id)
        case "name": return .changeName(id, action.text ?? "")
        case "requeuable": return .changeRequeuable(id, value != 0)
        case "limit": return .changeTimeLimit(id, SimDuration(microseconds: max(0, value)))
        case "priority": return .changePriority(id, Self.priority(value), isFixed: false)
        case "fixed_priority": return .changePriority(id, Self.priority(value), isFixed: true)
        case "array_limit":
            return .setArrayLimit(
                JobID(record.array ?? record.id),
                value == 0 ? nil : Int32(clamping: value)
            )
        case "request" where action.job.count == 1:
            return .changeRequest(try submission(action.job[0], at: index))
        default: throw unknown("action", action.kind)
        }
    }
}
