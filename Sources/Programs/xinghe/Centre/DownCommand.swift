import ArgumentParser
import Foundation
import LocalClient
import WireFormats

/// `xinghe down`: closes the centre.
struct DownCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Close the running centre.",
        discussion: """
            Real jobs are cancelled and accounted for as that; nothing is left running. Emulated \
            jobs stay in the journal: they go on when the centre is opened again.
            """
    )

    @OptionGroup var access: CentreAccess

    @OptionGroup var language: LanguageOption

    func run() throws {
        let status = try access.status()
        let jobs = try CentreAccess.ask { () throws(LocalClientFailure) in
            try access.client.get("/v1/jobs", as: JobList.self).jobs
        }
        let real = jobs.filter { $0.backend == "local" && $0.state != "PENDING" }
        if !real.isEmpty {
            let ids = real.map { String($0.jobID) }.joined(separator: ", ")
            try StandardOutput.print(
                language.words("取消真实作业：\(ids)", "real jobs are cancelled: \(ids)")
            )
        }
        _ = try CentreAccess.ask { () throws(LocalClientFailure) in
            try access.client.post("/v1/shutdown", ActionResponse(), as: ActionResponse.self)
        }
        while Programs.isRunning(status.processID) { usleep(10_000) }
        let rest = status.jobsPending + status.jobsRunning - Int64(real.count)
        let words = language.words
        let waiting =
            rest > 0
            ? words("；保留 \(rest) 个仿真或等待的作业", "; \(rest) emulated or waiting jobs are kept") : ""
        try StandardOutput.print(
            words("中心 \(status.machine) 已关闭", "centre '\(status.machine)' is closed") + waiting
        )
    }
}
