import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling

/// Reservations and outages as docs/scheduling.md states them, under FCFS, EASY and conservative
/// backfilling: each question is answered by looking at every node, every reservation and every time
/// at which one of them ends.
struct PlainReservations {
    struct Held {
        var terms: Reservation
        var nodes: Set<Int>
        var isActive = false
        var id: ReservationID { terms.id }
    }

    struct Run {
        var id: JobID
        var reservation: ReservationID?
        var spot: PlainScheduler.Spot
        var from: Int64
        /// When it is planned to end.
        var until: Int64
    }

    let day: ReservedDay
    let policy: SchedulingPolicy
    private var rules: PlainScheduler
    private var held: [Held] = []
    /// Nodes that are out of service, and when they are expected back.
    private var out: [Int: Int64?] = [:]
    /// Jobs whose reservation is gone.
    private var lost: Set<JobID> = []
    private var running: [Run] = []
    /// When runs really end. Unit: µs.
    private var ends: [JobID: Int64] = [:]
    private var now: Int64 = 0
    private(set) var starts: [JobID: SimInstant] = [:]
    private(set) var refused: Set<Int> = []

    init(_ day: ReservedDay, _ policy: SchedulingPolicy) {
        self.day = day
        self.policy = policy
        rules = PlainScheduler(world: day.world)
    }

    // MARK: The day

    mutating func run() {
        var arrivals = day.world.arrivals[...]
        var next = 0
        var idleCount = 0
        now = -1
        while true {
            let turns = held.flatMap {
                [$0.terms.start.microseconds, $0.terms.end.microseconds].filter { $0 > now }
            }
            let returns = out.values.compactMap(\.self).filter { $0 > now }
            var work = Array(ends.values) + returns
            if let arrival = arrivals.first { work.append(arrival.at.microseconds) }
            if next < day.events.count { work.append(day.events[next].at.microseconds) }
            // Reservations that come back daily go on for ever; a few rounds show who waits in vain.
            idleCount = work.isEmpty ? idleCount + 1 : 0
            guard let instant = (work + turns).min(), idleCount < 40 else { return }
            now = instant
            for id in ends.filter({ $0.value == now }).map(\.key) { finish(id) }
            while next < day.events.count, day.events[next].at.microseconds == now {
                if !apply(day.events[next].input) { refused.insert(next) }
                next += 1
            }
            while let arrival = arrivals.first, arrival.at.microseconds == now {
                submit(arrival)
                arrivals.removeFirst()
            }
            turn()
            for group in rules.groups { pass(in: group) }
        }
    }

    private mutating func finish(_ id: JobID) {
        running.removeAll { $0.id == id }
        ends[id] = nil
    }

    private mutating func submit(_ arrival: World.Arrival) {
        if let id = arrival.submission.reservation {
            guard let own = held.first(where: { $0.id == id }),
                own.terms.users.admits(arrival.submission.user)
            else { return }
        }
        rules.admit(arrival)
    }

    private mutating func apply(_ input: Input) -> Bool {
        switch input {
        case .nodesDown(let nodes):
            for node in nodes {
                out[node] = .some(nil)
                for run in running where run.spot.shares[node] != nil { finish(run.id) }
            }
        case .nodesDrained(let nodes): for node in nodes { out[node] = .some(nil) }
        case .nodesResumed(let nodes): for node in nodes { out[node] = nil }
        case .nodesExpected(let nodes, let instant):
            for node in nodes where out[node] != nil { out[node] = .some(instant?.microseconds) }
        case .createReservation(let terms): return create(terms)
        default: preconditionFailure("no operator does \(input) here")
        }
        return true
    }

    // MARK: Reservations

    /// The times of a reservation that end after now, as far as a day of jobs can see.
    private func times(_ terms: Reservation) -> [(start: Int64, end: Int64)] {
        let day: Int64 = 86_400_000_000
        let repeats: Int64 = terms.flags.contains(.daily) ? 12 : 0
        return (0...repeats).map { count in
            (terms.start.microseconds + count * day, terms.end.microseconds + count * day)
        }
    }

