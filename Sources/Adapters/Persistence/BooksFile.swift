/// A ledger as a text file, for books that no daemon keeps: one line an entry, `number TAB hash TAB
/// canonical text`, chained like the ledger of a centre.
public enum BooksFile {
    /// The file of these entries.
    public static func text(_ rows: [LedgerRow]) -> String {
        var text = ""
        var chain = HashChain()
        for (index, row) in rows.enumerated() {
            chain.extend(ledgerSequence: Int64(index + 1), row)
            text += "\(index + 1)\t\(chain.hexText)\t\(row.text)\n"
        }
        return text
    }

    /// The end of the chain over these entries, in hexadecimal.
    public static func head(_ rows: some Sequence<LedgerRow>) -> String {
        var chain = HashChain()
        for (index, row) in rows.enumerated() {
            chain.extend(ledgerSequence: Int64(index + 1), row)
        }
        return chain.hexText
    }

    /// What in `text` is not what these entries give, by line; empty when nothing is.
    public static func differences(_ text: String, from rows: [LedgerRow]) -> [String] {
        let found = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        let expected = self.text(rows).split(separator: "\n")
        var differences: [String] = []
        for (index, line) in found.enumerated() {
            guard index < expected.count else {
                differences.append("line \(index + 1): nothing gives rise to this entry: \(line)")
                continue
            }
            guard line != expected[index] else { continue }
            differences.append(
                "line \(index + 1) (\(rows[index].id)) is not what the usage gives\n"
                    + "  found     \(line)\n  expected  \(expected[index])"
            )
        }
        for index in found.count..<max(found.count, expected.count) {
            differences.append("the entry \(rows[index].id) is missing at the end")
        }
        return differences
    }
}
