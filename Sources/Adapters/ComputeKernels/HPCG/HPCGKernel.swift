internal import Determinism
internal import MessagePassing
internal import Prediction
internal import WireFormats

/// HPCG by its whole method: conjugate gradients, preconditioned by a cycle of multigrid.
///
/// The 27-point operator on a grid, cut into blocks whose sides are multiples of 8; four grids, each with
/// every second point of the one before; symmetric Gauss–Seidel as smoother, once before and once after
/// the coarser grid; injection both ways. A repetition is a set of 50 iterations from x = 0. The solution
/// is the same number everywhere, another in each set.
///
/// **Work** of a set is HPCG's own count: with n rows and N nonzeros of the finest grid, N₁ to N₃ of the
/// coarser ones, and k iterations, (3k + 1) 2n for dots, as much for updates, (k + 1) 2N for products,
/// k (10 (N + N₁ + N₂) + 4 N₃) for multigrid, though the sweeps here do less (`GridLevel`). The bytes are what
/// these sweeps read and write.
///
/// **Rated** as HPCG rates: the flop of all sets over their time and a tenth of the time of setup and
/// optimisation for each, at 50 iterations a set.
///
/// **Verified**: a reference, written from the specification on its own, does 50 iterations; the residual
/// of each set, computed afresh from the grid, must be as small as the reference's, every |x − x'| must be
/// within what that residual allows, and operator and preconditioner symmetric by HPCG's test. Afterwards
/// the last answer is compared with the reference's, and HPCG's test of convergence is done: with the diagonal
/// spread out 12 iterations without and 2 with multigrid.
///
/// Source: Heroux, Dongarra, Luszczek, "HPCG Technical Specification", SAND2013-8752, 2013; HPCG 3.1,
/// `ReportResults.cpp`, `TestCG.cpp`, `TestSymmetry.cpp`, for counts, rating and tests.
final class HPCGKernel: Kernel {
    static let profile = KernelProfile(
        .hpcg,
        title: "HPCG: conjugate gradients with four-level multigrid, its rating",
        criterion: "|b - A x| / |b| as the reference's after 50 iterations, HPCG's tests",
        maximumThreads: 1_024
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        // Couplings, diagonals, right side and vectors of four grids; the reference's vectors.
        (26 * 12 + 8 * 8) * 8.0 / 7 * shape.reduce(1) { $0 * Double($1) }
            + 8 * 10 * shape.reduce(1) { $0 * Double($1) }
    }

    static let iterationsOfSet = KernelForm.iterationsOfSet
    private static let coarserLevels = 3

    private let world: Communicator
    private let shape: [Int]
    let finest: GridLevel
    private let reference: HPCGReference
    private let vectors: TeamVectors
    let x: NumericBuffer<Double>
    private let r: NumericBuffer<Double>
    private let z: NumericBuffer<Double>
    private let p: NumericBuffer<Double>
    private let q: NumericBuffer<Double>
    private let setupSeconds: Double
    /// What every element of x must be.
    private var level = 1.0
    private var number = 0
    private var sets = 0
    private var secondsOfSets = 0.0
    /// Of the reference, by one on the right side, after a set.
    private var wanted: HPCGReference.Outcome?
    private var referenceSeconds = 0.0
    private var scaledResidual = Double.infinity
    private var worstError = Double.infinity
    private var symmetryDepartures: [Double] = []
    private var convergence: [Int] = []
    private var distance = Double.infinity

    init(_ setting: KernelSetting) throws(KernelFailure) {
        let world = setting.world
        guard let cut = KernelForm.hpcg.boxes(setting.shape, over: world.size) else {
            throw .tooManyRanks(
                world.size,
                shape: setting.shape,
                why: "the sides of every block must be multiples of 8"
            )
        }
        let start = MPIEnvironment.wallSeconds()
        self.world = world
        shape = setting.shape
        finest = GridLevel(
            world,
            ProcessGrid(extents: cut.map { Int($0) }),
            shape: setting.shape,
            coarserLevels: Self.coarserLevels,
            setting.team
        )
        let count = finest.matrix.rows + finest.halo.outerCount
        x = NumericBuffer(count: count, filledWith: 0, by: setting.team)
        r = NumericBuffer(count: count, filledWith: 0, by: setting.team)
        z = NumericBuffer(count: count, filledWith: 0, by: setting.team)
        p = NumericBuffer(count: count, filledWith: 0, by: setting.team)
        q = NumericBuffer(count: count, filledWith: 0, by: setting.team)
        vectors = TeamVectors(setting.team, count: finest.matrix.rows)
        setupSeconds = MPIEnvironment.wallSeconds() - start
        reference = HPCGReference(world, finest)
    }

