/// Freivalds' test of single-precision products C = α A B + β C, in double precision.
///
/// For a vector x of ones of either sign, C x must be α A (B x) + β C₀ x. Rounding lets row i differ
/// by about ε |aᵢ|₂ |B|_F; 16 times that is allowed. So an element of C is noticed that is off by more,
/// and a whole product that is off by 16 ε √k of its own size.
///
/// Source: Freivalds, "Fast probabilistic algorithms", MFCS 1979.
struct ProductCheck {
    /// One factor as the product sees it.
    struct Factor {
        let memory: UnsafePointer<Float>
        let rows: Int
        let columns: Int
        let stride: Int
        let isTransposed: Bool

        init(
            _ memory: UnsafePointer<Float>,
            _ rows: Int,
            _ columns: Int,
            _ stride: Int,
            isTransposed: Bool
        ) {
            self.memory = memory
            self.rows = rows
            self.columns = columns
            self.stride = stride
            self.isTransposed = isTransposed
        }

        /// The product with a vector, and the square of each row's length.
        func times(_ x: [Double]) -> (product: [Double], squares: [Double]) {
            var product = [Double](repeating: 0, count: rows)
            var squares = product
            // Along the rows of memory, whichever way they lie.
            for outer in 0..<(isTransposed ? columns : rows) {
                let line = memory + outer * stride
                if isTransposed {
                    for inner in 0..<rows {
                        let value = Double(line[inner])
                        product[inner] += value * x[outer]
                        squares[inner] += value * value
                    }
                } else {
                    var (sum, square) = (0.0, 0.0)
                    for inner in 0..<columns {
                        let value = Double(line[inner])
                        sum += value * x[inner]
                        square += value * value
                    }
                    product[outer] = sum
                    squares[outer] = square
                }
            }
            return (product, squares)
        }
    }

    private var signs: [Double] = []
    private var before: [Double] = []
    private var sizeBefore = 0.0
    private var worst = WorstError()

    /// The worst row of all products so far, as a part of what is allowed: right when at most 1.
    var departure: Double { worst.value }

    /// Looks at C before the product.
    mutating func begin(
        _ c: UnsafePointer<Float>,
        _ m: Int,
        _ n: Int,
        _ ldc: Int,
        _ beta: Float
    ) {
        signs = (0..<n).map { HashedMatrix.entry(16, $0, n) < 0 ? -1 : 1 }
        before = [Double](repeating: 0, count: m)
        sizeBefore = 0
        guard beta != 0 else { return }
        let (product, squares) = Factor(c, m, n, ldc, isTransposed: false).times(signs)
        before = product.map { Double(beta) * $0 }
        sizeBefore = Double(beta) * (squares.max() ?? 0).squareRoot()
    }

    /// Judges C after it.
    mutating func end(
        _ a: Factor,
        _ b: Factor,
        _ alpha: Float,
        _ c: UnsafePointer<Float>,
        _ ldc: Int
    ) {
        let (bx, squaresOfB) = b.times(signs)
        let (abx, squaresOfA) = a.times(bx)
        let (cx, _) = Factor(c, a.rows, b.columns, ldc, isTransposed: false).times(signs)
        let sizeOfB = squaresOfB.reduce(0, +).squareRoot()
        for row in 0..<a.rows {
            let right = before[row] + Double(alpha) * abx[row]
            let size = Double(abs(alpha)) * squaresOfA[row].squareRoot() * sizeOfB + sizeBefore
            let allowed = 16 * Double(Float.ulpOfOne) * size + Double(Float.leastNormalMagnitude)
            worst.add(abs(cx[row] - right) / allowed)
        }
    }
}
