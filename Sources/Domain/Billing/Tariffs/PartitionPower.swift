import ClusterModel
import IndexSets
import Quantities

/// What the nodes of a partition draw under load, for the energy of runs that report none.
///
/// A run is said to have its share of them: that of its cores, or of its cards where that is larger.
struct PartitionPower: Hashable, Sendable, Codable {
    /// Of all its nodes. Unit: mW.
    var milliwatts: Int128
    /// The cores of all its nodes.
    var cores: Int64
    /// The cards of all its nodes.
    var cards: Int64

    /// The energy that a part of a run is said to have taken. Unit: nJ.
    func nanojoules(of part: ChargePart) -> Int128 {
        let energy = milliwatts * Int128(part.duration.microseconds)
        let byCores = cores > 0 ? energy * Int128(part.coreCount) / Int128(cores) : 0
        let byCards = cards > 0 ? energy * Int128(part.cardCount) / Int128(cards) : 0
        return max(byCores, byCards)
    }

    /// By the names of partitions. A node draws what its type says, else its share of the power that
    /// was published for its whole system; a partition with a node of which neither is known is left
    /// out.
    static func byPartition(of machine: Machine) -> [String: PartitionPower] {
        let loads = machine.loadMilliwatts
        var powers: [String: PartitionPower] = [:]
        for partition in machine.partitions {
            var power = PartitionPower(milliwatts: 0, cores: 0, cards: 0)
            var isKnown = true
            for node in partition.nodes {
                guard let milliwatts = loads[node] else {
                    isKnown = false
                    break
                }
                power.milliwatts += Int128(milliwatts)
                power.cores += Int64(machine.nodes[node].capacity.cores)
                power.cards += Int64(machine.nodes[node].capacity.accelerators)
            }
            if isKnown, power.milliwatts > 0 { powers[partition.name] = power }
        }
        return powers
    }
}
