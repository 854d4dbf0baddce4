internal import MessagePassing
internal import Prediction
internal import WireFormats

/// Breadth-first search of a Kronecker graph: Graph500's problem, as for a city's networks.
///
/// 2^SCALE vertices and 16 times as many edges by default, made edge by edge from its number, with
/// Graph500's probabilities and scrambled vertex numbers. Vertices are dealt out in blocks. A
/// search goes level by level. While the frontier is small each rank scans the edges of its part of it and
/// sends the ends to their owners, each end once; while it is large each vertex that was not reached looks
/// for a neighbour in it, as all ranks know it by a bit a vertex (Beamer). Each repetition starts at another
/// vertex that has edges.
///
/// **Work**: one operation an input edge of the component that was searched, loops left out, so that
/// `flop_per_s` is Graph500's TEPS less the loops, which that counts; 24 byte an edge, each seen from
/// both ends: 4 for the end, 8 for its parent.
///
/// **Verified** by Graph500's rules from the parents and the edges, made again from their numbers:
/// the root is its own parent; each other parent's level is one less and it shares an edge; each
/// edge's ends differ by at most one level, or neither was reached. As many edges were counted as
/// there are between vertices that were reached.
///
/// Source: Graph 500 Benchmark Specification 2.0; Leskovec et al., "Kronecker Graphs", JMLR 11,
/// 2010; Beamer, Asanović, Patterson, "Direction-Optimizing Breadth-First Search", SC12.
final class GraphKernel: Kernel {
    static let profile = KernelProfile(
        .graph,
        title: "breadth-first search of a Kronecker graph (Graph500; flop are edges)",
        criterion: "Graph500's rules for the tree: violations = 0"
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        let vertices = Double(sign: .plus, exponent: min(shape[0], 60), significand: 1)
        return vertices * (Double(shape[1]) * 56 + 40 + 16 * Double(ranks))
    }

    private let world: Communicator
    private let scale: Int
    private let vertices: Int
    private let edgesOfAll: Int
    /// Vertices that each rank holds; the last ranks may hold fewer.
    private let blockSize: Int
    private let mine: Range<Int>
    /// Where the edges of each vertex held here begin in `ends`.
    var starts: [Int] = []
    var ends: [Int32] = []
    /// The parent of each vertex held here; −1 where the search did not come.
    var parents: [Int64] = []
    /// Vertices of other ranks that this rank has already sent to their owner.
    private var isSent: [Bool] = []
    private var searches = 0
    private(set) var root = 0
    /// Edges of the component that was searched last.
    private var edgesSeen: Int64 = 0

    init(_ setting: KernelSetting) throws(KernelFailure) {
        scale = setting.shape[0]
        world = setting.world
        guard scale <= 31 else {
            throw .beyondLimit(shape: setting.shape, limit: "a scale of at most 31")
        }
        vertices = 1 << scale
        guard world.size <= vertices else {
            throw .tooManyRanks(world.size, shape: setting.shape, why: "fewer vertices than ranks")
        }
        edgesOfAll = vertices * setting.shape[1]
        // Whole words of bits where there are vertices enough.
        let share = (vertices + world.size - 1) / world.size
        blockSize = share >= 256 ? (share + 63) / 64 * 64 : share
        let low = min(vertices, world.rank * blockSize)
        mine = low..<min(vertices, low + blockSize)
        try messaging { () throws(MPIFailure) in try build() }
    }

    func prepare(_ number: Int) throws(KernelFailure) {
        parents = [Int64](repeating: -1, count: mine.count)
        isSent = [Bool](repeating: false, count: world.size > 1 ? vertices : 0)
        try messaging { () throws(MPIFailure) in
            // Candidates in a fixed order; the first that has an edge, whoever holds it.
            var hasEdge = false
            while !hasEdge {
                root = Int(Self.mix(UInt64(searches), 77) % UInt64(vertices))
                searches += 1
                let degree = mine.contains(root) ? degree(root - mine.lowerBound) : 0
                hasEdge = try world.allReduce(Int64(degree), .maximum) > 0
            }
        }
    }

    func repetition() throws(KernelFailure) -> Work {
        try messaging { () throws(MPIFailure) in
            var frontier: [Int] = []
            if mine.contains(root) {
                parents[root - mine.lowerBound] = Int64(root)
                frontier = [root - mine.lowerBound]
            }
            var seen: Int64 = 0
            var looksBack = false
            while true {
                let edges = frontier.reduce(0) { $0 + Int64(degree($1)) }
                // Of the frontier and of all ends.
                let sums = try world.allReduce(
                    [Int64(frontier.count), edges, Int64(ends.count)],
                    .sum
                )
                guard sums[0] > 0 else { break }
                seen += sums[1]
                looksBack =
                    looksBack
                    ? sums[0] > Int64(vertices) / 24
                    : sums[1] > (sums[2] - seen) / 14
                frontier =
                    looksBack && blockSize % 64 == 0
                    ? try levelBackwards(frontier) : try nextLevel(frontier)
            }
            // Each edge was seen from both its ends.
            edgesSeen = seen / 2
            return Work(flop: edgesSeen, byte: 24 * edgesSeen)
        }
    }

