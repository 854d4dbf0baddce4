import IndexSets
import JobModel
import Quantities
public import WireFormats

/// A job as Slurm's REST describes it when it is to be submitted, allocated or changed.
///
/// Source: Slurm's `job_desc_msg` of data_parser v0.0.41 to v0.0.44.
public enum JobDescription {
    /// Reads the body of a submission: `{"script": …, "job": {…}}`.
    ///
    /// - Throws: `RestFailure`, with the member that is wrong or missing.
    public static func submission(
        _ body: JSONValue,
        _ version: DataVersion
    ) throws(RestFailure) -> DataReading<SubmitRequest> {
        var reading = try request(body, of: version, also: "script")
        if let script = body["script"], script != .null {
            guard let text = script.string else { throw .parsing("a text expected", "#/script") }
            reading.request.script = text
        }
        guard !reading.request.script.isEmpty else {
            throw .query("Populated \"script\" field is required for job submission", "#/script")
        }
        guard reading.request.script.hasPrefix("#!") else {
            let text = "This does not look like a batch script. The first line must start with #!"
            throw .query("\(text) followed by the path to an interpreter.", "#/script")
        }
        guard !reading.request.environment.isEmpty else {
            throw .query("Environment is missing in job", "#/job/environment")
        }
        return try checked(reading)
    }

    /// Reads the body of an allocation, in which its user runs things: `{"job": {…}}`.
    ///
    /// - Throws: `RestFailure`, with the member that is wrong or missing.
    public static func allocation(
        _ body: JSONValue,
        _ version: DataVersion
    ) throws(RestFailure) -> DataReading<SubmitRequest> {
        var reading = try request(body, of: version, also: "hetjob")
        reading.request.script = ""
        reading.request.isInteractive = true
        if reading.request.name.isEmpty { reading.request.name = "interactive" }
        for place in reading.request.components.indices {
            reading.request.components[place].isInteractive = true
            if reading.request.components[place].name.isEmpty {
                reading.request.components[place].name = reading.request.name
            }
        }
        return try checked(reading)
    }

    /// Reads a change of a job: `{…}`.
    ///
    /// - Throws: `RestFailure`, with the member that is wrong.
    public static func change(
        _ body: JSONValue,
        _ version: DataVersion
    ) throws(RestFailure) -> DataReading<JobChange> {
        var reading = DataReading(JobChange())
        let members = changeMembers.filter { isKnown($0.name, in: version) }
        try reading.read(body, members, "#")
        do throws(JSONValue.Malformed) {
            try reading.request.update.checkForm()
        } catch {
            throw .parsing(error.problem, "#")
        }
        return reading
    }

    /// The members of a description, in the version, with the form of each.
    static func members(_ version: DataVersion) -> [(name: String, form: DataForm)] {
        submissionMembers.filter { isKnown($0.name, in: version) }.map { ($0.name, $0.form) }
    }

    private static func request(
        _ body: JSONValue,
        of version: DataVersion,
        also name: String
    ) throws(RestFailure) -> DataReading<SubmitRequest> {
        guard let given = body.members else { throw .parsing("an object expected", "#") }
        var reading = DataReading(SubmitRequest())
        let known = [name, "job", "jobs", "hetjob"]
        for member in given where !known.contains(member.name) {
            reading.warnOfUnknown(member.name, "#")
        }
        let job = body["job"] ?? .null
        let list = body["jobs"] != nil ? "jobs" : "hetjob"
        let several = body[list] ?? .null
        let members = submissionMembers.filter { isKnown($0.name, in: version) }
        guard several != .null else {
            guard job != .null else {
                throw .query("Populated \"job\" field is required", "#/job")
            }
            try reading.read(job, members, "#/job")
            try refuseTemporaryDisk(job, "#/job")
            return reading
        }
        guard job == .null else {
            let text = "Specify only one \"job\" or \"jobs\" fields but never both"
            throw .query(text, "#/jobs")
        }
        guard let parts = several.array, !parts.isEmpty else {
            throw .query("A list of one job or more is required", "#/\(list)")
        }
        guard parts.count <= HetMembership.countMaximum else {
            let most = HetMembership.countMaximum
            throw .query("A heterogeneous job has \(most) components at most", "#/\(list)")
        }
        try reading.read(parts[0], members, "#/\(list)/0")
        for (offset, part) in parts.enumerated() {
            try refuseTemporaryDisk(part, "#/\(list)/\(offset)")
        }
        for (offset, part) in parts.enumerated().dropFirst() {
            var component = DataReading(SubmitRequest())
            try component.read(part, members, "#/\(list)/\(offset)")
            for warning in component.warnings { reading.warn(warning) }
            reading.request.components.append(component.request.withoutScript)
        }
        return reading
    }

