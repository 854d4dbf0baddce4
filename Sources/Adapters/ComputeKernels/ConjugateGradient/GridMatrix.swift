/// The matrix of HPCG's problem on one rank's block of a three-dimensional grid.
///
/// Row and column `i` belong to a grid point; each is coupled to its up to 26 neighbours with −1
/// and to itself with 26. Stored as a general sparse matrix, nothing is taken from the pattern:
/// 12 bytes a nonzero, value and 32-bit column.
///
/// Lower and upper couplings inside the block lie in separate arrays of exactly 13 a row (short
/// rows are padded by zeros that point to the row itself), so that the loops have no row pointers
/// and unroll. **Within a row the nearest neighbour comes last**: of all terms of a Gauss–Seidel
/// row only that one waits for the row before, so the others of the next row already run. Couplings
/// to points of other ranks are few and lie apart, as a list by row.
///
/// Source of the problem: Heroux, Dongarra, Luszczek, "HPCG Technical Specification",
/// SAND2013-8752, 2013.
struct GridMatrix {
    /// Couplings of one kind that a row has at most.
    static let width = 13

    /// The points of this rank, along x, y and z, within the whole grid.
    let block: [Range<Int>]
    /// Rows of this rank.
    let rows: Int
    let lowerValues: NumericBuffer<Double>
    let lowerColumns: NumericBuffer<UInt32>
    let upperValues: NumericBuffer<Double>
    let upperColumns: NumericBuffer<UInt32>
    let diagonal: NumericBuffer<Double>
    let inverseDiagonal: NumericBuffer<Double>
    /// Couplings to other ranks: row, column beyond `rows`, value.
    let outerRows: NumericBuffer<UInt32>
    let outerColumns: NumericBuffer<UInt32>
    let outerValues: NumericBuffer<Double>
    /// Nonzeros below and above the diagonal inside the block.
    let innerCouplings: Int
    /// `b` of `A x = b`, whose solution is x = 1 everywhere.
    let rightSide: NumericBuffer<Double>

    /// Nonzeros of the whole matrix: along each axis a point has itself and two neighbours, the two
    /// ends one less.
    static func nonzeros(of shape: [Int]) -> Int {
        shape.reduce(1) { $0 * (3 * $1 - 2) }
    }

    /// Builds the rows of one rank.
    ///
    /// - Parameter outerIndex: Where the value of a grid point of another rank is received.
    init(shape: [Int], block: [Range<Int>], outerIndex: (_ x: Int, _ y: Int, _ z: Int) -> Int) {
        let width = Self.width
        let count = block.reduce(1) { $0 * $1.count }
        self.block = block
        rows = count
        lowerValues = NumericBuffer(count: count * width, filledWith: 0)
        lowerColumns = NumericBuffer(count: count * width, filledWith: 0)
        upperValues = NumericBuffer(count: count * width, filledWith: 0)
        upperColumns = NumericBuffer(count: count * width, filledWith: 0)
        diagonal = NumericBuffer(count: count, filledWith: 26)
        inverseDiagonal = NumericBuffer(count: count, filledWith: 1 / 26.0)
        rightSide = NumericBuffer(count: count, filledWith: 0)
        var outer: [(row: UInt32, column: UInt32)] = []
        var couplings = 0
        var row = 0
        for z in block[2] {
            for y in block[1] {
                for x in block[0] {
                    var places = (lower: width * (row + 1), upper: width * (row + 1))
                    var neighbours = 0
                    // From the nearest, which takes the last place of the row, outwards.
                    for place in Self.outwards {
                        let (dx, dy, dz) = (place % 3 - 1, place / 3 % 3 - 1, place / 9 - 1)
                        let (nx, ny, nz) = (x + dx, y + dy, z + dz)
                        guard nx >= 0, nx < shape[0], ny >= 0, ny < shape[1], nz >= 0, nz < shape[2]
                        else { continue }
                        neighbours += 1
                        guard
                            block[0].contains(nx) && block[1].contains(ny) && block[2].contains(nz)
                        else {
                            outer.append((UInt32(row), UInt32(outerIndex(nx, ny, nz))))
                            continue
                        }
                        couplings += 1
                        let column = UInt32(row + dx + block[0].count * (dy + block[1].count * dz))
                        if place < 13 {
                            places.lower -= 1
                            lowerValues[places.lower] = -1
                            lowerColumns[places.lower] = column
                        } else {
                            places.upper -= 1
                            upperValues[places.upper] = -1
                            upperColumns[places.upper] = column
                        }
                    }
                    for pad in (width * row)..<places.lower { lowerColumns[pad] = UInt32(row) }
                    for pad in (width * row)..<places.upper { upperColumns[pad] = UInt32(row) }
                    rightSide[row] = 26 - Double(neighbours)
                    row += 1
                }
            }
        }
        innerCouplings = couplings
        outerRows = NumericBuffer(count: outer.count, filledWith: 0)
        outerColumns = NumericBuffer(count: outer.count, filledWith: 0)
        outerValues = NumericBuffer(count: outer.count, filledWith: -1)
        for (place, coupling) in outer.enumerated() {
            outerRows[place] = coupling.row
            outerColumns[place] = coupling.column
        }
    }

