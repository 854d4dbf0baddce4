internal import Determinism
internal import MessagePassing
internal import Prediction
internal import WireFormats

/// A sparse linear solve as in implicit simulation: HPCG's problem.
///
/// Conjugate gradients with a symmetric Gauss–Seidel preconditioner (one sweep from zero on each
/// rank's block) on the 27-point operator of a regular grid, cut into blocks over the ranks, from
/// x = 0 until the residual is 1e-9 of its start. The exact solution is the same number everywhere,
/// another of 1 to 2 in each repetition.
///
/// **Work of an iteration**, N nonzeros, C of them off the diagonal and inside a block, n rows:
/// 2N + 2C + 15n flop (product 2N, two triangular sweeps 2C + 3n, three dot products 6n, three
/// vector updates 6n); 12(N − n) + 8n + 12C + 16n + 144n byte, at 12 byte a nonzero and with each
/// vector moved once for each of its uses. HPCG's own count, which takes each sweep over whole
/// rows, is given beside it as `hpcg_flop`.
///
/// **Verified** when `‖b − A x‖ / ‖b‖`, computed afresh, is at most 1e-8, every |x − x'| at most
/// 1e-5, and operator and preconditioner are symmetric by HPCG's test on random vectors:
/// `|xᵗAy − yᵗAx| ≤ 2 ‖x‖ ‖A‖ ‖y‖ ε` with ‖A‖ = 52.
///
/// Source: Heroux, Dongarra, Luszczek, "HPCG Technical Specification", SAND2013-8752, 2013, and
/// `TestSymmetry.cpp` of HPCG 3.1.
final class ConjugateGradientKernel: Kernel {
    static let profile = KernelProfile(
        .cg,
        title: "sparse solve: preconditioned conjugate gradients (HPCG's problem)",
        criterion: "|b - A x| / |b| <= 1e-8, |x - x'| <= 1e-5, HPCG's symmetry test <= 1"
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        // 26 couplings of 12 byte, diagonal, its inverse, b and five vectors.
        (26 * 12 + 8 * 8) * shape.reduce(1) { $0 * Double($1) }
    }

    static let tolerance = 1e-9
    static let maximumIterations = 1_000

    private let world: Communicator
    private let shape: [Int]
    private let rowsOfAll: Int64
    private let nonzeros: Int64
    private let innerCouplings: Int64
    let matrix: GridMatrix
    private let halo: GridHalo
    let x: NumericBuffer<Double>
    private let r: NumericBuffer<Double>
    private let z: NumericBuffer<Double>
    private let p: NumericBuffer<Double>
    private let q: NumericBuffer<Double>
    var iterations = 0
    /// What every element of x must be.
    private(set) var level = 1.0
    private var symmetryDepartures: [Double] = []
    private var worstError = Double.infinity

    init(_ setting: KernelSetting) throws(KernelFailure) {
        let shape = setting.shape
        let world = setting.world
        let grid = ProcessGrid(ranks: world.size, shape: shape)
        for axis in 0..<3 where grid.extents[axis] > shape[axis] {
            throw .tooManyRanks(world.size, shape: shape, why: "a block would hold no point")
        }
        let blocks = (0..<3).map { axis in
            (0..<grid.extents[axis]).map {
                share(of: shape[axis], part: $0, parts: grid.extents[axis])
            }
        }
        let place = grid.place(of: world.rank)
        let halo = GridHalo(world: world, grid: grid, blocks: blocks)
        matrix = GridMatrix(
            shape: shape,
            block: (0..<3).map { blocks[$0][place[$0]] },
            outerIndex: halo.index
        )
        self.world = world
        self.shape = shape
        self.halo = halo
        rowsOfAll = shape.reduce(1) { $0 * Int64($1) }
        nonzeros = Int64(GridMatrix.nonzeros(of: shape))
        let mine = Int64(matrix.innerCouplings)
        innerCouplings = try messaging { () throws(MPIFailure) in
            try world.allReduce(mine, .sum)
        }
        let count = matrix.rows + halo.outerCount
        x = NumericBuffer(count: count, filledWith: 0)
        r = NumericBuffer(count: count, filledWith: 0)
        z = NumericBuffer(count: count, filledWith: 0)
        p = NumericBuffer(count: count, filledWith: 0)
        q = NumericBuffer(count: count, filledWith: 0)
    }

