/// The states of jobs, by Slurm's long names.
///
/// Source: Slurm 22.05, `slurm.h`, `enum job_states`, and `job_state_string_compact()`.
public enum JobStates {
    /// Long name and code, in the order in which Slurm numbers and lists them.
    static let all: [(name: String, code: String)] = [
        ("PENDING", "PD"), ("RUNNING", "R"), ("SUSPENDED", "S"), ("COMPLETED", "CD"),
        ("CANCELLED", "CA"), ("FAILED", "F"), ("TIMEOUT", "TO"), ("NODE_FAIL", "NF"),
        ("PREEMPTED", "PR"), ("BOOT_FAIL", "BF"), ("DEADLINE", "DL"), ("OUT_OF_MEMORY", "OOM"),
        ("COMPLETING", "CG"), ("CONFIGURING", "CF"), ("RESIZING", "RS"), ("RESV_DEL_HOLD", "RD"),
        ("REQUEUED", "RQ"), ("REQUEUE_FED", "RF"), ("REQUEUE_HOLD", "RH"), ("REVOKED", "RV"),
        ("SIGNALING", "SI"), ("SPECIAL_EXIT", "SE"), ("STAGE_OUT", "SO"), ("STOPPED", "ST"),
    ]

    /// The code of a state: `PD`.
    public static func code(_ name: String) -> String {
        all.first { $0.name == name }?.code ?? name
    }

    /// The long name of a state given by name or code, in any case; nil when there is none.
    public static func named(_ word: some StringProtocol) -> String? {
        let upper = word.uppercased()
        return all.first { $0.name == upper || $0.code == upper }?.name
    }

    /// Whether `squeue` shows jobs of this state unless asked for others.
    static func isActive(_ name: String) -> Bool {
        ![
            "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL",
            "DEADLINE", "OUT_OF_MEMORY", "REVOKED",
        ].contains(name)
    }

    /// Whether a job of this state will not run again by itself.
    public static func hasEnded(_ name: String) -> Bool { !isActive(name) && name != "COMPLETING" }
}
