internal import MessagePassing

/// Messages of changing length between neighbours along the axes of a periodic grid of ranks.
final class NeighbourMessages {
    private let world: Communicator
    private let grid: ProcessGrid
    private let place: [Int]
    private let transfers: PendingTransfers

    init(world: Communicator, grid: ProcessGrid) {
        self.world = world
        self.grid = grid
        place = grid.place(of: world.rank)
        transfers = PendingTransfers(over: world, capacity: 4)
    }

    /// Sends `down` and `up` to the neighbours below and above along `axis`, and returns what they
    /// send here. An axis that is not cut has this rank as its own neighbour. Collective.
    func exchange(
        _ axis: Int,
        down: [Double],
        up: [Double]
    ) throws(MPIFailure) -> (fromBelow: [Double], fromAbove: [Double]) {
        guard grid.extents[axis] > 1 else { return (fromBelow: up, fromAbove: down) }
        let (below, above) = (neighbour(axis, -1), neighbour(axis, 1))
        let counts = Scratch<Int32>([Int32(down.count), Int32(up.count)])
        let coming = Scratch<Int32>([0, 0])
        try transfers.receive(into: coming.slice(0..<1), from: below, tag: 11)
        try transfers.receive(into: coming.slice(1..<2), from: above, tag: 10)
        try transfers.send(UnsafeBufferPointer(counts.slice(0..<1)), to: below, tag: 10)
        try transfers.send(UnsafeBufferPointer(counts.slice(1..<2)), to: above, tag: 11)
        try transfers.waitAll()
        let (outDown, outUp) = (Scratch(down), Scratch(up))
        let inBelow = Scratch([Double](repeating: 0, count: Int(coming.buffer[0])))
        let inAbove = Scratch([Double](repeating: 0, count: Int(coming.buffer[1])))
        try transfers.receive(into: inBelow.buffer, from: below, tag: 13)
        try transfers.receive(into: inAbove.buffer, from: above, tag: 12)
        try transfers.send(UnsafeBufferPointer(outDown.buffer), to: below, tag: 12)
        try transfers.send(UnsafeBufferPointer(outUp.buffer), to: above, tag: 13)
        try transfers.waitAll()
        return (fromBelow: Array(inBelow.buffer), fromAbove: Array(inAbove.buffer))
    }

    private func neighbour(_ axis: Int, _ step: Int) -> Int {
        var there = place
        there[axis] = (place[axis] + step + grid.extents[axis]) % grid.extents[axis]
        return grid.rank(at: there) ?? world.rank
    }
}

/// A copy of an array at a fixed address, for as long as a transfer runs.
private final class Scratch<Element: BitwiseCopyable> {
    let buffer: UnsafeMutableBufferPointer<Element>

    init(_ elements: [Element]) {
        buffer = .allocate(capacity: elements.count)
        _ = buffer.initialize(fromContentsOf: elements)
    }

    deinit {
        buffer.deallocate()
    }

    func slice(_ range: Range<Int>) -> UnsafeMutableBufferPointer<Element> {
        UnsafeMutableBufferPointer(rebasing: buffer[range])
    }
}
