public import Quantities

/// The machine that the program runs on, as far as a machine file may refer to it.
///
/// Programs discover it and hand it to the reader of machine files, which has no hands of its own.
public struct HostDescription: Hashable, Sendable {
    /// The name that the machine gives itself.
    public var name: String
    /// The model of its processors.
    public var processorModel: String
    /// The number of cores that this process may use.
    public var cores: Int32
    /// Its memory.
    public var memory: ByteCount

    /// Makes a description.
    ///
    /// - Precondition: there is at least one core.
    public init(name: String, processorModel: String, cores: Int32, memory: ByteCount) {
        precondition(cores > 0)
        self.name = name
        self.processorModel = processorModel
        self.cores = cores
        self.memory = memory
    }
}
