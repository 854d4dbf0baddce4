/// Functions of real numbers whose last bit is the same on every machine.
///
/// The C library's `log` and `exp2` may differ in the last bit between machines, and one bit is
/// enough to change which of two jobs goes first. These use nothing but additions, products,
/// quotients and square roots, which IEEE 754 rounds in one way only.
public enum ReproducibleMath {
    /// ln 2, rounded to the nearest.
    private static let naturalLogOf2 = 0x1.62e42fefa39efp-1
    /// ln 10, rounded to the nearest.
    private static let naturalLogOf10 = 0x1.26bb1bbb55516p+1

    /// The natural logarithm, within some units of the last place.
    ///
    /// - Precondition: `x` is finite and above zero.
    public static func naturalLog(_ x: Double) -> Double {
        precondition(x > 0 && x.isFinite)
        var exponent = Double(x.exponent)
        var significand = x.significand
        if significand > 1.4142135623730951 {
            significand /= 2
            exponent += 1
        }
        // ln m = 2 artanh s with s = (m − 1)/(m + 1), |s| ≤ 0.172: twelve terms are enough.
        let s = (significand - 1) / (significand + 1)
        let square = s * s
        var sum = 0.0
        for term in stride(from: 23, through: 1, by: -2) { sum = sum * square + 1 / Double(term) }
        return exponent * naturalLogOf2 + 2 * s * sum
    }

    /// The logarithm to the base 10. Exact for powers of ten up to 10²².
    public static func log10(_ x: Double) -> Double {
        let logarithm = naturalLog(x) / naturalLogOf10
        let nearest = logarithm.rounded()
        guard nearest >= 0, nearest <= 22 else { return logarithm }
        let power = (0..<Int(nearest)).reduce(1.0) { product, _ in product * 10 }
        return power == x ? nearest : logarithm
    }

    /// The logarithm to the base 2. Exact for powers of two.
    public static func log2(_ x: Double) -> Double {
        if x.significand == 1 { return Double(x.exponent) }
        return naturalLog(x) / naturalLogOf2
    }

    /// 2⁻ʸ.
    ///
    /// - Precondition: `y` is not negative.
    public static func halved(_ y: Double) -> Double {
        precondition(y >= 0)
        guard y < 1_074 else { return 0 }
        let whole = y.rounded(.down)
        var rest = y - whole
        var result = 1.0
        // 2^-(b₁/2 + b₂/4 + …): a square root for each bit of the fraction.
        var root = 0.5
        while rest > 0 {
            root = root.squareRoot()
            rest *= 2
            if rest >= 1 {
                result *= root
                rest -= 1
            }
        }
        return result * Double(sign: .plus, exponent: -Int(whole), significand: 1)
    }

    /// eˣ, within some units of the last place; infinity when it is beyond all doubles.
    ///
    /// - Precondition: `x` is finite.
    public static func exponential(_ x: Double) -> Double {
        precondition(x.isFinite)
        guard x > -745 else { return 0 }
        guard x < 709.78 else { return .infinity }
        // eˣ = 2ᵏ·eʳ with |r| ≤ ln 2 / 2: sixteen terms of the series are enough.
        let k = (x / naturalLogOf2).rounded()
        let r = x - k * naturalLogOf2
        var sum = 1.0
        for term in stride(from: 16, through: 1, by: -1) { sum = 1 + sum * r / Double(term) }
        // Two steps, since 2⁻¹⁰⁷⁴ is no normal number.
        let half = Int(k / 2)
        return sum * Double(sign: .plus, exponent: half, significand: 1)
            * Double(sign: .plus, exponent: Int(k) - half, significand: 1)
    }

    /// cos x, within 1e-15 for arguments of a few turns.
    ///
    /// - Precondition: `x` is finite.
    public static func cosine(_ x: Double) -> Double {
        precondition(x.isFinite)
        let turn = 0x1.921fb54442d18p+2
        let rest = x - (x / turn).rounded() * turn
        // |rest| ≤ π: the series up to x³⁰.
        let square = rest * rest
        var sum = 1.0
        for term in stride(from: 30, through: 2, by: -2) {
            sum = 1 - sum * square / Double(term * (term - 1))
        }
        return sum
    }

    /// `base` to the power of `exponent`; infinity when it is beyond all doubles.
    ///
    /// - Precondition: `base` is finite and above zero, `exponent` is finite.
    public static func power(_ base: Double, _ exponent: Double) -> Double {
        let doublings = log2(base) * exponent
        return doublings > 0 ? 1 / halved(doublings) : halved(-doublings)
    }
}
