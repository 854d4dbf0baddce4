import ClusterModel
import Scheduling

/// What a configuration asks for that an emulator cannot do.
public enum ConfigurationProblem: Error, Hashable, Sendable {
    /// The nodes have more cores together, in the units of the configuration, than are counted.
    case tooManyCores(Int64)
    /// Parts of cards are given out, and this node has more cards than can be told apart.
    case tooManyCards(node: Int)
}

extension EmulatorConfiguration {
    /// Looks for what an emulator could not do. A driver calls this before it promises anything:
    /// `Emulator.init` stops the program.
    ///
    /// - Throws: the first problem.
    public func check() throws(ConfigurationProblem) {
        if let problem { throw problem }
    }
}

extension EmulatorConfiguration {
    /// The first thing that an emulator could not do; nil when there is none.
    var problem: ConfigurationProblem? {
        let cores = nodes.reduce(0) { $0 + Int64($1.cores) }
        if cores > Int64(Int32.max) { return .tooManyCores(cores) }
        guard sharesCards else { return nil }
        let wide = nodes.firstIndex { $0.accelerators > Self.sharedCardsMaximum }
        return wide.map { .tooManyCards(node: $0) }
    }
}
