// What people and reservations cost: the engine alone, under Slurm's priority and backfill.
//
//     xinghe-crowd day JOBS SEED          JOBS jobs from first to last: the CPU time of all of it
//     xinghe-crowd pass WAITING SEED      passes with WAITING jobs in the queue: the CPU time of each
//
// `day`: 2,000 equal nodes, 20 partitions of which four each share 400, 500 accounts in 25 others with
// five users each, 20 QOS, half of all with limits, and 50 reservations spread over the time.
// `pass`: one partition of 1,000 nodes, 1,000 accounts with four users each; between two passes five
// minutes go by, so that each computes all priorities anew, and some jobs end. One line of JSON.

import Accounts
import ClusterModel
import Determinism
import Emulation
import Glibc
import IndexSets
import JobModel
import Quantities
import Scheduling

/// Notes what starts and when it will end.
struct Crowd: EffectSink {
    var ends = EndQueue()
    /// By job number less 1. Unit: µs.
    var lengths: ContiguousArray<Int64> = []
    var wake: Int64?

    mutating func jobStarted(_ start: JobStart) {
        let length = lengths[Int(start.id.number) - 1]
        ends.push(start.id, at: start.startedAt.microseconds + length)
    }

    mutating func jobEnded(_ end: JobEnd) {}
    mutating func jobMustStop(_ id: JobID, _ reason: StopReason) {}
    mutating func jobRequeued(_ run: JobEnd) {}
    mutating func wake(at instant: SimInstant) {
        wake = min(wake ?? .max, instant.microseconds)
    }
}

struct Experiment {
    private var emulator: Emulator
    private var sink = Crowd()
    private var random: SplitMix64
    private let accountCount: Int
    private let usersPerAccount: Int
    private let partitionCount: Int
    private let qosCount: Int
    private var submitted: UInt32 = 0

    /// Makes a centre with nothing in it.
    init(
        groups: Int,
        partitionsPerGroup: Int,
        nodesPerGroup: Int,
        accounts: Int,
        usersPerAccount: Int,
        qos: Int,
        seed: UInt64
    ) throws(SchedulingPolicy.Unknown) {
        var random = SplitMix64(seed: seed, stream: "crowd")
        let partitionCount = groups * partitionsPerGroup
        var configuration = EmulatorConfiguration(
            nodes: Array(repeating: NodeCapacity(cores: 32), count: groups * nodesPerGroup),
            partitions: (0..<partitionCount).map { index in
                let first = index / partitionsPerGroup * nodesPerGroup
                var partition = PartitionConfiguration(
                    nodes: IDSet(first..<(first + nodesPerGroup)),
                    isWholeNode: true,
                    priorityFactor: Int32(random.draw(0...1_000_000))
                )
                partition.tier = Int32(1 + index % 2)
                return partition
            },
            policy: try SchedulingPolicy(named: "slurm")
        )
        // As a replay, which shows nobody a priority.
        configuration.tellsPriorities = false
        configuration.qos = (0..<qos).map { number in
            var own = number == 0 ? QOS.normal : QOS(name: "q\(number)", priority: Int32(number))
            if number % 2 == 1 {
                own.limits[LimitKind(.perUser, .jobs)] = Int64(random.draw(4...40))
                own.limits[LimitKind(.group, .tres(.node))] = Int64(random.draw(200...1_000))
            }
            return own
        }
        for account in 0..<accounts {
            // One account in 20 has those behind it below it.
            let above = account % 20 == 0 ? -1 : account / 20 * 20
            let place = configuration.associations.add(
                account: Int32(account),
                below: above < 0 ? 0 : configuration.associations.account(Int32(above))
            )
            var settings = AssociationSettings()
            settings.shares = Int32(random.draw(1...10))
            if account % 2 == 1 {
                settings.limits[LimitKind(.group, .tres(.node))] = Int64(random.draw(20...200))
            }
            configuration.associations.set(place, to: settings)
            for user in 0..<usersPerAccount {
                configuration.associations.user(
                    Int32(account * usersPerAccount + user),
                    of: Int32(account)
                )
            }
        }
        emulator = Emulator(configuration)
        self.random = random
        accountCount = accounts
        self.usersPerAccount = usersPerAccount
        self.partitionCount = partitionCount
        qosCount = qos
    }

    /// Makes reservations of four nodes each, one after another, a day long.
    mutating func reserve(_ count: Int, over span: Int64) throws(InputRejection) {
        for number in 0..<count {
            let start = 1_000 + span / Int64(count) * Int64(number)
            let terms = Reservation(
                id: ReservationID(UInt32(number + 1)),
                start: SimInstant(seconds: start),
                end: SimInstant(seconds: start + 86_400),
                extent: .nodeCount(4, partition: random.draw(0...(partitionCount - 1))),
                flags: [.ignoreJobs]
            )
            try emulator.handle(.createReservation(terms), at: .epoch, into: &sink)
        }
    }

