import JobModel
import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("A job that waits is changed")
struct UpdateTests {
    private func centre(_ folder: ScratchFolder) throws -> Centre {
        try Centre(SmallCentre.settings(folder.path))
    }

    /// Why the change is refused; nil when it is made.
    private func update(
        _ centre: Centre,
        _ id: UInt32,
        _ change: (inout JobUpdateRequest) -> Void
    ) async throws -> ErrorBody? {
        var request = JobUpdateRequest()
        change(&request)
        return try await centre.update(id, request, .me).outcomes.compactMap(\.error).first
    }

    private func fill(_ centre: Centre) async throws -> UInt32 {
        try await centre.submit(
            SmallCentre.request {
                $0.minimumNodes = 16
                $0.timeLimit = SimDuration(seconds: 3_600)
            }
        )
    }

    @Test("Partition, size, nodes and begin time follow, and survive a restart")
    func properties() async throws {
        let folder = try ScratchFolder()
        let first = try centre(folder)
        _ = try await fill(first)
        let id = try await first.submit(SmallCentre.request { $0.minimumNodes = 2 })
        let fewer = try await update(first, id) {
            $0.nodes = 3
            $0.excludedNodes = "cn[0-3]"
        }
        #expect(fewer == nil)
        #expect(try await first.info(id).nodeCount == 3)
        #expect(try await first.info(id).excludedNodes == "cn[0-3]")
        let begin = SmallCentre.start + SimDuration(seconds: 7_200)
        #expect(try await update(first, id) { $0.begin = begin } == nil)
        #expect(try await first.info(id).reason == "BeginTime")
        #expect(try await first.info(id).eligible == begin)
        await first.close()
        let second = try centre(folder)
        try await second.advance(seconds: 7_300)
        let info = try await second.info(id)
        #expect(info.start == begin)
        #expect(info.nodeList == "cn[4-6]")
        let late = try await update(second, id) { $0.nodes = 1 }
        #expect(late?.text == "Job is no longer pending execution")
        await second.close()
    }

    @Test("Another partition is where it starts, and whose price it pays")
    func partition() async throws {
        let centre = try centre(ScratchFolder())
        _ = try await fill(centre)
        let id = try await centre.submit(SmallCentre.request())
        #expect(try await centre.info(id).state == "PENDING")
        #expect(try await update(centre, id) { $0.partition = "shared" } == nil)
        let info = try await centre.info(id)
        #expect(info.state == "RUNNING")
        #expect(info.partition == "shared")
        await centre.close()
    }

    @Test("It keeps its place in line")
    func place() async throws {
        let centre = try centre(ScratchFolder())
        _ = try await fill(centre)
        let early = try await centre.submit(SmallCentre.request { $0.minimumNodes = 16 })
        let late = try await centre.submit(SmallCentre.request { $0.minimumNodes = 16 })
        #expect(try await update(centre, early) { $0.nodes = 15 } == nil)
        try await centre.advance(seconds: 3_601)
        #expect(try await centre.info(early).state == "RUNNING")
        #expect(try await centre.info(late).state == "PENDING")
        await centre.close()
    }

    @Test("Dependencies are set and taken away, and who waits for the job still does")
    func dependencies() async throws {
        let centre = try centre(ScratchFolder())
        let running = try await fill(centre)
        let held = try await centre.submit(SmallCentre.request { $0.isHeld = true })
        let waiting = try await centre.submit(
            SmallCentre.request {
                $0.dependencies = [DependencyRequest(kind: "afterany", jobID: held)]
                $0.partitions = ["shared"]
            }
        )
        let onRunning = [DependencyRequest(kind: "afterany", jobID: running)]
        #expect(try await update(centre, held) { $0.dependencies = onRunning } == nil)
        #expect(try await centre.info(held).reason == "JobHeldUser")
        _ = try await centre.perform(.release, on: held, JobActionRequest(), .me)
        #expect(try await centre.info(held).reason == "Dependency")
        let circle = [DependencyRequest(kind: "afterok", jobID: waiting)]
        let refused = try await update(centre, held) { $0.dependencies = circle }
        #expect(refused?.text == "Job dependency problem")
        #expect(refused?.details == ["job \(held) would wait for itself"])
        #expect(try await update(centre, held) { $0.dependencies = [] } == nil)
        #expect(try await centre.info(held).reason == "Resources")
        #expect(try await centre.info(waiting).reason == "Dependency")
        var cancel = CancelRequest()
        cancel.jobs = [JobSelector(jobID: held)]
        _ = try await centre.cancel(cancel, .me)
        #expect(try await centre.info(waiting).state == "RUNNING")
        await centre.close()
    }

