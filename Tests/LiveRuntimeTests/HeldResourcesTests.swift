import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("What jobs hold in a centre")
struct HeldResourcesTests {
    private func centre() throws -> Centre {
        try Centre(SmallCentre.settings(ScratchFolder().path))
    }

    private func run(
        _ centre: Centre,
        by caller: Caller = .me,
        _ change: (inout SubmitRequest) -> Void
    ) async throws -> JobInfo {
        let request = SmallCentre.request {
            $0.partitions = ["shared"]
            $0.timeLimit = SimDuration(seconds: 600)
            change(&$0)
        }
        return try await centre.info(centre.submit(request, caller).jobID)
    }

    @Test("Tasks that nodes share unevenly are held, shown and charged as they lie")
    func unevenTasks() async throws {
        let centre = try centre()
        let info = try await run(centre) {
            $0.minimumNodes = 3
            $0.tasks = 5
        }
        #expect(info.state == "RUNNING" && info.cores == 5 && info.nodeList == "fat[0-2]")
        try await centre.advance(seconds: 601)
        let record = try await centre.record(info.jobID)
        #expect(record.cores == 5 && record.elapsed == SimDuration(seconds: 600))
        // 5 cores for a sixth of an hour at 10 fen.
        #expect(record.charge == 8)
        await centre.close()
    }

    @Test("A range of nodes is used as far as nodes are free")
    func range() async throws {
        let centre = try centre()
        let all = try await run(centre) {
            $0.minimumNodes = 2
            $0.maximumNodes = 3
        }
        #expect(all.nodeCount == 3 && all.cores == 3)
        await centre.close()
    }

    @Test("--exclusive=user keeps the node and charges what was asked")
    func exclusiveUser() async throws {
        let centre = try centre()
        let kept = try await run(centre) { $0.exclusive = "user" }
        #expect(kept.cores == 1 && kept.oversubscribe == "USER" && kept.nodeList == "fat0")
        let own = try await run(centre) { _ in }
        #expect(own.nodeList == "fat0")
        let other = try await run(centre, by: Caller(userID: 1, groupID: 1)) { _ in }
        #expect(other.nodeList == "fat1")
        await centre.close()
    }
}
