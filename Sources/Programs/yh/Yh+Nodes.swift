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
            throw CommandFailure(
                lines: [
                    "Need two file names, have \(words.count) names",
                    "Try \"\(name) --help\" for more information",
                ],
                exitCode: 1
            )
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
        if arguments.contains("--get") { return 0 }
        func has(_ option: String, _ letter: String) -> Bool {
            arguments.contains { word in
                word == letter || word == "--\(option)" || word.hasPrefix("--\(option)=")
            }
        }
        if arguments.contains("--clear") {
            // There are none, so that none is left.
            guard has("id", "-i") || has("jobid", "-j") || has("user", "-u") else {
                throw .error(name, "You must specify a --id, --jobid, or --user to clear")
            }
            return 0
        }
        guard arguments.contains("--set") else {
            let text = "exactly one of the following options: --set, --get or --clear"
            throw .error(name, "You must use \(text)")
        }
        guard has("program", "-p") else {
            throw .error(name, "You must specify a --program value")
        }
        throw .error(name, "\(SlurmError.disabled.text): triggers cannot be set here")
    }
}
