import ArgumentParser
import Foundation
import Quantities
import WireFormats

/// `xinghe status`: how the running centre is.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the running centre is.",
        discussion: "The exit status is 1 when no centre answers."
    )

    @OptionGroup var access: CentreAccess

    @OptionGroup var language: LanguageOption

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let status = try access.status()
        if json { return try StandardOutput.print(status.json.prettyText, isData: true) }
        let words = language.words
        try StandardOutput.print(words(chinese(status), english(status)))
        let alarms = status.budgetsAlarmed
        guard alarms > 0 else { return }
        try StandardOutput.print(
            words(
                "预算：\(alarms) 个将尽或已经用完；见 'xinghe account'",
                "budgets  \(alarms) near the end or used up; see 'xinghe account'"
            )
        )
    }

    /// How far an accelerated centre is behind its clock, where it is.
    private func behind(_ status: CentreStatus, _ words: String) -> String {
        let seconds = status.lag.seconds
        return seconds > 0 ? words.replacingOccurrences(of: "%d", with: "\(seconds)") : ""
    }

    private func english(_ status: CentreStatus) -> String {
        """
        centre   \(status.machine): \(status.title)
        time     \(status.timeMode), now \(status.now.shanghaiText) (Asia/Shanghai)\(behind(status, "; %d s behind"))
        nodes    \(status.nodes), \(status.nodesHeld) in use, \(status.nodesUnavailable) unavailable
        cores    \(status.cores), \(status.coresHeld) held
        jobs     \(status.jobsRunning) running, \(status.jobsPending) waiting, \
        \(status.jobsEnded) ended
        journal  \(status.journalLength) inputs, state digest \(status.digest)
        state    \(status.stateDirectory)
        daemon   xinghed \(status.version), process \(status.processID), socket \(access.path)
        """
    }

    private func chinese(_ status: CentreStatus) -> String {
        """
        中心：\(status.machine)，\(status.title)
        时间：\(status.timeMode)，现在 \(status.now.shanghaiText)（Asia/Shanghai）\(behind(status, "，落后 %d 秒"))
        节点：\(status.nodes) 个，使用中 \(status.nodesHeld)，不可用 \(status.nodesUnavailable)
        核：\(status.cores) 个，已分配 \(status.coresHeld)
        作业：运行 \(status.jobsRunning)，等待 \(status.jobsPending)，结束 \(status.jobsEnded)
        日志：\(status.journalLength) 条输入，状态摘要 \(status.digest)
        状态目录：\(status.stateDirectory)
        守护进程：xinghed \(status.version)，进程 \(status.processID)，套接字 \(access.path)
        """
    }
}
