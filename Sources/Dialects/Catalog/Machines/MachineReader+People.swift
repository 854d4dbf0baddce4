import Accounts
import ClusterModel
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
        qos.preemptMode = try fields["preempt_mode"]?.choice(QOS.PreemptMode.self) ?? .cluster
        qos.preemptExemptSeconds = try fields["exempt_time"]?.seconds() ?? 0
        qos.graceSeconds = try fields["grace_time"]?.seconds() ?? 0
        qos.usageFactor = try fields["usage_factor"]?.thousandths(0...1_000_000) ?? 1_000
        return qos
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
        throw (top["accounts"] ?? top["qos"] ?? top.field).refusal(.conflict(problem))
    }
}

extension Machine {
    /// What accounts, QOS and partitions refer to that is not there, or a circle of accounts; nil
    /// when all is well.
    var peopleProblem: String? {
        let names = qosInOrder.map(\.name)
        func unknown(_ list: [String], _ owner: String) -> String? {
            list.first { !names.contains($0) }.map {
                "\(owner) names QOS '\($0)', which is not there\(didYouMean($0, among: names))"
            }
        }
        for qos in qos {
            if let problem = unknown(qos.preempts, "QOS '\(qos.name)'") { return problem }
            if qos.preempts.contains(qos.name) { return "QOS '\(qos.name)' preempts itself" }
        }
        for partition in partitions {
            let own = [partition.qos].compactMap(\.self) + (partition.allowedQOS ?? [])
            if let problem = unknown(own, "partition '\(partition.name)'") { return problem }
        }
        for account in accounts {
            let own = [account.defaultQOS].compactMap(\.self) + (account.qos ?? [])
            if let problem = unknown(own, "account '\(account.name)'") { return problem }
            for member in account.members {
                let list = [member.defaultQOS].compactMap(\.self) + (member.qos ?? [])
                let owner = "user '\(member.name)' of account '\(account.name)'"
                if let problem = unknown(list, owner) { return problem }
                if let preset = member.defaultQOS,
                    !(qosAllowed(to: member.name, of: account.name)?.contains(preset) ?? true)
                {
                    return "\(owner) may not use its default QOS '\(preset)'"
                }
            }
            if let problem = parentProblem(of: account) { return problem }
        }
        let defaults = accounts.flatMap { account in
            account.members.filter(\.isDefault).map(\.name)
        }
        if let twice = defaults.first(where: { name in defaults.filter { $0 == name }.count > 1 }) {
            return "user '\(twice)' has two default accounts"
        }
        return nil
    }

    private func parentProblem(of account: AccountEntry) -> String? {
        var seen = [account.name]
        var next = account.parent
        while let name = next {
            guard let above = self.account(named: name) else {
                let hint = didYouMean(name, among: accounts.map(\.name))
                return "account '\(account.name)' belongs to '\(name)', which is not there\(hint)"
            }
            guard !seen.contains(name) else {
                return "account '\(account.name)' belongs to itself, by way of '\(name)'"
            }
            seen.append(name)
            next = above.parent
        }
        return nil
    }
}

extension YAMLField {
    /// A decimal number with up to three places, in thousandths.
    fileprivate func thousandths(_ range: ClosedRange<Int32>) throws(FileRefusal) -> Int32 {
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
    fileprivate func seconds() throws(FileRefusal) -> Int32 {
        if let number = try? integer(0...0) { return Int32(number) }
        guard let limit = try timeLimit() else {
            throw refusal(.unreadable(found: "unlimited", expected: "a time"))
        }
        return Int32(clamping: limit.microseconds / 1_000_000)
    }
}
