internal import MessagePassing

/// HPCG as its specification reads, point by point from the grid: no stored matrix, whole sweeps, whole
/// residuals, one thread. What `HPCGKernel` computes in other ways must be what this computes.
final class HPCGReference {
    private let world: Communicator
    private let levels: [Level]

    /// A grid: where its points' neighbours are stored.
    private final class Level {
        let block: [Range<Int>]
        let shape: [Int]
        let halo: GridHalo
        let rows: Int
        /// Diagonal, which the test of convergence changes.
        var diagonal: [Double]
        var r: [Double]
        let x: NumericBuffer<Double>
        var scratch: [Double]
        /// Where the neighbours of points on the border of the block are stored, point after point, and
        /// where each point's begin, after their number; −1 for those within the block, as `steps` lead to theirs.
        private let border: NumericBuffer<Int>
        private let begins: NumericBuffer<Int>
        private let steps: NumericBuffer<Int>

        init(_ level: GridLevel) {
            let block = level.matrix.block
            let shape = level.shape
            self.block = block
            self.shape = shape
            halo = level.halo
            rows = level.matrix.rows
            diagonal = [Double](repeating: 26, count: rows)
            r = [Double](repeating: 0, count: rows)
            scratch = r
            x = NumericBuffer(count: rows + halo.outerCount, filledWith: 0)
            let (nx, ny) = (block[0].count, block[1].count)
            let all = (0..<27).filter { $0 != 13 }.map {
                $0 % 3 - 1 + nx * ($0 / 3 % 3 - 1 + ny * ($0 / 9 - 1))
            }
            steps = NumericBuffer(count: all.count, filledWith: 0)
            for (place, step) in all.enumerated() { steps[place] = step }
            begins = NumericBuffer(count: rows, filledWith: -1)
            var border: [Int] = []
            for row in 0..<rows {
                let point = [row % nx, row / nx % ny, row / nx / ny]
                let isInside = (0..<3).allSatisfy {
                    point[$0] > 0 && point[$0] < block[$0].count - 1
                }
                begins[row] = isInside ? -1 : border.count
                guard !isInside else { continue }
                border.append(0)
                let count = border.count
                border += (0..<27).compactMap { place in
                    let there = [place % 3 - 1, place / 3 % 3 - 1, place / 9 - 1]
                    let local = (0..<3).map { point[$0] + there[$0] }
                    let whole = (0..<3).map { local[$0] + block[$0].lowerBound }
                    guard place != 13, (0..<3).allSatisfy({ (0..<shape[$0]).contains(whole[$0]) })
                    else { return nil }
                    if (0..<3).allSatisfy({ (0..<block[$0].count).contains(local[$0]) }) {
                        return local[0] + nx * (local[1] + ny * local[2])
                    }
                    return level.halo.index(whole[0], whole[1], whole[2])
                }
                border[count - 1] = border.count - count
            }
            self.border = NumericBuffer(count: border.count, filledWith: 0)
            for (place, index) in border.enumerated() { self.border[place] = index }
        }

        /// The sum of the neighbours of a point.
        func neighbours(_ row: Int, _ v: UnsafePointer<Double>) -> Double {
            var sum = 0.0
            let first = begins.pointer[row]
            let isInside = first < 0
            let around =
                isInside ? UnsafePointer(steps.pointer) : UnsafePointer(border.pointer + first + 1)
            let here = isInside ? v + row : v
            var place = 0
            let count = isInside ? 26 : border.pointer[first]
            while place < count {
                sum += here[around[place]]
                place &+= 1
            }
            return sum
        }

        func exchange(_ v: NumericBuffer<Double>) throws(MPIFailure) {
            try halo.start(v)
            try halo.finish()
        }

        func multiply(_ v: NumericBuffer<Double>, _ result: inout [Double]) throws(MPIFailure) {
            try exchange(v)
            for row in 0..<rows {
                result[row] = diagonal[row] * v[row] - neighbours(row, v.pointer)
            }
        }

        func smooth(_ r: [Double], _ z: NumericBuffer<Double>) throws(MPIFailure) {
            try exchange(z)
            for row in 0..<rows { z[row] = (r[row] + neighbours(row, z.pointer)) / diagonal[row] }
            for row in (0..<rows).reversed() {
                z[row] = (r[row] + neighbours(row, z.pointer)) / diagonal[row]
            }
        }

