internal import Glibc

/// The energy that a machine's packages took in the timed parts of a run.
///
/// Linux shows the counters of Intel's and AMD's Running Average Power Limit as files under
/// `/sys/class/powercap`, one a package; often only root may read them, and virtual machines have
/// none. The counters see whole packages, other programs' work included.
struct EnergyMeter {
    /// A counter of one package.
    private struct Counter {
        var path: String
        /// It starts again from 0 beyond this. Unit: µJ.
        var range: UInt64
        var start: UInt64 = 0
    }

    /// What one busy core and its share of memory are taken to draw where no counter can be read. A
    /// round figure for a server; it is no measurement, and lines that rest on it say so. Unit: W.
    static let assumedWattsOfCore = 10.0

    private var counters: [Counter]
    private var microjoules = 0.0
    private var isReadable: Bool

    /// Finds the counters.
    init(folder: String = "/sys/class/powercap") {
        counters = (0..<64).compactMap { zone in
            let path = "\(folder)/intel-rapl:\(zone)"
            // Another zone, psys, is the whole platform with its packages.
            guard Self.line("\(path)/name")?.hasPrefix("package-") == true,
                let range = Self.number("\(path)/max_energy_range_uj")
            else { return nil }
            return Counter(path: "\(path)/energy_uj", range: range)
        }
        isReadable = !counters.isEmpty
    }

    /// Joules between all starts and stops, all packages together; nil when there is no counter, or
    /// one could not be read.
    var joules: Double? { isReadable ? microjoules * 1e-6 : nil }

    /// A timed part begins.
    mutating func start() {
        for index in counters.indices {
            guard let now = Self.number(counters[index].path) else { return isReadable = false }
            counters[index].start = now
        }
    }

    /// The timed part ends.
    ///
    /// A counter that has gone round once since the start is put right; one package takes a quarter
    /// of an hour or more for that.
    mutating func stop() {
        for counter in counters {
            guard let now = Self.number(counter.path) else { return isReadable = false }
            microjoules += Double(
                now >= counter.start ? now - counter.start : counter.range - counter.start + now
            )
        }
    }

    private static func number(_ path: String) -> UInt64? {
        line(path).flatMap(UInt64.init)
    }

    /// The first line of a file, without its end.
    private static func line(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 64)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let text = line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
        return String(decoding: text, as: UTF8.self)
    }
}

/// The energy of a run, and how well it is known.
struct RunEnergy {
    /// Unit: J.
    var joules: Double
    /// Whether counters were read on every node; else it is cores × seconds × an assumed power.
    var isMeasured: Bool
}