    func answer() -> KernelAnswer? {
        var answer = KernelAnswer(.int64, shape: [vertices])
        answer.add(parents, at: mine.lowerBound)
        return answer
    }

    func verify() throws(KernelFailure) -> Verdict {
        let wrong = try messaging { () throws(MPIFailure) in
            let padding = [Int64](repeating: -1, count: blockSize - parents.count)
            let tree = try world.allGather(parents + padding)
            let levels = Self.levels(of: tree, root: root)
            var wrong = try violationsOfEdges(tree, levels)
            if tree[root] != Int64(root) { wrong += 1 }
            return try world.allReduce(wrong, .sum)
        }
        return Verdict(residual: Double(wrong), limit: 0)
    }

    func details() throws(KernelFailure) -> [JSONValue.Member] {
        [
            .init("vertices", .integer(Int64(vertices))),
            .init("input_edges", .integer(Int64(edgesOfAll))),
            .init("last_root", .integer(Int64(root))),
        ]
    }

    private func degree(_ slot: Int) -> Int {
        starts[slot + 1] - starts[slot]
    }
}

// MARK: - The graph

extension GraphKernel {
    /// 64 well mixed bits of two numbers.
    private static func mix(_ one: UInt64, _ two: UInt64) -> UInt64 {
        HashedMatrix.mixed(one &* 0x9E37_79B9_7F4A_7C15 &+ two &* 0xD1B5_4A32_D192_ED03)
    }

    /// The ends of edge `number`: at each level one of four quadrants, with probabilities 0.57,
    /// 0.19, 0.19 and 0.05; then a bijection hides the structure of the numbers.
    private static func edge(_ number: Int, _ scale: Int) -> (Int, Int) {
        var (from, to): (UInt64, UInt64) = (0, 0)
        for level in 0..<scale {
            let draw = mix(UInt64(number), UInt64(level)) >> 48
            let quadrant: (UInt64, UInt64) =
                draw < 37_355 ? (0, 0) : draw < 49_807 ? (0, 1) : draw < 62_259 ? (1, 0) : (1, 1)
            from = from << 1 | quadrant.0
            to = to << 1 | quadrant.1
        }
        return (scrambled(from, scale), scrambled(to, scale))
    }

    /// A bijection of 0..<2^scale: odd factors and shifts to the right can be undone.
    private static func scrambled(_ vertex: UInt64, _ scale: Int) -> Int {
        let mask: UInt64 = (1 << UInt64(scale)) - 1
        let half = UInt64(max(1, scale / 2))
        var z = vertex
        for factor: UInt64 in [0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9] {
            z = (z &* factor) & mask
            z ^= z >> half
        }
        return Int(z)
    }

    /// Makes this rank's share of the edges, without loops.
    private func forEachInputEdge(_ body: (_ from: Int, _ to: Int) -> Void) {
        for number in share(of: edgesOfAll, part: world.rank, parts: world.size) {
            let (from, to) = Self.edge(number, scale)
            if from != to { body(from, to) }
        }
    }

    /// Makes the edges, sends both directions of each to their owners, and sorts them by start.
    /// Loops are left out; repeated edges stay, as Graph500 allows.
    private func build() throws(MPIFailure) {
        var outgoing = [[Int64]](repeating: [], count: world.size)
        forEachInputEdge { from, to in
            outgoing[from / blockSize].append(Int64(from) << 32 | Int64(to))
            outgoing[to / blockSize].append(Int64(to) << 32 | Int64(from))
        }
        let pairs = try world.exchange(outgoing)
        starts = [Int](repeating: 0, count: mine.count + 1)
        for pair in pairs { starts[Int(pair >> 32) - mine.lowerBound + 1] += 1 }
        for slot in 0..<mine.count { starts[slot + 1] += starts[slot] }
        var next = starts
        ends = [Int32](repeating: 0, count: pairs.count)
        for pair in pairs {
            let slot = Int(pair >> 32) - mine.lowerBound
            ends[next[slot]] = Int32(truncatingIfNeeded: pair)
            next[slot] += 1
        }
    }
}

// MARK: - Search and rules

