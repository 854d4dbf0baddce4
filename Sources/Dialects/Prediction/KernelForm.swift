import IndexSets

/// The kernels as problems: what they are called, what their sizes mean, how much work they are.
///
/// `xinghe-kernel` runs them, `xinghe predict` and the daemon reckon with them; both take names,
/// sizes and formulas from here.
public enum KernelForm: String, Hashable, Sendable, CaseIterable {
    /// Gene sequences: Smith–Waterman.
    case align
    /// Sparse solve: preconditioned conjugate gradients.
    case cg
    /// Messages over sizes.
    case comm
    /// Three-dimensional Fourier transform.
    case fft
    /// Matrix product.
    case gemm
    /// Breadth-first search.
    case graph
    /// HPCG: conjugate gradients with multigrid.
    case hpcg
    /// Inference of a transformer block.
    case infer
    /// Dense solve, as HPL.
    case lu
    /// Molecular dynamics.
    case md
    /// Shallow water.
    case shallow
    /// Acoustic waves.
    case stencil
    /// Memory bandwidth.
    case stream
    /// Training of a transformer block.
    case train

    /// Whether it computes in single precision, of which a processor does twice as much as of the
    /// double precision that peaks are given in.
    public var isSinglePrecision: Bool { self == .infer || self == .train }

    /// What `KernelWork.flop` counts: `flop`, but integer operations and edges in two kernels, which
    /// no peak can be held against.
    public var operation: String {
        switch self {
        case .align: "op"
        case .graph: "edge"
        default: "flop"
        }
    }

    /// What the numbers of a size stand for.
    public var sizeMeaning: String {
        switch self {
        case .align: "MxDxL, letters of the query, sequences, letters of each"
        case .cg, .stencil: "NXxNYxNZ grid points"
        case .comm: "N, the bytes of the largest message"
        case .fft: "N0xN1xN2 grid points"
        case .gemm: "MxNxK, rows and columns of C and columns of A"
        case .graph: "SCALExE, 2^SCALE vertices and E edges for each (SCALE alone: E = 16)"
        case .hpcg: "NXxNYxNZ grid points, the sides of each rank's block multiples of 8"
        case .infer, .train: "BxTxD, sequences, tokens of each, width"
        case .lu: "NxNB, the order and the block size (N alone: NB = 128)"
        case .md: "NXxNYxNZ lattice cells of 4 atoms"
        case .shallow: "NXxNY grid points"
        case .stream: "N, the elements of each of three arrays"
        }
    }

    /// The extents behind `small`, `medium` and `large`, in that order.
    public var namedSizes: [[Int]] {
        switch self {
        case .align: [[128, 2_000, 200], [512, 40_000, 400], [1_024, 400_000, 500]]
        case .cg: [[32, 32, 32], [104, 104, 104], [192, 192, 192]]
        case .comm: [[32_768], [1_048_576], [8_388_608]]
        case .fft: [[64, 64, 64], [192, 192, 192], [384, 384, 384]]
        case .gemm: [[512, 512, 512], [3_072, 3_072, 3_072], [8_192, 8_192, 8_192]]
        case .graph: [[14, 16], [18, 16], [22, 16]]
        case .hpcg: [[16, 16, 16], [96, 96, 96], [192, 192, 192]]
        case .infer, .train: [[8, 64, 128], [16, 256, 512], [32, 1_024, 1_024]]
        case .lu: [[500, 64], [4_000, 128], [20_000, 192]]
        case .md: [[10, 10, 10], [32, 32, 32], [80, 80, 80]]
        case .shallow: [[256, 256], [2_048, 2_048], [8_192, 8_192]]
        case .stencil: [[64, 64, 64], [256, 256, 256], [512, 512, 512]]
        case .stream: [[1_000_000], [20_000_000], [100_000_000]]
        }
    }

    /// What the last extents are when a size does not give them.
    public var omittedExtents: [Int] {
        switch self {
        case .graph: [16]
        case .lu: [128]
        default: []
        }
    }

    /// How many numbers a size has.
    public var dimensions: Int { namedSizes[0].count }
}

// MARK: - Reading

/// Why a kernel or a size is refused.
public enum KernelRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// No kernel has this name.
    case unknownKernel(String)
    /// The text means nothing as a size of this kernel.
    case malformedSize(String, KernelForm)

    /// The sentence for people.
    public var description: String {
        switch self {
        case .unknownKernel(let name):
            "no kernel is called '\(name)'\(didYouMean(name, among: KernelForm.names)); there are "
                + KernelForm.names.joined(separator: ", ")
        case .malformedSize(let text, let form):
            "'\(text)' is no size of \(form.rawValue): it takes small, medium, large or "
                + form.sizeMeaning
        }
    }
}

extension KernelForm {
    /// What the kernels are called.
    public static var names: [String] { allCases.map(\.rawValue) }

    /// The kernel called `name`.
    ///
    /// - Throws: `KernelRefusal.unknownKernel`.
    public init(named name: String) throws(KernelRefusal) {
        guard let form = KernelForm(rawValue: name) else { throw .unknownKernel(name) }
        self = form
    }

    /// Reads what `--size` says: `small`, `64`, `64x64x32`.
    ///
    /// - Returns: The extents of the problem, as many as the kernel has dimensions. What is
    ///   missing is the kernel's default; where it has none, one number stands for all extents.
    /// - Throws: `KernelRefusal.malformedSize`.
    public func shape(of text: String) throws(KernelRefusal) -> [Int] {
        if let index = ["small", "medium", "large"].firstIndex(of: text) {
            return namedSizes[index]
        }
        let parts = text.split(separator: "x", omittingEmptySubsequences: false)
        // A bound far above any real problem keeps products of extents inside Double's integers.
        let extents = parts.compactMap { Int($0) }.filter { $0 > 0 && $0 <= 1 << 40 }
        if extents.count == parts.count {
            if extents.count == dimensions { return extents }
            if extents.count + omittedExtents.count == dimensions {
                return extents + omittedExtents
            }
            if let only = extents.first, extents.count == 1, omittedExtents.isEmpty {
                return [Int](repeating: only, count: dimensions)
            }
        }
        throw .malformedSize(text, self)
    }
}

/// `64x64x32`.
public func extentsText(_ extents: [Int]) -> String {
    extents.map(String.init).joined(separator: "x")
}
