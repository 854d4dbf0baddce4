import Accounts
import Determinism
import Emulation
import JobModel
import Quantities
import Scheduling

/// A seeded centre of equal whole nodes with QOS that preempt one another.
struct PreemptionWorld {
    struct Job {
        var id: Int
        var submit: Int64
        var nodes: Int
        var limit: Int64
        var run: Int64
        var qos: Int
        var isRequeuable: Bool
    }

    let nodeCount: Int
    var qos: [QOS] = []
    var rules = PreemptionRules()
    var jobs: [Job] = []

    init(seed: UInt64) {
        var random = SplitMix64(seed: seed, stream: "preemption")
        nodeCount = random.draw(4...10)
        rules.basis = .qos
        rules.mode = random.below(3) == 0 ? .cancel : .requeue
        rules.exemptSeconds = Int32(random.draw(0...1) * random.draw(0...20))
        for number in 0..<4 {
            var own = number == 0 ? QOS.normal : QOS(name: "q\(number)")
            own.priority = Int32(random.draw(0...3))
            // Only ever downwards, so there is no circle.
            own.preempts = (0..<number).filter { _ in random.below(2) == 0 }.map { qos[$0].name }
            own.preemptMode =
                [.cluster, .cluster, .cancel, .requeue, .off][random.draw(0...4)]
            if random.below(3) == 0 { own.preemptExemptSeconds = Int32(random.draw(1...15)) }
            if random.below(3) == 0 { own.graceSeconds = Int32(random.draw(1...12)) }
            qos.append(own)
        }
        var submit: Int64 = 0
        for id in 1...50 {
            submit += Int64(random.draw(0...9))
            let limit = Int64(random.draw(1...60))
            jobs.append(
                Job(
                    id: id,
                    submit: submit,
                    nodes: random.draw(1...max(1, nodeCount / 2)),
                    limit: limit,
                    run: Int64(random.draw(1...Int(limit))),
                    qos: random.draw(0...3),
                    isRequeuable: random.below(4) > 0
                )
            )
        }
    }
}

/// The plain twin, written from docs/scheduling.md: second by second, node by node.
struct PlainPreemption {
    struct Run {
        var job: PreemptionWorld.Job
        var nodes: Set<Int>
        var start: Int64
        /// When its grace is over.
        var graceEnd: Int64?
    }

    let world: PreemptionWorld
    let isEasy: Bool
    private var running: [Run] = []
    private var waiting: [PreemptionWorld.Job] = []
    /// What happened, one line each.
    private(set) var story: [String] = []

    init(_ world: PreemptionWorld, isEasy: Bool) {
        self.world = world
        self.isEasy = isEasy
    }

    mutating func run() {
        var next = 0
        var now: Int64 = 0
        while next < world.jobs.count || !running.isEmpty || !waiting.isEmpty {
            for run in running where run.start + run.job.run == now {
                running.removeAll { $0.job.id == run.job.id }
                story.append("\(now) \(run.job.id) ends")
            }
            while next < world.jobs.count, world.jobs[next].submit == now {
                waiting.append(world.jobs[next])
                next += 1
            }
            for run in running where run.graceEnd == now { evict(run, now) }
            // Whoever had to stop may make others stop in turn.
            while preempt(now) {}
            pass(now)
            now += 1
        }
    }

    /// How many steps down a QOS preempts.
    private func level(_ qos: Int) -> Int {
        let below = world.qos.indices.filter {
            world.qos[qos].preempts.contains(world.qos[$0].name)
        }
        return below.map { level($0) + 1 }.max() ?? 0
    }

    private var queue: [PreemptionWorld.Job] {
        waiting.sorted { left, right in
            (-level(left.qos), left.submit, left.id) < (-level(right.qos), right.submit, right.id)
        }
    }

    private var idle: Set<Int> {
        running.reduce(into: Set(0..<world.nodeCount)) { $0.subtract($1.nodes) }
    }

    private mutating func start(_ job: PreemptionWorld.Job, _ now: Int64) {
        let nodes = Set(idle.sorted().prefix(job.nodes))
        waiting.removeAll { $0.id == job.id }
        running.append(Run(job: job, nodes: nodes, start: now))
        story.append("\(now) \(job.id) starts on \(nodes.sorted())")
    }

