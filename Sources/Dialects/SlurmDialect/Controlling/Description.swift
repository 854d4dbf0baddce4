import Quantities
public import WireFormats

/// What `scontrol show` says of jobs, nodes and partitions: `Name=value` pairs, which scripts take
/// apart, so their names and order are Slurm's.
public struct Description: Hashable, Sendable {
    /// The lines; from the second on they are indented.
    public var lines: [String]
    /// How many empty lines follow.
    var gap = 1

    /// The text, on one line for `-o`.
    public func text(isOneLine: Bool) -> [String] {
        if isOneLine { return [lines.joined(separator: " ")] }
        let indented = lines.enumerated().map { $0.offset == 0 ? $0.element : "   " + $0.element }
        return indented + [String](repeating: "", count: gap)
    }
}

extension Description {
    /// Jobs.
    ///
    /// - Parameters:
    ///   - isDetailed: whether `-d` was given.
    ///   - foldsArrays: whether waiting elements of a job array share one description; not when
    ///     elements were asked for by their indices.
    ///   - isOne: whether they are one job, or one array, that was asked for by its number.
    public static func jobs(
        _ jobs: [JobInfo],
        isDetailed: Bool,
        foldsArrays: Bool = true,
        isOne: Bool = false,
        calendar: CentreCalendar = CentreCalendar()
    ) -> [Description] {
        let jobs = jobs.inOrderOfElements
        guard foldsArrays else {
            return jobs.map { job(JobRow(info: $0, calendar: calendar), isDetailed: isDetailed) }
        }
        let rows = JobRow.folding(jobs, calendar: calendar)
        return (isOne ? JobRow.ofOneArray(rows) : rows).map { job($0, isDetailed: isDetailed) }
    }

    private static func job(_ row: JobRow, isDetailed: Bool) -> Description {
        let info = row.info
        func known(_ instant: SimInstant?) -> String {
            instant.map { row.calendar.text($0) } ?? "Unknown"
        }
        var lines = [
            identity(row)
        ]
        if let job = info.hetJobID, let size = info.hetJobSize {
            lines.append("HetJobIdSet=\(job)-\(job + size - 1)")
        }
        lines += [
            "UserId=\(info.user)(\(info.userID)) GroupId=\(info.group)(\(info.groupID))"
                + " MCS_label=N/A",
            "Priority=\(info.priority) Nice=\(info.nice) Account=\(info.account) QOS=\(info.qos)",
            "JobState=\(info.state) Reason=\(underscored(info.shownReason))"
                + " Dependency=\(info.dependency ?? "(null)")",
            "Requeue=\(info.requeues ? 1 : 0) Restarts=\(info.restarts) BatchFlag=\(info.isInteractive ? 0 : 1) Reboot=0"
                + " ExitCode=\(info.exitCode):\(info.exitSignal)",
        ]
        if isDetailed { lines.append("DerivedExitCode=\(info.derivedExitCode):0") }
        let limit = info.timeLimit.map { SlurmTime.full($0) } ?? "UNLIMITED"
        lines += [
            "RunTime=\(SlurmTime.full(info.runTime)) TimeLimit=\(limit) TimeMin=N/A",
            "SubmitTime=\(known(info.submit)) EligibleTime=\(known(info.eligible))",
            "AccrueTime=\(known(info.accrue))",
            "StartTime=\(known(row.start)) EndTime=\(known(row.end))"
                + " Deadline=\(info.deadline.map { row.calendar.text($0) } ?? "N/A")",
        ]
        if let start = info.start ?? (JobStates.hasEnded(info.state) ? row.start : nil) {
            lines.append("PreemptEligibleTime=\(known(start)) PreemptTime=None")
        }
        lines += [
            "SuspendTime=\(info.suspendTime.map { row.calendar.text($0) } ?? "None")"
                + " SecsPreSuspend=\((info.preSuspendTime ?? .zero).microseconds / 1_000_000)"
                + " LastSchedEval=\(known(info.lastEvaluation))"
                + " Scheduler=Main\(info.scheduledNodes == nil ? "" : ":*")",
            "Partition=\(info.partition) AllocNode:Sid=\(info.submitHost):0",
            "ReqNodeList=\(info.requiredNodes ?? "(null)")"
                + " ExcNodeList=\(info.excludedNodes ?? "(null)")",
            "NodeList=\(info.nodeList)"
                + (info.scheduledNodes.map { " SchedNodeList=\($0)" } ?? ""),
        ]
        if let host = info.batchHost { lines.append("BatchHost=\(host)") }
        return Description(lines: lines + resources(info) + files(info) + ending(info))
    }

