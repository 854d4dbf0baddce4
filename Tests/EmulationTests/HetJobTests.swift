import Accounts
import ClusterModel
import Determinism
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

@testable import Emulation

/// Components that start at one instant or not at all.
@Suite("Heterogeneous jobs")
struct HetJobTests {
    private var emulator = Emulator(.uniform(nodeCount: 1, policy: .easy))
    private var sink = RecordingSink()

    /// Partitions 0 and 1 share nodes 0 to 3, partition 2 has 4 to 7.
    private mutating func open(
        policy: SchedulingPolicy = .easy,
        _ change: (inout EmulatorConfiguration) -> Void = { _ in }
    ) {
        var configuration = EmulatorConfiguration(
            nodes: Array(repeating: NodeCapacity(cores: 4), count: 8),
            partitions: [IDSet(0..<4), IDSet(0..<4), IDSet(4..<8)].map {
                PartitionConfiguration(nodes: $0, isWholeNode: true)
            },
            policy: policy
        )
        change(&configuration)
        emulator = Emulator(configuration)
        sink = RecordingSink()
    }

    private func at(_ seconds: Int64) -> SimInstant { SimInstant(seconds: seconds) }

    private mutating func submit(
        _ number: UInt32,
        nodes: Int32,
        _ partition: Int,
        limit: Int64 = 100,
        at second: Int64
    ) throws {
        let job = JobSubmission(
            id: JobID(number),
            partitions: [partition],
            request: .wholeNodes(nodes),
            timeLimit: SimDuration(seconds: limit),
            isRequeuable: true
        )
        try emulator.handle(.submit(job), at: at(second), into: &sink)
        pass(at: second)
    }

    private mutating func submitHet(
        _ leader: UInt32,
        _ parts: [(nodes: Int32, partition: Int)],
        limit: Int64 = 100,
        at second: Int64,
        _ change: (inout JobSubmission) -> Void = { _ in }
    ) throws {
        for (offset, part) in parts.enumerated() {
            var job = JobSubmission(
                id: JobID(leader + UInt32(offset)),
                partitions: [part.partition],
                request: .wholeNodes(part.nodes),
                timeLimit: SimDuration(seconds: limit),
                isRequeuable: true
            )
            job.het = HetMembership(
                leader: JobID(leader),
                offset: Int32(offset),
                count: Int32(parts.count)
            )
            change(&job)
            try emulator.handle(.submit(job), at: at(second), into: &sink)
        }
        pass(at: second)
    }

    private mutating func pass(at second: Int64) {
        emulator.schedulingPass(at: at(second), into: &sink)
        emulator.checkInvariants()
    }

    private mutating func end(_ number: UInt32, at second: Int64) throws {
        try emulator.handle(.jobEnded(JobID(number), .completed), at: at(second), into: &sink)
        pass(at: second)
    }

    private func start(_ number: UInt32) -> SimInstant? { sink.starts[JobID(number)] }

    @Test("Components start at one instant, in partitions that share no nodes")
    mutating func atOnce() throws {
        open()
        try submit(1, nodes: 3, 2, at: 0)
        try submitHet(2, [(2, 0), (2, 2)], at: 10)
        #expect(start(2) == nil && start(3) == nil)
        #expect(emulator.pendingReason(of: JobID(2)) == .resources)
        try end(1, at: 50)
        #expect(start(2) == at(50) && start(3) == at(50))
        // The first runs the script: when it ends so do the others.
        try end(2, at: 60)
        #expect(sink.endings[JobID(3)]?.endedAt == at(60))
        #expect(emulator.idleNodeCount == 8)
    }

    @Test("Components of one partition are placed beside one another")
    mutating func onePartition() throws {
        open()
        try submitHet(1, [(2, 0), (2, 1)], at: 0)
        #expect(start(1) == at(0) && start(2) == at(0))
        try submitHet(3, [(3, 0), (2, 1)], at: 1)
        // Five of four nodes: never, and nobody is kept from starting by it.
        try end(1, at: 5)
        try submit(5, nodes: 4, 0, at: 6)
        #expect(start(3) == nil && start(5) == at(6))
    }

    @Test("Nodes are kept for the first from the earliest instant at which all have room")
    mutating func kept() throws {
        open()
        try submit(1, nodes: 3, 0, limit: 60, at: 0)
        try submit(2, nodes: 2, 2, limit: 100, at: 0)
        try submitHet(3, [(2, 0), (3, 2)], at: 10)
        // All have room from 100 s on. Two nodes that are free until then may be used, no longer.
        try submit(5, nodes: 2, 2, limit: 90, at: 10)
        #expect(start(5) == at(10))
        try submit(6, nodes: 1, 0, limit: 91, at: 11)
        #expect(start(6) == at(11))
        try end(1, at: 20)
        try submit(7, nodes: 3, 0, limit: 100, at: 20)
        #expect(start(7) == nil)
        try submit(8, nodes: 1, 0, limit: 80, at: 20)
        #expect(start(8) == at(20))
        try end(5, at: 80)
        try end(2, at: 90)
        #expect(start(3) == at(90) && start(4) == at(90))
    }

