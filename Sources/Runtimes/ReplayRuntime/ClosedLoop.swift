import WorkloadFormats

/// Jobs that are submitted when others have ended: users who wait for a result, think, and go on.
///
/// Their recorded submissions say when that was under the recorded schedule; under another one it is
/// another time. The driver takes jobs out in the order in which they are submitted.
struct ClosedLoop {
    /// A job that will be submitted at an instant. Unit: µs of trace time.
    private struct Arrival {
        var instant: Int64
        var job: Int32

        func goesBefore(_ other: Self) -> Bool { (instant, job) < (other.instant, other.job) }
    }

    private let jobs: ContiguousArray<TraceJob>
    private let links: JobLinks
    /// A job that follows each job, then one that follows the same: −1 ends a chain.
    private var firstFollower: ContiguousArray<Int32>
    private var nextFollower: ContiguousArray<Int32>
    /// A binary heap.
    private var arrivals: [Arrival] = []
    /// The job of the log at each place of the order of submissions.
    private(set) var order: [Int] = []
    /// The place of each job of the log in `order`; −1 while nobody has submitted it.
    private var places: ContiguousArray<Int32>

    init(_ jobs: ContiguousArray<TraceJob>, _ links: JobLinks) {
        self.jobs = jobs
        self.links = links
        firstFollower = ContiguousArray(repeating: -1, count: jobs.count)
        nextFollower = firstFollower
        places = firstFollower
        order.reserveCapacity(jobs.count)
        for job in jobs.indices.reversed() {
            let before = Int(links.predecessors[job])
            if before >= 0 {
                nextFollower[job] = firstFollower[before]
                firstFollower[before] = Int32(job)
            } else {
                push(Arrival(instant: jobs[job].submitted, job: Int32(job)))
            }
        }
    }

    /// When the next job is submitted; nil when nobody is about to.
    var nextInstant: Int64? { arrivals.first?.instant }

    /// Takes out the job that is submitted next, with its submission set to that instant.
    mutating func next() -> TraceJob {
        let arrival = pop()
        var job = jobs[Int(arrival.job)]
        job.submitted = arrival.instant
        places[Int(arrival.job)] = Int32(order.count)
        order.append(Int(arrival.job))
        return job
    }

    /// The place of a job of the log in the order of submissions; nil while nobody has submitted it.
    func place(of job: Int) -> Int? { places[job] < 0 ? nil : Int(places[job]) }

    /// The job at a place of the order has ended, or will never run.
    mutating func end(_ place: Int, at instant: Int64) {
        var follower = firstFollower[order[place]]
        while follower >= 0 {
            let think = links.thinkTimes[Int(follower)]
            push(Arrival(instant: instant + think, job: follower))
            follower = nextFollower[Int(follower)]
        }
    }

    /// Those that nobody submitted, for the end of the order.
    mutating func takeRest() -> [TraceJob] {
        let rest = jobs.indices.filter { places[$0] < 0 }
        order += rest
        return rest.map { jobs[$0] }
    }

    // MARK: Heap

    private mutating func push(_ arrival: Arrival) {
        arrivals.append(arrival)
        var place = arrivals.count - 1
        while place > 0, arrivals[place].goesBefore(arrivals[(place - 1) / 2]) {
            arrivals.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func pop() -> Arrival {
        let first = arrivals[0]
        let last = arrivals.removeLast()
        guard !arrivals.isEmpty else { return first }
        arrivals[0] = last
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < arrivals.count && arrivals[child].goesBefore(arrivals[least]) {
                least = child
            }
            guard least != place else { return first }
            arrivals.swapAt(place, least)
            place = least
        }
    }
}
