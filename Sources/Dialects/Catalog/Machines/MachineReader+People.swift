import Accounts
public import ClusterModel
import IndexSets
import Quantities

// QOS, shares and limits of a machine file, under the names that sacctmgr gives them.

extension MachineReader {
    // MARK: Associations

    /// The users of an account: names, or mappings that say more of one.
    func readMembers(
        _ field: YAMLField?,
        into account: inout AccountEntry
    ) throws(FileRefusal) {
        guard let field else { return }
        var users: [String] = []
        for element in try field.list() {
            guard let name = try? element.name() else {
                let member = try member(element)
                account.members.append(member)
                users.append(member.name)
                continue
            }
            users.append(name)
        }
        if let twice = users.first(where: { name in users.filter { $0 == name }.count > 1 }) {
            throw field.refusal(.duplicate(name: twice, of: "user"))
        }
        account.users = users
    }

    private func member(_ field: YAMLField) throws(FileRefusal) -> AccountEntry.Member {
        let fields = try field.mapping([
            "name", "default", "shares", "limits", "qos", "default_qos",
        ])
        var member = AccountEntry.Member(name: try fields.required("name").name())
        member.isDefault = try fields["default"]?.flag() ?? false
        member.settings = try settings(fields)
        member.qos = try fields["qos"]?.list().mapField { name throws(FileRefusal) in
            try name.name()
        }
        member.defaultQOS = try fields["default_qos"]?.name()
        return member
    }

    /// The members `shares` and `limits` of an account or a user.
    func settings(_ fields: YAMLMapping) throws(FileRefusal) -> AssociationSettings {
        var settings = AssociationSettings()
        let range = 0...Int64(AssociationSettings.sharesMaximum)
        settings.shares = try fields["shares"]?.count(range) ?? 1
        if let field = fields["limits"] { settings.limits = try limits(field, ofQOS: false) }
        return settings
    }

    private func limits(_ field: YAMLField, ofQOS: Bool) throws(FileRefusal) -> Limits {
        var limits = Limits()
        for (word, value) in try field.entries() {
            guard let name = LimitName(named: word, ofQOS: ofQOS) else {
                let known = LimitName.all.filter { ofQOS ? $0.isOfQOS : $0.isOfAssociations }
                throw value.refusal(
                    .unknownReference(
                        name: word,
                        to: "limit",
                        similar: similarNames(to: word, among: known.map(\.name))
                    )
                )
            }
            var text = try? value.text()
            if text == nil {
                // `{cpu: 8, mem: 16G}` is `cpu=8,mem=16G`.
                let parts = try value.entries().mapField { part throws(FileRefusal) in
                    "\(part.name)=\(try part.field.text())"
                }
                text = parts.joined(separator: ",")
            }
            do throws(MalformedLimit) {
                try limits.set(name, to: text ?? "")
            } catch {
                throw value.refusal(.unreadable(found: error.found, expected: error.expected))
            }
        }
        return limits
    }

    // MARK: QOS

    /// The qualities of service of a file.
    func qos(_ top: YAMLMapping) throws(FileRefusal) -> [QOS] {
        var list: [QOS] = []
        for field in try top["qos"]?.list() ?? [] {
            let qos = try qos(field)
            guard !list.contains(where: { $0.name == qos.name }) else {
                throw field.refusal(.duplicate(name: qos.name, of: "QOS"))
            }
            list.append(qos)
        }
        return list
    }

    private func qos(_ field: YAMLField) throws(FileRefusal) -> QOS {
        let fields = try field.mapping([
            "name", "priority", "limits", "flags", "preempts", "preempt_mode", "exempt_time",
            "grace_time", "usage_factor",
        ])
        var qos = QOS(name: try fields.required("name").name())
        qos.priority = try fields["priority"]?.count(0...1_000_000_000) ?? 0
        if let field = fields["limits"] { qos.limits = try limits(field, ofQOS: true) }
        for word in try fields["flags"]?.list() ?? [] {
            let text = try word.text()
            guard let flag = QOS.Flags.names.first(where: { $0.name == text })?.flag else {
                throw word.refusal(
                    .unknownReference(
                        name: text,
                        to: "flag of a QOS",
                        similar: similarNames(to: text, among: QOS.Flags.names.map(\.name))
                    )
                )
            }
            qos.flags.insert(flag)
        }
        qos.preempts =
            try fields["preempts"]?.list().mapField { name throws(FileRefusal) in
                try name.name()
            } ?? []
        qos.preemptMode = try fields["preempt_mode"]?.choice(PreemptionRules.Mode.self) ?? .cluster
        qos.preemptExemptSeconds = try fields["exempt_time"]?.seconds() ?? 0
        qos.graceSeconds = try fields["grace_time"]?.seconds() ?? 0
        qos.usageFactor = try fields["usage_factor"]?.thousandths(0...1_000_000) ?? 1_000
        return qos
    }

