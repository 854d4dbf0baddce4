import HTTPTypes
import SlurmDialect
import WireFormats

// Jobs: listed, submitted, changed and cancelled.

extension SlurmRoute {
    static let jobRoutes: [SlurmRoute] = [
        SlurmRoute(
            .slurm,
            .get,
            "jobs",
            "The jobs that wait, run, or ended lately",
            answer: ["jobs", "last_backfill", "last_update"],
            cost: .listing,
            parameters: Parameter.passed("update_time", "flags")
        ) { centre, ask in
            var query = JobQuery()
            query.includesEnded = true
            query.clusters = [ClusterWord.own]
            return ask.data.jobs(try await centre.jobs(query, ask.peer))
        },
        SlurmRoute(
            .slurm,
            .delete,
            "jobs",
            "Cancels or signals the jobs that the body chooses",
            answer: ["status"],
            body: .cancel
        ) { centre, ask in
            let reading = try CancelDescription.cancel(ask.body)
            let response = try await centre.cancel(reading.request, ask.peer)
            return ask.data.warning(reading.warnings).cancellations(response)
        },
        SlurmRoute(
            .slurm,
            .get,
            "jobs/state",
            "Where jobs stand, in a word each",
            answer: ["jobs"],
            cost: .listing,
            parameters: [.read("job_id")]
        ) { centre, ask in
            var query = JobQuery()
            query.includesEnded = true
            let named = try ask.jobs("job_id")
            query.ids = named?.selectors.map(\.jobID)
            query.clusters = [ClusterWord.own]
            var list = try await centre.jobs(query, ask.peer)
            if let named { list.jobs.removeAll { !named.selects($0) } }
            return ask.data.jobStates(list)
        },
        SlurmRoute(
            .slurm,
            .get,
            "job/{job_id}",
            "One job, or the elements of an array",
            answer: ["jobs", "last_backfill", "last_update"],
            cost: .lookup,
            parameters: Parameter.passed("update_time", "flags")
        ) { centre, ask in
            let job = try ask.job()
            var query = JobQuery()
            query.ids = [job.jobID]
            query.includesEnded = true
            query.clusters = [ClusterWord.own]
            query.looksAhead = false
            var list = try await centre.jobs(query, ask.peer)
            list.jobs.removeAll { !job.selects($0) }
            guard !list.jobs.isEmpty else {
                throw RestFailure(
                    SlurmError.invalidJobID.body(details: ["Unable to query JobId=\(ask.path)"]),
                    source: "_handle_job_get"
                )
            }
            return ask.data.jobs(list)
        },
        SlurmRoute(
            .slurm,
            .post,
            "job/{job_id}",
            "Changes a job",
            answer: ["results"],
            body: .change
        ) { centre, ask in
            try await change(centre, ask)
        },
        SlurmRoute(
            .slurm,
            .delete,
            "job/{job_id}",
            "Cancels a job, or sends it a signal",
            answer: ["status"],
            parameters: [.read("signal"), .read("flags")]
        ) { centre, ask in
            var request = CancelRequest()
            request.jobs = [try ask.jobOrStep()]
            if let word = ask.parameters["signal"], !word.isEmpty {
                do throws(JSONValue.Malformed) {
                    request.signal = try CancelDescription.signal(word)
                } catch {
                    throw RestFailure.query(error.problem, "signal")
                }
            }
            request.isForShellOnly = ask.words("flags")?.contains("BATCH_JOB") ?? false
            let response = try await centre.cancel(request, ask.peer)
            let refusals = response.outcomes.compactMap(\.error)
            // Whoever cancels what is over has what he wants.
            let isOver = { (body: ErrorBody) in body.code == SlurmError.alreadyDone.rawValue }
            if let refusal = refusals.first(where: { !isOver($0) }),
                refusals.count == response.outcomes.count
            {
                throw RestFailure(refusal, source: "slurm_kill_jobs()")
            }
            return ask.data.warning(
                refusals.map { RestWarning($0.text, "slurm_kill_jobs()") }
            ).cancellations(response)
        },
        SlurmRoute(
            .slurm,
            .post,
            "job/submit",
            "Submits a script",
            answer: ["job_id", "step_id", "job_submit_user_msg"],
            body: .submission
        ) { centre, ask in
            var reading = try JobDescription.submission(ask.body, ask.version)
            reading.request.idempotencyKey = ask.key
            let response = try await centre.submit(reading.request, ask.peer)
            return ask.data.warning(reading.warnings).submission(response)
        },
        SlurmRoute(
            .slurm,
            .post,
            "job/allocate",
            "Asks for an allocation in which its user runs things",
            answer: ["job_id", "job_submit_user_msg"],
            body: .allocation
        ) { centre, ask in
            var reading = try JobDescription.allocation(ask.body, ask.version)
            reading.request.idempotencyKey = ask.key
            let response = try await centre.submit(reading.request, ask.peer)
            let data = ask.data.warning(reading.warnings)
            return data.submission(response, isInteractive: true)
        },
    ]

    private static func change(
        _ centre: any CentreService,
        _ ask: SlurmQuestion
    ) async throws -> JSONValue {
        let job = try ask.job()
        let reading = try JobDescription.change(ask.body, ask.version)
        var outcomes: [ActionOutcome] = []
        if reading.request.update != JobUpdateRequest() {
            var update = reading.request.update
            update.arrayTasks = job.arrayTasks
            outcomes += try await centre.update(job.jobID, update, ask.peer).outcomes
        }
        if let holds = reading.request.hold {
            var action = JobActionRequest()
            action.arrayTasks = job.arrayTasks
            let verb: JobVerb = holds ? .hold : .release
            outcomes += try await centre.perform(verb, on: job.jobID, action, ask.peer).outcomes
        }
        // What is refused for the job is refused; of an array some elements may have been changed.
        if let refusal = outcomes.first?.error, outcomes.allSatisfy({ $0.error != nil }) {
            throw RestFailure(refusal, source: "slurm_update_job2()")
        }
        return ask.data.warning(reading.warnings).changes(ActionResponse(outcomes: outcomes))
    }
}
