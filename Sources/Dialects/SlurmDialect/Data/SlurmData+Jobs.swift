public import WireFormats
import Quantities

extension SlurmData {
    /// The jobs of a list; waiting elements of a job array are one, as Slurm keeps them.
    public func jobs(_ list: JobList) -> JSONValue {
        jobs(JobRow.folding(list.jobs, calendar: CentreCalendar()), list)
    }

    /// The jobs that a listing has chosen.
    func jobs(_ rows: [JobRow], _ list: JobList, warnings: [String] = []) -> JSONValue {
        answer(warnings: warnings) { answer in
            answer.list("jobs", rows.map(job))
            answer.time("last_backfill", list.now)
            answer.time("last_update", list.now)
        }
    }

    /// Where jobs stand, in a word each.
    public func jobStates(_ list: JobList) -> JSONValue {
        answer { answer in
            let states = list.jobs.map { job in
                DataObject.made { object in
                    object.text("job_id", "\(job.jobID)")
                    object.words("state", [job.state])
                }
            }
            answer.list("jobs", states)
        }
    }

    private func job(_ row: JobRow) -> JSONValue {
        let info = row.info
        return DataObject.made { job in
            name(row, &job)
            standing(row, &job)
            request(info, &job)
            files(info, &job)
        }
    }

    private func name(_ row: JobRow, _ job: inout DataObject) {
        let info = row.info
        job.text("account", info.account)
        job.number("array_job_id", info.arrayJobID ?? 0)
        job.number("array_task_id", row.elements == nil ? info.arrayTaskID : nil)
        job.number("array_max_tasks", info.arrayLimit ?? 0)
        job.text("array_task_string", row.elements)
        job.integer("association_id", 0)
        job.flag("batch_flag", !info.isInteractive)
        job.text("batch_host", info.batchHost)
        job.words(
            "flags",
            info.endsOnInvalidDependency ? ["KILL_INVALID_DEPENDENCY"] : []
        )
        job.text("cluster", cluster)
        job.text("command", info.command)
        job.text("comment", info.comment)
        job.integer("group_id", info.groupID)
        job.text("group_name", info.group)
        job.integer("job_id", info.jobID)
        job.text("name", info.name)
        job.text("partition", info.partition)
        job.text("qos", info.qos)
        job.integer("user_id", info.userID)
        job.text("user_name", info.user)
    }

    private func standing(_ row: JobRow, _ job: inout DataObject) {
        let info = row.info
        let hasEnded = JobStates.hasEnded(info.state)
        job.words("job_state", [info.state])
        job.text("state_reason", info.reason)
        job.text("state_description", info.reasonText)
        job.time("submit_time", info.submit)
        job.time("eligible_time", info.eligible)
        job.time("accrue_time", info.accrue)
        job.time("start_time", row.start)
        job.time("end_time", row.end)
        job.time("last_sched_evaluation", info.lastEvaluation)
        job.time("deadline", info.deadline)
        job.time("suspend_time", info.suspendTime)
        job.number("pre_sus_time", info.preSuspendTime?.seconds ?? 0)
        job.limit("time_limit", info.timeLimit.map { ($0.seconds + 59) / 60 })
        job.flag("hold", info.priority == 0)
        job.number("priority", info.priority)
        job.integer("nice", info.nice)
        job.flag("requeue", info.requeues)
        job.integer("restart_cnt", info.restarts)
        job.text("dependency", info.dependency)
        job.exit("exit_code", code: info.exitCode, signal: info.exitSignal, isOver: hasEnded)
        job.exit("derived_exit_code", code: info.derivedExitCode, signal: 0, isOver: hasEnded)
    }

    private func request(_ info: JobInfo, _ job: inout DataObject) {
        job.number("cpus", info.cores)
        job.number("node_count", info.nodeCount)
        job.number("tasks", info.tasks)
        job.number("cpus_per_task", info.cpusPerTask)
        job.number("tasks_per_node", info.tasksPerNode ?? 0)
        job.number("memory_per_cpu", info.memoryPerCPU?.mebibytes)
        job.number("memory_per_node", info.memoryPerNode?.mebibytes)
        job.text("nodes", info.nodeList)
        job.text("scheduled_nodes", info.scheduledNodes)
        job.text("required_nodes", info.requiredNodes)
        job.text("excluded_nodes", info.excludedNodes)
        job.text("features", info.features)
        job.text("licenses", info.licenses)
        if version.has(.v43) {
            job.text("licenses_allocated", info.start == nil ? nil : info.licenses)
        }
        job.text("resv_name", info.reservation)
        job.text("tres_per_node", info.gres)
        job.text("tres_req_str", info.tresText)
        job.text("tres_alloc_str", info.start == nil ? nil : info.tresText)
        let sharing: [String: [String]] = [
            "NO": ["none"], "USER": ["user"], "YES": ["oversubscribe"],
        ]
        job.words("shared", sharing[info.oversubscribe] ?? [])
    }

    private func files(_ info: JobInfo, _ job: inout DataObject) {
        job.text("current_working_directory", info.workDirectory)
        job.text("standard_error", info.standardError)
        job.text("standard_input", info.standardInput)
        job.text("standard_output", info.standardOutput)
        job.text("allocating_node", info.submitHost)
    }
}
