/// A trackable resource, as Slurm counts and limits it.
public enum TRES: UInt8, Hashable, Sendable, CaseIterable, Codable {
    /// Cores.
    case cpu
    /// Memory. Unit: MiB.
    case memory
    /// Nodes.
    case node
    /// What a job weighs for fair share: its cores, unless its partition has weights.
    case billing
    /// Accelerator cards.
    case gres

    /// What Slurm calls it in a list such as `cpu=8,mem=16G`.
    public var name: String {
        switch self {
        case .cpu: "cpu"
        case .memory: "mem"
        case .node: "node"
        case .billing: "billing"
        case .gres: "gres/gpu"
        }
    }

    /// The resource that Slurm calls so.
    public init?(named name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }
}

/// A count of each trackable resource.
public struct TRESCounts: Hashable, Sendable, Codable {
    /// Cores.
    public var cpu: Int64
    /// Memory. Unit: MiB.
    public var memory: Int64
    /// Nodes.
    public var node: Int64
    /// What weighs for fair share.
    public var billing: Int64
    /// Accelerator cards.
    public var gres: Int64

    /// Makes counts; what is left out is zero.
    public init(
        cpu: Int64 = 0,
        memory: Int64 = 0,
        node: Int64 = 0,
        billing: Int64 = 0,
        gres: Int64 = 0
    ) {
        self.cpu = cpu
        self.memory = memory
        self.node = node
        self.billing = billing
        self.gres = gres
    }

    /// The count of one resource.
    public subscript(tres: TRES) -> Int64 {
        switch tres {
        case .cpu: cpu
        case .memory: memory
        case .node: node
        case .billing: billing
        case .gres: gres
        }
    }

    /// Adds counts.
    public static func += (left: inout Self, right: Self) {
        left.cpu += right.cpu
        left.memory += right.memory
        left.node += right.node
        left.billing += right.billing
        left.gres += right.gres
    }

    /// Takes counts away.
    public static func -= (left: inout Self, right: Self) {
        left.cpu -= right.cpu
        left.memory -= right.memory
        left.node -= right.node
        left.billing -= right.billing
        left.gres -= right.gres
    }
}
