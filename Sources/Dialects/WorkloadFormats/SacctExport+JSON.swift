import WireFormats

/// What `sacct --json` prints (openapi/dbv0.0.38 to v0.0.44): an object whose `jobs` are the jobs.
extension SacctExport {
    /// The latest instant and the longest time that are believed, as in the text form. Unit: s.
    private static let secondsMaximum: Int64 = 99_999_999_999

    /// Hands each job to `body`; lines are counted as jobs, from 1.
    ///
    /// - Returns: the columns of the text form that it has.
    /// - Throws: `MalformedRow` when it is no such object.
    func readJSON(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (Result<SacctRow, MalformedRow>) -> Void
    ) throws(MalformedRow) -> Set<String> {
        let document: JSONValue
        do throws(JSONValue.Malformed) {
            document = try JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw MalformedRow(line: error.line, field: 0, problem: error.problem)
        }
        guard let jobs = document["jobs"]?.array else {
            throw MalformedRow(line: 1, field: 0, problem: "the object has no list of jobs")
        }
        for (index, job) in jobs.enumerated() {
            do throws(MalformedRow) {
                body(.success(try row(job, line: index + 1)))
            } catch {
                body(.failure(error))
            }
        }
        return [
            "jobid", "jobidraw", "user", "account", "partition", "qos", "state", "submit", "start",
            "end", "elapsed", "timelimit", "nnodes", "alloccpus", "reqcpus", "reqtres", "alloctres",
        ]
    }

    private func row(_ job: JSONValue, line: Int) throws(MalformedRow) -> SacctRow {
        func malformed(_ problem: String) -> MalformedRow {
            MalformedRow(line: line, field: 0, problem: problem)
        }
        guard let number = job["job_id"]?.slurmNumber, number > 0,
            var id = SacctJobID("\(number)")
        else { throw malformed("the job has no job_id") }
        if let array = job["array"], let base = array["job_id"]?.slurmNumber, base > 0 {
            id.base = base
            id.arrayTask = array["task_id"]?.slurmNumber
            if id.arrayTask == nil, array["task"]?.string?.isEmpty == false {
                id.isArrayRest = true
            }
        }
        if let het = job["het"], let base = het["job_id"]?.slurmNumber, base > 0 {
            id.base = base
            id.hetOffset = het["job_offset"]?.slurmNumber
        }
        let time = job["time"]
        func instant(_ name: String) -> Int64? {
            time?[name]?.slurmNumber.flatMap { $0 > 0 && $0 <= Self.secondsMaximum ? $0 : nil }
        }
        func tres(_ name: String) throws(MalformedRow) -> SacctTRES {
            do throws(SacctTRES.Unreadable) {
                return try SacctTRES(Self.tresText(job["tres"]?[name]))
            } catch {
                throw malformed("'\(error.part)' is no count of a resource")
            }
        }
        let allocated = try tres("allocated")
        return SacctRow(
            line: line,
            id: id,
            rawID: number,
            user: job["user"]?.string ?? job["association"]?["user"]?.string ?? "",
            account: job["account"]?.string ?? "",
            partition: job["partition"]?.string ?? "",
            qos: job["qos"]?.string ?? "",
            state: Self.state(job["state"]),
            submitted: instant("submission"),
            started: instant("start"),
            ended: instant("end"),
            elapsed: time?["elapsed"]?.slurmNumber.flatMap {
                (0...Self.secondsMaximum).contains($0) ? $0 * 1_000_000 : nil
            },
            timeLimit: Self.limit(time?["limit"]),
            nodeCount: job["allocation_nodes"]?.slurmNumber,
            heldCPUs: allocated.cpus,
            requestedCPUs: job["required"]?["CPUs"]?.slurmNumber,
            requested: try tres("requested"),
            allocated: allocated,
            constraints: job["constraints"]?.string ?? "",
            reservation: job["reservation"]?["name"]?.string ?? "",
            submitLine: job["submit_line"]?.string ?? "",
            replay: nil
        )
    }

    /// `{"current": ["COMPLETED"]}`, before Slurm 23.11 `{"current": "COMPLETED"}`.
    private static func state(_ value: JSONValue?) -> String {
        let current = value?["current"] ?? value
        return current?.string ?? current?.array?.first?.string ?? ""
    }

    /// In minutes.
    private static func limit(_ value: JSONValue?) -> SacctTimeLimit {
        guard let value else { return .unknown }
        if value["infinite"]?.bool == true { return .unlimited }
        guard let minutes = value.slurmNumber, (0...1 << 40).contains(minutes) else {
            return .unknown
        }
        return .microseconds(minutes * 60_000_000)
    }

    /// `[{"type": "gres", "name": "gpu", "count": 4}]` as `gres/gpu=4`.
    private static func tresText(_ value: JSONValue?) -> String {
        (value?.array ?? []).compactMap { entry -> String? in
            guard let type = entry["type"]?.string, let count = entry["count"]?.slurmNumber,
                count >= 0
            else { return nil }
            let name = entry["name"]?.string ?? ""
            let unit = type == "mem" ? "M" : ""
            return "\(type)\(name.isEmpty ? "" : "/\(name)")=\(count)\(unit)"
        }.joined(separator: ",")
    }
}

extension JSONValue {
    /// A number of Slurm's: plain, or `{"set": true, "infinite": false, "number": 5}`; nil for one that
    /// is not set or has no end.
    fileprivate var slurmNumber: Int64? {
        if let number = wholeNumber { return number }
        guard self["set"]?.bool != false, self["infinite"]?.bool != true else { return nil }
        return self["number"]?.wholeNumber
    }
}
