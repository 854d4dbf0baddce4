internal import COpenBLAS
internal import CProcessor
internal import Glibc

/// Which of OpenBLAS's hand-written cores multiplies matrices, and whether it suits the processor.
///
/// OpenBLAS chooses a core by the processor's model number when it is loaded, and for a model that is
/// younger than itself it may fall back to Prescott, of 2004 and SSE3: its products are right and take
/// five times as long. `OPENBLAS_CORETYPE`, read at loading only, names another core. So a program that
/// finds a core narrower than the vectors that CPUID shows starts itself again, once, with the wider
/// core named, and keeps that if its products are right. What the user has chosen is left alone.
public struct BlasCore: Hashable, Sendable {
    /// Who chose the core.
    public enum Chooser: Hashable, Sendable {
        /// OpenBLAS, by the processor's model.
        case library
        /// `OPENBLAS_CORETYPE` in the environment.
        case user
        /// This program, instead of the core named.
        case program(insteadOf: String)
    }

    /// OpenBLAS's name of the core, such as `Haswell`.
    public var name: String
    /// Who chose it.
    public var chooser: Chooser
    /// The core that the processor could run instead, where that has wider vectors; else nil.
    public var better: String?

    /// Judges a core.
    ///
    /// - Parameters:
    ///   - vectors: What CPUID shows: 0 128 bit, 1 AVX, 2 AVX2, 3 AVX-512; negative if unknown.
    ///   - isIntel: AVX-512 counts on Intel's processors only: AMD's run it in halves up to Zen 4, so
    ///     a core with AVX2 loses nothing there.
    init(name: String, chooser: Chooser, vectors: Int, isIntel: Bool) {
        self.name = name
        self.chooser = chooser
        let usable = isIntel ? vectors : min(vectors, 2)
        let own = Self.vectors(ofCore: name)
        better = own.flatMap { usable > $0 ? Self.names[usable] : nil }
    }

    /// The first core of each width of vectors.
    private static let names = ["Prescott", "Sandybridge", "Haswell", "SkylakeX"]

    /// The vectors of a core of x86-64, as `names` counts; nil for one that is not known, which may be
    /// younger than this table.
    private static func vectors(ofCore name: String) -> Int? {
        switch name.lowercased() {
        case "katmai", "coppermine", "northwood", "prescott", "banias", "core2", "penryn",
            "dunnington", "atom", "nehalem", "athlon", "opteron", "opteron_sse3", "barcelona",
            "nano",
            "bobcat":
            0
        case "sandybridge", "bulldozer", "piledriver", "steamroller": 1
        case "haswell", "zen", "excavator": 2
        case "skylakex", "cooperlake", "sapphirerapids": 3
        default: nil
        }
    }
}

extension BlasCore {
    private static let choice = "OPENBLAS_CORETYPE"
    private static let before = "XINGHE_BLAS_CORE_BEFORE"

    /// The core that this process computes with.
    public static let inUse: BlasCore = {
        let replaced = variable(before)
        let chooser: Chooser =
            if let replaced, !replaced.isEmpty {
                .program(insteadOf: replaced)
            } else if variable(choice) != nil {
                .user
            } else {
                .library
            }
        return BlasCore(
            name: String(cString: openblas_get_corename()),
            chooser: chooser,
            vectors: Int(xinghe_vector_level()),
            isIntel: xinghe_is_intel()
        )
    }()

    /// OpenBLAS's name and version, such as `OpenBLAS 0.3.21`.
    static let libraryVersion: String = {
        let words = String(cString: openblas_get_config()).split(separator: " ")
        return words.prefix(2).joined(separator: " ")
    }()

    /// Starts this program again with a better core, if there is one and nobody has chosen; returns
    /// where there is nothing to do. Before MPI starts.
    public static func correct() {
        let core = inUse
        if core.chooser == .library, let better = core.better, variable(before) == nil {
            setenv(before, core.name, 1)
            setenv(choice, better, 1)
            startAgain()
        } else if case .program = core.chooser, !isRight() {
            // An empty name: tried, and not kept.
            setenv(before, "", 1)
            unsetenv(choice)
            startAgain()
        }
    }

    /// What to tell the user about the core; nil when it suits.
    public var warning: String? {
        guard let better else { return nil }
        let why = chooser == .user ? ", as \(Self.choice) says," : ""
        return
            "\(Self.libraryVersion) computes with its core \(name)\(why) although this processor "
            + "can run \(better): products of matrices may take several times as long as they should"
    }

    /// Replaces the process by itself; returns only if the system refuses.
    private static func startAgain() {
        var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
        execv("/proc/self/exe", &arguments)
        for argument in arguments { free(argument) }
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}

// MARK: - Self-check

extension BlasCore {
    /// Whether products in both precisions, of sizes that no block divides, are those of plain loops.
    static func isRight() -> Bool {
        openblas_set_num_threads(1)
        let (m, n, k) = (67, 53, 131)
        let a = (0..<(m * k)).map { HashedMatrix.entry(13, $0, 0) }
        let b = (0..<(k * n)).map { HashedMatrix.entry(13, $0, 1) }
        var wide = [Double](repeating: .nan, count: m * n)
        var narrow = [Float](repeating: .nan, count: m * n)
        let (rows, columns, depth) = (Int32(m), Int32(n), Int32(k))
        cblas_dgemm(
            CblasRowMajor,
            CblasNoTrans,
            CblasNoTrans,
            rows,
            columns,
            depth,
            1,
            a,
            depth,
            b,
            columns,
            0,
            &wide,
            columns
        )
        cblas_sgemm(
            CblasRowMajor,
            CblasNoTrans,
            CblasNoTrans,
            rows,
            columns,
            depth,
            1,
            a.map(Float.init),
            depth,
            b.map(Float.init),
            columns,
            0,
            &narrow,
            columns
        )
        return (0..<(m * n)).allSatisfy { place in
            let (row, column) = (place / n, place % n)
            let right = (0..<k).reduce(0) { $0 + a[row * k + $1] * b[$1 * n + column] }
            return abs(wide[place] - right) <= 1e-12 && abs(Double(narrow[place]) - right) <= 1e-4
        }
    }
}
