/// Work of a kernel, over all ranks.
///
/// Doubles: a dense solve on a whole machine is more than 64 bits of operations.
public struct KernelWork: Hashable, Sendable {
    /// Floating-point operations; integer operations or edges where the kernel says so.
    public var flop: Double
    /// Bytes that must move between memory and core if caches are perfect.
    public var byte: Double

    /// Makes an amount of work.
    public init(flop: Double, byte: Double) {
        self.flop = flop
        self.byte = byte
    }
}

extension KernelForm {
    /// Steps of time in one repetition of `md`, `shallow` and `stencil`.
    public static let stepsOfRepetition = 20

    /// The work of one repetition, by the formulas in the kernels' descriptions.
    ///
    /// Exact for all but three kernels, whose work depends on the answer: `cg` on the iterations,
    /// `md` on the pairs of atoms that meet, `graph` on the component that is searched. These are
    /// estimates here (`iterations(_:)`, `pairsOfAtom`, `searchedShare`).
    public func work(_ shape: [Int], ranks: Int) -> KernelWork {
        let n = shape.map(Double.init)
        let points = n.reduce(1, *)
        let steps = Double(Self.stepsOfRepetition)
        switch self {
        case .align: return KernelWork(flop: 10 * points, byte: n[1] * n[2])
        case .cg:
            let nonzeros = Self.nonzeros(shape)
            let one = Self.conjugateGradientIteration(
                rows: points,
                nonzeros: nonzeros,
                innerCouplings: nonzeros - points
            )
            let count = Self.iterations(shape)
            return KernelWork(flop: count * one.flop, byte: count * one.byte)
        case .hpcg: return Self.multigridSet(shape)
        case .comm: return Self.messages(largest: shape[0], ranks: ranks)
        case .fft:
            return KernelWork(
                flop: 5 * points * shape.reduce(0) { $0 + binaryLogarithm(Double($1)) },
                byte: 96 * points
            )
        case .gemm:
            return KernelWork(
                flop: 2 * points,
                byte: 8 * (n[0] * n[2] + n[2] * n[1] + 2 * n[0] * n[1])
            )
        case .graph:
            let edges = Self.searchedShare * n[1] * powerOfTwo(shape[0])
            return KernelWork(flop: edges, byte: 24 * edges)
        case .infer:
            return KernelWork(
                flop: n[0] * (24 * n[1] * n[2] * n[2] + 4 * n[1] * n[1] * n[2]),
                byte: n[0] * (48 * n[2] * n[2] + 136 * n[1] * n[2])
            )
        case .train:
            return KernelWork(
                flop: n[0] * (66 * n[1] * n[2] * n[2] + 12 * n[1] * n[1] * n[2]),
                byte: n[0] * (240 * n[2] * n[2] + 400 * n[1] * n[2])
            )
        case .lu:
            return KernelWork(
                flop: 2.0 / 3 * n[0] * n[0] * n[0] + 1.5 * n[0] * n[0],
                byte: 16.0 / 3 * n[0] * n[0] * n[0] / min(n[0], n[1])
            )
        case .md:
            let updates = 4 * points * steps
            return KernelWork(
                flop: (23 * Self.pairsOfAtom + 9) * updates,
                byte: 144 * updates
            )
        case .shallow: return KernelWork(flop: 65 * points * steps, byte: 184 * points * steps)
        case .stencil: return KernelWork(flop: 33 * points * steps, byte: 32 * points * steps)
        case .stream: return KernelWork(flop: 4 * points, byte: 80 * points)
        }
    }

    /// Bytes that all ranks together hold for the problem.
    public func memory(_ shape: [Int]) -> Double {
        let n = shape.map(Double.init)
        let points = n.reduce(1, *)
        switch self {
        case .align: return n[1] * n[2]
        case .cg: return 376 * points
        case .hpcg: return 510 * points
        case .comm: return 3 * n[0]
        case .fft: return 48 * points
        case .gemm: return 8 * (n[0] * n[1] + n[0] * n[2] + n[1] * n[2])
        case .graph: return powerOfTwo(shape[0]) * (56 * n[1] + 56)
        case .infer, .train: return 96 * n[2] * n[2] + 12 * points
        case .lu: return 8 * n[0] * n[0]
        case .md: return 2_080 * points
        case .shallow: return 80 * points
        case .stencil, .stream: return 24 * points
        }
    }
}

// MARK: - What depends on the answer

extension KernelForm {
    /// Nonzeros of the 27-point operator on a grid.
    public static func nonzeros(_ shape: [Int]) -> Double {
        shape.reduce(1) { $0 * (3 * Double($1) - 2) }
    }

