import Quantities
import SlurmDialect
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Explanations of waiting jobs")
struct ExplainTests {
    @Test("A change that is said to start a job sooner does so, and explaining changes nothing")
    func partition() async throws {
        let centre = try Centre(SmallCentre.settings(try ScratchFolder().path))
        let first = try await centre.submit(
            SmallCentre.request {
                $0.minimumNodes = 16
                $0.timeLimit = SimDuration(seconds: 7_200)
            }
        )
        let ahead = try await centre.submit(
            SmallCentre.request {
                $0.minimumNodes = 16
                $0.timeLimit = SimDuration(seconds: 3_600)
            }
        )
        let job = try await centre.submit(
            SmallCentre.request {
                $0.minimumNodes = 2
                $0.timeLimit = SimDuration(seconds: 3_600)
            }
        )
        let before = await centre.job(job)
        let explanation = try await centre.explain(job, .me)
        #expect(explanation.aheadCount == 1)
        #expect(explanation.ahead.map(\.jobID) == [ahead])
        #expect(explanation.running.map(\.jobID) == [first])
        // Each input comes some microseconds after the one before.
        let start = SmallCentre.start.seconds
        #expect(explanation.running.first?.end?.seconds == start + 7_200)
        #expect(explanation.estimate.start?.seconds == start + 10_800)
        #expect(explanation.estimate.price != nil)
        let best = try #require(explanation.alternatives.first)
        #expect(best.change == "Partition=shared")
        #expect(await centre.job(job) == before)
        var update = JobUpdateRequest()
        update.partition = "shared"
        _ = try await centre.update(job, update, .me)
        let moved = try #require(await centre.job(job)?.jobs.first)
        #expect(moved.state == "RUNNING")
        #expect(moved.start?.seconds == best.estimate.start?.seconds)
        await centre.close()
    }

    @Test("A job that runs has nothing to be explained, and one that is not there is an error")
    func others() async throws {
        let centre = try Centre(SmallCentre.settings(try ScratchFolder().path))
        let job = try await centre.submit(SmallCentre.request())
        let explanation = try await centre.explain(job, .me)
        #expect(explanation.job.state == "RUNNING")
        #expect(explanation.alternatives.isEmpty)
        await #expect(throws: RequestFailure.refused(.invalidJobID)) {
            try await centre.explain(99, .me)
        }
        await centre.close()
    }
}
