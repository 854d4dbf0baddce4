import Accounts
import Catalog
public import ClusterModel
import Determinism
import Emulation
import IndexSets
import Quantities
public import Scheduling
import WireFormats

/// What stays the same while a centre is open: its machine and its policy.
public final class CentreRules: Sendable, Codable {
    /// The machine.
    public let machine: Machine
    /// How jobs are chosen.
    public let policy: SchedulingPolicy
    /// Who has which role.
    let roles: RoleBook
    /// The index of every node by its name.
    let nodeIndices: [String: Int]
    /// The partitions of each node, in the machine's order.
    let partitionsOfNode: [[Int]]

    /// What the nodes of each partition have.
    let nodeClasses: [NodeClasses]

    /// The sums over each partition, and its nodes as a host list.
    let totals: [MachineTotals]
    let partitionNodeLists: [String]
    /// The sums over all nodes.
    let machineTotals: MachineTotals

    /// Makes the rules of a centre.
    public init(machine: Machine, policy: SchedulingPolicy = .easy) {
        self.machine = machine
        self.policy = policy
        roles = RoleBook(machine)
        nodeIndices = machine.nodeIndices()
        var partitionsOfNode = [[Int]](repeating: [], count: machine.nodes.count)
        for (index, partition) in machine.partitions.enumerated() {
            for node in partition.nodes { partitionsOfNode[node].append(index) }
        }
        self.partitionsOfNode = partitionsOfNode
        totals = machine.partitions.map { machine.totals(of: $0.nodes) }
        partitionNodeLists = machine.partitions.map { machine.hostList(of: $0.nodes) }
        machineTotals = machine.totals
        nodeClasses = machine.partitions.map { NodeClasses(machine, $0, excluding: IDSet()) }
    }

    /// What the partitions that a job asks for do with a script; those of one job are alike.
    func backend(of status: JobStatus) -> Partition.Backend {
        status.partitions.first.map { machine.partitions[$0].backend } ?? .emulated
    }

    /// The same rules with other customers.
    func with(_ customers: CustomerRegister) -> CentreRules {
        CentreRules(self, machine.with(customers))
    }

    private init(_ other: CentreRules, _ machine: Machine) {
        self.machine = machine
        policy = other.policy
        roles = RoleBook(machine)
        nodeIndices = other.nodeIndices
        partitionsOfNode = other.partitionsOfNode
        nodeClasses = other.nodeClasses
        totals = other.totals
        partitionNodeLists = other.partitionNodeLists
        machineTotals = other.machineTotals
    }

    /// Reads what of the rules may change; the others are in the decoder's context.
    public convenience init(from decoder: any Decoder) throws {
        let customers = try decoder.singleValueContainer().decode(CustomerRegister.self)
        guard let others = decoder.userInfo[.imageContext] as? CentreRules else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: [], debugDescription: "no rules are known")
            )
        }
        self.init(others, others.machine.with(customers))
    }

    /// Writes what of the rules may change.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        var register = CustomerRegister(of: machine)
        register.qos = machine.qos
        try container.encode(register)
    }

    /// How long a requeued job waits before it may start again. Slurm 22.05 was seen to take 121 s; where
    /// jobs really run, the centre itself sees when the old run is gone.
    func requeueDelay(ofPartition index: Int) -> SimDuration {
        machine.partitions[index].backend == .local ? .zero : SimDuration(seconds: 121)
    }

    /// The rules as the emulator takes them.
    var configuration: EmulatorConfiguration {
        var configuration = EmulatorConfiguration(machine: machine, policy: policy)
        for index in configuration.partitions.indices {
            configuration.partitions[index].requeueDelay = requeueDelay(ofPartition: index)
        }
        return configuration
    }

    /// Why the policy cannot decide for this machine; nil when it can.
    var policyProblem: String? {
        do throws(ConfigurationProblem) {
            try configuration.check()
            return nil
        } catch {
            switch error {
            case .tooManyCores(let cores):
                return "machine '\(machine.name)' has \(cores) cores; \(Int32.max) is the most"
            case .tooManyCards(let node):
                return "node '\(machine.nodes[node].name)' has too many cards to share them"
            }
        }
    }

    /// The digest by which an earlier version knew its rules again: its journals do not hold them.
    ///
    /// It goes by how Swift prints some parts, so those parts must keep their members.
    var fingerprint: String {
        var digest = StateDigest()
        func mix(_ text: String) {
            for byte in text.utf8 { digest.mix(UInt64(byte)) }
            digest.mix(UInt64(text.utf8.count))
        }
        mix(policy.name)
        for node in machine.nodes {
            mix(node.name)
            digest.mix(Int64(node.capacity.cores))
            digest.mix(node.capacity.memory.mebibytes)
            digest.mix(Int64(node.capacity.accelerators))
        }
        // Jobs that name a kernel run as long as these figures say.
        for type in machine.nodeTypes {
            mix(
                "\(type.processor) \(type.accelerators) \(String(describing: type.memoryBandwidth))"
            )
        }
        for system in machine.systems { mix(String(describing: system.network)) }
        for partition in machine.partitions {
            mix("\(partition.name) \(partition.sharing) \(partition.state) \(partition.backend)")
            for node in partition.nodes { digest.mix(UInt64(node)) }
            let limits = [partition.maximumTimeLimit, partition.defaultTimeLimit]
            for limit in limits { digest.mix(limit?.microseconds ?? -1) }
            let quota = partition.quota
            for number in [
                partition.maximumNodesPerJob, quota.runningJobs, quota.nodes, quota.cores,
            ] {
                digest.mix(Int64(number ?? -1))
            }
            mix("\(partition.prices) \(partition.platform)")
        }
        for account in machine.accounts {
            mix(account.name + (account.enterprise ?? ""))
            if let limit = account.creditLimitFen { mix("credit \(limit)") }
        }
        return digest.hexText
    }
}