    @Test(
        "What could not be submitted so is refused, and nothing has changed",
        arguments: [
            ("partition", "Invalid partition name specified"),
            ("host", "Invalid partition name specified"),
            ("account", "Invalid account or account/partition combination specified"),
            ("qos", "Invalid qos specification"), ("nodes", "Node count specification invalid"),
            ("node", "Invalid node name specified"),
        ]
    )
    func refusals(what: String, sentence: String) async throws {
        let centre = try centre(ScratchFolder())
        _ = try await fill(centre)
        let id = try await centre.submit(SmallCentre.request())
        let before = try await centre.info(id)
        let error = try await update(centre, id) { change in
            switch what {
            case "partition": change.partition = "nosuch"
            case "host": change.partition = "host"
            case "account": change.account = "nosuch"
            case "qos": change.qos = "turbo"
            case "nodes": change.nodes = 0
            default: change.requiredNodes = "cn99"
            }
        }
        #expect(error?.text == sentence)
        var after = try await centre.info(id)
        after.lastEvaluation = before.lastEvaluation
        #expect(after == before)
        await centre.close()
    }

    @Test("A job that was too large for its partition is let go when it fits")
    func beyondPartition() async throws {
        let centre = try centre(ScratchFolder())
        let id = try await centre.submit(SmallCentre.request { $0.minimumNodes = 17 })
        #expect(try await update(centre, id) { $0.nodes = 16 } == nil)
        #expect(try await centre.info(id).state == "RUNNING")
        await centre.close()
    }

    @Test("An element of a job array is changed alone, and counts against its throttle still")
    func elements() async throws {
        let centre = try centre(ScratchFolder())
        _ = try await fill(centre)
        let array = try await centre.submit(
            SmallCentre.request {
                var array = ArrayRequest()
                array.ranges = [.init(first: 0, last: 3)]
                array.limit = 1
                $0.array = array
            }
        )
        #expect(
            try await update(centre, array) {
                $0.arrayTasks = [2, 3]
                $0.partition = "shared"
            } == nil
        )
        let elements = try await centre.jobs(.all).jobs.filter { $0.arrayJobID == array }
        let states = elements.sorted { ($0.arrayTaskID ?? 0) < ($1.arrayTaskID ?? 0) }.map(\.state)
        #expect(states == ["PENDING", "PENDING", "RUNNING", "PENDING"])
        await centre.close()
    }

    @Test("A job that asks for no time gets no more than its partition allows now")
    func defaultTime() async throws {
        let folder = try ScratchFolder()
        let first = try centre(folder)
        var change = PartitionUpdateRequest()
        change.name = "batch"
        change.maximumTime = SimDuration(seconds: 1_800)
        try await first.update(change, .me)
        let id = try await first.submit(SmallCentre.request { $0.comment = "runtime=5000" })
        #expect(try await first.info(id).timeLimit == change.maximumTime)
        let shown = try await first.partitions(of: nil).partitions.first { $0.name == "batch" }
        #expect(shown?.defaultTime == change.maximumTime)
        // Where the file says none, the limit is what the partition allows.
        change.name = "shared"
        try await first.update(change, .me)
        let other = try await first.submit(SmallCentre.request { $0.partitions = ["shared"] })
        #expect(try await first.info(other).timeLimit == change.maximumTime)
        await first.close()
        let second = try centre(folder)
        let last = try await second.submit(SmallCentre.request())
        #expect(try await second.info(last).timeLimit == change.maximumTime)
        change.name = "batch"
        change.maximumTime = SimDuration(seconds: 7_200)
        try await second.update(change, .me)
        let usual = try await second.submit(SmallCentre.request())
        #expect(try await second.info(usual).timeLimit == SimDuration(seconds: 3_600))
        await second.close()
    }
}
