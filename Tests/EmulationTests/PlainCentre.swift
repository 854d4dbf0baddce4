import Accounts
import ClusterModel
import Determinism
import Emulation
import IndexSets
import JobModel
import Quantities
import Scheduling

/// A seeded centre of equal whole nodes with accounts, QOS, tiers and limits of all kinds.
struct PeopleWorld {
    struct Job {
        var id: Int
        var submit: Int64
        var nodes: Int64
        var limit: Int64
        var run: Int64
        var user: Int32
        var account: Int32
        var qos: Int
        var partitions: [Int]
        /// How many it needs of each kind of licence.
        var licenses: [Int64] = []
    }

    static let cores: Int64 = 3
    var configuration: EmulatorConfiguration
    let nodeCount: Int64
    /// The account above each account; −1 for none.
    var parents: [Int32]
    /// Which account is moved below which, −1 for none, and when.
    var moves: [(second: Int64, account: Int32, parent: Int32)] = []
    var accountSettings: [AssociationSettings] = []
    /// By account, then by user.
    var userSettings: [[AssociationSettings]] = []
    var jobs: [Job] = []

    /// - Parameter kinds: of how many kinds jobs are, of one partition each and without licences; nil for each
    ///   of its own.
    init(seed: UInt64, policy: SchedulingPolicy, kinds: Int? = nil) {
        var random = SplitMix64(seed: seed, stream: "people")
        let nodeCount = random.draw(4...9)
        self.nodeCount = Int64(nodeCount)
        parents = [-1, 0, 0, -1]
        var qos = [QOS.normal]
        for number in 1...4 {
            var rules = QOS(name: "q\(number)")
            rules.limits = Self.limits(&random, ofQOS: true, count: random.draw(0...3))
            if random.below(4) == 0 { rules.flags.insert(.denyOnLimit) }
            if random.below(3) == 0 { rules.flags.insert(.overPartition) }
            qos.append(rules)
        }
        configuration = EmulatorConfiguration(
            nodes: Array(repeating: NodeCapacity(cores: Int32(Self.cores)), count: nodeCount),
            partitions: (0..<3).map { _ in
                var partition = PartitionConfiguration(
                    nodes: IDSet(0..<nodeCount),
                    isWholeNode: true
                )
                partition.tier = Int32(random.draw(1...2))
                if random.below(2) == 0 { partition.terms.qos = random.draw(0...4) }
                if random.below(3) == 0 {
                    partition.terms.quota = AccountQuota(nodes: Int32(random.draw(1...5)))
                }
                return partition
            },
            policy: policy
        )
        configuration.qos = qos
        configuration.licenses = (0..<2).map { _ in Int64(random.draw(2...4)) }
        var associations = Associations()
        for account in 0..<4 {
            let above = parents[account]
            let place = associations.add(
                account: Int32(account),
                below: above < 0 ? 0 : associations.account(above)
            )
            var settings = AssociationSettings()
            settings.limits = Self.limits(&random, ofQOS: false, count: random.draw(0...2))
            associations.set(place, to: settings)
            accountSettings.append(settings)
            userSettings.append([])
            for user in 0..<3 {
                var own = AssociationSettings()
                own.limits = Self.limits(&random, ofQOS: false, count: random.below(3) == 0 ? 1 : 0)
                let place = associations.user(Int32(user), of: Int32(account))
                associations.set(place, to: own)
                userSettings[account].append(own)
            }
        }
        configuration.associations = associations
        var submit: Int64 = 0
        for id in 1...60 {
            submit += Int64(random.draw(0...8))
            let limit = Int64(random.draw(1...40))
            jobs.append(
                Job(
                    id: id,
                    submit: submit,
                    nodes: Int64(random.draw(1...max(1, nodeCount / 2))),
                    limit: limit,
                    run: Int64(random.draw(1...Int(limit))),
                    user: Int32(random.draw(0...2)),
                    account: Int32(random.draw(0...3)),
                    qos: random.draw(0...4),
                    partitions: [[0], [1], [2], [0, 1], [2, 0], [1, 2, 0]][random.draw(0...5)],
                    licenses: (0..<2).map { _ in Int64(max(0, random.draw(0...5) - 3)) }
                )
            )
        }
        // A stream of its own, so that the rest is as it was without.
        var moving = SplitMix64(seed: seed, stream: "moves")
        moves = (0..<moving.draw(0...4)).map { _ in
            (
                Int64(moving.draw(1...Int(max(1, submit)))), Int32(moving.draw(0...3)),
                Int32(moving.draw(0...4)) - 1
            )
        }
        .filter { $0.1 != $0.2 }.sorted { $0.0 < $1.0 }
        guard let kinds else { return }
        for index in jobs.indices {
            var job = jobs[Int(random.below(UInt64(kinds)))]
            (job.id, job.submit) = (jobs[index].id, jobs[index].submit)
            job.run = Int64(random.draw(1...Int(job.limit)))
            job.partitions = [job.partitions[0]]
            job.licenses = [0, 0]
            jobs[index] = job
        }
    }

