import JobModel
import Quantities
import SlurmDialect
import Testing
import WireFormats

@testable import LiveRuntime

/// Every number of a request, in turn, is made as large or as small as JSON can say. Whatever the
/// answer is, the daemon must live, and its journal must be one that it can start from again.
@Suite("Numbers that no request should hold")
struct RequestBoundsTests {
    private static let extremes: [Int64] = [
        .max, .min, -1, 0, 4_294_967_295, 4_294_967_296, 2_147_483_647, -2_147_483_648, 16_777_216,
    ]

    /// The document with each leaf that is, or may be, a number replaced by `number`.
    private static func variants(of json: JSONValue, _ number: Int64) -> [JSONValue] {
        switch json {
        case .integer, .null: [.integer(number)]
        case .array(let values):
            values.indices.flatMap { index in
                variants(of: values[index], number).map { changed in
                    var copy = values
                    copy[index] = changed
                    return .array(copy)
                }
            }
        case .object(let members):
            members.indices.flatMap { index in
                variants(of: members[index].value, number).map { changed in
                    var copy = members
                    copy[index].value = changed
                    return .object(copy)
                }
            }
        default: []
        }
    }

    /// The requests that can be read among the variants.
    private static func hostile<Request: WireRecord>(_ request: Request) -> [Request] {
        extremes.flatMap { number in
            variants(of: request.json, number).compactMap { try? Request(json: $0) }
        }
    }

    private static var submission: SubmitRequest {
        SmallCentre.request { request in
            request.dependencies = [DependencyRequest(kind: "afterany", jobID: 1)]
            request.gres = [GresRequest(name: "gpu", count: 1)]
            request.signal = SignalRequest()
            request.array = ArrayRequest()
            request.array?.ranges = [.init(first: 0, last: 1)]
            request.comment = "runtime=60"
        }
    }

