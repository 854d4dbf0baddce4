public import WireFormats
import Quantities

extension SlurmData {
    /// The records of a list.
    public func records(_ list: AccountingList, withSteps: Bool = true) -> JSONValue {
        records(list.records, list, withSteps: withSteps)
    }

    /// The records that a listing has chosen.
    func records(
        _ shown: [AccountingRecord],
        _ list: AccountingList,
        withSteps: Bool = true
    ) -> JSONValue {
        answer { answer in
            let jobs = shown.map { record($0, of: list.cluster(of: $0), withSteps: withSteps) }
            answer.list("jobs", jobs)
        }
    }

    private func record(
        _ info: AccountingRecord,
        of cluster: String,
        withSteps: Bool
    ) -> JSONValue {
        let hasEnded = info.end != nil
        return DataObject.made { job in
            job.text("account", info.account)
            job.object("comment") { comment in
                comment.text("administrator", "")
                comment.text("job", info.comment)
                comment.text("system", "")
            }
            job.integer("allocation_nodes", info.nodeCount)
            job.object("array") { array in
                array.integer("job_id", info.arrayJobID ?? 0)
                array.number("task_id", info.arrayTaskID)
                array.text("task", "")
            }
            job.object("association") { association in
                association.text("account", info.account)
                association.text("cluster", cluster)
                association.text("partition", "")
                association.text("user", info.user)
                association.integer("id", info.associationID ?? 0)
            }
            job.text("cluster", cluster)
            job.exit("exit_code", code: info.exitCode, signal: info.exitSignal, isOver: hasEnded)
            job.exit("derived_exit_code", code: info.derivedExitCode, signal: 0, isOver: hasEnded)
            job.object("time") { fill(&$0, info) }
            job.words("flags", [])
            job.text("group", info.group)
            job.integer("job_id", info.jobID)
            job.object("het") { het in
                het.integer("job_id", info.hetJobID ?? 0)
                het.number("job_offset", info.hetJobOffset)
            }
            job.text("name", info.name)
            job.text("nodes", info.nodeList.isEmpty ? "None assigned" : info.nodeList)
            job.text("partition", info.partition)
            job.number("priority", info.priority)
            job.text("qos", info.qos)
            job.object("required") { required in
                required.integer("CPUs", info.requestedCores)
                required.number("memory_per_cpu", nil as Int64?)
                let nodes = Int64(max(1, info.nodeCount))
                required.number(
                    "memory_per_node",
                    info.requestedMemory.map { $0.mebibytes / nodes }
                )
            }
            if version.has(.recordedRestarts) { job.integer("restart_cnt", info.restarts) }
            job.object("state") { state in
                state.words("current", [info.state])
                state.text("reason", info.reason)
            }
            job.list("steps", withSteps ? info.steps.map { step($0, of: info) } : [])
            job.text("submit_line", info.submitLine)
            job.object("tres") { tres in
                let memory = info.requestedMemory?.mebibytes
                let asked = resources(
                    info.requestedCores,
                    memory,
                    info.nodeCount,
                    info.accelerators
                )
                let held = resources(info.cores, memory, info.nodeCount, info.accelerators)
                tres.list("allocated", info.start == nil ? [] : held)
                tres.list("requested", asked)
            }
            job.text("user", info.user)
            job.text("working_directory", info.workDirectory)
        }
    }

    private func fill(_ time: inout DataObject, _ info: AccountingRecord) {
        time.integer("elapsed", info.elapsed.seconds)
        time.integer("eligible", info.eligible?.seconds ?? 0)
        time.integer("end", info.end?.seconds ?? 0)
        let planned = info.start.flatMap { start in
            info.eligible.map { max(0, (start - $0).seconds) }
        }
        time.number("planned", planned)
        time.integer("start", info.start?.seconds ?? 0)
        time.integer("submission", info.submit.seconds)
        time.integer("suspended", info.suspended.seconds)
        time.limit("limit", info.timeLimit.map { ($0.seconds + 59) / 60 })
    }

    private func step(_ info: StepRecord, of job: AccountingRecord) -> JSONValue {
        DataObject.made { step in
            step.object("time") { time in
                time.integer("elapsed", info.elapsed.seconds)
                time.time("end", info.end)
                time.time("start", info.start)
            }
            step.exit(
                "exit_code",
                code: info.exitCode,
                signal: info.exitSignal,
                isOver: info.end != nil
            )
            step.object("nodes") { nodes in
                nodes.integer("count", info.nodeList.isEmpty ? 0 : job.nodeCount)
                nodes.text("range", info.nodeList)
            }
            step.object("tasks") { $0.integer("count", info.tasks) }
            step.words("state", [info.state])
            step.object("step") { name in
                name.text("id", "\(job.jobID).\(info.id)")
                name.text("name", info.name)
            }
            step.object("tres") { tres in
                tres.list("allocated", resources(info.cores, nil, job.nodeCount, 0))
            }
        }
    }

    /// What Slurm can count, by its numbers.
    private func resources(
        _ cores: Int64,
        _ memory: Int64?,
        _ nodes: Int32,
        _ cards: Int64
    ) -> [JSONValue] {
        var counts: [(id: Int64, count: Int64)] = [(1, cores)]
        if let memory { counts.append((2, memory)) }
        counts += [(4, Int64(nodes)), (5, cores)]
        if cards > 0 { counts.append((1_001, cards)) }
        return counts.compactMap { entry in
            TrackedResource.all.first { $0.id == entry.id }?.amount(entry.count)
        }
    }

    /// What the centre can count: `slurmdb/…/tres`.
    public func resources() -> JSONValue {
        answer { $0.list("TRES", trackedResources) }
    }

    var trackedResources: [JSONValue] { TrackedResource.all.map { $0.amount(0) } }
}
