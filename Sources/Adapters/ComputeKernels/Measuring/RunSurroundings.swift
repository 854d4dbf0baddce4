internal import CFFTW
internal import CProcessor
internal import Glibc
internal import HardwareTopology
internal import MessagePassing
internal import WireFormats

/// What a figure was measured on: a rate without this can be compared with nothing.
struct RunSurroundings {
    /// The processor's name.
    private let processor: String
    private let hwloc: String
    /// Runnable processes of the system, its average over a minute, before the run.
    private let load: Double
    /// OpenBLAS's cores on all ranks, each named once.
    private let cores: [String]
    /// The card that works, if one does.
    let card: Card?
    private var clock = 0.0

    /// Looks around before the run. Collective.
    ///
    /// - Throws: `KernelFailure`, when MPI fails.
    init(_ world: Communicator, card: Card? = nil) throws(KernelFailure) {
        self.card = card
        processor = HostProbe.info(named: "CPUModel") ?? "unknown"
        hwloc = HostProbe.info(named: "hwlocVersion") ?? "unknown"
        var average = [0.0]
        load = getloadavg(&average, 1) == 1 ? average[0] : 0
        let all = try messaging { () throws(MPIFailure) in
            try world.gather(text: BlasCore.inUse.name)
        }
        cores = Set(all).sorted()
    }

    /// Times a chain of additions of a cycle each, right after the work, while the clock is still what
    /// it was then. Two milliseconds.
    mutating func measureClock() {
        let additions = 1 << 21
        for _ in 0..<3 {
            let start = MPIEnvironment.wallSeconds()
            xinghe_dependent_additions(UInt(additions))
            clock = max(clock, Double(additions) / (MPIEnvironment.wallSeconds() - start))
        }
    }

    /// The member `on` of a measurement; docs/measure.md has its members.
    var json: JSONValue {
        let core = BlasCore.inUse
        let chooser =
            switch core.chooser {
            case .library: "library"
            case .user: "environment"
            case .program(let before): "xinghe-kernel, instead of \(before)"
            }
        return [
            "processor": .string(processor),
            "clock_hertz": .number(clock.rounded()),
            "load_average": .number(load),
            "blas": .string(BlasCore.libraryVersion),
            "blas_core": .string(cores.joined(separator: " and ")),
            "blas_core_by": .string(chooser),
            "blas_core_better": core.better.map { .string($0) } ?? .null,
            "fft": .string(String(cString: CFFTW_version())),
            "mpi": .string(MPIEnvironment.libraryVersion),
            "hwloc": .string(hwloc),
            "compiler": .string(Self.compiler),
            "card": card?.json ?? .null,
        ]
    }

    /// Compiler and what it was told, such as `Swift 6.3, Clang 21.0.0, release, AVX2`.
    private static var compiler: String {
        var isDebug = false
        assert(
            {
                isDebug = true
                return true
            }()
        )
        let vectors = xinghe_fuses_products() ? ", fused multiply-add" : ""
        let clang = String(cString: xinghe_c_compiler()).split(separator: "(").first ?? "clang"
        return "Swift \(swiftVersion), \(clang.split(separator: " ").joined(separator: " ")), "
            + "\(isDebug ? "debug" : "release")\(vectors)"
    }

    private static var swiftVersion: String {
        #if compiler(>=6.4)
            "6.4 or later"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }
}