        /// The row here of each point of the grid with every second point along each axis.
        var coarsePoints: [Int] {
            let n = block.map(\.count)
            var points: [Int] = []
            for z in stride(from: 0, to: n[2], by: 2) {
                for y in stride(from: 0, to: n[1], by: 2) {
                    for x in stride(from: 0, to: n[0], by: 2) {
                        points.append(x + n[0] * (y + n[1] * z))
                    }
                }
            }
            return points
        }
    }

    /// For the grids of `finest`.
    init(_ world: Communicator, _ finest: GridLevel) {
        self.world = world
        levels = Array(sequence(first: finest) { $0.coarser }).map(Level.init)
    }

    /// What a solve came to.
    struct Outcome {
        var x: [Double]
        var iterations: Int
        /// The norm of the residual in parts of the first.
        var scaledResidual: Double
    }

    /// `b − A x` of the finest grid, norm over all ranks, in parts of the norm of b. Collective.
    func residual(of x: NumericBuffer<Double>, _ b: (Int) -> Double) throws(MPIFailure) -> Double {
        let level = levels[0]
        try level.multiply(x, &level.scratch)
        var sums = [0.0, 0.0]
        for row in 0..<level.rows {
            let value = b(row)
            sums[0] += (value - level.scratch[row]) * (value - level.scratch[row])
            sums[1] += value * value
        }
        sums = try world.allReduce(sums, .sum)
        return (sums[0] / sums[1]).squareRoot()
    }

    /// Conjugate gradients from zero; with or without multigrid. Collective.
    func solve(
        _ b: (Int) -> Double,
        iterations: Int,
        tolerance: Double,
        isPreconditioned: Bool = true
    ) throws(MPIFailure) -> Outcome {
        let level = levels[0]
        let rows = level.rows
        let x = NumericBuffer<Double>(count: level.x.count, filledWith: 0)
        let p = NumericBuffer<Double>(count: level.x.count, filledWith: 0)
        let z = NumericBuffer<Double>(count: level.x.count, filledWith: 0)
        var r = (0..<rows).map(b)
        var q = [Double](repeating: 0, count: rows)
        func sum(_ term: (Int) -> Double) throws(MPIFailure) -> Double {
            var mine = 0.0
            for row in 0..<rows { mine += term(row) }
            return try world.allReduce(mine, .sum)
        }
        let first = try sum { r[$0] * r[$0] }.squareRoot()
        var (norm, product, done) = (first, 0.0, 0)
        while done < iterations, norm > tolerance * first {
            if isPreconditioned {
                try cycle(0, r, z)
            } else {
                for row in 0..<rows { z[row] = r[row] }
            }
            let previous = product
            product = try sum { r[$0] * z[$0] }
            let beta = done == 0 ? 0 : product / previous
            for row in 0..<rows { p[row] = z[row] + beta * p[row] }
            try level.multiply(p, &q)
            let alpha = product / (try sum { p[$0] * q[$0] })
            for row in 0..<rows {
                x[row] += alpha * p[row]
                r[row] -= alpha * q[row]
            }
            norm = try sum { r[$0] * r[$0] }.squareRoot()
            done += 1
        }
        return Outcome(
            x: (0..<rows).map { x[$0] },
            iterations: done,
            scaledResidual: norm / first
        )
    }

    private func cycle(
        _ number: Int,
        _ r: [Double],
        _ z: NumericBuffer<Double>
    ) throws(MPIFailure) {
        let level = levels[number]
        z.pointer.update(repeating: 0, count: z.count)
        try level.smooth(r, z)
        guard number + 1 < levels.count else { return }
        let coarse = levels[number + 1]
        try level.multiply(z, &level.scratch)
        let points = level.coarsePoints
        for (point, row) in points.enumerated() { coarse.r[point] = r[row] - level.scratch[row] }
        try cycle(number + 1, coarse.r, coarse.x)
        for (point, row) in points.enumerated() { z[row] += coarse.x[point] }
        try level.smooth(r, z)
    }
}
