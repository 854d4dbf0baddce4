/// How numbers are written in reports, without a locale.
public enum NumberText {
    /// `value` with `decimals` decimals, rounded half away from zero; `-0.5` and two decimals give
    /// `-0.50`.
    ///
    /// - Precondition: `0 <= decimals <= 9`, and the value is below 9·10⁹ in magnitude.
    public static func fixed(_ value: Double, _ decimals: Int) -> String {
        precondition((0...9).contains(decimals))
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int64((value.magnitude * scale).rounded())
        let digits = String(scaled)
        let padded =
            String(repeating: "0", count: max(0, decimals + 1 - digits.utf8.count)) + digits
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard decimals > 0 else { return sign + padded }
        return "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
    }

    /// An integer with groups of three: `1,234,567`.
    public static func grouped(_ value: Int64) -> String {
        var digits = Array(String(value.magnitude).utf8)
        var position = digits.count - 3
        while position > 0 {
            digits.insert(UInt8(ascii: ","), at: position)
            position -= 3
        }
        return (value < 0 ? "-" : "") + String(decoding: digits, as: UTF8.self)
    }

    /// A time in µs as seconds; whole seconds without decimals: `12`, `12.5`.
    public static func seconds(microseconds: Int64) -> String {
        let magnitude = microseconds.magnitude
        let sign = microseconds < 0 ? "-" : ""
        let rest = magnitude % 1_000_000
        guard rest > 0 else { return "\(sign)\(magnitude / 1_000_000)" }
        var decimals = String(rest)
        decimals = String(repeating: "0", count: 6 - decimals.utf8.count) + decimals
        while decimals.last == "0" { decimals.removeLast() }
        return "\(sign)\(magnitude / 1_000_000).\(decimals)"
    }
}
