/// What the transformer kernels work on: their sizes, inputs and plain twin.
struct TransformerTask: Hashable, Sendable {
    /// Sequences of the whole problem.
    let sequences: Int
    let block: TransformerShape
    /// The repetition whose inputs and targets these are.
    var number = 0

    /// - Throws: `KernelFailure`, when the sequences do not reach for all ranks.
    init(_ shape: [Int], ranks: Int) throws(KernelFailure) {
        guard shape[0] >= ranks else {
            throw .tooManyRanks(ranks, shape: shape, why: "fewer sequences than ranks")
        }
        guard shape[1] <= 1 << 15, shape[2] <= 1 << 14 else {
            throw .beyondLimit(shape: shape, limit: "at most 32768 tokens and a width of 16384")
        }
        sequences = shape[0]
        let heads = shape[2] % 64 == 0 ? shape[2] / 64 : 1
        block = TransformerShape(tokens: shape[1], width: shape[2], heads: heads)
    }

    /// Sequences, tokens of each, width.
    var shape: [Int] { [sequences, block.tokens, block.width] }

    /// Bytes of all ranks: parameters, gradients, and what a pass keeps; inputs and outputs.
    static func memory(_ shape: [Int], ranks: Int) -> Double {
        let (b, t, d) = (Double(shape[0]), Double(shape[1]), Double(shape[2]))
        let heads = max(1, d / 64)
        let pass = 96 * d * d + 4 * (22 * t * d + (heads + 1) * t * t)
        return Double(ranks) * pass + 12 * b * t * d
    }

    /// The input of a sequence.
    func input(_ sequence: Int) -> [Float] {
        values(10, sequence)
    }

    /// What training wants as output of a sequence.
    func target(_ sequence: Int) -> [Float] {
        values(11, sequence)
    }

    private func values(_ which: UInt64, _ sequence: Int) -> [Float] {
        (0..<(block.tokens * block.width)).map { value(which, sequence, $0) }
    }

    private func value(_ which: UInt64, _ sequence: Int, _ place: Int) -> Float {
        Float(2 * HashedMatrix.entry(HashedMatrix.variant(which, number), sequence, place))
    }
}

// MARK: - The twin

extension TransformerTask {
    /// The block's output for one token of a sequence with the parameters of the start, in double
    /// precision and by plain loops: 24 d² + 4 t d flop a head for the token after t others.
    func twin(_ sequence: Int, token: Int) -> [Double] {
        let d = block.width
        let row = row(sequence, token)
        let mixed = attend(sequence, token, multiply(Self.normalised(row), 0, d, d))
        let middle = sum(multiply(mixed, 3, d, d), row)
        let inner = multiply(Self.normalised(middle), 4, d, 4 * d)
        let active = inner.map { $0 / (1 + exponential(-1.702 * $0)) }
        return sum(multiply(active, 5, 4 * d, d), middle)
    }

    private func row(_ sequence: Int, _ token: Int) -> [Double] {
        (0..<block.width).map { Double(value(10, sequence, token * block.width + $0)) }
    }

    private static func normalised(_ row: [Double]) -> [Double] {
        let mean = row.reduce(0, +) / Double(row.count)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
        return row.map { ($0 - mean) / (variance + 1e-5).squareRoot() }
    }

    private func weight(_ number: Int, _ i: Int, _ j: Int, columns: Int) -> Double {
        Double(
            TransformerBlock.start(TransformerBlock.offset(number, block) + i * columns + j, block)
        )
    }

    private func multiply(_ row: [Double], _ number: Int, _ from: Int, _ to: Int) -> [Double] {
        var result = [Double](repeating: 0, count: to)
        for i in 0..<from {
            for j in 0..<to { result[j] += row[i] * weight(number, i, j, columns: to) }
        }
        return result
    }

    /// What a token with this query gets from itself and all before it.
    ///
    /// No key or value is made: with the normalised rows n, the score of a row is n·(K q), and the
    /// mean of the values is (mean of n) V, head by head.
    private func attend(_ sequence: Int, _ token: Int, _ query: [Double]) -> [Double] {
        let (d, heads, width) = (block.width, block.heads, block.headWidth)
        var wanted = [Double](repeating: 0, count: heads * d)
        for i in 0..<d {
            for j in 0..<d {
                wanted[j / width * d + i] += weight(1, i, j, columns: d) * query[j]
            }
        }
        var total = [Double](repeating: 0, count: heads)
        var mean = [Double](repeating: 0, count: heads * d)
        for other in 0...token {
            let normal = Self.normalised(row(sequence, other))
            for head in 0..<heads {
                var score = 0.0
                for i in 0..<d { score += normal[i] * wanted[head * d + i] }
                let share = exponential(score / Double(width).squareRoot())
                total[head] += share
                for i in 0..<d { mean[head * d + i] += share * normal[i] }
            }
        }
        var result = [Double](repeating: 0, count: d)
        for i in 0..<d {
            for j in 0..<d {
                result[j] += mean[j / width * d + i] * weight(2, i, j, columns: d)
            }
        }
        for j in 0..<d { result[j] /= total[j / width] }
        return result
    }

    private func sum(_ one: [Double], _ two: [Double]) -> [Double] {
        zip(one, two).map { $0 + $1 }
    }
}
