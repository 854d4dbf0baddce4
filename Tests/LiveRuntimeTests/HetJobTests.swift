import Foundation
import Quantities
import SlurmDialect
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Heterogeneous jobs of a centre")
struct HetJobTests {
    private let folder: ScratchFolder
    private let settings: CentreSettings

    init() throws {
        folder = try ScratchFolder()
        settings = SmallCentre.settings(folder.path)
    }

    private func part(_ partition: String, nodes: Int32) -> SubmitRequest {
        SmallCentre.request {
            $0.partitions = [partition]
            $0.minimumNodes = nodes
            $0.comment = "runtime=600"
            $0.timeLimit = SimDuration(seconds: 1_200)
        }
    }

    /// A component of the thin nodes and one of the fat ones.
    private func het(thin: Int32 = 2, fat: Int32 = 1) -> SubmitRequest {
        var request = part("batch", nodes: thin)
        request.components = [part("shared", nodes: fat)]
        return request
    }

    private func cancel(_ centre: Centre, _ selector: JobSelector) async throws -> [ActionOutcome] {
        var cancel = CancelRequest()
        cancel.jobs = [selector]
        return try await centre.cancel(cancel, .me).outcomes
    }

    @Test("Components have numbers of their own, start together, and end with the first")
    func life() async throws {
        let centre = try Centre(settings)
        let blocker = try await centre.submit(part("batch", nodes: 15))
        let id = try await centre.submit(het())
        #expect(try await centre.submit(part("batch", nodes: 1)) == id + 2)
        #expect(try await centre.info(id + 1).state == "PENDING")
        let waiting = try #require(await centre.job(id)?.jobs)
        #expect(waiting.map(\.jobID) == [id, id + 1])
        #expect(waiting.map(\.hetJobOffset) == [0, 1])
        let lines = Description.jobs(waiting, isDetailed: false).map(\.lines)
        #expect(lines[1].first == "JobId=\(id + 1) HetJobId=\(id) HetJobOffset=1 JobName=job")
        #expect(lines[1][1] == "HetJobIdSet=\(id)-\(id + 1)")
        _ = try await cancel(centre, JobSelector(jobID: blocker))
        let (first, second) = (try await centre.info(id), try await centre.info(id + 1))
        #expect(first.state == "RUNNING" && second.state == "RUNNING")
        #expect(first.start == second.start)
        await centre.close()

        let again = try Centre(settings)
        try await again.advance(seconds: 601)
        let records = try await again.accounting(ids: [id]).records
        #expect(records.map(\.state) == ["COMPLETED", "COMPLETED"])
        #expect(records[0].end == records[1].end)
        #expect(records.allSatisfy { ($0.charge ?? 0) > 0 })
        let command = try AccountingCommand(
            program: "sacct",
            arguments: [
                "-n", "-X", "-P", "-S", "2020-01-01", "-o", "JobID,State", "-j", "\(id)+1",
            ],
            variable: { _ in nil },
            user: nil
        )
        let now = await again.snapshot().state.lastInstant
        let output = try command.output(AccountingList(now: now, records: records))
        #expect(output.lines == ["\(id)+1|COMPLETED"])
        await again.close()
    }

    @Test("Of a job that waits only the whole is cancelled or held; once it runs a part may go")
    func whole() async throws {
        let centre = try Centre(settings)
        var request = het()
        request.isHeld = true
        request.components[0].isHeld = true
        let id = try await centre.submit(request)
        let refused = try await cancel(centre, JobSelector(jobID: id, component: 1))
        #expect(refused.map { $0.error?.text } == [SlurmError.notWholeHetJob.text])
        var action = JobActionRequest()
        action.component = 1
        await #expect(throws: RequestFailure.self) {
            try await centre.perform(.release, on: id, action, .me)
        }
        _ = try await centre.perform(.release, on: id, JobActionRequest(), .me)
        #expect(try await centre.info(id + 1).state == "RUNNING")
        let part = try await cancel(centre, JobSelector(jobID: id, component: 1))
        #expect(part.allSatisfy { $0.error == nil })
        #expect(try await centre.record(id + 1).state == "CANCELLED")
        #expect(try await centre.info(id).state == "RUNNING")
        let other = try await centre.submit(het())
        let outcomes = try await cancel(centre, JobSelector(jobID: other))
        #expect(outcomes.allSatisfy { $0.error == nil })
        #expect(try await centre.record(other).state == "CANCELLED")
        #expect(try await centre.record(other + 1).state == "CANCELLED")
        await centre.close()
    }

    @Test("Who waits for a job waits for all its components")
    func dependency() async throws {
        let centre = try Centre(settings)
        let id = try await centre.submit(het())
        var request = part("batch", nodes: 1)
        request.dependencies = [DependencyRequest(kind: "afterany", jobID: id)]
        let next = try await centre.submit(request)
        _ = try await cancel(centre, JobSelector(jobID: id, component: 1))
        #expect(try await centre.info(next).state == "PENDING")
        try await centre.advance(seconds: 601)
        #expect(try await centre.info(next).state == "RUNNING")
        await centre.close()
    }

    @Test("When one component is refused, none is there")
    func refused() async throws {
        let centre = try Centre(settings)
        var request = het()
        request.components.append(part("batch", nodes: 17))
        request.components[1].partitions = ["nowhere"]
        await #expect(throws: RequestFailure.self) { _ = try await centre.submit(request) }
        #expect(try await centre.jobs(JobQuery.all).jobs.isEmpty)
        var nested = het()
        nested.components[0].components = [part("batch", nodes: 1)]
        await #expect(throws: RequestFailure.self) { _ = try await centre.submit(nested) }
        var array = het()
        array.array = ArrayRequest()
        await #expect(throws: RequestFailure.self) { _ = try await centre.submit(array) }
        var many = het()
        many.components = Array(repeating: part("batch", nodes: 1), count: 128)
        await #expect(throws: RequestFailure.self) { _ = try await centre.submit(many) }
        await centre.close()
    }
}