    /// The nodes of a centre have `TmpDisk=0`, so that whoever asks for some is refused, as by `sbatch --tmp`.
    private static func refuseTemporaryDisk(
        _ job: JSONValue,
        _ place: String
    ) throws(RestFailure) {
        let name = "temporary_disk_per_node"
        guard let value = job[name], value != .null else { return }
        do throws(JSONValue.Malformed) {
            guard try DataValue(json: value).integer(0...Int64(Int32.max)) ?? 0 > 0 else { return }
        } catch {
            throw .parsing(error.problem, "\(place)/\(name)")
        }
        let error = SlurmError.requestNotAvailable
        let body = error.body(details: [SubmitCommand.temporaryDiskSentence])
        throw RestFailure(body, source: "\(place)/\(name)")
    }

    /// Text that later stands in listings and books must not break their lines.
    private static func checked(
        _ reading: DataReading<SubmitRequest>
    ) throws(RestFailure) -> DataReading<SubmitRequest> {
        do throws(JSONValue.Malformed) {
            try reading.request.checkForm()
        } catch {
            throw .parsing(error.problem, "#/job")
        }
        return reading
    }

    /// The members that not all versions have.
    private static func isKnown(_ name: String, in version: DataVersion) -> Bool {
        switch name {
        case "exclusive", "oversubscribe", "resv_mpi_ports": version.has(.severalWaysToShare)
        case "oom_kill_step": version.has(.outOfMemoryStep)
        case "step_id": version.has(.stepOfRequest)
        default: true
        }
    }
}

/// What is to become of a job: changed, and held or released.
public struct JobChange: Hashable, Sendable {
    /// The changes.
    public var update = JobUpdateRequest()
    /// Whether it is to be held or released; nil leaves it.
    public var hold: Bool?
}

// MARK: - Members

extension JobDescription {
    private typealias Asked = DataMember<SubmitRequest>
    private typealias Changed = DataMember<JobChange>

    /// Seconds since 1970.
    private static let times: ClosedRange<Int64> = 0...253_402_300_799
    /// Unit: MiB.
    private static let memories: ClosedRange<Int64> = 0...(1 << 40)
    /// Unit: min.
    private static let minutes: ClosedRange<Int64> = 1...52_560_000

    private static func priority(_ value: DataValue) throws(JSONValue.Malformed) -> Int64? {
        try value.integer(0...Int64(UInt32.max))
    }

    private static func nice(_ value: DataValue) throws(JSONValue.Malformed) -> Int32? {
        try value.integer(-2_147_483_645...2_147_483_645).map { Int32($0) }
    }

    private static func memory(_ value: DataValue) throws(JSONValue.Malformed) -> ByteCount? {
        try value.integer(memories).map { ByteCount(mebibytes: $0) }
    }

    /// A time; 0 is none, as Slurm's clients send it.
    private static func instant(_ value: DataValue) throws(JSONValue.Malformed) -> SimInstant? {
        try value.integer(times).flatMap {
            $0 == 0 ? nil : SimInstant.epoch + SimDuration(seconds: $0)
        }
    }

    private static func refused(_ error: SlurmError) -> JSONValue.Malformed {
        JSONValue.Malformed(line: 0, problem: error.text)
    }

    private static func dependencies(
        _ value: DataValue
    ) throws(JSONValue.Malformed) -> ([DependencyRequest], Bool) {
        let text = try value.text()
        guard !text.isEmpty else { return ([], false) }
        do throws(SlurmError) {
            let (list, isAny) = try OptionValues.dependencies(text)
            return (list, isAny)
        } catch {
            throw refused(error)
        }
    }

