import Accounts
import IndexSets
import WireFormats

// Parameters of slurm.conf and of `scontrol show config`: what each becomes.
extension SlurmSite {
    /// Parameters of the scheduler, which make the policy.
    private static let policyKeys: Set<String> = [
        "schedulertype", "prioritytype", "priorityweightage", "priorityweightfairshare",
        "priorityweightjobsize", "priorityweightpartition", "priorityweightqos", "prioritymaxage",
        "prioritydecayhalflife", "priorityfavorsmall",
    ]
    /// What of SchedulerParameters a policy has.
    static let schedulerWords = ["bf_window", "bf_resolution", "bf_max_job_test"]
    /// The same, whatever fills gaps.
    static let delayWord = "batch_sched_delay"

    mutating func readParameter(_ key: String, _ value: String, _ line: SlurmLine) {
        switch key.lowercased() {
        case "clustername":
            cluster = value
            note(.used, line, "ClusterName: the machine's name")
        case "selecttype":
            isLinear = value.hasSuffix("linear")
            note(
                .used,
                line,
                "SelectType: \(isLinear ? "whole nodes" : "nodes are shared by cores")"
            )
        case "schedulerparameters":
            scheduler["schedulerparameters"] = value
            let words = value.split(separator: ",").map { String($0.prefix { $0 != "=" }) }
            let rest = words.filter { !Self.schedulerWords.contains($0) && $0 != Self.delayWord }
            let said = rest.isEmpty ? "" : "; ignored: \(rest.joined(separator: ", "))"
            note(.used, line, "\(key): in the policy\(said)")
        case let name where Self.policyKeys.contains(name):
            scheduler[name] = value
            note(.used, line, "\(key): in the policy")
        case "preempttype": readPreemptType(value, line)
        case "preemptmode": readPreemptMode(value, line)
        case "preemptexempttime":
            preemption.exempt = ["-1", "00:00:00", "NONE"].contains(value) ? nil : value
            note(.used, line, "\(key): in preemption")
        case "licenses": readLicenses(value, line)
        case "suspendtime", "resumetimeout":
            note(
                .ignored,
                line,
                "\(key)=\(value): what nodes draw is not in these files; give node types a power,"
                    + " then power_saving"
            )
        case "selecttypeparameters", "gresttypes", "grestypes", "enforcepartlimits",
            "accountingstorageenforce", "topologyplugin":
            note(.ignored, line, "\(key)=\(value): not part of a machine file")
        default:
            note(.ignored, line, "\(key): says nothing about what is emulated")
        }
    }

    // MARK: Preemption and licences

    private mutating func readPreemptType(_ value: String, _ line: SlurmLine) {
        switch value.lowercased() {
        case "preempt/none", "(null)": preemption.by = nil
        case "preempt/qos": preemption.by = .qos
        case "preempt/partition_prio": preemption.by = .partition
        default: return note(.ignored, line, "PreemptType=\(value): not known")
        }
        note(.used, line, "PreemptType: in preemption")
    }

    private mutating func readPreemptMode(_ value: String, _ line: SlurmLine) {
        guard let mode = Self.preemptMode(value) else {
            return note(.ignored, line, "PreemptMode=\(value): not emulated")
        }
        preemption.mode = mode
        note(.used, line, "PreemptMode: in preemption")
    }

    /// The mode among words such as `REQUEUE,GANG`; nil when none of them is emulated.
    static func preemptMode(_ text: String) -> PreemptionRules.Mode? {
        text.lowercased().split(separator: ",")
            .compactMap { PreemptionRules.Mode(rawValue: String($0)) }.first
    }

    /// `fluent:20,ansys`; one that has no number is there once.
    private mutating func readLicenses(_ value: String, _ line: SlurmLine) {
        guard value != "(null)", !value.isEmpty else {
            return note(.used, line, "Licenses: none of them")
        }
        guard let list = LicenseList.read(value),
            list.allSatisfy({ SiteNames.isName($0.name) })
        else { return note(.refused, line, "Licenses=\(value) is not like fluent:20,ansys") }
        licenses = list
        note(.used, line, "Licenses: \(licenses.count) of them")
    }

    /// `preemption` and `licenses` of the machine file.
    var preemptionText: String {
        var text = ""
        if let by = preemption.by {
            // Slurm's own default lets nobody make way.
            var members = ["by: \(by.rawValue)", "mode: \((preemption.mode ?? .off).rawValue)"]
            if let exempt = preemption.exempt {
                members.append("exempt_time: \(SiteYAML.quoted(exempt))")
            }
            text += "preemption: {\(members.joined(separator: ", "))}\n"
        }
        guard !licenses.isEmpty else { return text }
        let entries = licenses.map {
            "  - {name: \(SiteYAML.quoted($0.name)), count: \($0.count)}\n"
        }
        return text + "licenses:\n" + entries.joined()
    }
}

/// Who makes way at a site, as its slurm.conf says.
struct SitePreemption: Sendable {
    var by: PreemptionRules.Basis?
    var mode: PreemptionRules.Mode?
    var exempt: String?
}
