/// How numbers are written in reports, without a locale.
public enum NumberText {
    /// `value` with `decimals` decimals, rounded half away from zero; `-0.5` and two decimals give
    /// `-0.50`. What does not fit 64 bits so, or is no number, is a dash: logs may claim anything.
    ///
    /// - Precondition: `0 <= decimals <= 9`.
    public static func fixed(_ value: Double, _ decimals: Int) -> String {
        precondition((0...9).contains(decimals))
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        guard let scaled = Int64(exactly: (value.magnitude * scale).rounded()) else { return "–" }
        let digits = String(scaled)
        let padded =
            String(repeating: "0", count: max(0, decimals + 1 - digits.utf8.count)) + digits
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard decimals > 0 else { return sign + padded }
        return "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
    }

    /// Parts per million as a percentage without trailing zeros: `50 %`, `33.3333 %`.
    public static func percent(ppm: Int64) -> String {
        let (whole, rest) = ppm.quotientAndRemainder(dividingBy: 10_000)
        guard rest != 0 else { return "\(whole) %" }
        var decimals = String(10_000 + rest).dropFirst()
        while decimals.hasSuffix("0") { decimals.removeLast() }
        return "\(whole).\(decimals) %"
    }

    /// A time in µs as seconds; whole seconds without decimals: `12`, `12.5`.
    public static func seconds(microseconds: Int64) -> String {
        let text: ByteText = "\(seconds: microseconds)"
        return String(decoding: text.bytes, as: UTF8.self)
    }
}
