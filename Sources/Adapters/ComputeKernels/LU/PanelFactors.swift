internal import COpenBLAS
internal import MessagePassing

/// A factored panel of LU: the row exchanges, the top block, and the multipliers below it.
///
/// All three lie in one message, so that the panel travels at once. The top block is the same on
/// all ranks of the panel's column: each pivot row is spread when it is found, together with the
/// row that it displaces, in one exchange a column.
///
/// Recursive: a panel is its left half, a solve and an update of the right half, and the right
/// half, down to a few columns; so most of its work is matrix products, too.
final class PanelFactors {
    private static let narrow = 8

    /// The first row and column of the panel in the whole matrix.
    private(set) var first = 0
    /// Its columns.
    private(set) var width = 0
    /// Rows of this rank below the top block.
    private(set) var rowsBelow = 0

    private let rows: BlockCyclic
    private let block: Int
    private let memory: NumericBuffer<Double>

    init(rows: BlockCyclic, block: Int) {
        self.rows = rows
        self.block = block
        memory = NumericBuffer(count: block + block * block + rows.count * block, filledWith: 0)
    }

    /// The top block by columns, `block` apart: U above the diagonal, multipliers below.
    var top: UnsafeMutablePointer<Double> { memory.pointer + block }
    /// The multipliers below the top block by columns, `rowsBelow` apart.
    var below: UnsafeMutablePointer<Double> { memory.pointer + block + block * block }
    /// What travels.
    var message: UnsafeMutableBufferPointer<Double> {
        memory.mutableSlice(0..<(block + block * block + rowsBelow * width))
    }

    /// The row that column `column` of the panel exchanged its diagonal row with.
    func pivot(_ column: Int) -> Int {
        Int(memory[column])
    }

    /// Makes ready to receive a panel.
    func expect(first: Int, width: Int) {
        self.first = first
        self.width = width
        rowsBelow = rows.count - rows.count(below: first + width)
    }

    /// Factors the columns at `panel`, held by the ranks of `group`.
    func factor(
        _ panel: UnsafeMutablePointer<Double>,
        first: Int,
        width: Int,
        over group: Communicator
    ) throws(MPIFailure) {
        expect(first: first, width: width)
        try factor(panel, 0..<width, group)
        let start = rows.count(below: first + width)
        for column in 0..<width {
            (below + column * rowsBelow).update(
                from: panel + column * rows.count + start,
                count: rowsBelow
            )
        }
        guard rows.owner(of: first) == rows.part else { return }
        let corner = panel + rows.count(below: first)
        for column in 0..<width {
            (corner + column * rows.count).update(from: top + column * block, count: width)
        }
    }

    private func factor(
        _ panel: UnsafeMutablePointer<Double>,
        _ columns: Range<Int>,
        _ group: Communicator
    ) throws(MPIFailure) {
        if columns.count <= Self.narrow {
            for column in columns { try eliminate(panel, column, columns.upperBound, group) }
            return
        }
        let middle = columns.lowerBound + columns.count / 2
        try factor(panel, columns.lowerBound..<middle, group)
        updateRightHalf(panel, columns, middle)
        try factor(panel, middle..<columns.upperBound, group)
    }

    private func updateRightHalf(
        _ panel: UnsafeMutablePointer<Double>,
        _ columns: Range<Int>,
        _ middle: Int
    ) {
        let left = columns.lowerBound
        let right = Int32(columns.upperBound - middle)
        let corner = top + middle * block + left
        cblas_dtrsm(
            CblasColMajor,
            CblasLeft,
            CblasLower,
            CblasNoTrans,
            CblasUnit,
            Int32(middle - left),
            right,
            1,
            top + left * block + left,
            Int32(block),
            corner,
            Int32(block)
        )
        let start = rows.count(below: first + middle)
        guard rows.count > start else { return }
        cblas_dgemm(
            CblasColMajor,
            CblasNoTrans,
            CblasNoTrans,
            Int32(rows.count - start),
            right,
            Int32(middle - left),
            -1,
            panel + left * rows.count + start,
            Int32(rows.count),
            corner,
            Int32(block),
            1,
            panel + middle * rows.count + start,
            Int32(rows.count)
        )
    }

    /// Finds the pivot of `column`, exchanges rows over the whole panel, divides, and updates the
    /// columns up to `end`.
    private func eliminate(
        _ panel: UnsafeMutablePointer<Double>,
        _ column: Int,
        _ end: Int,
        _ group: Communicator
    ) throws(MPIFailure) {
        let stride = rows.count
        let diagonal = first + column
        let start = rows.count(below: diagonal)
        let values = panel + column * stride
        let candidates = stride - start
        let best =
            candidates > 0 ? start + Int(cblas_idamax(Int32(candidates), values + start, 1)) : -1
        let isHolder = rows.owner(of: diagonal) == rows.part
        if group.size == 1 {
            for other in 0..<width {
                let cells = panel + other * stride
                top[other * block + column] = cells[best]
                cells[best] = cells[start]
            }
            memory[column] = Double(rows.global(best))
        } else {
            try spreadPivot(panel, column, best, isHolder ? start : -1, group)
        }
        let below = rows.count(below: diagonal + 1)
        let remaining = Int32(stride - below)
        guard remaining > 0 else { return }
        cblas_dscal(remaining, 1 / top[column * block + column], values + below, 1)
        for other in (column + 1)..<max(end, column + 1) {
            cblas_daxpy(
                remaining,
                -top[other * block + column],
                values + below,
                1,
                panel + other * stride + below,
                1
            )
        }
    }

    /// One exchange among the ranks of a column: every rank offers its best row, the holder of the
    /// diagonal row adds that one; all take the winner into the top block, and the rank it came
    /// from takes the diagonal row in its place.
    private func spreadPivot(
        _ panel: UnsafeMutablePointer<Double>,
        _ column: Int,
        _ best: Int,
        _ diagonalPlace: Int,
        _ group: Communicator
    ) throws(MPIFailure) {
        let stride = rows.count
        var offer = [Double](repeating: 0, count: 2 + 2 * width)
        offer[0] = best >= 0 ? abs(panel[column * stride + best]) : -1
        offer[1] = best >= 0 ? Double(rows.global(best)) : .infinity
        for other in 0..<width {
            if best >= 0 { offer[2 + other] = panel[other * stride + best] }
            if diagonalPlace >= 0 {
                offer[2 + width + other] = panel[other * stride + diagonalPlace]
            }
        }
        let offers = try group.allGather(offer)
        var winner = 0
        for rank in 1..<group.size {
            let (one, two) = (offers[rank * offer.count], offers[winner * offer.count])
            let isLower = offers[rank * offer.count + 1] < offers[winner * offer.count + 1]
            if one > two || (one == two && isLower) { winner = rank }
        }
        let holder = rows.owner(of: first + column)
        for other in 0..<width {
            top[other * block + column] = offers[winner * offer.count + 2 + other]
            if winner == rows.part {
                panel[other * stride + best] = offers[holder * offer.count + 2 + width + other]
            }
        }
        memory[column] = offers[winner * offer.count + 1]
    }
}