    mutating func submit(at now: SimInstant) throws(InputRejection) {
        submitted += 1
        let size = Int32(1 + random.draw(0...((1 << random.draw(0...5)) - 1)))
        let limit = Int64(60 * random.draw(1...(1 << random.draw(4...10))))
        sink.lengths.append(limit * 1_000 * Int64(random.draw(1...1_000)))
        var submission = JobSubmission(
            id: JobID(submitted),
            partitions: [random.draw(0...(partitionCount - 1))],
            request: .wholeNodes(size),
            timeLimit: SimDuration(seconds: limit)
        )
        let account = random.draw(0...(accountCount - 1))
        submission.account = Int32(account)
        submission.user = Int32(
            account * usersPerAccount + random.draw(0...(usersPerAccount - 1))
        )
        submission.qos = Int32(random.draw(0...(qosCount - 1)))
        try emulator.submit(submission, at: now, into: &sink)
    }

    /// Goes on to the next end, wake or arrival, decides, and returns the instant; nil when nothing is
    /// to come. Unit: µs.
    mutating func step(nextArrival: Int64?) throws(InputRejection) -> Int64? {
        let instants = [sink.ends.nextInstant, sink.wake, nextArrival]
        guard let instant = instants.compactMap({ $0 }).min() else { return nil }
        let now = SimInstant(microseconds: instant)
        while sink.ends.nextInstant == instant {
            try emulator.end(sink.ends.pop(), .completed, at: now, into: &sink)
        }
        if instant == nextArrival { try submit(at: now) }
        if let wake = sink.wake, wake <= instant {
            sink.wake = nil
            try emulator.handle(.timer, at: now, into: &sink)
        }
        emulator.schedulingPass(at: now, into: &sink)
        return instant
    }

    /// Ends what has ended by an instant, and decides once.
    mutating func pass(at instant: Int64) throws(InputRejection) -> Int64 {
        let now = SimInstant(microseconds: instant)
        while let end = sink.ends.nextInstant, end <= instant {
            try emulator.end(sink.ends.pop(), .completed, at: now, into: &sink)
        }
        let start = nanoseconds()
        emulator.schedulingPass(at: now, into: &sink)
        return nanoseconds() - start
    }

    var activeCount: Int { emulator.activeJobCount }
    var waitingCount: Int { emulator.activeJobCount - emulator.runningJobCount }
    var digest: String { emulator.digest.hexText }
    mutating func drawGap(_ mean: Int64) -> Int64 { Int64(random.draw(0...Int(2 * mean))) }
}

func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

func fail(_ text: String) -> Never {
    let line = "xinghe-crowd: \(text)\n"
    write(STDERR_FILENO, line, line.utf8.count)
    exit(2)
}

func day(_ count: Int, _ seed: UInt64) throws -> String {
    var experiment = try Experiment(
        groups: 5,
        partitionsPerGroup: 4,
        nodesPerGroup: 400,
        accounts: 500,
        usersPerAccount: 5,
        qos: 20,
        seed: seed
    )
    let meanGap: Int64 = 25_000_000
    let start = nanoseconds()
    try experiment.reserve(50, over: Int64(count) * meanGap / 1_000_000)
    var (submitted, waitingMaximum, passes) = (0, 0, 0)
    var arrival: Int64? = 0
    while submitted < count || experiment.activeCount > 0,
        let instant = try experiment.step(nextArrival: arrival)
    {
        passes += 1
        waitingMaximum = max(waitingMaximum, experiment.waitingCount)
        guard instant == arrival else { continue }
        submitted += 1
        arrival = submitted < count ? instant + experiment.drawGap(meanGap) : nil
    }
    return """
        {"jobs":\(count),"passes":\(passes),"waiting_maximum":\(waitingMaximum),\
        "left":\(experiment.activeCount),"nanoseconds":\(nanoseconds() - start),\
        "digest":"\(experiment.digest)"}
        """
}

func passes(_ waiting: Int, _ seed: UInt64) throws -> String {
    var experiment = try Experiment(
        groups: 1,
        partitionsPerGroup: 1,
        nodesPerGroup: 1_000,
        accounts: 1_000,
        usersPerAccount: 4,
        qos: 20,
        seed: seed
    )
    for _ in 0..<waiting { try experiment.submit(at: .epoch) }
    var instant: Int64 = 0
    _ = try experiment.pass(at: instant)
    while experiment.waitingCount < waiting { try experiment.submit(at: .epoch) }
    var spent: [Int64] = []
    for _ in 0..<41 {
        instant += 300_000_000
        spent.append(try experiment.pass(at: instant))
    }
    spent.sort()
    return """
        {"waiting":\(experiment.waitingCount),"median_ns":\(spent[spent.count / 2]),\
        "slowest_ns":\(spent[spent.count - 1]),"digest":"\(experiment.digest)"}
        """
}

let words = CommandLine.arguments
guard words.count == 4, let count = Int(words[2]), let seed = UInt64(words[3]), count > 0 else {
    fail("usage: xinghe-crowd day JOBS SEED | pass WAITING SEED")
}
do {
    switch words[1] {
    case "day": print(try day(count, seed))
    case "pass": print(try passes(count, seed))
    default: fail("there is no '\(words[1])'")
    }
} catch {
    fail("the engine refused an input: \(error)")
}