    /// `gres/gpu:a100:2`, `gres/gpu=2`, `gpu:2`; what is no generic resource is left to other members.
    private static func gres(_ value: DataValue) throws(JSONValue.Malformed) -> [GresRequest] {
        let words = list(try value.text()).compactMap { word -> String? in
            for prefix in ["gres/", "gres:"] where word.hasPrefix(prefix) {
                return word.dropFirst(prefix.utf8.count).split(separator: "=").joined(
                    separator: ":"
                )
            }
            return word.hasPrefix("gpu") ? word.split(separator: "=").joined(separator: ":") : nil
        }
        guard !words.isEmpty else { return [] }
        guard let gres = OptionValues.gres(words.joined(separator: ",")) else {
            throw refused(.invalidGres)
        }
        return gres
    }

    private static func cards(_ value: DataValue) throws(JSONValue.Malformed) -> GresRequest? {
        let all = try gres(value)
        guard all.allSatisfy({ $0.name == "gpu" }), all.count <= 1 else {
            throw refused(.invalidGres)
        }
        return all.first
    }

    private static func share(
        _ words: [String],
        _ request: inout SubmitRequest
    ) throws(JSONValue.Malformed) {
        for word in words {
            switch word.lowercased() {
            case "none", "true", "exclusive": request.exclusive = "exclusive"
            case "user", "mcs": request.exclusive = word.lowercased()
            case "oversubscribe": request.sharesNodes = true
            case "false", "": break
            default: throw DataValue.expected("\"none\", \"oversubscribe\", \"user\" or \"mcs\"")
            }
        }
    }

    private static let submissionMembers: [Asked] =
        identityMembers + resourceMembers + behaviourMembers
        + ineffective.map { Asked($0.name, $0.form) }

    private static let identityMembers: [Asked] = [
        .text("account", \.account),
        Asked("argv", .words) { request, value throws(JSONValue.Malformed) in
            // The first is the script's own name, which Slurm replaces.
            request.scriptArguments = Array(try value.texts().dropFirst())
        },
        .text("comment", \.comment),
        Asked("current_working_directory", .text) { request, value throws(JSONValue.Malformed) in
            let path = try value.text()
            guard path.hasPrefix("/") else { throw DataValue.expected("an absolute path") }
            request.workDirectory = path
            request.submitDirectory = path
        },
        Asked("environment", .words) { request, value throws(JSONValue.Malformed) in
            request.environment = try value.variables()
        },
        .text("name", always: \.name),
        Asked("partition", .text) { request, value throws(JSONValue.Malformed) in
            request.partitions = list(try value.text())
        },
        .text("qos", \.qos),
        .text("reservation", \.reservation),
        .text("script", always: \.script),
        .text("standard_error", \.standardError),
        .text("standard_input", \.standardInput),
        .text("standard_output", \.standardOutput),
        .text("wckey", \.project),
    ]

    private static let resourceMembers: [Asked] = [
        .text("constraints", \.features),
        .count("cpus_per_task", \.cpusPerTask),
        .names("excluded_nodes", \.excludedNodes),
        Asked("exclusive", .words) { request, value throws(JSONValue.Malformed) in
            try share(try value.texts(), &request)
        },
        .text("licenses", \.licenses),
        .count("maximum_nodes", \.maximumNodes),
        .read("memory_per_cpu", .number, \.memoryPerCPU, memory),
        .read("memory_per_node", .number, \.memoryPerNode, memory),
        .count("minimum_nodes", \.minimumNodes),
        Asked("nodes", .text) { request, value throws(JSONValue.Malformed) in
            do throws(OptionValues.NodeCountRefusal) {
                let (minimum, maximum) = try OptionValues.nodeCount(
                    (try? value.text()) ?? ""
                )
                request.minimumNodes = minimum
                request.maximumNodes = maximum
            } catch {
                throw JSONValue.Malformed(line: 0, problem: error.description)
            }
        },
        .flag("oversubscribe", always: \.sharesNodes),
        .names("required_nodes", \.requiredNodes),
        Asked("shared", .words) { request, value throws(JSONValue.Malformed) in
            try share(try value.texts(), &request)
        },
        .count("tasks", \.tasks),
        .count("tasks_per_node", \.tasksPerNode),
        Asked("time_limit", .number) { request, value throws(JSONValue.Malformed) in
            if case .infinite = try value.number() {
                request.hasNoTimeLimit = true
            } else {
                request.timeLimit = try value.integer(minutes).map { SimDuration(seconds: $0 * 60) }
            }
        },
        Asked("tres_per_job", .text) { request, value throws(JSONValue.Malformed) in
            guard let cards = try cards(value) else { return }
            request.accelerators = cards.count
            request.acceleratorModel = cards.type
        },
        .read("tres_per_node", .text, \.gres, gres),
        Asked("tres_per_task", .text) { request, value throws(JSONValue.Malformed) in
            guard let cards = try cards(value) else { return }
            request.acceleratorsPerTask = cards.count
            request.acceleratorModel = cards.type
        },
    ]

