import JobModel
import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Dependencies in a centre")
struct DependencyTests {
    private func centre() throws -> Centre {
        try Centre(SmallCentre.settings(ScratchFolder().path))
    }

    private func submit(
        _ centre: Centre,
        name: String = "job",
        array: [ArrayRequest.Range] = [],
        _ dependencies: [DependencyRequest] = [],
        isAny: Bool = false
    ) async throws -> UInt32 {
        try await centre.submit(
            SmallCentre.request {
                $0.name = name
                $0.timeLimit = SimDuration(seconds: 600)
                $0.dependencies = dependencies
                $0.anyDependency = isAny
                if !array.isEmpty {
                    var elements = ArrayRequest()
                    elements.ranges = array
                    $0.array = elements
                }
            }
        )
    }

    @Test("The queue shows what is waited for as Slurm does")
    func texts() async throws {
        let centre = try centre()
        let first = try await submit(centre)
        let second = try await submit(centre)
        func on(_ kind: String, _ job: UInt32, delay: Int64 = 0, task: UInt32? = nil)
            -> DependencyRequest
        {
            DependencyRequest(
                kind: kind,
                jobID: job,
                arrayTask: task,
                delay: SimDuration(seconds: delay)
            )
        }
        let both = [on("afterok", first), on("afterok", second)]
        let all = try await submit(centre, both)
        let any = try await submit(centre, both, isAny: true)
        let late = try await submit(centre, [on("after", first, delay: 60)])
        let stage = try await submit(centre, [on("afterburstbuffer", first)])
        let array = try await submit(centre, array: [.init(first: 1, last: 3)])
        let one = try await submit(centre, [on("afterok", array, task: 2)])
        let whole = try await submit(centre, [on("afterok", array)])
        let peers = try await submit(
            centre,
            array: [.init(first: 1, last: 3)],
            [on("aftercorr", array)]
        )
        let named = try await submit(centre, name: "job", [DependencyRequest(kind: "singleton")])
        let expected: [(UInt32, String)] = [
            (all, "afterok:\(first)(unfulfilled),afterok:\(second)(unfulfilled)"),
            (any, "afterok:\(first)(unfulfilled)?afterok:\(second)(unfulfilled)"),
            (late, "after:\(first)+1(unfulfilled)"),
            (stage, "afterburstbuffer:\(first)(unfulfilled)"),
            (one, "afterok:\(array)_2(unfulfilled)"),
            (whole, "afterok:\(array)_*(unfulfilled)"),
            (peers + 1, "aftercorr:\(array)_*(unfulfilled)"),
            (named, "singleton(unfulfilled)"),
        ]
        for (id, text) in expected {
            let info = try await centre.info(id)
            #expect(info.dependency == text)
            #expect(info.reason == "Dependency")
        }
        var cancel = CancelRequest()
        cancel.jobs = [JobSelector(jobID: second)]
        _ = try await centre.cancel(cancel, .me)
        #expect(
            try await centre.info(all).dependency?.hasSuffix("afterok:\(second)(failed)") == true
        )
        #expect(try await centre.info(all).reason == "DependencyNeverSatisfied")
        try await centre.advance(seconds: 61)
        #expect(try await centre.info(late).state == "RUNNING")
        await centre.close()
    }

    @Test("A job whose name is changed is no longer in the way of a singleton")
    func renamed() async throws {
        let centre = try centre()
        let first = try await submit(centre, name: "chain")
        let second = try await submit(centre, name: "chain", [DependencyRequest(kind: "singleton")])
        #expect(try await centre.info(second).reason == "Dependency")
        var change = JobUpdateRequest()
        change.name = "other"
        _ = try await centre.update(first, change, .me)
        #expect(try await centre.info(second).state == "RUNNING")
        await centre.close()
    }
}
