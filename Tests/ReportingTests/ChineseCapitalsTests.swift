import Determinism
import Quantities
import Reporting
import Testing

@Suite("Amounts in capitals")
struct ChineseCapitalsTests {
    @Test(
        "The examples of the rules, and corners",
        arguments: [
            (0, "零元整"), (1, "壹分"), (10, "壹角整"), (11, "壹角壹分"), (100, "壹元整"),
            (105, "壹元零伍分"), (150, "壹元伍角整"), (1_000, "壹拾元整"), (140_950, "壹仟肆佰零玖元伍角整"),
            (600_714, "陆仟零柒元壹角肆分"), (168_032, "壹仟陆佰捌拾元叁角贰分"),
            (10_700_053, "壹拾万柒仟元伍角叁分"), (1_640_902, "壹万陆仟肆佰零玖元零贰分"),
            (32_504, "叁佰贰拾伍元零肆分"), (10_000_050_000, "壹亿零伍佰元整"),
            (100_000_000_000_000, "壹万亿元整"), (100_000_001_000_000, "壹万亿零壹万元整"),
            (1_000_000_000_000_000, "壹拾万亿元整"), (-398_250, "负叁仟玖佰捌拾贰元伍角整"),
        ]
    )
    func examples(fen: Int64, text: String) {
        #expect(ChineseCapitals.text(Fen(fen)) == text)
    }

    /// Another way to the same spelling: every digit with its unit, noughts too, then the noughts
    /// are thinned out.
    private static func spelledDigitByDigit(_ fen: Int64) -> String {
        let digits = Array("零壹贰叁肆伍陆柒捌玖").map(String.init)
        let units = ["元", "拾", "佰", "仟", "万", "拾", "佰", "仟", "亿", "拾", "佰", "仟", "万", "拾"]
        let (yuan, rest) = fen.quotientAndRemainder(dividingBy: 100)
        let places = Array(String(yuan)).compactMap(\.wholeNumberValue)
        var text = ""
        for (index, digit) in places.enumerated() {
            text += digits[digit] + units[places.count - 1 - index]
        }
        // The unit of a group of four stays though its last digit is nought.
        for unit in ["拾", "佰", "仟"] { text = text.replacing("零" + unit, with: "零") }
        while text.contains("零零") { text = text.replacing("零零", with: "零") }
        for unit in ["元", "万", "亿"] { text = text.replacing("零" + unit, with: unit) }
        text = text.replacing("亿万", with: "亿")
        // An empty group has left its unit behind; the nought that it stood for is said.
        if yuan >= 100_000_000, yuan / 10_000 % 10_000 == 0, yuan % 10_000 >= 1_000 {
            text = text.replacing("亿", with: "亿零")
        }
        text = text.replacing("零零", with: "零")
        if yuan == 0 { text = rest == 0 ? "零元" : "" }
        let (jiao, cent) = rest.quotientAndRemainder(dividingBy: 10)
        switch (jiao, cent) {
        case (0, 0): return text + "整"
        case (_, 0): return text + digits[Int(jiao)] + "角整"
        case (0, _): return text + (yuan > 0 ? "零" : "") + digits[Int(cent)] + "分"
        default: return text + digits[Int(jiao)] + "角" + digits[Int(cent)] + "分"
        }
    }

    @Test("Spelled digit by digit it is the same, up to 10¹⁵ fen", arguments: 0..<300)
    func anotherWay(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed), stream: "capitals")
        for _ in 0..<200 {
            // Few digits that are not nought, in random places: the hard ones.
            var fen: Int64 = 0
            var place: Int64 = 1
            for _ in 0..<random.draw(1...15) {
                if random.draw(0...2) == 0 { fen += place * Int64(random.draw(1...9)) }
                place *= 10
            }
            #expect(
                ChineseCapitals.text(Fen(fen)) == Self.spelledDigitByDigit(fen),
                "seed \(seed): \(fen)"
            )
        }
    }
}