    private static let behaviourMembers: [Asked] = [
        Asked("array", .text) { request, value throws(JSONValue.Malformed) in
            let text = try value.text()
            do throws(SlurmError) {
                request.array = text.isEmpty ? nil : try OptionValues.array(text)
            } catch {
                throw refused(error)
            }
        },
        .read("begin_time", .number, \.begin, instant),
        .read("deadline", .integer, \.deadline, instant),
        Asked("dependency", .text) { request, value throws(JSONValue.Malformed) in
            (request.dependencies, request.anyDependency) = try dependencies(value)
        },
        Asked("flags", .words) { request, value throws(JSONValue.Malformed) in
            for flag in try value.texts() {
                switch flag.uppercased() {
                case "KILL_INVALID_DEPENDENCY": request.endsOnInvalidDependency = true
                case "NO_KILL_INVALID_DEPENDENCY": request.endsOnInvalidDependency = false
                default: break
                }
            }
        },
        .flag("hold", always: \.isHeld),
        Asked("immediate", .flag) { request, value throws(JSONValue.Malformed) in
            request.immediate = try value.flag() ? SimDuration(seconds: 1) : nil
        },
        Asked("kill_warning_delay", .number) { request, value throws(JSONValue.Malformed) in
            guard let seconds = try value.integer(0...65_535) else { return }
            request.signal = request.signal ?? SignalRequest()
            request.signal?.lead = SimDuration(seconds: seconds)
        },
        Asked("kill_warning_flags", .words) { request, value throws(JSONValue.Malformed) in
            guard try value.texts().contains("BATCH_JOB") else { return }
            request.signal = request.signal ?? SignalRequest()
            request.signal?.isForShellOnly = true
        },
        Asked("kill_warning_signal", .text) { request, value throws(JSONValue.Malformed) in
            guard let number = OptionValues.signal(try value.text()) else {
                throw DataValue.expected("the name or number of a signal")
            }
            request.signal = request.signal ?? SignalRequest()
            request.signal?.number = number
        },
        .read("nice", .integer, \.nice, nice),
        Asked("open_mode", .words) { request, value throws(JSONValue.Malformed) in
            switch try value.texts().first?.uppercased() {
            case "APPEND": request.appendsOutput = true
            case "TRUNCATE": request.appendsOutput = false
            case nil: break
            default: throw DataValue.expected("\"APPEND\" or \"TRUNCATE\"")
            }
        },
        .read("priority", .number, \.priority, priority),
        .flag("requeue", \.requeues),
    ]

