import ClusterModel
public import Quantities

/// Whether a node is switched on.
public enum NodePowerState: UInt8, Hashable, Sendable, CaseIterable, Codable {
    /// Slurm shows nothing special.
    case on
    /// It is switched on and comes up (`#` in Slurm's lists).
    case booting
    /// It is switched off and comes up when a job needs it (`~` in Slurm's lists).
    case off
}

/// What nodes have drawn so far.
public struct PowerMeter: Sendable, Codable {
    /// What a node did while it drew power.
    public enum Work: Int, Hashable, Sendable, CaseIterable, Codable {
        /// It held jobs.
        case busy
        /// It was on and held none.
        case idle
        /// It came up.
        case booting
        /// It was off, or out of order.
        case off
    }

    /// The energy by work. Unit: nJ (mW · µs).
    private var energy = [Int128](repeating: 0, count: Work.allCases.count)
    /// The time that nodes spent so, together. Unit: µs.
    private var time = [Int128](repeating: 0, count: Work.allCases.count)
    private var nodes: ContiguousArray<Draw>

    /// What a node does, and draws, since when.
    private struct Draw: Sendable, Codable {
        var work: Work
        var milliwatts: Int64
        var since: SimInstant
    }

    /// What all nodes draw now, and the most that they have drawn. Unit: mW.
    private var total: Int64
    private var peak: Int64
    /// How often a node was switched on.
    public internal(set) var bootCount = 0

    init(_ rules: PowerRules, at now: SimInstant) {
        nodes = ContiguousArray(
            rules.nodes.enumerated().map { node, power in
                rules.capped.contains(node)
                    ? Draw(work: .off, milliwatts: power?.off ?? 0, since: now)
                    : Draw(work: .idle, milliwatts: power?.idle ?? 0, since: now)
            }
        )
        total = nodes.reduce(0) { $0 + $1.milliwatts }
        peak = total
    }

    mutating func note(_ node: Int, _ work: Work, _ milliwatts: Int64, at now: SimInstant) {
        close(node, at: now)
        total += milliwatts - nodes[node].milliwatts
        peak = max(peak, total)
        nodes[node] = Draw(work: work, milliwatts: milliwatts, since: now)
    }

    private mutating func close(_ node: Int, at now: SimInstant) {
        let entry = nodes[node]
        let length = Int128((now - entry.since).microseconds)
        energy[entry.work.rawValue] += length * Int128(entry.milliwatts)
        time[entry.work.rawValue] += length
        nodes[node].since = now
    }

    /// What was drawn by `now`, by work.
    public func reading(at now: SimInstant) -> PowerReading {
        var closed = self
        for node in nodes.indices { closed.close(node, at: now) }
        return PowerReading(
            millijoules: closed.energy.map { Int64(clamping: $0 / 1_000_000) },
            nodeSeconds: closed.time.map { Int64(clamping: $0 / 1_000_000) },
            peakWatts: peak / 1_000,
            bootCount: bootCount
        )
    }
}

/// What a meter shows.
public struct PowerReading: Hashable, Sendable {
    /// The energy by `PowerMeter.Work`. Unit: mJ.
    public var millijoules: [Int64]
    /// The time that nodes spent so, together. Unit: s.
    public var nodeSeconds: [Int64]
    /// The most that all nodes drew at once. Unit: W.
    public var peakWatts: Int64
    /// How often a node was switched on.
    public var bootCount: Int

    /// All energy. Unit: mJ.
    public var total: Int64 {
        millijoules.reduce(0) { sum, part in
            let (value, overflow) = sum.addingReportingOverflow(part)
            return overflow ? .max : value
        }
    }

    /// The energy of one kind of work. Unit: mJ.
    public subscript(_ work: PowerMeter.Work) -> Int64 { millijoules[work.rawValue] }
}
