import Accounts
public import ClusterModel
import Determinism
import Emulation
import IndexSets
import JobModel
import Logging
import Quantities
import WireFormats
public import WorkloadFormats

// Other people's jobs, so that waits and quotes mean something from the first minute.
//
// A load is a recorded or generated log that is laid over the calendar in whole weeks, again and again: which
// job comes when follows from the instant alone. So a centre that is opened again goes on with the same stream,
// and the journal holds what came of it, like what anybody submits.

/// Which load somebody asked for.
public struct LoadChoice: Hashable, Sendable {
    /// `tianjin`, or the absolute path of a log.
    public var source: String
    /// One seed gives one stream; of a log, it draws the week that comes first.
    public var seed: UInt64

    /// Makes a choice.
    public init(source: String, seed: UInt64) {
        self.source = source
        self.seed = seed
    }
}

/// Why a load cannot be had.
public struct LoadProblem: Error, Hashable, Sendable {
    /// One sentence, with the file, line and field.
    public var text: String

    /// Makes a problem.
    public init(_ text: String) { self.text = text }
}

/// A stream of other people's jobs, for one machine.
public struct BackgroundLoad: Sendable {
    /// What a job of the log asks for, on its partition.
    struct Job: Hashable, Sendable {
        /// From the beginning of a round. Unit: s.
        var second: Int64
        /// Unit: s.
        var runTime: Int64
        var limitMinutes: Int64
        /// Whole nodes, or cores where nodes are shared.
        var size: Int32
        var partition: Int32
        var customer: Int32
        var fails: Bool
    }

    /// What the processors of a log are.
    public enum Unit: Hashable, Sendable {
        case cores
        case nodes
    }

    /// How many accounts pay for a load.
    static let customerCount: Int32 = 16
    /// How long a load has been there when a new centre opens.
    static let lead = SimDuration(seconds: 86_400)
    private static let week: Int64 = 7 * 86_400

    /// What was asked for.
    public let choice: LoadChoice
    /// Jobs of the log that fit no partition of the machine.
    public let dropped: Int
    /// Those that do, by instant.
    let jobs: [Job]
    private let partitions: [Partition]
    /// When round 0 begins. Unit: s since 1970.
    private let origin: Int64
    /// How long a round is, in whole weeks. Unit: s.
    private let period: Int64

    /// Lays a log over the calendar.
    ///
    /// - Throws: `LoadProblem` when none of its jobs fits the machine.
    public init(
        _ choice: LoadChoice,
        _ log: Trace,
        countedIn unit: Unit,
        on machine: Machine
    ) throws(LoadProblem) {
        let places = LoadPlaces(machine)
        var draw = SplitMix64(seed: choice.seed, stream: "load: place")
        var jobs: [Job] = []
        jobs.reserveCapacity(log.jobs.count)
        for entry in log.jobs {
            let names = log.partitionNames
            let isNamed = names.indices.contains(Int(entry.partition))
            let name = isNamed ? names[Int(entry.partition)] : nil
            let ticket = draw.next()
            guard let (place, size) = places.place(entry, unit, named: name, ticket) else {
                continue
            }
            jobs.append(
                Job(
                    second: max(0, entry.submitted / 1_000_000),
                    runTime: max(1, (entry.runTime + 999_999) / 1_000_000),
                    limitMinutes: LoadPlaces.minutes(entry),
                    size: size,
                    partition: Int32(place),
                    customer: Int32(max(0, Int64(entry.user)) % Int64(Self.customerCount)),
                    fails: entry.status == 0
                )
            )
        }
        guard let last = jobs.last else {
            throw LoadProblem(
                "--load \(choice.source): none of its \(log.jobs.count) jobs fits machine '\(machine.name)'"
            )
        }
        self.choice = choice
        self.jobs = jobs
        dropped = log.jobs.count - jobs.count
        partitions = machine.partitions
        period = (last.second / Self.week + 1) * Self.week
        var week = SplitMix64(seed: choice.seed, stream: "load: week")
        let first = Int64(week.below(UInt64(period / Self.week)))
        origin = log.unixStartTime - first * Self.week
    }

    /// What tells this stream from others: a log may have changed since it was read last.
    var digest: String {
        var digest = StateDigest()
        for job in jobs {
            for number in [job.second, job.runTime, job.limitMinutes] { digest.mix(number) }
            for number in [job.size, job.partition, job.customer] { digest.mix(Int64(number)) }
            digest.mix(Int64(job.fails ? 1 : 0))
        }
        digest.mix(origin)
        return digest.hexText
    }

    /// When the job at a position of the endless stream comes.
    func instant(of position: Int64) -> SimInstant {
        let (round, index) = Self.split(position, jobs.count)
        let seconds = origin + round * period + jobs[index].second
        return SimInstant(microseconds: seconds * 1_000_000)
    }

