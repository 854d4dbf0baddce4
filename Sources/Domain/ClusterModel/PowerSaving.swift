import IndexSets
public import Quantities

/// When nodes are switched off.
public struct PowerSaving: Hashable, Sendable {
    /// How long a node is idle before it is switched off (Slurm's `SuspendTime`); nil when none is.
    public var suspendTime: SimDuration?
    /// What all nodes may draw together if those that are on did their utmost; nil is no bound. Unit: W.
    public var capWatts: Int64?

    /// The highest cap: a thousand gigawatts.
    public static let capMaximum: Int64 = 1_000_000_000_000

    /// Makes rules; by default all nodes are always on.
    public init(suspendTime: SimDuration? = nil, capWatts: Int64? = nil) {
        self.suspendTime = suspendTime
        self.capWatts = capWatts
    }

    /// Whether nodes are ever switched.
    public var isOn: Bool { suspendTime != nil || capWatts != nil }
}

/// What a node draws, and how long it takes to come up.
public struct NodePower: Hashable, Sendable, Codable {
    /// With all its cores or cards at work, and while it comes up. Unit: mW.
    public var load: Int64
    /// Without jobs. Unit: mW.
    public var idle: Int64
    /// Switched off, or out of order. Unit: mW.
    public var off: Int64
    /// From the switch to the first job.
    public var bootTime: SimDuration

    /// Makes a node's power.
    ///
    /// - Precondition: 0 ≤ off ≤ idle ≤ load.
    public init(load: Int64, idle: Int64, off: Int64 = 0, bootTime: SimDuration = .zero) {
        precondition(0 <= off && off <= idle && idle <= load)
        self.load = load
        self.idle = idle
        self.off = off
        self.bootTime = bootTime
    }
}

/// Why the power of a machine cannot be counted or bounded.
public enum PowerProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The node type says no power, and neither does its system.
    case unknownPower(nodeType: String)
    /// The cap lets no node be on. Unit: W.
    case capTooLow(cap: Int64, needed: Int64)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .unknownPower(let type):
            "the node type '\(type)' says no power, so that energy cannot be counted"
        case .capTooLow(let cap, let needed):
            "a cap of \(cap) W lets no job run: one node at work and the others off draw \(needed) W"
        }
    }
}

extension Machine {
    /// What each node draws; nil for one that is not ours to switch, since something real runs on it, or
    /// whose power nobody knows. Idle it draws half of what it draws under load where its type says
    /// nothing, switched off nothing.
    public var nodePowers: [NodePower?] {
        let real = partitions.filter { $0.backend != .emulated }.map(\.nodes)
        return loadMilliwatts.enumerated().map { index, load in
            guard let load, load >= 0, !real.contains(where: { $0.contains(index) }) else {
                return nil
            }
            let type = nodeType(ofNode: index)
            let idle = type.idleWatts.map { max(0, min(load, Int64($0) * 1_000)) } ?? load / 2
            let off = type.offWatts.map { max(0, min(idle, Int64($0) * 1_000)) } ?? 0
            return NodePower(load: load, idle: idle, off: off, bootTime: type.bootTime ?? .zero)
        }
    }

    /// Looks for what keeps power from being counted or bounded.
    ///
    /// - Throws: the first problem.
    public func checkPower() throws(PowerProblem) {
        let powers = nodePowers
        let real = partitions.filter { $0.backend != .emulated }.map(\.nodes)
        for (index, power) in powers.enumerated()
        where power == nil && !real.contains(where: { $0.contains(index) }) {
            throw .unknownPower(nodeType: nodeType(ofNode: index).name)
        }
        guard let cap = powerSaving.capWatts else { return }
        let known = powers.compactMap(\.self)
        let floor = known.reduce(Int128(0)) { $0 + Int128($1.off) }
        let needed = floor + Int128(known.map { $0.load - $0.off }.min() ?? 0)
        guard needed <= Int128(cap) * 1_000, cap <= PowerSaving.capMaximum else {
            throw .capTooLow(cap: cap, needed: Int64(clamping: (needed + 999) / 1_000))
        }
    }

    /// Why its power cannot be saved as it says; nil when it can, or is not.
    public var powerProblem: PowerProblem? {
        guard powerSaving.isOn else { return nil }
        do throws(PowerProblem) {
            try checkPower()
            return nil
        } catch {
            return error
        }
    }

    /// What each node draws under load: what its type says, else its share of the power that was
    /// published for its whole system; nil when neither is known. Unit: mW.
    public var loadMilliwatts: [Int64?] {
        var shares: [Int64?] = Array(repeating: nil, count: nodes.count)
        for system in systems {
            guard let watts = system.published.powerWatts, !system.nodes.isEmpty else { continue }
            let share = Int64(clamping: Int128(watts) * 1_000 / Int128(system.nodes.count))
            for node in system.nodes { shares[node] = share }
        }
        return nodes.indices.map { node in
            nodeType(ofNode: node).powerWatts.map { Int64($0) * 1_000 } ?? shares[node]
        }
    }
}
