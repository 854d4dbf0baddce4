public import Accounts
public import ClusterModel
import Quantities
public import WireFormats

extension Machine {
    /// What slurm.conf(5) says of a machine beside its nodes and partitions.
    public var slurmEntries: [ConfigurationEntry] {
        let isLinear = partitions.allSatisfy { $0.sharing == .wholeNode }
        var entries = [
            ConfigurationEntry("SelectType", isLinear ? "select/linear" : "select/cons_tres"),
            ConfigurationEntry("SelectTypeParameters", isLinear ? "NONE" : "CR_CORE_MEMORY"),
        ]
        let kinds = Set(nodeTypes.flatMap { $0.accelerators.map(\.kind) }).sorted()
        if !kinds.isEmpty {
            entries.append(ConfigurationEntry("GresTypes", kinds.joined(separator: ",")))
        }
        if !licenses.isEmpty {
            let list = LicenseList.text(licenses.map { ($0.name, $0.count) })
            entries.append(ConfigurationEntry("Licenses", list))
        }
        guard let basis = preemption.basis else { return entries }
        let type = basis == .qos ? "preempt/qos" : "preempt/partition_prio"
        let exempt = CivilTime.lengthText(seconds: Int64(preemption.exemptSeconds))
        return entries + [
            ConfigurationEntry("PreemptType", type),
            ConfigurationEntry("PreemptMode", preemption.mode.slurmWords),
            ConfigurationEntry("PreemptExemptTime", exempt),
        ]
    }
}

extension PreemptionRules.Mode {
    /// The mode of a centre as slurm.conf(5) has it: Slurm suspends with its gang scheduler only, and wants both
    /// words.
    public var slurmWords: String { self == .suspend ? "GANG,SUSPEND" : rawValue.uppercased() }
}
