internal import MessagePassing

/// A block of a periodic grid, stored with a margin around it.
struct PaddedBlock: Hashable, Sendable {
    /// Points along x, y and z; x is contiguous.
    let extents: [Int]
    /// Points of margin on each side of each axis.
    let margin: [Int]
    /// Elements from a point to the next along each axis.
    let strides: [Int]
    /// Elements, margin included.
    let count: Int
    /// The element of point (0, 0, 0).
    private let origin: Int

    init(extents: [Int], margin: [Int]) {
        self.extents = extents
        self.margin = margin
        let row = extents[0] + 2 * margin[0]
        let plane = row * (extents[1] + 2 * margin[1])
        strides = [1, row, plane]
        count = plane * (extents[2] + 2 * margin[2])
        origin = margin[0] + margin[1] * row + margin[2] * plane
    }

    /// The element of point (`x`, `y`, `z`) of the block.
    func place(_ x: Int, _ y: Int, _ z: Int) -> Int {
        origin + x + y * strides[1] + z * strides[2]
    }
}

/// Fills the margins of padded blocks from the neighbours of a periodic grid, axis by axis.
///
/// An axis that is not cut takes its margin from the other side of the block itself. Each axis
/// sends what the axes before it have filled, so the corners are right too.
final class FaceHalo {
    private let block: PaddedBlock
    private let grid: ProcessGrid
    private let rank: Int
    private let transfers: PendingTransfers
    private let outgoing: [NumericBuffer<Double>]
    private let incoming: [NumericBuffer<Double>]

    /// Plans the exchange for blocks like `block`.
    init(world: Communicator, grid: ProcessGrid, block: PaddedBlock) {
        self.block = block
        self.grid = grid
        rank = world.rank
        transfers = PendingTransfers(over: world, capacity: 4)
        let largest = (0..<3).map { axis in
            grid.extents[axis] > 1
                ? block.count / (block.extents[axis] + 2 * block.margin[axis]) * block.margin[axis]
                : 0
        }
        .max()
        outgoing = (0..<2).map { _ in NumericBuffer(count: largest ?? 0, filledWith: 0) }
        incoming = (0..<2).map { _ in NumericBuffer(count: largest ?? 0, filledWith: 0) }
    }

    /// Fills the margins of `field` along `axes`, in order. Collective.
    func exchange(
        _ field: NumericBuffer<Double>,
        axes: Range<Int> = 0..<3
    ) throws(MPIFailure) {
        for axis in axes where block.margin[axis] > 0 {
            let (margin, extent) = (block.margin[axis], block.extents[axis])
            // Low and high side: what is given, and where what comes is put.
            let given = [margin..<(2 * margin), extent..<(extent + margin)]
            let taken = [0..<margin, (extent + margin)..<(extent + 2 * margin)]
            if grid.extents[axis] == 1 {
                copyWithin(field, axis, from: given[1], to: taken[0])
                copyWithin(field, axis, from: given[0], to: taken[1])
                continue
            }
            for side in 0..<2 {
                let count = pack(field, axis, given[side], into: outgoing[side])
                let there = neighbour(axis, side == 0 ? -1 : 1)
                // What I send down arrives there as what comes from above.
                try transfers.receive(
                    into: incoming[side].mutableSlice(0..<count),
                    from: there,
                    tag: 2 * axis + 1 - side
                )
                try transfers.send(
                    outgoing[side].slice(0..<count),
                    to: there,
                    tag: 2 * axis + side
                )
            }
            try transfers.waitAll()
            for side in 0..<2 { unpack(incoming[side], axis, taken[side], into: field) }
        }
    }

    private func neighbour(_ axis: Int, _ step: Int) -> Int {
        var place = grid.place(of: rank)
        let extent = grid.extents[axis]
        place[axis] = (place[axis] + step + extent) % extent
        return grid.rank(at: place) ?? rank
    }

    /// The runs of contiguous elements in the layers `range` of `axis`; `axis` 0 has runs of the
    /// margin's width, the others whole rows or planes.
    private func forEachRun(
        _ axis: Int,
        _ range: Range<Int>,
        _ body: (_ start: Int, _ count: Int) -> Void
    ) {
        let strides = block.strides
        let outer = block.count / (strides[axis] * (block.extents[axis] + 2 * block.margin[axis]))
        let period = strides[axis] * (block.extents[axis] + 2 * block.margin[axis])
        for index in 0..<outer {
            body(
                index * period + range.lowerBound * strides[axis],
                range.count * strides[axis]
            )
        }
    }

    private func pack(
        _ field: NumericBuffer<Double>,
        _ axis: Int,
        _ range: Range<Int>,
        into message: NumericBuffer<Double>
    ) -> Int {
        var place = 0
        forEachRun(axis, range) { start, count in
            (message.pointer + place).update(from: field.pointer + start, count: count)
            place += count
        }
        return place
    }

    private func unpack(
        _ message: NumericBuffer<Double>,
        _ axis: Int,
        _ range: Range<Int>,
        into field: NumericBuffer<Double>
    ) {
        var place = 0
        forEachRun(axis, range) { start, count in
            (field.pointer + start).update(from: message.pointer + place, count: count)
            place += count
        }
    }

    private func copyWithin(
        _ field: NumericBuffer<Double>,
        _ axis: Int,
        from source: Range<Int>,
        to target: Range<Int>
    ) {
        let shift = (source.lowerBound - target.lowerBound) * block.strides[axis]
        forEachRun(axis, target) { start, count in
            (field.pointer + start).update(from: field.pointer + start + shift, count: count)
        }
    }
}

/// The points of `shape` that each rank of `grid` holds, or a refusal when a block would be thinner
/// than `thinnest`.
func blocks(
    of shape: [Int],
    over grid: ProcessGrid,
    rank: Int,
    thinnest: [Int]
) throws(KernelFailure) -> [Range<Int>] {
    for axis in 0..<3 where shape[axis] / grid.extents[axis] < thinnest[axis] {
        let ranks = grid.extents.reduce(1, *)
        throw .tooManyRanks(
            ranks,
            shape: shape,
            why: "a block would be thinner than \(thinnest[axis]) points"
        )
    }
    let place = grid.place(of: rank)
    return (0..<3).map { share(of: shape[$0], part: place[$0], parts: grid.extents[$0]) }
}
