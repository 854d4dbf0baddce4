import Accounts
import ClusterModel
import Emulation
import JobModel
import Quantities
import Scheduling
import WireFormats

// What readers see of accounts, users, QOS and priorities. Nothing here changes the centre.

extension CentreState {
    // MARK: Priorities

    /// What the priorities of jobs that wait and may start are made of.
    func priorityList(now: SimInstant) -> PriorityList {
        let policy = rules.policy
        var list = PriorityList()
        list.now = now
        list.isMultifactor = policy.order.sumsPriority
        list.weights.age = Int64(policy.weights.age)
        list.weights.fairShare = Int64(policy.weights.fairShare)
        list.weights.jobSize = Int64(policy.weights.jobSize)
        list.weights.partition = Int64(policy.weights.partition)
        list.weights.qos = Int64(policy.weights.qos)
        list.weights.cpu = Int64(policy.weights.cpu)
        var arrays: Set<UInt32> = []
        jobs.forEach { entry in
            guard isAccruing(entry, now: now) else { return }
            // The elements of an array that wait have one record.
            if let array = entry.specification.array, !arrays.insert(array.job).inserted { return }
            list.jobs.append(priority(of: entry, now: now))
        }
        return list
    }

    /// Whether a job waits, and for nothing but its turn: not held, for another job or for a time.
    func isAccruing(_ entry: JobEntry, now: SimInstant) -> Bool {
        guard entry.status.phase == .pending, !entry.status.isHeld else { return false }
        switch emulator.pendingReason(of: JobID(entry.id)) {
        case .dependency, .dependencyNeverSatisfied, .beginTime, .jobHeldAdmin, .jobHeldUser:
            return false
        default: return true
        }
    }

    private func priority(of entry: JobEntry, now: SimInstant) -> PriorityInfo {
        var info = PriorityInfo()
        info.jobID = entry.specification.array?.job ?? entry.id
        info.user = entry.specification.request.user
        info.account = entry.specification.account
        info.partition = partitionNames(of: entry.status)
        info.qos = entry.status.qos
        info.priority = shownPriority(of: entry)
        info.nice = entry.status.nice
        // Ages are reckoned at whole periods, as the queue is.
        let period = Int64(max(1, rules.policy.weights.periodSeconds)) * 1_000_000
        let reckoned = SimInstant(microseconds: now.microseconds / period * period)
        let instant = max(reckoned, entry.specification.submittedAt)
        guard let factors = emulator.priorityFactors(of: JobID(entry.id), at: instant) else {
            info.isFixed = true
            return info
        }
        func part(_ factor: Double) -> Int64 {
            Int64((factor * Double(PriorityInfo.one)).rounded())
        }
        info.age = part(factors.age)
        info.fairShare = part(factors.fairShare)
        info.jobSize = part(factors.jobSize)
        info.partitionFactor = part(factors.partition)
        info.qosFactor = part(factors.qos)
        info.cpu = part(factors.cpu)
        return info
    }

    // MARK: People

