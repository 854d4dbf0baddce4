import Glibc
import Quantities

/// One axis of a plot: what it means, from where to where, and which values are written beside it.
public struct PlotAxis: Hashable, Sendable {
    /// A value that is written beside the axis.
    public struct Tick: Hashable, Sendable {
        /// Where.
        public var value: Double
        /// What is written.
        public var text: String

        /// Makes a tick.
        public init(_ value: Double, _ text: String) {
            self.value = value
            self.text = text
        }
    }

    /// What the axis shows, with the unit.
    public var label: String
    /// From where to where.
    public var range: ClosedRange<Double>
    /// Whether equal steps are equal factors.
    public var isLogarithmic: Bool
    /// The values that are written, rising.
    public var ticks: [Tick]

    /// Makes an axis. A range of nothing is widened.
    public init(label: String, range: ClosedRange<Double>, isLogarithmic: Bool, ticks: [Tick]) {
        self.label = label
        let isEmpty = range.lowerBound == range.upperBound
        let wider = isLogarithmic ? range.lowerBound * 10 : range.lowerBound + 1
        let shown = isEmpty ? range.lowerBound...wider : range
        self.range = shown
        self.isLogarithmic = isLogarithmic
        self.ticks = ticks.filter { shown.contains($0.value) }
    }

    /// From `minimum` to the round number at or above `maximum`, in steps of 1, 2 or 5.
    public static func linear(
        _ label: String,
        from minimum: Double = 0,
        to maximum: Double,
        tickCount: Int = 5
    ) -> Self {
        let span = max(maximum - minimum, 1e-9)
        let step = roundStep(span / Double(tickCount))
        let first = (minimum / step).rounded(.down)
        let last = (maximum / step - 1e-9).rounded(.up)
        let decimals = step >= 1 ? 0 : Int((-log10(step)).rounded(.up))
        let ticks = stride(from: first, through: max(last, first + 1), by: 1).map { count in
            Tick(count * step, quantity(count * step, decimals: min(9, decimals)))
        }
        return Self(
            label: label,
            range: first * step...max(last, first + 1) * step,
            isLogarithmic: false,
            ticks: ticks
        )
    }

    /// Whole decades around `range`; what is not positive is taken as the lower bound.
    public static func logarithmic(_ label: String, _ range: ClosedRange<Double>) -> Self {
        let low = log10(max(range.lowerBound, 1e-12)).rounded(.down)
        let high = max(low + 1, (log10(max(range.upperBound, 1e-12)) - 1e-9).rounded(.up))
        let every = max(1, ((high - low) / 8).rounded(.up))
        let ticks = stride(from: low, through: high, by: every).map { exponent in
            let value = pow(10, exponent)
            let decimals = exponent < 0 ? Int(-exponent) : 0
            return Tick(value, quantity(value, decimals: min(9, decimals)))
        }
        return Self(
            label: label,
            range: pow(10, low)...pow(10, high),
            isLogarithmic: true,
            ticks: ticks
        )
    }

    /// Lengths of time from a second to `maximum`, logarithmic, in the units that people use.
    public static func durations(_ label: String, to maximum: Double) -> Self {
        let ticks = [
            Tick(1, "1 s"), Tick(10, "10 s"), Tick(60, "1 min"), Tick(600, "10 min"),
            Tick(3_600, "1 h"), Tick(21_600, "6 h"), Tick(86_400, "1 d"), Tick(604_800, "7 d"),
            Tick(2_592_000, "30 d"), Tick(31_536_000, "1 a"), Tick(315_360_000, "10 a"),
        ]
        let end = ticks.first { $0.value >= maximum }?.value ?? maximum
        return Self(label: label, range: 1...max(10, end), isLogarithmic: true, ticks: ticks)
    }

    /// Time of a log, in seconds from its start: dates when the log tells when it started (or counts
    /// from 1970), else days (hours, when it is short).
    public static func time(
        _ seconds: ClosedRange<Double>,
        unixStart: Int64,
        tickCount: Int = 7,
        in words: ReportLanguage = .english
    ) -> Self {
        let steps: [Double] = [
            1, 2, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800,
            604_800,
            1_209_600, 2_592_000, 5_184_000, 7_776_000, 15_552_000, 31_536_000, 63_072_000,
            157_680_000, 315_360_000,
        ]
        let wanted = (seconds.upperBound - seconds.lowerBound) / Double(tickCount)
        let step = steps.first { $0 >= wanted } ?? (wanted / 315_360_000).rounded(.up) * 315_360_000
        // Some logs name no start and submit at Unix times; those are dates as well.
        let isDated = unixStart > 0 || seconds.lowerBound >= 1e9
        // Dates stand at midnight UTC, not at the second at which the log happens to start.
        let origin = Double(unixStart)
        let first = ((seconds.lowerBound + origin) / step).rounded(.up) * step - origin
        let ticks = stride(from: first, through: seconds.upperBound, by: step).map { value in
            Tick(
                value,
                isDated
                    ? dateText(unixStart + Int64(value), step: step)
                    : lengthText(value, step: step)
            )
        }
        return Self(
            label: isDated
                ? words("时间（UTC）", "time (UTC)")
                : words("自日志开始的时间", "time from the start of the log"),
            range: seconds,
            isLogarithmic: false,
            ticks: ticks
        )
    }

    /// A time from the start in the unit that tells neighbours apart.
    private static func lengthText(_ seconds: Double, step: Double) -> String {
        switch step {
        case ..<60: "\(NumberText.fixed(seconds, 0)) s"
        case ..<1_800: "\(NumberText.fixed(seconds / 60, 0)) min"
        case ..<3_600: "\(NumberText.fixed(seconds / 3_600, 1)) h"
        case ..<86_400: "\(NumberText.fixed(seconds / 3_600, 0)) h"
        default: "\(NumberText.fixed(seconds / 86_400, 0)) d"
        }
    }

    private static func dateText(_ unixSeconds: Int64, step: Double) -> String {
        let time = CivilTime(SimInstant(seconds: unixSeconds), offsetSeconds: 0)
        let clock = time.iso8601.dropFirst(11)
        switch step {
        case ..<60: return String(clock.prefix(8))
        case ..<86_400: return "\(time.dateText.suffix(5)) \(clock.prefix(5))"
        default: return time.dateText
        }
    }

    /// Where a value is, from 0 to 1; what is outside is brought to the nearer end.
    func position(_ value: Double) -> Double {
        let clamped = min(max(value, range.lowerBound), range.upperBound)
        if isLogarithmic {
            let (low, high) = (log10(range.lowerBound), log10(range.upperBound))
            return (log10(clamped) - low) / (high - low)
        }
        return (clamped - range.lowerBound) / (range.upperBound - range.lowerBound)
    }

    private static func roundStep(_ wanted: Double) -> Double {
        let power = pow(10, log10(wanted).rounded(.down))
        return [1.0, 2, 5, 10].first { $0 * power >= wanted * 0.999 }.map { $0 * power } ?? wanted
    }

    /// `0.05`, `250`, `1,500`, `20 k`, `3 M`.
    static func quantity(_ value: Double, decimals: Int) -> String {
        let units: [(Double, String)] = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e4, " k")]
        for (limit, unit) in units where abs(value) >= limit {
            let scale = limit == 1e4 ? 1e3 : limit
            let scaled = value / scale
            return NumberText.fixed(scaled, scaled == scaled.rounded() ? 0 : 1) + unit
        }
        return decimals == 0
            ? Int64(value.rounded()).groupedText : NumberText.fixed(value, decimals)
    }
}
