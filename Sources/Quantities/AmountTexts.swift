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

/// `count` ÷ `unit` with one decimal, rounded half up, digits in groups of three: `4,702.2`.
///
/// - Precondition: `unit > 0`.
public func decimalText(_ count: Int64, per unit: Int64) -> String {
    precondition(unit > 0)
    let magnitude = Int128(count.magnitude) * 10
    let tenths = (magnitude + Int128(unit) / 2) / Int128(unit)
    return "\(count < 0 ? "-" : "")\((tenths / 10).groupedText).\(tenths % 10)"
}

extension ByteCount {
    /// The size in the largest binary unit that leaves at least one: `24 GiB`, `23.5 GiB`.
    public var binaryText: String {
        let units: [(name: String, shift: Int64)] = [
            ("PiB", 50), ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10),
        ]
        for (name, shift) in units where count >= 1 << shift {
            if count & ((1 << shift) - 1) == 0 { return "\((count >> shift).groupedText) \(name)" }
            return "\(decimalText(count, per: 1 << shift)) \(name)"
        }
        return "\(count) B"
    }
}