    private static func limits(
        _ random: inout SplitMix64,
        ofQOS: Bool,
        count: Int
    ) -> Limits {
        var limits = Limits()
        for _ in 0..<count {
            let scopes: [LimitKind.Scope] =
                ofQOS
                ? [.group, .perUser, .perAccount, .perJob, .leastPerJob]
                : [.group, .perUser, .perJob]
            let scope = scopes[random.draw(0...(scopes.count - 1))]
            let tres: TRES = random.below(2) == 0 ? .cpu : .node
            let sized = Int64(random.draw(1...6)) * (tres == .cpu ? cores : 1)
            let minutes = Int64(random.draw(1...12))
            let choices: [(LimitKind.Measure, Int64)] =
                switch scope {
                case .group:
                    [
                        (.jobs, Int64(random.draw(0...3))), (.tres(tres), sized),
                        (.minutes(tres), 10 * minutes), (.wall, minutes),
                        (.submittedJobs, Int64(random.draw(2...9))),
                    ]
                case .perUser:
                    ofQOS
                        ? [
                            (.jobs, Int64(random.draw(1...2))), (.tres(tres), sized),
                            (.submittedJobs, Int64(random.draw(1...6))),
                        ]
                        : [
                            (.jobs, Int64(random.draw(1...2))),
                            (.submittedJobs, Int64(random.draw(1...6))),
                        ]
                case .perAccount: [(.jobs, Int64(random.draw(1...3))), (.tres(tres), sized)]
                case .perJob:
                    [(.wall, 1), (.tres(tres), sized), (.minutes(tres), minutes)]
                case .leastPerJob: [(.tres(.node), 2)]
                }
            let (measure, value) = choices[random.draw(0...(choices.count - 1))]
            limits[LimitKind(scope, measure)] = value
        }
        return limits
    }
}

/// The plain twin: written from docs/scheduling.md, it looks at every job each time.
struct PlainCentre {
    struct Run {
        var job: PeopleWorld.Job
        var partition: Int
        var start: Int64
        var end: Int64?
    }

    private(set) var world: PeopleWorld
    let isEasy: Bool
    var runs: [Int: Run] = [:]
    var refused: Set<Int> = []
    /// Jobs that were taken in and have not ended.
    private var open: [PeopleWorld.Job] = []

    init(_ world: PeopleWorld, isEasy: Bool) {
        self.world = world
        self.isEasy = isEasy
    }

    mutating func run() {
        var next = 0
        var now: Int64 = 0
        while next < world.jobs.count || runs.values.contains(where: { $0.end == nil }) {
            var isQuiet = true
            for (id, run) in runs where run.end == nil && run.start + run.job.run == now {
                isQuiet = false
                runs[id]?.end = now
                open.removeAll { $0.id == id }
            }
            for move in world.moves where move.second == now {
                isQuiet = false
                self.move(move.account, below: move.parent)
            }
            while next < world.jobs.count, world.jobs[next].submit == now {
                isQuiet = false
                take(world.jobs[next])
                next += 1
            }
            if !isQuiet { pass(now) }
            now += 1
        }
    }

    private mutating func move(_ account: Int32, below parent: Int32) {
        if parent >= 0, isBelow(parent, account) {
            world.parents[Int(parent)] = world.parents[Int(account)]
        }
        world.parents[Int(account)] = parent
    }