extension GraphKernel {
    /// Scans the frontier's edges; returns the vertices here that are reached first by them.
    private func nextLevel(_ frontier: [Int]) throws(MPIFailure) -> [Int] {
        var next: [Int] = []
        var outgoing = [[Int64]](repeating: [], count: world.size)
        let (starts, ends, mine, size) = (starts, ends, mine, blockSize)
        parents.withUnsafeMutableBufferPointer { parents in
            isSent.withUnsafeMutableBufferPointer { isSent in
                for slot in frontier {
                    let parent = Int64(mine.lowerBound + slot)
                    for place in starts[slot]..<starts[slot + 1] {
                        let end = Int(ends[place])
                        if mine.contains(end) {
                            let there = end - mine.lowerBound
                            guard parents[there] < 0 else { continue }
                            parents[there] = parent
                            next.append(there)
                        } else if !isSent[end] {
                            isSent[end] = true
                            outgoing[end / size].append(Int64(end) << 32 | parent)
                        }
                    }
                }
            }
        }
        guard world.size > 1 else { return next }
        for message in try world.exchange(outgoing) {
            reach(Int(message >> 32), from: message & 0xFFFF_FFFF, &next)
        }
        return next
    }

    /// Every vertex here that was not reached looks for a neighbour in the frontier; returns those that have
    /// one.
    private func levelBackwards(_ frontier: [Int]) throws(MPIFailure) -> [Int] {
        var words = [Int64](repeating: 0, count: blockSize / 64)
        for slot in frontier { words[slot >> 6] |= 1 << Int64(slot & 63) }
        let all = world.size > 1 ? try world.allGather(words) : words
        var next: [Int] = []
        all.withUnsafeBufferPointer { bits in
            starts.withUnsafeBufferPointer { starts in
                ends.withUnsafeBufferPointer { ends in
                    parents.withUnsafeMutableBufferPointer { parents in
                        for slot in parents.indices where parents[slot] < 0 {
                            for place in starts[slot]..<starts[slot &+ 1] {
                                let end = Int(ends[place])
                                guard bits[end >> 6] >> Int64(end & 63) & 1 != 0 else { continue }
                                parents[slot] = Int64(end)
                                next.append(slot)
                                break
                            }
                        }
                    }
                }
            }
        }
        return next
    }

    private func reach(_ vertex: Int, from parent: Int64, _ next: inout [Int]) {
        let slot = vertex - mine.lowerBound
        guard parents[slot] < 0 else { return }
        parents[slot] = parent
        next.append(slot)
    }

    /// The level of each vertex in the tree, by following parents; −1 where the search did not come
    /// or the parents go in a circle.
    static func levels(of tree: [Int64], root: Int) -> [Int32] {
        var levels = [Int32](repeating: -1, count: tree.count)
        levels[root] = 0
        for vertex in tree.indices where tree[vertex] >= 0 && levels[vertex] < 0 {
            var path: [Int] = []
            var at = vertex
            while levels[at] < 0, tree[at] >= 0, path.count <= tree.count {
                path.append(at)
                // -2 marks a vertex on the path, so that a circle ends.
                if levels[at] == -2 { break }
                levels[at] = -2
                at = Int(tree[at])
            }
            let start = levels[at]
            for (distance, other) in path.reversed().enumerated() {
                levels[other] = start >= 0 ? start + Int32(distance) + 1 : -1
            }
        }
        return levels
    }

    /// How many rules the vertices held here and this rank's share of the edges break.
    ///
    /// Looks at the edges as they were made, not as they were sent and sorted, so that one which
    /// was lost on the way is missed.
    private func violationsOfEdges(_ tree: [Int64], _ levels: [Int32]) throws(MPIFailure) -> Int64 {
        var wrong: Int64 = 0
        var edges: Int64 = 0
        // Vertices that share an edge with their parent, for their owners.
        var linked = [[Int64]](repeating: [], count: world.size)
        forEachInputEdge { from, to in
            let isReached = levels[from] >= 0
            if isReached != (levels[to] >= 0) || abs(levels[from] - levels[to]) > 1 { wrong += 1 }
            if isReached { edges += 1 }
            if tree[from] == Int64(to) { linked[from / blockSize].append(Int64(from)) }
            if tree[to] == Int64(from) { linked[to / blockSize].append(Int64(to)) }
        }
        var hasEdgeToParent = [Bool](repeating: false, count: mine.count)
        for vertex in try world.exchange(linked) {
            hasEdgeToParent[Int(vertex) - mine.lowerBound] = true
        }
        for vertex in mine where tree[vertex] >= 0 && vertex != root {
            let isBelowParent =
                levels[vertex] > 0
                && levels[Int(tree[vertex])] == levels[vertex] - 1
            if !hasEdgeToParent[vertex - mine.lowerBound] || !isBelowParent { wrong += 1 }
        }
        if try world.allReduce(edges, .sum) != edgesSeen { wrong += 1 }
        return wrong
    }
}
