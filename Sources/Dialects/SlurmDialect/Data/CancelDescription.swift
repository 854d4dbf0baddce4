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
        DataMember("account", .text) { request, value throws(JSONValue.Malformed) in
            request.account = try value.text()
        },
        DataMember("flags", .words) { request, value throws(JSONValue.Malformed) in
            request.isForShellOnly = try value.texts().contains("BATCH_JOB")
        },
        DataMember("job_name", .text) { request, value throws(JSONValue.Malformed) in
            request.name = try value.text()
        },
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
        DataMember("partition", .text) { request, value throws(JSONValue.Malformed) in
            request.partition = try value.text()
        },
        DataMember("signal", .text) { request, value throws(JSONValue.Malformed) in
            request.signal = try signal(try value.text())
        },
        DataMember("user_name", .text) { request, value throws(JSONValue.Malformed) in
            request.user = try value.text()
        },
        DataMember("user_id", .text) { request, value throws(JSONValue.Malformed) in
            request.user = try value.text()
        },
        DataMember("nodes", .words) { request, value throws(JSONValue.Malformed) in
            request.nodeList = try value.texts().joined(separator: ",")
        },
        DataMember("qos", .text) { request, value throws(JSONValue.Malformed) in
            request.qos = try value.text()
        },
        DataMember("reservation", .text) { request, value throws(JSONValue.Malformed) in
            request.reservation = try value.text()
        },
        DataMember("wckey", .text) { request, value throws(JSONValue.Malformed) in
            request.project = try value.text()
        },
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