    private mutating func take(_ job: PeopleWorld.Job) {
        let first = job.partitions[0]
        let isFull = bounds(job, first, of: LimitKind.Measure.submittedJobs).contains { bound in
            Int64(open.filter { bound.counts($0, $0.partitions[0]) }.count) >= bound.maximum
        }
        let denies = qosInOrder(job, first).contains {
            world.configuration.qos[$0].flags.contains(.denyOnLimit)
        }
        if isFull || denies && isHopeless(job, first) {
            refused.insert(job.id)
        } else {
            open.append(job)
        }
    }

    // MARK: Limits

    private struct Bound {
        var kind: LimitKind
        var maximum: Int64
        /// Whether a job that runs in a partition counts.
        var counts: (PeopleWorld.Job, Int) -> Bool
    }

    private func qosInOrder(_ job: PeopleWorld.Job, _ partition: Int) -> [Int] {
        guard let other = world.configuration.partitions[partition].terms.qos, other != job.qos
        else { return [job.qos] }
        let isOver = world.configuration.qos[job.qos].flags.contains(.overPartition)
        return isOver ? [job.qos, other] : [other, job.qos]
    }

    private func bounds(
        _ job: PeopleWorld.Job,
        _ partition: Int,
        of measure: LimitKind.Measure? = nil
    ) -> [Bound] {
        var list: [Bound] = []
        let order = qosInOrder(job, partition)
        var taken: Set<LimitKind> = []
        func add(
            _ kind: LimitKind,
            _ maximum: Int64,
            _ counts: @escaping (PeopleWorld.Job, Int) -> Bool
        ) {
            guard (kind.measure == .submittedJobs) == (measure == .submittedJobs) else { return }
            list.append(Bound(kind: kind, maximum: maximum, counts: counts))
        }
        for place in order {
            for kind in LimitKind.checked {
                guard let maximum = world.configuration.qos[place].limits[kind],
                    taken.insert(kind).inserted
                else { continue }
                add(kind, maximum) { other, where_ in
                    guard qosInOrder(other, where_).contains(place) else { return false }
                    switch kind.scope {
                    case .perUser: return other.user == job.user
                    case .perAccount: return other.account == job.account
                    case .group, .perJob, .leastPerJob: return true
                    }
                }
            }
        }
        func isVoid(_ kind: LimitKind) -> Bool {
            if taken.contains(kind) { return true }
            return kind.scope == .perUser
                && taken.contains(LimitKind(.perAccount, kind.measure))
        }
        // The user's association, with what the accounts above say of each user and job.
        var own = world.userSettings[Int(job.account)][Int(job.user)].limits
        var above = job.account
        while above >= 0 {
            for kind in LimitKind.checked where kind.scope != .group && own[kind] == nil {
                own[kind] = world.accountSettings[Int(above)].limits[kind]
            }
            above = world.parents[Int(above)]
        }
        for kind in LimitKind.checked {
            guard let maximum = own[kind], !isVoid(kind) else { continue }
            add(kind, maximum) { other, _ in
                other.user == job.user && other.account == job.account
            }
        }
        above = job.account
        while above >= 0 {
            let account = above
            for kind in LimitKind.checked where kind.scope == .group && !isVoid(kind) {
                guard let maximum = world.accountSettings[Int(account)].limits[kind] else {
                    continue
                }
                add(kind, maximum) { other, _ in isBelow(other.account, account) }
            }
            above = world.parents[Int(above)]
        }
        let quota = world.configuration.partitions[partition].terms.quota
        if let maximum = quota.nodes {
            add(LimitKind(.group, .tres(.node)), Int64(maximum)) { other, where_ in
                where_ == partition && other.account == job.account
            }
        }
        return list
    }

    private func isBelow(_ account: Int32, _ other: Int32) -> Bool {
        var next = account
        while next >= 0 {
            if next == other { return true }
            next = world.parents[Int(next)]
        }
        return false
    }

    private func amount(_ job: PeopleWorld.Job, _ tres: TRES) -> Int64 {
        switch tres {
        case .cpu, .billing: job.nodes * PeopleWorld.cores
        case .node: job.nodes
        case .memory, .gres: 0
        }
    }

