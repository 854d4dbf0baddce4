import ClusterModel
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling

/// Both kinds of conservative backfilling and Slurm's form as the documentation states them, where
/// nodes differ, are shared and are named: a plan is a list of places, what is free at an instant
/// is counted from all of it, and the earliest place is found by trying every instant.
struct PlainPlanner {
    struct Place {
        var id: JobID
        var spot: PlainScheduler.Spot
        var from: Int64
        var until: Int64
    }

    let policy: SchedulingPolicy
    /// For what it knows of placing jobs on nodes.
    private var rules: PlainScheduler
    private var running: [Place] = []
    private var promises: [JobID: Place] = [:]
    /// When each job started. Unit: µs.
    private(set) var starts: [JobID: Int64] = [:]

    init(world: World, _ policy: SchedulingPolicy) {
        self.policy = policy
        rules = PlainScheduler(world: world)
    }

    private var keepsPromises: Bool { policy.backfill == .conservativeCompress }

    /// Runs the world's day in batched order; a promise that falls due is an instant of its own.
    mutating func run() {
        let arrivals = rules.world.arrivals
        var next = 0
        var ends: [(at: Int64, order: Int, id: JobID)] = []
        while true {
            var instants = ends.map(\.at) + promises.values.map(\.from)
            if next < arrivals.count { instants.append(arrivals[next].at.microseconds) }
            guard let now = instants.min() else { return }
            let over = ends.filter { $0.at == now }.sorted { $0.order < $1.order }
            ends.removeAll { $0.at == now }
            for end in over { finish(end.id, now) }
            while next < arrivals.count, arrivals[next].at.microseconds == now {
                rules.admit(arrivals[next])
                next += 1
            }
            let known = Set(starts.keys)
            for group in rules.groups { pass(now, in: group) }
            for id in starts.keys.filter({ !known.contains($0) }) {
                guard let arrival = arrivals.first(where: { $0.submission.id == id }) else {
                    continue
                }
                let limit = arrival.submission.timeLimit.microseconds
                // Jobs start in the order of the passes; ends of one instant come in that order.
                let order = running.firstIndex { $0.id == id } ?? 0
                ends.append((now + min(arrival.runTime, limit), order + starts.count * 1_000, id))
            }
        }
    }

    private func queue(_ group: [Int]) -> [PlainScheduler.Waiting] {
        rules.waiting.filter { $0.partitions.contains(where: group.contains) }
    }

    private func group(of job: PlainScheduler.Waiting) -> [Int] {
        rules.groups.first { $0.contains(where: job.partitions.contains) } ?? []
    }

    private mutating func finish(_ id: JobID, _ now: Int64) {
        let ended = running.first { $0.id == id }
        running.removeAll { $0.id == id }
        guard keepsPromises, let ended else { return }
        for job in rules.waiting where group(of: job).contains(ended.spot.partition) {
            guard let old = promises[job.id], old.from > now else { continue }
            promises[job.id] = nil
            promises[job.id] = earliest(job, now, running + promises.values, length(job))
        }
    }

    private mutating func pass(_ now: Int64, in group: [Int]) {
        let rules = policy.slurm
        let resolution = policy.backfill == .slurm ? Int64(rules.resolution) * 1_000_000 : 1
        func whole(_ time: Int64) -> Int64 { (time + resolution - 1) / resolution * resolution }
        var plan = running.map { place in
            var place = place
            place.until = whole(place.until)
            return place
        }
        var (tested, reserved) = (0, 0)
        for job in queue(group) {
            var place: Place?
            switch policy.backfill {
            case .slurm:
                guard tested < rules.depth else { continue }
                place = earliest(job, now, plan, whole(length(job)))
                tested += place == nil ? 0 : 1
            case .conservativeCompress:
                place =
                    promises[job.id] ?? earliest(job, now, running + promises.values, length(job))
                promises[job.id] = place
            default: place = earliest(job, now, plan, length(job))
            }
            guard let place else { continue }
            if place.from > now, policy.backfill == .slurm {
                let isFar = place.from > now + Int64(rules.window) * 60_000_000
                guard !isFar, reserved < rules.reservations else { continue }
                reserved += 1
            }
            plan.append(place)
            guard place.from <= now else { continue }
            promises[job.id] = nil
            start(job, place, now)
        }
    }

    private mutating func start(_ job: PlainScheduler.Waiting, _ place: Place, _ now: Int64) {
        var own = place
        own.until = now + length(job)
        running.append(own)
        starts[job.id] = now
        rules.waiting.removeAll { $0.id == job.id }
    }

    /// A job without run time is planned for a microsecond.
    private func length(_ job: PlainScheduler.Waiting) -> Int64 { max(1, job.limit) }

    /// The earliest place in a plan: now, or where something in it ends, or where a window begins
    /// that ends where something in it begins.
    private func earliest(
        _ job: PlainScheduler.Waiting,
        _ now: Int64,
        _ plan: [Place],
        _ length: Int64
    ) -> Place? {
        let corners = plan.map(\.until) + plan.map { $0.from - length }
        for from in Set(corners.filter { $0 > now } + [now]).sorted() {
            guard hasLicenses(job.id, plan, from, from + length) else { continue }
            let free = least(plan, from, from + length)
            if let spot = rules.place(job, in: group(of: job), on: free) {
                return Place(id: job.id, spot: spot, from: from, until: from + length)
            }
        }
        return nil
    }

    /// Whether the licences of a job are free at each instant of `[from, until)`.
    private func hasLicenses(
        _ id: JobID,
        _ plan: [Place],
        _ from: Int64,
        _ until: Int64
    ) -> Bool {
        let instants = [from] + plan.map(\.from).filter { $0 > from && $0 < until }
        return needs(of: id).allSatisfy { need in
            instants.allSatisfy { instant in
                let holders = plan.filter { $0.from <= instant && instant < $0.until }
                let held = holders.reduce(Int64(need.count)) { sum, place in
                    let own = needs(of: place.id).filter { $0.license == need.license }
                    return own.reduce(sum) { $0 + Int64($1.count) }
                }
                return held <= rules.world.configuration.licenses[Int(need.license)]
            }
        }
    }

    private func needs(of id: JobID) -> [LicenseNeed] {
        rules.world.arrivals[Int(id.number) - 1].submission.licenses
    }

    /// The least that each node has free of everything during `[from, until)`.
    private func least(_ plan: [Place], _ from: Int64, _ until: Int64) -> [PlainScheduler.Node] {
        let instants = [from] + plan.map(\.from).filter { $0 > from && $0 < until }
        var least: [PlainScheduler.Node]?
        for instant in instants {
            var nodes = rules.idle()
            for place in plan where place.from <= instant && instant < place.until {
                rules.take(place.spot, &nodes)
            }
            guard let before = least else {
                least = nodes
                continue
            }
            least = zip(before, nodes).map { $0.minimum($1) }
        }
        return least ?? rules.idle()
    }
}

extension PlainScheduler.Node {
    /// What both have free.
    func minimum(_ other: Self) -> Self {
        var least = self
        least.cores = min(cores, other.cores)
        least.memory = min(memory, other.memory)
        least.cards = zip(cards, other.cards).map { min($0, $1) }
        least.jobs = max(jobs, other.jobs)
        return least
    }
}
