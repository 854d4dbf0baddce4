import Foundation
import Quantities
import SlurmDialect
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Allocations without a script, and steps")
struct StepTests {
    private func allocate(_ centre: Centre, partition: String = "batch") async throws -> UInt32 {
        try await centre.submit(
            SmallCentre.request {
                $0.isInteractive = true
                $0.script = ""
                $0.comment = nil
                $0.partitions = [partition]
                $0.tasks = 2
            }
        )
    }

    private func begin(_ centre: Centre, _ job: UInt32) async throws -> String {
        var step = StepRequest()
        step.name = "hostname"
        step.tasks = 2
        step.cores = 2
        return try await centre.step(job, step, .me).id
    }

    @Test("It holds its nodes until it is given back, and its steps are accounted for")
    func life() async throws {
        let folder = try ScratchFolder()
        let first = try Centre(SmallCentre.settings(folder.path))
        let job = try await allocate(first)
        #expect(try await first.info(job).state == "RUNNING")
        let environment = try await first.environment(job, .me)
        #expect(environment.nodes == ["cn0"])
        #expect(environment.variables.contains("SLURM_NTASKS=2"))
        #expect(try await begin(first, job) == "0")
        try await first.advance(seconds: 10)
        var end = StepRequest()
        end.id = "0"
        end.exitCode = 3
        _ = try await first.step(job, end, .me)
        #expect(try await begin(first, job) == "1")
        await first.close()
        let second = try Centre(SmallCentre.settings(folder.path))
        var complete = CompleteRequest()
        complete.exitCode = 3
        _ = try await second.complete(job, complete, .me)
        let record = try #require(try await second.accounting(ids: [job]).records.first)
        #expect(record.state == "FAILED")
        #expect(record.derivedExitCode == 3)
        #expect(record.steps.map(\.id) == ["0", "1"])
        #expect(record.steps.map(\.state) == ["FAILED", "CANCELLED"])
        // The clock of a stepped centre goes on by a microsecond at each input.
        let elapsed = record.steps[0].elapsed
        #expect(elapsed >= SimDuration(seconds: 10) && elapsed < SimDuration(seconds: 11))
        await second.close()
    }

    @Test("One that nobody gives back ends under its limit, with its step; it leaves no file")
    func limit() async throws {
        let folder = try ScratchFolder()
        var settings = SmallCentre.settings(folder.path)
        settings.writesEmulatedOutput = true
        let centre = try Centre(settings)
        let job = try await centre.submit(
            SmallCentre.request {
                $0.isInteractive = true
                $0.script = ""
                $0.comment = nil
                $0.timeLimit = SimDuration(seconds: 60)
                $0.workDirectory = folder.path
            }
        )
        #expect(try await begin(centre, job) == "0")
        try await centre.advance(seconds: 61)
        let record = try await centre.record(job)
        #expect(record.state == "TIMEOUT")
        #expect(record.elapsed == SimDuration(seconds: 60))
        #expect(record.steps.map(\.state) == ["CANCELLED"])
        let late = try await centre.complete(job, CompleteRequest(), .me).outcomes
        #expect(late.map { $0.error?.code } == [SlurmError.alreadyDone.rawValue])
        await centre.close()
        let path = folder.path + "/slurm-\(job).out"
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("On a real node nothing is started for it, and a cancel ends it at once")
    func real() async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        let job = try await allocate(centre, partition: "host")
        #expect(try await centre.info(job).state == "RUNNING")
        var cancel = CancelRequest()
        cancel.jobs = [JobSelector(jobID: job)]
        _ = try await centre.cancel(cancel, .me)
        #expect(try await centre.info(job).state == "CANCELLED")
        await centre.close()
    }

    @Test("Others', ended and batch jobs are left alone")
    func refusals() async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        let job = try await allocate(centre)
        let other = Caller(userID: Caller.me.userID + 1, groupID: 0)
        await #expect(throws: RequestFailure.refused(.invalidUserID)) {
            try await centre.step(job, StepRequest(), other)
        }
        let batch = try await centre.submit(SmallCentre.request())
        await #expect(throws: RequestFailure.refused(.disabled)) {
            try await centre.complete(batch, CompleteRequest(), .me)
        }
        _ = try await centre.complete(job, CompleteRequest(), .me)
        await #expect(throws: RequestFailure.self) { try await begin(centre, job) }
        var step = StepRequest()
        step.tasks = 0
        await #expect(throws: RequestFailure.self) { try await centre.step(batch, step, .me) }
        await centre.close()
    }
}
