internal import COpenBLAS
internal import Glibc

/// The extents of a transformer block's input.
struct TransformerShape: Hashable, Sendable {
    /// Tokens of a sequence.
    var tokens: Int
    /// Numbers a token.
    var width: Int
    /// Attention heads.
    var heads: Int

    var headWidth: Int { width / heads }
    var hidden: Int { 4 * width }

    /// Parameters: four projections of the attention and two layers behind it.
    var parameterCount: Int { 12 * width * width }

}

/// One block of a decoder: causal attention with several heads and a two-layer network, each behind
/// a normalisation and with a residual connection, in single precision over OpenBLAS.
///
/// Matrices are row-major, a token a row. What the backward pass needs is kept from the forward one.
final class TransformerBlock {
    let shape: TransformerShape
    /// Query, key, value and output projection, then the two layers.
    let parameters: NumericBuffer<Float>
    /// The derivative of the loss by each parameter, summed over the sequences since `clear`.
    let gradients: NumericBuffer<Float>

    private let normal1: NumericBuffer<Float>
    private let scale1: NumericBuffer<Float>
    private let qkv: [NumericBuffer<Float>]
    private let weights: NumericBuffer<Float>
    private let mixed: NumericBuffer<Float>
    private let middle: NumericBuffer<Float>
    private let normal2: NumericBuffer<Float>
    private let scale2: NumericBuffer<Float>
    private let inner: NumericBuffer<Float>
    private let active: NumericBuffer<Float>
    private let spare: [NumericBuffer<Float>]
    /// What the products are checked by; nil while they are timed.
    var check: ProductCheck?

    init(_ shape: TransformerShape) {
        let (t, d) = (shape.tokens, shape.width)
        self.shape = shape
        parameters = NumericBuffer(count: shape.parameterCount, filledWith: 0)
        gradients = NumericBuffer(count: shape.parameterCount, filledWith: 0)
        normal1 = NumericBuffer(count: t * d, filledWith: 0)
        scale1 = NumericBuffer(count: t, filledWith: 0)
        qkv = (0..<3).map { _ in NumericBuffer(count: t * d, filledWith: 0) }
        weights = NumericBuffer(count: shape.heads * t * t, filledWith: 0)
        mixed = NumericBuffer(count: t * d, filledWith: 0)
        middle = NumericBuffer(count: t * d, filledWith: 0)
        normal2 = NumericBuffer(count: t * d, filledWith: 0)
        scale2 = NumericBuffer(count: t, filledWith: 0)
        inner = NumericBuffer(count: t * shape.hidden, filledWith: 0)
        active = NumericBuffer(count: t * shape.hidden, filledWith: 0)
        spare = [t * shape.hidden, t * d, t * d, t * d, t * t]
            .map { NumericBuffer(count: $0, filledWith: 0) }
        reset()
    }

    /// Puts the parameters of the start back.
    func reset() {
        for index in 0..<shape.parameterCount { parameters[index] = Self.start(index, shape) }
    }

    /// The parameters at the start: uniform, with the variance 1/d that keeps sizes.
    static func start(_ index: Int, _ shape: TransformerShape) -> Float {
        Float(HashedMatrix.entry(9, index, 0) * (12 / Double(shape.width)).squareRoot())
    }

    /// Where matrix `number` of the parameters begins: four of d×d, then d×4d and 4d×d.
    static func offset(_ number: Int, _ shape: TransformerShape) -> Int {
        let square = shape.width * shape.width
        return number < 5 ? number * square : 8 * square
    }

    /// Where matrix `number` lies among the parameters.
    func range(_ number: Int) -> Range<Int> {
        let end =
            number == 5 ? shape.parameterCount : TransformerBlock.offset(number + 1, shape)
        return Self.offset(number, shape)..<end
    }

    private func parameter(_ number: Int) -> UnsafeMutablePointer<Float> {
        parameters.pointer + Self.offset(number, shape)
    }

    private func gradient(_ number: Int) -> UnsafeMutablePointer<Float> {
        gradients.pointer + Self.offset(number, shape)
    }
}

// MARK: - Forward

