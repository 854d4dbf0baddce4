public import Accounts
public import IndexSets
public import Quantities

/// A supercomputing centre as data: nodes, racks, switches, partitions, accounts.
///
/// Positions in `nodes`, `partitions`, … are what the core knows things by; names are for people.
/// A value of this type comes out of `Catalog`, which has checked that all indices and names refer
/// to something.
public struct Machine: Hashable, Sendable {
    /// The name that `--machine` takes: `tianhe-1a`.
    public var name: String
    /// One line for people.
    public var title: String
    /// What it is, in a few sentences.
    public var description: String
    /// The computers that it consists of: one, unless the file joins machines.
    public var systems: [ComputeSystem]
    /// The kinds of nodes.
    public var nodeTypes: [NodeType]
    /// The nodes, in the order of their indices.
    public var nodes: [ClusterNode]
    /// The racks.
    public var racks: [Rack]
    /// The switches, parents before children.
    public var switches: [Switch]
    /// The partitions.
    public var partitions: [Partition]
    /// The index of the partition of jobs that name none.
    public var defaultPartitionIndex: Int
    /// The clusters besides the centre's own.
    public var clusters: [Cluster] = []
    /// The billing platforms.
    public var platforms: [Platform]
    /// The accounts.
    public var accounts: [AccountEntry]
    /// The index of the account of jobs that name none.
    public var defaultAccountIndex: Int
    /// The qualities of service; empty when only `normal` is there.
    public var qos: [QOS] = []
    /// Which running jobs make way for others.
    public var preemption = PreemptionRules()
    /// The licences that its jobs share.
    public var licenses: [LicensePool] = []
    /// Whether nodes are switched off when nobody needs them.
    public var powerSaving = PowerSaving()
    /// What rehearsed scripts find installed.
    public var software: [SoftwareModule] = []
    /// The users who may administer the centre, besides the one who started it.
    public var operators: [String]
    /// The users who may read all books and records.
    public var auditors: [String] = []
    /// The users who may read what all accounts owe and were granted.
    public var office: [String] = []
    /// Who issues its statements; nil when the file does not say.
    public var issuer: Issuer?

    /// Makes a machine.
    ///
    /// - Precondition: the default indices are in range.
    public init(
        name: String,
        title: String,
        description: String = "",
        systems: [ComputeSystem],
        nodeTypes: [NodeType],
        nodes: [ClusterNode],
        racks: [Rack] = [],
        switches: [Switch] = [],
        partitions: [Partition],
        defaultPartitionIndex: Int = 0,
        platforms: [Platform],
        accounts: [AccountEntry],
        defaultAccountIndex: Int = 0,
        operators: [String] = [],
        issuer: Issuer? = nil
    ) {
        precondition(partitions.indices.contains(defaultPartitionIndex))
        precondition(accounts.indices.contains(defaultAccountIndex))
        self.name = name
        self.title = title
        self.description = description
        self.systems = systems
        self.nodeTypes = nodeTypes
        self.nodes = nodes
        self.racks = racks
        self.switches = switches
        self.partitions = partitions
        self.defaultPartitionIndex = defaultPartitionIndex
        self.platforms = platforms
        self.accounts = accounts
        self.defaultAccountIndex = defaultAccountIndex
        self.operators = operators
        self.issuer = issuer
    }
}

// MARK: - Looking things up

extension Machine {
    /// The partition of jobs that name none.
    public var defaultPartition: Partition { partitions[defaultPartitionIndex] }

    /// The account of jobs that name none.
    public var defaultAccount: AccountEntry { accounts[defaultAccountIndex] }

    /// The index of the partition called `name`; nil when there is none. Case counts, as in Slurm.
    public func partitionIndex(named name: String) -> Int? {
        partitions.firstIndex { $0.name == name }
    }

    /// The account called `name`; nil when there is none.
    public func account(named name: String) -> AccountEntry? {
        accounts.first { $0.name == name }
    }

    /// The account of a user's jobs that name none: where the user is a default member, else the first
    /// in which the user is named, else that of everybody.
    public func defaultAccount(of user: String) -> AccountEntry {
        accounts.first { $0.members.contains { $0.name == user && $0.isDefault } }
            ?? accounts.first { $0.users?.contains(user) ?? false } ?? defaultAccount
    }

    /// Where the accounts of users' jobs that name none stand, for all who are named: `defaultAccount(of:)` of each.
    public var defaultAccounts: [String: Int] {
        var chosen: [String: Int] = [:]
        var first: [String: Int] = [:]
        for (place, account) in accounts.enumerated() {
            for member in account.members where member.isDefault && chosen[member.name] == nil {
                chosen[member.name] = place
            }
            for user in account.users ?? [] where first[user] == nil { first[user] = place }
        }
        return first.merging(chosen) { $1 }
    }

