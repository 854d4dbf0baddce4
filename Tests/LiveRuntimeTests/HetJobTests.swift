import ClusterModel
import Foundation
import Quantities
import SlurmDialect
import TestSupport
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
        // It does not wait any more, so nobody who asks for its nodes is told to.
        await #expect(throws: RequestFailure.refused(.alreadyDone)) {
            _ = try await centre.environment(id + 1, .me)
        }
        let other = try await centre.submit(het())
        let outcomes = try await cancel(centre, JobSelector(jobID: other))
        #expect(outcomes.allSatisfy { $0.error == nil })
        #expect(try await centre.record(other).state == "CANCELLED")
        #expect(try await centre.record(other + 1).state == "CANCELLED")
        await centre.close()
    }

    @Test("A quote keeps apart what is held at different prices")
    func prices() async throws {
        var machine = SmallCentre.machine
        machine.partitions[1].prices = HourlyPrices(coreHourMicrofen: 20_000_000)
        let centre = try Centre(SmallCentre.settings(folder.path, machine: machine))
        var request = het()
        request.isTestOnly = true
        let response = try await centre.submit(request, .me)
        let rows = try #require(response.estimate?.price?.resources)
        #expect(rows.map(\.resource) == ["core-hour", "core-hour"])
        // Ten fen for an hour of a core, and twenty.
        #expect(rows.map(\.fee) == zip(rows, [10, 20]).map { ($0.seconds * $1 + 1_800) / 3_600 })
        await centre.close()
    }

    @Test("What changes all components changes none where one cannot be changed")
    func update() async throws {
        let centre = try Centre(settings)
        let blocker = try await centre.submit(part("batch", nodes: 15))
        let id = try await centre.submit(het())
        var change = JobUpdateRequest()
        // Thin nodes have less; it is the fat one's place that must not change.
        change.memoryPerNode = ByteCount(mebibytes: 40_960)
        let refused = try await centre.update(id, change, .me).outcomes
        #expect(refused.map(\.jobID) == [id])
        #expect(refused.allSatisfy { $0.error != nil })
        #expect(try await centre.info(id + 1).memoryPerNode == nil)
        change = JobUpdateRequest()
        change.timeLimit = SimDuration(seconds: 900)
        let done = try await centre.update(id, change, .me).outcomes
        #expect(done.map { $0.error?.text } == [nil, nil])
        #expect(try await centre.info(id + 1).timeLimit == SimDuration(seconds: 900))
        change.timeLimit = SimDuration(seconds: 600)
        change.component = 1
        _ = try await centre.update(id, change, .me)
        let limits = try #require(await centre.job(id)?.jobs).map(\.timeLimit)
        #expect(limits == [SimDuration(seconds: 900), SimDuration(seconds: 600)])
        // A priority of 0 holds the job, which is all of it.
        var hold = JobUpdateRequest()
        hold.priority = 0
        hold.component = 1
        let part = try await centre.update(id, hold, .me).outcomes
        #expect(part.map { $0.error?.text } == [SlurmError.notWholeHetJob.text])
        hold.component = nil
        _ = try await centre.update(id, hold, .me)
        let reasons = try #require(await centre.job(id)?.jobs).map(\.reason)
        #expect(Set(reasons).count == 1 && reasons[0].hasPrefix("JobHeld"), "\(reasons)")
        _ = try await cancel(centre, JobSelector(jobID: blocker))
        await centre.close()
    }

    @Test("A component that could start says what the job waits for")
    func reasons() async throws {
        let centre = try Centre(settings)
        var held = het()
        held.components[0].isHeld = true
        let id = try await centre.submit(held)
        let states = try #require(await centre.job(id)?.jobs)
        #expect(states.map(\.state) == ["PENDING", "PENDING"])
        #expect(states.map(\.reason) == ["JobHeldUser", "JobHeldUser"])
        let large = try await centre.submit(het(fat: 40))
        let never = try #require(await centre.job(large)?.jobs)
        #expect(Set(never.map(\.reason)).count == 1)
        #expect(never[0].reason.hasPrefix("Partition"), "\(never[0].reason)")
        await centre.close()
    }

    @Test("Steps are those of the components that they run on, and are counted together")
    func steps() async throws {
        let centre = try Centre(settings)
        let id = try await centre.submit(het())
        func begin(_ job: UInt32, number: UInt32? = nil) async throws -> String {
            var step = StepRequest()
            step.name = "solve"
            step.number = number
            return try await centre.step(job, step, .me).id
        }
        #expect(try await begin(id + 1) == "0")
        #expect(try await begin(id) == "1")
        #expect(try await begin(id + 1, number: 1) == "1")
        await #expect(throws: RequestFailure.self) { _ = try await begin(id, number: 1) }
        #expect(try await begin(id) == "2")
        let records = try await centre.accounting(ids: [id]).records
        #expect(records.map { $0.steps.map(\.id) } == [["batch", "1", "2"], ["0", "1"]])
        await centre.close()
    }

    @Test("What runs on a component that is cancelled alone ends with it, and nothing else")
    func stepsOfPart() async throws {
        let centre = try Centre(settings)
        let id = try await centre.submit(het())
        // Only programs of this name are told.
        let path = folder.path + "/srun"
        try FileManager.default.createSymbolicLink(
            atPath: path,
            withDestinationPath: "/bin/sleep"
        )
        let programs = try [id, id + 1].map { _ in
            try Process.run(URL(fileURLWithPath: path), arguments: ["1000"])
        }
        defer { programs.forEach { kill($0.processIdentifier, SIGKILL) } }
        for (job, program) in zip([id, id + 1], programs) {
            var step = StepRequest()
            step.name = "sleep"
            step.process = program.processIdentifier
            _ = try await centre.step(job, step, .me)
        }
        _ = try await cancel(centre, JobSelector(jobID: id, component: 1))
        // A test's threads block signals, and so do the programs that it starts: it waits to be taken.
        func hasCome(_ program: Process) -> Bool {
            let path = "/proc/\(program.processIdentifier)/status"
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("ShdPnd:") }
            let pending = line?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
            return pending & 1 << UInt64(StepSignal.cancellation - 1) != 0
        }
        #expect(eventually { hasCome(programs[1]) })
        #expect(!hasCome(programs[0]))
        await centre.close()
    }

    @Test("A step has no number that leaves none for the next, and none at all on a plain job")
    func stepNumbers() async throws {
        let centre = try Centre(settings)
        let id = try await centre.submit(het())
        let plain = try await centre.submit(part("batch", nodes: 1))
        func begin(_ job: UInt32, _ number: UInt32?) async throws -> String {
            var step = StepRequest()
            step.name = "a"
            step.number = number
            return try await centre.step(job, step, .me).id
        }
        for (job, number) in [(id, UInt32.max), (id + 1, 1_280_000), (plain, 1)] {
            await #expect(throws: RequestFailure.self) { _ = try await begin(job, number) }
        }
        #expect(try await begin(id, nil) == "0")
        #expect(try await begin(id + 1, 0) == "0")
        #expect(try await begin(id + 1, nil) == "1")
        #expect(try await begin(plain, nil) == "0")
        await centre.close()
    }

    @Test("Requests name what of a job they are about, each in one place")
    func verbs() async throws {
        let centre = try Centre(settings)
        let id = try await centre.submit(het())
        let state = await centre.snapshot().state
        let entries = [id, id + 1].compactMap { state.jobs[$0] }
        for verb in JobRequestKind.allCases {
            let whole = state.meant(by: verb, entries)
            #expect(whole.subjects.map { $0.map(\.id) } == [[id, id + 1]], "\(verb)")
            #expect(whole.parts.isEmpty)
            let reversed = state.meant(by: verb, entries.reversed())
            #expect(reversed.subjects.map { $0.map(\.id) } == [[id, id + 1]], "\(verb)")
            let part = state.meant(by: verb, [entries[1]])
            let isWhole = verb.reach == .whole
            #expect(part.parts.map(\.id) == (isWhole ? [id + 1] : []), "\(verb)")
            #expect(part.subjects.map { $0.map(\.id) } == (isWhole ? [] : [[id + 1]]), "\(verb)")
        }
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
