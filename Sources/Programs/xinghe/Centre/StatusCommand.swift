import ArgumentParser
import WireFormats

/// `xinghe status`: how the running centre is.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the running centre is.",
        discussion: "The exit status is 1 when no centre answers."
    )

    @OptionGroup var access: CentreAccess

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let status = try access.status()
        if json { return try StandardOutput.print(status.json.prettyText) }
        try StandardOutput.print(
            """
            centre   \(status.machine): \(status.title)
            time     \(status.timeMode), now \(status.now.shanghaiText) (Asia/Shanghai)
            nodes    \(status.nodes), \(status.nodesHeld) in use, \(status.nodesUnavailable) unavailable
            cores    \(status.cores), \(status.coresHeld) held
            jobs     \(status.jobsRunning) running, \(status.jobsPending) waiting, \
            \(status.jobsEnded) ended
            journal  \(status.journalLength) inputs, state digest \(status.digest)
            state    \(status.stateDirectory)
            daemon   xinghed \(status.version), process \(status.processID), socket \(access.path)
            """
        )
        guard status.budgetsAlarmed > 0 else { return }
        try StandardOutput.print(
            "budgets  \(status.budgetsAlarmed) near the end or used up; see 'xinghe account'"
        )
    }
}
