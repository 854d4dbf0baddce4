public import WireFormats

extension ControlCommand {
    /// What `show config` prints: all members of Slurm's configuration, with the centre's own values where
    /// it has them.
    public static func configuration(
        _ status: CentreStatus,
        host: String,
        calendar: CentreCalendar = CentreCalendar()
    ) -> [String] {
        let lines = configurationMembers(status, host: host, calendar: calendar).map {
            let width = max(23, $0.name.count)
            return FormatText.fit($0.name, width, right: false) + " = \($0.value)"
        }
        return ["Configuration data as of \(calendar.text(status.now))"] + lines
            + ["", "Slurmctld(primary) at \(host) is UP"]
    }

    static func configurationMembers(
        _ status: CentreStatus,
        host: String,
        calendar: CentreCalendar = CentreCalendar()
    ) -> [(name: String, value: String)] {
        let told = status.configuration.map { ($0.name, $0.value) }
        let own = [
            ("BOOT_TIME", calendar.text(status.startedAt)), ("ClusterName", status.machine),
            ("MaxNodeCount", "\(status.nodes)"), ("NEXT_JOB_ID", "\(status.nextJobID)"),
            ("SlurmctldHost[0]", host), ("SLURM_VERSION", slurmVersion),
            ("StateSaveLocation", status.stateDirectory),
        ]
        let values = Dictionary(told + own) { first, _ in first }
        return ConfigurationKeys.all.map { name, value in (name, values[name] ?? value) }
    }
}
