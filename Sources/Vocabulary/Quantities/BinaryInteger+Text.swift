// How amounts are written for people. Integers only: half a digit never depends on the machine.

extension BinaryInteger {
    /// The number with its digits in groups of three: `86,016`.
    public var groupedText: String {
        var digits = Array(String(magnitude).utf8)
        var position = digits.count - 3
        while position > 0 {
            digits.insert(UInt8(ascii: ","), at: position)
            position -= 3
        }
        return (self < 0 ? "-" : "") + String(decoding: digits, as: UTF8.self)
    }
}

/// `count` ÷ `unit` with some decimals, rounded half up, digits in groups of three: `4,702.2`.
///
/// - Precondition: `unit > 0` and `decimals > 0`.
public func decimalText(_ count: Int64, per unit: Int64, decimals: Int = 1) -> String {
    precondition(unit > 0)
    precondition(decimals > 0)
    var scale: Int128 = 1
    for _ in 0..<decimals { scale *= 10 }
    let parts = (Int128(count.magnitude) * scale + Int128(unit) / 2) / Int128(unit)
    let fraction = String(parts % scale)
    let zeros = String(repeating: "0", count: decimals - fraction.utf8.count)
    return "\(count < 0 ? "-" : "")\((parts / scale).groupedText).\(zeros)\(fraction)"
}

/// A count with its noun: `1 core`, `12 cores`, `86,016 cores`, `2 switches`.
public func counted(_ count: some BinaryInteger, _ noun: String) -> String {
    let ending = noun.hasSuffix("switch") ? "es" : "s"
    return "\(count.groupedText) \(noun)\(count == 1 ? "" : ending)"
}
