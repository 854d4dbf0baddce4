// How long a decision takes with N jobs waiting: the engine alone, in a closed loop.
//
//     xinghe-depth POLICY WAITING DECISIONS SEED
//
// A machine of 1,000 equal nodes is full and exactly WAITING jobs wait. When jobs end, as many new
// ones arrive as have started before, and one scheduling pass decides: that is a decision. Sizes
// are 1 to 256 nodes, most of them small; limits are 1 minute to 2 days; jobs run for a part of
// their limit. One line of JSON: the nanoseconds that a decision took, ends and arrivals included.
//
// The queue is warm: a tenth of DECISIONS goes by before the clock starts.

import Determinism
import Emulation
import Glibc
import JobModel
import Quantities
import Scheduling

/// Notes what starts and when it will end; the replay's sink without its bookkeeping.
struct ClosedLoop: EffectSink {
    var ends = EndQueue()
    var started = 0
    /// The part of its limit that a job runs. Unit: 1/1000.
    var parts = SplitMix64(seed: 1, stream: "run times")

    mutating func jobStarted(_ start: JobStart) {
        started += 1
        let limit = (start.deadline - start.startedAt).microseconds
        let run = limit / 1_000 * Int64(parts.draw(1...1_000))
        ends.push(start.id, at: start.startedAt.microseconds + run)
    }

    mutating func jobEnded(_ end: JobEnd) {}
    mutating func jobMustStop(_ id: JobID, _ reason: StopReason) {}
    mutating func jobRequeued(_ run: JobEnd) {}
    mutating func wake(at instant: SimInstant) {}
}

struct Experiment {
    private static let nodeCount = 1_000

    private var emulator: Emulator
    private var sink = ClosedLoop()
    private var random: SplitMix64
    private var submitted: UInt32 = 0

    init(policy: SchedulingPolicy, waiting: Int, seed: UInt64) throws(InputRejection) {
        emulator = Emulator(.uniform(nodeCount: Self.nodeCount, policy: policy))
        random = SplitMix64(seed: seed, stream: "queue depth")
        for _ in 0..<waiting { try submit(at: .epoch) }
        // Starts from the queue are made good until the machine is full and WAITING wait.
        var missing = pass(at: .epoch)
        while missing > 0 {
            for _ in 0..<missing { try submit(at: .epoch) }
            missing = pass(at: .epoch)
        }
    }

    private mutating func submit(at now: SimInstant) throws(InputRejection) {
        submitted += 1
        let size = Int32(1 + random.draw(0...((1 << random.draw(0...8)) - 1)))
        let seconds = Int64(60 * random.draw(1...(1 << random.draw(0...11))))
        try emulator.submit(
            JobSubmission(
                id: JobID(submitted),
                request: .wholeNodes(size),
                timeLimit: SimDuration(seconds: seconds)
            ),
            at: now,
            into: &sink
        )
    }

    /// Decides, and tells how many jobs have started.
    private mutating func pass(at now: SimInstant) -> Int {
        let before = sink.started
        emulator.schedulingPass(at: now, into: &sink)
        return sink.started - before
    }

    /// Goes through `count` decisions and returns the jobs that started.
    mutating func run(decisions count: Int) throws(InputRejection) -> Int {
        let before = sink.started
        var missing = 0
        for _ in 0..<count {
            guard let instant = sink.ends.nextInstant else { break }
            let now = SimInstant(microseconds: instant)
            while sink.ends.nextInstant == instant {
                try emulator.end(sink.ends.pop(), .completed, at: now, into: &sink)
            }
            for _ in 0..<missing { try submit(at: now) }
            missing = pass(at: now)
        }
        return sink.started - before
    }

    var waitingCount: Int { emulator.activeJobCount - emulator.runningJobCount }
    var digest: StateDigest { emulator.digest }
}

func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

func fail(_ text: String) -> Never {
    let line = "xinghe-depth: \(text)\n"
    write(STDERR_FILENO, line, line.utf8.count)
    exit(2)
}

let words = CommandLine.arguments
guard words.count == 5, let waiting = Int(words[2]), let decisions = Int(words[3]),
    let seed = UInt64(words[4]), waiting > 0, decisions >= 10
else { fail("usage: xinghe-depth POLICY WAITING DECISIONS SEED") }
do {
    let policy = try SchedulingPolicy(named: words[1])
    var experiment = try Experiment(policy: policy, waiting: waiting, seed: seed)
    _ = try experiment.run(decisions: decisions / 10)
    let start = nanoseconds()
    let started = try experiment.run(decisions: decisions)
    let spent = nanoseconds() - start
    let pairs = [
        "\"policy\":\"\(policy.name)\"", "\"waiting\":\(waiting)",
        "\"decisions\":\(decisions)", "\"started\":\(started)", "\"nanoseconds\":\(spent)",
        "\"waiting_after\":\(experiment.waitingCount)",
        "\"digest\":\"\(experiment.digest.hexText)\"",
    ]
    print("{\(pairs.joined(separator: ","))}")
} catch let unknown as SchedulingPolicy.Unknown {
    fail("policy '\(unknown.part)' is not known")
} catch {
    fail("the engine refused an input: \(error)")
}