    private func isHopeless(_ job: PeopleWorld.Job, _ partition: Int) -> Bool {
        bounds(job, partition).contains { bound in
            switch (bound.kind.scope, bound.kind.measure) {
            case (.leastPerJob, .tres(let tres)): amount(job, tres) < bound.maximum
            case (.perJob, .wall): job.limit > bound.maximum * 60
            case (_, .tres(let tres)): amount(job, tres) > bound.maximum
            case (_, .minutes(let tres)), (_, .runningMinutes(let tres)):
                amount(job, tres) * job.limit > bound.maximum * 60
            case (_, .jobs): bound.maximum == 0
            default: false
            }
        }
    }

    private func isStopped(_ job: PeopleWorld.Job, _ partition: Int, _ now: Int64) -> Bool {
        let holders = runs.values.filter { $0.end == nil }.map(\.job)
        for (kind, count) in job.licenses.enumerated() {
            let held = holders.reduce(0) { $0 + $1.licenses[kind] }
            if count > 0, held + count > world.configuration.licenses[kind] { return true }
        }
        return bounds(job, partition).contains { bound in
            guard bound.kind.scope != .perJob, bound.kind.scope != .leastPerJob else {
                return false
            }
            let counted = runs.values.filter { bound.counts($0.job, $0.partition) }
            let running = counted.filter { $0.end == nil }
            switch bound.kind.measure {
            case .jobs: return Int64(running.count) >= bound.maximum
            case .tres(let tres):
                let held = running.reduce(0) { $0 + amount($1.job, tres) }
                return held + amount(job, tres) > bound.maximum
            case .wall:
                let used = counted.reduce(0) { $0 + ($1.end ?? now) - $1.start }
                return used / 60 >= bound.maximum
            case .minutes(let tres):
                let used = counted.reduce(0) {
                    $0 + amount($1.job, tres) * (($1.end ?? now) - $1.start)
                }
                return used + coming(running, tres, now) + amount(job, tres) * job.limit
                    > bound.maximum * 60
            case .runningMinutes(let tres):
                return coming(running, tres, now) + amount(job, tres) * job.limit
                    > bound.maximum * 60
            case .submittedJobs: return false
            }
        }
    }

    private func coming(_ running: [Run], _ tres: TRES, _ now: Int64) -> Int64 {
        running.reduce(0) { $0 + amount($1.job, tres) * ($1.start + $1.job.limit - now) }
    }

    // MARK: The pass

    private mutating func pass(_ now: Int64) {
        let waiting = open.filter { runs[$0.id] == nil }.sorted { left, right in
            (-tier(left), left.submit, left.id) < (-tier(right), right.submit, right.id)
        }
        var head: (shadow: Int64, extra: Int64)?
        for job in waiting {
            let usable = job.partitions.filter { !isHopeless(job, $0) }
            guard let partition = usable.first(where: { !isStopped(job, $0, now) }) else {
                continue
            }
            if let blocked = head {
                let isLong = now + job.limit > blocked.shadow
                guard job.nodes <= idle, !isLong || job.nodes <= blocked.extra else { continue }
                if isLong { head?.extra -= job.nodes }
            } else if job.nodes > idle {
                guard isEasy else { return }
                head = shadow(of: job, now)
                continue
            }
            runs[job.id] = Run(job: job, partition: partition, start: now)
        }
    }

    private func tier(_ job: PeopleWorld.Job) -> Int32 {
        job.partitions.map { world.configuration.partitions[$0].tier }.max() ?? 1
    }

    private var idle: Int64 {
        world.nodeCount - runs.values.filter { $0.end == nil }.reduce(0) { $0 + $1.job.nodes }
    }

    private func shadow(of job: PeopleWorld.Job, _ now: Int64) -> (shadow: Int64, extra: Int64) {
        let running = runs.values.filter { $0.end == nil }
        let ends = Set(running.map { $0.start + $0.job.limit }).sorted()
        for end in ends {
            let freed = running.filter { $0.start + $0.job.limit <= end }
            let free = idle + freed.reduce(0) { $0 + $1.job.nodes }
            if free >= job.nodes { return (end, free - job.nodes) }
        }
        preconditionFailure("job \(job.id) fits when all have ended")
    }
}
