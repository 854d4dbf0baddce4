import ClusterModel
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

/// Nodes that are switched off and on, held against what can be said without a scheduler.
@Suite("Power")
struct PowerTests {
    private static let policies: [SchedulingPolicy] = [
        .fcfs, .easy, SchedulingPolicy(backfill: .easySJBF),
        SchedulingPolicy(backfill: .conservative), SchedulingPolicy(backfill: .slurm),
    ]

    private static func rules(
        _ count: Int,
        boot: Int64 = 0,
        suspend: Int64? = 20,
        cap: Int64? = nil
    ) -> PowerRules {
        let node = NodePower(
            load: 300_000,
            idle: 100_000,
            off: 7_000,
            bootTime: SimDuration(seconds: boot)
        )
        return PowerRules(
            nodes: Array(repeating: node, count: count),
            suspendTime: suspend.map { SimDuration(seconds: $0) },
            cap: cap
        )
    }

    @Test("Where nodes come up at once, nothing is decided otherwise")
    func freeBoots() {
        for seed in Seeds.first(60) {
            // Slurm's backfill plans in minutes from the instant of a pass, and the passes at which nodes
            // are switched off are more.
            for policy in Self.policies where policy.backfill != .slurm {
                var worlds = [
                    World.uniform(seed: seed, nodeCount: 9, jobCount: 40, policy: policy)
                ]
                worlds.append(World.shared(seed: seed, nodeCount: 6, jobCount: 30, policy: policy))
                for world in worlds {
                    var saving = world.configuration
                    saving.power = Self.rules(saving.nodes.count)
                    var plain = Emulator(world.configuration)
                    var switched = Emulator(saving)
                    let one = world.run(&plain)
                    let other = world.run(&switched)
                    let note = Seeds.note(seed, "Power", policy.name)
                    let differing = one.starts.keys.filter { one.starts[$0] != other.starts[$0] }
                    #expect(differing.isEmpty, "\(note)")
                }
            }
        }
    }