    func prepare(_ number: Int) throws(KernelFailure) {
        self.number = number
        if wanted == nil {
            let start = MPIEnvironment.wallSeconds()
            let outcome = try messaging { () throws(MPIFailure) in
                try reference.solve(
                    { finest.matrix.rightSide[$0] },
                    iterations: Self.iterationsOfSet,
                    tolerance: 0
                )
            }
            wanted = outcome
            referenceSeconds = MPIEnvironment.wallSeconds() - start
        }
        level = 1.5 + HashedMatrix.entry(HashedMatrix.variant(17, number), 0, 0)
        for vector in [x, r, p, q] { vector.spoil() }
        // Short rows multiply the row's own element, which is still to come, by zero: no NaN there.
        z.pointer.update(repeating: 1e30, count: z.count)
    }

    func repetition() throws(KernelFailure) -> Work {
        let start = MPIEnvironment.wallSeconds()
        try messaging { () throws(MPIFailure) in try solve() }
        if number > 0 {
            sets += 1
            secondsOfSets += MPIEnvironment.wallSeconds() - start
        }
        return Work(KernelForm.hpcg.work(shape, ranks: world.size))
    }

    func answer() -> KernelAnswer? {
        var answer = KernelAnswer(.double, shape: shape.reversed())
        let block = finest.matrix.block
        var first = 0
        for z in block[2] {
            for y in block[1] {
                let start = (z * shape[1] + y) * shape[0] + block[0].lowerBound
                answer.add(x, from: first, count: block[0].count, at: start)
                first += block[0].count
            }
        }
        return answer
    }

    func verify() throws(KernelFailure) -> Verdict {
        let matrix = finest.matrix
        let residual = try messaging { () throws(MPIFailure) in
            try reference.residual(of: x) { level * matrix.rightSide[$0] }
        }
        var worst = WorstError()
        for row in 0..<matrix.rows { worst.add(abs(x[row] - level)) }
        let (mine, square) = (worst.value, vectors.dot(matrix.rightSide, matrix.rightSide))
        worstError = try messaging { () throws(MPIFailure) in try world.allReduce(mine, .maximum) }
        let norm = try messaging { () throws(MPIFailure) in try world.allReduce(square, .sum) }
        symmetryDepartures = try messaging { () throws(MPIFailure) in try symmetryTest() }
        // Rounding alone leaves some 1e-15 where there is nothing left to gain.
        let limit = max(1e-13, 1.001 * (wanted?.scaledResidual ?? 0))
        // The largest row sum of the inverse is below an eighth of the longest side's square.
        let side = Double(shape.max() ?? 1)
        let allowed = 1e-12 + limit * level * norm.squareRoot() * side * side / 8
        return Verdict(
            residual: residual,
            limit: limit,
            and: worstError <= allowed && symmetryDepartures.allSatisfy { $0 <= 1 }
        )
    }

    func measureFurther() throws(KernelFailure) -> Bool {
        let right = wanted?.x ?? []
        var worst = WorstError()
        for (row, value) in right.enumerated() { worst.add(abs(x[row] - level * value)) }
        let mine = worst.value
        distance = try messaging { () throws(MPIFailure) in try world.allReduce(mine, .maximum) }
        convergence = try messaging { () throws(MPIFailure) in try convergenceTest() }
        return distance <= 1e-8 && convergence[0] <= 12 && convergence[1] <= 2
    }

    func details() throws(KernelFailure) -> [JSONValue.Member] {
        let mine = [secondsOfSets, setupSeconds, referenceSeconds]
        let slowest = try messaging { () throws(MPIFailure) in try world.allReduce(mine, .maximum) }
        let flop = Double(sets) * KernelForm.hpcg.work(shape, ranks: world.size).flop
        let seconds = slowest[0] + Double(sets) * slowest[1] / 10
        return [
            .init("rating_flop_per_s", seconds > 0 ? .number(flop / seconds) : .null),
            .init("sets", .integer(Int64(sets))),
            .init("iterations", .integer(Int64(Self.iterationsOfSet))),
            .init("setup_seconds", .number(slowest[1])),
            .init("reference_seconds", .number(slowest[2])),
            .init("scaled_residual", .number(scaledResidual)),
            .init("reference_scaled_residual", .number(wanted?.scaledResidual ?? .nan)),
            .init("distance_from_reference", .number(distance)),
            .init("largest_error", .number(worstError)),
            .init("symmetry_departures", .array(symmetryDepartures.map { .number($0) })),
            .init(
                "convergence_test_iterations",
                .array(convergence.map { .integer(Int64($0)) })
            ),
        ]
    }
}

// MARK: - The solver

