import Determinism
import Quantities
import Testing
import WireFormats

@testable import Catalog

@Suite("CSV")
struct CSVTextTests {
    @Test(
        "No field begins like a formula, and each is read back as it was",
        arguments: [
            ("=cmd()", "'=cmd()"), ("+1", "'+1"), ("-1", "'-1"), ("@sum", "'@sum"),
            ("\ttab", "'\ttab"), ("\rreturn", "\"'\rreturn\""), ("\nline", "\"'\nline\""),
            ("＝全角", "'＝全角"), ("'=", "''="), ("'tis", "'tis"), ("a=b", "a=b"), ("", ""),
            ("=\"a\",1", "\"'=\"\"a\"\",1\""),
        ]
    )
    func formulas(text: String, field: String) throws {
        #expect(csvField(text) == field)
        var rows = CSVRows(text: "x,\(field)\n", file: "test.csv")
        #expect(try rows.next()?.cells == ["x", text])
    }

    @Test("Whatever the texts are, a file gives them back", arguments: 0..<200)
    func roundTrip(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed), stream: "csv")
        let alphabet = Array("'=+-@\t\r\n\",;a渤 ＝")
        let texts = (0..<5).map { _ in
            String((0..<random.draw(0...6)).map { _ in alphabet[random.draw(0...13)] })
        }
        var csv = CSVText(
            header: ["a", "b", "c", "d", "e", "n"],
            hasByteOrderMark: seed.isMultiple(of: 2)
        )
        csv.add(texts.map { .text($0) } + [.number(-7)])
        var rows = CSVRows(text: csv.text, file: "test.csv")
        #expect(try rows.next()?.cells == ["a", "b", "c", "d", "e", "n"], "seed \(seed)")
        #expect(try rows.next()?.cells == texts + ["-7"], "seed \(seed): \(csv.text)")
        #expect(try rows.next() == nil)
    }

    @Test("Amounts are numbers, negative ones too")
    func amounts() {
        var csv = CSVText(header: ["fen", "yuan", "day", "none"])
        csv.add([.number(-123_456), .yuan(Fen(-123_456)), .literal("2026-11-01"), .empty])
        #expect(csv.text == "fen,yuan,day,none\n-123456,-1234.56,2026-11-01,\n")
    }
}
