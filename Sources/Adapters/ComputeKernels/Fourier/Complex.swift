internal import Glibc

/// A complex number, for making inputs and judging answers.
struct Complex: Hashable, Sendable {
    var real: Double
    var imaginary: Double

    static func * (left: Self, right: Self) -> Self {
        Complex(
            real: left.real * right.real - left.imaginary * right.imaginary,
            imaginary: left.real * right.imaginary + left.imaginary * right.real
        )
    }

    /// The discrete Fourier transform by its definition, in n² steps. Sums are compensated
    /// (Kahan 1965), so their error does not grow with n and a fast transform can be judged by it.
    static func transform(_ values: [Complex]) -> [Complex] {
        let count = values.count
        let roots = (0..<count).map { index in
            let angle = -2 * Double.pi * Double(index) / Double(count)
            return Complex(real: cos(angle), imaginary: sin(angle))
        }
        return (0..<count).map { frequency in
            var sum = CompensatedSum()
            var imaginarySum = CompensatedSum()
            for (index, value) in values.enumerated() {
                let term = value * roots[index * frequency % count]
                sum.add(term.real)
                imaginarySum.add(term.imaginary)
            }
            return Complex(real: sum.value, imaginary: imaginarySum.value)
        }
    }
}

/// A sum that carries along what rounding cut off.
struct CompensatedSum {
    private(set) var value = 0.0
    private var lost = 0.0

    mutating func add(_ term: Double) {
        let corrected = term - lost
        let next = value + corrected
        lost = (next - value) - corrected
        value = next
    }
}

/// The logarithm to base 2.
func binaryLogarithm(_ value: Double) -> Double {
    log2(value)
}

/// e to the power of `value`.
func exponential(_ value: Double) -> Double {
    exp(value)
}
