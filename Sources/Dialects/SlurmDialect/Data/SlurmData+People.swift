import Quantities
public import WireFormats

extension SlurmData {
    /// The accounts of a list, or the one of a name.
    public func accounts(_ people: PeopleList, named name: String? = nil) -> JSONValue {
        let chosen = people.associations.filter { entry in
            entry.user == nil && (name.map { $0 == entry.account } ?? true)
        }
        return answer { answer in
            answer.list(
                "accounts",
                chosen.map { entry in
                    DataObject.made { account in
                        account.list("associations", [])
                        account.list("coordinators", [])
                        account.text("description", entry.title ?? entry.account)
                        account.text("name", entry.account)
                        account.text("organization", entry.organization ?? entry.account)
                        account.words("flags", [])
                    }
                }
            )
        }
    }

    /// The users of a list, or the one of a name; each once, in the order of the list.
    public func users(_ people: PeopleList, named name: String? = nil) -> JSONValue {
        var order: [String] = []
        var entries: [String: [AssociationInfo]] = [:]
        for entry in people.associations {
            guard let user = entry.user, name.map({ $0 == user }) ?? true else { continue }
            if entries[user] == nil { order.append(user) }
            entries[user, default: []].append(entry)
        }
        return answer { answer in
            answer.list("users", order.map { user($0, entries[$0] ?? [], of: people.cluster) })
        }
    }

    private func user(_ name: String, _ entries: [AssociationInfo], of cluster: String) -> JSONValue
    {
        DataObject.made { user in
            let isOperator = entries.contains(where: \.isOperator)
            user.words("administrator_level", [isOperator ? "Operator" : "None"])
            user.list("associations", entries.map { short($0, of: cluster) })
            user.list("coordinators", [])
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
        answer { answer in
            answer.list(
                "associations",
                people.associations.map { entry in
                    DataObject.made { association in
                        fill(&association, entry, of: people.cluster)
                        association.object("default") { $0.text("qos", entry.defaultQOS) }
                        association.words("flags", [])
                        association.flag("is_default", entry.isDefault)
                        association.text("parent_account", entry.parent)
                        association.words("qos", entry.qos)
                        association.integer("shares_raw", entry.shares)
                    }
                }
            )
        }
    }

    /// The qualities of service of a list.
    public func qualities(_ people: PeopleList) -> JSONValue {
        answer { answer in
            answer.list(
                "qos",
                people.qos.map { entry in
                    DataObject.made { qos in
                        qos.text("description", entry.name)
                        qos.words("flags", [])
                        qos.integer("id", entry.id)
                        qos.object("limits") { limits in
                            limits.integer("grace_time", entry.graceTime.seconds)
                        }
                        qos.text("name", entry.name)
                        qos.object("preempt") { preempt in
                            preempt.words("list", entry.preempts)
                            let isOwn = entry.preemptMode != "cluster"
                            preempt.words("mode", isOwn ? [entry.preemptMode.uppercased()] : [])
                            preempt.number("exempt_time", entry.exemptTime?.seconds)
                        }
                        qos.number("priority", entry.priority)
                    }
                }
            )
        }
    }
}
