public import Quantities

/// Amounts in capital numerals (大写金额), as accounting documents in China bear them beside figures.
///
/// By the Ministry of Finance's 会计基础工作规范, article 52, and annex 1 of the People's Bank's
/// 支付结算办法: zeros between digits are one 零, also across empty groups of four; after 元 or 角 stands
/// 整, after 分 nothing; 角 that is nought before 分 is 零. Where a 零 may stand or not (before 角 after a
/// yuan that ends in nought), it is left out.
public enum ChineseCapitals {
    private static let digits = ["零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"]

    /// The amount: `壹仟陆佰捌拾元叁角贰分`; below zero with 负 before it.
    public static func text(_ amount: Fen) -> String {
        let (yuan, rest) = amount.count.magnitude.quotientAndRemainder(dividingBy: 100)
        let (jiao, fen) = rest.quotientAndRemainder(dividingBy: 10)
        var text = amount < .zero ? "负" : ""
        if yuan > 0 || rest == 0 { text += (yuan > 0 ? whole(yuan) : "零") + "元" }
        if jiao > 0 {
            text += digits[Int(jiao)] + "角"
        } else if fen > 0, yuan > 0 {
            text += "零"
        }
        return text + (fen > 0 ? digits[Int(fen)] + "分" : "整")
    }

    /// A number above zero: what is above 10⁸ is read as a number of 亿, and so is that.
    private static func whole(_ number: UInt64) -> String {
        for (unit, name) in [(UInt64(100_000_000), "亿"), (10_000, "万")] where number >= unit {
            let (high, low) = number.quotientAndRemainder(dividingBy: unit)
            guard low > 0 else { return whole(high) + name }
            return whole(high) + name + (low < unit / 10 ? "零" : "") + whole(low)
        }
        return group(Int(number))
    }

    /// Up to four digits, the first of which is not nought.
    private static func group(_ number: Int) -> String {
        var text = ""
        var isAfterZero = false
        for (unit, name) in [(1_000, "仟"), (100, "佰"), (10, "拾"), (1, "")] where number >= unit {
            let digit = number / unit % 10
            if digit == 0 {
                isAfterZero = true
            } else {
                text += (isAfterZero ? "零" : "") + digits[digit] + name
                isAfterZero = false
            }
        }
        return text
    }
}
