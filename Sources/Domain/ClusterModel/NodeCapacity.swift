public import Quantities

/// What one node has to give to jobs.
public struct NodeCapacity: Hashable, Sendable, Codable {
    /// The number of cores.
    public var cores: Int32
    /// The memory that jobs may use.
    public var memory: ByteCount
    /// The number of accelerator cards.
    public var accelerators: Int32

    /// Makes a capacity.
    public init(cores: Int32, memory: ByteCount = .zero, accelerators: Int32 = 0) {
        self.cores = cores
        self.memory = memory
        self.accelerators = accelerators
    }
}
