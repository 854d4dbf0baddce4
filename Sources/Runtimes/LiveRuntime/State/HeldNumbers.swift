/// The cards of modelled nodes by number, for the scripts that run there.
struct NodeCards {
    private var nodes: [Int: HeldNumbers] = [:]
    private var nodesOfJob: [UInt32: [Int]] = [:]

    /// Gives a job cards of its nodes, of each node the lowest free ones.
    ///
    /// - Parameter wanted: how many of which node, and how many that node has.
    /// - Returns: those of the first node; empty when it has none, or when cards are still in use.
    mutating func take(
        _ wanted: [(node: Int, count: Int, of: Int)],
        for id: UInt32
    ) -> [Int] {
        release(id)
        var first: [Int] = []
        for (index, place) in wanted.enumerated() where place.count > 0 {
            var numbers = nodes[place.node] ?? HeldNumbers(count: place.of)
            guard let taken = numbers.take(place.count, for: id) else { continue }
            nodes[place.node] = numbers
            nodesOfJob[id, default: []].append(place.node)
            if index == 0 { first = taken }
        }
        return first
    }

    /// Takes back what a job has.
    mutating func release(_ id: UInt32) {
        for node in nodesOfJob.removeValue(forKey: id) ?? [] { nodes[node]?.release(id) }
    }
}

/// Cores or cards of the host by number: which are free, and which job holds which.
///
/// The emulator counts them; which ones they are is decided here, the lowest free ones first.
struct HeldNumbers {
    /// How many there are.
    let count: Int
    private var free: Set<Int>
    private var held: [UInt32: [Int]] = [:]

    /// The numbers from 0 on, all free.
    init(count: Int) {
        self.count = count
        free = Set(0..<count)
    }

    /// How many are free.
    var freeCount: Int { free.count }

    /// Gives a job so many; nil when there are not so many free.
    mutating func take(_ count: Int, for id: UInt32) -> [Int]? {
        guard count <= free.count else { return nil }
        let taken = Array(free.sorted().prefix(count))
        hold(taken, for: id)
        return taken
    }

    /// Gives a job these, which it was found to have.
    mutating func hold(_ numbers: [Int], for id: UInt32) {
        free.subtract(numbers)
        held[id, default: []] += numbers
    }

    /// Takes back what a job has.
    mutating func release(_ id: UInt32) {
        free.formUnion(held.removeValue(forKey: id) ?? [])
    }
}
