/// What the transformer kernels work on: their sizes, inputs and plain twin.
struct TransformerTask: Hashable, Sendable {
    /// Sequences of the whole problem.
    let sequences: Int
    let block: TransformerShape

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
        (0..<(block.tokens * block.width)).map {
            Float(2 * HashedMatrix.entry(which, sequence, $0))
        }
    }

    /// The outputs of the first `tokens` tokens of a sequence with the parameters of the start, in
    /// double precision and by plain loops. Attention looks back only, so later ones do not matter.
    func twin(_ sequence: Int, tokens: Int) -> [[Double]] {
        let d = block.width
        let input = input(sequence)
        let rows = (0..<tokens).map { token in
            (0..<d).map { Double(input[token * d + $0]) }
        }
        let normal = rows.map(Self.normalised)
        let (q, k, v) = (
            multiply(normal, 0, d, d), multiply(normal, 1, d, d), multiply(normal, 2, d, d)
        )
        let mixed = (0..<tokens).map { token in attend(token, q, k, v) }
        let middle = sum(multiply(mixed, 3, d, d), rows)
        let inner = multiply(middle.map(Self.normalised), 4, d, 4 * d)
        let active = inner.map { $0.map { $0 / (1 + exponential(-1.702 * $0)) } }
        return sum(multiply(active, 5, 4 * d, d), middle)
    }

    private static func normalised(_ row: [Double]) -> [Double] {
        let mean = row.reduce(0, +) / Double(row.count)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
        return row.map { ($0 - mean) / (variance + 1e-5).squareRoot() }
    }

    private func multiply(
        _ rows: [[Double]],
        _ number: Int,
        _ from: Int,
        _ to: Int
    ) -> [[Double]] {
        let offset = TransformerBlock.offset(number, block)
        var result = rows.map { _ in [Double](repeating: 0, count: to) }
        for i in 0..<from {
            for j in 0..<to {
                let weight = Double(TransformerBlock.start(offset + i * to + j, block))
                for token in rows.indices { result[token][j] += rows[token][i] * weight }
            }
        }
        return result
    }

    private func attend(
        _ token: Int,
        _ q: [[Double]],
        _ k: [[Double]],
        _ v: [[Double]]
    ) -> [Double] {
        let width = block.headWidth
        var result = [Double](repeating: 0, count: block.width)
        for head in 0..<block.heads {
            let range = (head * width)..<((head + 1) * width)
            let weights = (0...token).map { other in
                let product = range.reduce(0.0) { $0 + q[token][$1] * k[other][$1] }
                return exponential(product / Double(width).squareRoot())
            }
            let total = weights.reduce(0, +)
            for (other, weight) in weights.enumerated() {
                for index in range { result[index] += weight / total * v[other][index] }
            }
        }
        return result
    }

    private func sum(_ one: [[Double]], _ two: [[Double]]) -> [[Double]] {
        zip(one, two).map { zip($0, $1).map { $0 + $1 } }
    }
}
