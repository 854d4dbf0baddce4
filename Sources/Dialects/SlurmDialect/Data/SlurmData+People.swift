import Quantities
public import WireFormats

extension SlurmData {
    /// The accounts of a list, or the one of a name.
    ///
    /// - Parameter withAssociations: whether each says whom it has.
    /// - Parameter withCoordinators: whether each says who looks after it.
    public func accounts(
        _ people: PeopleList,
        named name: String? = nil,
        withAssociations: Bool = false,
        withCoordinators: Bool = false
    ) -> JSONValue {
        let all = accountEntries(
            people,
            named: name,
            withAssociations: withAssociations,
            withCoordinators: withCoordinators
        )
        return answer { $0.list("accounts", all) }
    }

    func accountEntries(
        _ people: PeopleList,
        named name: String? = nil,
        withAssociations: Bool = false,
        withCoordinators: Bool = false
    ) -> [JSONValue] {
        let chosen = people.associations.filter { entry in
            entry.user == nil && (name.map { $0 == entry.account } ?? true)
        }
        let members =
            withAssociations ? Dictionary(grouping: people.associations, by: \.account) : [:]
        return chosen.map { entry in
            DataObject.made { account in
                let own = members[entry.account] ?? []
                account.list("associations", own.map { short($0, of: people.cluster) })
                let coordinators = withCoordinators ? entry.coordinators : []
                account.list(
                    "coordinators",
                    coordinators.map { coordinator($0, isDirect: true) }
                )
                account.text("description", entry.title ?? entry.account)
                account.text("name", entry.account)
                account.text("organization", entry.organization ?? entry.account)
                account.words("flags", [])
            }
        }
    }

    private func coordinator(_ name: String, isDirect: Bool) -> JSONValue {
        DataObject.made { coordinator in
            coordinator.text("name", name)
            coordinator.flag("direct", isDirect)
        }
    }

    /// The users of a list, or the one of a name; each once, in the order of the list.
    ///
    /// - Parameter withCoordinators: whether each says of which accounts he is a coordinator.
    /// - Parameter all: the accounts that there are; those of the list where nothing is said.
    public func users(
        _ people: PeopleList,
        named name: String? = nil,
        withCoordinators: Bool = false,
        among all: PeopleList? = nil
    ) -> JSONValue {
        let coordinating = withCoordinators ? all ?? people : nil
        return answer {
            $0.list("users", userEntries(people, named: name, coordinating: coordinating))
        }
    }

    func userEntries(
        _ people: PeopleList,
        named name: String? = nil,
        coordinating all: PeopleList? = nil
    ) -> [JSONValue] {
        var order: [String] = []
        var entries: [String: [AssociationInfo]] = [:]
        for entry in people.associations {
            guard let user = entry.user, name.map({ $0 == user }) ?? true else { continue }
            if entries[user] == nil { order.append(user) }
            entries[user, default: []].append(entry)
        }
        let levels = Dictionary(people.roles.map { ($0.user, $0.adminLevel) }) { first, _ in first }
        order += people.withoutAccount.map(\.user).filter { user in name.map { $0 == user } ?? true
        }
        return order.map { name in
            let coordinated = all?.coordinated(by: name) ?? []
            // The data model has no other levels.
            let isOperator =
                levels[name] == "Administrator"
                || entries[name]?.contains(where: \.isOperator) ?? false
            return user(name, entries[name] ?? [], isOperator, coordinated, of: people.cluster)
        }
    }

    private func user(
        _ name: String,
        _ entries: [AssociationInfo],
        _ isOperator: Bool,
        _ coordinated: [(account: String, isDirect: Bool)],
        of cluster: String
    ) -> JSONValue {
        DataObject.made { user in
            user.words("administrator_level", [isOperator ? "Administrator" : "None"])
            user.list("associations", entries.map { short($0, of: cluster) })
            user.list(
                "coordinators",
                coordinated.map { coordinator($0.account, isDirect: $0.isDirect) }
            )
            user.object("default") { usual in
                usual.text("account", entries.first(where: \.isDefault)?.account)
                usual.text("wckey", "")
            }
            user.words("flags", [])
            user.text("name", name)
            user.text("old_name", "")
            user.list("wckeys", [])
        }
    }