    @Test("It goes as it is queued: not before others that came first, not behind later ones")
    mutating func order() throws {
        open(policy: .fcfs)
        try submit(1, nodes: 3, 0, at: 0)
        try submit(2, nodes: 4, 0, at: 1)
        try submitHet(3, [(1, 0), (1, 2)], at: 2)
        // FCFS lets nobody go before job 2, so the component in the other partition waits too.
        #expect(start(4) == nil)
        #expect(emulator.pendingReason(of: JobID(3)) == .priority)
        try submit(5, nodes: 4, 2, at: 3)
        #expect(start(5) == at(3))
        open(policy: .easy)
        try submit(1, nodes: 3, 0, at: 0)
        try submit(2, nodes: 4, 0, at: 1)
        // Under EASY it may go before, as it does not delay job 2.
        try submitHet(3, [(1, 0), (1, 2)], limit: 90, at: 2)
        #expect(start(3) == at(2) && start(4) == at(2))
    }

    @Test(
        "What one of them waits for, all wait for; a hold, a release and a cancellation are for all"
    )
    mutating func whole() throws {
        open()
        try submitHet(1, [(1, 0), (1, 2)], at: 0) { job in
            if job.id == JobID(2) { job.notBefore = SimInstant(seconds: 30) }
        }
        #expect(start(1) == nil)
        #expect(emulator.pendingReason(of: JobID(2)) == .beginTime)
        try emulator.handle(.hold(JobID(1), .user), at: at(5), into: &sink)
        #expect(emulator.pendingReason(of: JobID(2)) == .jobHeldUser)
        try emulator.handle(.release(JobID(2)), at: at(6), into: &sink)
        try emulator.handle(.timer, at: at(30), into: &sink)
        pass(at: 30)
        #expect(start(1) == at(30) && start(2) == at(30))
        try emulator.handle(.requeue(JobID(2)), at: at(40), into: &sink)
        pass(at: 40)
        #expect(sink.requeues.map(\.id) == [JobID(2), JobID(1)])
        #expect(start(1) == at(40) && start(2) == at(40))
        try emulator.handle(.nodesDown(IDSet([0])), at: at(50), into: &sink)
        pass(at: 50)
        #expect(start(1) == at(50) && start(2) == at(50))
        try emulator.handle(.cancel(JobID(2)), at: at(60), into: &sink)
        #expect(sink.stops == [JobID(2)])
        try emulator.handle(.cancel(JobID(1)), at: at(60), into: &sink)
        #expect(Set(sink.stops) == [JobID(1), JobID(2)])
        try submitHet(3, [(4, 0), (4, 2)], at: 61)
        try emulator.handle(.cancel(JobID(4)), at: at(62), into: &sink)
        #expect(sink.endings[JobID(3)]?.state == .cancelled)
        #expect(sink.endings[JobID(4)]?.state == .cancelled)
    }

    @Test("A singleton job does not wait for its own components")
    mutating func singleton() throws {
        open()
        try submitHet(1, [(2, 0), (2, 2)], at: 0) {
            $0.name = "solo"
            $0.dependencies = [.singleton]
        }
        #expect(start(1) == at(0) && start(2) == at(0))
        try submitHet(3, [(1, 0), (1, 2)], at: 1) {
            $0.name = "solo"
            $0.dependencies = [.singleton]
        }
        #expect(start(3) == nil && start(4) == nil)
        try end(1, at: 20)
        #expect(start(3) == at(20) && start(4) == at(20))
    }

    @Test("A limit that has room for one of them and not for all lets none start")
    mutating func limits() throws {
        open { configuration in
            configuration.qos[0].limits[LimitKind(.group, .tres(.node))] = 3
        }
        try submitHet(1, [(2, 0), (2, 2)], at: 0)
        #expect(start(1) == nil && start(2) == nil)
        try submitHet(3, [(1, 0), (2, 2)], at: 1)
        #expect(start(3) == at(1) && start(4) == at(1))
    }

    @Test("A forecast knows when components start, and that the first ends the others")
    mutating func forecast() throws {
        open()
        try submitHet(1, [(4, 0), (2, 2)], at: 0)
        try submitHet(3, [(1, 0), (4, 2)], at: 1)
        try submit(5, nodes: 4, 0, at: 2)
        #expect(emulator.estimatedStart(of: JobID(3), from: at(2)) == at(100))
        #expect(emulator.estimatedStart(of: JobID(4), from: at(2)) == at(100))
        #expect(emulator.estimatedStart(of: JobID(5), from: at(2)) == at(200))
    }

