import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Jobs of a centre that stand still or are given up")
struct SuspensionTests {
    private func centre() throws -> Centre {
        try Centre(SmallCentre.settings(ScratchFolder().path))
    }

    /// Whole seconds: each batch of a centre is at least 1 µs after the one before.
    private func seconds(_ length: SimDuration) -> Int64 { length.microseconds / 1_000_000 }

    private func seconds(_ instant: SimInstant?) -> Int64? {
        instant.map { seconds($0 - SmallCentre.start) }
    }

    private func submit(
        _ centre: Centre,
        _ change: (inout SubmitRequest) -> Void = { _ in }
    ) async throws -> UInt32 {
        try await centre.submit(
            SmallCentre.request {
                $0.timeLimit = SimDuration(seconds: 600)
                change(&$0)
            }
        )
    }

    @Test("Suspended time is neither elapsed nor charged, and the limit comes later")
    func suspended() async throws {
        let centre = try centre()
        let id = try await submit(centre)
        let twin = try await submit(centre)
        try await centre.advance(seconds: 100)
        _ = try await centre.perform(.suspend, on: id, JobActionRequest(), .me)
        try await centre.advance(seconds: 1_000)
        let info = try await centre.info(id)
        #expect(info.state == "SUSPENDED" && seconds(info.runTime) == 100)
        #expect(info.nodeList == "cn0" && info.end == nil)
        _ = try await centre.perform(.resume, on: id, JobActionRequest(), .me)
        #expect(try await seconds(centre.info(id).end) == 1_600)
        try await centre.advance(seconds: 600)
        let record = try await centre.record(id)
        #expect(record.state == "COMPLETED" || record.state == "TIMEOUT")
        #expect(seconds(record.end) == 1_600)
        #expect(record.elapsed == SimDuration(seconds: 600))
        #expect(seconds(record.suspended) == 1_000)
        #expect(try await record.charge == centre.record(twin).charge)
        await centre.close()
    }

    @Test("Who is no operator suspends nobody")
    func permission() async throws {
        let centre = try centre()
        let id = try await submit(centre)
        await #expect(throws: RequestFailure.self) {
            _ = try await centre.perform(
                .suspend,
                on: id,
                JobActionRequest(),
                Caller(userID: 4_000, groupID: 4_000)
            )
        }
        await centre.close()
    }

    @Test("A requeued job waits for 121 s")
    func requeued() async throws {
        let centre = try centre()
        let id = try await submit(centre)
        try await centre.advance(seconds: 10)
        _ = try await centre.perform(.requeue, on: id, JobActionRequest(), .me)
        let info = try await centre.info(id)
        #expect(info.reason == "BeginTime" && info.restarts == 1)
        try await centre.advance(seconds: 122)
        #expect(try await seconds(centre.info(id).start) == 131)
        await centre.close()
    }

    @Test(
        "The job on top goes before its user's others, and nobody gets ahead of the first of them"
    )
    func top() async throws {
        let centre = try centre()
        _ = try await submit(centre) { $0.minimumNodes = 16 }
        let first = try await submit(centre)
        let second = try await submit(centre)
        let third = try await submit(centre) { $0.nice = 5 }
        _ = try await centre.perform(.top, on: third, JobActionRequest(), .me)
        var infos: [JobInfo] = []
        for id in [third, first, second] { infos.append(try await centre.info(id)) }
        #expect(infos.map(\.nice) == [0, 1, 5])
        #expect(infos.map(\.priority) == infos.map(\.priority).sorted(by: >))
        await centre.close()
    }

    @Test("A deadline that cannot be met ends the job, and one that has passed is refused")
    func deadline() async throws {
        let centre = try centre()
        let late = SmallCentre.start + SimDuration(seconds: 300)
        let id = try await submit(centre) { $0.deadline = late }
        try await centre.advance(seconds: 1)
        #expect(try await centre.info(id).state == "DEADLINE")
        do throws(RequestFailure) {
            _ = try await centre.submit(
                SmallCentre.request { $0.deadline = SmallCentre.start },
                .me
            )
            Issue.record("a deadline in the past was taken")
        } catch {
            #expect(error.body.text.hasPrefix("Requested time limit is invalid"))
        }
        await centre.close()
    }

    @Test("An immediate job that cannot start at once is cancelled")
    func immediate() async throws {
        let centre = try centre()
        _ = try await submit(centre) { $0.minimumNodes = 16 }
        let id = try await submit(centre) { $0.immediate = SimDuration(seconds: 1) }
        #expect(try await centre.info(id).state == "CANCELLED")
        await centre.close()
    }
}