    private static func identity(_ row: JobRow) -> String {
        var text = "JobId=\(row.info.jobID)"
        if let array = row.info.arrayJobID {
            let task = row.elements ?? row.info.arrayTaskID.map { "\($0)" } ?? "N/A"
            text += " ArrayJobId=\(array) ArrayTaskId=\(task)"
            if let limit = row.info.arrayLimit { text += " ArrayTaskThrottle=\(limit)" }
        }
        if let job = row.info.hetJobID, let offset = row.info.hetJobOffset {
            text += " HetJobId=\(job) HetJobOffset=\(offset)"
        }
        return text + " JobName=\(row.info.name)"
    }

    private static func resources(_ info: JobInfo) -> [String] {
        let perNode = info.tasksPerNode ?? 0
        let memory = info.memoryPerCPU == nil ? "MinMemoryNode" : "MinMemoryCPU"
        return [
            "NumNodes=\(info.nodeCount)\(info.maximumNodes.map { "-\($0)" } ?? "") NumCPUs=\(info.cores)"
                + " NumTasks=\(info.tasks > 0 ? "\(info.tasks)" : "N/A")"
                + " CPUs/Task=\(info.cpusPerTask) ReqB:S:C:T=0:0:*:*",
            "TRES=\(info.tresText)",
            "Socks/Node=* NtasksPerN:B:S:C=\(perNode):0:*:* CoreSpec=*",
            "MinCPUsNode=\(info.cpusPerTask * max(1, perNode)) \(memory)=\(info.memoryText)"
                + " MinTmpDiskNode=0",
            "Features=\(info.features ?? "(null)") DelayBoot=00:00:00",
        ] + (info.reservation.map { ["Reservation=\($0)"] } ?? []) + [
            "OverSubscribe=\(info.oversubscribe) Contiguous=0"
                + " Licenses=\(info.licenses ?? "(null)") Network=(null)"
        ]
    }

    private static func files(_ info: JobInfo) -> [String] {
        var lines = [
            "Command=\(info.command ?? "(null)")", "WorkDir=\(info.workDirectory)",
        ]
        if let comment = info.comment { lines.append("Comment=\(comment) ") }
        // Only a script has files.
        guard !info.isInteractive else { return lines }
        return lines + [
            "StdErr=\(info.standardError)", "StdIn=\(info.standardInput)",
            "StdOut=\(info.standardOutput)",
        ]
    }

    private static func ending(_ info: JobInfo) -> [String] {
        var lines = ["Power="]
        if let gres = info.gres { lines.append("TresPerNode=\(gres)") }
        // Slurm 22.05 spells it so, and scripts read it so.
        if info.endsOnInvalidDependency { lines.append("KillOInInvalidDependent=Yes") }
        return lines + [""]
    }

    /// Values hold no spaces, so that pairs can be told apart.
    private static func underscored(_ text: String) -> String {
        String(text.map { $0 == " " ? "_" : $0 })
    }

