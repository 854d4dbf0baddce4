import Accounts
import ClusterModel
import Determinism
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

/// Days with everything that can go wrong: nodes fail and come back, partitions close, users hold,
/// release, cancel, change their minds, depend on one another, and run into quotas.
///
/// Invariants checked after every event: counts add up, no node is given twice, every queued job
/// is in a queue, what a job holds is what it was given; in the end nothing is held.
@Suite("Simulation with faults")
struct FaultSimulationTests {
    @Test("Invariants hold after every event", arguments: Seeds.first(150))
    func invariantsHold(seed: UInt64) {
        var day = FaultyDay(seed: seed)
        day.run()
        // Closed partitions, and nodes and cards that are not there together, refuse many.
        #expect(day.accepted > 4, "seed \(seed)")
        #expect(day.sink.endings.count == day.accepted, "seed \(seed)")
        #expect(day.emulator.activeJobCount == 0, "seed \(seed)")
        #expect(day.emulator.runningJobCount == 0, "seed \(seed)")
    }

    @Test("One seed gives one digest", arguments: [3, 77] as [UInt64])
    func digestRepeats(seed: UInt64) {
        var first = FaultyDay(seed: seed)
        var second = FaultyDay(seed: seed)
        first.run()
        second.run()
        #expect(first.emulator.digest == second.emulator.digest, "seed \(seed)")
    }

    @Test("A copy that is fed the same inputs decides the same from any moment on")
    func copiesAgree() {
        var day = FaultyDay(seed: 9)
        day.run(rounds: 40)
        var copy = day
        day.run()
        copy.run()
        #expect(day.emulator.digest == copy.emulator.digest)
    }
}

private struct FaultyDay {
    var emulator: Emulator
    var sink = RecordingSink()
    var random: SplitMix64
    var now = SimInstant.epoch
    var submitted = 0
    var accepted = 0
    private var round = 0
    /// Cancelled jobs whose processes have not ended yet.
    private var stopping: [JobID] = []
    private static let nodeCount = 9
    private static let rounds = 160
    private static let policies: [SchedulingPolicy] = [
        .fcfs, .easy, .easy, SchedulingPolicy(backfill: .easySJBF),
        SchedulingPolicy(backfill: .conservative),
        SchedulingPolicy(backfill: .conservativeCompress), SchedulingPolicy(backfill: .slurm),
        SchedulingPolicy(backfill: .easy, placement: .fewestSwitches),
    ]

    init(seed: UInt64) {
        random = SplitMix64(seed: seed, stream: "faulty day")
        let shared = random.below(2) == 0
        let nodes = (0..<Self.nodeCount).map { index in
            NodeCapacity(
                cores: shared ? Int32(2 + index % 4) : 4,
                memory: ByteCount(mebibytes: 64),
                accelerators: shared ? Int32(index % 2) : 0
            )
        }
        var configuration = EmulatorConfiguration(
            nodes: nodes,
            partitions: [
                PartitionConfiguration(nodes: IDSet(0..<6), isWholeNode: !shared),
                PartitionConfiguration(
                    nodes: IDSet(shared ? 3..<6 : 0..<6),
                    isWholeNode: !shared,
                    maximumNodesPerJob: 4
                ),
                PartitionConfiguration(
                    nodes: IDSet(6..<9),
                    isWholeNode: true,
                    maximumTimeLimit: SimDuration(seconds: 30)
                ),
            ],
            policy: Self.policies[random.draw(0...(Self.policies.count - 1))]
        )
        configuration.sharesCards = shared
        configuration.qos = [.normal, Self.qos(1, 3), Self.qos(2, 4), Self.qos(3, 12)]
        emulator = Emulator(configuration)
    }

    /// A QOS that bounds its running jobs (1), their nodes (2) or their cores (3).
    private static func qos(_ place: Int, _ maximum: Int64?) -> QOS {
        let measures: [LimitKind.Measure] = [.jobs, .tres(.node), .tres(.cpu)]
        var qos = QOS(name: "limit-\(place)")
        qos.limits[LimitKind(.group, measures[place - 1])] = maximum
        return qos
    }

    mutating func run(rounds: Int = FaultyDay.rounds) {
        while round < rounds {
            round += 1
            advance(by: Int64(random.draw(0...6)))
            for _ in 0..<random.below(4) { feed(someInput()) }
            pass()
        }
        if rounds == Self.rounds { finish() }
    }

    /// Lets every job end: all nodes up, all partitions open, nothing held, room for all.
    private mutating func finish() {
        feed(.nodesResumed(IDSet(0..<Self.nodeCount)))
        for partition in 0..<3 { feed(.partitionState(partition, .up)) }
        for place in 1...3 { feed(.changePeople(.qos(place, Self.qos(place, nil)))) }
        for number in 1...max(1, UInt32(submitted)) {
            feed(.release(JobID(number)))
            feed(.changeTimeLimit(JobID(number), SimDuration(seconds: 5)))
        }
        pass()
        for _ in 0..<2_000 where emulator.activeJobCount > 0 {
            advance(by: 1)
            feed(.timer)
            pass()
            guard emulator.runningJobCount == 0 else { continue }
            // What still waits can never run: too many nodes, or a dependency that failed.
            for number in 1...max(1, UInt32(submitted)) { feed(.cancel(JobID(number))) }
        }
    }

