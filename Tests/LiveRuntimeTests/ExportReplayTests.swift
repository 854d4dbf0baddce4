import Catalog
import ClusterModel
import Determinism
import Emulation
import Foundation
import Quantities
import ReplayRuntime
import Scheduling
import SlurmDialect
import Testing
import TraceFiles
import WireFormats
import WorkloadFormats

@testable import LiveRuntime

/// What a live centre did, exported with `sacct` and replayed on the same machine under the same policy,
/// happens again: no job starts or ends a microsecond earlier or later.
@Suite("An export, replayed")
struct ExportReplayTests {
    /// Five partitions, four of which overlap; accounts in accounts, shares, QOS with limits.
    private static let machineText = """
        machine: five
        title: Five partitions
        node_types:
          - name: cpu
            title: Node of four cores
            topology: {synthetic: "package:1 [numa(memory=16000MiB)] core:4 pu:1"}
            processor: {model: Some CPU}
            cores: 4
            memory: 16000 MiB
            power: 300 W
            boot_time: 4
        nodes:
          - {names: "a[0-7]", type: cpu}
          - {names: "b[0-5]", type: cpu}
        platforms:
          - {name: five, title: Five, key: false}
        qos:
          - {name: high, priority: 100, limits: {MaxJobsPerUser: 2}, preempts: [low, few]}
          - {name: low, priority: 1, limits: {GrpTRES: {cpu: 12}, MaxWall: "2:00:00"}, grace_time: 300}
          - {name: few, preempt_mode: suspend, limits: {MaxSubmitJobsPerUser: 4, GrpJobs: 3}}
        preemption: {by: qos, exempt_time: 600}
        licenses:
          - {name: fluent, count: 4}
          - {name: abaqus, count: 2}
        partitions:
          - {name: whole, nodes: "a[0-7]", platform: five, tier: 2, quota: {nodes: 6}}
          - {name: half, nodes: "a[0-3]", platform: five, job_factor: 10}
          - {name: long, nodes: "a[2-7]", platform: five, time_limit: {maximum: 6:00:00}, qos: few}
          - {name: shared, nodes: "b[0-5]", platform: five, sharing: cores}
          - {name: corner, nodes: "b[3-5]", platform: five, sharing: cores, nodes_per_job: {maximum: 2}}
        default_partition: whole
        accounts:
          - {name: lab, title: Lab, class: university, shares: 3, limits: {GrpTRES: {node: 10}}}
          - {name: left, title: Left, class: university, parent: lab, shares: 2}
          - {name: right, title: Right, class: university, parent: lab, limits: {MaxJobs: 4}}
          - {name: firm, title: Firm, class: enterprise, limits: {GrpTRESMins: {cpu: 90000}}}
        default_account: firm
        """

    /// - Parameter savesPower: whether nodes are off after a quarter of an hour, and two for good.
    static func machine(savesPower: Bool) throws -> Machine {
        let saving = "\npower_saving: {suspend_time: 15, cap: 3.6 kW}\n"
        let text = machineText + (savesPower ? saving : "")
        return try MachineLibrary(fileText: { $0 == "/five.yaml" ? text : nil })
            .machine(path: "/five.yaml")
    }

    private static let callers = (0..<4).map {
        Caller(userID: UInt32(60_001 + $0), groupID: 60_001)
    }

    private func request(_ random: inout SplitMix64, _ id: UInt32) -> SubmitRequest {
        let draw = (0..<10).map { _ in random.draw(0...9) }
        let seconds = random.draw(0...20_000)
        return SmallCentre.request { request in
            request.name = "n\(draw[9] % 3)"
            request.partitions =
                [
                    ["whole"], ["half"], ["long"], ["shared"], ["shared"], ["corner"],
                    ["half", "whole"], ["corner", "shared"], ["long", "half"], ["shared", "whole"],
                ][draw[0]]
            request.account = ["lab", "left", "right", "firm"][draw[1] % 4]
            request.qos = ["normal", "normal", "high", "low", "few"][draw[2] % 5]
            if request.partitions.first == "shared" || request.partitions.first == "corner" {
                request.tasks = Int32(1 + draw[3])
            } else {
                request.minimumNodes = Int32(1 + draw[3] % 4)
            }
            request.timeLimit = SimDuration(seconds: 900 * Int64(1 + draw[4]))
            request.comment = draw[5] < 2 ? nil : "runtime=\(seconds)"
            if draw[4] > 4 {
                request.licenses = ["fluent:2,abaqus", "fluent:3", "abaqus"][draw[5] % 3]
            }
            if draw[6] == 0 { request.isHeld = true }
            if draw[6] == 1, id > 1 {
                let other = UInt32(random.draw(1...Int(id - 1)))
                let kind = ["afterok", "afterany", "after", "afternotok"][draw[7] % 4]
                request.dependencies = [DependencyRequest(kind: kind, jobID: other)]
                request.endsOnInvalidDependency = draw[8] < 5
            }
            if draw[6] == 2 {
                request.dependencies = [DependencyRequest(kind: "singleton", jobID: 0)]
            }
            if draw[6] == 3 {
                var array = ArrayRequest()
                array.ranges = [.init(first: 1, last: UInt32(1 + draw[7]))]
                array.limit = draw[8] < 5 ? 2 : nil
                request.array = array
            }
            if draw[6] == 4 { request.nice = Int32(draw[7] * 100) }
            if draw[6] == 5 {
                var component = request
                component.partitions = [["shared"], ["corner"], ["half"], ["long"]][draw[7] % 4]
                (component.minimumNodes, component.tasks) = (1, nil)
                component.licenses = nil
                request.components = Array(repeating: component, count: 1 + draw[8] % 2)
            }
        }
    }