    private func mode(_ job: PreemptionWorld.Job) -> PreemptionRules.Mode {
        let own = world.qos[job.qos].preemptMode
        return own == .cluster ? world.rules.mode : own
    }

    private mutating func evict(_ run: Run, _ now: Int64) {
        running.removeAll { $0.job.id == run.job.id }
        if mode(run.job) == .requeue, run.job.isRequeuable {
            waiting.append(run.job)
            story.append("\(now) \(run.job.id) waits again")
        } else {
            story.append("\(now) \(run.job.id) is preempted")
        }
    }

    /// Whether anybody stopped and waits again.
    private mutating func preempt(_ now: Int64) -> Bool {
        let before = Set(waiting.map(\.id))
        func isChanged() -> Bool { waiting.contains { !before.contains($0.id) } }
        for job in queue where level(job.qos) > 0 {
            guard idle.count < job.nodes else {
                start(job, now)
                continue
            }
            guard !running.contains(where: { $0.graceEnd != nil }) else { return isChanged() }
            let free = idle
            let candidates = running.filter { mayStop($0, for: job, now) }.sorted {
                let (left, right) = (world.qos[$0.job.qos], world.qos[$1.job.qos])
                return (Int(left.priority), $0.job.nodes, $0.job.id)
                    < (Int(right.priority), $1.job.nodes, $1.job.id)
            }
            guard let first = fewest(candidates, free, job) else { return isChanged() }
            var victims = first.victims
            let order = candidates.enumerated().sorted {
                let left = -$0.element.nodes.intersection(first.nodes).count
                let right = -$1.element.nodes.intersection(first.nodes).count
                return (left, $0.offset) < (right, $1.offset)
            }
            if let again = fewest(order.map(\.element), free, job),
                again.victims.count < victims.count
            {
                victims = again.victims
            }
            var mustWait = false
            for victim in victims {
                let grace = Int64(world.qos[victim.job.qos].graceSeconds)
                if grace > 0, let place = running.firstIndex(where: { $0.job.id == victim.job.id })
                {
                    running[place].graceEnd = now + grace
                    mustWait = true
                } else {
                    evict(victim, now)
                }
            }
            if mustWait { return isChanged() }
            start(job, now)
        }
        return isChanged()
    }

    private func mayStop(_ run: Run, for job: PreemptionWorld.Job, _ now: Int64) -> Bool {
        let own = world.qos[run.job.qos]
        let exempt =
            own.preemptExemptSeconds > 0 ? own.preemptExemptSeconds : world.rules.exemptSeconds
        return mode(run.job) != .off
            && world.qos[job.qos].preempts.contains(own.name) && run.start + Int64(exempt) <= now
    }

    /// One after the other goes until there is room; those whose nodes are not needed stay.
    private func fewest(
        _ candidates: [Run],
        _ free: Set<Int>,
        _ job: PreemptionWorld.Job
    ) -> (victims: [Run], nodes: Set<Int>)? {
        var free = free
        for (place, run) in candidates.enumerated() {
            free.formUnion(run.nodes)
            guard free.count >= job.nodes else { continue }
            let nodes = Set(free.sorted().prefix(job.nodes))
            let victims = candidates.prefix(place + 1).filter { !$0.nodes.isDisjoint(with: nodes) }
            return (victims, nodes)
        }
        return nil
    }

    private mutating func pass(_ now: Int64) {
        var head: (shadow: Int64, extra: Int)?
        for job in queue {
            if let blocked = head {
                let isLong = now + job.limit > blocked.shadow
                guard job.nodes <= idle.count, !isLong || job.nodes <= blocked.extra else {
                    continue
                }
                if isLong { head?.extra -= job.nodes }
            } else if job.nodes > idle.count {
                guard isEasy else { return }
                head = shadow(of: job)
                continue
            }
            start(job, now)
        }
    }

    private func shadow(of job: PreemptionWorld.Job) -> (shadow: Int64, extra: Int) {
        let ends = running.map {
            (end: min($0.start + $0.job.limit, $0.graceEnd ?? .max), $0.job.nodes)
        }
        for end in ends.map(\.end).sorted() {
            let free = ends.filter { $0.end <= end }.reduce(idle.count) { $0 + $1.1 }
            if free >= job.nodes { return (end, free - job.nodes) }
        }
        preconditionFailure("job \(job.id) fits when all have ended")
    }
}