    private mutating func advance(by seconds: Int64) {
        let target = now + SimDuration(seconds: seconds)
        while let next = sink.ends.nextInstant, next <= target.microseconds {
            now = SimInstant(microseconds: max(now.microseconds, next))
            feed(.jobEnded(sink.ends.pop(), random.below(5) == 0 ? .failed : .completed))
            pass()
        }
        now = target
    }

    private mutating func feed(_ input: Input) {
        // Refusals are part of the day: unknown jobs, jobs in the wrong phase.
        let isAccepted = (try? emulator.handle(input, at: now, into: &sink)) != nil
        if case .submit = input, isAccepted { accepted += 1 }
        emulator.checkInvariants()
        stopping += sink.stops
        sink.stops = []
        while random.below(2) == 0, let id = stopping.popLast() {
            try? emulator.handle(.jobEnded(id, .cancelled), at: now, into: &sink)
            emulator.checkInvariants()
        }
    }

    private mutating func pass() {
        emulator.schedulingPass(at: now, into: &sink)
        emulator.checkInvariants()
    }

    private mutating func someInput() -> Input {
        let job = JobID(UInt32(random.draw(1...max(1, submitted))))
        let nodes = IDSet([random.draw(0...8), random.draw(0...8)])
        switch random.below(20) {
        case 0: return .nodesDown(nodes)
        case 1: return .nodesDrained(nodes)
        case 2, 3: return .nodesResumed(nodes)
        case 4: return .cancel(job)
        case 5: return .hold(job, random.below(2) == 0 ? .user : .admin)
        case 6, 7: return .release(job)
        case 8: return .changeTimeLimit(job, SimDuration(seconds: Int64(random.draw(1...40))))
        case 9:
            return .changePriority(job, Int64(random.draw(-2...2)), isFixed: random.below(4) == 0)
        case 10: return .requeue(job)
        case 11:
            let states = PartitionState.allCases
            return .partitionState(random.draw(0...2), states[random.draw(0...3)])
        case 12: return .timer
        case 13 where random.below(4) == 0:
            let place = random.draw(1...3)
            return .changePeople(.qos(place, Self.qos(place, Int64(random.draw(1...12)))))
        default: return .submit(someSubmission())
        }
    }

    private mutating func someSubmission() -> JobSubmission {
        submitted += 1
        let id = JobID(UInt32(submitted))
        sink.runTimes[id] = Int64(random.draw(0...25)) * 1_000_000
        var submission = JobSubmission(
            id: id,
            partitions: [random.draw(0...2)],
            request: someRequest(),
            timeLimit: SimDuration(seconds: Int64(random.draw(1...30))),
            isRequeuable: random.below(2) == 0
        )
        submission.user = submission.request.keeper - 1
        if random.below(2) == 0 { submission.qos = Int32(random.draw(1...3)) }
        if random.below(5) == 0 { submission.partitions = [0, 2] }
        if random.below(8) == 0 { submission.partitions = [2, 1, 0] }
        if random.below(5) == 0 { submission.hold = .user }
        if random.below(5) == 0 { submission.notBefore = now + SimDuration(seconds: 9) }
        if random.below(4) == 0 && submitted > 1 {
            let kinds: [Dependency.Kind] = [.after, .afterAny, .afterOK, .afterNotOK]
            let other = JobID(UInt32(random.draw(1...(submitted - 1))))
            submission.dependencies = [Dependency(kinds[random.draw(0...3)], other)]
        }
        if random.below(6) == 0 { submission.excludedNodes = IDSet([random.draw(0...8)]) }
        if random.below(8) == 0 { submission.requiredNodes = IDSet([random.draw(0...8)]) }
        return submission
    }

    private mutating func someRequest() -> ResourceRequest {
        var request: ResourceRequest
        switch random.below(6) {
        case 0, 1: request = .wholeNodes(Int32(random.draw(1...3)))
        case 2: request = ResourceRequest(chunkCount: Int32(random.draw(1...5)))
        case 3:
            request = ResourceRequest(chunkCount: Int32(random.draw(3...6)))
            request.nodesMinimum = Int32(random.draw(1...3))
            request.nodesMaximum = request.nodesMinimum + Int32(random.below(2))
        case 4:
            request = ResourceRequest(chunkCount: 1, chunksPerNodeMaximum: 1)
            request.extraChunks = Int32(random.draw(0...3))
        default:
            request = ResourceRequest(
                chunkCount: 1,
                acceleratorsPerChunk: 1,
                acceleratorShare: Int32(random.draw(1...4)) * 250
            )
        }
        if random.below(8) == 0 { request.keeper = Int32(random.draw(1...2)) }
        return request
    }
}