    /// Accounts and users from the root down, and the QOS.
    ///
    /// - Parameter userID: the number of a user on this computer.
    func peopleList(now: SimInstant, userID: (String) -> UInt32?) -> PeopleList {
        var list = PeopleList()
        list.now = now
        list.cluster = rules.machine.name
        list.clusters = rules.machine.allClusters.map(\.name)
        var uses = PeopleUses()
        jobs.forEach { entry in
            if !entry.hasEnded { count(entry, now: now, in: &uses) }
        }
        let associations = emulator.associations
        let tree = emulator.fairTree(at: now)
        let ended = emulator.usageByEnds(at: now)
        let presets = rules.machine.defaultAccounts
        list.roles = roleList(userID: userID)
        list.ranked = Int64(associations.userCount)
        var walk: [(place: Int32, depth: Int32)] = [(0, 0)]
        while let (place, depth) = walk.popLast() {
            let known = associations.list[Int(place)]
            var info = association(place, associations, tree)
            info.depth = depth
            info.endedUsage = Self.seconds(ended[Int(place)])
            if let user = info.user {
                info.userID = userID(user)
                let preset = presets[user] ?? rules.machine.defaultAccountIndex
                info.isDefault = rules.machine.accounts[preset].name == info.account
            }
            info.use = uses.associations[place] ?? UseInfo()
            if place == 0 { info.use = uses.all }
            // The account that is called as the root is takes its place.
            let isRoot = known.parent == 0 && !known.isUser && info.account == Self.rootAccount
            if let user = info.user, info.account == Self.rootAccount, known.parent > 0 {
                // What the account is entitled to among its siblings is its user's.
                let above = association(known.parent, associations, tree)
                info.user = user
                info.siblingShares = above.siblingShares
                info.siblingUsage = above.siblingUsage
                info.exactSiblingUsage = above.exactSiblingUsage
            }
            // The emulator keeps those that were removed: their use still counts.
            if place != 0, !isKnown(info) { continue }
            if !isRoot { list.associations.append(info) }
            let below = known.children.map { ($0, isRoot ? depth : depth + 1) }
            // The last of them is looked at first.
            walk += below.sorted { left, right in
                let (first, second) = (
                    associations.list[Int(left.0)], associations.list[Int(right.0)]
                )
                if first.isUser != second.isUser { return second.isUser }
                return name(of: first) > name(of: second)
            }
        }
        list.qos = emulator.qos.enumerated().filter { !$1.flags.contains(.deleted) }
            .map { index, qos in info(of: qos, index, uses) }
        return list
    }

    /// Everybody who has a role, in an account or in none.
    private func roleList(userID: (String) -> UInt32?) -> [RoleInfo] {
        let machine = rules.machine
        let coordination = machine.accounts.coordination
        let names = Set(machine.operators + machine.auditors + machine.office)
            .union(coordination.keys)
        return names.sorted().map { name in
            var info = RoleInfo()
            info.user = name
            info.userID = userID(name)
            info.adminLevel = adminLevel(of: name) ?? info.adminLevel
            info.coordinated = (coordination[name] ?? []).map { account, isDirect in
                var info = CoordinatedAccount()
                (info.account, info.isDirect) = (account, isDirect)
                return info
            }
            .sorted { $0.account < $1.account }
            return info
        }
    }

    /// What `sacctmgr` calls the highest of a user's levels; nil for whoever has none.
    private func adminLevel(of user: String) -> String? {
        let machine = rules.machine
        if machine.operators.contains(user) { return Role.operator.adminLevel }
        if machine.auditors.contains(user) { return Role.auditor.adminLevel }
        return machine.office.contains(user) ? Role.office.adminLevel : nil
    }

    /// The number by which `peopleList` and Slurm's listings tell the association under whose limits a user's jobs
    /// of an account count; 0 where there is none any more.
    func associationNumber(of user: String, in account: String) -> UInt32 {
        associationPlace(of: user, in: account).map(Self.number(ofPlace:)) ?? 0
    }

    private static func number(ofPlace place: Int32) -> UInt32 { UInt32(place) + 1 }

    /// A user that the account does not name has none of his own: his jobs count under the account's.
    private func associationPlace(of user: String, in account: String) -> Int32? {
        guard let number = people.number(ofAccount: account) else { return nil }
        let own = people.number(ofUser: user).flatMap {
            emulator.associations.place(ofUser: $0, in: number)
        }
        return own ?? emulator.associations.place(ofAccount: number)
    }

    /// What weighs is counted in thousandths.
    private static func seconds(_ usage: UInt64) -> Int64 { Int64(clamping: usage / 1_000) }

    /// What Slurm calls the association that stands above all.
    static let rootAccount = "root"

