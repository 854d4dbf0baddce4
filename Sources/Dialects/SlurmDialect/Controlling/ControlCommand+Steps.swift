import IndexSets
public import WireFormats

// `scontrol show step`, `scontrol listpids`.

extension ControlCommand {
    static func showSteps(_ id: String?) throws(CommandFailure) -> Action {
        guard let id else { return .showSteps(job: nil, step: nil) }
        let parts = id.split(separator: ".", maxSplits: 1).map(String.init)
        guard let job = parts.first.flatMap({ OptionValues.job($0) }) else {
            throw failure("slurm_get_job_steps error: \(SlurmError.invalidJobID.text)")
        }
        return .showSteps(job: job.jobID, step: parts.count > 1 ? parts[1] : nil)
    }

    static func listProcesses(
        _ words: [String],
        _ variable: (String) -> String?
    ) throws(CommandFailure) -> Action {
        guard let word = words.first ?? variable("SLURM_JOB_ID") else {
            throw failure("too few arguments for keyword:listpids")
        }
        let parts = word.split(separator: ".", maxSplits: 1).map(String.init)
        guard let job = parts.first.flatMap({ OptionValues.job($0) }) else {
            throw failure("scontrol: error: Invalid job id: \(word)")
        }
        return .listProcesses(job: job.jobID, step: parts.count > 1 ? parts[1] : nil)
    }

    /// What `show step` prints of the steps that run.
    ///
    /// - Throws: `CommandFailure` when the step that was asked for does not run.
    public func steps(
        _ list: AccountingList,
        job: UInt32?,
        step: String?
    ) throws(CommandFailure) -> CommandOutput {
        var shown: [Description] = []
        for record in list.records where record.start != nil && record.end == nil {
            let id = AccountingRow(record: record, calendar: CentreCalendar()).id
            for running in record.steps where running.state == "RUNNING" {
                guard step.map({ $0 == running.id }) ?? true else { continue }
                shown.append(Description.step(running, of: record, id: id))
            }
        }
        guard !shown.isEmpty else {
            guard let job else { return CommandOutput(lines: ["No job steps in the system"]) }
            return CommandOutput(
                errors: ["Job step \(job)\(step.map { ".\($0)" } ?? "") not found"],
                exitCode: 1
            )
        }
        return CommandOutput(lines: shown.flatMap { $0.text(isOneLine: isOneLine) })
    }
}

extension Description {
    /// A step that runs.
    static func step(_ step: StepRecord, of record: AccountingRecord, id: String) -> Description {
        let calendar = CentreCalendar()
        let isBatch = step.id == "batch"
        let start = step.start.map { calendar.text($0) } ?? "Unknown"
        let nodes = (try? HostList.expand(step.nodeList).count) ?? 1
        return Description(lines: [
            "StepId=\(id).\(step.id) UserId=\(record.userID) StartTime=\(start)"
                + " TimeLimit=UNLIMITED",
            "State=\(step.state) Partition=\(record.partition) NodeList=\(step.nodeList)",
            "Nodes=\(max(1, nodes)) CPUs=\(isBatch ? 0 : step.cores) Tasks=\(step.tasks)"
                + " Name=\(step.name) Network=(null)",
            "TRES=\(isBatch ? "(null)" : "cpu=\(step.cores),node=\(max(1, nodes))")",
            "ResvPorts=(null)",
            "CPUFreqReq=Default",
            "SrunHost:Pid=(null):0",
        ])
    }
}
