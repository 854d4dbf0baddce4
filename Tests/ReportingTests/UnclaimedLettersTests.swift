@testable import Billing
import Quantities
import Testing

@testable import Reporting

@Suite("Letters to enterprises")
struct UnclaimedLettersTests {
    private func letters(_ language: ReportLanguage) throws -> UnclaimedLetters {
        let row = BillingBook.Unclaimed(
            rule: "teda-machine-hour",
            enterprise: "渤海<汽车>",
            year: 2026,
            fee: 1_000_000,
            entitled: 500_000,
            granted: 120_000
        )
        var other = row
        other.enterprise = "haihe"
        return UnclaimedLetters(
            [row, other],
            rules: [.tedaMachineHour],
            date: try #require(BillingDay("2026-11-29")),
            in: language
        )
    }

    @Test("An enterprise is told what it could have, under which rule, in its language")
    func chinese() throws {
        let letters = try letters(.chinese)
        #expect(letters.letters.map(\.enterprise) == ["haihe", "渤海<汽车>"])
        let text = letters.letters[1].text
        #expect(text.contains("渤海<汽车>："))
        #expect(text.contains("尚有 3,800.00 元未获得"))
        #expect(text.contains("补贴比例 50 %。年度上限 2,000,000.00 元。"))
        #expect(text.contains("截至 2026-11-29 的账目"))
        #expect(!text.contains("Entitled"))
    }

    @Test("Both languages follow each other, and a page escapes names")
    func both() throws {
        let letters = try letters(.both)
        let text = letters.letters[1].text
        #expect(text.contains("应得（元）") && text.contains("Entitled (CNY)"))
        #expect(text.contains("It pays 50 % of the fee. At most 2,000,000.00 CNY a year."))
        #expect(letters.html.contains("渤海&lt;汽车&gt;") && !letters.html.contains("渤海<汽车>"))
        #expect(letters.html.split(separator: "<section>").count == 3)
        #expect(letters.text.split(separator: "\u{0C}").count == 2)
        #expect(letters.html(of: letters.letters[0]).split(separator: "<section>").count == 2)
    }
}