extension HPCGKernel {
    private func solve() throws(MPIFailure) {
        let b = finest.matrix.rightSide
        x.pointer.update(repeating: 0, count: x.count)
        let outcome = try solve(
            { vectors.set(r, to: level, times: b) },
            iterations: Self.iterationsOfSet,
            tolerance: 0,
            isPreconditioned: true
        )
        scaledResidual = outcome.scaledResidual
    }

    /// Conjugate gradients from x = 0; `start` makes the right side in `r`.
    private func solve(
        _ start: () -> Void,
        iterations: Int,
        tolerance: Double,
        isPreconditioned: Bool
    ) throws(MPIFailure) -> (iterations: Int, scaledResidual: Double) {
        // HPCG starts from p = x, and so takes a product to find that r is b.
        p.pointer.update(repeating: 0, count: p.count)
        start()
        try finest.multiply(p, into: q)
        vectors.add(-1, q, to: r)
        let first = try world.allReduce(vectors.dot(r, r), .sum).squareRoot()
        var (norm, product, done) = (first, 0.0, 0)
        while done < iterations, norm > tolerance * first {
            if isPreconditioned {
                try finest.cycle(r, into: z)
            } else {
                z.pointer.update(from: r.pointer, count: finest.matrix.rows)
            }
            let previous = product
            product = try world.allReduce(vectors.dot(r, z), .sum)
            vectors.turn(p, done == 0 ? 0 : product / previous, z)
            try finest.multiply(p, into: q)
            let alpha = product / (try world.allReduce(vectors.dot(p, q), .sum))
            vectors.add(alpha, p, to: x)
            vectors.add(-alpha, q, to: r)
            norm = try world.allReduce(vectors.dot(r, r), .sum).squareRoot()
            done += 1
        }
        return (done, norm / first)
    }

    /// HPCG's symmetry test of the operator and of the preconditioner; each must be at most 1.
    private func symmetryTest() throws(MPIFailure) -> [Double] {
        var random = SplitMix64(seed: UInt64(world.rank), stream: "hpcg symmetry")
        let u = NumericBuffer<Double>(count: x.count, filledWith: 0)
        let v = NumericBuffer<Double>(count: x.count, filledWith: 0)
        for row in 0..<finest.matrix.rows {
            u[row] = Double(random.next() >> 11) * 0x1p-53
            v[row] = Double(random.next() >> 11) * 0x1p-53
        }
        var sums = [vectors.dot(u, u), vectors.dot(v, v)]
        try finest.multiply(v, into: q)
        sums.append(vectors.dot(u, q))
        try finest.multiply(u, into: q)
        sums.append(vectors.dot(v, q))
        try finest.cycle(v, into: z)
        sums.append(vectors.dot(u, z))
        try finest.cycle(u, into: z)
        sums.append(vectors.dot(v, z))
        sums = try world.allReduce(sums, .sum)
        let scale = 2 * sums[0].squareRoot() * sums[1].squareRoot() * 52 * Double.ulpOfOne
        return [abs(sums[2] - sums[3]) / scale, abs(sums[4] - sums[5]) / scale]
    }

    /// HPCG's test of convergence: nine distinct large elements on the diagonal of the finest grid, all
    /// others equal, so that the spectrum has ten clusters. Leaves x spoilt.
    ///
    /// - Returns: Iterations to 1e-12 without and with multigrid.
    private func convergenceTest() throws(MPIFailure) -> [Int] {
        let matrix = finest.matrix
        func spread(_ row: Int) -> Double {
            let block = matrix.block
            let n = block.map(\.count)
            let point = [row % n[0], row / n[0] % n[1], row / n[0] / n[1]]
            let whole = (0..<3).map { point[$0] + block[$0].lowerBound }
            let id = whole[0] + shape[0] * (whole[1] + shape[1] * whole[2])
            return id < 9 ? Double(id + 2) * 1e6 : 1e6
        }
        for row in 0..<matrix.rows {
            matrix.diagonal[row] = 26 * spread(row)
            matrix.inverseDiagonal[row] = 1 / matrix.diagonal[row]
        }
        defer {
            for row in 0..<matrix.rows {
                matrix.diagonal[row] = 26
                matrix.inverseDiagonal[row] = 1 / 26.0
            }
        }
        var counts: [Int] = []
        for isPreconditioned in [false, true] {
            x.pointer.update(repeating: 0, count: x.count)
            counts.append(
                try solve(
                    // As HPCG: the right side grows with the diagonal.
                    { for row in 0..<matrix.rows { r[row] = matrix.rightSide[row] * spread(row) } },
                    iterations: 100,
                    tolerance: 1e-12,
                    isPreconditioned: isPreconditioned
                ).iterations
            )
        }
        return counts
    }
}