    private mutating func create(_ terms: Reservation) -> Bool {
        guard terms.start < terms.end, terms.end.microseconds > now else { return false }
        var own = Held(terms: terms, nodes: [])
        if !terms.flags.contains(.anyNodes) {
            var reserved: Set<Int> = []
            if terms.flags.isDisjoint(with: [.maint, .overlap]) {
                for other in held {
                    let meets = times(terms).contains { mine in
                        times(other.terms).contains { $0.start < mine.end && mine.start < $0.end }
                    }
                    if meets { reserved.formUnion(other.nodes) }
                }
            }
            var busy: Set<Int> = []
            if !terms.flags.contains(.ignoreJobs) {
                for run in running where deadline(run) > terms.start.microseconds {
                    busy.formUnion(run.spot.shares.keys)
                }
            }
            switch terms.extent {
            case .nodes(let nodes):
                own.nodes = Set(nodes)
                guard own.nodes.isDisjoint(with: reserved), own.nodes.isDisjoint(with: busy) else {
                    return false
                }
            case .nodeCount(let count, let partition):
                let nodes = day.world.configuration.partitions[partition].nodes.filter { node in
                    !reserved.contains(node) && !busy.contains(node)
                        && (terms.flags.contains(.maint) || out[node] == nil)
                }
                guard nodes.count >= Int(count) else { return false }
                own.nodes = Set(nodes.prefix(Int(count)))
            case .coreCount: preconditionFailure("no day draws cores")
            }
        }
        held.append(own)
        held.sort { $0.id < $1.id }
        return true
    }

    private func deadline(_ run: Run) -> Int64 { run.until }

    /// Begins and ends reservations.
    private mutating func turn() {
        for own in held {
            guard let index = held.firstIndex(where: { $0.id == own.id }) else { continue }
            let isOver = own.terms.end.microseconds <= now
            if isOver, own.terms.flags.contains(.daily) {
                while held[index].terms.end.microseconds <= now {
                    held[index].terms.start = held[index].terms.start + SimDuration(seconds: 86_400)
                    held[index].terms.end = held[index].terms.end + SimDuration(seconds: 86_400)
                }
                held[index].isActive = false
            } else if isOver {
                held.remove(at: index)
                for job in rules.waiting where job.arrival.submission.reservation == own.id {
                    lost.insert(job.id)
                }
            } else if own.terms.start.microseconds <= now {
                held[index].isActive = true
            }
        }
    }

    /// Whether a node is closed to a job that would hold it from an instant on.
    private func isClosed(_ node: Int, to job: PlainScheduler.Waiting, from: Int64) -> Bool {
        let until = from + max(1, job.limit)
        if let expected = out[node] {
            guard let expected, expected > now, expected <= from else { return true }
        }
        let own = held.first { $0.id == job.arrival.submission.reservation }
        for other in held where other.id != own?.id && other.nodes.contains(node) {
            if let own, !own.terms.flags.isDisjoint(with: [.maint, .overlap]) { continue }
            if times(other.terms).contains(where: { $0.start < until && from < $0.end }) {
                return true
            }
        }
        guard let own, !own.terms.flags.contains(.flex) else { return false }
        if from >= own.terms.end.microseconds { return true }
        return !own.terms.flags.contains(.anyNodes) && !own.nodes.contains(node)
    }

    /// Nodes without those that are closed to a job.
    private func open(
        _ nodes: [PlainScheduler.Node],
        to job: PlainScheduler.Waiting,
        from: Int64
    ) -> [PlainScheduler.Node] {
        var nodes = nodes
        for index in nodes.indices where isClosed(index, to: job, from: from) {
            nodes[index].cores = 0
            nodes[index].memory = -1
            nodes[index].cards = nodes[index].cards.map { _ in 0 }
            nodes[index].jobs += 1
        }
        return nodes
    }

    /// The instants after now at which nodes open.
    private var openings: [Int64] {
        let ends = held.flatMap { times($0.terms).map(\.end) }
        return (ends + out.values.compactMap(\.self)).filter { $0 > now }
    }

    private func mayEverStart(_ job: PlainScheduler.Waiting, in group: [Int]) -> Bool {
        ([now] + openings).contains { instant in
            rules.place(job, in: group, on: open(rules.idle(), to: job, from: instant)) != nil
        }
    }

    // MARK: Passes

    private func end(_ run: Run) -> Int64 { run.until <= now ? now + 1_000_000 : run.until }

    private func free(where holds: (Run) -> Bool = { _ in true }) -> [PlainScheduler.Node] {
        var nodes = rules.idle()
        for run in running where holds(run) { rules.take(run.spot, &nodes) }
        return nodes
    }

    /// The queues of reservations first, then the common one.
    private mutating func pass(in group: [Int]) {
        let lanes = held.filter { $0.isActive || $0.terms.flags.contains(.flex) }.map(\.id)
        for lane in lanes.map(Optional.some) + [nil] {
            switch policy.backfill {
            case .conservative: plan(lane, group)
            default: backfill(lane, group)
            }
        }
    }

    private func queue(_ lane: ReservationID?, _ group: [Int]) -> [PlainScheduler.Waiting] {
        rules.waiting.filter {
            $0.arrival.submission.reservation == lane && !lost.contains($0.id)
                && $0.partitions.contains(where: group.contains)
        }
    }

