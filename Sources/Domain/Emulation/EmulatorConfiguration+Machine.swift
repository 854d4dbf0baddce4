import Accounts
public import ClusterModel
public import Scheduling

extension EmulatorConfiguration {
    /// What decisions need to know of a machine; nodes and partitions keep their positions.
    public init(machine: Machine, policy: SchedulingPolicy) {
        let qos = machine.qosInOrder
        let highest = machine.partitions.map(\.jobFactor).max() ?? 0
        self.init(
            nodes: machine.nodes.map(\.capacity),
            partitions: machine.partitions.map { partition in
                var configuration = PartitionConfiguration(
                    nodes: partition.nodes,
                    isWholeNode: partition.sharing == .wholeNode,
                    maximumNodesPerJob: partition.maximumNodesPerJob,
                    maximumTimeLimit: partition.maximumTimeLimit,
                    state: PartitionState(partition.state),
                    priorityFactor: highest > 0
                        ? Int32(Int64(partition.jobFactor) * 1_000_000 / Int64(highest)) : 0
                )
                configuration.tier = partition.tier
                configuration.terms = PartitionTerms(
                    qos: partition.qos.flatMap { name in qos.firstIndex { $0.name == name } },
                    quota: partition.quota,
                    billingWeights: partition.billingWeights
                )
                configuration.terms.preemptMode = partition.preemptMode
                configuration.terms.graceSeconds = partition.graceSeconds
                return configuration
            },
            policy: policy
        )
        self.qos = qos
        preemption = machine.preemption
        licenses = machine.licenses.map { Int64($0.count) }
        // A machine that cannot save power as it says is refused when it is read.
        power = machine.powerSaving.isOn ? try? PowerRules(machine) : nil
        associations = machine.associations(PeopleNumbers(machine))
        leafSwitches = machine.leafSwitches
    }
}

extension Machine {
    /// The leaf switch of each node, for placement; empty for a machine without switches. Nodes
    /// without a switch share a number of their own.
    public var leafSwitches: [Int32] {
        guard !switches.isEmpty else { return [] }
        return nodes.map { Int32($0.switchIndex ?? switches.count) }
    }
}

extension PartitionState {
    /// The state that a machine file gives a partition.
    public init(_ state: Partition.State) {
        switch state {
        case .up: self = .up
        case .down: self = .down
        case .drain: self = .drain
        case .inactive: self = .inactive
        }
    }
}
