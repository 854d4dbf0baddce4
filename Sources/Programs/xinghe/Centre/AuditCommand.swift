import ArgumentParser
import LiveRuntime
import Quantities

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
        guard audit.findings.isEmpty else {
            throw Refusal(
                "the books are not what the journal gives\n"
                    + audit.findings.map { "  " + $0 }.joined(separator: "\n")
            )
        }
        try StandardOutput.print(
            "journal   \(audit.inputCount) inputs, each matches its hash, all handled again"
        )
        if audit.segmentCount > 0 {
            let files = counted(audit.segmentCount, "file")
            try StandardOutput.print("          those archived are in \(files)")
        }
        try StandardOutput.print(
            "ledger    \(audit.entryCount) entries, each matches its hash and what was computed"
        )
        for (kind, count) in audit.countByKind {
            try StandardOutput.print("          \(count) \(kind.rawValue)")
        }
        try StandardOutput.print("records   \(audit.recordCount) of ended runs, no difference")
        try StandardOutput.print("digests   \(audit.digestCount) of the state, no difference")
        try StandardOutput.print("head      \(audit.ledgerHead)")
        if let row = audit.anchorRow {
            try StandardOutput.print("anchor    the chain had that head after row \(row)")
        }
        if audit.lastBatchIsOpen {
            try StandardOutput.print(
                "open      what follows from the last batch is written with the next one"
            )
        }
        if let file { try StandardOutput.print(try file.add(audit.standing, signWith: signWith)) }
    }
}
