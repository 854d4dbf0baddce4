import Accounts
import ClusterModel
import Quantities
import SlurmDialect
import Testing
import WireFormats

@testable import LiveRuntime

/// What golden case 20 of a real Slurm shows, on a small centre.
@Suite("Preemption in a centre")
struct PreemptionTests {
    private let folder: ScratchFolder
    private let settings: CentreSettings

    init() throws {
        folder = try ScratchFolder()
        var machine = SmallCentre.machine
        var high = QOS(name: "high", priority: 10)
        high.preempts = ["low"]
        machine.qos = [QOS(name: "low"), high]
        machine.preemption.basis = .qos
        settings = SmallCentre.settings(folder.path, machine: machine)
    }

    private func submit(
        _ centre: Centre,
        _ qos: String,
        nodes: Int32,
        requeues: Bool = true
    ) async throws -> UInt32 {
        try await centre.submit(
            SmallCentre.request {
                $0.partitions = ["batch"]
                $0.qos = qos
                $0.minimumNodes = nodes
                $0.requeues = requeues
                $0.comment = "runtime=60"
            }
        )
    }

    @Test("A job that makes way waits 121 s, runs again, and both runs are on record")
    func requeued() async throws {
        let centre = try Centre(settings)
        let low = try await submit(centre, "low", nodes: 16)
        try await centre.advance(seconds: 10)
        let high = try await submit(centre, "high", nodes: 1)
        #expect(try await centre.info(high).state == "RUNNING")
        let waiting = try await centre.info(low)
        #expect(waiting.state == "PENDING")
        #expect(waiting.reason == "BeginTime")
        #expect(waiting.restarts == 1)
        try await centre.advance(seconds: 122)
        #expect(try await centre.info(low).state == "RUNNING")
        try await centre.advance(seconds: 61)
        let records = try await centre.accounting(ids: [low]).records
        #expect(records.map(\.state) == ["PREEMPTED", "COMPLETED"])
        #expect(records.map { $0.elapsed.microseconds / 1_000_000 } == [10, 60])
        #expect(records[0].charge == 0)
        await centre.close()

        let again = try Centre(settings)
        #expect(try await again.accounting(ids: [low]).records.map(\.state).count == 2)
        await again.close()
    }

    @Test("What was said of requeueing last decides")
    func changed() async throws {
        let centre = try Centre(settings)
        let low = try await submit(centre, "low", nodes: 16, requeues: false)
        var update = JobUpdateRequest()
        update.requeues = true
        _ = try await centre.update(low, update, .me)
        _ = try await submit(centre, "high", nodes: 1)
        #expect(try await centre.info(low).reason == "BeginTime")
        await centre.close()
    }

    @Test("A job that must not be requeued ends as PREEMPTED")
    func cancelled() async throws {
        let centre = try Centre(settings)
        let low = try await submit(centre, "low", nodes: 16, requeues: false)
        try await centre.advance(seconds: 10)
        _ = try await submit(centre, "high", nodes: 1)
        #expect(try await centre.info(low).state == "PREEMPTED")
        let partition = try #require(try await centre.partitions().partitions.first)
        #expect(partition.preemptMode == "REQUEUE")
        await centre.close()
    }

    @Test("A job that stands still is shown as suspended, goes on, and pays for no second of it")
    func suspended() async throws {
        var settings = settings
        var machine = settings.rules.machine
        machine.preemption.mode = .suspend
        settings.rules = CentreRules(machine: machine, policy: settings.rules.policy)
        let centre = try Centre(settings)
        let low = try await submit(centre, "low", nodes: 16)
        try await centre.advance(seconds: 10)
        let high = try await submit(centre, "high", nodes: 1)
        #expect(try await centre.info(high).state == "RUNNING")
        let still = try await centre.info(low)
        #expect(still.state == "SUSPENDED")
        #expect(still.runTime.microseconds / 1_000_000 == 10)
        #expect(still.nodeCount == 16)
        await centre.close()

        let again = try Centre(settings)
        #expect(try await again.info(low).state == "SUSPENDED")
        let answer = try await again.perform(.resume, on: low, JobActionRequest(), .me)
        #expect(answer.outcomes.map { $0.error?.text } == [SlurmError.disabled.text])
        try await again.advance(seconds: 61)
        #expect(try await again.info(low).state == "RUNNING")
        try await again.advance(seconds: 60)
        let record = try #require(try await again.accounting(ids: [low]).records.first)
        #expect(record.state == "COMPLETED")
        #expect(record.elapsed == SimDuration(seconds: 60))
        #expect(record.suspended == SimDuration(seconds: 60))
        let partition = try #require(try await again.partitions().partitions.first)
        #expect(partition.preemptMode == "GANG,SUSPEND")
        await again.close()
    }
}
