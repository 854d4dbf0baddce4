import Determinism

/// Random variates and distribution functions that have the same bits on every machine.
enum Distributions {
    /// The quantile of the standard normal distribution; relative error below 1.2e-9.
    ///
    /// Source: Acklam, "An algorithm for computing the inverse normal cumulative distribution
    /// function", 2003.
    /// - Precondition: `0 < p < 1`.
    static func normalQuantile(_ p: Double) -> Double {
        precondition(p > 0 && p < 1)
        if p > 0.5 { return -normalQuantile(1 - p) }
        func polynomial(_ coefficients: [Double], _ x: Double) -> Double {
            coefficients.reduce(0) { $0 * x + $1 }
        }
        if p < 0.02425 {
            let q = (-2 * ReproducibleMath.naturalLog(p)).squareRoot()
            return polynomial(
                [
                    -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838,
                    -2.549732539343734, 4.374664141464968, 2.938163982698783,
                ],
                q
            )
                / polynomial(
                    [
                        7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996,
                        3.754408661907416, 1,
                    ],
                    q
                )
        }
        let q = p - 0.5
        let r = q * q
        return polynomial(
            [
                -3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02,
                1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239,
            ],
            r
        ) * q
            / polynomial(
                [
                    -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                    6.680131188771972e+01, -1.328068155288572e+01, 1,
                ],
                r
            )
    }

    /// The share of a gamma distribution of shape `shape` and scale `scale` that lies below `x`.
    ///
    /// Source: the series and the continued fraction (in Lentz's form) of Abramowitz and Stegun, 6.5.29
    /// and 6.5.31.
    static func gammaShare(below x: Double, shape: Double, scale: Double) -> Double {
        guard x > 0 else { return 0 }
        let t = x / scale
        let front = ReproducibleMath.exponential(
            shape * ReproducibleMath.naturalLog(t) - t - logGamma(shape)
        )
        if t < shape + 1 {
            var term = 1 / shape
            var sum = term
            var divisor = shape
            while abs(term) > abs(sum) * 1e-15 {
                divisor += 1
                term *= t / divisor
                sum += term
            }
            return front * sum
        }
        let tiny = 1e-300
        var b = t + 1 - shape
        var c = 1 / tiny
        var d = 1 / b
        var fraction = d
        for index in 1...1_000 {
            let a = -Double(index) * (Double(index) - shape)
            b += 2
            d = a * d + b
            if abs(d) < tiny { d = tiny }
            c = b + a / c
            if abs(c) < tiny { c = tiny }
            d = 1 / d
            fraction *= d * c
            if abs(d * c - 1) < 1e-15 { break }
        }
        return 1 - front * fraction
    }

    /// ln Γ(x), relative error below 1e-13. Source: Lanczos's approximation, g = 7 and nine terms.
    ///
    /// - Precondition: `x > 0.5`.
    static func logGamma(_ x: Double) -> Double {
        precondition(x > 0.5)
        let terms = [
            0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
            -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
            1.5056327351493116e-7,
        ]
        let y = x - 1
        var sum = terms[0]
        for index in 1..<terms.count { sum += terms[index] / (y + Double(index)) }
        let t = y + 7.5
        return 0.91893853320467274 + (y + 0.5) * ReproducibleMath.naturalLog(t) - t
            + ReproducibleMath.naturalLog(sum)
    }
}

extension SplitMix64 {
    /// A number in the open interval from 0 to 1.
    mutating func unit() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

    /// A standard normal variate.
    mutating func normal() -> Double { Distributions.normalQuantile(unit()) }

    /// A gamma variate.
    ///
    /// Source: Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", TOMS 26 (2000).
    /// - Precondition: `shape >= 1`.
    mutating func gamma(shape: Double, scale: Double) -> Double {
        precondition(shape >= 1)
        let d = shape - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal()
            let v = 1 + c * x
            guard v > 0 else { continue }
            let cube = v * v * v
            let u = ReproducibleMath.naturalLog(unit())
            if u < 0.5 * x * x + d - d * cube + d * ReproducibleMath.naturalLog(cube) {
                return d * cube * scale
            }
        }
    }

    /// The position that a draw falls on in running sums of weights.
    ///
    /// - Precondition: `sums` rise and end above zero.
    mutating func position(in sums: [UInt32]) -> Int {
        let place = UInt32(below(UInt64(sums[sums.count - 1])))
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] <= place { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Whether something happens that happens `share` times of 10,000.
    mutating func happens(_ share: UInt64) -> Bool { below(10_000) < share }
}
