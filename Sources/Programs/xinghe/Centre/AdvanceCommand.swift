import ArgumentParser
import LocalClient
import Quantities
import Reporting
import WireFormats

/// `xinghe advance`: moves the clock of a stepped centre.
struct AdvanceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "advance",
        abstract: "Move the clock of a centre that was opened with --time stepped.",
        discussion: "Everything that is due on the way happens, each thing at its own instant."
    )

    @OptionGroup var access: CentreAccess

    @OptionGroup var language: LanguageOption

    @Argument(help: "By how much: seconds, or a number with s, m, h or d.")
    var duration: String

    /// Seconds, or a number with a unit; nil for anything else.
    private static func duration(_ text: String) -> SimDuration? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let unit = text.last.flatMap { units[$0] }
        let digits = unit == nil ? text[...] : text.dropLast()
        guard let number = Int64(digits), number >= 0, number <= 10_000_000_000 / (unit ?? 1) else {
            return nil
        }
        return SimDuration(seconds: number * (unit ?? 1))
    }

    func validate() throws {
        guard Self.duration(duration) != nil else {
            throw ValidationError(
                "'\(duration)' is no duration up to 10000000000 s; write 3600, 90m, 12h or 7d"
            )
        }
    }

    func run() throws {
        var request = ClockAdvanceRequest()
        request.duration = Self.duration(duration)
        let status = try CentreAccess.ask { () throws(LocalClientFailure) in
            try access.client.post("/v1/clock/advance", request, as: CentreStatus.self)
        }
        let now = status.now.shanghaiText
        try StandardOutput.print(
            language.words(
                "现在 \(now)：运行 \(status.jobsRunning) 个作业，等待 \(status.jobsPending) 个，"
                    + "结束 \(status.jobsEnded) 个",
                "now \(now): \(counted(status.jobsRunning, "job")) running,"
                    + " \(status.jobsPending) waiting, \(status.jobsEnded) ended"
            )
        )
    }
}