    /// The position of the first job that comes at an instant or later.
    func position(from instant: SimInstant) -> Int64 {
        let (seconds, rest) = Self.floored(instant.microseconds, 1_000_000)
        let (round, second) = Self.floored(seconds + (rest > 0 ? 1 : 0) - origin, period)
        var (low, high) = (0, jobs.count)
        while low < high {
            let middle = (low + high) / 2
            if jobs[middle].second < second { low = middle + 1 } else { high = middle }
        }
        return round * Int64(jobs.count) + Int64(low)
    }

    /// What its user asks for. The comment is the mark of a job of a load.
    func request(at position: Int64) -> SubmitRequest {
        let job = jobs[Self.split(position, jobs.count).index]
        let partition = partitions[Int(job.partition)]
        var request = SubmitRequest()
        request.user = Self.userName(job.customer)
        request.userID = Self.firstUserID + UInt32(job.customer)
        request.group = "load"
        request.groupID = Self.firstUserID
        request.account = Self.accountName(job.customer)
        request.name = "load"
        request.partitions = [partition.name]
        if partition.sharing == .wholeNode {
            request.minimumNodes = job.size
            request.maximumNodes = job.size
        } else {
            request.tasks = job.size
        }
        request.timeLimit = SimDuration(seconds: job.limitMinutes * 60)
        request.comment =
            "load=\(position) runtime=\(job.runTime)" + (job.fails ? " exit=1" : "")
        return request
    }

    private static func split(_ position: Int64, _ count: Int) -> (round: Int64, index: Int) {
        let (round, index) = floored(position, Int64(count))
        return (round, Int(index))
    }

    private static func floored(_ value: Int64, _ divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// Far from those of people.
    private static let firstUserID: UInt32 = 2_000_000_001

    private static func number(_ customer: Int32) -> String {
        (customer < 9 ? "0" : "") + String(customer + 1)
    }

    static func userName(_ customer: Int32) -> String { "load" + number(customer) }

    static func accountName(_ customer: Int32) -> String { "load-" + number(customer) }
}

/// Where jobs of a load may run.
private struct LoadPlaces {
    private struct Place {
        var index: Int
        var partition: Partition
        /// Of its smallest node.
        var cores: Int32
        /// The most nodes of one job.
        var nodes: Int32
    }

    private let places: [Place]
    private let hasWholeNodes: Bool

    init(_ machine: Machine) {
        var places: [Place] = []
        for (index, partition) in machine.partitions.enumerated() {
            // What really runs is this computer's; what is for certain accounts is theirs.
            guard partition.backend != .local, partition.state == .up,
                partition.allowedAccounts == nil, partition.allowedQOS == nil,
                partition.securityLevel <= 1,
                let cores = partition.nodes.map({ machine.nodes[$0].capacity.cores }).min()
            else { continue }
            let most = [
                Int32(clamping: partition.nodes.count), partition.maximumNodesPerJob,
                partition.quota.nodes, partition.quota.cores.map { $0 / max(1, cores) },
            ]
            places.append(
                Place(
                    index: index,
                    partition: partition,
                    cores: max(1, cores),
                    nodes: most.compactMap(\.self).min() ?? 0
                )
            )
        }
        self.places = places
        hasWholeNodes = places.contains { $0.partition.sharing == .wholeNode }
    }

    static func minutes(_ job: TraceJob) -> Int64 {
        let limit = job.timeLimit > 0 ? job.timeLimit : job.runTime
        return max(1, (limit + 59_999_999) / 60_000_000)
    }

    /// The partition of that name, if it fits there, else one of those where it does, drawn by their nodes.
    func place(
        _ job: TraceJob,
        _ unit: BackgroundLoad.Unit,
        named name: String?,
        _ ticket: UInt64
    ) -> (index: Int, size: Int32)? {
        let fitting = places.filter { size(of: job, unit, on: $0) != nil }
        let named = fitting.first { $0.partition.name == name }
        let total = fitting.reduce(UInt64(0)) { $0 + UInt64($1.partition.nodes.count) }
        guard total > 0 else { return nil }
        var rest = ticket % total
        let drawn = fitting.first { place in
            let count = UInt64(place.partition.nodes.count)
            defer { rest = rest >= count ? rest - count : 0 }
            return rest < count
        }
        guard let place = named ?? drawn, let size = size(of: job, unit, on: place) else {
            return nil
        }
        return (place.index, size)
    }

