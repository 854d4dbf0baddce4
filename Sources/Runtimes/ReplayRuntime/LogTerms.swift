import Accounts
import ClusterModel
import Emulation
import IndexSets
import JobModel
import Quantities
import Scheduling
import WorkloadFormats

/// What a log tells of its jobs, in the terms of a machine: numbers for names, made once, from which the
/// driver makes each submission when its job arrives.
struct LogTerms: Sendable {
    /// The machine's partitions for each of the log's names of partitions.
    private let partitions: [[Int]]
    private let defaultPartition: Int
    /// Whether a partition gives out whole nodes, and the cores of its largest node.
    private let isWholeNode: [Bool]
    private let coresPerNode: [Int32]
    private let qos: [Int32]
    private let users: [Int32]
    private let accounts: [Int32]
    /// Nodes without the features, for each of the log's constraints.
    private let withoutFeatures: [IDSet?]
    /// Who waits for whom, by place in the log.
    private let dependencies: [Int: [Dependency]]
    private let needsAny: Set<Int>
    /// What of the log is not obeyed, one line each.
    private(set) var notes: [String] = []

    init(
        _ trace: Trace,
        on machine: Machine,
        partitionMap: [String: String]
    ) throws(RecordedCentre.Unknown) {
        var people = PeopleNumbers(machine)
        users = trace.userNames.map { people.user($0) }
        accounts = trace.groupNames.map { people.account($0) }
        let qosNumbers = Dictionary(
            machine.qosInOrder.enumerated().map { ($1.name, Int32($0)) }
        ) { first, _ in first }
        qos = trace.queueNames.map { qosNumbers[$0] ?? 0 }
        var notes: [String] = []
        let strangers = trace.queueNames.filter { qosNumbers[$0] == nil }
        if !strangers.isEmpty {
            notes.append(
                "not on the machine, taken as normal: QOS \(strangers.joined(separator: ", "))"
            )
        }
        partitions = try Self.partitions(trace, machine, partitionMap)
        defaultPartition = machine.defaultPartitionIndex
        isWholeNode = machine.partitions.map { $0.sharing == .wholeNode }
        coresPerNode = machine.partitions.map { partition in
            max(1, partition.nodes.map { machine.nodes[$0].capacity.cores }.max() ?? 1)
        }
        var unreadable: [String] = []
        withoutFeatures = trace.constraintTexts.map { text in
            guard let set = Self.nodes(without: text, machine) else {
                unreadable.append(text)
                return nil
            }
            return set
        }
        if !unreadable.isEmpty {
            notes.append(
                "not obeyed: constraints \(unreadable.prefix(5).joined(separator: ", ")) (features with & or"
                    + " | between are)"
            )
        }
        let inReservations = trace.details.count { $0.isInReservation }
        if inReservations > 0 {
            notes.append(
                "not obeyed: \(inReservations) jobs ran in reservations, which a log does not tell"
            )
        }
        var reader = DependencyReader(trace)
        dependencies = reader.read()
        needsAny = reader.needsAny
        notes += reader.notes
        self.notes = notes
    }

    private static func partitions(
        _ trace: Trace,
        _ machine: Machine,
        _ map: [String: String]
    ) throws(RecordedCentre.Unknown) -> [[Int]] {
        var list: [[Int]] = []
        for (number, text) in trace.partitionNames.enumerated() {
            func unknown(_ name: String) -> RecordedCentre.Unknown {
                let job = trace.jobs.first { $0.partition == Int32(number) }
                return RecordedCentre.Unknown(line: job?.line ?? 0, kind: "partition", name: name)
            }
            var places: [Int] = []
            for word in text.split(separator: ",").map(String.init) {
                let name = map[word] ?? word
                guard let place = machine.partitionIndex(named: name) else { throw unknown(name) }
                places.append(place)
            }
            guard !places.isEmpty else { throw unknown(text) }
            list.append(places)
        }
        return list
    }

    /// The nodes that do not have what `a&b` or `a|b` asks for; nil for another form.
    private static func nodes(without text: String, _ machine: Machine) -> IDSet? {
        let plain = text.filter { $0 != " " }
        let isAny = plain.contains("|")
        guard !(isAny && plain.contains("&")), !plain.contains(where: { "[]*()".contains($0) })
        else {
            return nil
        }
        let wanted = plain.split { $0 == "|" || $0 == "&" || $0 == "," }.map(String.init)
        var set = IDSet()
        for node in machine.nodes.indices {
            let has = machine.nodeType(ofNode: node).features
            let fits =
                isAny ? wanted.contains(where: has.contains) : wanted.allSatisfy(has.contains)
            if !fits { set.insert(node) }
        }
        return set
    }

    // MARK: Submissions

