import Determinism
import Foundation
import Testing

@Suite("Reproducible functions of real numbers")
struct ReproducibleMathTests {
    @Test("logarithms agree with the C library's to 1e-14")
    func logarithms() {
        var random = SplitMix64(seed: 20_261_121)
        for _ in 0..<20_000 {
            let x =
                Double(random.next() >> 11) * Foundation.pow(2, Double(random.below(80)) - 60)
            guard x > 0 else { continue }
            let expected = Foundation.log(x)
            let error = abs(ReproducibleMath.naturalLog(x) - expected)
            #expect(error <= 1e-14 * max(1, abs(expected)), "x = \(x)")
        }
        #expect(ReproducibleMath.log10(1) == 0)
        #expect(ReproducibleMath.log10(1_000) == 3)
        #expect(ReproducibleMath.log2(1_024) == 10)
        #expect(ReproducibleMath.log2(0.125) == -3)
    }

    @Test("halving is 2 to the minus y")
    func halving() {
        #expect(ReproducibleMath.halved(0) == 1)
        #expect(ReproducibleMath.halved(3) == 0.125)
        #expect(ReproducibleMath.halved(5_000) == 0)
        for step in 1..<2_000 {
            let y = Double(step) / 173
            #expect(abs(ReproducibleMath.halved(y) / Foundation.exp2(-y) - 1) < 1e-13, "y = \(y)")
        }
    }
}
