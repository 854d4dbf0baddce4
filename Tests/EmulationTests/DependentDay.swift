import Determinism
import Emulation
import EmulatorTestSupport
import JobModel
import Quantities
import Scheduling
import Testing

/// A day of jobs that wait for one another, beside a plain list of what has happened to each: after
/// every event the list is read anew, rule by rule, and must agree with the emulator.
struct DependentDay {
    private struct History {
        var submission: JobSubmission
        /// When it started last; when it was cancelled, if it never did.
        var startedAt: SimInstant?
        var isRunning = false
        var end: EndState?
        /// The rules that were fulfilled once, by their places.
        var fulfilled: Set<Int> = []
        /// The highest number when it came.
        var highest: UInt32
    }

    private let seed: UInt64
    private var random: SplitMix64
    private var emulator: Emulator
    private var sink = RecordingSink()
    private var now = SimInstant.epoch
    private var jobs: [UInt32: History] = [:]
    private var last: UInt32 = 0

    init(seed: UInt64) {
        self.seed = seed
        random = SplitMix64(seed: seed, stream: "dependent day")
        var configuration = EmulatorConfiguration.uniform(
            nodeCount: random.draw(1...5),
            policy: random.below(2) == 0 ? .fcfs : .easy
        )
        configuration.endedJobsRemembered = 1_000
        emulator = Emulator(configuration)
    }

    mutating func run() {
        for _ in 0..<120 {
            step()
        }
    }

    private mutating func step() {
        let target = now + SimDuration(seconds: Int64(random.draw(0...90)))
        while let wake = sink.wakes.min(), wake <= target {
            sink.wakes.removeAll { $0 == wake }
            now = max(now, wake)
            feed(.timer)
        }
        now = target
        let running = jobs.filter { $1.isRunning }.keys.sorted()
        let waiting = jobs.filter { !$1.isRunning && $1.end == nil }.keys.sorted()
        switch random.below(10) {
        case 0..<4: submit()
        case 4..<7 where !running.isEmpty:
            let id = running[random.draw(0...(running.count - 1))]
            let state: EndState = random.below(3) == 0 ? .failed : .completed
            jobs[id]?.isRunning = false
            jobs[id]?.end = state
            feed(.jobEnded(JobID(id), state))
        case 7 where !running.isEmpty:
            let id = running[random.draw(0...(running.count - 1))]
            jobs[id]?.isRunning = false
            feed(.requeue(JobID(id)))
        case 8 where !waiting.isEmpty:
            let id = waiting[random.draw(0...(waiting.count - 1))]
            jobs[id]?.end = .cancelled
            if jobs[id]?.startedAt == nil { jobs[id]?.startedAt = now }
            feed(.cancel(JobID(id)))
        default:
            guard !jobs.allSatisfy({ $1.end != nil }) else { return }
            let active = running + waiting
            let id = active[random.draw(0...(active.count - 1))]
            let name = ["a", "b", "c"][random.draw(0...2)]
            jobs[id]?.submission.name = name
            feed(.changeName(JobID(id), name))
        }
    }

    private mutating func submit() {
        let number = last + 1
        var job = JobSubmission(
            id: JobID(number),
            request: .wholeNodes(1),
            timeLimit: SimDuration(seconds: Int64(random.draw(1...500)))
        )
        job.name = ["a", "b", "c"][random.draw(0...2)]
        job.user = Int32(random.draw(1...2))
        job.dependencies = (0..<random.draw(0...2)).map { _ in someDependency(number) }
        job.needsAnyDependency = random.below(3) == 0
        // Of several of which one is enough, a singleton that was next once is done with.
        if job.needsAnyDependency { job.dependencies.removeAll { $0.kind == .singleton } }
        jobs[number] = History(submission: job, highest: last)
        last = number
        feed(.submit(job))
    }

    private mutating func someDependency(_ number: UInt32) -> Dependency {
        let kinds = Dependency.Kind.allCases
        let kind = kinds[random.draw(0...(kinds.count - 1))]
        guard kind != .singleton else { return .singleton }
        // Some numbers were never given.
        let first = UInt32(random.draw(max(1, Int(number) - 8)...(Int(number) + 2)))
        guard first != number else { return .unknown(kind) }
        let length = first < number ? UInt32(random.draw(0...3)) : 0
        let jobs = first...min(first + length, max(first, number - 1))
        let delay = kind == .after ? Int64(random.draw(0...3)) * 60 : 0
        return Dependency(kind, jobs, delay: SimDuration(seconds: delay))
    }

    private mutating func feed(_ input: Input) {
        do {
            try emulator.handle(input, at: now, into: &sink)
        } catch {
            Issue.record("seed \(seed): \(input) was refused: \(error)")
        }
        emulator.schedulingPass(at: now, into: &sink)
        emulator.checkInvariants()
        for (id, instant) in sink.starts where jobs[id.number]?.isRunning == false {
            guard emulator.phase(of: id) == .running else { continue }
            jobs[id.number]?.isRunning = true
            jobs[id.number]?.startedAt = instant
        }
        check()
    }

    // MARK: The plain reading

    private mutating func check() {
        for (number, job) in jobs where job.end == nil && !job.isRunning {
            let outcomes = job.submission.dependencies.enumerated().map { place, rule in
                job.fulfilled.contains(place) ? true : outcome(of: rule, number, job)
            }
            for (place, rule) in job.submission.dependencies.enumerated()
            where rule.kind != .singleton && outcomes[place] == true {
                jobs[number]?.fulfilled.insert(place)
            }
            let isAny = job.submission.needsAnyDependency
            let isFree =
                outcomes.isEmpty
                || (isAny ? outcomes.contains(true) : outcomes.allSatisfy { $0 == true })
            let isHopeless =
                !isFree
                && (isAny ? outcomes.allSatisfy { $0 == nil } : outcomes.contains { $0 == nil })
            let reason = emulator.pendingReason(of: JobID(number))
            let expected: PendingReason? =
                isFree ? nil : isHopeless ? .dependencyNeverSatisfied : .dependency
            let waits = reason == .dependency || reason == .dependencyNeverSatisfied
            #expect(
                expected == (waits ? reason : nil),
                "job \(number) at \(now) \(Seeds.note(seed, "Dependencies"))"
            )
        }
    }

    /// True: fulfilled; false: open; nil: it never will be.
    private func outcome(of dependency: Dependency, _ number: UInt32, _ own: History) -> Bool? {
        if dependency.kind == .singleton {
            return !jobs.contains { id, other in
                id != number && other.end == nil
                    && other.submission.name == own.submission.name
                    && other.submission.user == own.submission.user
                    && (other.isRunning || id < number)
            }
        }
        let others = dependency.jobs.filter { $0 <= own.highest }.compactMap { jobs[$0] }
        let hasEnded = others.allSatisfy { $0.end != nil }
        let isWell = others.allSatisfy { $0.end == .completed }
        switch dependency.kind {
        case .after:
            return others.allSatisfy { other in
                other.startedAt.map { now - $0 >= dependency.delay } ?? false
            }
        case .afterAny, .afterBurstBuffer, .singleton: return hasEnded
        case .afterOK, .afterCorresponding: return hasEnded ? (isWell ? true : nil) : false
        case .afterNotOK:
            return hasEnded ? (others.isEmpty || !isWell ? true : nil) : false
        }
    }
}
