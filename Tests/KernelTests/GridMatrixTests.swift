import Determinism
import Testing

@testable import ComputeKernels

/// The fast storage and sweeps against their plain twins: dense rows and textbook Gauss–Seidel.
@Suite("The 27-point matrix")
struct GridMatrixTests {
    static let shapes = [[1, 1, 1], [2, 1, 1], [3, 3, 3], [4, 3, 5], [1, 7, 2], [6, 6, 6]]

    @Test("A x is what the definition says", arguments: shapes)
    func multiplies(shape: [Int]) {
        let world = World(shape: shape, seed: 11)
        let result = NumericBuffer<Double>(count: world.rows, filledWith: 0)
        world.matrix.multiplyInner(world.vector, into: result)
        for row in 0..<world.rows {
            let expected = (0..<world.rows).reduce(0) { sum, column in
                sum + world.entry(row, column) * world.vector[column]
            }
            #expect(abs(result[row] - expected) <= 1e-12 * 52, "row \(row) of \(shape)")
        }
    }

    @Test("Two half sweeps are one whole symmetric Gauss–Seidel sweep", arguments: shapes)
    func sweeps(shape: [Int]) {
        let world = World(shape: shape, seed: 12)
        let z = NumericBuffer<Double>(count: world.rows, filledWith: 99)
        let product = world.matrix.symmetricSweep(world.vector, into: z)
        var plain = [Double](repeating: 0, count: world.rows)
        let order = Array(0..<world.rows)
        for row in order + order.reversed() {
            var sum = world.vector[row]
            for column in order where column != row {
                sum -= world.entry(row, column) * plain[column]
            }
            plain[row] = sum / 26
        }
        for row in order { #expect(abs(z[row] - plain[row]) <= 1e-14, "row \(row) of \(shape)") }
        let expected = order.reduce(0) { $0 + world.vector[$1] * plain[$1] }
        #expect(abs(product - expected) <= 1e-12)
    }

    @Test("Nonzeros and right-hand side follow their formulas", arguments: shapes)
    func counts(shape: [Int]) {
        let world = World(shape: shape, seed: 13)
        let nonzeros = GridMatrix.nonzeros(of: shape)
        #expect(world.matrix.innerCouplings + world.rows == nonzeros)
        for row in 0..<world.rows {
            let sum = (0..<world.rows).reduce(0) { $0 + world.entry(row, $1) }
            #expect(world.matrix.rightSide[row] == sum)
        }
    }

    /// A matrix on one rank, a vector to multiply, and the entries by their definition.
    private struct World {
        let shape: [Int]
        let matrix: GridMatrix
        let vector: NumericBuffer<Double>
        var rows: Int { matrix.rows }

        init(shape: [Int], seed: UInt64) {
            self.shape = shape
            matrix = GridMatrix(shape: shape, block: shape.map { 0..<$0 }) { _, _, _ in
                preconditionFailure("one block has no outer points")
            }
            vector = NumericBuffer(count: matrix.rows, filledWith: 0)
            var random = SplitMix64(seed: seed)
            for row in 0..<matrix.rows { vector[row] = Double(random.draw(-1000...1000)) / 1000 }
        }

        func entry(_ row: Int, _ column: Int) -> Double {
            if row == column { return 26 }
            let distances = [
                row % shape[0] - column % shape[0],
                row / shape[0] % shape[1] - column / shape[0] % shape[1],
                row / shape[0] / shape[1] - column / shape[0] / shape[1],
            ]
            return distances.allSatisfy { abs($0) <= 1 } ? -1 : 0
        }
    }
}
