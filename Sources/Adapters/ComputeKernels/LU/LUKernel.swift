internal import COpenBLAS
internal import MessagePassing
internal import Prediction
internal import WireFormats

/// A dense linear solve by LU factorisation with partial pivoting: the problem of HPL.
///
/// The matrix of order N, with b as its last column, is dealt out in square blocks over a rectangle
/// of ranks (2-D block-cyclic). Right-looking: a panel of columns is factored by the ranks of one
/// column (`PanelFactors`), goes along the rows of ranks as a ring, and updates the columns to its
/// right by OpenBLAS, one thread a rank. Look-ahead of depth 1: the ranks that hold the next panel
/// update and factor it first, so it travels while the rest is updated.
///
/// **Work**, HPL's formula: (2/3)N³ + (3/2)N² flop. Byte: each of the N/NB updates reads and writes
/// the trailing matrix once, (16/3)N³/NB in all.
///
/// **Verified** by HPL's residual: `‖A x − b‖∞ / (ε (‖A‖∞ ‖x‖∞ + ‖b‖∞) N) < 16`.
///
/// Source: Petitet, Whaley, Dongarra, Cleary, "HPL - A Portable Implementation of the
/// High-Performance Linpack Benchmark", version 2.3.
final class LUKernel: Kernel {
    static let profile = KernelProfile(
        .lu,
        title: "dense solve: LU with partial pivoting, 2-D block-cyclic (HPL's problem)",
        criterion: "|Ax - b| / (eps (|A| |x| + |b|) N) <= 16"
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        let (n, block) = (Double(shape[0]), Double(blockSize(shape)))
        let ranks = Double(ranks)
        // The matrix; panels and exchanged rows; the top blocks of two panels on every rank.
        return 8 * n * n + 32 * n * block * ranks.squareRoot() + 16 * block * block * ranks
    }

    /// The block size that is asked for, or the whole matrix where that is smaller.
    private static func blockSize(_ shape: [Int]) -> Int { min(shape[0], shape[1]) }

    let order: Int
    let block: Int
    let world: Communicator
    let alongRow: Communicator
    let alongColumn: Communicator
    let rows: BlockCyclic
    let columns: BlockCyclic
    /// This rank's part of A and b, by columns; `rows.count` apart.
    let matrix: NumericBuffer<Double>
    /// The solution; the same on all ranks.
    var solution: [Double] = []
    private var panels: [PanelFactors]
    private let exchange: RowExchange
    private let sends: PendingTransfers
    private var number = 0

    init(_ setting: KernelSetting) throws(KernelFailure) {
        let (order, block) = (setting.shape[0], Self.blockSize(setting.shape))
        let world = setting.world
        let rectangle = RankRectangle(ranks: world.size)
        guard order <= 1 << 24 else {
            throw .beyondLimit(shape: setting.shape, limit: "an order of at most 16777216")
        }
        guard block * max(rectangle.rows, rectangle.columns) <= order + block else {
            throw .tooManyRanks(world.size, shape: setting.shape, why: "a rank would hold no block")
        }
        let row = world.rank / rectangle.columns
        let column = world.rank % rectangle.columns
        self.order = order
        self.block = block
        self.world = world
        (alongRow, alongColumn) = try messaging { () throws(MPIFailure) in
            (
                try world.split(color: row, key: column),
                try world.split(color: column, key: row)
            )
        }
        rows = BlockCyclic(extent: order, block: block, part: row, parts: rectangle.rows)
        columns = BlockCyclic(
            extent: order + 1,
            block: block,
            part: column,
            parts: rectangle.columns
        )
        matrix = NumericBuffer(count: rows.count * columns.count, filledWith: 0)
        panels = [PanelFactors(rows: rows, block: block), PanelFactors(rows: rows, block: block)]
        exchange = RowExchange(
            rows: rows,
            over: alongColumn,
            block: block,
            columns: columns.count
        )
        sends = PendingTransfers(over: alongRow, capacity: 1)
        openblas_set_num_threads(1)
    }

