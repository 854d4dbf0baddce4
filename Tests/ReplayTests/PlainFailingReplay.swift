import IndexSets
import ReplayRuntime
import WorkloadFormats

/// FCFS and EASY on failing nodes from docs/scheduling.md and docs/replay.md: small, slow, and
/// sharing no code with the engine. Times in seconds.
struct PlainFailingReplay {
    struct Job {
        var submitted: Int
        var run: Int
        var limit: Int
        var size: Int
    }

    enum Service { case up, drained, down }

    let jobs: [Job]
    let isEasy: Bool
    let areJobsRequeued: Bool
    let checkpoint: Int?
    var service: [Service]
    var holder: [Int?]
    /// Jobs that wait, in order of submission.
    var queue: [Int] = []
    var begun: [Int: Int] = [:]
    var done: [Int]
    var started: [Int?]
    var ended: [Int?]
    var lostSeconds = 0
    var interruptions = 0

    init(
        _ jobs: [Job],
        nodeCount: Int,
        isEasy: Bool,
        areJobsRequeued: Bool,
        checkpoint: Int?
    ) {
        self.jobs = jobs
        self.isEasy = isEasy
        self.areJobsRequeued = areJobsRequeued
        self.checkpoint = checkpoint
        service = Array(repeating: .up, count: nodeCount)
        holder = Array(repeating: nil, count: nodeCount)
        done = Array(repeating: 0, count: jobs.count)
        started = Array(repeating: nil, count: jobs.count)
        ended = Array(repeating: nil, count: jobs.count)
    }

    private var free: [Int] { service.indices.filter { service[$0] == .up && holder[$0] == nil } }

    private func length(_ job: Int) -> Int { min(jobs[job].run - done[job], jobs[job].limit) }

    /// Goes through all seconds at which something happens.
    mutating func run(_ events: [(second: Int, nodes: [Int], kind: NodeEvent.Kind)]) {
        var now = -1
        while true {
            let times =
                jobs.map(\.submitted) + events.map(\.second)
                + begun.map { $0.value + length($0.key) }.filter { $0 > now }
            guard let next = times.filter({ $0 > now }).min() else { return }
            now = next
            // A job without run time ends at the instant at which it starts: another round.
            var isFirstRound = true
            repeat {
                for (job, start) in begun.sorted(by: { $0.key < $1.key })
                where start + length(job) == now {
                    ended[job] = now
                    vacate(job)
                }
                if isFirstRound { beginSecond(now, events) }
                isFirstRound = false
                schedule(now)
            } while begun.contains { $0.value + length($0.key) == now }
        }
    }

    private mutating func beginSecond(
        _ now: Int,
        _ events: [(second: Int, nodes: [Int], kind: NodeEvent.Kind)]
    ) {
        for event in events where event.second == now {
            for node in event.nodes { apply(event.kind, to: node, now) }
        }
        queue = (queue + jobs.indices.filter { jobs[$0].submitted == now && isNew($0) }).sorted()
    }

    private func isNew(_ job: Int) -> Bool {
        started[job] == nil && begun[job] == nil && !queue.contains(job)
            && jobs[job].size <= service.count
    }

    private mutating func apply(_ kind: NodeEvent.Kind, to node: Int, _ now: Int) {
        switch kind {
        case .resume: service[node] = .up
        case .reserve: preconditionFailure("these days have no reservations")
        case .drain: service[node] = .drained
        case .fail, .down:
            service[node] = .down
            guard let job = holder[node], let start = begun[job] else { return }
            interruptions += 1
            vacate(job)
            let ran = now - start
            if areJobsRequeued {
                let kept = checkpoint.map { ran / $0 * $0 } ?? 0
                done[job] += kept
                lostSeconds += ran - kept
                started[job] = nil
                queue = (queue + [job]).sorted()
            } else {
                ended[job] = now
                lostSeconds += ran
            }
        }
    }

    private mutating func vacate(_ job: Int) {
        begun[job] = nil
        for node in holder.indices where holder[node] == job { holder[node] = nil }
    }

    private mutating func start(_ job: Int, _ now: Int) {
        for node in free.prefix(jobs[job].size) { holder[node] = job }
        started[job] = now
        begun[job] = now
        queue.removeAll { $0 == job }
    }

    private mutating func schedule(_ now: Int) {
        var head: (job: Int, shadow: Int, extra: Int)?
        let inService = service.count { $0 == .up }
        for job in queue where jobs[job].size <= inService {
            let isFree = jobs[job].size <= free.count
            if let blocked = head {
                let isBrief = now + jobs[job].limit <= blocked.shadow
                guard isFree, isBrief || jobs[job].size <= blocked.extra else { continue }
                if !isBrief { head?.extra -= jobs[job].size }
                start(job, now)
            } else if isFree {
                start(job, now)
            } else if !isEasy {
                return
            } else {
                head = shadow(of: job).map { (job, $0.time, $0.extra) }
            }
        }
    }

    /// When the job fits if all run to their limits; nil while too many nodes are out of service.
    private func shadow(of job: Int) -> (time: Int, extra: Int)? {
        var room = free.count
        let ends = begun.map { (end: $0.value + jobs[$0.key].limit, job: $0.key) }
        for time in Set(ends.map(\.end)).sorted() {
            for (end, other) in ends where end == time {
                room += holder.indices.count { holder[$0] == other && service[$0] == .up }
            }
            if room >= jobs[job].size { return (time, room - jobs[job].size) }
        }
        return nil
    }
}