    @Test(
        "Who has the fewest nodes to choose from chooses first, and none takes what another needs"
    )
    mutating func choosing() throws {
        open { configuration in
            configuration.partitions[1].nodes = IDSet(0..<2)
        }
        try submitHet(1, [(2, 0), (2, 1)], at: 0)
        #expect(start(1) == at(0) && start(2) == at(0))
        open()
        try submitHet(1, [(1, 0), (2, 1)], at: 0) { job in
            if job.id == JobID(1) { job.request.extraChunks = 3 }
        }
        #expect(start(1) == at(0) && start(2) == at(0))
    }

    /// What a seeded day has shown so far.
    private struct Day {
        var asked: [JobID: (nodes: Int32, group: Int, runs: Int64)] = [:]
        var ends: [JobID: Int64] = [:]
        var promises: [JobID: SimInstant] = [:]
        var parts: [(leader: UInt32, count: UInt32)] = []
        var nextNumber: UInt32 = 1
    }

    private mutating func endThose(due second: Int64, _ day: Day) throws {
        for id in day.ends.filter({ $0.value == second }).keys.sorted()
        where emulator.phase(of: id) == .running {
            try emulator.handle(.jobEnded(id, .completed), at: at(second), into: &sink)
        }
    }

    private mutating func arrive(
        _ day: inout Day,
        _ random: inout SplitMix64,
        at second: Int64
    ) throws {
        let count = random.below(3) == 0 ? random.draw(2...3) : 1
        // All fit on the nodes together.
        let drawn = (0..<count).map { _ in
            (nodes: Int32(random.draw(1...(4 / count))), partition: random.draw(0...2))
        }
        let limit = Int64(random.draw(1...30))
        let number = day.nextNumber
        day.nextNumber += UInt32(count)
        for (offset, part) in drawn.enumerated() {
            let id = JobID(number + UInt32(offset))
            let runs = Int64(random.draw(1...Int(limit)))
            day.asked[id] = (part.nodes, part.partition / 2, runs)
        }
        guard count > 1 else {
            let own = drawn[0]
            return try submit(number, nodes: own.nodes, own.partition, limit: limit, at: second)
        }
        day.parts.append((number, UInt32(count)))
        try submitHet(number, drawn, limit: limit, at: second)
    }

    /// The earliest instant from which components have room together if all that runs does so to its limit.
    private func earliest(_ het: HetJob, _ day: Day, at second: Int64) -> SimInstant? {
        let running = day.asked.filter { emulator.phase(of: $0.key) == .running }
        let ends = running.keys.compactMap { emulator.deadline(of: $0) }
        return ([at(second)] + ends).sorted().first { instant in
            (0..<2).allSatisfy { group in
                let needed = het.components.compactMap { day.asked[JobID($0)] }
                    .filter { $0.group == group }.reduce(0) { $0 + $1.nodes }
                let held = running.filter { id, job in
                    job.group == group && emulator.deadline(of: id).map { $0 > instant } ?? true
                }
                return needed + held.values.reduce(0) { $0 + $1.nodes } <= 4
            }
        }
    }

    @Test(
        "Under every policy all start at once, and the first is promised the earliest start, and kept to it",
        arguments: Seeds.first(8)
    )
    mutating func random(seed: UInt64) throws {
        for name in [
            "fcfs", "easy", "conservative", "conservative-compress", "order=fcfs,backfill=slurm",
        ] {
            let policy = try SchedulingPolicy(named: name)
            let note = Seeds.note(seed, "HetJobs", policy.name)
            open(policy: policy)
            var random = SplitMix64(seed: seed, stream: "het")
            var day = Day()
            var second: Int64 = 0
            while day.nextNumber < 40 || emulator.activeJobCount > 0 {
                try endThose(due: second, day)
                if day.nextNumber < 40, random.below(2) == 0 {
                    try arrive(&day, &random, at: second)
                }
                pass(at: second)
                for (id, start) in sink.starts where day.ends[id] == nil {
                    day.ends[id] = second + (day.asked[id]?.runs ?? 0)
                    if let promise = day.promises[id] {
                        #expect(start <= promise, "\(note) \(id)")
                    }
                }
                for het in emulator.hetJobs {
                    guard let from = het.places.first?.place.from else { continue }
                    let before = day.promises.updateValue(from, forKey: het.leader)
                    #expect(from <= before ?? from, "\(note) \(het.leader)")
                    guard emulator.hetJobs.count == 1 else { continue }
                    #expect(from == earliest(het, day, at: second), "\(note) \(het.leader)")
                }
                second += 1
                try #require(second < 2_000, "\(note)")
            }
            for (leader, count) in day.parts {
                let starts = Set((0..<count).map { sink.starts[JobID(leader + $0)] })
                #expect(starts.count == 1 && !starts.contains(nil), "\(note) job \(leader)")
            }
        }
    }
}
