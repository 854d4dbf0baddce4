import ArgumentParser
import LiveRuntime
import Persistence

/// Puts a damaged state folder right.
struct RepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Put a state folder right that does not open any more.",
        discussion: """
            Handles every input of the journal again and makes what follows from it what it is to be: \
            state digests, records of jobs, entries of the ledger; images of the state that are not what it \
            gives are removed. What is right stays. The centre must be closed.

            A journal that is damaged itself, or shorter than what was acknowledged, is left alone unless \
            --accept-loss is given: it is then cut before the first damaged row (what is cut off is kept \
            in a file beside it), and the centre goes on without what is missing. Numbers of lost jobs are \
            given again. A backup may have more: see 'xinghe restore'.
            """
    )

    @Option(help: ArgumentHelp("The state folder of the centre.", valueName: "folder"))
    var state: String

    @Flag(help: "Go on without inputs that are damaged or gone.")
    var acceptLoss = false

    func run() throws {
        let repair = try CentreRepair(stateFolder: state, acceptsLoss: acceptLoss)
        guard repair.isNeeded else {
            return try StandardOutput.print("nothing had to be repaired")
        }
        if let cut = repair.cut {
            try StandardOutput.print("journal   cut before row \(cut.row): \(cut.problem)")
            try StandardOutput.print("          \(cut.count) rows are in \(cut.file)")
        }
        if let loss = repair.loss { try StandardOutput.print("journal   \(loss); goes on without") }
        for batch in repair.images {
            try StandardOutput.print(
                "image     that of batch \(batch) was removed: it is not what the journal gives"
            )
        }
        let rows = repair.rows
        try StandardOutput.print(
            "made      \(rows.digests) digests, \(rows.jobs) records, \(rows.ledger) entries"
        )
    }
}