    private func size(
        of job: TraceJob,
        _ unit: BackgroundLoad.Unit,
        on place: Place
    ) -> Int32? {
        let partition = place.partition
        // Jobs that hold whole nodes go where nodes are whole, if any are.
        guard partition.sharing == .wholeNode || unit == .cores || !hasWholeNodes else {
            return nil
        }
        if let longest = partition.maximumTimeLimit,
            SimDuration(seconds: Self.minutes(job) * 60) > longest
        {
            return nil
        }
        let cores = Int64(max(1, job.processors)) * (unit == .nodes ? Int64(place.cores) : 1)
        let nodes = (cores + Int64(place.cores) - 1) / Int64(place.cores)
        guard nodes <= Int64(place.nodes), nodes >= Int64(partition.minimumNodesPerJob) else {
            return nil
        }
        return partition.sharing == .wholeNode ? Int32(nodes) : Int32(clamping: cores)
    }
}

// MARK: - In the centre

/// The load of a centre, as its journal holds it.
struct LoadInput: WireRecord, Codable {
    var source = ""
    /// In decimal.
    var seed = ""
    var digest = ""
    /// The first position of the stream that is fed.
    var first: Int64 = 0

    var choice: LoadChoice { LoadChoice(source: source, seed: UInt64(seed) ?? 0) }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("source", &source)
        try fields.required("seed", &seed)
        try fields.required("digest", &digest)
        try fields.required("first", &first)
    }
}

extension Machine {
    /// The machine with the accounts that pay for a load.
    var withLoadAccounts: Machine {
        var machine = self
        for customer in 0..<BackgroundLoad.customerCount {
            let name = BackgroundLoad.accountName(customer)
            guard machine.account(named: name) == nil else { continue }
            machine.accounts.append(
                AccountEntry(
                    name: name,
                    title: "Background load \(customer + 1) (背景负载)",
                    customerClass: .individual,
                    users: [BackgroundLoad.userName(customer)]
                )
            )
        }
        return machine
    }
}

extension WriterLoop {
    /// A load, and the position of its next job.
    struct LoadFeed {
        var load: BackgroundLoad
        var next: Int64
    }

    /// The most jobs of a load in one batch.
    private static let loadBatchMaximum = 10_000

    /// Brings the load that was asked for into force, or goes on with the one that there is. In a
    /// new centre it has been there for a day.
    func bringLoadIntoForce(isNew: Bool) throws(OpenFailure) {
        guard let choice = settings.load ?? state.load?.choice else { return }
        let load: BackgroundLoad
        do throws(LoadProblem) {
            load = try settings.readLoad(choice, state.rules.machine)
        } catch {
            throw .load(error.text)
        }
        let digest = load.digest
        if state.load?.choice != choice || state.load?.digest != digest {
            guard settings.load != nil else {
                throw .load(
                    "the background load \(choice.source) is not what it was when the centre was opened"
                        + " with it; --load begins a new one"
                )
            }
            var input = LoadInput()
            (input.source, input.seed, input.digest) = (choice.source, "\(choice.seed)", digest)
            input.first = load.position(from: isNew ? clock.now - BackgroundLoad.lead : clock.now)
            try put(.load(input))
        }
        let recent = load.position(from: clock.now - BackgroundLoad.lead)
        let feed = LoadFeed(load: load, next: max(state.nextLoad, recent))
        timers.arm(CentreTimer(instant: load.instant(of: feed.next), kind: .load))
        self.load = feed
        if load.dropped > 0 {
            logger.notice(
                "load: \(load.jobs.count) jobs, and \(load.dropped) that fit no partition are left out"
            )
        }
    }

    /// Lets the day before the opening of a new centre happen.
    func letLoadGather(until opening: SimInstant) {
        while !isFull, !fireTimers(upTo: opening) {}
    }

    /// The jobs of the load that come by an instant. Those that the centre would refuse, or never start, are left out,
    /// and so is what would leave people less than half of the places (MaxJobCount).
    func loadInputs(by instant: SimInstant) -> [LiveInput] {
        guard var feed = load else { return [] }
        var inputs: [LiveInput] = []
        var places = settings.limits.jobCount / 2 - state.emulator.activeJobCount
        while inputs.count < Self.loadBatchMaximum, feed.load.instant(of: feed.next) <= instant {
            var input = SubmitInput()
            input.id = state.nextJobID + UInt32(inputs.count)
            input.request = feed.load.request(at: feed.next)
            input.isOperator = true
            input.load = feed.next
            feed.next += 1
            // The log was laid out by the file; what partitions allow may have changed since.
            guard places > 0, let resolved = try? state.resolve(input, at: instant),
                !state.exceedsPartitions(resolved.status)
            else { continue }
            input.runTime = resolved.specification.runTime
            inputs.append(.submit(input))
            places -= 1
        }
        load = feed
        timers.arm(CentreTimer(instant: feed.load.instant(of: feed.next), kind: .load))
        return inputs
    }
}
