import EmulatorTestSupport
import JobModel
import Quantities

/// Both kinds of conservative backfilling as the documentation states them, on equal whole nodes:
/// a plan is a list of (from, until, nodes), and every question goes through all of it.
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
    private var waiting: [World.Arrival] = []
    private var running: [Place] = []
    private var promises: [JobID: Place] = [:]
    /// When each job started. Unit: µs.
    private(set) var starts: [JobID: Int64] = [:]

    init(nodeCount: Int, keepsPromises: Bool) {
        self.nodeCount = Int32(nodeCount)
        self.keepsPromises = keepsPromises
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
            place.until = now + arrival.submission.timeLimit.microseconds
            promises[id] = nil
            running.append(place)
            starts[id] = now
            started.append(arrival)
        }
        waiting.removeAll { starts[$0.submission.id] != nil }
        return started
    }

    /// The earliest place in a plan: now, or the end of something in it.
    private func earliest(_ arrival: World.Arrival, _ now: Int64, plan: [Place]) -> Place {
        let length = arrival.submission.timeLimit.microseconds
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