    private mutating func start(_ job: PlainScheduler.Waiting, _ spot: PlainScheduler.Spot) {
        let own = held.first { $0.id == job.arrival.submission.reservation }
        var limit = job.limit
        if let own, !own.terms.flags.contains(.flex) {
            limit = min(limit, own.terms.end.microseconds - now)
        }
        running.append(
            Run(id: job.id, reservation: own?.id, spot: spot, from: now, until: now + limit)
        )
        ends[job.id] = now + min(job.arrival.runTime, limit)
        starts[job.id] = SimInstant(microseconds: now)
        rules.waiting.removeAll { $0.id == job.id }
    }

    private mutating func backfill(_ lane: ReservationID?, _ group: [Int]) {
        var passedOver: Set<JobID> = []
        func rest() -> [PlainScheduler.Waiting] {
            queue(lane, group).filter { !passedOver.contains($0.id) }
        }
        var promise: (instant: Int64, spot: PlainScheduler.Spot)?
        var before = running
        while promise == nil, let first = rest().first {
            if let spot = rules.place(first, in: group, on: open(free(), to: first, from: now)) {
                start(first, spot)
            } else if policy.backfill != .none {
                // Who has no promise is passed over.
                before = running
                promise = self.promise(to: first, before, group)
                if promise == nil { passedOver.insert(first.id) }
            } else if mayEverStart(first, in: group) {
                return
            } else {
                passedOver.insert(first.id)
            }
        }
        guard let promise, let head = rest().first else { return }
        var beyond: [PlainScheduler.Spot] = []
        var candidates = Array(rest().dropFirst())
        if policy.backfill == .easySJBF {
            candidates.sort { rules.goesBefore($0, $1) { $0.limit } }
        }
        for candidate in candidates {
            let nodes = open(free(), to: candidate, from: now)
            guard var spot = rules.place(candidate, in: group, on: nodes) else { continue }
            if now + candidate.limit > promise.instant {
                var later = nodesAt(promise.instant, before)
                for other in beyond { rules.take(other, &later) }
                let shadow = PlainScheduler.Shadow(
                    head: head.arrival.submission,
                    partition: promise.spot.partition,
                    nodes: open(later, to: head, from: promise.instant)
                )
                if !rules.canPlaceHead(shadow, beside: spot) {
                    guard
                        let other = rules.place(candidate, in: group, beside: shadow, on: nodes),
                        rules.canPlaceHead(shadow, beside: other)
                    else { continue }
                    spot = other
                }
                beyond.append(spot)
            }
            start(candidate, spot)
        }
    }

    /// What nodes have free at an instant, of what ran before the backfilling.
    private func nodesAt(_ instant: Int64, _ before: [Run]) -> [PlainScheduler.Node] {
        var nodes = rules.idle()
        for run in before where end(run) > instant { rules.take(run.spot, &nodes) }
        return nodes
    }

    private func promise(
        to head: PlainScheduler.Waiting,
        _ before: [Run],
        _ group: [Int]
    ) -> (instant: Int64, spot: PlainScheduler.Spot)? {
        for instant in Set(before.map(end) + openings).sorted() {
            let nodes = open(nodesAt(instant, before), to: head, from: instant)
            if let spot = rules.place(head, in: group, on: nodes) { return (instant, spot) }
        }
        return nil
    }

    private mutating func plan(_ lane: ReservationID?, _ group: [Int]) {
        var plan = running.map { run in
            var run = run
            run.until = end(run)
            return run
        }
        for job in queue(lane, group) {
            let length = max(1, job.limit)
            let instants = Set([now] + (plan.map(\.until) + openings).filter { $0 > now }).sorted()
            for from in instants {
                let nodes = open(least(plan, from, from + length), to: job, from: from)
                guard let spot = rules.place(job, in: group, on: nodes) else { continue }
                plan.append(Run(id: job.id, spot: spot, from: from, until: from + length))
                if from == now { start(job, spot) }
                break
            }
        }
    }

    /// The least that each node has free during `[from, until)`.
    private func least(_ plan: [Run], _ from: Int64, _ until: Int64) -> [PlainScheduler.Node] {
        let instants = [from] + plan.map(\.from).filter { $0 > from && $0 < until }
        let states = instants.map { instant in
            var nodes = rules.idle()
            for run in plan where run.from <= instant && instant < run.until {
                rules.take(run.spot, &nodes)
            }
            return nodes
        }
        return states.dropFirst().reduce(states[0]) { zip($0, $1).map { $0.minimum($1) } }
    }
}