    func prepare(_ number: Int) {
        self.number = number
        solution = [Double](repeating: .nan, count: order)
        for column in 0..<columns.count {
            let j = columns.global(column)
            for row in 0..<rows.count {
                matrix[column * rows.count + row] = entry(rows.global(row), j)
            }
        }
    }

    private func entry(_ row: Int, _ column: Int) -> Double {
        HashedMatrix.entry(HashedMatrix.variant(4, number), row, column)
    }

    func repetition() throws(KernelFailure) -> Work {
        try messaging { () throws(MPIFailure) in
            try factor()
            try substituteBack()
        }
        return Work(KernelForm.lu.work([order, block], ranks: world.size))
    }

    func answer() -> KernelAnswer? {
        var answer = KernelAnswer(.double, shape: [order])
        if world.isRoot { answer.add(solution, at: 0) }
        return answer
    }

    func verify() throws(KernelFailure) -> Verdict {
        try messaging { () throws(MPIFailure) in
            // Row sums over the own columns; the sums over all ranks are whole rows.
            var difference = [Double](repeating: 0, count: order)
            var norms = [Double](repeating: 0, count: order)
            for place in 0..<columns.count {
                let column = columns.global(place)
                guard column < order else { continue }
                for row in (0..<rows.count).map(rows.global) {
                    let value = entry(row, column)
                    difference[row] += value * solution[column]
                    norms[row] += abs(value)
                }
            }
            difference = try world.allReduce(difference, .sum)
            norms = try world.allReduce(norms, .sum)
            let b = (0..<order).map { entry($0, order) }
            for row in 0..<order { difference[row] -= b[row] }
            let scale = largest(norms) * largest(solution) + largest(b)
            let n = Double(order)
            // Each rank answers for the unknowns of its own columns; all are to have all of them.
            let others = try world.allReduce(solution, .maximum)
            let differing = zip(solution, others).count { $0 != $1 }
            let isAgreed = try world.allReduce([Double(differing)], .sum)[0] == 0
            guard isAgreed else { return Verdict(residual: .infinity, limit: 16) }
            return Verdict(
                residual: largest(difference) / (Double.ulpOfOne * scale * n),
                limit: 16
            )
        }
    }

    func details() throws(KernelFailure) -> [JSONValue.Member] {
        [.init("grid", .string("\(rows.parts)x\(columns.parts)"))]
    }
}

// MARK: - Factorisation

extension LUKernel {
    private func factor() throws(MPIFailure) {
        let count = (order + block - 1) / block
        if columns.owner(of: 0) == columns.part { try factorPanel(0) }
        try passOn(0)
        for panel in 0..<count {
            let start = columns.count(below: min((panel + 1) * block, order))
            if panel + 1 < count, columns.owner(of: (panel + 1) * block) == columns.part {
                let end = columns.count(below: min((panel + 2) * block, order))
                try update(start..<end, with: panel)
                try factorPanel(panel + 1)
                try passOn(panel + 1)
                try update(end..<columns.count, with: panel)
            } else {
                try update(start..<columns.count, with: panel)
                if panel + 1 < count { try passOn(panel + 1) }
            }
        }
        try sends.waitAll()
    }

    private func factorPanel(_ panel: Int) throws(MPIFailure) {
        let first = panel * block
        try panels[panel % 2].factor(
            matrix.pointer + columns.count(below: first) * rows.count,
            first: first,
            width: min(block, order - first),
            over: alongColumn
        )
    }

    /// Sends a factored panel to the next rank of the row, which sends it on: a ring, so that each
    /// rank pays for one message however long the row is.
    private func passOn(_ panel: Int) throws(MPIFailure) {
        guard alongRow.size > 1 else { return }
        let owner = columns.owner(of: panel * block)
        let factors = panels[panel % 2]
        if columns.part != owner {
            factors.expect(first: panel * block, width: min(block, order - panel * block))
            let before = (columns.part + columns.parts - 1) % columns.parts
            try alongRow.receive(into: factors.message, from: before, tag: panel & 0xFFF)
        }
        let next = (columns.part + 1) % columns.parts
        // The panel before the last one has been sent by now, and its memory is about to be reused.
        try sends.waitAll()
        if next != owner {
            try sends.send(UnsafeBufferPointer(factors.message), to: next, tag: panel & 0xFFF)
        }
    }

