import Glibc
import LocalClient
import SlurmDialect
import WireFormats

// What concerns the nodes of a job; those of jobs that really run are all on this computer.

extension Yh {
    /// `yhattach`, `sattach`.
    static func attach(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        guard let word = arguments.first(where: { !$0.hasPrefix("-") }) else {
            throw .error(name, "No job step id provided", exitCode: 1)
        }
        let parts = word.split(separator: ".", maxSplits: 1).map(String.init)
        guard let job = parts.first.flatMap({ OptionValues.job($0) }), parts.count == 2 else {
            throw .error(name, "Invalid job id: \(word)")
        }
        let list = try ask(name) { client throws(LocalClientFailure) in
            try client.get("/v1/accounting?id=\(job.jobID)", as: AccountingList.self)
        }
        let steps = list.records.flatMap(\.steps)
        let isRunning = steps.contains { $0.id == parts[1] && $0.state == "RUNNING" }
        let error: SlurmError = isRunning ? .disabled : .invalidJobID
        throw .error(name, "Could not get job step info: \(error.text)")
    }

    /// `yhbcast`, `sbcast`: nodes that really run jobs share this computer's files, so that a copy is
    /// made once.
    static func broadcast(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let words = arguments.filter { !$0.hasPrefix("-") }
        let isForced = arguments.contains { ["-f", "--force"].contains($0) }
        guard words.count == 2 else {
            throw .error(name, "Need two file names, have \(words.count) names")
        }
        guard Host.variable("SLURM_JOB_ID") != nil else {
            throw .error(
                name,
                "Need a job id to run this command.  Run from within a Slurm job or use the"
                    + " --jobid option."
            )
        }
        guard let bytes = Host.read(path: words[0]) else {
            throw .error(name, "Can't open `\(words[0])`: \(String(cString: strerror(errno)))")
        }
        guard isForced || access(words[1], F_OK) != 0 else {
            throw .error(name, "file \(words[1]) exists: \(String(cString: strerror(EEXIST)))")
        }
        guard Host.write(bytes, path: words[1]) else {
            throw .error(name, "Can't write `\(words[1])`: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        if stat(words[0], &status) == 0 { chmod(words[1], status.st_mode & 0o777) }
        return 0
    }

    /// `yhtrigger`, `strigger`.
    static func trigger(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        guard !arguments.contains(where: { ["--get", "--clear"].contains($0) }) else { return 0 }
        throw .error(name, "\(SlurmError.disabled.text): triggers cannot be set here")
    }
}
