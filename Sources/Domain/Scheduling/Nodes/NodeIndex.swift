import JobModel

/// Finds the lowest node that may take a chunk: a tree of maxima over the nodes of a group.
///
/// Lanes are free cores, free memory, free whole cards, the largest free part of a card, and
/// whether the node is idle. The bound of an inner node is the pointwise maximum of its children,
/// so a search may enter a subtree in vain only when no single node has all of them. Changing a
/// node and finding the next one are O(log n).
struct NodeIndex: Sendable, Codable {
    typealias Lanes = SIMD8<Int32>

    private var leafCount = 1
    private var maxima: ContiguousArray<Lanes> = []

    /// No node fits anything.
    private static let nothing = Lanes(repeating: -1)

    /// Makes an index of so many nodes, none of which fits anything yet.
    init(count: Int) {
        while leafCount < count { leafCount *= 2 }
        maxima = ContiguousArray(repeating: Self.nothing, count: 2 * leafCount)
    }

    /// What a request needs of a node.
    static func need(_ request: ResourceRequest) -> Lanes {
        var lanes = Lanes(repeating: 0)
        lanes[0] = request.coresPerChunk
        lanes[1] = request.memory(forChunks: 1)
        if request.sharesAccelerator {
            lanes[3] = request.acceleratorShare
        } else {
            lanes[2] = request.accelerators(forChunks: 1)
        }
        if request.isExclusive { lanes[4] = 1 }
        return lanes
    }

    /// Notes what a node has free; nil when it is out of service.
    mutating func set(_ node: Int, _ state: NodeState?) {
        var lanes = Self.nothing
        if let state {
            lanes = Lanes(repeating: 0)
            lanes[0] = state.amounts.cores
            lanes[1] = state.amounts.memory
            lanes[2] = state.amounts.accelerators
            lanes[3] = state.cards.map { Int32($0.largest) } ?? 0
            lanes[4] = state.amounts.jobs == 0 ? 1 : 0
        }
        maxima.withUnsafeMutableBufferPointer { maxima in
            var place = leafCount + node
            maxima[place] = lanes
            while place > 1 {
                place >>= 1
                let bound = pointwiseMax(maxima[2 &* place], maxima[2 &* place &+ 1])
                if bound == maxima[place] { return }
                maxima[place] = bound
            }
        }
    }

    /// The lowest node from `start` on that may have all of `need`, or nil.
    func next(from start: Int, _ need: Lanes) -> Int? {
        guard start < leafCount else { return nil }
        return maxima.withUnsafeBufferPointer { maxima in
            func fits(_ place: Int) -> Bool { all(maxima[place] .>= need) }
            var place = leafCount + start
            if !fits(place) {
                // Up until a right sibling may fit, then down to its leftmost fitting leaf.
                while true {
                    while place & 1 == 1 { place >>= 1 }
                    if place == 0 { return nil }
                    place += 1
                    if fits(place) { break }
                }
            }
            while true {
                while place < leafCount {
                    place <<= 1
                    if !fits(place) { place += 1 }
                    if !fits(place) { break }
                }
                if place >= leafCount, fits(place) { return place - leafCount }
                // No one node of this subtree has everything: go on behind it.
                while true {
                    while place & 1 == 1 { place >>= 1 }
                    if place == 0 { return nil }
                    place += 1
                    if fits(place) { break }
                }
            }
        }
    }
}

/// The nodes of a group by free cores, then by number: for policies that ask for the fullest or
/// the emptiest. Changing a node moves it past those between its old place and the new one.
struct NodesByFreeCores: Sendable, Codable {
    private(set) var order: ContiguousArray<Int32>
    private var places: ContiguousArray<Int32>
    private var cores: ContiguousArray<Int32>

    init(_ cores: ContiguousArray<Int32>) {
        self.cores = cores
        order = ContiguousArray(
            cores.indices.sorted { (cores[$0], $0) < (cores[$1], $1) }.map { Int32($0) }
        )
        places = ContiguousArray(repeating: 0, count: cores.count)
        for (place, node) in order.enumerated() { places[Int(node)] = Int32(place) }
    }

    /// Notes how many cores are free on a node.
    mutating func set(_ node: Int, _ free: Int32) {
        cores[node] = free
        var place = Int(places[node])
        while place > 0, goesBefore(Int32(node), order[place - 1]) {
            move(order[place - 1], to: place)
            place -= 1
        }
        while place + 1 < order.count, goesBefore(order[place + 1], Int32(node)) {
            move(order[place + 1], to: place)
            place += 1
        }
        move(Int32(node), to: place)
    }

    /// The first place from which nodes have at least so many free cores.
    func firstPlace(withCores wanted: Int32) -> Int {
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if cores[Int(order[middle])] < wanted { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Calls `body` with the nodes from the emptiest on, equals by number, while it returns true.
    func forEachEmptiest(_ body: (Int) -> Bool) {
        var end = order.count
        while end > 0 {
            var start = end - 1
            let free = cores[Int(order[start])]
            while start > 0, cores[Int(order[start - 1])] == free { start -= 1 }
            for place in start..<end where !body(Int(order[place])) { return }
            end = start
        }
    }

    private func goesBefore(_ left: Int32, _ right: Int32) -> Bool {
        (cores[Int(left)], left) < (cores[Int(right)], right)
    }

    private mutating func move(_ node: Int32, to place: Int) {
        order[place] = node
        places[Int(node)] = Int32(place)
    }
}