    /// Applies a panel to some of the columns right of it: rows swap, the top block is solved, the
    /// rest is updated.
    private func update(_ range: Range<Int>, with panel: Int) throws(MPIFailure) {
        let factors = panels[panel % 2]
        let stride = rows.count
        let part = matrix.pointer + range.lowerBound * stride
        let top = try exchange.swap(part, columns: range.count, by: factors)
        guard range.count > 0 else { return }
        let width = Int32(factors.width)
        cblas_dtrsm(
            CblasColMajor,
            CblasLeft,
            CblasLower,
            CblasNoTrans,
            CblasUnit,
            width,
            Int32(range.count),
            1,
            factors.top,
            Int32(block),
            top.rows,
            Int32(top.stride)
        )
        exchange.putBack(top, into: part, columns: range.count, by: factors)
        guard factors.rowsBelow > 0 else { return }
        cblas_dgemm(
            CblasColMajor,
            CblasNoTrans,
            CblasNoTrans,
            Int32(factors.rowsBelow),
            Int32(range.count),
            width,
            -1,
            factors.below,
            Int32(factors.rowsBelow),
            top.rows,
            Int32(top.stride),
            1,
            part + rows.count(below: factors.first + factors.width),
            Int32(stride)
        )
    }
}

// MARK: - Back substitution

extension LUKernel {
    /// Solves U x = y, block by block from the last; afterwards all ranks have x.
    private func substituteBack() throws(MPIFailure) {
        var y = [Double](repeating: 0, count: order)
        if columns.owner(of: order) == columns.part {
            let place = columns.count(below: order)
            for row in 0..<rows.count { y[rows.global(row)] = matrix[place * rows.count + row] }
        }
        // What the solved unknowns contribute to the rows held here; summed along a row of ranks
        // when the row's turn comes. The right-hand side is one of the terms.
        var sums = y
        var x = [Double](repeating: 0, count: order)
        for index in stride(from: (order - 1) / block, through: 0, by: -1) {
            let first = index * block
            let width = min(block, order - first)
            let holder = rows.owner(of: first) * columns.parts + columns.owner(of: first)
            var part = [Double](repeating: 0, count: width)
            if rows.owner(of: first) == rows.part {
                part = try alongRow.allReduce(Array(sums[first..<(first + width)]), .sum)
            }
            if world.rank == holder { solveDiagonal(first, width, &part) }
            let known = NumericBuffer<Double>(count: width, filledWith: 0)
            for row in 0..<width { known[row] = part[row] }
            try world.broadcast(known.buffer, from: holder)
            for row in 0..<width { x[first + row] = known[row] }
            if columns.owner(of: first) == columns.part {
                subtract(first, width, known.pointer, from: &sums)
            }
        }
        solution = x
    }

    private func solveDiagonal(_ first: Int, _ width: Int, _ part: inout [Double]) {
        let stride = rows.count
        let corner = columns.count(below: first) * stride + rows.count(below: first)
        cblas_dtrsv(
            CblasColMajor,
            CblasUpper,
            CblasNoTrans,
            CblasNonUnit,
            Int32(width),
            matrix.pointer + corner,
            Int32(stride),
            &part,
            1
        )
    }

    private func subtract(
        _ first: Int,
        _ width: Int,
        _ known: UnsafePointer<Double>,
        from sums: inout [Double]
    ) {
        let above = rows.count(below: first)
        guard above > 0 else { return }
        var product = [Double](repeating: 0, count: above)
        cblas_dgemv(
            CblasColMajor,
            CblasNoTrans,
            Int32(above),
            Int32(width),
            1,
            matrix.pointer + columns.count(below: first) * rows.count,
            Int32(rows.count),
            known,
            1,
            0,
            &product,
            1
        )
        for row in 0..<above { sums[rows.global(row)] -= product[row] }
    }
}