    @Test("Delays and energy are those of each node's own story", arguments: [0, 3, 17] as [Int64])
    func stories(boot: Int64) throws {
        var bootCount = 0
        for seed in Seeds.first(150) {
            let policy = Self.policies[Int(seed) % Self.policies.count]
            let world = World.uniform(seed: seed, nodeCount: 7, jobCount: 40, policy: policy)
            var configuration = world.configuration
            let rules = Self.rules(7, boot: boot)
            configuration.power = rules
            var emulator = Emulator(configuration)
            var holdings: [JobID: [Int]] = [:]
            var last = SimInstant.epoch
            var first: SimInstant?
            let sink = world.run(&emulator) { emulator, sink, now in
                first = first ?? now
                last = now
                for id in sink.starts.keys where holdings[id] == nil {
                    holdings[id] = emulator.allocation(of: id).map(\.node)
                }
            }
            let note = Seeds.note(seed, "Power", policy.name)
            var story = PlainStory(rules, from: try #require(first))
            let runs = try sink.starts.map { id, start in
                (id, start, end: try #require(sink.endings[id]))
            }
            // Jobs without run time leave their nodes to others at the same instant.
            for (id, start, end) in runs.sorted(by: {
                ($0.1, $0.end.endedAt) < ($1.1, $1.end.endedAt)
            }) {
                let nodes = holdings[id] ?? []
                // One that ended at the instant of its start was not seen to hold anything.
                guard !nodes.isEmpty else { continue }
                let delay = story.hold(nodes, from: start, to: end.endedAt)
                #expect(end.suspendedFor == delay, "job \(id), \(note)")
            }
            let reading = try #require(emulator.powerReading(at: last))
            guard holdings.allSatisfy({ !$0.value.isEmpty }) else { continue }
            let told = story.close(at: last)
            #expect(reading.millijoules == told.millijoules, "\(note)")
            #expect(reading.nodeSeconds == told.seconds, "\(note)")
            #expect(reading.bootCount == story.bootCount, "\(note)")
            bootCount += reading.bootCount
        }
        #expect(bootCount > 100)
    }

    @Test("Under a cap the machine is the smaller one that may be on", arguments: Seeds.first(60))
    func caps(seed: UInt64) throws {
        for policy in Self.policies {
            let world = World.uniform(seed: seed, nodeCount: 9, jobCount: 40, policy: policy)
            // Five nodes at work and four off.
            let cap: Int64 = 5 * 300_000 + 4 * 7_000 + 292_999
            var capped = world.configuration
            capped.power = Self.rules(9, suspend: nil, cap: cap)
            #expect(capped.power?.capped == IDSet(5..<9))
            var small = world.configuration
            small.nodes.removeLast(4)
            small.partitions[0].nodes = IDSet(0..<5)
            var one = Emulator(capped)
            var other = Emulator(small)
            let note = Seeds.note(seed, "Power", policy.name)
            let sink = world.run(&one) { emulator, _, now in
                let peak = emulator.powerReading(at: now)?.peakWatts ?? 0
                #expect(peak * 1_000 <= cap, "\(note)")
            }
            #expect(sink.starts == world.run(&other).starts, "\(note)")
            #expect(one.powerState(ofNode: 5) == .off)
            #expect(one.powerState(ofNode: 4) == .on)
        }
    }

    @Test("Each kind of nodes gets its share of a cap, and the first ones the rest")
    func shares() {
        let small = NodePower(load: 100, idle: 50)
        let large = NodePower(load: 1_000, idle: 500)
        let nodes: [NodePower?] = [large, large, nil, small, small, small, small]
        #expect(PowerRules(nodes: nodes, cap: 2_400).capped.isEmpty)
        // Half: one large, two small.
        #expect(PowerRules(nodes: nodes, cap: 1_200).capped == IDSet([1, 5, 6]))
        // 833 for the large ones, which is none of them, and 166 for the small: all are on from the rest.
        #expect(PowerRules(nodes: nodes, cap: 999).capped == IDSet([0, 1]))
        #expect(PowerRules(nodes: nodes, cap: 100).capped == IDSet([0, 1, 4, 5, 6]))
    }

    @Test("A job that leaves while its nodes come up has not run")
    func leavesEarly() throws {
        var configuration = EmulatorConfiguration.uniform(nodeCount: 2, policy: .easy)
        configuration.power = Self.rules(2, boot: 100, suspend: 10)
        var emulator = Emulator(configuration)
        var sink = RecordingSink()
        func at(_ seconds: Int64) -> SimInstant { SimInstant(microseconds: seconds * 1_000_000) }
        // All nodes are on until the first job comes.
        emulator.schedulingPass(at: at(-50), into: &sink)
        let none = JobSubmission(
            id: JobID(2),
            request: .wholeNodes(1),
            timeLimit: SimDuration(seconds: 0)
        )
        try emulator.handle(.submit(none), at: at(0), into: &sink)
        emulator.schedulingPass(at: at(0), into: &sink)
        try emulator.handle(.jobEnded(JobID(2), .completed), at: at(0), into: &sink)
        emulator.schedulingPass(at: at(10), into: &sink)
        #expect(emulator.powerState(ofNode: 1) == .off)
        var job = JobSubmission(
            id: JobID(3),
            request: .wholeNodes(2),
            timeLimit: SimDuration(seconds: 60)
        )
        job.isRequeuable = true
        try emulator.handle(.submit(job), at: at(20), into: &sink)
        emulator.schedulingPass(at: at(20), into: &sink)
        #expect(emulator.powerState(ofNode: 0) == .booting)
        #expect(emulator.deadline(of: JobID(3)) == at(180))
        // A node that fails while it comes up sends the job back.
        try emulator.handle(.nodesDown(IDSet([1])), at: at(50), into: &sink)
        #expect(sink.requeues.first?.suspendedFor == SimDuration(seconds: 30))
        try emulator.handle(.nodesResumed(IDSet([1])), at: at(60), into: &sink)
        emulator.schedulingPass(at: at(60), into: &sink)
        // The first one is on its way, the other was off when it failed and still comes up.
        #expect(emulator.deadline(of: JobID(3)) == at(180))
        try emulator.handle(.cancel(JobID(3)), at: at(70), into: &sink)
        try emulator.handle(.jobEnded(JobID(3), .cancelled), at: at(70), into: &sink)
        #expect(sink.endings[JobID(3)]?.suspendedFor == SimDuration(seconds: 10))
        emulator.schedulingPass(at: at(120), into: &sink)
        #expect(emulator.powerState(ofNode: 0) == .on)
        emulator.schedulingPass(at: at(130), into: &sink)
        #expect(emulator.powerState(ofNode: 0) == .off)
        let reading = try #require(emulator.powerReading(at: at(130)))
        #expect(reading.nodeSeconds == [0, 40, 200, 20])
    }
}

/// What each node does, told from the jobs that hold it: idle at first, off when it was idle for long
/// enough, and coming up when it is wanted then.
private struct PlainStory {
    private let rules: PowerRules
    private var free: [SimInstant]
    private var up: [SimInstant]
    private var millijoules = [Int64](repeating: 0, count: 4)
    private var seconds = [Int64](repeating: 0, count: 4)
    private(set) var bootCount = 0

    init(_ rules: PowerRules, from now: SimInstant) {
        self.rules = rules
        free = rules.nodes.map { _ in now }
        up = free
    }

    private mutating func add(
        _ work: PowerMeter.Work,
        _ milliwatts: Int64,
        _ from: SimInstant,
        _ to: SimInstant
    ) {
        guard to > from else { return }
        millijoules[work.rawValue] += milliwatts * (to - from).seconds
        seconds[work.rawValue] += (to - from).seconds
    }

    /// Tells of a node that nobody holds until `now`. Returns whether it is off then.
    private mutating func rest(_ node: Int, until now: SimInstant, isWanted: Bool) -> Bool {
        guard let power = rules.nodes[node], let suspend = rules.suspendTime else { return false }
        // One that was given back before it was up comes up first.
        let idleFrom = max(free[node], up[node])
        add(.booting, power.load, free[node], min(now, idleFrom))
        let off = idleFrom + suspend
        add(.idle, power.idle, idleFrom, min(now, off))
        add(.off, power.off, off, now)
        return isWanted ? off < now : off <= now
    }

    mutating func hold(_ nodes: [Int], from start: SimInstant, to end: SimInstant) -> SimDuration {
        for node in nodes {
            if rest(node, until: start, isWanted: true) {
                bootCount += 1
                up[node] = start + (rules.nodes[node]?.bootTime ?? .zero)
            }
        }
        let begin = nodes.reduce(start) { max($0, up[$1]) }
        for node in nodes {
            let power = rules.nodes[node]
            let ready = min(max(up[node], start), end)
            add(.booting, power?.load ?? 0, start, ready)
            add(.busy, power?.load ?? 0, ready, end)
            free[node] = end
        }
        return min(begin, end) - start
    }

    mutating func close(at now: SimInstant) -> (millijoules: [Int64], seconds: [Int64]) {
        for node in free.indices { _ = rest(node, until: now, isWanted: false) }
        return (millijoules, seconds)
    }
}