extension TransformerBlock {
    /// Computes the block's output for the sequence at `input`.
    func forward(_ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>) {
        let (t, d, f) = (shape.tokens, shape.width, shape.hidden)
        normalise(input, normal1.pointer, scale1.pointer)
        for (number, target) in qkv.enumerated() {
            product(t, d, d, normal1.pointer, parameter(number), target.pointer)
        }
        for head in 0..<shape.heads { attend(head) }
        product(t, d, d, mixed.pointer, parameter(3), middle.pointer)
        for index in 0..<(t * d) { middle.pointer[index] += input[index] }
        normalise(middle.pointer, normal2.pointer, scale2.pointer)
        product(t, f, d, normal2.pointer, parameter(4), inner.pointer)
        for index in 0..<(t * f) { active.pointer[index] = gelu(inner.pointer[index]) }
        product(t, d, f, active.pointer, parameter(5), output)
        for index in 0..<(t * d) { output[index] += middle.pointer[index] }
    }

    /// Each row less its mean, over its standard deviation; `scales` gets one over that.
    private func normalise(
        _ rows: UnsafePointer<Float>,
        _ result: UnsafeMutablePointer<Float>,
        _ scales: UnsafeMutablePointer<Float>
    ) {
        let d = shape.width
        for token in 0..<shape.tokens {
            let row = rows + token * d
            var (sum, squares) = (Float(0), Float(0))
            for index in 0..<d { sum += row[index] }
            let mean = sum / Float(d)
            for index in 0..<d { squares += (row[index] - mean) * (row[index] - mean) }
            let scale = 1 / (squares / Float(d) + 1e-5).squareRoot()
            scales[token] = scale
            for index in 0..<d { result[token * d + index] = (row[index] - mean) * scale }
        }
    }

    /// Attention of one head: each token looks at itself and those before it.
    private func attend(_ head: Int) {
        let (t, d, w) = (shape.tokens, shape.width, shape.headWidth)
        let scores = weights.pointer + head * t * t
        let (q, k, v) = (
            qkv[0].pointer + head * w, qkv[1].pointer + head * w, qkv[2].pointer + head * w
        )
        sgemm(.no, .yes, t, t, w, 1 / Float(w).squareRoot(), q, d, k, d, 0, scores, t)
        for token in 0..<t {
            let row = scores + token * t
            var highest = row[0]
            for other in 0...token { highest = max(highest, row[other]) }
            var sum = Float(0)
            for other in 0...token {
                row[other] = expf(row[other] - highest)
                sum += row[other]
            }
            for other in 0...token { row[other] /= sum }
            for other in (token + 1)..<max(t, token + 1) { row[other] = 0 }
        }
        sgemm(.no, .no, t, w, t, 1, scores, t, v, d, 0, mixed.pointer + head * w, d)
    }
}

// MARK: - Backward

extension TransformerBlock {
    /// Forgets the gradients.
    func clear() {
        gradients.pointer.update(repeating: 0, count: gradients.count)
    }

    /// Adds the gradients of the last forward pass, given the loss's derivative by its output.
    ///
    /// The derivative by the block's input is not needed here and not computed.
    ///
    /// - Parameter isDone: Called with the range of each parameter matrix whose gradient is done.
    func backward<Failure: Error>(
        _ slope: UnsafePointer<Float>,
        isDone: (Range<Int>) throws(Failure) -> Void
    ) throws(Failure) {
        let (t, d, f) = (shape.tokens, shape.width, shape.hidden)
        let slopeOfInner = spare[0].pointer
        let (slopeOfMiddle, slopeOfMixed) = (spare[1].pointer, spare[2].pointer)
        // The two layers.
        sgemm(.yes, .no, f, d, t, 1, active.pointer, f, slope, d, 1, gradient(5), d)
        try isDone(range(5))
        sgemm(.no, .yes, t, f, d, 1, slope, d, parameter(5), d, 0, slopeOfInner, f)
        for index in 0..<(t * f) { slopeOfInner[index] *= geluSlope(inner.pointer[index]) }
        sgemm(.yes, .no, d, f, t, 1, normal2.pointer, d, slopeOfInner, f, 1, gradient(4), f)
        try isDone(range(4))
        sgemm(.no, .yes, t, d, f, 1, slopeOfInner, f, parameter(4), f, 0, slopeOfMiddle, d)
        denormalise(slopeOfMiddle, normal2.pointer, scale2.pointer)
        for index in 0..<(t * d) { slopeOfMiddle[index] += slope[index] }
        // The attention.
        sgemm(.yes, .no, d, d, t, 1, mixed.pointer, d, slopeOfMiddle, d, 1, gradient(3), d)
        try isDone(range(3))
        sgemm(.no, .yes, t, d, d, 1, slopeOfMiddle, d, parameter(3), d, 0, slopeOfMixed, d)
        // The slope of the middle is not needed any more; its memory takes those of q, k and v.
        for number in 0..<3 {
            let slopeOfProjection = spare[number == 0 ? 1 : 3].pointer
            for head in 0..<shape.heads {
                attendBackward(head, number, slopeOfMixed, slopeOfProjection)
            }
            sgemm(
                .yes,
                .no,
                d,
                d,
                t,
                1,
                normal1.pointer,
                d,
                slopeOfProjection,
                d,
                1,
                gradient(number),
                d
            )
            try isDone(range(number))
        }
    }

