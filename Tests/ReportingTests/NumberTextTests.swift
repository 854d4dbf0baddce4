import Reporting
import Testing

@Suite("Numbers in reports")
struct NumberTextTests {
    @Test(
        "A number is rounded half away from zero; what no report can hold is a dash",
        arguments: [
            (-0.5, 2, "-0.50"), (0.004, 2, "0.00"), (-0.004, 2, "0.00"),
            (1.005e9, 1, "1005000000.0"),
            (9.2e18, 0, "9200000000000000000"), (5.6e17, 3, "–"), (1e300, 0, "–"), (-1e300, 1, "–"),
            (.infinity, 0, "–"), (.nan, 3, "–"),
        ] as [(Double, Int, String)]
    )
    func fixed(value: Double, decimals: Int, text: String) {
        #expect(NumberText.fixed(value, decimals) == text)
    }

    @Test("Parts per million are a percentage without trailing zeros")
    func percent() {
        let texts = [0, 60_000, 333_333, 1_000_000, 125_000].map { NumberText.percent(ppm: $0) }
        #expect(texts == ["0 %", "6 %", "33.3333 %", "100 %", "12.5 %"])
    }
}