    func prepare(_ number: Int) {
        level = 1.5 + HashedMatrix.entry(HashedMatrix.variant(14, number), 0, 0)
        for vector in [x, r, p, q] { vector.spoil() }
        // Short rows multiply the row's own element, which is still to come, by zero: no NaN there.
        z.pointer.update(repeating: 1e30, count: z.count)
    }

    func repetition() throws(KernelFailure) -> Work {
        iterations = try messaging { () throws(MPIFailure) in try solve() }
        return workOfIteration.times(iterations)
    }

    func answer() -> KernelAnswer? {
        var answer = KernelAnswer(.double, shape: shape.reversed())
        var first = 0
        for z in matrix.block[2] {
            for y in matrix.block[1] {
                let start = (z * shape[1] + y) * shape[0] + matrix.block[0].lowerBound
                answer.add(x, from: first, count: matrix.block[0].count, at: start)
                first += matrix.block[0].count
            }
        }
        return answer
    }

    func verify() throws(KernelFailure) -> Verdict {
        try verify(
            multiply: { v, result throws(KernelFailure) in
                try messaging { () throws(MPIFailure) in try self.multiply(v, into: result) }
            },
            precondition: { v, result throws(KernelFailure) in
                _ = matrix.symmetricSweep(v, into: result)
            }
        )
    }

    /// Judges the solution, and the operators that made it, which a card may have its own of.
    func verify(multiply: Operator, precondition: Operator) throws(KernelFailure) -> Verdict {
        let residual = try messaging { () throws(MPIFailure) in try relativeResidual() }
        var worst = WorstError()
        for row in 0..<matrix.rows { worst.add(abs(x[row] - level)) }
        let mine = worst.value
        worstError = try messaging { () throws(MPIFailure) in try world.allReduce(mine, .maximum) }
        symmetryDepartures = try symmetryTest(multiply, precondition)
        return Verdict(
            residual: residual,
            limit: 1e-8,
            and: worstError <= 1e-5 && symmetryDepartures.allSatisfy { $0 <= 1 }
        )
    }

    typealias Operator =
        (NumericBuffer<Double>, NumericBuffer<Double>) throws(KernelFailure) -> Void

    func details() throws(KernelFailure) -> [JSONValue.Member] {
        [
            .init("iterations", .integer(Int64(iterations))),
            .init("nonzeros", .integer(nonzeros)),
            .init("largest_error", .number(worstError)),
            .init("symmetry_departures", .array(symmetryDepartures.map { .number($0) })),
            .init("hpcg_flop", .integer(Int64(iterations) * (6 * nonzeros + 12 * rowsOfAll))),
            .init("halo_byte_per_rank", .integer(Int64(halo.bytesSent))),
        ]
    }

    var workOfIteration: Work {
        Work(
            KernelForm.conjugateGradientIteration(
                rows: Double(rowsOfAll),
                nonzeros: Double(nonzeros),
                innerCouplings: Double(innerCouplings)
            )
        )
    }
}

// MARK: - The solver

extension ConjugateGradientKernel {
    /// Solves from x = 0 and returns the number of iterations.
    private func solve() throws(MPIFailure) -> Int {
        let rows = matrix.rows
        x.pointer.update(repeating: 0, count: rows)
        p.pointer.update(repeating: 0, count: rows)
        let (b, residual, level) = (matrix.rightSide.pointer, r.pointer, level)
        for row in 0..<rows { residual[row] = level * b[row] }
        let start = try world.allReduce(innerProduct(rows, r.pointer, r.pointer), .sum)
        var product = 1.0
        for iteration in 1...Self.maximumIterations {
            let previous = product
            product = try world.allReduce(matrix.symmetricSweep(r, into: z), .sum)
            let beta = iteration == 1 ? 0 : product / previous
            updateDirection(rows, z.pointer, beta, p.pointer)
            try multiply(p, into: q)
            let curvature = try world.allReduce(innerProduct(rows, p.pointer, q.pointer), .sum)
            let squared = advance(
                rows,
                by: product / curvature,
                p.pointer,
                q.pointer,
                x.pointer,
                r.pointer
            )
            let norm = try world.allReduce(squared, .sum)
            // A residual that is no number ends the loop too: verification will say so.
            if !(norm > Self.tolerance * Self.tolerance * start) { return iteration }
        }
        return Self.maximumIterations
    }

