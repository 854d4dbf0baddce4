public import Prediction
internal import WireFormats

/// What a calibration found, for people.
public struct CalibrationReport: Sendable {
    private let calibration: HostCalibration

    /// Makes a report.
    public init(_ calibration: HostCalibration) {
        self.calibration = calibration
    }

    /// The report as text, with a line feed at its end.
    public var text: String {
        var lines = [
            "\(calibration.host): \(calibration.processor), \(calibration.cores) cores, "
                + "load \(NumberText.fixed(calibration.load, 2)) before the first run"
        ]
        if calibration.load > 0.5 {
            lines.append("others were at work: the figures are lower than those of a quiet machine")
        }
        lines += surroundings
        lines += [""] + limits.lines + [""] + kernels.lines
        return lines.joined(separator: "\n") + "\n"
    }

    private var surroundings: [String] {
        guard let on = calibration.surroundings else { return [] }
        func word(_ name: String) -> String { on[name]?.string ?? "?" }
        let clock = siText(on["clock_hertz"]?.double ?? 0, "Hz")
        let lines = [
            "clock \(clock); \(word("blas")), core \(word("blas_core")) chosen by "
                + word("blas_core_by"),
            "\(word("mpi")); hwloc \(word("hwloc")); \(word("fft")); \(word("compiler"))",
        ]
        return lines + (calibration.blasProblem.map { ["warning: \($0)"] } ?? [])
    }

    private var limits: TextTable {
        var table = TextTable(
            header: ["limit", "arrays on a core", "rate"],
            alignments: [.left, .right, .right]
        )
        table.add(["matrix products", "", calibration.gemm.map { siText($0, "flop/s") } ?? "-"])
        for level in calibration.levels {
            table.add([
                "triad from \(level.name)", siText(Double(level.bytes), "byte"),
                siText(level.rate, "byte/s"),
            ])
        }
        for card in calibration.cards {
            table.add(["matrix products on \(card.name)", "", siText(card.gemm, "flop/s")])
            table.add(["triad on it", "", siText(card.bandwidth, "byte/s")])
            table.add(["copies to it", "", siText(card.link, "byte/s")])
        }
        if let loggp = calibration.profile["loggp"] {
            let units = [
                ("latency_s", "message: latency L", 1e6, " us"),
                ("overhead_s", "message: overhead o", 1e6, " us"),
                ("seconds_per_byte", "message: time of a byte G", 1e9, " ns"),
                ("worst_error", "message: worst error of the fit", 100, " %"),
            ]
            for (name, what, scale, unit) in units {
                guard let value = loggp[name]?.double else { continue }
                table.add([what, "", NumberText.fixed(value * scale, 3) + unit])
            }
        }
        return table
    }

    private var kernels: TextTable {
        var table = TextTable(
            header: ["kernel", "flop/byte", "rate", "of its roofline"],
            alignments: [.left, .right, .right, .right]
        )
        for (point, share) in zip(calibration.points, calibration.efficiencies) {
            table.add([
                point.kernel.rawValue, NumberText.fixed(point.intensity, 2),
                siText(point.rate, "flop/s"), NumberText.fixed(100 * share.1, 0) + " %",
            ])
        }
        return table
    }
}