    /// What the job at a place of the log is submitted as.
    func submission(_ trace: Trace, at index: Int) -> JobSubmission {
        let job = trace.jobs[index]
        let detail = trace.details[index]
        let places = job.partition >= 0 ? partitions[Int(job.partition)] : [defaultPartition]
        let first = places[0]
        var submission = JobSubmission(
            id: ReplayDriver.id(index),
            partitions: places,
            request: request(job, detail, first),
            timeLimit: SimDuration(microseconds: job.timeLimit),
            dependencies: dependencies[index] ?? [],
            isRequeuable: true
        )
        submission.needsAnyDependency = needsAny.contains(index)
        if detail.constraint >= 0 {
            submission.excludedNodes = withoutFeatures[Int(detail.constraint)]
        }
        if detail.array > 0, detail.array <= Int64(UInt32.max) {
            submission.array = ArrayMembership(id: JobID(UInt32(detail.array)))
        }
        submission.user = job.user >= 0 ? users[Int(job.user)] : -1
        submission.account = job.group >= 0 ? accounts[Int(job.group)] : -1
        submission.qos = job.queue >= 0 ? qos[Int(job.queue)] : 0
        return submission
    }

    private func request(
        _ job: TraceJob,
        _ detail: TraceDetail,
        _ partition: Int
    ) -> ResourceRequest {
        let cores = max(1, detail.cores)
        let perNode = coresPerNode[partition]
        if isWholeNode[partition] {
            return .wholeNodes(max(1, detail.nodes > 0 ? detail.nodes : (cores - 1) / perNode + 1))
        }
        let nodes = min(detail.nodes, cores)
        guard nodes > 0 else {
            var request = ResourceRequest(chunkCount: cores)
            request.memoryMebibytesPerNode = Int32(clamping: detail.memoryMebibytes)
            request.acceleratorsPerNode = max(0, detail.cards)
            if request.memoryMebibytesPerNode > 0 || request.acceleratorsPerNode > 0 {
                request.nodesMinimum = 1
                request.nodesMaximum = 1
            }
            return request
        }
        let memory = Int32(clamping: (detail.memoryMebibytes + Int64(nodes) - 1) / Int64(nodes))
        let cards = (max(0, detail.cards) + nodes - 1) / nodes
        if cores % nodes == 0 {
            return ResourceRequest(
                chunkCount: nodes,
                coresPerChunk: cores / nodes,
                memoryMebibytesPerChunk: memory,
                acceleratorsPerChunk: cards,
                chunksPerNodeMaximum: 1
            )
        }
        var request = ResourceRequest(chunkCount: cores)
        request.nodesMinimum = nodes
        request.nodesMaximum = nodes
        request.memoryMebibytesPerNode = memory
        request.acceleratorsPerNode = cards
        return request
    }
}

/// Finds the jobs that dependencies name.
private struct DependencyReader {
    private let trace: Trace
    private(set) var needsAny: Set<Int> = []
    private(set) var notes: [String] = []
    private var unreadable = 0
    private var unknown = 0

    /// An array with more elements is not waited for: each of them would be a rule.
    private static let elementMaximum = 10_000

    init(_ trace: Trace) {
        self.trace = trace
    }

    mutating func read() -> [Int: [Dependency]] {
        guard !trace.dependencyTexts.isEmpty else { return [:] }
        var positions: [Int64: Int] = [:]
        var elements: [Int64: [Int]] = [:]
        for (index, job) in trace.jobs.enumerated() {
            positions[job.id] = index
            let array = trace.details[index].array
            if array > 0 { elements[array, default: []].append(index) }
        }
        var found: [Int: [Dependency]] = [:]
        for index in trace.jobs.indices where trace.details[index].dependency >= 0 {
            let text = trace.dependencyTexts[Int(trace.details[index].dependency)]
            let list = rules(text, before: index, positions, elements)
            if !list.isEmpty { found[index] = list }
            if text.contains("?") { needsAny.insert(index) }
        }
        if unreadable > 0 { notes.append("not obeyed: \(unreadable) dependencies of another form") }
        if unknown > 0 {
            notes.append(
                "dependencies on \(unknown) jobs that the log does not have count as fulfilled"
            )
        }
        return found
    }

    private mutating func rules(
        _ text: String,
        before index: Int,
        _ positions: [Int64: Int],
        _ elements: [Int64: [Int]]
    ) -> [Dependency] {
        var rules: [Dependency] = []
        for part in text.split(whereSeparator: { $0 == "," || $0 == "?" }) {
            let words = part.split(separator: ":").map(String.init)
            guard let kind = words.first.flatMap({ Dependency.Kind(slurmName: $0) }) else {
                unreadable += 1
                continue
            }
            if kind == .singleton {
                rules.append(.singleton)
                continue
            }
            for word in words.dropFirst() {
                let sides = word.split(separator: "+").map(String.init)
                guard let id = sides.first.flatMap({ SacctJobID($0) }) else {
                    unreadable += 1
                    continue
                }
                let minutes = sides.count == 2 ? Int64(sides[1]) ?? 0 : 0
                let delay = SimDuration(seconds: min(max(0, minutes), 10_000_000) * 60)
                let whole = id.arrayTask == nil ? elements[id.base] : nil
                let others = whole ?? positions[id.singleNumber].map { [$0] } ?? []
                // Later jobs cannot have been waited for.
                let known = others.filter { $0 < index }
                if known.isEmpty { unknown += 1 }
                guard known.count <= Self.elementMaximum else {
                    unreadable += 1
                    continue
                }
                rules += known.map { Dependency(kind, ReplayDriver.id($0), delay: delay) }
            }
        }
        return rules
    }
}
