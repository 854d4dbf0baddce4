public import WireFormats

/// What `scontrol show assoc_mgr` is asked for.
public struct AssociationFilter: Hashable, Sendable {
    var accounts: [String]?
    var users: [String]?
    var qos: [String]?
    var showsUsers = true
    var showsAssociations = true
    var showsQOS = true

    /// Reads `flags=users,assoc,qos accounts=A users=U qos=Q`.
    ///
    /// - Throws: `CommandFailure` for a word that is none of these.
    init(_ words: [String]) throws(CommandFailure) {
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw Self.unknown(word) }
            switch parts[0].lowercased() {
            case "accounts", "account": accounts = list(parts[1])
            case "users", "user": users = list(parts[1])
            case "qos": qos = list(parts[1])
            case "flags":
                let flags = list(parts[1].lowercased())
                showsUsers = flags.contains("users")
                showsAssociations = flags.contains { $0.hasPrefix("assoc") }
                showsQOS = flags.contains("qos")
            default: throw Self.unknown(word)
            }
        }
    }

    private static func unknown(_ word: String) -> CommandFailure {
        ControlCommand.failure("invalid option:\(word) for keyword:show assoc_mgr")
    }
}

extension AssociationFilter {
    /// What is printed.
    ///
    /// Source: Slurm 22.05, `src/scontrol/info_assoc_mgr.c`.
    public func output(_ people: PeopleList) -> CommandOutput {
        var lines = ["Current Association Manager state"]
        if showsUsers { lines += ["", "User Records", ""] + userRecords(people) }
        if showsAssociations {
            lines += ["", "Association Records", ""]
            for info in people.associations {
                guard accounts?.contains(info.account) ?? true,
                    info.user.map({ users?.contains($0) ?? true }) ?? true
                else { continue }
                lines += record(info, people)
            }
        }
        if showsQOS {
            lines += ["", "QOS Records", ""]
            for info in people.qos where qos?.contains(info.name) ?? true {
                lines += record(info)
            }
        }
        return CommandOutput(lines: lines)
    }

    private func userRecords(_ people: PeopleList) -> [String] {
        people.associations.filter { info in
            info.isDefault && info.user.map { users?.contains($0) ?? true } ?? false
        }.map { info in
            "UserName=\(info.user ?? "")(\(info.userID.map { "\($0)" } ?? "")) DefAccount=\(info.account)"
                + " DefWckey=(null) AdminLevel=\(info.shownAdminLevel)"
        }
    }

    private func record(_ info: AssociationInfo, _ people: PeopleList) -> [String] {
        let user = info.user.map { "\($0)(\(info.userID.map { "\($0)" } ?? ""))" } ?? ""
        let place = people.associations.firstIndex { $0.id == info.id } ?? 0
        let above = people.associations.first { $0.account == info.parent && $0.user == nil }
        let parent =
            info.user == nil ? above.map { "\($0.account)(\($0.id))" } ?? "" : ""
        let norm = AmountText.ratio(Int64(info.shares), max(1, info.siblingShares), digits: 2)
        let factor = AmountText.ratio(info.rank, max(1, people.ranked), digits: 2)
        let part = AmountText.ratio(info.usage, max(1, info.siblingUsage), digits: 2)
        let whole = max(1, people.associations.first?.usage ?? 1)
        let use = info.use
        let limits = LimitTexts(info.limits)
        return [
            "ClusterName=\(people.cluster) Account=\(info.account) UserName=\(user) Partition="
                + " Priority=0 ID=\(info.id)",
            "    SharesRaw/Norm/Level/Factor=\(info.shares)/\(norm)/\(info.siblingShares)"
                + "/\(info.user == nil ? "0.00" : factor)",
            "    UsageRaw/Norm/Efctv=\(info.endedUsage).00"
                + "/\(AmountText.ratio(info.usage, whole, digits: 2))/\(part)",
            "    ParentAccount=\(parent) Lft=\(place + 1)"
                + " DefAssoc=\(info.isDefault ? "Yes" : "No")",
            "    GrpJobs=\(limits.of("GrpJobs", use.jobs))"
                + " GrpJobsAccrue=N(\(use.accruing))",
            "    GrpSubmitJobs=\(limits.of("GrpSubmitJobs", use.submitted))"
                + " GrpWall=\(limits.value("GrpWall") ?? "N")(0.00)",
            "    GrpTRES=\(limits.tres("GrpTRES", use.held))",
            "    GrpTRESMins=\(limits.tres("GrpTRESMins", [:]))",
            "    GrpTRESRunMins=\(limits.tres("GrpTRESRunMins", use.minutes))",
            "    MaxJobs=\(limits.used("MaxJobs", use.jobs)) MaxJobsAccrue="
                + " MaxSubmitJobs=\(limits.used("MaxSubmitJobs", use.submitted))"
                + " MaxWallPJ=\(limits.value("MaxWall") ?? "")",
            "    MaxTRESPJ=\(limits.value("MaxTRESPerJob") ?? "")",
            "    MaxTRESPN=",
            "    MaxTRESMinsPJ=\(limits.value("MaxTRESMinsPerJob") ?? "")",
            "    MinPrioThresh=",
        ]
    }

