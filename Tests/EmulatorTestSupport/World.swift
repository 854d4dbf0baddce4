import ClusterModel
public import Determinism
public import Emulation
import IndexSets
public import JobModel
public import Quantities
public import Scheduling

/// A small random centre with a random day of work, all from one seed.
public struct World: Sendable {
    /// A job of the day.
    public struct Arrival: Sendable {
        /// When it arrives.
        public var at: SimInstant
        /// What it is.
        public var submission: JobSubmission
        /// How long it runs. Unit: µs.
        public var runTime: Int64

        /// Makes an arrival.
        public init(at: SimInstant, submission: JobSubmission, runTime: Int64) {
            self.at = at
            self.submission = submission
            self.runTime = runTime
        }
    }

    /// The centre.
    public var configuration: EmulatorConfiguration
    /// The jobs, by arrival.
    public var arrivals: [Arrival]

    /// Makes a world of given jobs, by arrival.
    public init(configuration: EmulatorConfiguration, arrivals: [Arrival]) {
        self.configuration = configuration
        self.arrivals = arrivals
    }

    /// A machine of equal nodes that are given whole.
    public static func uniform(
        seed: UInt64,
        nodeCount: Int,
        jobCount: Int,
        policy: SchedulingPolicy
    ) -> World {
        var random = SplitMix64(seed: seed, stream: "uniform world")
        let configuration = EmulatorConfiguration.uniform(
            nodeCount: nodeCount,
            policy: policy
        )
        let arrivals = makeArrivals(jobCount, &random) { random in
            .wholeNodes(Int32(random.draw(1...nodeCount)))
        }
        return World(configuration: configuration, arrivals: arrivals)
    }

    /// A machine of unequal nodes that jobs share by cores, memory and cards, some of them in a
    /// partition of their own that may give its nodes whole, and equal whole nodes beside them. Jobs
    /// name several partitions, and nodes.
    ///
    /// - Parameter jobsCrossGroups: whether a job may name partitions that share no nodes.
    public static func shared(
        seed: UInt64,
        nodeCount: Int,
        jobCount: Int,
        policy: SchedulingPolicy,
        jobsCrossGroups: Bool = true
    ) -> World {
        var random = SplitMix64(seed: seed, stream: "shared world")
        var nodes = (0..<nodeCount).map { _ in
            NodeCapacity(
                cores: Int32(random.draw(2...8)),
                memory: ByteCount(mebibytes: Int64(random.draw(4...16))),
                accelerators: Int32(random.draw(0...2))
            )
        }
        let half = IDSet(0..<max(1, nodeCount / 2))
        let equal = NodeCapacity(cores: 4, memory: ByteCount(mebibytes: 8), accelerators: 1)
        nodes += [equal, equal, equal]
        var configuration = EmulatorConfiguration(
            nodes: nodes,
            partitions: [
                PartitionConfiguration(nodes: IDSet(0..<nodeCount), isWholeNode: false),
                PartitionConfiguration(nodes: half, isWholeNode: random.below(3) == 0),
                PartitionConfiguration(nodes: IDSet(nodeCount..<nodes.count), isWholeNode: true),
            ],
            policy: policy
        )
        configuration.sharesCards = random.below(2) == 0
        var arrivals = makeArrivals(jobCount, &random) { random in
            ResourceRequest(
                chunkCount: Int32(random.draw(1...6)),
                coresPerChunk: Int32(random.draw(1...3)),
                memoryMebibytesPerChunk: Int32(random.draw(0...4)),
                acceleratorsPerChunk: random.below(4) == 0 ? 1 : 0,
                chunksPerNodeMaximum: random.below(2) == 0 ? 1 : .max,
                isExclusive: random.below(6) == 0
            )
        }
        var lists = [[0], [0], [0], [1], [2], [0, 2], [2, 0], [0, 1], [1, 0], [2, 1, 0]]
        if !jobsCrossGroups { lists.removeAll { $0.contains(2) && $0.count > 1 } }
        for index in arrivals.indices {
            let job = arrivals[index].submission.request
            if configuration.sharesCards, job.chunkCount == 1, job.acceleratorsPerChunk == 1 {
                arrivals[index].submission.request.acceleratorShare =
                    Int32(random.draw(1...4)) * 250
            }
            arrivals[index].submission.partitions = lists[random.draw(0...(lists.count - 1))]
            func names() -> IDSet {
                IDSet((0...random.draw(0...1)).map { _ in random.draw(0...(nodes.count - 1)) })
            }
            if random.below(12) == 0 { arrivals[index].submission.requiredNodes = names() }
            if random.below(12) == 0 { arrivals[index].submission.excludedNodes = names() }
        }
        return World(configuration: configuration, arrivals: arrivals)
    }

    /// Lets the centre have licences of two kinds, and half of the jobs need some.
    public mutating func shareLicenses(_ random: inout SplitMix64) {
        configuration.licenses = (0..<2).map { _ in Int64(random.draw(2...4)) }
        for index in arrivals.indices where random.below(2) == 0 {
            arrivals[index].submission.licenses = (0...Int32(random.draw(0...1))).map { kind in
                LicenseNeed(license: kind, count: Int32(random.draw(1...2)))
            }
        }
    }

    private static func makeArrivals(
        _ count: Int,
        _ random: inout SplitMix64,
        request: (inout SplitMix64) -> ResourceRequest
    ) -> [Arrival] {
        var now: Int64 = 0
        return (1...count).map { number in
            // Many at one instant: ties are where schedulers disagree.
            now += Int64(random.draw(0...3)) * 1_000_000 * Int64(random.draw(0...4))
            // Some jobs have no time at all: they hold their nodes at an instant.
            let limit = Int64(random.draw(0...40)) * 1_000_000
            let run = random.below(3) == 0 ? limit : Int64(random.draw(0...Int(limit)))
            return Arrival(
                at: SimInstant(microseconds: now),
                submission: JobSubmission(
                    id: JobID(UInt32(number)),
                    request: request(&random),
                    timeLimit: SimDuration(microseconds: limit)
                ),
                runTime: run / 1_000_000 * 1_000_000
            )
        }
    }

    /// Runs the day in batched order, awake whenever the emulator asks for it, and returns what
    /// happened.
    ///
    /// - Parameter watch: called after every pass.
    public func run(
        _ emulator: inout Emulator,
        watch: (Emulator, RecordingSink, SimInstant) -> Void = { _, _, _ in }
    ) -> RecordingSink {
        var sink = RecordingSink()
        var next = 0
        while next < arrivals.count || sink.ends.count > 0 {
            let arrival = next < arrivals.count ? arrivals[next].at.microseconds : .max
            var instant = SimInstant(microseconds: min(arrival, sink.ends.nextInstant ?? .max))
            if let wake = sink.wakes.min(), wake <= instant {
                instant = wake
                sink.wakes.removeAll { $0 == wake }
            }
            while sink.ends.nextInstant == instant.microseconds {
                let id = sink.ends.pop()
                try? emulator.handle(.jobEnded(id, .completed), at: instant, into: &sink)
            }
            while next < arrivals.count, arrivals[next].at == instant {
                let submission = arrivals[next].submission
                sink.runTimes[submission.id] = arrivals[next].runTime
                try? emulator.handle(.submit(submission), at: instant, into: &sink)
                next += 1
            }
            try? emulator.handle(.timer, at: instant, into: &sink)
            emulator.schedulingPass(at: instant, into: &sink)
            watch(emulator, sink, instant)
        }
        return sink
    }
}