    private func isKnown(_ info: AssociationInfo) -> Bool {
        guard let account = rules.machine.account(named: info.account) else {
            return info.account == Self.rootAccount
        }
        return info.user.map { account.users?.contains($0) ?? true } ?? true
    }

    private func name(of association: Association) -> String {
        // An account called `root` comes where the root's users do.
        if association.isUser { return people.users[Int(association.user)] }
        let name = people.accounts[Int(association.account)]
        return name == Self.rootAccount ? "" : name
    }

    private func association(
        _ place: Int32,
        _ associations: Associations,
        _ tree: FairTree
    ) -> AssociationInfo {
        let known = associations.list[Int(place)]
        var info = AssociationInfo()
        info.id = Self.number(ofPlace: place)
        info.account =
            known.account >= 0 ? people.accounts[Int(known.account)] : Self.rootAccount
        info.shares = known.settings.shares
        info.limits = known.settings.limits.texts(ofQOS: false).map {
            NamedLimit(name: $0.name, value: $0.text)
        }
        let inForce = associations.ownLimits(of: place)
        if inForce != known.settings.limits {
            info.limitsInForce = inForce.texts(ofQOS: false).map {
                NamedLimit(name: $0.name, value: $0.text)
            }
        }
        info.usage = Self.seconds(tree.usage(place))
        info.exactUsage = Int64(clamping: tree.usage(place))
        info.isNewcomer = tree.isNewcomer(place)
        guard known.parent >= 0 else {
            let root = rules.machine.account(named: Self.rootAccount)
            info.qos = root?.qos ?? []
            info.ownQOS = info.qos
            info.title = root?.title
            return info
        }
        let parent = associations.list[Int(known.parent)]
        info.parent =
            parent.account >= 0 ? people.accounts[Int(parent.account)] : Self.rootAccount
        info.siblingShares = parent.children.reduce(0) {
            $0 + Int64(associations.list[Int($1)].settings.shares)
        }
        info.siblingUsage = Self.seconds(tree.usage(known.parent))
        info.exactSiblingUsage = Int64(clamping: tree.usage(known.parent))
        let machine = rules.machine
        let account = machine.account(named: info.account)
        guard known.isUser else {
            info.title = account?.title
            info.organization = account?.enterprise
            info.qos = machine.qosAllowed(to: "", of: info.account) ?? []
            info.defaultQOS = account?.defaultQOS
            info.ownQOS = account?.qos ?? []
            info.ownDefaultQOS = account?.defaultQOS
            info.coordinators = account?.coordinators ?? []
            return info
        }
        let user = people.users[Int(known.user)]
        info.user = user
        info.rank = Int64(tree.standing(place).rank)
        info.qos = machine.qosAllowed(to: user, of: info.account) ?? []
        info.defaultQOS = machine.defaultQOS(of: user, in: info.account)
        let member = account?.members.first { $0.name == user }
        info.ownQOS = member?.qos ?? []
        info.ownDefaultQOS = member?.defaultQOS
        info.isOperator = machine.operators.contains(user)
        if !info.isOperator { info.adminLevel = adminLevel(of: user) }
        return info
    }

    private func info(of qos: QOS, _ index: Int, _ uses: PeopleUses) -> QOSInfo {
        var info = QOSInfo()
        info.id = UInt32(index) + 1
        info.name = qos.name
        info.priority = qos.priority
        info.preempts = qos.preempts
        info.preemptMode = qos.preemptMode.rawValue
        if qos.preemptExemptSeconds > 0 {
            info.exemptTime = SimDuration(seconds: Int64(qos.preemptExemptSeconds))
        }
        info.graceTime = SimDuration(seconds: Int64(qos.graceSeconds))
        info.flags = QOS.Flags.names.filter { qos.flags.contains($0.flag) }.map(\.name)
        info.usageFactor = qos.usageFactor
        info.limits = qos.limits.texts(ofQOS: true).map {
            NamedLimit(name: $0.name, value: $0.text)
        }
        guard let use = uses.qos[qos.name] else { return info }
        info.use = use.all
        func list(_ uses: [String: UseInfo]) -> [UseOf] {
            uses.sorted { $0.key < $1.key }.map { name, use in
                var entry = UseOf()
                entry.name = name
                entry.use = use
                return entry
            }
        }
        info.users = list(use.users)
        info.accounts = list(use.accounts)
        return info
    }

