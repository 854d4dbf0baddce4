internal import COpenBLAS
internal import MessagePassing
internal import Prediction
internal import WireFormats

/// Dense matrix product C = A B in double precision: the compute peak.
///
/// A is M×K, B is K×N. On several ranks SUMMA: ranks form a rectangle, each holds a block of every
/// matrix; panel after panel of A goes along the rows of ranks and of B along the columns, and each
/// rank adds their product to its block of C by OpenBLAS (one thread a rank). B is held transposed,
/// so that its panels are contiguous too. On one rank the only panel is the whole matrix.
///
/// **Work**: 2MNK flop; 8(MK + KN + 2MN) byte.
///
/// **Verified** by Freivalds' test with the scaled residual of HPL: for a random vector x with
/// elements of 0.5 to 1 and either sign, `‖C x − A (B x)‖∞ / (ε ‖A‖∞ ‖B‖∞ ‖x‖∞) < 16`. An element of C
/// that is off by more than 32 ε ‖A‖∞ ‖B‖∞ is noticed, wherever it lies.
///
/// Source: van de Geijn, Watts, "SUMMA: Scalable Universal Matrix Multiplication Algorithm",
/// Concurrency 9(4), 1997; Freivalds, "Fast probabilistic algorithms", MFCS 1979.
final class MatrixProductKernel: Kernel {
    static let profile = KernelProfile(
        .gemm,
        title: "dense matrix product in double precision (OpenBLAS, SUMMA over ranks)",
        criterion: "|Cx - A(Bx)| / (eps |A| |B| |x|) <= 16 for a random x",
        maximumThreads: 1_024
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        let (m, n, k) = (Double(shape[0]), Double(shape[1]), Double(shape[2]))
        return 8 * (m * k + k * n + m * n) + 8 * Double(panelWidth) * (m + n)
    }

    private static let panelWidth = 256

    private let world: Communicator
    private let team: ThreadTeam
    private let alongRow: Communicator
    private let alongColumn: Communicator
    private let shape: [Int]
    private let rectangle: RankRectangle
    /// Rows of A and C, columns of B and C that are held here.
    private let rows: Range<Int>
    private let columns: Range<Int>
    /// Columns of A and rows of B that are held here.
    private let innerOfA: Range<Int>
    private let innerOfB: Range<Int>
    let a: NumericBuffer<Double>
    let transposedB: NumericBuffer<Double>
    let c: NumericBuffer<Double>
    private let panelOfA: NumericBuffer<Double>
    private let panelOfB: NumericBuffer<Double>
    private var number = 0

    init(_ setting: KernelSetting) throws(KernelFailure) {
        let (m, n, k) = (setting.shape[0], setting.shape[1], setting.shape[2])
        let world = setting.world
        let rectangle = RankRectangle(ranks: world.size)
        guard rectangle.rows <= min(m, k) && rectangle.columns <= min(n, k) else {
            throw .tooManyRanks(world.size, shape: setting.shape, why: "a block would be empty")
        }
        guard max(m, n, k) <= Int(Int32.max) else {
            throw .beyondLimit(shape: setting.shape, limit: "at most 2147483647 rows and columns")
        }
        let row = world.rank / rectangle.columns
        let column = world.rank % rectangle.columns
        self.world = world
        team = setting.team
        self.rectangle = rectangle
        shape = setting.shape
        (alongRow, alongColumn) = try messaging { () throws(MPIFailure) in
            (
                try world.split(color: row, key: column),
                try world.split(color: column, key: row)
            )
        }
        rows = share(of: m, part: row, parts: rectangle.rows)
        columns = share(of: n, part: column, parts: rectangle.columns)
        innerOfA = share(of: k, part: column, parts: rectangle.columns)
        innerOfB = share(of: k, part: row, parts: rectangle.rows)
        a = NumericBuffer(count: rows.count * innerOfA.count, filledWith: 0)
        transposedB = NumericBuffer(count: columns.count * innerOfB.count, filledWith: 0)
        c = NumericBuffer(
            count: rows.count * columns.count,
            filledWith: 0,
            by: team,
            step: rows.count
        )
        let panel = world.size > 1 ? Self.panelWidth : 0
        panelOfA = NumericBuffer(count: rows.count * panel, filledWith: 0)
        panelOfB = NumericBuffer(count: columns.count * panel, filledWith: 0)
        openblas_set_num_threads(1)
    }

    func prepare(_ number: Int) {
        self.number = number
        let (ofA, ofB) = (HashedMatrix.variant(1, number), HashedMatrix.variant(2, number))
        var place = 0
        for k in innerOfA {
            for row in rows {
                a[place] = HashedMatrix.entry(ofA, row, k)
                place += 1
            }
        }
        place = 0
        for k in innerOfB {
            for column in columns {
                transposedB[place] = HashedMatrix.entry(ofB, k, column)
                place += 1
            }
        }
        c.spoil()
        panelOfA.spoil()
        panelOfB.spoil()
    }

