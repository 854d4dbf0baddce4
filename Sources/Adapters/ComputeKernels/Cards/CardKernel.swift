internal import MessagePassing
internal import WireFormats

/// A kernel whose work a card does, and whose problem, verification and answer are those of the kernel
/// for processors: `host` makes each input and judges what the card has made of it.
///
/// Data stay on the card. Timed is the work on it from the first command to the end of the last, as with
/// resident matrices; copies to the card lie before, copies back behind.
protocol CardKernel: Kernel {
    associatedtype Host: Kernel

    var host: Host { get }
}

extension CardKernel {
    static func memory(for shape: [Int], ranks: Int) -> Double {
        Host.memory(for: shape, ranks: ranks)
    }

    func verify() throws(KernelFailure) -> Verdict { try host.verify() }

    func answer() -> KernelAnswer? { host.answer() }

    func details() throws(KernelFailure) -> [JSONValue.Member] { try host.details() }
}

extension KernelSetting {
    /// Opens the card that the run is for.
    func session() throws(KernelFailure) -> CardSession {
        guard let card else { throw .noCard("the kernel was given none") }
        return try CardSession(card)
    }
}

/// The triad and its kin on a card.
final class CardStreamKernel: CardKernel {
    static let profile = StreamKernel.profile

    let host: StreamKernel
    private let session: CardSession
    private let a: CardBuffer
    private let b: CardBuffer
    private let c: CardBuffer

    init(_ setting: KernelSetting) throws(KernelFailure) {
        host = try StreamKernel(setting)
        session = try setting.session()
        a = try session.buffer(like: host.a)
        b = try session.buffer(like: host.b)
        c = try session.buffer(like: host.c)
        try session.write(host.a, to: a)
    }

    func prepare(_ number: Int) throws(KernelFailure) {
        host.prepare(number)
        try session.write(host.b, to: b)
        try session.write(host.c, to: c)
    }

    func repetition() throws(KernelFailure) -> Work {
        let (n, s) = (host.a.count, CardSession.Argument.real(host.scalar))
        var clock = MPIEnvironment.wallSeconds()
        func lap(_ loop: Int, _ name: String, _ arguments: [CardSession.Argument])
            throws(KernelFailure)
        {
            try session.start(name, over: [n], groups: [session.group], arguments)
            try session.finish()
            let now = MPIEnvironment.wallSeconds()
            host.keep(now - clock, ofLoop: loop)
            clock = now
        }
        try lap(0, "stream_copy", [.buffer(a), .buffer(c), .long(n)])
        try lap(1, "stream_scale", [.buffer(c), .buffer(b), s, .long(n)])
        try lap(2, "stream_add", [.buffer(a), .buffer(b), .buffer(c), .long(n)])
        try lap(3, "stream_triad", [.buffer(b), .buffer(c), .buffer(a), s, .long(n)])
        return host.endRepetition()
    }

    func fetch() throws(KernelFailure) {
        try session.read(a, into: host.a)
        try session.read(b, into: host.b)
        try session.read(c, into: host.c)
    }
}

/// The matrix product on a card, with all three matrices in its memory.
final class CardProductKernel: CardKernel {
    static let profile = MatrixProductKernel.profile

    let host: MatrixProductKernel
    private let session: CardSession
    private let shape: [Int]
    private let a: CardBuffer
    private let b: CardBuffer
    private let c: CardBuffer
    private var linkRate = 0.0

    init(_ setting: KernelSetting) throws(KernelFailure) {
        host = try MatrixProductKernel(setting)
        session = try setting.session()
        guard session.group >= 256 else {
            throw .noCard("\(session.card.name) takes groups of \(session.group) threads, not 256")
        }
        shape = setting.shape
        a = try session.buffer(like: host.a)
        b = try session.buffer(like: host.transposedB)
        c = try session.buffer(like: host.c)
    }

    func prepare(_ number: Int) throws(KernelFailure) {
        host.prepare(number)
        let start = MPIEnvironment.wallSeconds()
        try session.write(host.a, to: a)
        try session.write(host.transposedB, to: b)
        let seconds = MPIEnvironment.wallSeconds() - start
        linkRate = max(linkRate, 8 * Double(host.a.count + host.transposedB.count) / seconds)
        try session.write(host.c, to: c)
    }

    func repetition() throws(KernelFailure) -> Work {
        let tiles = shape[0..<2].map { ($0 + 63) / 64 * 16 }
        try session.start(
            "gemm",
            over: tiles,
            groups: [16, 16],
            [.buffer(a), .buffer(b), .buffer(c), .int(shape[0]), .int(shape[1]), .int(shape[2])]
        )
        try session.finish()
        return host.work
    }

    func fetch() throws(KernelFailure) { try session.read(c, into: host.c) }

    func details() throws(KernelFailure) -> [JSONValue.Member] {
        [.init("link_byte_per_s", .number(linkRate))]
    }
}

/// Waves on a card, on a grid that wraps around in the kernel instead of having margins.
final class CardStencilKernel: CardKernel {
    static let profile = StencilKernel.profile

    let host: StencilKernel
    private let session: CardSession
    private let shape: [Int]
    private let grid: NumericBuffer<Double>
    private var past: CardBuffer
    private var present: CardBuffer
    private let medium: CardBuffer

    init(_ setting: KernelSetting) throws(KernelFailure) {
        host = try StencilKernel(setting)
        session = try setting.session()
        shape = setting.shape
        grid = NumericBuffer(
            count: shape.reduce(1, *),
            filledWith: StencilKernel.courantSquared
        )
        past = try session.buffer(like: grid)
        present = try session.buffer(like: grid)
        medium = try session.buffer(like: grid)
        try session.write(grid, to: medium)
    }

    func prepare(_ number: Int) throws(KernelFailure) {
        host.prepare(number)
        forEachRow { inside, padded, count in
            (grid.pointer + inside).update(from: host.past.pointer + padded, count: count)
        }
        try session.write(grid, to: past)
        forEachRow { inside, padded, count in
            (grid.pointer + inside).update(from: host.present.pointer + padded, count: count)
        }
        try session.write(grid, to: present)
    }

    func repetition() throws(KernelFailure) -> Work {
        let weights = StencilKernel.coefficients
        let width = min(session.group, 64)
        for _ in 0..<StencilKernel.stepsOfRepetition {
            try session.start(
                "stencil",
                over: [shape[0], shape[1]],
                groups: [width, 1],
                [.buffer(present), .buffer(past), .buffer(medium)]
                    + shape.map { .int($0) } + [.real(3 * weights[0])]
                    + weights.dropFirst().map { .real($0) }
            )
            swap(&past, &present)
        }
        try session.finish()
        return host.work
    }

    func fetch() throws(KernelFailure) {
        host.present.spoil()
        try session.read(present, into: grid)
        forEachRow { inside, padded, count in
            (host.present.pointer + padded).update(from: grid.pointer + inside, count: count)
        }
    }

    /// Calls `body` with where each row lies in `grid` and in the host's blocks with margins.
    private func forEachRow(_ body: (Int, Int, Int) -> Void) {
        for z in 0..<shape[2] {
            for y in 0..<shape[1] {
                body((z * shape[1] + y) * shape[0], host.block.place(0, y, z), shape[0])
            }
        }
    }
}
