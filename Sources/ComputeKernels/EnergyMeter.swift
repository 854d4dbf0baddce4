internal import Glibc

/// The energy that a machine's packages took while something ran.
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
        var start: UInt64
    }

    /// What one busy core and its share of memory are taken to draw where no counter can be read. A
    /// round figure for a server; it is no measurement, and lines that rest on it say so. Unit: W.
    static let assumedWattsOfCore = 10.0

    private var counters: [Counter]

    /// Reads the counters as they stand.
    init(folder: String = "/sys/class/powercap") {
        counters = (0..<64).compactMap { package in
            let path = "\(folder)/intel-rapl:\(package)/energy_uj"
            guard let start = Self.number(path),
                let range = Self.number("\(folder)/intel-rapl:\(package)/max_energy_range_uj")
            else { return nil }
            return Counter(path: path, range: range, start: start)
        }
    }

    /// Joules since the start, all packages together; nil when there is no counter to read.
    ///
    /// A counter that has gone round once is put right; packages take many minutes for that.
    func joules() -> Double? {
        guard !counters.isEmpty else { return nil }
        var microjoules = 0.0
        for counter in counters {
            guard let now = Self.number(counter.path) else { return nil }
            let spent =
                now >= counter.start ? now - counter.start : counter.range - counter.start + now
            microjoules += Double(spent)
        }
        return microjoules * 1e-6
    }

    private static func number(_ path: String) -> UInt64? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 64)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let digits = line.prefix { $0 >= 48 && $0 <= 57 }.map { UInt8(bitPattern: $0) }
        return UInt64(String(decoding: digits, as: UTF8.self))
    }
}

/// The energy of a run, and how well it is known.
struct RunEnergy {
    /// Unit: J.
    var joules: Double
    /// Whether counters were read on every node; else it is cores × seconds × an assumed power.
    var isMeasured: Bool
}