    /// The 26 neighbours among 27 places in storage order, nearest to the middle first.
    private static let outwards = (1...13).flatMap { [13 - $0, 13 + $0] }
}

// MARK: - Products and sweeps

extension GridMatrix {
    /// `result = A x` inside the block; the couplings to other ranks are still missing.
    func multiplyInner(_ x: NumericBuffer<Double>, into result: NumericBuffer<Double>) {
        multiplyRows(
            rows,
            lowerValues.pointer,
            lowerColumns.pointer,
            upperValues.pointer,
            upperColumns.pointer,
            diagonal.pointer,
            x.pointer,
            result.pointer
        )
    }

    /// Adds what `multiplyInner` left out; `x` must hold the values of other ranks by now.
    func addOuter(_ x: NumericBuffer<Double>, to result: NumericBuffer<Double>) {
        for place in 0..<outerRows.count {
            result[Int(outerRows[place])] += outerValues[place] * x[Int(outerColumns[place])]
        }
    }

    /// One symmetric Gauss–Seidel sweep on the block from a zero guess, `z = M⁻¹ r`.
    ///
    /// With zero as first guess, forward and backward sweep are the factors of
    /// `M = (D + L) D⁻¹ (D + U)`: each needs only its own triangle, half of what sweeps over whole
    /// rows read, for the same `z`.
    ///
    /// - Returns: `r · z`.
    func symmetricSweep(_ r: NumericBuffer<Double>, into z: NumericBuffer<Double>) -> Double {
        sweepForward(
            rows,
            lowerValues.pointer,
            lowerColumns.pointer,
            inverseDiagonal.pointer,
            r.pointer,
            z.pointer
        )
        return sweepBackward(
            rows,
            upperValues.pointer,
            upperColumns.pointer,
            inverseDiagonal.pointer,
            r.pointer,
            z.pointer
        )
    }
}

/// The sum over the first 12 couplings of a row; three chains of additions hide their latency.
@inline(__always)
func twelve(
    _ values: UnsafePointer<Double>,
    _ columns: UnsafePointer<UInt32>,
    _ x: UnsafePointer<Double>
) -> Double {
    var s0 = values[0] * x[Int(columns[0])]
    var s1 = values[1] * x[Int(columns[1])]
    var s2 = values[2] * x[Int(columns[2])]
    s0 += values[3] * x[Int(columns[3])]
    s1 += values[4] * x[Int(columns[4])]
    s2 += values[5] * x[Int(columns[5])]
    s0 += values[6] * x[Int(columns[6])]
    s1 += values[7] * x[Int(columns[7])]
    s2 += values[8] * x[Int(columns[8])]
    s0 += values[9] * x[Int(columns[9])]
    s1 += values[10] * x[Int(columns[10])]
    s2 += values[11] * x[Int(columns[11])]
    return s0 + s1 + s2
}

private func multiplyRows(
    _ rows: Int,
    _ lowerValues: UnsafePointer<Double>,
    _ lowerColumns: UnsafePointer<UInt32>,
    _ upperValues: UnsafePointer<Double>,
    _ upperColumns: UnsafePointer<UInt32>,
    _ diagonal: UnsafePointer<Double>,
    _ x: UnsafePointer<Double>,
    _ result: UnsafeMutablePointer<Double>
) {
    for row in 0..<rows {
        let start = row &* GridMatrix.width
        let lower = twelve(lowerValues + start, lowerColumns + start, x)
        let upper = twelve(upperValues + start, upperColumns + start, x)
        let last = start &+ 12
        result[row] =
            (lower + lowerValues[last] * x[Int(lowerColumns[last])])
            + (upper + upperValues[last] * x[Int(upperColumns[last])])
            + diagonal[row] * x[row]
    }
}

private func sweepForward(
    _ rows: Int,
    _ values: UnsafePointer<Double>,
    _ columns: UnsafePointer<UInt32>,
    _ inverseDiagonal: UnsafePointer<Double>,
    _ r: UnsafePointer<Double>,
    _ z: UnsafeMutablePointer<Double>
) {
    for row in 0..<rows {
        let start = row &* GridMatrix.width
        let early = r[row] - twelve(values + start, columns + start, z)
        let last = start &+ 12
        z[row] = (early - values[last] * z[Int(columns[last])]) * inverseDiagonal[row]
    }
}

private func sweepBackward(
    _ rows: Int,
    _ values: UnsafePointer<Double>,
    _ columns: UnsafePointer<UInt32>,
    _ inverseDiagonal: UnsafePointer<Double>,
    _ r: UnsafePointer<Double>,
    _ z: UnsafeMutablePointer<Double>
) -> Double {
    var product = 0.0
    var row = rows
    while row > 0 {
        row &-= 1
        let start = row &* GridMatrix.width
        let early = twelve(values + start, columns + start, z)
        let last = start &+ 12
        let sum = early + values[last] * z[Int(columns[last])]
        let value = z[row] - sum * inverseDiagonal[row]
        z[row] = value
        product += r[row] * value
    }
    return product
}
