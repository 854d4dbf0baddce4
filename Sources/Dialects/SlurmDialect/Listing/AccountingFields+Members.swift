// What of a record each field of `sacct -o` is made of. A record has forty members, and a year of them is asked
// for at once.

extension AccountingFields {
    /// The members by which records are chosen, put together and named.
    static let commonMembers: Set<String> = [
        "job_id", "array_job_id", "array_task_id", "array_limit", "het_job_id", "het_job_offset",
        "restarts", "state", "account", "user", "uid", "partition", "submit", "start", "end",
    ]

    /// The members of a record that a field shows, besides the common ones, by the name of the field.
    static let members: [String: Set<String>] = {
        let tres: Set<String> = [
            "cores", "requested_cores", "accelerators", "requested_memory", "default_memory",
            "nodes",
        ]
        var members: [String: Set<String>] = [
            "Account": [], "AllocCPUS": ["cores"], "AllocNodes": ["nodes"], "AllocTRES": tres,
            "Backend": ["backend"], "Charge": ["charge_fen"], "Cluster": ["cluster"],
            "Comment": ["comment"], "ConsumedEnergy": [], "ConsumedEnergyRaw": [],
            "CPUTime": ["elapsed", "cores"], "CPUTimeRAW": ["elapsed", "cores"],
            "DerivedExitCode": ["derived_exit_code"], "Elapsed": ["elapsed"],
            "ElapsedRaw": ["elapsed"], "Eligible": ["eligible"], "End": [],
            "ExitCode": ["exit_code", "signal"], "GID": ["gid"], "Group": ["group"],
            "JobID": [], "JobIDRaw": [], "JobName": ["name"], "MaxRSS": [], "NCPUS": ["cores"],
            "NNodes": ["nodes"], "NodeList": ["node_list"], "NTasks": [], "Partition": [],
            "Priority": ["priority"], "QOS": ["qos"], "Reason": ["reason"],
            "Replay": ["replay"], "ReqCPUFreqGov": [], "ReqCPUFreqMax": [], "ReqCPUFreqMin": [],
            "ReqCPUS": ["cores", "requested_cores"],
            "ReqMem": ["requested_memory"], "ReqNodes": ["nodes"], "ReqTRES": tres,
            "Reserved": ["eligible"], "Restarts": [], "Start": [], "State": ["cancelled_by"],
            "Submit": [], "SubmitLine": ["submit_line"], "Suspended": ["suspended"],
            "Timelimit": ["time_limit"], "TimelimitRaw": ["time_limit"], "TotalCPU": ["steps"],
            "UID": [], "User": [], "VerifiedFlop": ["verified_flop"], "WorkDir": ["work_dir"],
        ]
        for field in empty { members[field.name] = members[field.name] ?? [] }
        return members
    }()
}
