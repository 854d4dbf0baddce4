import ArgumentParser
import LiveRuntime

/// Proves the books of a centre from its state folder.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Compute everything in a centre's books again from its journal, and compare.",
        discussion: """
            Handles every input of the journal again, with the machine, the prices and the rules \
            that the journal holds, and compares what follows with what is stored: charges, \
            grants, holds and all other entries of the ledger, records of jobs, state digests, hash \
            chains. Each row that was changed, is missing or does not follow is named by table and \
            number, and the exit status is 1.
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

    func validate() throws {
        if let head, head.utf8.count != 64 || !head.allSatisfy(\.isHexDigit) {
            throw ValidationError("--head: a ledger head has 64 hexadecimal digits")
        }
    }

    func run() throws {
        let audit = try CentreAudit(
            stateFolder: stored.state,
            machine: stored.givenMachine(),
            anchor: head
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
        try StandardOutput.print(
            "ledger    \(audit.entryCount) entries, each matches its hash and what was computed"
        )
        for (kind, count) in audit.countByKind {
            try StandardOutput.print("          \(count) \(kind)")
        }
        try StandardOutput.print("records   \(audit.recordCount) of ended runs, no difference")
        try StandardOutput.print("digests   \(audit.digestCount) of the state, no difference")
        try StandardOutput.print("head      \(audit.ledgerHead)")
        if let row = audit.anchorRow {
            try StandardOutput.print("anchor    the chain had that head after row \(row)")
        }
    }
}
