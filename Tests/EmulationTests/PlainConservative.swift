import EmulatorTestSupport
import JobModel
import Quantities
import Scheduling

/// Both kinds of conservative backfilling and Slurm's form as the documentation states them, on
/// equal whole nodes: a plan is a list of (from, until, nodes), and every question goes through all
/// of it. A job without run time is planned for a microsecond.
struct PlainConservative {
    struct Place {
        var id: JobID
        var from: Int64
        var until: Int64
        var nodes: Int32
    }

    let nodeCount: Int32
    /// Whether promises are kept (`compress`) or made anew at each pass (`replan`).
    let keepsPromises: Bool
    /// The bounds of `BackfillPolicy.slurm`; nil for the others.
    let slurm: SlurmBackfill?
    private var waiting: [World.Arrival] = []
    private var running: [Place] = []
    private var promises: [JobID: Place] = [:]
    /// When each job started. Unit: µs.
    private(set) var starts: [JobID: Int64] = [:]

    init(nodeCount: Int, _ policy: SchedulingPolicy) {
        self.nodeCount = Int32(nodeCount)
        keepsPromises = policy.backfill == .conservativeCompress
        slurm = policy.backfill == .slurm ? policy.slurm : nil
    }

    /// Runs a day in batched order; a promise that falls due is an instant of its own.
    mutating func run(_ arrivals: [World.Arrival]) {
        var next = 0
        var ends: [(at: Int64, order: Int, id: JobID)] = []
        var order = 0
        while true {
            var instants = ends.map(\.at) + promises.values.map(\.from)
            if next < arrivals.count { instants.append(arrivals[next].at.microseconds) }
            guard let now = instants.min() else { return }
            let over = ends.filter { $0.at == now }.sorted { $0.order < $1.order }
            ends.removeAll { $0.at == now }
            for end in over { finish(end.id, now) }
            while next < arrivals.count, arrivals[next].at.microseconds == now {
                let fits = arrivals[next].submission.request.chunkCount <= nodeCount
                if fits { waiting.append(arrivals[next]) }
                next += 1
            }
            for arrival in pass(now) {
                let limit = arrival.submission.timeLimit.microseconds
                ends.append((now + min(arrival.runTime, limit), order, arrival.submission.id))
                order += 1
            }
        }
    }

    private mutating func finish(_ id: JobID, _ now: Int64) {
        running.removeAll { $0.id == id }
        guard keepsPromises else { return }
        for arrival in waiting {
            let id = arrival.submission.id
            guard let old = promises[id], old.from > now else { continue }
            promises[id] = nil
            promises[id] = earliest(arrival, now, plan: running + promises.values)
        }
    }

    private mutating func pass(_ now: Int64) -> [World.Arrival] {
        if let slurm { return pass(now, slurm) }
        var started: [World.Arrival] = []
        var plan = running
        for arrival in waiting {
            let id = arrival.submission.id
            var place: Place
            if keepsPromises {
                place = promises[id] ?? earliest(arrival, now, plan: running + promises.values)
                promises[id] = place
            } else {
                place = earliest(arrival, now, plan: plan)
                plan.append(place)
            }
            guard place.from <= now else { continue }
            place.from = now
            place.until = now + max(1, arrival.submission.timeLimit.microseconds)
            promises[id] = nil
            running.append(place)
            starts[id] = now
            started.append(arrival)
        }
        waiting.removeAll { starts[$0.submission.id] != nil }
        return started
    }

    private mutating func pass(_ now: Int64, _ rules: SlurmBackfill) -> [World.Arrival] {
        let resolution = Int64(rules.resolution) * 1_000_000
        func whole(_ time: Int64) -> Int64 { (time + resolution - 1) / resolution * resolution }
        var plan = running.map { job in
            Place(id: job.id, from: job.from, until: whole(job.until), nodes: job.nodes)
        }
        var started: [World.Arrival] = []
        var reserved = 0
        for arrival in waiting.prefix(rules.depth) {
            let limit = max(1, arrival.submission.timeLimit.microseconds)
            var place = earliest(arrival, now, plan: plan, length: whole(limit))
            let isNow = place.from == now
            if !isNow {
                let isFar = place.from > now + Int64(rules.window) * 60_000_000
                guard !isFar, reserved < rules.reservations else { continue }
                reserved += 1
            }
            plan.append(place)
            guard isNow else { continue }
            place.until = now + limit
            running.append(place)
            starts[place.id] = now
            started.append(arrival)
        }
        waiting.removeAll { starts[$0.submission.id] != nil }
        return started
    }

    private func earliest(_ arrival: World.Arrival, _ now: Int64, plan: [Place]) -> Place {
        let length = max(1, arrival.submission.timeLimit.microseconds)
        return earliest(arrival, now, plan: plan, length: length)
    }

    /// The earliest place in a plan: now, or the end of something in it.
    private func earliest(
        _ arrival: World.Arrival,
        _ now: Int64,
        plan: [Place],
        length: Int64
    ) -> Place {
        let nodes = arrival.submission.request.chunkCount
        let instants = Set(plan.map(\.until).filter { $0 > now } + [now]).sorted()
        let from = instants.first { from in
            // Use only grows where something begins.
            let corners = [from] + plan.map(\.from).filter { $0 > from && $0 < from + length }
            return corners.allSatisfy { corner in
                let used = plan.filter { $0.from <= corner && corner < $0.until }
                return used.reduce(nodes) { $0 + $1.nodes } <= nodeCount
            }
        }
        guard let from else { preconditionFailure("the last end leaves all nodes free") }
        return Place(id: arrival.submission.id, from: from, until: from + length, nodes: nodes)
    }
}
