/// Gauss–Seidel sweeps over some rows of a block, and products of single rows.
extension GridMatrix {
    /// `result = A x` in `rows` inside the block.
    func multiplyInner(
        _ x: NumericBuffer<Double>,
        into result: NumericBuffer<Double>,
        rows: Range<Int>
    ) {
        let (x, result) = (UnsafePointer(x.pointer), result.pointer)
        for row in rows { result[row] = product(ofRow: row, x) }
    }

    /// Row `row` of A times x, inside the block.
    @inline(__always)
    func product(ofRow row: Int, _ x: UnsafePointer<Double>) -> Double {
        thirteen(lowerValues.pointer, lowerColumns.pointer, row, x)
            + thirteen(upperValues.pointer, upperColumns.pointer, row, x)
            + diagonal.pointer[row] * x[row]
    }

    /// The first sweep from z = 0: `z = (D + L)⁻¹ r`.
    func forwardFromZero(_ rows: Range<Int>, _ r: NumericBuffer<Double>, _ z: NumericBuffer<Double>)
    {
        let (values, columns, inverse) = (
            lowerValues.pointer, lowerColumns.pointer, inverseDiagonal.pointer
        )
        let (r, z) = (r.pointer, z.pointer)
        for row in rows {
            let start = row &* Self.width
            let early = r[row] - twelve(values + start, columns + start, z)
            let last = start &+ 12
            z[row] = (early - values[last] * z[Int(columns[last])]) * inverse[row]
        }
    }

    /// The second, after the first from zero, which has left `D z` of what lies below.
    func backwardFromZero(_ rows: Range<Int>, _ z: NumericBuffer<Double>) {
        let (values, columns, inverse) = (
            upperValues.pointer, upperColumns.pointer, inverseDiagonal.pointer
        )
        let z = z.pointer
        var row = rows.upperBound
        while row > rows.lowerBound {
            row &-= 1
            let start = row &* Self.width
            let early = twelve(values + start, columns + start, z)
            let last = start &+ 12
            z[row] -= (early + values[last] * z[Int(columns[last])]) * inverse[row]
        }
    }

    /// The first sweep from any z; `rest` keeps `r − L z` for the second.
    func forward(
        _ rows: Range<Int>,
        _ r: NumericBuffer<Double>,
        _ z: NumericBuffer<Double>,
        _ rest: NumericBuffer<Double>
    ) {
        let (values, columns, inverse) = (
            lowerValues.pointer, lowerColumns.pointer, inverseDiagonal.pointer
        )
        let (upper, upperColumns) = (upperValues.pointer, upperColumns.pointer)
        let (r, z, rest) = (r.pointer, z.pointer, rest.pointer)
        for row in rows {
            let start = row &* Self.width
            let above = thirteen(upper, upperColumns, row, z)
            let early = r[row] - twelve(values + start, columns + start, z)
            let last = start &+ 12
            let left = early - values[last] * z[Int(columns[last])]
            rest[row] = left
            z[row] = (left - above) * inverse[row]
        }
    }

    /// The second: `z = (D + U)⁻¹ rest`.
    func backward(_ rows: Range<Int>, _ rest: NumericBuffer<Double>, _ z: NumericBuffer<Double>) {
        let (values, columns, inverse) = (
            upperValues.pointer, upperColumns.pointer, inverseDiagonal.pointer
        )
        let (rest, z) = (rest.pointer, z.pointer)
        var row = rows.upperBound
        while row > rows.lowerBound {
            row &-= 1
            let start = row &* Self.width
            let early = rest[row] - twelve(values + start, columns + start, z)
            let last = start &+ 12
            z[row] = (early - values[last] * z[Int(columns[last])]) * inverse[row]
        }
    }
}

@inline(__always)
private func thirteen(
    _ values: UnsafePointer<Double>,
    _ columns: UnsafePointer<UInt32>,
    _ row: Int,
    _ x: UnsafePointer<Double>
) -> Double {
    let start = row &* GridMatrix.width
    let last = start &+ 12
    return twelve(values + start, columns + start, x) + values[last] * x[Int(columns[last])]
}