    private func multiply(
        _ vector: NumericBuffer<Double>,
        into result: NumericBuffer<Double>
    ) throws(MPIFailure) {
        try halo.start(vector)
        matrix.multiplyInner(vector, into: result)
        try halo.finish()
        matrix.addOuter(vector, to: result)
    }
}

// MARK: - Verification

extension ConjugateGradientKernel {
    private func relativeResidual() throws(MPIFailure) -> Double {
        try multiply(x, into: q)
        var sums = [0.0, 0.0]
        for row in 0..<matrix.rows {
            let b = level * matrix.rightSide[row]
            sums[0] += (b - q[row]) * (b - q[row])
            sums[1] += b * b
        }
        sums = try world.allReduce(sums, .sum)
        return (sums[0] / sums[1]).squareRoot()
    }

    /// HPCG's symmetry test of the operator and of the preconditioner; each must be at most 1.
    private func symmetryTest(
        _ multiply: Operator,
        _ precondition: Operator
    ) throws(KernelFailure) -> [Double] {
        let rows = matrix.rows
        var random = SplitMix64(seed: UInt64(world.rank), stream: "cg symmetry")
        let u = NumericBuffer<Double>(count: rows + halo.outerCount, filledWith: 0)
        let v = NumericBuffer<Double>(count: rows + halo.outerCount, filledWith: 0)
        for row in 0..<rows {
            u[row] = unit(&random)
            v[row] = unit(&random)
        }
        let squares = [
            innerProduct(rows, u.pointer, u.pointer), innerProduct(rows, v.pointer, v.pointer),
        ]
        let norms = try messaging { () throws(MPIFailure) in try world.allReduce(squares, .sum) }
        let scale = 2 * norms[0].squareRoot() * norms[1].squareRoot() * 2 * 26 * Double.ulpOfOne
        try multiply(v, q)
        let uAv = innerProduct(rows, u.pointer, q.pointer)
        try multiply(u, q)
        let vAu = innerProduct(rows, v.pointer, q.pointer)
        try precondition(v, z)
        let vMu = innerProduct(rows, u.pointer, z.pointer)
        try precondition(u, z)
        let uMv = innerProduct(rows, v.pointer, z.pointer)
        let products = [uAv, vAu, vMu, uMv]
        let sums = try messaging { () throws(MPIFailure) in try world.allReduce(products, .sum) }
        return [abs(sums[0] - sums[1]) / scale, abs(sums[2] - sums[3]) / scale]
    }
}

// MARK: - Vectors

/// The sum of products, in eight lanes: the same on each run.
func innerProduct(
    _ count: Int,
    _ left: UnsafePointer<Double>,
    _ right: UnsafePointer<Double>
) -> Double {
    var sums = SIMD8<Double>.zero
    let whole = count & ~7
    var index = 0
    while index < whole {
        let a = UnsafeRawPointer(left + index).loadUnaligned(as: SIMD8<Double>.self)
        let b = UnsafeRawPointer(right + index).loadUnaligned(as: SIMD8<Double>.self)
        sums += a * b
        index &+= 8
    }
    var sum = sums.sum()
    while index < count {
        sum += left[index] * right[index]
        index &+= 1
    }
    return sum
}

/// `p = z + beta p`.
private func updateDirection(
    _ count: Int,
    _ z: UnsafePointer<Double>,
    _ beta: Double,
    _ p: UnsafeMutablePointer<Double>
) {
    for index in 0..<count { p[index] = z[index] + beta * p[index] }
}

/// `x += alpha p`, `r −= alpha q`; returns the new `r · r`.
private func advance(
    _ count: Int,
    by alpha: Double,
    _ p: UnsafePointer<Double>,
    _ q: UnsafePointer<Double>,
    _ x: UnsafeMutablePointer<Double>,
    _ r: UnsafeMutablePointer<Double>
) -> Double {
    for index in 0..<count {
        x[index] += alpha * p[index]
        r[index] -= alpha * q[index]
    }
    return innerProduct(count, r, r)
}

/// A number in 0..<1 with 53 random bits.
private func unit(_ random: inout SplitMix64) -> Double {
    Double(random.next() >> 11) * 0x1p-53
}