    /// The work of one iteration of `cg`; `innerCouplings` are the nonzeros off the diagonal whose
    /// both ends lie on one rank.
    public static func conjugateGradientIteration(
        rows: Double,
        nonzeros: Double,
        innerCouplings: Double
    ) -> KernelWork {
        KernelWork(
            flop: 2 * nonzeros + 2 * innerCouplings + 15 * rows,
            byte: 12 * (nonzeros - rows) + 8 * rows + 12 * innerCouplings + 16 * rows + 144 * rows
        )
    }

    /// Iterations of a set of `hpcg`.
    public static let iterationsOfSet = 50

    /// A set of `hpcg`: operations as HPCG counts them, bytes as the sweeps of `xinghe-kernel` move them, which
    /// read the lower half of a matrix alone, or the upper, where that is enough.
    static func multigridSet(_ shape: [Int]) -> KernelWork {
        let count = Double(iterationsOfSet)
        var grids: [(rows: Double, nonzeros: Double)] = []
        for halvings in 0...3 {
            let coarse = shape.map { max(1, $0 >> halvings) }
            grids.append((coarse.reduce(1) { $0 * Double($1) }, nonzeros(coarse)))
        }
        let (rows, nonzeros) = grids[0]
        var work = KernelWork(
            flop: (3 * count + 1) * 4 * rows + (count + 1) * 2 * nonzeros,
            byte: count * (12 * (nonzeros - rows) + 136 * rows)
        )
        for (halvings, grid) in grids.enumerated() {
            let isCoarsest = halvings == grids.count - 1
            let couplings = grid.nonzeros - grid.rows
            work.flop += count * (isCoarsest ? 4 : 10) * grid.nonzeros
            work.byte +=
                count
                * (isCoarsest
                    ? 12 * couplings + 48 * grid.rows : 31.5 * couplings + 125 * grid.rows)
        }
        return work
    }

    /// Iterations of `cg`, estimated: they grow with the longest side, the rest hardly matters.
    ///
    /// A line through what `xinghe-kernel cg` counts: 19 at 16³, 33 at 32³, 46 at 48³, 60 at 64³,
    /// 74 at 80³, 93 at 104³. On many ranks the sweeps see their own block only, which takes a few
    /// more.
    static func iterations(_ shape: [Int]) -> Double {
        let longest = Double(shape.max() ?? 1)
        return (5.5 + 0.841 * longest).rounded(.up)
    }

    /// Neighbours of an atom within the cutoff: density 0.8442 times a ball of radius 2.5, less
    /// the atom itself. The kernel counts 53.9.
    static let pairsOfAtom = 54.25

    /// The part of a Kronecker graph's edges that a search from its giant component sees.
    static let searchedShare = 0.999

    /// All calls of one repetition of `comm`: ping-pong, all-reduce and all-to-all over sizes.
    static func messages(largest: Int, ranks: Int) -> KernelWork {
        var sum = KernelWork(flop: 0, byte: 0)
        for count in messageCounts(upTo: largest / 8) {
            let calls = Double(messageCalls(count))
            let one = messageWork(count, ranks: ranks)
            sum.flop += calls * one.flop
            sum.byte += calls * one.byte
        }
        return sum
    }

    /// Message sizes of `comm`, in doubles: 1, 4, 16 … and the largest itself.
    public static func messageCounts(upTo largest: Int) -> [Int] {
        Array(sequence(first: 1) { $0 * 4 }.prefix { $0 < largest }) + [largest]
    }

    /// Calls of `comm` with messages of `count` doubles: enough to time, whatever the size.
    public static func messageCalls(_ count: Int) -> Int {
        max(8, min(1_000, 1 << 20 / max(1, count)))
    }

    /// One ping-pong, one all-reduce and one all-to-all with `count` doubles.
    public static func messageWork(_ count: Int, ranks: Int) -> KernelWork {
        let (bytes, others) = (8 * Double(count), Double(ranks - 1))
        return KernelWork(
            flop: Double(count) * others,
            byte: (ranks > 1 ? 2 * bytes : 0) + 2 * bytes * others + bytes * (others + 1) * others
        )
    }
}

// MARK: - Arithmetic without a mathematical library

/// log₂ of a positive number, within 1e-12: layers below the adapters have no C library.
func binaryLogarithm(_ value: Double) -> Double {
    precondition(value > 0 && value.isFinite)
    var result = Double(value.exponent)
    var rest = value.significand
    var bit = 0.5
    for _ in 0..<44 {
        rest *= rest
        if rest >= 2 {
            rest /= 2
            result += bit
        }
        bit /= 2
    }
    return result
}

/// The rounds of a tree over `count` members: ⌈log₂ count⌉.
func treeRounds(_ count: Int) -> Int {
    count <= 1 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount
}

private func powerOfTwo(_ exponent: Int) -> Double {
    Double(sign: .plus, exponent: min(exponent, 200), significand: 1)
}
