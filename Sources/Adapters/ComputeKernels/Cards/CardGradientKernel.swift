internal import WireFormats

/// The sparse solve on a card: the same matrix, general and sparse, coupling by coupling instead of row by
/// row.
///
/// Its Gauss–Seidel sweeps take the points in eight colours, by the parity of each coordinate, since points
/// of one colour do not wait for one another: another order than the processor's, some more iterations,
/// the same solution and the same symmetry. Work is counted by the same formula.
final class CardGradientKernel: CardKernel {
    static let profile = ConjugateGradientKernel.profile

    let host: ConjugateGradientKernel
    private let session: CardSession
    private let shape: [Int]
    private let rows: Int
    private let matrix: [CardBuffer]
    private let diagonal: CardBuffer
    private let inverse: CardBuffer
    private let b: CardBuffer
    private let x: CardBuffer
    private let r: CardBuffer
    private let z: CardBuffer
    private let p: CardBuffer
    private let q: CardBuffer
    private let partial: CardBuffer
    private let sums: NumericBuffer<Double>

    init(_ setting: KernelSetting) throws(KernelFailure) {
        host = try ConjugateGradientKernel(setting)
        let session = try setting.session()
        self.session = session
        shape = setting.shape
        let sparse = host.matrix
        rows = sparse.rows
        guard rows <= Int(UInt32.max) else {
            throw .beyondLimit(shape: shape, limit: "at most 4294967295 points")
        }
        // Groups enough for any card; the host adds up what they leave.
        sums = NumericBuffer(
            count: min(1_024, (rows + session.group - 1) / session.group),
            filledWith: 0
        )
        matrix = [
            try Self.byCoupling(sparse.lowerValues, rows, session),
            try Self.byCoupling(sparse.lowerColumns, rows, session),
            try Self.byCoupling(sparse.upperValues, rows, session),
            try Self.byCoupling(sparse.upperColumns, rows, session),
        ]
        func copied(_ host: NumericBuffer<Double>) throws(KernelFailure) -> CardBuffer {
            let made = try session.buffer(like: host)
            try session.write(host, to: made)
            return made
        }
        diagonal = try copied(sparse.diagonal)
        inverse = try copied(sparse.inverseDiagonal)
        b = try copied(sparse.rightSide)
        x = try session.buffer(like: host.x)
        r = try session.buffer(like: host.x)
        z = try session.buffer(like: host.x)
        p = try session.buffer(like: host.x)
        q = try session.buffer(like: host.x)
        partial = try session.buffer(like: sums)
    }

    func prepare(_ number: Int) throws(KernelFailure) {
        host.prepare(number)
        // x is spoilt; so are the others by it.
        for vector in [x, r, z, p, q] { try session.write(host.x, to: vector) }
    }

    func repetition() throws(KernelFailure) -> Work {
        host.iterations = try solve()
        return host.workOfIteration.times(host.iterations)
    }

    func fetch() throws(KernelFailure) { try session.read(x, into: host.x) }

    /// The solution by the host's matrix, and the symmetry of the card's operators.
    func verify() throws(KernelFailure) -> Verdict {
        try host.verify(
            multiply: { v, result throws(KernelFailure) in
                try session.write(v, to: p)
                try multiply(p, into: q)
                try session.read(q, into: result)
            },
            precondition: { v, result throws(KernelFailure) in
                try session.write(v, to: r)
                result.spoil()
                try session.write(result, to: z)
                try precondition(r, into: z)
                try session.read(z, into: result)
            }
        )
    }

    // MARK: The solver

    private func solve() throws(KernelFailure) -> Int {
        try each("cg_start", [.buffer(b), .real(host.level), .buffer(x), .buffer(r), .buffer(p)])
        let start = try dot(r, r)
        var product = 1.0
        for iteration in 1...ConjugateGradientKernel.maximumIterations {
            let previous = product
            try precondition(r, into: z)
            product = try dot(r, z)
            let beta = iteration == 1 ? 0 : product / previous
            try each("cg_direction", [.buffer(z), .real(beta), .buffer(p)])
            try multiply(p, into: q)
            let alpha = product / (try dot(p, q))
            let norm = try summed(
                "cg_advance",
                [.real(alpha), .buffer(p), .buffer(q), .buffer(x), .buffer(r)]
            )
            let tolerance = ConjugateGradientKernel.tolerance
            if !(norm > tolerance * tolerance * start) { return iteration }
        }
        return ConjugateGradientKernel.maximumIterations
    }

    private func multiply(_ v: CardBuffer, into result: CardBuffer) throws(KernelFailure) {
        try each(
            "cg_multiply",
            matrix.map { .buffer($0) } + [.buffer(diagonal), .buffer(v), .buffer(result)]
        )
    }

    private func precondition(_ v: CardBuffer, into result: CardBuffer) throws(KernelFailure) {
        let halves = shape.map { ($0 + 1) / 2 }
        for (colour, isForward) in (0..<8).map({ ($0, 1) }) + (0..<8).reversed().map({ ($0, 0) }) {
            try session.start(
                "cg_sweep",
                over: halves,
                groups: [min(session.group, 64), 1, 1],
                matrix.map { .buffer($0) }
                    + [.buffer(inverse), .buffer(v), .buffer(result), .long(rows)]
                    + shape.map { .int($0) } + [.int(colour), .int(isForward)]
            )
        }
    }

    private func dot(_ u: CardBuffer, _ v: CardBuffer) throws(KernelFailure) -> Double {
        try summed("cg_dot", [.buffer(u), .buffer(v)])
    }

    /// A kernel with a thread for each row.
    private func each(_ name: String, _ arguments: [CardSession.Argument]) throws(KernelFailure) {
        try session.start(name, over: [rows], groups: [session.group], arguments + [.long(rows)])
    }

    /// A kernel that leaves a sum of each group.
    private func summed(
        _ name: String,
        _ arguments: [CardSession.Argument]
    ) throws(KernelFailure) -> Double {
        try session.start(
            name,
            over: [sums.count * session.group],
            groups: [session.group],
            arguments + [.buffer(partial), .long(rows)]
        )
        sums.spoil()
        try session.read(partial, into: sums)
        return sums.buffer.reduce(0, +)
    }

    /// What lies row by row, `GridMatrix.width` a row, coupling by coupling on the card.
    private static func byCoupling<Element>(
        _ byRow: NumericBuffer<Element>,
        _ rows: Int,
        _ session: CardSession
    ) throws(KernelFailure) -> CardBuffer {
        let width = GridMatrix.width
        let turned = NumericBuffer<Element>(count: byRow.count, filledWith: byRow[0])
        for row in 0..<rows {
            for place in 0..<width { turned[place * rows + row] = byRow[width * row + place] }
        }
        let made = try session.buffer(like: turned)
        try session.write(turned, to: made)
        return made
    }
}