    /// From slopes by the normalised rows to slopes by the rows themselves, in place.
    private func denormalise(
        _ slopes: UnsafeMutablePointer<Float>,
        _ normal: UnsafePointer<Float>,
        _ scales: UnsafePointer<Float>
    ) {
        let d = shape.width
        for token in 0..<shape.tokens {
            let (slope, row) = (slopes + token * d, normal + token * d)
            var (sum, product) = (Float(0), Float(0))
            for index in 0..<d {
                sum += slope[index]
                product += slope[index] * row[index]
            }
            let (mean, tilt) = (sum / Float(d), product / Float(d))
            for index in 0..<d {
                slope[index] = scales[token] * (slope[index] - mean - row[index] * tilt)
            }
        }
    }

    /// The slope by one head's query (0), key (1) or value (2).
    private func attendBackward(
        _ head: Int,
        _ number: Int,
        _ slopeOfMixed: UnsafePointer<Float>,
        _ result: UnsafeMutablePointer<Float>
    ) {
        let (t, d, w) = (shape.tokens, shape.width, shape.headWidth)
        let scores = weights.pointer + head * t * t
        let slope = slopeOfMixed + head * w
        let target = result + head * w
        if number == 2 {
            sgemm(.yes, .no, t, w, t, 1, scores, t, slope, d, 0, target, d)
            return
        }
        let slopeOfScores = spare[4].pointer
        sgemm(.no, .yes, t, t, w, 1, slope, d, qkv[2].pointer + head * w, d, 0, slopeOfScores, t)
        for token in 0..<t {
            let (row, weight) = (slopeOfScores + token * t, scores + token * t)
            var sum = Float(0)
            for other in 0...token { sum += row[other] * weight[other] }
            for other in 0..<t { row[other] = weight[other] * (row[other] - sum) }
        }
        let factor = 1 / Float(w).squareRoot()
        let other = qkv[1 - number].pointer + head * w
        sgemm(
            number == 0 ? .no : .yes,
            .no,
            t,
            w,
            t,
            factor,
            slopeOfScores,
            t,
            other,
            d,
            0,
            target,
            d
        )
    }
}

// MARK: - Pieces

extension TransformerBlock {
    /// Row-major C = A B, m×k by k×n.
    private func product(
        _ m: Int,
        _ n: Int,
        _ k: Int,
        _ a: UnsafePointer<Float>,
        _ b: UnsafePointer<Float>,
        _ c: UnsafeMutablePointer<Float>
    ) {
        sgemm(.no, .no, m, n, k, 1, a, k, b, n, 0, c, n)
    }

    private func sgemm(
        _ transposedA: Transposed,
        _ transposedB: Transposed,
        _ m: Int,
        _ n: Int,
        _ k: Int,
        _ alpha: Float,
        _ a: UnsafePointer<Float>,
        _ lda: Int,
        _ b: UnsafePointer<Float>,
        _ ldb: Int,
        _ beta: Float,
        _ c: UnsafeMutablePointer<Float>,
        _ ldc: Int
    ) {
        check?.begin(c, m, n, ldc, beta)
        cblas_sgemm(
            CblasRowMajor,
            transposedA.flag,
            transposedB.flag,
            Int32(m),
            Int32(n),
            Int32(k),
            alpha,
            a,
            Int32(lda),
            b,
            Int32(ldb),
            beta,
            c,
            Int32(ldc)
        )
        check?.end(
            ProductCheck.Factor(a, m, k, lda, isTransposed: transposedA == .yes),
            ProductCheck.Factor(b, k, n, ldb, isTransposed: transposedB == .yes),
            alpha,
            c,
            ldc
        )
    }
}

private enum Transposed {
    case yes
    case no

    var flag: CBLAS_TRANSPOSE { self == .yes ? CblasTrans : CblasNoTrans }
}

/// x·σ(1.702 x), the sigmoid form of the Gaussian error linear unit (Hendrycks, Gimpel 2016).
private func gelu(_ x: Float) -> Float {
    x / (1 + expf(-1.702 * x))
}

private func geluSlope(_ x: Float) -> Float {
    let sigmoid = 1 / (1 + expf(-1.702 * x))
    return sigmoid * (1 + 1.702 * x * (1 - sigmoid))
}
