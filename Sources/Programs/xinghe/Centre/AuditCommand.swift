import ArgumentParser
import LiveRuntime
import Quantities
import Reporting
import WireFormats

/// Proves the books of a centre from its state folder.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Compute everything in a centre's books again from its journal, and compare.",
        discussion: """
            Handles every input of the journal again, with the machine, the prices and the rules \
            that the journal holds, and compares what follows with what is stored: charges, \
            grants, holds and all other entries of the ledger, records of jobs, state digests, hash \
            chains; the tables themselves must be those of a centre, without triggers or views. Each \
            row that was changed, is missing or does not follow is named by table and number, and the \
            exit status is 1.

            Who rewrites the whole folder, hashes and all, is found by what was kept elsewhere: \
            --anchor FILE checks each line of a file against the chains and, when the books are true, \
            adds where they stand now. --sign-with and --verify-with take commands of a signer: the \
            line comes on standard input; the first prints a signature, the second finds it in the \
            file $XINGHE_SIGNATURE and exits with 0 when it is good.
            """
    )

    @OptionGroup var stored: StoredBook

    @OptionGroup var language: LanguageOption

    @Option(
        help: ArgumentHelp(
            "The ledger head that a statement bears: it must occur in the chain.",
            valueName: "hex"
        )
    )
    var head: String?

    @Option(
        help: ArgumentHelp(
            "Check the books against this file, kept elsewhere, and add a line to it.",
            valueName: "file"
        )
    )
    var anchor: String?

    @Option(help: ArgumentHelp("With --anchor: sign the new line.", valueName: "command"))
    var signWith: String?

    @Option(help: ArgumentHelp("With --anchor: verify all lines.", valueName: "command"))
    var verifyWith: String?

    func validate() throws {
        guard anchor != nil || (signWith == nil && verifyWith == nil) else {
            throw ValidationError("--sign-with and --verify-with go with --anchor")
        }
        if let head, head.utf8.count != 64 || !head.allSatisfy(\.isHexDigit) {
            throw ValidationError("--head: a ledger head has 64 hexadecimal digits")
        }
    }

    func run() throws {
        let file = try anchor.map { try AnchorFile($0, verifyWith: verifyWith) }
        let audit = try CentreAudit(
            stateFolder: stored.state,
            machine: stored.givenMachine(),
            anchor: head,
            anchors: file?.anchors ?? []
        )
        let words = language.words
        guard audit.findings.isEmpty else {
            throw Refusal(
                words("账目与日志重算的结果不符", "the books are not what the journal gives") + "\n"
                    + audit.findings.map { "  " + $0 }.joined(separator: "\n")
            )
        }
        for line in lines(audit, words) { try StandardOutput.print(line) }
        if let file {
            try StandardOutput.print(try file.add(audit.standing, signWith: signWith, in: words))
        }
    }

    /// What was proved, one line each.
    private func lines(_ audit: CentreAudit, _ words: MessageLanguage) -> [String] {
        let (inputs, entries) = (audit.inputCount, audit.entryCount)
        let (records, digests) = (audit.recordCount, audit.digestCount)
        let indent = words("      ", "          ")
        var lines = [
            words(
                "日志：\(inputs) 条输入，与各自的散列相符，已全部重新处理",
                "journal   \(inputs) inputs, each matches its hash, all handled again"
            )
        ]
        if audit.segmentCount > 0 {
            let files = counted(audit.segmentCount, "file")
            lines.append(
                indent
                    + words("其中已归档的在 \(audit.segmentCount) 个文件中", "those archived are in \(files)")
            )
        }
        lines.append(
            words(
                "总账：\(entries) 条分录，与各自的散列及重算结果相符",
                "ledger    \(entries) entries, each matches its hash and what was computed"
            )
        )
        lines += audit.countByKind.map { kind, count in
            "\(indent)\(count) \(kind.name(in: words))"
        }
        lines += [
            words(
                "记录：已结束的运行 \(records) 条，没有差异",
                "records   \(records) of ended runs, no difference"
            ),
            words(
                "摘要：状态摘要 \(digests) 个，没有差异",
                "digests   \(digests) of the state, no difference"
            ),
            words("链头：", "head      ") + audit.ledgerHead,
        ]
        if let row = audit.anchorRow {
            lines.append(
                words(
                    "锚点：链在第 \(row) 行之后的链头与所给相同",
                    "anchor    the chain had that head after row \(row)"
                )
            )
        }
        if audit.lastBatchIsOpen {
            lines.append(
                words(
                    "未结：最后一批输入的结果将随下一批写入",
                    "open      what follows from the last batch is written with the next one"
                )
            )
        }
        return lines
    }
}
