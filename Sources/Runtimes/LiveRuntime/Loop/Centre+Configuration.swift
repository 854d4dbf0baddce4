import Accounts
import ClusterModel
import Glibc
import Quantities
import Scheduling
import SlurmDialect
import WireFormats

// What a centre goes by, in the words of slurm.conf(5).

extension Centre {
    /// The settings that are not Slurm's defaults, or that a reader cannot know.
    func configuration(_ rules: CentreRules) -> [ConfigurationEntry] {
        let machine = rules.machine
        let data = settings.privateData.map(\.rawValue).sorted().joined(separator: ",")
        var entries = [
            ConfigurationEntry("KillWait", "\(settings.killWaitMilliseconds / 1_000) sec"),
            ConfigurationEntry("MaxArraySize", "\(settings.limits.arraySize)"),
            ConfigurationEntry("MaxJobCount", "\(settings.limits.jobCount)"),
            ConfigurationEntry("PrivateData", data.isEmpty ? "none" : data),
            ConfigurationEntry("SlurmUser", "\(UserNames.user(getuid()))(\(getuid()))"),
        ]
        if machine.partitions.allSatisfy({ $0.sharing == .wholeNode }) {
            entries.append(ConfigurationEntry("SelectType", "select/linear"))
            entries.append(ConfigurationEntry("SelectTypeParameters", "NONE"))
        }
        let kinds = Set(machine.nodeTypes.flatMap { $0.accelerators.map(\.kind) }).sorted()
        if !kinds.isEmpty {
            entries.append(ConfigurationEntry("GresTypes", kinds.joined(separator: ",")))
        }
        let licenses = machine.licenses.map { "\($0.name):\($0.count)" }
        if !licenses.isEmpty {
            entries.append(ConfigurationEntry("Licenses", licenses.joined(separator: ",")))
        }
        return entries + preemption(machine.preemption) + priorities(rules.policy)
    }

    private func preemption(_ rules: PreemptionRules) -> [ConfigurationEntry] {
        guard let basis = rules.basis else { return [] }
        let type = basis == .qos ? "preempt/qos" : "preempt/partition_prio"
        return [
            ConfigurationEntry(
                "PreemptMode",
                rules.mode == .suspend ? "GANG,SUSPEND" : rules.mode.rawValue.uppercased()
            ),
            ConfigurationEntry("PreemptType", type),
            ConfigurationEntry(
                "PreemptExemptTime",
                SlurmTime.full(SimDuration(seconds: Int64(rules.exemptSeconds)))
            ),
        ]
    }

    private func priorities(_ policy: SchedulingPolicy) -> [ConfigurationEntry] {
        var entries: [ConfigurationEntry] = []
        if policy.passDelaySeconds > 0 {
            let text = "batch_sched_delay=\(policy.passDelaySeconds)"
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
