public import Emulation
import JobModel
import Quantities
public import Scheduling

/// The machine that a trace is replayed on, and how a job's processors become a request.
public struct ReplayMachine: Sendable {
    /// What the emulator starts with.
    public var configuration: EmulatorConfiguration
    /// The partition that all jobs go to.
    public var partition: Int
    /// The cores of a node of that partition; jobs get whole nodes.
    public var coresPerNode: Int32
    /// What the report calls it.
    public var title: String

    /// Makes a machine.
    public init(
        configuration: EmulatorConfiguration,
        partition: Int,
        coresPerNode: Int32,
        title: String
    ) {
        precondition(coresPerNode > 0)
        self.configuration = configuration
        self.partition = partition
        self.coresPerNode = coresPerNode
        self.title = title
    }

    /// A machine of `count` processors that are given out one by one.
    public static func processors(_ count: Int, policy: SchedulingPolicy) -> Self {
        Self(
            configuration: .uniform(nodeCount: count, policy: policy),
            partition: 0,
            coresPerNode: 1,
            title: "\(count) processors"
        )
    }

    /// The nodes that a job of so many processors gets.
    public func nodes(forProcessors processors: Int32) -> Int32 {
        (processors - 1) / coresPerNode + 1
    }
}
