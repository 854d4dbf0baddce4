import JobModel
import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

/// Elements of job arrays get their numbers when they are split off, as in Slurm.
@Suite("Numbers of array elements")
struct ElementNumberTests {
    private func submit(
        _ centre: Centre,
        _ last: UInt32,
        limit: UInt32? = nil
    ) async throws -> UInt32 {
        try await centre.submit(
            SmallCentre.request {
                $0.array = ArrayRequest()
                $0.array?.ranges = [.init(first: 1, last: last)]
                $0.array?.limit = limit
                $0.comment = "runtime=10"
            }
        )
    }

    private func hold(_ centre: Centre, _ id: UInt32, _ tasks: [UInt32]?) async throws {
        var request = JobActionRequest()
        request.arrayTasks = tasks
        let outcomes = try await centre.perform(.hold, on: id, request, .me).outcomes
        #expect(outcomes.allSatisfy { $0.error == nil })
    }

    /// The number of each element by its index.
    private func numbers(_ centre: Centre, _ id: UInt32) async throws -> [UInt32: UInt32] {
        let jobs = try #require(await centre.job(id)).jobs
        return Dictionary(uniqueKeysWithValues: jobs.map { ($0.arrayTaskID ?? 0, $0.jobID) })
    }

    @Test("They follow starts and what is done to one alone; the last has the array's; also later")
    func numbers() async throws {
        let folder = try ScratchFolder()
        let settings = SmallCentre.settings(folder.path)
        let centre = try Centre(settings)
        let array = try await submit(centre, 6, limit: 2)
        let started = try #require(await centre.job(array)).jobs.filter { $0.state == "RUNNING" }
        #expect(started.map(\.arrayTaskID) == [1, 2])
        #expect(started.map(\.jobID) == [array + 1, array + 2])
        let waiting = try #require(await centre.job(array)).jobs.filter(\.waitsWithArray)
        #expect(waiting.map(\.arrayTaskID) == [3, 4, 5, 6])
        #expect(waiting.allSatisfy { $0.standardOutput == "/dev/null" && $0.accrue == nil })
        // One that is cancelled leaves no trace.
        var cancel = CancelRequest()
        cancel.jobs = [JobSelector(jobID: array, arrayTasks: [4])]
        _ = try await centre.cancel(cancel, .me)
        try await hold(centre, array, [6])
        let expected: [UInt32: UInt32] = [
            1: array + 1, 2: array + 2, 6: array + 3, 4: array + 4, 3: array + 5, 5: array,
        ]
        let now = try await numbers(centre, array)
        #expect(now[6] == expected[6] && now[3] == expected[3] && now[5] == expected[5])
        #expect(try await centre.info(array + 3).reason == "JobHeldUser")
        try await centre.advance(seconds: 5)
        await centre.close()
        let again = try Centre(settings)
        #expect(try await numbers(again, array) == now)
        _ = try await again.perform(.release, on: array, JobActionRequest(), .me)
        try await again.advance(seconds: 100)
        let ended = try await again.accounting(ids: [array]).records
        #expect(ended.filter { $0.state == "COMPLETED" }.count == 5)
        #expect(ended.first { $0.arrayTaskID == 5 }?.jobID == array)
        await again.close()
    }

    @Test("What is done to all of an array splits nothing off")
    func whole() async throws {
        let centre = try Centre(SmallCentre.settings(try ScratchFolder().path))
        let array = try await submit(centre, 4)
        let before = try await numbers(centre, array)
        #expect(before == [1: array + 1, 2: array + 2, 3: array + 3, 4: array])
        let held = try await centre.submit(
            SmallCentre.request {
                $0.array = ArrayRequest()
                $0.array?.ranges = [.init(first: 1, last: 3)]
                $0.isHeld = true
            }
        )
        try await hold(centre, held, nil)
        let jobs = try #require(await centre.job(held)).jobs
        let areTogether = jobs.allSatisfy { $0.waitsWithArray }
        #expect(areTogether)
        await centre.close()
    }

    @Test("Elements that others wait for keep their numbers")
    func awaited() async throws {
        let centre = try Centre(SmallCentre.settings(try ScratchFolder().path))
        let array = try await centre.submit(
            SmallCentre.request {
                $0.array = ArrayRequest()
                $0.array?.ranges = [.init(first: 1, last: 3)]
                $0.isHeld = true
            }
        )
        let before = try await numbers(centre, array)
        let dependent = try await centre.submit(
            SmallCentre.request {
                $0.dependencies = [DependencyRequest(kind: "afterok", jobID: array, arrayTask: 2)]
            }
        )
        try await hold(centre, array, [3])
        #expect(try await numbers(centre, array) == before)
        #expect(try await centre.info(dependent).dependency == "afterok:\(array)_2(unfulfilled)")
        await centre.close()
    }

    @Test("Limits of a partition change for good, and a node that is set DOWN may come back")
    func partitionLimits() async throws {
        let folder = try ScratchFolder()
        var settings = SmallCentre.settings(folder.path)
        settings.nodesReturn = true
        let centre = try Centre(settings)
        var change = PartitionUpdateRequest()
        change.name = "batch"
        change.maximumNodes = 2
        change.removesMaximumTime = true
        try await centre.update(change, .me)
        let large = try await centre.submit(SmallCentre.request { $0.minimumNodes = 3 })
        #expect(try await centre.info(large).reason == "PartitionNodeLimit")
        let small = try await centre.submit(
            SmallCentre.request {
                $0.requiredNodes = "cn0"
                $0.requeues = false
            }
        )
        var down = NodeUpdateRequest()
        down.nodes = "cn0"
        down.state = "DOWN"
        down.reason = "test"
        try await centre.update(down, .me)
        #expect(try await centre.record(small).state == "NODE_FAIL")
        await centre.close()
        let again = try Centre(settings)
        #expect(try await again.info(large).reason == "PartitionNodeLimit")
        let next = try await again.submit(SmallCentre.request { $0.requiredNodes = "cn0" })
        #expect(try await again.info(next).state == "RUNNING")
        change.maximumNodes = 0
        await #expect(throws: (any Error).self) { try await again.update(change, .me) }
        await again.close()
    }
}