    private func short(_ entry: AssociationInfo, of cluster: String) -> JSONValue {
        DataObject.made { fill(&$0, entry, of: cluster) }
    }

    private func fill(_ object: inout DataObject, _ entry: AssociationInfo, of cluster: String) {
        object.text("account", entry.account)
        object.text("cluster", cluster)
        object.text("partition", "")
        object.text("user", entry.user)
        object.integer("id", entry.id)
    }

    /// The associations of a list.
    public func associations(_ people: PeopleList) -> JSONValue {
        answer { $0.list("associations", associationEntries(people)) }
    }

    func associationEntries(_ people: PeopleList) -> [JSONValue] {
        let all = people.qos.map(\.name)
        return people.associations.map { entry in
            DataObject.made { association in
                fill(&association, entry, of: people.cluster)
                association.list("accounting", [])
                association.text("comment", "")
                association.object("default") { $0.text("qos", entry.defaultQOS) }
                association.words("flags", [])
                for limit in LimitPlace.all {
                    guard let path = limit.association else { continue }
                    association.value(at: path, limit.value(among: entry.limits))
                }
                association.flag("is_default", entry.isDefault)
                association.text("parent_account", entry.user == nil ? entry.parent : nil)
                association.number("priority", nil as Int32?)
                association.words("qos", entry.qos.isEmpty ? all : entry.qos)
                association.integer("shares_raw", entry.shares)
            }
        }
    }

    /// The qualities of service of a list, or the one of a name.
    public func qualities(_ people: PeopleList, named name: String? = nil) -> JSONValue {
        answer { $0.list("qos", qualityEntries(people, named: name)) }
    }

    func qualityEntries(_ people: PeopleList, named name: String? = nil) -> [JSONValue] {
        people.qos.filter { entry in name.map { $0 == entry.name } ?? true }.map { entry in
            DataObject.made { qos in
                qos.text("description", entry.name)
                qos.words("flags", entry.flags.compactMap { Self.qosFlags[$0] })
                qos.integer("id", entry.id)
                qos.object("limits") { $0.integer("grace_time", entry.graceTime.seconds) }
                for limit in LimitPlace.all {
                    guard let path = limit.qos,
                        version.has(.groupLimitsOfQOS) || !limit.isNewOfQOS
                    else { continue }
                    qos.value(at: path, limit.value(among: entry.limits))
                }
                qos.value(at: ["limits", "factor"], DataObject.limit(nil as Int64?))
                qos.text("name", entry.name)
                qos.object("preempt") { preempt in
                    preempt.words("list", entry.preempts)
                    let isOwn = !["cluster", "off"].contains(entry.preemptMode)
                    preempt.words("mode", isOwn ? [entry.preemptMode.uppercased()] : ["DISABLED"])
                    preempt.number("exempt_time", entry.exemptTime?.seconds)
                }
                qos.number("priority", entry.priority)
                qos.ratio("usage_factor", Double(entry.usageFactor) / 1_000)
                qos.ratio("usage_threshold", nil)
            }
        }
    }

    /// The data model's words for flags of `sacctmgr`.
    static let qosFlags: [String: String] = [
        "DenyOnLimit": "DENY_LIMIT", "EnforceUsageThreshold": "ENFORCE_USAGE_THRESHOLD",
        "NoDecay": "NO_DECAY", "NoReserve": "NO_RESERVE",
        "OverPartQOS": "OVERRIDE_PARTITION_QOS", "PartitionMaxNodes": "PARTITION_MAXIMUM_NODE",
        "PartitionMinNodes": "PARTITION_MINIMUM_NODE", "PartitionQOS": "PARTITION_QOS",
        "PartitionTimeLimit": "PARTITION_TIME_LIMIT", "Relative": "RELATIVE",
        "RequiresReservation": "REQUIRED_RESERVATION", "UsageFactorSafe": "USAGE_FACTOR_SAFE",
    ]

    // MARK: Shares