    @Test(
        "A submission is answered, and the journal can be replayed",
        arguments: ["batch", "shared"]
    )
    func submissions(partition: String) async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(SmallCentre.settings(folder.path))
        _ = try await centre.submit(SmallCentre.request())
        var taken = 0
        for var request in [Self.submission, SmallCentre.request()].flatMap(Self.hostile) {
            request.partitions = [partition]
            if (try? await centre.submit(request, .me)) != nil { taken += 1 }
            request.isTestOnly = true
            _ = try? await centre.submit(request, .me)
        }
        _ = try await centre.jobs(.all)
        _ = try await centre.accounting(ids: nil)
        await centre.close()
        try await reopen(folder, taken)
    }

    @Test("A change of a job that is held, waits or runs is answered, and can be replayed")
    func updates() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(SmallCentre.settings(folder.path))
        var taken = 0
        for state in ["held", "running", "array"] {
            var id = try await centre.submit(
                SmallCentre.request {
                    $0.isHeld = state == "held"
                    if state == "array" { $0.array = Self.submission.array }
                }
            )
            for request in Self.hostile(JobUpdateRequest()) {
                if (try? await centre.update(id, request, .me)) != nil { taken += 1 }
            }
            id = .max
            _ = try? await centre.update(id, JobUpdateRequest(), .me)
            _ = try? await centre.perform(.hold, on: id, JobActionRequest(), .me)
        }
        var cancel = CancelRequest()
        cancel.jobs = [JobSelector(jobID: 1, arrayTasks: [1])]
        for request in Self.hostile(cancel) { _ = try? await centre.cancel(request, .me) }
        let failure = await #expect(throws: RequestFailure.self) {
            try await centre.advance(ClockAdvanceRequest(), .me)
        }
        #expect(failure?.body.code == "malformed_request")
        for request in Self.hostile(ClockAdvanceRequest()) {
            _ = try? await centre.advance(request, .me)
        }
        _ = try await centre.jobs(.all)
        await centre.close()
        try await reopen(folder, taken)
    }

    private func reopen(_ folder: ScratchFolder, _ taken: Int) async throws {
        // Were none taken, this would have tried nothing.
        #expect(taken > 0)
        let again = try Centre(SmallCentre.settings(folder.path))
        _ = try await again.jobs(.all)
        await again.close()
    }

    @Test(
        "What is out of bounds is refused by name, and leaves no trace",
        arguments: [
            ("time_limit", Int64.max), ("time_limit", -60), ("priority", -1), ("begin", -1),
            ("tasks", 100_000_000), ("immediate", .min), ("memory_per_node", -1),
        ]
    )
    func refusals(member: String, value: Int64) async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        guard case .object(var members) = SmallCentre.request().json else { return }
        members.removeAll { $0.name == member }
        members.append(JSONValue.Member(member, .integer(value)))
        let request = try SubmitRequest(json: .object(members))
        let failure = await #expect(throws: RequestFailure.self) {
            _ = try await centre.submit(request, .me)
        }
        #expect(failure?.body.details == ["member \"\(member)\": \(value) is out of range"])
        #expect(await centre.status().nextJobID == 1)
        await centre.close()
    }

    /// The record with a text of so many bytes as the member.
    private static func record<Record: WireRecord>(
        _ record: Record,
        _ member: String,
        length: Int
    ) throws -> Record {
        let text = JSONValue.string(String(repeating: "x", count: length))
        guard case .object(var members) = record.json else { return record }
        members.removeAll { $0.name == member }
        let isList = ["partitions", "environment", "script_arguments"].contains(member)
        members.append(JSONValue.Member(member, isList ? .array([text]) : text))
        return try Record(json: .object(members))
    }

    @Test(
        "A text that is too long is refused by name; what every answer holds is short",
        arguments: [
            ("name", 1_024), ("comment", 1_024), ("partitions", 1_024), ("account", 1_024),
            ("std_out", 4_096), ("work_dir", 4_096), ("command", 65_536),
            ("excluded_nodes", 65_536), ("script", 4 << 20), ("environment", 4 << 20),
        ]
    )
    func longTexts(member: String, limit: Int) async throws {
        try Self.record(SmallCentre.request(), member, length: limit).checkBounds()
        let long = try Self.record(SmallCentre.request(), member, length: limit + 1)
        let failure = #expect(throws: RequestFailure.self) { try long.checkBounds() }
        let detail = "member \"\(member)\": \(limit + 1) bytes are more than \(limit)"
        #expect(failure?.body == SlurmError.tooLong.body(details: [detail]))
    }

    @Test("A script in another encoding counts as the bytes that it has, not as they travel")
    func longScripts() throws {
        var request = SmallCentre.request()
        request.scriptBytes = [UInt8](repeating: 0xFF, count: 4 << 20)
        try request.checkBounds()
        request.scriptBytes.append(0xFF)
        #expect(throws: RequestFailure.self) { try request.checkBounds() }
    }

    @Test(
        "So is a text in a change of a job",
        arguments: [
            ("name", 1_024), ("comment", 1_024), ("partition", 1_024), ("required_nodes", 65_536),
        ]
    )
    func longChanges(member: String, limit: Int) throws {
        try Self.record(JobUpdateRequest(), member, length: limit).checkBounds()
        let long = try Self.record(JobUpdateRequest(), member, length: limit + 1)
        #expect(throws: RequestFailure.self) { try long.checkBounds() }
    }

    @Test(
        "Inputs of older journals that are out of bounds are handled and do not stop the program",
        arguments: [Int64.max, .min]
    )
    func oldInputs(extreme: Int64) async throws {
        var state = CentreState(rules: CentreRules(machine: SmallCentre.machine))
        var submit = SubmitInput()
        submit.id = 1
        submit.isOperator = true
        submit.request = SmallCentre.request {
            $0.timeLimit = SimDuration(microseconds: extreme)
            $0.priority = extreme
            $0.begin = SimInstant(microseconds: extreme)
        }
        var update = UpdateInput()
        update.id = 1
        update.change.timeLimitChange = SimDuration(microseconds: extreme)
        update.change.priority = extreme
        let inputs: [LiveInput] = [.submit(submit), .update(update), .update(update)]
        for (offset, input) in inputs.enumerated() {
            _ = state.handle([input], at: SmallCentre.start + SimDuration(seconds: Int64(offset)))
        }
        let limit = try #require(state.jobs[1]).status.timeLimit
        #expect(SimDuration.zero <= limit && limit <= .unlimited, "\(limit)")
    }
}
