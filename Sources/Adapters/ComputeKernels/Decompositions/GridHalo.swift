internal import MessagePassing

/// The exchange of a block's border with the up to 26 blocks around it.
///
/// A distributed vector holds the block's own points and behind them, direction by direction, the
/// points of other ranks that the block's rows are coupled to. Sender and receiver list the points
/// of a border in the same order (x fastest), so only values travel.
final class GridHalo {
    /// Points of other ranks that are received.
    let outerCount: Int
    /// Bytes that this rank sends in one exchange.
    var bytesSent: Int { 8 * outgoing.count }

    private struct Neighbour {
        let rank: Int
        let region: [Range<Int>]
        let sent: Range<Int>
        let received: Range<Int>
        let sendTag: Int
        let receiveTag: Int
    }

    private let block: [Range<Int>]
    private let neighbours: [Neighbour]
    private let outgoingPoints: NumericBuffer<UInt32>
    private let outgoing: NumericBuffer<Double>
    private let transfers: PendingTransfers

    /// Plans the exchange of `block` with its neighbours.
    ///
    /// - Parameter blocks: The range of points along each axis, by place on that axis.
    init(world: Communicator, grid: ProcessGrid, blocks: [[Range<Int>]]) {
        let place = grid.place(of: world.rank)
        let block = (0..<3).map { blocks[$0][place[$0]] }
        let rows = block.reduce(1) { $0 * $1.count }
        var neighbours: [Neighbour] = []
        var points: [UInt32] = []
        var received = rows
        for direction in 0..<27 where direction != 13 {
            let step = [direction % 3 - 1, direction / 3 % 3 - 1, direction / 9 - 1]
            let there = zip(place, step).map { $0 + $1 }
            guard let rank = grid.rank(at: there) else { continue }
            let theirs = (0..<3).map { blocks[$0][there[$0]] }
            let needed = (0..<3).map { Self.border(of: theirs[$0], towards: -step[$0]) }
            let given = (0..<3).map { Self.border(of: block[$0], towards: step[$0]) }
            let count = needed.reduce(1) { $0 * $1.count }
            let firstSent = points.count
            for z in given[2] {
                for y in given[1] {
                    for x in given[0] { points.append(UInt32(Self.index(x, y, z, in: block))) }
                }
            }
            neighbours.append(
                Neighbour(
                    rank: rank,
                    region: needed,
                    sent: firstSent..<points.count,
                    received: received..<(received + count),
                    sendTag: direction,
                    receiveTag: 26 - direction
                )
            )
            received += count
        }
        self.block = block
        self.neighbours = neighbours
        outerCount = received - rows
        outgoingPoints = NumericBuffer(count: points.count, filledWith: 0)
        outgoing = NumericBuffer(count: points.count, filledWith: 0)
        for (index, point) in points.enumerated() { outgoingPoints[index] = point }
        transfers = PendingTransfers(over: world, capacity: 2 * neighbours.count)
    }

    /// Where a distributed vector holds a point of another rank.
    func index(_ x: Int, _ y: Int, _ z: Int) -> Int {
        for neighbour in neighbours {
            let region = neighbour.region
            if region[0].contains(x) && region[1].contains(y) && region[2].contains(z) {
                return neighbour.received.lowerBound + Self.index(x, y, z, in: region)
            }
        }
        preconditionFailure("point (\(x), \(y), \(z)) touches no neighbour of the block")
    }

    /// Starts to fill the outer part of `vector`.
    func start(_ vector: NumericBuffer<Double>) throws(MPIFailure) {
        for neighbour in neighbours {
            try transfers.receive(
                into: vector.mutableSlice(neighbour.received),
                from: neighbour.rank,
                tag: neighbour.receiveTag
            )
        }
        for place in 0..<outgoing.count { outgoing[place] = vector[Int(outgoingPoints[place])] }
        for neighbour in neighbours {
            try transfers.send(
                outgoing.slice(neighbour.sent),
                to: neighbour.rank,
                tag: neighbour.sendTag
            )
        }
    }

    /// Returns when the outer part is there.
    func finish() throws(MPIFailure) {
        try transfers.waitAll()
    }

    private static func border(of range: Range<Int>, towards step: Int) -> Range<Int> {
        switch step {
        case 1: (range.upperBound - 1)..<range.upperBound
        case -1: range.lowerBound..<(range.lowerBound + 1)
        default: range
        }
    }

    private static func index(_ x: Int, _ y: Int, _ z: Int, in region: [Range<Int>]) -> Int {
        (x - region[0].lowerBound)
            + region[0].count
            * ((y - region[1].lowerBound) + region[1].count * (z - region[2].lowerBound))
    }
}