    /// The shares of accounts and users: `sshare` as data.
    public func shares(_ people: PeopleList, of chosen: [AssociationInfo]) -> JSONValue {
        let used = Double(people.associations.first?.usage ?? 0)
        return answer { answer in
            answer.object("shares") { shares in
                shares.list("shares", chosen.map { share($0, people, used: used) })
                shares.integer(
                    "total_shares",
                    people.associations.reduce(0) { $0 + Int64($1.shares) }
                )
            }
        }
    }

    private func share(
        _ info: AssociationInfo,
        _ people: PeopleList,
        used: Double
    ) -> JSONValue {
        let isRoot = info.parent == nil
        let normal = isRoot ? 1 : Self.part(Double(info.shares), of: Double(info.siblingShares))
        let effective = isRoot ? 1 : Self.part(Double(info.usage), of: Double(info.siblingUsage))
        return DataObject.made { share in
            share.integer("id", info.id)
            share.text("cluster", people.cluster)
            share.text("name", info.user ?? info.account)
            share.text("parent", info.user == nil ? info.parent : info.account)
            share.text("partition", "")
            share.ratio("shares_normalized", normal)
            share.number("shares", info.shares)
            share.object("tres") { tres in
                let minutes = info.limits.first { $0.name == "GrpTRESMins" }?.value ?? ""
                let running = [
                    ("cpu", info.use.coreMinutes), ("mem", info.use.memoryMinutes),
                    ("node", info.use.nodeMinutes), ("gres/gpu", info.use.cardMinutes),
                ]
                tres.list(
                    "run_seconds",
                    running.map { name, minutes in
                        DataObject.made { amount in
                            amount.text("name", name)
                            amount.number(
                                "value",
                                minutes.multipliedReportingOverflow(by: 60).partialValue
                            )
                        }
                    }
                )
                tres.list(
                    "group_minutes",
                    TrackedResource.amounts(minutes).map { json in
                        DataObject.made { amount in
                            let (type, name) = (
                                json["type"]?.string ?? "", json["name"]?.string ?? ""
                            )
                            amount.text("name", name.isEmpty ? type : "\(type)/\(name)")
                            amount.number("value", json["count"]?.integer)
                        }
                    }
                )
                tres.list("usage", [])
            }
            share.ratio("usage_normalized", Self.part(Double(info.usage), of: used))
            share.integer("usage", info.usage)
            let factor =
                info.user == nil ? nil : Self.part(Double(info.rank), of: Double(people.ranked))
            let level = effective > 0 ? normal / effective : Double.infinity
            // The first of the versions has plain numbers, which cannot be infinite.
            if !version.has(.plainShares) {
                share.ratio("effective_usage", effective)
                share.object("fairshare") { fairshare in
                    fairshare.ratio("factor", factor)
                    fairshare.ratio("level", isRoot ? nil : level)
                }
            } else {
                share.value("effective_usage", .number(effective))
                share.object("fairshare") { fairshare in
                    fairshare.value("factor", .number(factor ?? 0))
                    fairshare.value("level", .number(level.isFinite ? level : 0))
                }
            }
            share.words("type", [info.user == nil ? "ASSOCIATION" : "USER"])
        }
    }

    private static func part(_ part: Double, of whole: Double) -> Double {
        whole > 0 ? part / whole : 0
    }

    // MARK: Changes

    /// What came, in one text under the name that Slurm gives it.
    public func added(_ text: String, as member: String) -> JSONValue {
        answer { $0.text(member, text) }
    }

    /// All that the accounts know: `slurmdb/…/config`.
    public func accountsConfiguration(_ people: PeopleList) -> JSONValue {
        answer { answer in
            answer.list("clusters", people.clusters.map(clusterEntry))
            answer.list("tres", trackedResources)
            answer.list(
                "accounts",
                accountEntries(people, withAssociations: true, withCoordinators: true)
            )
            answer.list("users", userEntries(people, coordinating: people))
            answer.list("qos", qualityEntries(people))
            answer.list("wckeys", [])
            answer.list("associations", associationEntries(people))
            answer.list("instances", [])
        }
    }
}