    private func record(_ info: QOSInfo) -> [String] {
        let use = info.use
        let limits = LimitTexts(info.limits)
        let mode = info.preemptMode == "cluster" ? "OFF" : info.preemptMode.uppercased()
        var lines = [
            "QOS=\(info.name)(\(info.id))",
            "    UsageRaw=0.000000",
            "    GrpJobs=\(limits.of("GrpJobs", use.jobs)) GrpJobsAccrue=N(\(use.accruing))"
                + " GrpSubmitJobs=\(limits.of("GrpSubmitJobs", use.submitted))"
                + " GrpWall=\(limits.value("GrpWall") ?? "N")(0.00)",
            "    GrpTRES=\(limits.tres("GrpTRES", use.held))",
            "    GrpTRESMins=\(limits.tres("GrpTRESMins", [:]))",
            "    GrpTRESRunMins=\(limits.tres("GrpTRESRunMins", use.minutes))",
            "    MaxWallPJ=\(limits.minutes("MaxWall"))",
            "    MaxTRESPJ=\(limits.value("MaxTRESPerJob") ?? "")",
            "    MaxTRESPN=",
            "    MaxTRESMinsPJ=\(limits.value("MaxTRESMinsPerJob") ?? "")",
            "    MinPrioThresh= ",
            "    MinTRESPJ=\(limits.value("MinTRESPerJob") ?? "")",
            "    PreemptMode=\(mode)",
            "    Priority=\(info.priority)",
            "    Account Limits",
        ]
        if info.accounts.isEmpty { lines.append("        No Accounts") }
        for account in info.accounts {
            lines += [
                "      \(account.name)",
                "        MaxJobsPA=\(limits.of("MaxJobsPerAccount", account.use.jobs))"
                    + " MaxJobsAccruePA=N(\(account.use.accruing))"
                    + " MaxSubmitJobsPA=\(limits.of("MaxSubmitJobsPerAccount", account.use.submitted))",
                "        MaxTRESPA=\(limits.tres("MaxTRESPerAccount", account.use.held))",
            ]
        }
        lines.append("    User Limits")
        if info.users.isEmpty { lines.append("        No Users") }
        for user in info.users {
            lines += [
                "      \(user.name)",
                "        MaxJobsPU=\(limits.of("MaxJobsPerUser", user.use.jobs))"
                    + " MaxJobsAccruePU=N(\(user.use.accruing))"
                    + " MaxSubmitJobsPU=\(limits.of("MaxSubmitJobsPerUser", user.use.submitted))",
                "        MaxTRESPU=\(limits.tres("MaxTRESPerUser", user.use.held))",
            ]
        }
        return lines
    }
}

extension UseInfo {
    /// By the names of resources.
    fileprivate var held: [String: Int64] {
        ["cpu": cores, "mem": memory, "node": nodes, "billing": cores, "gres/gpu": cards]
    }

    fileprivate var minutes: [String: Int64] {
        [
            "cpu": coreMinutes, "mem": memoryMinutes, "node": nodeMinutes, "billing": coreMinutes,
            "gres/gpu": cardMinutes,
        ]
    }
}

/// Limits beside what counts under them: `N(2)`, `16(2)`.
private struct LimitTexts {
    private let limits: [NamedLimit]

    init(_ limits: [NamedLimit]) {
        self.limits = limits
    }

    func value(_ name: String) -> String? { limits.first { $0.name == name }?.value }

    func of(_ name: String, _ used: Int64) -> String { "\(value(name) ?? "N")(\(used))" }

    /// Empty where nothing is bounded.
    func used(_ name: String, _ used: Int64) -> String {
        value(name).map { "\($0)(\(used))" } ?? ""
    }

    /// A time in whole minutes.
    func minutes(_ name: String) -> String {
        value(name).flatMap { SlurmTime.seconds($0) }.map { "\($0 / 60)" } ?? ""
    }

    /// All resources that Slurm tracks.
    func tres(_ name: String, _ used: [String: Int64]) -> String {
        var bounds: [String: String] = [:]
        for part in list(value(name) ?? "") {
            let sides = part.split(separator: "=", maxSplits: 1).map(String.init)
            if sides.count == 2 { bounds[sides[0]] = sides[1] }
        }
        let names = [
            "cpu", "mem", "energy", "node", "billing", "fs/disk", "vmem", "pages", "gres/gpu",
        ]
        return names.map { "\($0)=\(bounds[$0] ?? "N")(\(used[$0] ?? 0))" }.joined(separator: ",")
    }
}