    private func count(_ entry: JobEntry, now: SimInstant, in uses: inout PeopleUses) {
        let status = entry.status
        var use = UseInfo()
        use.submitted = 1
        if isAccruing(entry, now: now) { use.accruing = 1 }
        if status.startedAt != nil {
            use.jobs = 1
            use.cores = status.coresHeld
            use.cards = status.acceleratorsHeld
            use.memory = memoryHeld(entry)
            let left = status.deadline.map { (max(0, ($0 - now).seconds) + 59) / 60 } ?? 0
            use.coreMinutes = use.cores * left
            use.nodeMinutes = Int64(status.nodes.count) * left
            use.memoryMinutes = use.memory * left
            use.cardMinutes = use.cards * left
        }
        let nodes = status.startedAt == nil ? [] : status.nodes.map(\.node)
        let account = entry.specification.account
        let user = entry.specification.request.user
        let place = associationPlace(of: user, in: account)
        let places = place.map { emulator.associations.chain(from: $0) } ?? []
        uses.add(
            use,
            nodes,
            places: places,
            qos: status.qos,
            user: String(entry.specification.request.userID),
            account: account
        )
    }

    /// Unit: MiB.
    private func memoryHeld(_ entry: JobEntry) -> Int64 {
        let request = entry.specification.request
        if let memory = request.memoryPerNode {
            return memory.mebibytes * Int64(entry.status.nodes.count)
        }
        return (request.memoryPerCPU?.mebibytes ?? 0) * entry.status.coresHeld
    }
}

/// What active jobs hold, added up for all whom it counts for.
private struct PeopleUses {
    /// A sum, and the nodes in it.
    struct OfQOS {
        var all = UseInfo()
        var users: [String: UseInfo] = [:]
        var accounts: [String: UseInfo] = [:]
    }

    private enum Key: Hashable {
        case all
        case association(Int32)
        case qos(String)
        case user(qos: String, String)
        case account(qos: String, String)
    }

    private(set) var all = UseInfo()
    private(set) var associations: [Int32: UseInfo] = [:]
    private(set) var qos: [String: OfQOS] = [:]
    private var nodes: [Key: Set<Int>] = [:]

    mutating func add(
        _ use: UseInfo,
        _ held: [Int],
        places: [Int32],
        qos name: String,
        user: String,
        account: String
    ) {
        func sum(_ total: inout UseInfo, _ key: Key) {
            total += use
            // A node counts once, however many jobs share it.
            nodes[key, default: []].formUnion(held)
            total.nodes = Int64(nodes[key]?.count ?? 0)
        }
        sum(&all, .all)
        for place in places { sum(&associations[place, default: UseInfo()], .association(place)) }
        sum(&qos[name, default: OfQOS()].all, .qos(name))
        sum(&qos[name, default: OfQOS()].users[user, default: UseInfo()], .user(qos: name, user))
        sum(
            &qos[name, default: OfQOS()].accounts[account, default: UseInfo()],
            .account(qos: name, account)
        )
    }
}

extension UseInfo {
    fileprivate static func += (left: inout Self, right: Self) {
        left.jobs += right.jobs
        left.accruing += right.accruing
        left.submitted += right.submitted
        left.cores += right.cores
        left.memory += right.memory
        left.cards += right.cards
        left.coreMinutes += right.coreMinutes
        left.nodeMinutes += right.nodeMinutes
        left.memoryMinutes += right.memoryMinutes
        left.cardMinutes += right.cardMinutes
    }
}
