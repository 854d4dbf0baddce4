import ClusterModel
import Emulation
import IndexSets
import JobModel
public import Quantities
import Scheduling
import WireFormats
public import WorkloadFormats

/// A policy that is another program: one line of JSON asks, one line of JSON answers.
///
/// The protocol is written down in docs/external-policy.md. Times are whole microseconds of trace
/// time, jobs have the numbers of the log.
public final class ExternalPolicy: ReplayDecider {
    /// The version of the protocol.
    public static let protocolVersion: Int64 = 1

    /// How the program calls its policy; the command when it does not say.
    public private(set) var name: String

    private let process: PolicyProcess
    private let command: String
    private let trace: Trace
    private let machine: ReplayMachine
    private let timeout: SimDuration
    /// Positions in the trace by the numbers of the log; only looked up.
    private var position: [Int64: Int]
    private var requests = 0
    /// The time of the last request. Unit: µs of trace time.
    private var now: Int64 = 0

    /// Starts the program and greets it.
    ///
    /// - Parameters:
    ///   - command: as the shell takes it.
    ///   - timeout: how long each answer may take.
    /// - Throws: `ExternalPolicyFailure`.
    public init(
        command: String,
        timeout: SimDuration,
        trace: Trace,
        machine: ReplayMachine
    ) throws(ExternalPolicyFailure) {
        self.command = command
        self.timeout = timeout
        self.trace = trace
        self.machine = machine
        name = command
        position = Dictionary(minimumCapacity: trace.jobs.count)
        do throws(PolicyProcess.Failure) {
            process = try PolicyProcess(command: command)
        } catch {
            throw ExternalPolicyFailure(
                command,
                moment: "at the start",
                Self.text(error, timeout)
            )
        }
        for (index, job) in trace.jobs.enumerated() { position[job.id] = index }
        try greet()
    }

    deinit { process.stop() }

    private func greet() throws(ExternalPolicyFailure) {
        let answer = try ask(
            .object(
                [
                    .init("type", "hello"), .init("protocol", .integer(Self.protocolVersion)),
                    .init("machine", .string(machine.title)),
                    .init("nodes", .integer(Int64(machine.configuration.nodes.count))),
                    .init("cores_per_node", .integer(Int64(machine.coresPerNode))),
                    .init("jobs", .integer(Int64(trace.jobs.count))),
                    .init("policy", .string(machine.configuration.policy.composition)),
                ] + (sharedUnits == nil ? [] : [.init("kinds", kinds)])
            )
        )
        guard answer["type"]?.string == "hello" else {
            throw failure("the answer to \"hello\" must have \"type\":\"hello\"", answer)
        }
        guard let version = answer["protocol"]?.integer, version == Self.protocolVersion else {
            throw failure(
                "the answer to \"hello\" must have \"protocol\":\(Self.protocolVersion)",
                answer
            )
        }
        if let name = answer["name"]?.string, !name.isEmpty { self.name = name }
    }

    /// Asks the program.
    ///
    /// - Throws: `ExternalPolicyFailure`.
    public func decide(_ situation: ReplaySituation) throws -> ReplayDecision {
        requests += 1
        now = situation.now
        let answer = try ask(
            [
                "type": "decide",
                "now": .integer(situation.now),
                "submitted": .array(situation.submitted.map(description)),
                "ended": .array(
                    situation.ended.map { job, state in
                        ["id": .integer(trace.jobs[job].id), "state": .string(state.slurmName)]
                    }
                ),
                "requeued": .array(situation.requeued.map { .integer(trace.jobs[$0].id) }),
                "placed": .array(
                    situation.placed.map(placing)
                ),
                "to_come": .integer(Int64(situation.toCome)),
                "free_nodes": .integer(Int64(situation.freeNodes)),
                "out_of_service": situation.outOfService.map {
                    .string(NodeNumbers($0).description)
                } ?? .null,
            ]
        )
        guard let list = answer["start"]?.array else {
            throw failure("\"start\" must be an array of job numbers", answer)
        }
        var decision = ReplayDecision(cancelled: try cancelled(answer), starts: [])
        decision.starts.reserveCapacity(list.count)
        for element in list { decision.starts.append(try start(element, answer)) }
        switch answer["wake"] {
        case nil, .null?: break
        case .integer(let wake)?: decision.wake = wake
        default: throw failure("\"wake\" must be a whole number of microseconds", answer)
        }
        return decision
    }

    /// Where a job went; on nodes that jobs share also how many of its chunks lie on each.
    private func placing(_ job: Int, _ holdings: [(node: Int, chunks: Int32)]) -> JSONValue {
        let chunks = holdings.map { JSONValue.integer(Int64($0.chunks)) }
        return .object(
            [
                .init("id", .integer(trace.jobs[job].id)),
                .init("nodes", .string(NodeNumbers(IDSet(holdings.map(\.node))).description)),
            ] + (sharedUnits == nil ? [] : [.init("chunks", .array(chunks))])
        )
    }

