public import WireFormats
import Quantities

extension SlurmData {
    /// The jobs of a list; waiting elements of a job array are one, as Slurm keeps them.
    public func jobs(_ list: JobList) -> JSONValue {
        jobs(JobRow.folding(list.jobs, calendar: CentreCalendar()), list)
    }

    /// The jobs that a listing has chosen.
    func jobs(_ rows: [JobRow], _ list: JobList) -> JSONValue {
        answer { answer in
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
                    object.number("array_job_id", job.arrayJobID ?? 0)
                    object.number("array_task_id", job.arrayTaskID)
                    object.integer("job_id", job.jobID)
                    object.words("job_state", [job.state])
                    object.words("state", [job.state])
                }
            }
            answer.list("jobs", states)
            answer.time("last_backfill", list.now)
            answer.time("last_update", list.now)
        }
    }

    /// A job that was taken in.
    public func submission(_ response: SubmitResponse, isInteractive: Bool = false) -> JSONValue {
        var data = self
        data.warnings += response.warnings.map { RestWarning($0) }
        let message = response.warnings.joined(separator: "\n")
        return data.answer { answer in
            if version.has(.doubledResults), !isInteractive {
                answer.object("result") { result in
                    result.integer("job_id", response.jobID)
                    result.text("step_id", "batch")
                    result.integer("error_code", 0)
                    result.text("error", "No error")
                    result.text("job_submit_user_msg", message)
                }
            }
            answer.integer("job_id", response.jobID)
            if !isInteractive { answer.text("step_id", "batch") }
            answer.text("job_submit_user_msg", message)
        }
    }

    /// What became of a change of a job, or of the elements of an array.
    public func changes(_ response: ActionResponse) -> JSONValue {
        answer { answer in
            let results = response.outcomes.map { outcome in
                DataObject.made { result in
                    let failure = outcome.error.map { RestFailure($0) }
                    result.integer("job_id", outcome.jobID)
                    result.text("step_id", "")
                    result.text("error", failure?.error ?? "No error")
                    result.integer("error_code", failure?.number ?? 0)
                    result.text("why", failure?.description)
                }
            }
            answer.list("results", results)
            if version.has(.doubledResults) {
                answer.text("job_id", response.outcomes.first.map { "\($0.jobID)" })
                answer.text("step_id", "")
                answer.text("job_submit_user_msg", "")
            }
        }
    }

    /// What became of jobs that were to be cancelled or signalled.
    public func cancellations(_ response: ActionResponse) -> JSONValue {
        answer { answer in
            let status = response.outcomes.map { outcome in
                DataObject.made { status in
                    let failure = outcome.error.map { RestFailure($0) }
                    status.object("error") { error in
                        error.text("string", failure?.error ?? "No error")
                        error.integer("code", failure?.number ?? 0)
                        error.text("message", failure?.description)
                    }
                    status.text("step_id", "\(outcome.jobID)\(outcome.step.map { ".\($0)" } ?? "")")
                    status.number("job_id", outcome.jobID)
                    status.object("federation") { $0.text("sibling", "") }
                }
            }
            answer.list("status", status)
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
        job.number("het_job_id", info.hetJobID ?? 0)
        job.number("het_job_offset", info.hetJobOffset ?? 0)
        job.text("het_job_id_set", info.hetJobID.map { "\($0)-\($0 + (info.hetJobSize ?? 1) - 1)" })
        job.integer("association_id", info.associationID)
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
        if version.has(.allocatedLicenses) {
            job.text("licenses_allocated", info.start == nil ? nil : info.licenses)
        }
        job.value("job_resources", held(info))
        job.text("resv_name", info.reservation)
        job.text("tres_per_node", info.gres)
        job.text("tres_req_str", info.tresText)
        job.text("tres_alloc_str", info.start == nil ? nil : info.tresText)
        let sharing: [String: [String]] = [
            "NO": ["none"], "USER": ["user"], "YES": ["oversubscribe"],
        ]
        job.words("shared", sharing[info.oversubscribe] ?? [])
    }

    /// What a job holds or held; null before it starts.
    private func held(_ info: JobInfo) -> JSONValue {
        guard !info.nodeList.isEmpty else { return .null }
        return DataObject.made { held in
            held.words("select_type", ["CPU"])
            held.object("nodes") { nodes in
                nodes.integer("count", info.nodeCount)
                nodes.words("select_type", [])
                nodes.text("list", info.nodeList)
                nodes.flag("whole", info.oversubscribe == "NO")
            }
            held.integer("cpus", info.cores)
            held.number("threads_per_core", nil as Int32?)
        }
    }

    private func files(_ info: JobInfo, _ job: inout DataObject) {
        job.text("current_working_directory", info.workDirectory)
        job.text("standard_error", info.standardError)
        job.text("standard_input", info.standardInput)
        job.text("standard_output", info.standardOutput)
        if version.has(.expandedFiles) {
            job.text("stderr_expanded", info.standardError)
            job.text("stdin_expanded", info.standardInput)
            job.text("stdout_expanded", info.standardOutput)
        }
        job.text("allocating_node", info.submitHost)
    }
}