    func repetition() throws(KernelFailure) -> Work {
        var isFirst = true
        for panel in panels() {
            let left = try panelFromRow(panel)
            let right = try panelFromColumn(panel)
            let (c, height, isNew) = (c.pointer, rows.count, isFirst)
            let all = columns.count
            // Each thread has its columns of C, and one BLAS.
            team.split(all) { part in
                guard !part.isEmpty else { return }
                cblas_dgemm(
                    CblasColMajor,
                    CblasNoTrans,
                    CblasTrans,
                    Int32(height),
                    Int32(part.count),
                    Int32(panel.count),
                    1,
                    left,
                    Int32(height),
                    right + part.lowerBound,
                    Int32(all),
                    isNew ? 0 : 1,
                    c + part.lowerBound * height,
                    Int32(height)
                )
            }
            isFirst = false
        }
        return work
    }

    var work: Work { Work(KernelForm.gemm.work(shape, ranks: world.size)) }

    /// Ranges of the inner index that lie within one column of ranks of A and one row of B.
    private func panels() -> [Range<Int>] {
        guard world.size > 1 else { return [0..<shape[2]] }
        var starts: Set<Int> = []
        for parts in [rectangle.rows, rectangle.columns] {
            for part in 0..<parts {
                let inner = share(of: shape[2], part: part, parts: parts)
                starts.formUnion(
                    stride(from: inner.lowerBound, to: inner.upperBound, by: Self.panelWidth)
                )
            }
        }
        let ends = starts.sorted() + [shape[2]]
        return zip(ends, ends.dropFirst()).map { $0..<$1 }
    }

    private func panelFromRow(
        _ panel: Range<Int>
    ) throws(KernelFailure) -> UnsafePointer<Double> {
        try broadcast(panel, a, innerOfA, rows.count, panelOfA, alongRow, rectangle.columns)
    }

    private func panelFromColumn(
        _ panel: Range<Int>
    ) throws(KernelFailure) -> UnsafePointer<Double> {
        let width = columns.count
        return try broadcast(
            panel,
            transposedB,
            innerOfB,
            width,
            panelOfB,
            alongColumn,
            rectangle.rows
        )
    }

    /// The panel's columns of `block`, from the rank of `group` that holds them.
    private func broadcast(
        _ panel: Range<Int>,
        _ block: NumericBuffer<Double>,
        _ held: Range<Int>,
        _ height: Int,
        _ workspace: NumericBuffer<Double>,
        _ group: Communicator,
        _ parts: Int
    ) throws(KernelFailure) -> UnsafePointer<Double> {
        let isMine = held.contains(panel.lowerBound)
        let start = isMine ? (panel.lowerBound - held.lowerBound) * height : 0
        let memory = isMine ? block : workspace
        guard group.size > 1 else { return UnsafePointer(memory.pointer + start) }
        let owner =
            (0..<parts).first {
                share(of: shape[2], part: $0, parts: parts).contains(panel.lowerBound)
            } ?? 0
        let buffer = memory.mutableSlice(start..<(start + height * panel.count))
        try messaging { () throws(MPIFailure) in try group.broadcast(buffer, from: owner) }
        return UnsafePointer(memory.pointer + start)
    }

    func answer() -> KernelAnswer? {
        var answer = KernelAnswer(.double, shape: [shape[0], shape[1]], isByColumns: true)
        for (place, column) in columns.enumerated() {
            let start = column * shape[0] + rows.lowerBound
            answer.add(c, from: place * rows.count, count: rows.count, at: start)
        }
        return answer
    }

    func verify() throws(KernelFailure) -> Verdict {
        let (m, n, k) = (shape[0], shape[1], shape[2])
        let x = (0..<n).map { index in
            let value = HashedMatrix.entry(HashedMatrix.variant(3, number), index, 0)
            return value + (value < 0 ? -0.5 : 0.5)
        }
        return try messaging { () throws(MPIFailure) in
            // Partial products of the own blocks; the sums over all ranks are the whole vectors.
            var bx = [Double](repeating: 0, count: k)
            var normsOfB = [Double](repeating: 0, count: k)
            for (place, inner) in innerOfB.enumerated() {
                for (offset, column) in columns.enumerated() {
                    let value = transposedB[place * columns.count + offset]
                    bx[inner] += value * x[column]
                    normsOfB[inner] += abs(value)
                }
            }
            bx = try world.allReduce(bx, .sum)
            normsOfB = try world.allReduce(normsOfB, .sum)
            var difference = [Double](repeating: 0, count: m)
            var normsOfA = [Double](repeating: 0, count: m)
            for (place, inner) in innerOfA.enumerated() {
                for (offset, row) in rows.enumerated() {
                    let value = a[place * rows.count + offset]
                    difference[row] -= value * bx[inner]
                    normsOfA[row] += abs(value)
                }
            }
            for (place, column) in columns.enumerated() {
                for (offset, row) in rows.enumerated() {
                    difference[row] += c[place * rows.count + offset] * x[column]
                }
            }
            difference = try world.allReduce(difference, .sum)
            normsOfA = try world.allReduce(normsOfA, .sum)
            let scale =
                Double.ulpOfOne * largest(normsOfA) * largest(normsOfB) * largest(x)
            return Verdict(residual: largest(difference) / scale, limit: 16)
        }
    }
}

/// The largest absolute value; not a number where any element is none.
func largest(_ values: [Double]) -> Double {
    values.reduce(0) { $1.isNaN || $0.isNaN ? .nan : max($0, abs($1)) }
}