    /// A node.
    ///
    /// - Parameter isDetailed: whether `-d` was given.
    public static func node(
        _ node: NodeInfo,
        isDetailed: Bool = false,
        calendar: CentreCalendar = CentreCalendar()
    ) -> Description {
        func known(_ instant: SimInstant?) -> String {
            instant.map { calendar.text($0) } ?? "None"
        }
        let memory = AmountText.memory(mebibytes: node.memory.mebibytes)
        var held: [String] = []
        if node.coresHeld > 0 { held.append("cpu=\(node.coresHeld)") }
        if node.memoryHeld.count > 0 {
            held.append("mem=" + AmountText.memory(mebibytes: node.memoryHeld.mebibytes))
        }
        if node.acceleratorsHeld > 0 { held.append("gres/gpu=\(node.acceleratorsHeld)") }
        let cards = node.accelerators > 0 ? ",gres/gpu=\(node.accelerators)" : ""
        var lines = [
            "NodeName=\(node.name) Arch=\(node.architecture)"
                + " CoresPerSocket=\(node.coresPerSocket) ",
            "CPUAlloc=\(node.coresHeld) CPUEfctv=\(node.cores) CPUTot=\(node.cores)"
                + " CPULoad=\(node.hostLoad ?? node.coresHeld).00",
            "AvailableFeatures=\(node.features ?? "(null)")",
            "ActiveFeatures=\(node.features ?? "(null)")",
            "Gres=\(node.gres ?? "(null)")",
            "NodeAddr=\(node.address ?? node.hostName ?? node.name)"
                + " NodeHostName=\(node.hostName ?? node.name) Version=\(slurmVersion)",
            "OS=\(node.operatingSystem ?? "Linux") ",
            "RealMemory=\(node.memory.mebibytes) AllocMem=\(node.memoryHeld.mebibytes)"
                + " FreeMem=\(node.memory.mebibytes - node.memoryHeld.mebibytes)"
                + " Sockets=\(node.sockets) Boards=1",
            "State=\(node.fullState) ThreadsPerCore=\(node.threadsPerCore) TmpDisk=0"
                + " Weight=\(node.weight) Owner=N/A MCS_label=N/A",
            "Partitions=\(node.partitions.joined(separator: ",")) ",
            "BootTime=\(known(node.bootTime)) SlurmdStartTime=\(known(node.bootTime))",
            "LastBusyTime=\(known(node.lastBusy ?? node.bootTime))",
            "CfgTRES=cpu=\(node.cores),mem=\(memory),billing=\(node.cores)\(cards)",
            "AllocTRES=\(held.joined(separator: ","))",
            "CapWatts=n/a",
            "CurrentWatts=0 AveWatts=0",
            "ExtSensorsJoules=n/s ExtSensorsWatts=0 ExtSensorsTemp=n/s",
        ]
        if isDetailed {
            lines.insert(contentsOf: ["GresDrain=N/A", "GresUsed=\(node.gresUsed)"], at: 5)
        }
        if let reason = node.reason {
            let user = node.reasonUser ?? "root"
            let time = known(node.reasonTime)
            lines.append("Reason=\(reason) [\(user)@\(time)]")
        }
        return Description(lines: lines)
    }

    /// A partition.
    public static func partition(_ partition: PartitionInfo) -> Description {
        func limit(_ duration: SimDuration?, _ otherwise: String) -> String {
            duration.map { SlurmTime.full($0) } ?? otherwise
        }
        let accounts = partition.allowedAccounts?.joined(separator: ",") ?? "ALL"
        let memory = AmountText.memory(mebibytes: partition.memory.mebibytes)
        let cards = partition.accelerators > 0 ? ",gres/gpu=\(partition.accelerators)" : ""
        let most = partition.maximumNodes.map { "\($0)" } ?? "UNLIMITED"
        return Description(lines: [
            "PartitionName=\(partition.name)",
            "AllowGroups=ALL AllowAccounts=\(accounts)"
                + " AllowQos=\(partition.allowedQOS?.joined(separator: ",") ?? "ALL")",
            "AllocNodes=ALL Default=\(partition.isDefault ? "YES" : "NO")"
                + " QoS=\(partition.qos ?? "N/A")",
            "DefaultTime=\(limit(partition.defaultTime, "NONE")) DisableRootJobs=NO"
                + " ExclusiveUser=NO GraceTime=\(partition.graceSeconds) Hidden=NO",
            "MaxNodes=\(most) MaxTime=\(limit(partition.maximumTime, "UNLIMITED"))"
                + " MinNodes=\(partition.minimumNodes > 1 ? partition.minimumNodes : 0) LLN=NO MaxCPUsPerNode=UNLIMITED",
            "Nodes=\(partition.nodeList)",
            "PriorityJobFactor=\(partition.priorityJobFactor)"
                + " PriorityTier=\(partition.priorityTier) RootOnly=NO ReqResv=NO"
                + " OverSubscribe=\(partition.isExclusive ? "EXCLUSIVE" : "NO")",
            "OverTimeLimit=NONE PreemptMode=\(partition.preemptMode)",
            "State=\(partition.state) TotalCPUs=\(partition.cores)"
                + " TotalNodes=\(partition.nodeCount) SelectTypeParameters=NONE",
            "JobDefaults=(null)",
            "DefMemPerNode=UNLIMITED MaxMemPerNode=UNLIMITED",
            "TRES=cpu=\(partition.cores),mem=\(memory),node=\(partition.nodeCount)"
                + ",billing=\(partition.cores)\(cards)",
        ])
    }
}