    // MARK: Preemption

    /// Who makes way. Where a QOS preempts others it need not be said that QOS decide.
    func preemption(_ top: YAMLMapping, _ machine: Machine) throws(FileRefusal) -> PreemptionRules {
        var rules = PreemptionRules()
        if machine.qos.contains(where: { !$0.preempts.isEmpty }) { rules.basis = .qos }
        guard let field = top["preemption"] else { return rules }
        let fields = try field.mapping(["by", "mode", "exempt_time"])
        rules.basis = try fields.required("by").choice(PreemptionRules.Basis.self)
        if let mode = fields["mode"] {
            rules.mode = try mode.choice(PreemptionRules.Mode.self)
            guard rules.mode != .cluster else {
                throw mode.refusal(
                    .unreadable(found: "cluster", expected: "off, cancel, requeue or suspend")
                )
            }
        }
        rules.exemptSeconds = try fields["exempt_time"]?.seconds() ?? 0
        return rules
    }

    // MARK: Licences

    /// The licences of a file.
    func licenses(_ top: YAMLMapping) throws(FileRefusal) -> [LicensePool] {
        var list: [LicensePool] = []
        for field in try top["licenses"]?.list() ?? [] {
            let fields = try field.mapping(["name", "count"])
            let pool = LicensePool(
                name: try fields.required("name").name(),
                count: try fields.required("count").count(1...Int64(LicensePool.countMaximum))
            )
            guard !list.contains(where: { $0.name == pool.name }) else {
                throw field.refusal(.duplicate(name: pool.name, of: "licence"))
            }
            list.append(pool)
        }
        return list
    }

    func billingWeights(_ field: YAMLField) throws(FileRefusal) -> BillingWeights {
        let fields = try field.mapping(["cpu", "gib", "node", "gpu"])
        let weights = 0...BillingWeights.maximum
        return BillingWeights(
            core: try fields["cpu"]?.thousandths(weights) ?? 0,
            gibibyte: try fields["gib"]?.thousandths(weights) ?? 0,
            node: try fields["node"]?.thousandths(weights) ?? 0,
            card: try fields["gpu"]?.thousandths(weights) ?? 0
        )
    }

    // MARK: What refers to what

    /// Accounts, QOS and partitions may name one another in any order.
    func checkPeople(_ top: YAMLMapping, _ machine: Machine) throws(FileRefusal) {
        guard let problem = machine.peopleProblem else { return }
        let section = top[problem.section]
        let entry = ((try? section?.list()) ?? []).first { element in
            let fields = (try? element.entries()) ?? []
            return (try? fields.first { $0.name == "name" }?.field.text()) == problem.owner
        }
        let field = ((try? entry?.entries()) ?? []).first { $0.name == problem.field }?.field
        throw (field ?? entry ?? section ?? top.field).refusal(.conflict(problem.text))
    }
}

/// What an account, a QOS or a partition refers to that is not there.
struct PeopleProblem {
    /// The part of the file: `accounts`, `qos` or `partitions`.
    var section: String
    /// Whose entry it is.
    var owner: String
    /// The member of the entry.
    var field: String
    /// What is wrong.
    var text: String
}

extension Machine {
    /// Why its accounts, QOS and partitions do not go together; nil when they do.
    public var problemOfPeople: String? {
        peopleProblem.map { "\($0.owner), \($0.field): \($0.text)" }
    }

    /// What accounts, QOS and partitions refer to that is not there, a circle of accounts, or a user
    /// with two default accounts; nil when all is well.
    var peopleProblem: PeopleProblem? {
        for qos in qosKnown {
            let owner = ("qos", qos.name, "preempts")
            if let problem = unknownQOS(qos.preempts, owner) { return problem }
            if let way = circle(from: qos) {
                let by = way.count > 1 ? ", by way of '\(way[way.count - 1])'" : ""
                return PeopleProblem(owner, "QOS '\(qos.name)' preempts itself\(by)")
            }
        }
        for partition in partitions {
            let owner = { (field: String) in ("partitions", partition.name, field) }
            if let problem = unknownQOS([partition.qos].compactMap(\.self), owner("qos"))
                ?? unknownQOS(partition.allowedQOS ?? [], owner("allowed_qos"))
            {
                return problem
            }
        }
        for account in accounts {
            if let problem = self.problem(of: account) { return problem }
        }
        return nil
    }

