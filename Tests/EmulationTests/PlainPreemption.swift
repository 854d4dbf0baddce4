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
        rules.mode = [.cancel, .requeue, .requeue, .suspend][random.draw(0...3)]
        rules.exemptSeconds = Int32(random.draw(0...1) * random.draw(0...20))
        for number in 0..<4 {
            var own = number == 0 ? QOS.normal : QOS(name: "q\(number)")
            own.priority = Int32(random.draw(0...3))
            // Only ever downwards, so there is no circle.
            own.preempts = (0..<number).filter { _ in random.below(2) == 0 }.map { qos[$0].name }
            own.preemptMode =
                [.cluster, .cluster, .cancel, .requeue, .suspend, .off][random.draw(0...5)]
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
        /// Who has got its nodes while it stands still.
        var lent: [Int: Int] = [:]
        /// Since when it stands still, and how long it did before.
        var since: Int64?
        var stood: Int64 = 0

        /// When it is over, however long it may run.
        func end(after length: Int64) -> Int64 { start + stood + length }
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
            for run in running where run.since == nil && run.end(after: run.job.run) == now {
                leave(run.job.id, now)
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

    /// How many steps down a QOS preempts those of whom there are jobs.
    private func level(_ qos: Int) -> Int {
        let present = Set(running.map(\.job.qos) + waiting.map(\.qos))
        let below = world.qos.indices.filter {
            present.contains($0) && world.qos[qos].preempts.contains(world.qos[$0].name)
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

    /// Takes a run away: what it had borrowed goes back, or is owed by those that it lent it to.
    private mutating func leave(_ id: Int, _ now: Int64) {
        guard let place = running.firstIndex(where: { $0.job.id == id }) else { return }
        let run = running.remove(at: place)
        for index in running.indices {
            for (node, borrower) in running[index].lent where borrower == id {
                running[index].lent[node] = run.lent[node]
            }
            guard let since = running[index].since, running[index].lent.isEmpty else { continue }
            running[index].stood += now - since
            running[index].since = nil
            story.append("\(now) \(running[index].job.id) goes on")
        }
    }

    private mutating func evict(_ run: Run, _ now: Int64) {
        leave(run.job.id, now)
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
            let candidates = running.filter { mayStop($0, for: job, now) }.sorted {
                let (left, right) = (world.qos[$0.job.qos], world.qos[$1.job.qos])
                return (Int(left.priority), $0.job.nodes, $0.job.id)
                    < (Int(right.priority), $1.job.nodes, $1.job.id)
            }
            guard let first = fewest(candidates, job) else { return isChanged() }
            var victims = first.victims
            let order = candidates.enumerated().sorted {
                let left = -$0.element.nodes.intersection(first.nodes).count
                let right = -$1.element.nodes.intersection(first.nodes).count
                return (left, $0.offset) < (right, $1.offset)
            }
            if let again = fewest(order.map(\.element), job),
                again.victims.count < victims.count
            {
                victims = again.victims
            }
            var mustWait = false
            for victim in victims where mode(victim.job) != .suspend {
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
            start(job, now, over: victims.map(\.job.id))
        }
        return isChanged()
    }

    /// Starts a job on the lowest nodes that are idle or that those make free who stand still for it.
    private mutating func start(_ job: PreemptionWorld.Job, _ now: Int64, over victims: [Int]) {
        let lenders = running.filter { mode($0.job) == .suspend && victims.contains($0.job.id) }
        let active = lenders.reduce(into: Set<Int>()) {
            $0.formUnion($1.nodes.subtracting($1.lent.keys))
        }
        let nodes = Set(idle.union(active).sorted().prefix(job.nodes))
        for index in running.indices
        where lenders.contains(where: { $0.job.id == running[index].job.id }) {
            let own = running[index].nodes.subtracting(running[index].lent.keys)
            for node in own.intersection(nodes) { running[index].lent[node] = job.id }
            guard !running[index].lent.isEmpty, running[index].since == nil else { continue }
            running[index].since = now
            story.append("\(now) \(running[index].job.id) stands still")
        }
        waiting.removeAll { $0.id == job.id }
        running.append(Run(job: job, nodes: nodes, start: now))
        story.append("\(now) \(job.id) starts on \(nodes.sorted())")
    }

    /// Whether a node is free when some make way: who has it does, and whoever would get it back then.
    private func isFree(_ node: Int, without gone: Set<Int>) -> Bool {
        var holder = running.first { $0.nodes.contains(node) && $0.lent[node] == nil }
        while let own = holder {
            guard gone.contains(own.job.id) else { return false }
            if mode(own.job) == .suspend { return true }
            holder = running.first { $0.lent[node] == own.job.id }
        }
        return true
    }

    private func mayStop(_ run: Run, for job: PreemptionWorld.Job, _ now: Int64) -> Bool {
        let own = world.qos[run.job.qos]
        let exempt =
            own.preemptExemptSeconds > 0 ? own.preemptExemptSeconds : world.rules.exemptSeconds
        return mode(run.job) != .off && world.qos[job.qos].preempts.contains(own.name)
            && (mode(run.job) == .suspend || run.start + Int64(exempt) <= now)
    }

    /// One after the other goes until there is room; those whose nodes are not needed stay.
    private func fewest(
        _ candidates: [Run],
        _ job: PreemptionWorld.Job
    ) -> (victims: [Run], nodes: Set<Int>)? {
        for place in candidates.indices {
            let gone = Set(candidates.prefix(place + 1).map(\.job.id))
            let free = (0..<world.nodeCount).filter { isFree($0, without: gone) }
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
        let ends = running.map { (end: expectedEnd(of: $0), nodes: $0.nodes) }
        for end in ends.map(\.end).sorted() {
            let held = ends.filter { $0.end > end }.reduce(into: Set<Int>()) {
                $0.formUnion($1.nodes)
            }
            let free = world.nodeCount - held.count
            if free >= job.nodes { return (end, free - job.nodes) }
        }
        preconditionFailure("job \(job.id) fits when all have ended")
    }

    /// Who stands still goes on when the last of those ends that have its nodes.
    private func expectedEnd(of run: Run) -> Int64 {
        guard let since = run.since else {
            return min(run.end(after: run.job.limit), run.graceEnd ?? .max)
        }
        let borrowers = running.filter { run.lent.values.contains($0.job.id) }
        let back = borrowers.map { expectedEnd(of: $0) }.max() ?? since
        return back + run.job.limit - (since - run.start - run.stood)
    }
}
