internal import Glibc
public import Prediction

/// The roofline of a host with its kernels below it, as one SVG.
///
/// Both axes are logarithmic. Kernels in single precision have a roof of their own, twice that of the
/// matrix products in double precision. Whoever points at a mark is told its figures. Colours are those of Okabe and Ito, told apart by people who see no
/// red or green too; every point has its name beside it, so that colour carries nothing alone.
public struct RooflinePlot: Sendable {
    private let calibration: HostCalibration
    private let gemm: Double
    private let left = 90.0
    private let top = 60.0
    private let width = 640.0
    private let height = 400.0

    /// Makes a plot; nil when the roofline was not measured.
    public init?(_ calibration: HostCalibration) {
        guard let gemm = calibration.gemm, !calibration.levels.isEmpty else { return nil }
        self.calibration = calibration
        self.gemm = gemm
    }

    /// The SVG document.
    public var svg: String {
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 940 540\" "
                + "style=\"width:100%;height:auto;max-width:1410px\" font-family=\"sans-serif\" font-size=\"13\">",
            "<title>Roofline of \(escapedForHTML(calibration.host))</title>",
            "<rect width=\"940\" height=\"540\" fill=\"#ffffff\"/>",
            text(left, 28, "Roofline of \(calibration.host), \(calibration.cores) cores", size: 17),
            text(left, 47, calibration.processor, colour: "#555555"),
        ]
        lines += grid
        lines += roofs
        lines += marks
        lines += [
            text(left + width / 2, top + height + 46, "operations a byte (flop/byte)", "middle"),
            "<text x=\"24\" y=\"\(number(top + height / 2))\" text-anchor=\"middle\" "
                + "transform=\"rotate(-90 24 \(number(top + height / 2)))\">"
                + "rate (Gflop/s)</text>",
            "</svg>",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: Scales

    private var intensities: (low: Int, high: Int) {
        let all = calibration.points.map(\.intensity) + [gemm / calibration.levels[0].rate / 4]
        return (
            decade(all.min() ?? 0.1, .down), max(decade(all.max() ?? 10, .up), 2)
        )
    }

    private var rates: (low: Int, high: Int) {
        let lowest = calibration.points.map(\.rate).min() ?? gemm / 1_000
        return (decade(lowest / 1e9, .down), decade(highestRoof * 1.3 / 1e9, .up))
    }

    /// The single-precision roof where a kernel is below it, else that of the matrix products.
    private var highestRoof: Double {
        calibration.points.contains { $0.kernel.isSinglePrecision } ? 2 * gemm : gemm
    }

    private func decade(_ value: Double, _ rule: FloatingPointRoundingRule) -> Int {
        Int(log10(value).rounded(rule))
    }

    private func x(_ intensity: Double) -> Double {
        let (low, high) = intensities
        return left + width * (log10(intensity) - Double(low)) / Double(high - low)
    }

    private func y(_ rate: Double) -> Double {
        let (low, high) = rates
        let share = (log10(rate / 1e9) - Double(low)) / Double(high - low)
        return top + height * (1 - share)
    }

    // MARK: Parts

    private var grid: [String] {
        var lines: [String] = []
        for power in intensities.low...intensities.high {
            let at = x(pow(10, Double(power)))
            lines.append(line(at, top, at, top + height, "#dddddd", 1))
            lines.append(text(at, top + height + 20, powerText(power), "middle"))
        }
        for power in rates.low...rates.high {
            let at = y(1e9 * pow(10, Double(power)))
            lines.append(line(left, at, left + width, at, "#dddddd", 1))
            lines.append(text(left - 8, at + 4, powerText(power), "end"))
        }
        return lines
    }

    /// A sloping roof for each level of memory, and the flat one of the matrix products.
    private var roofs: [String] {
        let colours = ["#0072B2", "#009E73", "#E69F00", "#000000"]
        let dashes = ["2 3", "6 3", "10 4", ""]
        var lines: [String] = []
        for (index, level) in calibration.levels.enumerated() {
            let isMemory = index == calibration.levels.count - 1
            let style = isMemory ? 3 : min(index, 2)
            let ridge = highestRoof / level.rate
            let floor = max(
                pow(10, Double(intensities.low)),
                1e9 * pow(10, Double(rates.low)) / level.rate
            )
            lines.append(
                line(
                    x(floor),
                    y(floor * level.rate),
                    x(ridge),
                    y(highestRoof),
                    colours[style],
                    isMemory ? 2.5 : 1.5,
                    dashes[style]
                )
            )
        }
        let start = x(gemm / (calibration.levels[0].rate))
        lines.append(line(min(start, left + width), y(gemm), left + width, y(gemm), "#000000", 2.5))
        lines.append(
            text(left + width + 8, y(gemm) + 4, "double " + siText(gemm, "flop/s"))
        )
        if highestRoof > gemm {
            let begin = min(x(highestRoof / calibration.levels[0].rate), left + width)
            let at = y(highestRoof)
            lines.append(line(begin, at, left + width, at, "#000000", 1.5, "6 3"))
            lines.append(text(left + width + 8, at + 4, "single " + siText(highestRoof, "flop/s")))
        }
        // The legend of the slopes, below the roof's end.
        for (index, level) in calibration.levels.enumerated() {
            let isMemory = index == calibration.levels.count - 1
            let style = isMemory ? 3 : min(index, 2)
            let at = y(gemm) + 34 + 22 * Double(index)
            let begin = left + width + 8
            lines.append(
                line(begin, at - 4, begin + 26, at - 4, colours[style], 2, dashes[style])
            )
            lines.append(text(begin + 32, at, "\(level.name) \(siText(level.rate, "B/s"))"))
        }
        return lines
    }

    private var marks: [String] {
        var lines: [String] = []
        var taken: [(x: Double, y: Double)] = []
        let shares = zip(calibration.points, calibration.efficiencies.map(\.1))
        for (point, share) in shares.sorted(by: { $0.0.rate > $1.0.rate }) {
            let (px, py) = (x(point.intensity), y(point.rate))
            let tip =
                "\(point.kernel.rawValue): \(siText(point.rate, "flop/s")) at "
                + "\(NumberText.fixed(point.intensity, 2)) flop/byte, "
                + "\(NumberText.fixed(100 * share, 0)) % of its roofline"
            lines.append(
                "<circle cx=\"\(number(px))\" cy=\"\(number(py))\" r=\"5\" fill=\"#D55E00\" "
                    + "stroke=\"#ffffff\"><title>\(escapedForHTML(tip))</title></circle>"
            )
            // A name goes below another that would lie under it.
            var at = (x: px + 8, y: py + 15)
            while taken.contains(where: { abs($0.x - at.x) < 52 && abs($0.y - at.y) < 13 }) {
                at.y += 13
            }
            taken.append(at)
            // A white edge keeps the name readable on a roof.
            lines.append(
                "<text x=\"\(number(at.x))\" y=\"\(number(at.y))\" paint-order=\"stroke\" "
                    + "stroke=\"#ffffff\" stroke-width=\"3\">\(point.kernel.rawValue)</text>"
            )
        }
        return lines
    }

    // MARK: Writing

    private func line(
        _ x1: Double,
        _ y1: Double,
        _ x2: Double,
        _ y2: Double,
        _ colour: String,
        _ thickness: Double,
        _ dash: String = ""
    ) -> String {
        "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" "
            + "stroke=\"\(colour)\" stroke-width=\"\(number(thickness))\""
            + (dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\"") + "/>"
    }

    private func text(
        _ x: Double,
        _ y: Double,
        _ content: String,
        _ anchor: String = "start",
        size: Int = 13,
        colour: String = "#000000"
    ) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\" "
            + "font-size=\"\(size)\" fill=\"\(colour)\">\(escapedForHTML(content))</text>"
    }

    private func number(_ value: Double) -> String { NumberText.fixed(value, 1) }

    private func powerText(_ power: Int) -> String {
        switch power {
        case 0...4: "1" + String(repeating: "0", count: power)
        case -3...(-1): "0." + String(repeating: "0", count: -power - 1) + "1"
        default: "1e\(power)"
        }
    }
}