    /// The jobs that an answer cancels.
    private func cancelled(_ answer: JSONValue) throws(ExternalPolicyFailure) -> [Int] {
        guard let member = answer["cancel"], member != .null else { return [] }
        guard let list = member.array else {
            throw failure("\"cancel\" must be an array of job numbers", answer)
        }
        var cancelled: [Int] = []
        for element in list {
            guard let id = element.integer else {
                throw failure("\"cancel\" must be an array of job numbers", answer)
            }
            guard let index = position[id] else {
                throw failure("\"cancel\" names job \(id), which the log does not have", answer)
            }
            cancelled.append(index)
        }
        return cancelled
    }

    /// A job of an answer: its number, or `{"id":7,"nodes":"0-3,8"}`.
    private func start(
        _ element: JSONValue,
        _ answer: JSONValue
    ) throws(ExternalPolicyFailure) -> ReplayStart {
        guard let id = element.integer ?? element["id"]?.integer else {
            throw failure("\"start\" must be an array of job numbers", answer)
        }
        guard let index = position[id] else {
            throw failure("\"start\" names job \(id), which the log does not have", answer)
        }
        switch element["nodes"] {
        case nil, .null?: return ReplayStart(index)
        case .string(let text)?:
            let count = machine.configuration.nodes.count
            if let nodes = NodeNumbers(text, below: count) {
                return ReplayStart(index, on: nodes.nodes)
            }
            throw failure(
                "\"nodes\" of job \(id) must be ascending numbers from 0 to \(count - 1), like"
                    + " \"0-3,8\"",
                answer
            )
        default: throw failure("\"nodes\" of job \(id) must be a string like \"0-3,8\"", answer)
        }
    }

    /// Tells the program that the replay is over and waits until it has ended.
    public func finish() {
        let line: JSONValue = ["type": "end"]
        process.finish(lastLine: line.compactText, timeout: timeout.microseconds / 1_000)
    }

    /// What went wrong when the driver could not do what the program asked for.
    public func explain(_ refusal: RefusedDecision) -> ExternalPolicyFailure {
        func number(_ index: Int) -> Int64 { trace.jobs[index].id }
        let problem =
            switch refusal {
            case .isRunning(let job): "starts job \(number(job)), which runs already"
            case .hasEnded(let job): "names job \(number(job)), which has ended"
            case .hasNotArrived(let job):
                "names job \(number(job)), which has not been submitted to it"
            case .doesNotFit(let job, _) where sharedUnits != nil:
                "starts job \(number(job)), for which no nodes have room"
            case .doesNotFitThere(let job, let nodes) where sharedUnits != nil:
                "starts job \(number(job)) on \(NodeNumbers(nodes)), where it does not fit"
            case .doesNotFit(let job, let free):
                "starts job \(number(job)), which needs"
                    + " \(machine.nodes(forProcessors: trace.jobs[job].processors)) nodes;"
                    + " \(free) are free"
            case .doesNotFitThere(let job, let nodes):
                "starts job \(number(job)), which needs"
                    + " \(machine.nodes(forProcessors: trace.jobs[job].processors)) nodes, on"
                    + " \(NodeNumbers(nodes)): that is not as many, or not all of them are free"
            case .wakesTooEarly(let wake):
                "asks to be woken at \(wake) µs, which is not in the future"
            case .wakesTooLate(let wake):
                "asks to be woken at \(wake) µs, which is later than \(Trace.instantMaximum)"
            case .leftWaiting(let jobs):
                "leaves \(jobs.count) jobs waiting although nothing runs and nothing is to come:"
                    + " \(jobs.prefix(5).map { String(number($0)) }.joined(separator: ", "))"
                    + (jobs.count > 5 ? ", …" : "")
            }
        return ExternalPolicyFailure(command, moment: moment, problem)
    }

    // MARK: Lines

    private var moment: String {
        requests == 0
            ? "at the greeting" : "at request \(requests), second \(now / 1_000_000) of the log"
    }

    /// How many units of the configuration a core is where jobs share nodes; nil where they do not.
    private var sharedUnits: Int64? {
        if case .cores(let units) = machine.sharing { Int64(units) } else { nil }
    }

