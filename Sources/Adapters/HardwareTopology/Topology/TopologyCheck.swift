public import ClusterModel
import Quantities

/// Holds what a machine file says about a node against what hwloc reads from its topology.
public enum TopologyCheck {
    /// What does not agree, in words; nil when all does.
    ///
    /// Cores must be equal. Memory may be less than the topology's, since not every memory of a node
    /// is given to jobs (MT-3000's fast one is not). Cards are compared where the topology shows any;
    /// a synthetic string cannot.
    public static func problem(_ source: TopologySource, _ capacity: NodeCapacity) -> String? {
        guard source != .host else { return nil }
        let model: TopologyModel
        do {
            model = try HwlocTopology.load(source).model(origin: source)
        } catch {
            return error.description
        }
        if model.coreCount != Int(capacity.cores) {
            return "the topology has \(counted(model.coreCount, "core")), "
                + "the node type says \(capacity.cores)"
        }
        if model.memory < capacity.memory {
            return "the topology has \(model.memory.binaryText) of memory, "
                + "the node type says \(capacity.memory.binaryText)"
        }
        if model.acceleratorCount > 0, model.acceleratorCount != Int(capacity.accelerators) {
            return "the topology has \(counted(model.acceleratorCount, "card")), "
                + "the node type says \(capacity.accelerators)"
        }
        return nil
    }
}
