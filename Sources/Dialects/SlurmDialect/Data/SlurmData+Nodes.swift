public import WireFormats
import Quantities

extension SlurmData {
    /// The nodes of a list.
    public func nodes(_ list: NodeList) -> JSONValue {
        answer { answer in
            answer.list("nodes", list.nodes.map(node))
            answer.time("last_update", list.now)
        }
    }

    private func node(_ info: NodeInfo) -> JSONValue {
        DataObject.made { node in
            node.text("architecture", info.architecture)
            node.integer("boards", 1)
            node.time("boot_time", info.bootTime)
            node.text("cluster_name", cluster)
            node.integer("cores", info.coresPerSocket)
            node.number("free_mem", info.memory.mebibytes - info.memoryHeld.mebibytes)
            node.integer("cpus", info.cores)
            node.integer("effective_cpus", info.cores)
            node.words("features", list(info.features ?? ""))
            node.words("active_features", list(info.features ?? ""))
            node.text("gres", info.gres)
            node.text("gres_used", info.gresUsed)
            node.text("instance_type", info.nodeType)
            node.time("last_busy", info.lastBusy)
            node.text("name", info.name)
            node.text("address", info.address ?? info.hostName ?? info.name)
            node.text("hostname", info.hostName ?? info.name)
            node.words("state", [info.state] + info.flags)
            node.text("operating_system", info.operatingSystem)
            node.words("partitions", info.partitions)
            node.integer("real_memory", info.memory.mebibytes)
            node.text("reason", info.reason)
            node.time("reason_changed_at", info.reasonTime)
            node.text("reason_set_by_user", info.reasonUser)
            node.integer("alloc_memory", info.memoryHeld.mebibytes)
            node.integer("alloc_cpus", info.coresHeld)
            node.integer("alloc_idle_cpus", info.cores - info.coresHeld)
            node.time("slurmd_start_time", info.bootTime)
            node.integer("sockets", info.sockets)
            node.integer("threads", info.threadsPerCore)
            node.integer("weight", info.weight)
            node.text("version", slurmVersion)
        }
    }

    /// The partitions of a list.
    public func partitions(_ list: PartitionList) -> JSONValue {
        answer { answer in
            answer.list("partitions", list.partitions.map(partition))
            answer.time("last_update", list.now)
        }
    }

    private func partition(_ info: PartitionInfo) -> JSONValue {
        DataObject.made { fill(&$0, info) }
    }

    private func fill(_ partition: inout DataObject, _ info: PartitionInfo) {
        partition.object("nodes") { nodes in
            nodes.text("allowed_allocation", "")
            nodes.text("configured", info.nodeList)
            nodes.integer("total", info.nodeCount)
        }
        partition.object("accounts") { accounts in
            accounts.text("allowed", info.allowedAccounts?.joined(separator: ","))
            accounts.text("deny", "")
        }
        partition.object("groups") { $0.text("allowed", "") }
        partition.object("qos") { qos in
            qos.text("allowed", info.allowedQOS?.joined(separator: ","))
            qos.text("deny", "")
            qos.text("assigned", info.qos)
        }
        partition.object("tres") { tres in
            tres.text("billing_weights", "")
            tres.text("configured", "cpu=\(info.cores),node=\(info.nodeCount)")
        }
        partition.text("cluster", cluster)
        partition.object("cpus") { cpus in
            cpus.integer("task_binding", 0)
            cpus.integer("total", info.cores)
        }
        partition.object("defaults") { defaults in
            defaults.number("time", info.defaultTime.map { $0.seconds / 60 })
        }
        partition.integer("grace_time", info.graceSeconds)
        partition.object("maximums") { maximums in
            maximums.limit("nodes", info.maximumNodes)
            maximums.limit("time", info.maximumTime.map { $0.seconds / 60 })
            maximums.object("oversubscribe") { sharing in
                sharing.integer("jobs", info.isExclusive ? 0 : 1)
                sharing.words("flags", [])
            }
        }
        partition.object("minimums") { $0.integer("nodes", info.minimumNodes) }
        partition.text("name", info.name)
        partition.object("priority") { priority in
            priority.integer("job_factor", info.priorityJobFactor)
            priority.integer("tier", info.priorityTier)
        }
        partition.object("partition") { $0.words("state", [info.state]) }
    }

    /// The rows of `sinfo`: nodes of a partition that are alike.
    func nodeRows(_ rows: [NodeRow]) -> JSONValue {
        answer { answer in answer.list("sinfo", rows.map(nodeRow)) }
    }

    private func nodeRow(_ row: NodeRow) -> JSONValue {
        let nodes = row.groups.flatMap(\.nodes)
        return DataObject.made { object in
            object.object("node") { node in
                node.words("state", nodes.first.map { [$0.state] + $0.flags } ?? [])
            }
            object.object("nodes") { counts in
                let held = nodes.count { $0.state == "ALLOCATED" || $0.state == "MIXED" }
                let idle = nodes.count { $0.state == "IDLE" && $0.flags.isEmpty }
                counts.integer("allocated", held)
                counts.integer("idle", idle)
                counts.integer("other", nodes.count - held - idle)
                counts.integer("total", nodes.count)
                counts.words("hostnames", nodes.map(\.name))
                counts.words("addresses", nodes.map(\.name))
                counts.words("nodes", nodes.map(\.name))
            }
            object.object("cpus") { cpus in
                let held = nodes.reduce(0) { $0 + Int64($1.coresHeld) }
                let total = nodes.reduce(0) { $0 + Int64($1.cores) }
                let other = nodes.filter { !$0.flags.isEmpty || $0.state == "DOWN" }
                    .reduce(0) { $0 + Int64($1.cores - $1.coresHeld) }
                cpus.integer("allocated", held)
                cpus.integer("idle", total - held - other)
                cpus.integer("other", other)
                cpus.integer("total", total)
                cpus.integer("minimum", nodes.map(\.cores).min() ?? 0)
                cpus.integer("maximum", nodes.map(\.cores).max() ?? 0)
            }
            object.object("memory") { memory in
                memory.integer("minimum", nodes.map(\.memory.mebibytes).min() ?? 0)
                memory.integer("maximum", nodes.map(\.memory.mebibytes).max() ?? 0)
                memory.integer("allocated", nodes.reduce(0) { $0 + $1.memoryHeld.mebibytes })
            }
            object.object("features") { $0.text("total", nodes.first?.features) }
            object.object("gres") { $0.text("total", nodes.first?.gres) }
            object.object("reason") { reason in
                reason.text("description", nodes.first?.reason)
                reason.time("time", nodes.first?.reasonTime)
                reason.text("user", nodes.first?.reasonUser)
            }
            object.object("partition") { fill(&$0, row.partition) }
            object.text("cluster", cluster)
        }
    }
}