    /// Nodes that are alike, in the order of the first of each kind.
    private var kinds: JSONValue {
        var order: [NodeCapacity] = []
        var members: [NodeCapacity: [Int]] = [:]
        for (node, capacity) in machine.configuration.nodes.enumerated() {
            if members[capacity] == nil { order.append(capacity) }
            members[capacity, default: []].append(node)
        }
        return .array(
            order.map { capacity in
                [
                    "nodes": .string(NodeNumbers(IDSet(members[capacity] ?? [])).description),
                    "milli_cores": .integer(milliCores(capacity.cores)),
                    "memory_mib": .integer(capacity.memory.count >> 20),
                    "cards": .integer(Int64(capacity.accelerators)),
                ]
            }
        )
    }

    private func milliCores(_ units: Int32) -> Int64 {
        Int64(units) * 1_000 / (sharedUnits ?? 1)
    }

    /// What a job asks for of nodes that jobs share: equal chunks, each on one node, and the nodes that they
    /// may lie on.
    private func chunks(_ index: Int) -> [JSONValue.Member] {
        let (request, nodes) = machine.asked(trace, at: index)
        return [
            .init("chunks", .integer(Int64(request.chunkCount))),
            .init("milli_cores", .integer(milliCores(request.coresPerChunk))),
            .init("memory_mib", .integer(Int64(request.memoryMebibytesPerChunk))),
            .init("cards", .integer(Int64(request.acceleratorsPerChunk))),
            .init("milli_card", .integer(Int64(request.acceleratorShare))),
            .init("on", .string(NodeNumbers(nodes).description)),
        ]
    }

    private func description(_ index: Int) -> JSONValue {
        let job = trace.jobs[index]
        let isShared = sharedUnits != nil
        let nodes = isShared ? 1 : machine.nodes(forProcessors: job.processors)
        return .object(
            [
                .init("id", .integer(job.id)), .init("nodes", .integer(Int64(nodes))),
                .init("processors", .integer(Int64(job.processors))),
                .init(
                    "limit",
                    .integer(SimDuration(microseconds: job.timeLimit).wholeSecondsUp)
                ),
                .init("user", .integer(Int64(job.user))),
                .init("group", .integer(Int64(job.group))),
                .init("queue", .integer(Int64(job.queue))),
                .init("partition", .integer(Int64(job.partition))),
            ] + (isShared ? chunks(index) : [])
        )
    }

    private func ask(_ request: JSONValue) throws(ExternalPolicyFailure) -> JSONValue {
        let line: [UInt8]
        do throws(PolicyProcess.Failure) {
            line = try process.ask(request.compactText, timeout: timeout.microseconds / 1_000)
        } catch {
            throw ExternalPolicyFailure(command, moment: moment, Self.text(error, timeout))
        }
        let answer: JSONValue
        do throws(JSONValue.Malformed) {
            answer = try JSONValue(parsing: line)
        } catch {
            let text = Self.excerpt(String(decoding: line, as: UTF8.self))
            throw ExternalPolicyFailure(
                command,
                moment: moment,
                "the answer is not JSON (\(error.problem)): \(text)"
            )
        }
        guard !process.hasSpokenUnasked else {
            throw failure("more than one line; messages belong on standard error", answer)
        }
        return answer
    }

    private func failure(_ problem: String, _ answer: JSONValue) -> ExternalPolicyFailure {
        let text = Self.excerpt(answer.compactText)
        return ExternalPolicyFailure(command, moment: moment, "\(problem); it wrote \(text)")
    }

    private static func excerpt(_ text: String) -> String {
        text.count > 120 ? "\(text.prefix(120))…" : text
    }

    private static func text(_ failure: PolicyProcess.Failure, _ timeout: SimDuration) -> String {
        switch failure {
        case .isNotStarted(let reason): "cannot be started: \(reason)"
        case .hasEnded(let status): "\(status) before it answered"
        case .hasClosedOutput: "closed its standard output before it answered"
        case .isSilent:
            "did not answer within \(timeout.microseconds / 1_000_000) s (--external-timeout)"
        case .lineIsTooLong(let bytes): "wrote \(bytes) bytes without the end of a line"
        }
    }
}

/// Why an external policy cannot go on.
public struct ExternalPolicyFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The command.
    public var command: String
    /// When: at the start, the greeting, or which request.
    public var moment: String
    /// What is wrong.
    public var problem: String

    private var shortCommand: String {
        command.count > 80 ? "\(command.prefix(80))…" : command
    }

    init(_ command: String, moment: String, _ problem: String) {
        self.command = command
        self.moment = moment
        self.problem = problem
    }

    /// `--external 'python3 easy.py': at request 17: …`.
    public var description: String { "--external '\(shortCommand)': \(moment): \(problem)" }
}

extension SimDuration {
    /// Parts of a second counted whole, as the scheduler does. Unit: µs.
    fileprivate var wholeSecondsUp: Int64 {
        (min(self, .unlimited).microseconds + 999_999) / 1_000_000 * 1_000_000
    }
}
