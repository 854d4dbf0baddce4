public import WireFormats

/// Which jobs are to be cancelled or signalled, as Slurm's REST describes it (`kill_jobs_msg`).
public enum CancelDescription {
    /// Reads a choice of jobs.
    ///
    /// - Throws: `RestFailure`, with the member that is wrong; also when nothing is chosen.
    public static func cancel(_ body: JSONValue) throws(RestFailure) -> DataReading<CancelRequest> {
        var reading = DataReading(CancelRequest())
        // A filter that is passed over would let more be cancelled than was meant.
        reading.isStrict = true
        try reading.read(body, members, "#")
        let request = reading.request
        guard !request.jobs.isEmpty || request.hasFilter
        else { throw .query("No job is chosen", "#/jobs") }
        do throws(JSONValue.Malformed) {
            try request.checkForm()
        } catch {
            throw .parsing(error.problem, "#")
        }
        return reading
    }

    static let members: [DataMember<CancelRequest>] = [
        .text("account", \.account),
        DataMember("flags", .words) { request, value throws(JSONValue.Malformed) in
            request.isForShellOnly = try value.texts().contains("BATCH_JOB")
        },
        .text("job_name", \.name),
        DataMember("job_state", .words) { request, value throws(JSONValue.Malformed) in
            for word in try value.texts() {
                guard let state = JobStates.named(word) else {
                    throw DataValue.expected("the name of a state")
                }
                if !request.states.contains(state) { request.states.append(state) }
            }
        },
        DataMember("jobs", .words) { request, value throws(JSONValue.Malformed) in
            let words = try value.texts()
            do throws(JobSelection.Problem) {
                request.jobs = try JobSelection(words).selectors
            } catch {
                throw JSONValue.Malformed(line: 0, problem: error.text)
            }
        },
        .text("partition", \.partition),
        DataMember("signal", .text) { request, value throws(JSONValue.Malformed) in
            request.signal = try signal(try value.text())
        },
        .text("user_name", \.user),
        .text("user_id", \.user),
        .names("nodes", \.nodeList),
        .text("qos", \.qos),
        .text("reservation", \.reservation),
        .text("wckey", \.project),
    ]

    /// A signal; nil for KILL, with which a job is cancelled.
    ///
    /// - Throws: `JSONValue.Malformed` for what is none.
    public static func signal(_ text: String) throws(JSONValue.Malformed) -> Int32? {
        guard let signal = OptionValues.signal(text) else {
            throw DataValue.expected("the name or number of a signal")
        }
        return signal == 9 ? nil : signal
    }
}