    /// The names by which a QOS preempts itself, from its own on; nil when it does not.
    private func circle(from start: QOS) -> [String]? {
        var ways = [[start.name]]
        var seen: Set<String> = []
        while let way = ways.popLast() {
            let preempted = qos.first { $0.name == way[way.count - 1] }?.preempts ?? []
            if preempted.contains(start.name) { return way }
            for name in preempted where seen.insert(name).inserted { ways.append(way + [name]) }
        }
        return nil
    }

    private func unknownQOS(
        _ list: [String],
        _ owner: (String, String, String)
    ) -> PeopleProblem? {
        let names = qosKnown.map(\.name)
        return list.first { !names.contains($0) }.map {
            PeopleProblem(owner, "QOS '\($0)' is not there\(didYouMean($0, among: names))")
        }
    }

    private func problem(of account: AccountEntry) -> PeopleProblem? {
        let owner = { (field: String) in ("accounts", account.name, field) }
        if let problem = unknownQOS([account.defaultQOS].compactMap(\.self), owner("default_qos"))
            ?? unknownQOS(account.qos ?? [], owner("qos")) ?? parentProblem(of: account)
        {
            return problem
        }
        for member in account.members {
            let list = [member.defaultQOS].compactMap(\.self) + (member.qos ?? [])
            if let problem = unknownQOS(list, owner("users")) { return problem }
            let allowed = qosAllowed(to: member.name, of: account.name)
            if let preset = member.defaultQOS, !(allowed?.contains(preset) ?? true) {
                let text = "user '\(member.name)' may not use the default QOS '\(preset)'"
                return PeopleProblem(owner("users"), text)
            }
            let others = accounts.filter { other in
                other.members.contains { $0.name == member.name && $0.isDefault }
            }
            if member.isDefault, let other = others.first(where: { $0.name != account.name }) {
                let text =
                    "user '\(member.name)' has two default accounts, '\(other.name)' is the other"
                return PeopleProblem(owner("users"), text)
            }
        }
        return nil
    }

    private func parentProblem(of account: AccountEntry) -> PeopleProblem? {
        let owner = ("accounts", account.name, "parent")
        var seen = [account.name]
        var next = account.parent
        while let name = next {
            guard let above = self.account(named: name) else {
                let hint = didYouMean(name, among: accounts.map(\.name))
                return PeopleProblem(owner, "account '\(name)' is not there\(hint)")
            }
            guard !seen.contains(name) else {
                let text = "the account belongs to itself, by way of '\(name)'"
                return PeopleProblem(owner, text)
            }
            seen.append(name)
            next = above.parent
        }
        return nil
    }
}

extension PeopleProblem {
    init(_ owner: (section: String, name: String, field: String), _ text: String) {
        self.init(section: owner.section, owner: owner.name, field: owner.field, text: text)
    }
}

extension YAMLField {
    /// A decimal number with up to three places, in thousandths.
    func thousandths(_ range: ClosedRange<Int32>) throws(FileRefusal) -> Int32 {
        let text = try text()
        let sides = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let places = sides.count == 2 ? String(sides[1]) : "0"
        let padded = places + String(repeating: "0", count: max(0, 3 - places.utf8.count))
        let isDecimal = (String(sides[0]) + places).utf8.allSatisfy { (48...57).contains($0) }
        guard isDecimal, padded.utf8.count == 3, let whole = Int64(sides[0]), whole <= 1_000_000,
            let part = Int64(padded)
        else {
            throw refusal(.unreadable(found: text, expected: "a number such as 1 or 0.25"))
        }
        guard let value = Int32(exactly: whole * 1_000 + part), range.contains(value) else {
            throw refusal(
                .outOfRange(
                    found: text,
                    minimum: "\(range.lowerBound / 1_000)",
                    maximum: "\(range.upperBound / 1_000)"
                )
            )
        }
        return value
    }

    /// A time in whole seconds, 0 included.
    func seconds() throws(FileRefusal) -> Int32 {
        if let number = try? integer(0...0) { return Int32(number) }
        guard let limit = try timeLimit() else {
            throw refusal(.unreadable(found: "unlimited", expected: "a time"))
        }
        return Int32(clamping: limit.microseconds / 1_000_000)
    }
}
