import Determinism
import Testing

@testable import Reporting

@Suite("Tables and texts on a terminal")
struct TextTableTests {
    private static let words = [
        "wait", "s", "mean", "38,412.5", "utilisation", "EASY", "回放", "补贴",
        "order=fcfs,backfill=easy",
        "estimates=last2",
    ]

    private func table(_ random: inout SplitMix64) -> (table: TextTable, cells: [String]) {
        let count = random.draw(1...9)
        func word() -> String { Self.words[random.draw(0...Self.words.count - 1)] }
        let header = (0..<count).map { "\($0)" + word() }
        var table = TextTable(
            header: header,
            alignments: (0..<count).map { _ in random.draw(0...1) == 0 ? .left : .right }
        )
        var cells = header
        for _ in 0..<random.draw(0...6) {
            let row = (0..<count).map { _ in word() }
            table.add(row)
            cells += row
        }
        table.addRule()
        return (table, cells)
    }

    @Test(
        "No line is wider than the terminal, and nothing is lost",
        arguments: 0..<60 as Range<UInt64>
    )
    func fits(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let (table, cells) = table(&random)
        let wide = table.lines
        let width = random.draw(60...140)
        let lines = TextTable.$widthMaximum.withValue(width) { table.lines }
        let widest = lines.map(displayWidth).max() ?? 0
        #expect(widest <= width, "seed \(seed): \(widest)")
        if wide.map(displayWidth).max() ?? 0 <= width { #expect(lines == wide, "seed \(seed)") }
        func letters(_ texts: [String]) -> Set<Character> { Set(texts.joined()) }
        #expect(letters(cells).subtracting(letters(lines)).isSubset(of: [" "]), "seed \(seed)")
    }

    @Test("A long text takes several lines below one another")
    func longText() {
        var table = TextTable(header: ["order", "sorts"], alignments: [.left, .left])
        table.add(["f1", "by the logarithm of the run time times the number of processors"])
        table.add(["fcfs", "as they come"])
        let lines = TextTable.$widthMaximum.withValue(40) { table.lines }
        #expect(
            lines == [
                "order  sorts", "───────────────────────────────────────",
                "f1     by the logarithm of the run time",
                "         times the number of processors",
                "fcfs   as they come",
            ]
        )
    }

    @Test("Columns go below one another, each part with the first")
    func parts() {
        var table = TextTable(
            header: ["policy", "wait", "slowdown"],
            alignments: [.left, .right, .right]
        )
        table.add(["easy", "6834.3", "92.83"])
        let lines = TextTable.$widthMaximum.withValue(20) { table.lines }
        #expect(
            lines == [
                "policy    wait", "──────────────", "easy    6834.3", "", "policy  slowdown",
                "────────────────", "easy       92.83",
            ]
        )
    }

    @Test("Sentences are broken between words, and between characters of East Asia")
    func sentences() {
        #expect("short\n".folded(to: 20) == "short\n")
        #expect(
            "  a line of words that goes on".folded(to: 20)
                == "  a line of words\n    that goes on"
        )
        #expect("作业数组的元素按时限计算费用，然后合计。".folded(to: 20) == "作业数组的元素按时限\n  计算费用，然后合\n  计。")
        let path = "/a/path/without/any/blank/in/it"
        #expect(path.folded(to: 20) == path)
        #expect((path + " " + path).folded(to: nil) == path + " " + path)
    }
}