    /// Does something that users do.
    func act(_ centre: Centre, _ random: inout SplitMix64, _ next: UInt32) async throws {
        let caller = Self.callers[random.draw(0...3)]
        let id = UInt32(random.draw(1...max(1, Int(next) - 1)))
        switch random.below(16) {
        case 0..<8: _ = try? await centre.submit(request(&random, next), caller)
        case 8:
            var cancel = CancelRequest()
            cancel.jobs = [JobSelector(jobID: id)]
            _ = try? await centre.cancel(cancel, .me)
        case 9:
            let action: Centre.JobAction = [
                .hold, .release, .release, .requeue, .suspend, .resume, .resume,
            ][random.draw(0...6)]
            _ = try? await centre.perform(action, on: id, JobActionRequest(), .me)
        case 10:
            var update = JobUpdateRequest()
            update.timeLimit = SimDuration(seconds: 60 * Int64(random.draw(1...200)))
            _ = try? await centre.update(id, update, .me)
        case 11:
            var update = JobUpdateRequest()
            if random.below(4) == 0 {
                update.requeues = random.below(2) == 0
            } else if random.below(2) == 0 {
                update.priority = Int64(random.draw(1...200_000))
            } else {
                update.partition = ["whole", "half", "shared"][random.draw(0...2)]
            }
            _ = try? await centre.update(id, update, .me)
        default: try await centre.advance(seconds: Int64(random.draw(1...6_000)))
        }
    }

    @Test(
        "No start and no end differs",
        arguments: ["easy", "multifactor", "slurm", "conservative", "fcfs"],
        1...6 as ClosedRange<UInt64>
    )
    func nothingDiffers(policyName: String, seed: UInt64) async throws {
        let folder = try ScratchFolder()
        let machine = try Self.machine(savesPower: seed.isMultiple(of: 2))
        let policy = try SchedulingPolicy(named: policyName)
        var settings = SmallCentre.settings(folder.path, machine: machine)
        settings.rules = CentreRules(machine: machine, policy: policy)
        let number = policyName.utf8.reduce(UInt64(0)) { $0 * 31 + UInt64($1) }
        var random = SplitMix64(seed: seed &+ number, stream: "export")
        let centre = try Centre(settings)
        for _ in 0..<160 {
            let next = await centre.status().nextJobID
            try await act(centre, &random, next)
        }
        try await centre.advance(seconds: 400_000)
        let last = await centre.status().nextJobID
        let records = try await centre.accounting(ids: Array(1..<last)).records
        let now = await centre.snapshot().state.lastInstant
        await centre.close()
        try ImageClaims.goesOn(
            folder.path,
            CentreRules(machine: machine, policy: policy),
            &random,
            "seed \(seed), \(policyName)"
        )

        let path = folder.path + "/export.txt"
        let command = try AccountingCommand(
            program: "sacct",
            arguments: ["-a", "-X", "-P", "-S", "2020-01-01", "-o", "ALL"],
            variable: { _ in nil },
            user: nil
        )
        let output = try command.output(AccountingList(now: now, records: records))
        let text = output.lines.joined(separator: "\n") + "\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))

        let trace = try TraceFile.log(at: path, LogReader(format: .sacct, isStrict: true))
        #expect(trace.records.count == trace.jobs.count)
        var replayed = ReplayMachine.centre(machine, policy: policy)
        replayed.recorded = try RecordedCentre(trace, on: machine)
        var driver = ReplayDriver(trace: trace, machine: replayed)
        let result = driver.run()

        let origin = trace.unixStartTime * 1_000_000
        let known = Dictionary(records.map { ($0.jobID, $0) }) { _, later in later }
        var ran = 0
        for (index, job) in trace.jobs.enumerated() {
            let record = try #require(known[UInt32(job.id)])
            let start = result.started[index]
            let isEnded = record.end != nil
            let what = "seed \(seed), \(policyName), job \(job.id) (\(record.state))"
            #expect(
                (start < 0 ? nil : start + origin) == record.start?.microseconds,
                "\(what): start"
            )
            // As `--validate` compares it; an export has whole seconds.
            let recorded = job.submitted + origin + Int64(job.waitSeconds) * 1_000_000
            #expect((record.start == nil) == (job.waitSeconds < 0), "\(what): its recorded start")
            let begun = record.start?.microseconds ?? recorded
            #expect(abs(begun - recorded) <= 1_000_000 || record.start == nil, "\(what)")
            guard record.start != nil, isEnded else { continue }
            ran += 1
            #expect(result.ended[index] + origin == record.end?.microseconds, "\(what): end")
        }
        #expect(ran > 20, "seed \(seed), \(policyName): only \(ran) jobs ran")

        // The state folder alone holds the same jobs.
        let stored = try StoredJobs(stateFolder: folder.path, machine: machine)
        #expect(stored.policy == policy)
        let kept = Trace(records: stored.records)
        var again = ReplayMachine.centre(stored.machine, policy: policy)
        again.recorded = try RecordedCentre(kept, on: stored.machine)
        var second = ReplayDriver(trace: kept, machine: again)
        let starts = second.run().started
        // An export has one row for the elements of an array that wait; the folder has them all.
        #expect(kept.jobs.count >= trace.jobs.count)
        for (index, job) in kept.jobs.enumerated() {
            guard let record = known[UInt32(job.id)] else { continue }
            #expect(
                (starts[index] < 0 ? nil : starts[index] + kept.unixStartTime * 1_000_000)
                    == record.start?.microseconds,
                "seed \(seed), \(policyName), job \(job.id) of the state folder: start"
            )
        }
    }
}