    /// What a change can reach.
    private static let changeMembers: [Changed] = {
        let read: [Changed] = [
            .text("account", \.update.account),
            .read("begin_time", .number, \.update.begin, instant),
            .text("comment", \.update.comment),
            .text("constraints", \.update.features),
            .count("cpus_per_task", \.update.cpusPerTask),
            .read("deadline", .integer, \.update.deadline, instant),
            Changed("dependency", .text) { job, value throws(JSONValue.Malformed) in
                let (dependencies, isAny) = try dependencies(value)
                job.update.dependencies = dependencies
                job.update.anyDependency = isAny
            },
            .names("excluded_nodes", \.update.excludedNodes),
            .flag("hold", \.hold),
            .text("licenses", \.update.licenses),
            .read("memory_per_cpu", .number, \.update.memoryPerCPU, memory),
            .read("memory_per_node", .number, \.update.memoryPerNode, memory),
            .count("minimum_nodes", \.update.nodes),
            .text("name", \.update.name),
            .read("nice", .integer, \.update.nice, nice),
            .count("nodes", \.update.nodes, .text),
            .text("partition", \.update.partition),
            .read("priority", .number, \.update.priority, priority),
            .text("qos", \.update.qos),
            .names("required_nodes", \.update.requiredNodes),
            .flag("requeue", \.update.requeues),
            .text("reservation", \.update.reservation),
            .text("standard_error", \.update.standardError),
            .text("standard_input", \.update.standardInput),
            .text("standard_output", \.update.standardOutput),
            .count("tasks", \.update.tasks),
            .count("tasks_per_node", \.update.tasksPerNode),
            Changed("time_limit", .number) { job, value throws(JSONValue.Malformed) in
                if case .infinite = try value.number() {
                    job.update.removesTimeLimit = true
                } else {
                    job.update.timeLimit = try value.integer(minutes)
                        .map { SimDuration(seconds: $0 * 60) }
                }
            },
            .read("tres_per_node", .text, \.update.gres, gres),
            .text("wckey", \.update.project),
        ]
        let names = Set(read.map(\.name))
        return read
            + submissionMembers.filter { !names.contains($0.name) }.map {
                Changed($0.name, $0.form)
            }
    }()

    /// What Slurm knows and a centre of ours does nothing with.
    private static let ineffective: [(name: String, form: DataForm)] = [
        ("account_gather_frequency", .text), ("admin_comment", .text),
        ("allocation_node_list", .text), ("allocation_node_port", .integer),
        ("batch_features", .text), ("burst_buffer", .text), ("cluster_constraint", .text),
        ("clusters", .text), ("container", .text), ("container_id", .text), ("contiguous", .flag),
        ("core_specification", .integer), ("cpu_binding", .text), ("cpu_binding_flags", .words),
        ("cpu_frequency", .text), ("cpus_per_tres", .text), ("crontab", .object),
        ("delay_boot", .integer), ("distribution", .text), ("distribution_plane_size", .number),
        ("end_time", .integer), ("extra", .text), ("group_id", .text), ("hetjob_group", .integer),
        ("job_id", .integer), ("kill_on_node_fail", .flag), ("mail_type", .words),
        ("mail_user", .text), ("maximum_cpus", .integer), ("mcs_label", .text),
        ("memory_binding", .text), ("memory_binding_type", .words), ("memory_per_tres", .text),
        ("minimum_boards_per_node", .integer), ("minimum_cpus", .integer),
        ("minimum_cpus_per_node", .integer), ("minimum_sockets_per_board", .integer),
        ("network", .text), ("ntasks_per_tres", .integer), ("oom_kill_step", .integer),
        ("overcommit", .flag), ("power_flags", .words), ("prefer", .text), ("profile", .words),
        ("reboot", .flag), ("required_switches", .number), ("reserve_ports", .integer),
        ("resv_mpi_ports", .integer), ("rlimits", .object), ("segment_size", .number),
        ("selinux_context", .text), ("site_factor", .integer), ("sockets_per_node", .integer),
        ("spank_environment", .words), ("step_id", .object), ("tasks_per_board", .integer),
        ("tasks_per_core", .integer), ("tasks_per_socket", .integer),
        ("temporary_disk_per_node", .integer), ("thread_specification", .integer),
        ("threads_per_core", .integer), ("time_minimum", .number), ("tres_bind", .text),
        ("tres_freq", .text), ("tres_per_socket", .text), ("user_id", .text),
        ("wait_all_nodes", .flag), ("wait_for_switch", .integer), ("x11", .words),
        ("x11_magic_cookie", .text), ("x11_target_host", .text), ("x11_target_port", .integer),
    ]
}