    /// What becomes of running jobs of a partition that make way; a QOS may say otherwise of its own.
    public func preemptMode(of partition: Partition) -> PreemptionRules.Mode {
        guard preemption.basis != nil else { return .off }
        return partition.preemptMode == .cluster ? preemption.mode : partition.preemptMode
    }

    /// The qualities of service by their positions: the first is that of jobs that name none.
    public var qosInOrder: [QOS] {
        let normal = qos.first { $0.name == QOS.normal.name } ?? .normal
        return [normal] + qos.filter { $0.name != QOS.normal.name }
    }

    /// The qualities of service that may be named, by their positions.
    public var qosKnown: [QOS] { qosInOrder.filter { !$0.flags.contains(.deleted) } }

    /// The QOS that jobs of a user of an account may have, by name; nil for all.
    public func qosAllowed(to user: String, of account: String) -> [String]? {
        say(user, account, own: \.qos, of: \.qos)
    }

    /// The highest security level of partitions that jobs of an account may use.
    public func clearance(of account: String) -> Int32 {
        lineage(of: account).lazy.compactMap(\.clearance).first ?? 1
    }

    /// The QOS of such jobs that name none.
    public func defaultQOS(of user: String, in account: String) -> String {
        say(user, account, own: \.defaultQOS, of: \.defaultQOS)
            ?? qosAllowed(to: user, of: account)?.first { $0 == QOS.normal.name }
            ?? qosAllowed(to: user, of: account)?.first ?? qosInOrder[0].name
    }

    /// What the nearest says: the user in the account, the account, or one above it.
    private func say<Value>(
        _ user: String,
        _ account: String,
        own: KeyPath<AccountEntry.Member, Value?>,
        of accountsOwn: KeyPath<AccountEntry, Value?>
    ) -> Value? {
        guard let entry = self.account(named: account) else { return nil }
        if let member = entry.members.first(where: { $0.name == user }),
            let value = member[keyPath: own]
        {
            return value
        }
        return lineage(of: account).lazy.compactMap { $0[keyPath: accountsOwn] }.first
    }

    /// An account and those above it, the nearest first.
    private func lineage(of account: String) -> [AccountEntry] {
        accounts.chain(from: account) { name in accounts.firstIndex { $0.name == name } }
            .map { accounts[$0] }
    }

    /// The platform called `name`; nil when there is none.
    public func platform(named name: String) -> Platform? {
        platforms.first { $0.name == name }
    }

    /// The index of the node type called `name`; nil when there is none.
    public func nodeTypeIndex(named name: String) -> Int? {
        nodeTypes.firstIndex { $0.name == name }
    }

    /// The type of the node at `index`.
    public func nodeType(ofNode index: Int) -> NodeType { nodeTypes[nodes[index].typeIndex] }

    /// The index of every node by its name, for readers of node lists.
    ///
    /// - Complexity: O(nodes); keep the result.
    public func nodeIndices() -> [String: Int] {
        Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1.name, $0) })
    }

    /// The host list of some nodes: `cn[0000-0127]`.
    public func hostList(of set: IDSet) -> String {
        HostList.compress(set.map { nodes[$0].name })
    }
}

// MARK: - Totals

/// Sums over some nodes of a machine.
public struct MachineTotals: Hashable, Sendable {
    /// The number of nodes.
    public var nodeCount = 0
    /// General-purpose cores.
    public var coreCount: Int64 = 0
    /// Main memory.
    public var memory = ByteCount.zero
    /// Accelerator cards.
    public var acceleratorCount: Int64 = 0
    /// The double-precision peak of all nodes whose peak is known.
    public var peak = FlopRate.zero
    /// The number of nodes whose peak is not known (a discovered host).
    public var nodesWithoutPeakCount = 0

    /// Makes empty totals.
    public init() {}
}

extension Machine {
    /// The sums over all nodes.
    public var totals: MachineTotals { totals(of: IDSet(nodes.indices)) }

    /// The sums over some nodes.
    ///
    /// - Complexity: O(nodes in the set).
    public func totals(of set: IDSet) -> MachineTotals {
        let peaks = nodeTypes.map(\.peak)
        var totals = MachineTotals()
        for index in set {
            let node = nodes[index]
            totals.nodeCount += 1
            totals.coreCount += Int64(node.capacity.cores)
            totals.memory = ByteCount(totals.memory.count + node.capacity.memory.count)
            totals.acceleratorCount += Int64(node.capacity.accelerators)
            if let peak = peaks[node.typeIndex] {
                totals.peak = totals.peak + peak
            } else {
                totals.nodesWithoutPeakCount += 1
            }
        }
        return totals
    }
}

extension Machine {
    /// The same machine, on whose modelled nodes scripts are rehearsed.
    public var rehearsed: Machine {
        var machine = self
        for index in machine.partitions.indices
        where machine.partitions[index].backend == .emulated {
            machine.partitions[index].backend = .rehearsed
        }
        return machine
    }
}
