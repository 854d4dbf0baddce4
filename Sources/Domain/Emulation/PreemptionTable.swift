import Accounts
import JobModel

/// Who makes way for whom, looked up.
struct PreemptionTable: Sendable, Codable {
    let rules: PreemptionRules
    /// Whether anybody ever makes way.
    private(set) var isOn = false
    /// By QOS, then by QOS: whether jobs of the other make way for jobs of the one.
    private var yields: [[Bool]] = []
    /// By QOS: how many steps down it preempts those of whom there are jobs.
    private var levels: [Int64] = []
    /// By QOS: how many jobs wait or run.
    private var present: [Int32] = []
    /// The lowest tier of a partition.
    private let lowestTier: Int32

    init(_ rules: PreemptionRules, _ partitions: [PartitionConfiguration]) {
        self.rules = rules
        lowestTier = partitions.map(\.tier).min() ?? 1
        isOn = rules.basis == .partition
    }

    /// Reads the QOS, which have changed.
    mutating func note(_ qos: [QOS]) {
        guard rules.basis == .qos else { return }
        yields = qos.map { own in qos.map { own.preempts.contains($0.name) } }
        present += Array(repeating: 0, count: max(0, qos.count - present.count))
        isOn = yields.contains { $0.contains(true) }
        level()
    }

    /// - Returns: whether a level has changed.
    @discardableResult
    private mutating func level() -> Bool {
        let before = levels
        levels = Array(repeating: 0, count: yields.count)
        // A circle would go on for ever; none is taken in.
        for _ in yields {
            var isChanged = false
            for (place, row) in yields.enumerated() {
                for (other, makesWay) in row.enumerated() where makesWay && present[other] > 0 {
                    let level = min(levels[other] + 1, Self.levelMaximum)
                    guard level > levels[place] else { continue }
                    levels[place] = level
                    isChanged = true
                }
            }
            guard isChanged else { break }
        }
        return levels != before
    }

    /// Takes note of a job that has come.
    ///
    /// - Returns: whether others stand before more than they did, or before fewer.
    mutating func arrive(qos: Int32) -> Bool {
        guard rules.basis == .qos, isOn else { return false }
        present[Int(qos)] += 1
        return present[Int(qos)] == 1 && level()
    }

    /// Takes note of a job that is gone.
    ///
    /// - Returns: as `arrive`.
    mutating func depart(qos: Int32) -> Bool {
        guard rules.basis == .qos, isOn, present[Int(qos)] > 0 else { return false }
        present[Int(qos)] -= 1
        return present[Int(qos)] == 0 && level()
    }

    /// Counts jobs again, where some may have come while nobody made way.
    mutating func count(_ qos: some Sequence<Int32>) {
        guard rules.basis == .qos else { return }
        for place in present.indices { present[place] = 0 }
        for place in qos { present[Int(place)] += 1 }
        level()
    }

    /// So many levels are told apart.
    static let levelMaximum: Int64 = 100

    /// Before how many others jobs of a QOS queue, whatever their partition and priority. Where nobody is whom
    /// they could stop, they queue like all others, as in Slurm.
    @inline(__always)
    func level(ofQOS qos: Int32) -> Int64 {
        levels.isEmpty ? 0 : levels[Int(qos)]
    }

    /// Whether anybody could make way for a job of a QOS and tier.
    func mayStopOthers(qos: Int32, tier: Int32) -> Bool {
        switch rules.basis {
        case .qos: level(ofQOS: qos) > 0
        case .partition: tier > lowestTier
        case nil: false
        }
    }

    /// Whether running jobs of one QOS and tier make way for those of another.
    func makesWay(qos: Int32, tier: Int32, forQOS other: Int32, tier otherTier: Int32) -> Bool {
        switch rules.basis {
        case .qos: yields[Int(other)][Int(qos)]
        case .partition: tier < otherTier
        case nil: false
        }
    }
}
