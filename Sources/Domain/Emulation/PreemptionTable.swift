import Accounts
import JobModel

/// Who makes way for whom, looked up.
struct PreemptionTable: Sendable, Codable {
    let rules: PreemptionRules
    /// Whether anybody ever makes way.
    private(set) var isOn = false
    /// By QOS, then by QOS: whether jobs of the other make way for jobs of the one.
    private var yields: [[Bool]] = []
    /// By QOS: how many steps down it preempts.
    private var levels: [Int64] = []
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
        levels = Array(repeating: 0, count: qos.count)
        // A circle would go on for ever; none is taken in.
        for _ in qos {
            for (place, row) in yields.enumerated() {
                for (other, makesWay) in row.enumerated() where makesWay {
                    levels[place] = max(levels[place], min(levels[other] + 1, Self.levelMaximum))
                }
            }
        }
        isOn = levels.contains { $0 > 0 }
    }

    /// So many levels are told apart.
    static let levelMaximum: Int64 = 100

    /// Before how many others jobs of a QOS queue, whatever their partition and priority.
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
