public import WireFormats

extension ControlCommand {
    /// What `show config` prints: the members of Slurm's configuration that a centre has.
    public static func configuration(
        _ status: CentreStatus,
        calendar: CentreCalendar = CentreCalendar()
    ) -> [String] {
        let members = [
            ("BOOT_TIME", calendar.text(status.startedAt)),
            ("ClusterName", status.machine),
            ("MaxArraySize", "100001"),
            ("NEXT_JOB_ID", "\(status.nextJobID)"),
            ("SchedulerType", "sched/backfill"),
            ("SLURM_VERSION", slurmVersion),
            ("StateSaveLocation", status.stateDirectory),
        ]
        return ["Configuration data as of \(calendar.text(status.now))"]
            + members.map { FormatText.fit($0, 24, right: false) + "= " + $1 }
    }
}
