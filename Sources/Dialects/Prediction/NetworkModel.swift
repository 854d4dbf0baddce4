import ClusterModel
internal import IndexSets

/// Messages between nodes by LogGP: a message of m bytes takes 2o + L + (m − 1)G.
///
/// L is the latency of a hop times the hops between two nodes of the job, o what a processor spends
/// on sending or receiving, G the time of a byte on a node's link. All ranks of a node share its
/// link, so the model has one party a node. A fat tree is taken to have full bisection.
///
/// Source: Alexandrov, Ionescu, Schauser, Scheiman, "LogGP: Incorporating Long Messages into the
/// LogP Model", SPAA 1995; collectives as in Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005.
public struct NetworkModel: Hashable, Sendable {
    /// L. Unit: s.
    public var latency: Double
    /// o. Unit: s.
    public var overhead: Double
    /// G. Unit: s/byte.
    public var secondsOfByte: Double
    /// What is assumed, in sentences.
    public var notes: [String] = []

    /// What is taken where a machine file does not say.
    public enum Usual {
        /// One hop. Unit: s.
        public static let hop = 1.5e-6
        /// A sender's or receiver's own work on a message. Unit: s.
        public static let overhead = 0.5e-6
        /// One node in one direction. Unit: byte/s.
        public static let link = 5e9
    }

    /// Makes a model from its parameters.
    public init(latency: Double, overhead: Double, secondsOfByte: Double) {
        self.latency = latency
        self.overhead = overhead
        self.secondsOfByte = secondsOfByte
    }

    /// The network of a system, for a job whose farthest nodes are `hops` apart.
    init(_ system: ComputeSystem?, hops: Int) {
        let network = system?.network
        let hop = network?.latencyNanoseconds.map { Double($0) * 1e-9 }
        let link = network?.linkBandwidth.map { Double($0.bytesPerSecond) }
        self.init(
            latency: (hop ?? Usual.hop) * Double(hops),
            overhead: Usual.overhead,
            secondsOfByte: 1 / (link ?? Usual.link)
        )
        notes = ["network: overhead of a message 0.5 us a side, full bisection (assumptions)"]
        for fact in system?.facts ?? [] where fact.evidence == .assumption {
            guard fact.field.hasPrefix("network."), fact.field != "network.shape" else { continue }
            notes.append("\(fact.field) of \(fact.value), \(fact.source)")
        }
        if hop == nil { notes.append("network: latency not known, 1.5 us a hop assumed") }
        if link == nil { notes.append("network: bandwidth not known, 5 GB/s assumed") }
    }

    /// One message of `bytes`.
    public func message(_ bytes: Double) -> Double {
        2 * overhead + latency + max(0, bytes - 1) * secondsOfByte
    }

    /// A sum over `parties` of `bytes` each, known to all: recursive doubling for short ones,
    /// Rabenseifner's halving and doubling for long ones, whichever is faster.
    public func allReduce(_ bytes: Double, _ parties: Int) -> Double {
        guard parties > 1 else { return 0 }
        let rounds = Double(treeRounds(parties))
        let short = rounds * message(bytes)
        let moved = 2 * bytes * Double(parties - 1) / Double(parties)
        let long = 2 * rounds * (2 * overhead + latency) + moved * secondsOfByte
        return min(short, long)
    }

    /// A message of `bytes` from each of `parties` to each other: Bruck's algorithm for short ones,
    /// which hands on half of all that a party has in each round; for long ones pairwise, each step
    /// waiting for its partner; whichever is faster.
    public func allToAll(_ bytes: Double, _ parties: Int) -> Double {
        guard parties > 1 else { return 0 }
        let short = Double(treeRounds(parties)) * message(bytes * Double(parties) / 2)
        let long = Double(parties - 1) * message(bytes)
        return min(short, long)
    }

    /// `count` messages of `bytes` each to neighbours, all under way at once.
    public func exchange(_ count: Int, bytes: Double) -> Double {
        guard count > 0 else { return 0 }
        return latency + Double(count) * (2 * overhead + bytes * secondsOfByte)
    }
}

extension Machine {
    /// Switches that a message passes between the farthest two of `nodeCount` neighbouring nodes of
    /// `system`: 1 below one leaf, 2k + 1 with k levels above it.
    func hops(_ system: ComputeSystem, nodeCount: Int) -> Int {
        guard nodeCount > 1 else { return 0 }
        let own = switches.filter {
            !$0.nodes.isEmpty && system.nodes.contains($0.nodes.first ?? -1)
        }
        guard !own.isEmpty else { return 3 }
        let fitting = own.filter { $0.nodes.count >= nodeCount }.map(\.level).min()
        return 2 * (fitting ?? own.map(\.level).max() ?? 1) + 1
    }
}
