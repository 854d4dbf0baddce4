internal import MessagePassing

/// One grid of HPCG's multigrid on one rank: operator, smoother, and the way to the next coarser grid.
///
/// The smoother is symmetric Gauss–Seidel over the rank's rows in their order, with the values of other
/// ranks as they last came. Of its two sweeps the second reads only what lies above the diagonal: what lies
/// below has given `rest` already. From a zero guess the first needs only what lies below. Only points that
/// the coarser grid has are asked for their residual.
final class GridLevel {
    let matrix: GridMatrix
    let halo: GridHalo
    /// The points of the whole grid along each axis.
    let shape: [Int]
    /// Right side and correction; of the finest grid the solver has its own.
    let r: NumericBuffer<Double>
    let x: NumericBuffer<Double>
    private(set) var coarser: GridLevel?

    private let team: ThreadTeam
    private let pipeline: LinePipeline
    /// What is left of the right side when other ranks' values and lower couplings have been taken off.
    private let rest: NumericBuffer<Double>
    /// The right side less the couplings to other ranks.
    private let inner: NumericBuffer<Double>
    /// Of each point of the coarser grid the row here, and its couplings to other ranks.
    private var finer: NumericBuffer<UInt32>
    private var outerOfCoarse: [(point: Int, coupling: Int)] = []

    /// Builds a grid and `coarserLevels` below it.
    init(
        _ world: Communicator,
        _ grid: ProcessGrid,
        shape: [Int],
        coarserLevels: Int,
        _ team: ThreadTeam,
        isFinest: Bool = true
    ) {
        let blocks = (0..<3).map { axis in
            (0..<grid.extents[axis]).map {
                share(of: shape[axis], part: $0, parts: grid.extents[axis])
            }
        }
        let place = grid.place(of: world.rank)
        let block = (0..<3).map { blocks[$0][place[$0]] }
        self.shape = shape
        self.team = team
        halo = GridHalo(world: world, grid: grid, blocks: blocks)
        matrix = GridMatrix(shape: shape, block: block, outerIndex: halo.index)
        pipeline = LinePipeline(team, lines: block[1].count, planes: block[2].count)
        let rows = matrix.rows
        r = NumericBuffer(count: isFinest ? 0 : rows, filledWith: 0)
        x = NumericBuffer(count: isFinest ? 0 : rows + halo.outerCount, filledWith: 0)
        rest = NumericBuffer(count: rows, filledWith: 0)
        inner = NumericBuffer(count: halo.outerCount > 0 ? rows : 0, filledWith: 0)
        finer = NumericBuffer(count: coarserLevels > 0 ? rows / 8 : 0, filledWith: 0)
        guard coarserLevels > 0 else { return }
        coarser = GridLevel(
            world,
            grid,
            shape: shape.map { $0 / 2 },
            coarserLevels: coarserLevels - 1,
            team,
            isFinest: false
        )
        let (nx, ny) = (block[0].count, block[1].count)
        var point = 0
        var points: [UInt32: Int] = [:]
        for z in 0..<(block[2].count / 2) {
            for y in 0..<(ny / 2) {
                for x in 0..<(nx / 2) {
                    let row = UInt32(2 * x + nx * (2 * y + ny * 2 * z))
                    finer[point] = row
                    points[row] = point
                    point += 1
                }
            }
        }
        for coupling in 0..<matrix.outerRows.count {
            guard let point = points[matrix.outerRows[coupling]] else { continue }
            outerOfCoarse.append((point, coupling))
        }
    }

    /// `result = A v`; fills the outer part of `v`.
    func multiply(
        _ v: NumericBuffer<Double>,
        into result: NumericBuffer<Double>
    ) throws(MPIFailure) {
        try halo.start(v)
        team.split(matrix.rows) { rows in matrix.multiplyInner(v, into: result, rows: rows) }
        try halo.finish()
        matrix.addOuter(v, to: result)
    }

    /// `z = M⁻¹ r` by one cycle of multigrid: smooth, correct on the coarser grid, smooth.
    func cycle(_ r: NumericBuffer<Double>, into z: NumericBuffer<Double>) throws(MPIFailure) {
        smoothFromZero(r, z)
        guard let coarser else { return }
        try exchange(z)
        restrict(r, z, to: coarser.r)
        try coarser.cycle(coarser.r, into: coarser.x)
        let (points, correction) = (finer.pointer, coarser.x.pointer)
        let z0 = z.pointer
        team.split(finer.count) { part in
            for point in part { z0[Int(points[point])] += correction[point] }
        }
        try exchange(z)
        smooth(r, z)
    }

    private func exchange(_ v: NumericBuffer<Double>) throws(MPIFailure) {
        try halo.start(v)
        try halo.finish()
    }

    private func rows(of lines: Range<Int>) -> Range<Int> {
        let length = matrix.block[0].count
        return (lines.lowerBound * length)..<(lines.upperBound * length)
    }

    private func smoothFromZero(_ r: NumericBuffer<Double>, _ z: NumericBuffer<Double>) {
        pipeline.sweep { matrix.forwardFromZero(rows(of: $0), r, z) }
        pipeline.sweep(backwards: true) { matrix.backwardFromZero(rows(of: $0), z) }
    }

    private func smooth(_ r: NumericBuffer<Double>, _ z: NumericBuffer<Double>) {
        var right = r
        if matrix.outerRows.count > 0 {
            inner.pointer.update(from: r.pointer, count: matrix.rows)
            for place in 0..<matrix.outerRows.count {
                inner[Int(matrix.outerRows[place])] -=
                    matrix.outerValues[place] * z[Int(matrix.outerColumns[place])]
            }
            right = inner
        }
        pipeline.sweep { matrix.forward(rows(of: $0), right, z, rest) }
        pipeline.sweep(backwards: true) { matrix.backward(rows(of: $0), rest, z) }
    }

    /// The residual at the points of the coarser grid.
    private func restrict(
        _ r: NumericBuffer<Double>,
        _ z: NumericBuffer<Double>,
        to coarse: NumericBuffer<Double>
    ) {
        let points = finer.pointer
        team.split(finer.count) { part in
            for point in part {
                let row = Int(points[point])
                coarse.pointer[point] = r.pointer[row] - matrix.product(ofRow: row, z.pointer)
            }
        }
        for (point, coupling) in outerOfCoarse {
            coarse[point] -=
                matrix.outerValues[coupling] * z[Int(matrix.outerColumns[coupling])]
        }
    }
}
