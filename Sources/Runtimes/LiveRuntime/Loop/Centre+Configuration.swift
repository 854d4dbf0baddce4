import Accounts
import Catalog
import ClusterModel
import Quantities
import Scheduling
import SlurmDialect
import WireFormats

// What a centre goes by, in the words of slurm.conf(5).

extension Centre {
    /// The settings that are not Slurm's defaults, or that a reader cannot know.
    func configuration(_ rules: CentreRules) -> [ConfigurationEntry] {
        let data = settings.privateData.map(\.rawValue).sorted().joined(separator: ",")
        var entries = [
            ConfigurationEntry("KillWait", "\(settings.killWaitMilliseconds / 1_000) sec"),
            ConfigurationEntry("MaxArraySize", "\(settings.limits.arraySize)"),
            ConfigurationEntry("MaxJobCount", "\(settings.limits.jobCount)"),
            ConfigurationEntry("PrivateData", data.isEmpty ? "none" : data),
            ConfigurationEntry("ReturnToService", settings.nodesReturn ? "2" : "0"),
            ConfigurationEntry("SlurmUser", slurmUser),
        ]
        entries += rules.machine.slurmEntries
        return entries + priorities(rules.policy)
    }

    private func priorities(_ policy: SchedulingPolicy) -> [ConfigurationEntry] {
        var entries: [ConfigurationEntry] = []
        let parameters = [
            ("batch_sched_delay", policy.passDelaySeconds),
            ("bf_interval", policy.hetIntervalSeconds),
        ].filter { $0.1 > 0 }.map { "\($0.0)=\($0.1)" }
        if !parameters.isEmpty {
            let text = parameters.joined(separator: ",")
            entries.append(ConfigurationEntry("SchedulerParameters", text))
        }
        guard policy.order.sumsPriority else { return entries }
        let weights = policy.weights
        func time(_ seconds: Int) -> String { SlurmTime.full(SimDuration(seconds: Int64(seconds))) }
        return entries + [
            ConfigurationEntry("PriorityType", "priority/multifactor"),
            ConfigurationEntry("PriorityMaxAge", time(weights.maximumAgeSeconds)),
            ConfigurationEntry("PriorityDecayHalfLife", time(weights.halfLifeSeconds)),
            ConfigurationEntry("PriorityCalcPeriod", time(weights.periodSeconds)),
            ConfigurationEntry("PriorityWeightAge", "\(weights.age)"),
            ConfigurationEntry("PriorityWeightFairShare", "\(weights.fairShare)"),
            ConfigurationEntry("PriorityWeightJobSize", "\(weights.jobSize)"),
            ConfigurationEntry("PriorityWeightPartition", "\(weights.partition)"),
            ConfigurationEntry("PriorityWeightQOS", "\(weights.qos)"),
            ConfigurationEntry(
                "PriorityWeightTRES",
                weights.cpu > 0 ? "CPU=\(weights.cpu)" : "(null)"
            ),
        ]
    }
}
