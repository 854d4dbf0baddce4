import Foundation
import Quantities
import TestSupport
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Outcomes of emulated jobs")
struct EmulatedOutcomeTests {
    private struct Outcome: CustomTestStringConvertible, Sendable {
        var comment: String
        var state: String
        var exit: (Int32, Int32)
        var batch: String
        var reason: String

        var testDescription: String { comment }

        static let all = [
            Self(
                comment: "runtime=600,exit=3",
                state: "FAILED",
                exit: (3, 0),
                batch: "FAILED",
                reason: "NonZeroExitCode"
            ),
            Self(
                comment: "runtime=600,exit=130",
                state: "FAILED",
                exit: (2, 0),
                batch: "FAILED",
                reason: "NonZeroExitCode"
            ),
            Self(
                comment: "runtime=600,Signal=9",
                state: "FAILED",
                exit: (0, 9),
                batch: "CANCELLED",
                reason: "JobLaunchFailure"
            ),
            Self(
                comment: "runtime=600 OOM",
                state: "OUT_OF_MEMORY",
                exit: (0, 125),
                batch: "OUT_OF_MEMORY",
                reason: "OutOfMemory"
            ),
            Self(
                comment: "runtime=600 exit=0, please exit",
                state: "COMPLETED",
                exit: (0, 0),
                batch: "COMPLETED",
                reason: "None"
            ),
        ]
    }

    @Test("A job ends after its time as its comment says", arguments: Outcome.all)
    private func endsAsSaid(expected: Outcome) async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        let id = try await centre.submit(SmallCentre.request { $0.comment = expected.comment })
        try await centre.advance(seconds: 4_000)
        let record = try await centre.record(id)
        let info = try await centre.info(id)
        await centre.close()
        #expect(record.state == expected.state)
        #expect((record.exitCode, record.exitSignal) == expected.exit)
        #expect((info.exitCode, info.exitSignal) == expected.exit)
        #expect(info.reason == expected.reason)
        #expect(record.elapsed == SimDuration(seconds: 600))
        #expect(record.steps.map(\.state) == [expected.batch])
    }

    @Test("What does not end before its limit is a timeout, whatever was to become of it")
    func limitComesFirst() async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        let id = try await centre.submit(
            SmallCentre.request {
                $0.comment = "exit=3 step=100:5 step=3600:7"
                $0.timeLimit = SimDuration(seconds: 600)
            }
        )
        try await centre.advance(seconds: 4_000)
        let record = try await centre.record(id)
        await centre.close()
        #expect(record.state == "TIMEOUT")
        #expect(record.elapsed == SimDuration(seconds: 600))
        #expect(record.steps.map(\.id) == ["batch", "0", "1"])
        #expect(record.steps.map(\.state) == ["CANCELLED", "FAILED", "CANCELLED"])
        #expect(record.steps.map(\.exitCode) == [0, 5, 0])
        #expect(record.steps.map(\.exitSignal) == [15, 0, 15])
        #expect(record.steps[2].elapsed == SimDuration(seconds: 500))
        #expect(record.derivedExitCode == 5)
    }

    @Test("Steps take their time when nothing else is said, and the job may do better than they")
    func stepsSumUp() async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        let id = try await centre.submit(SmallCentre.request { $0.comment = "step=60:5;step=30" })
        try await centre.advance(seconds: 4_000)
        let record = try await centre.record(id)
        await centre.close()
        #expect((record.state, record.exitCode, record.derivedExitCode) == ("COMPLETED", 0, 5))
        #expect(record.elapsed == SimDuration(seconds: 90))
        #expect(record.steps.map(\.name) == ["batch", "job", "job"])
        #expect(record.steps.last?.start == record.start.map { $0 + SimDuration(seconds: 60) })
    }

    @Test("What waits for a failure starts, and what waits for success never does")
    func dependants() async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        let failing = try await centre.submit(
            SmallCentre.request { $0.comment = "runtime=60,signal=11" }
        )
        func after(_ kind: String) async throws -> UInt32 {
            try await centre.submit(
                SmallCentre.request {
                    $0.comment = "runtime=60"
                    $0.dependencies = [DependencyRequest(kind: kind, jobID: failing)]
                }
            )
        }
        let (mended, next) = (try await after("afternotok"), try await after("afterok"))
        try await centre.advance(seconds: 600)
        #expect(try await centre.info(mended).state == "COMPLETED")
        #expect(try await centre.info(next).reason == "DependencyNeverSatisfied")
        await centre.close()
    }

    @Test(
        "An outcome that there is none of is refused with what is wrong with it",
        arguments: [
            ("exit=256", "--comment=exit=256: an exit status from 0 to 255 is needed"),
            ("exit=-1", "--comment=exit=-1: an exit status from 0 to 255 is needed"),
            ("Signal=KILL", "--comment=signal=KILL: the number of a signal from 1 to 64 is needed"),
            ("oom=1", "--comment=oom=1: 'oom' has no value"),
            (
                "step=5:x",
                "--comment=step=5:x: SECONDS, or SECONDS:EXIT with an exit status from 0 to 255, is needed"
            ),
            ("exit=1 oom", "--comment=exit=1,oom: a job ends in one way only"),
        ]
    )
    func badOutcome(comment: String, problem: String) async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        let failure = await #expect(throws: RequestFailure.self) {
            try await centre.submit(SmallCentre.request { $0.comment = comment })
        }
        await centre.close()
        #expect(failure?.body.details == [problem])
    }

    @Test("The output file of an emulated job says that nothing was run")
    func outputFile() async throws {
        let folder = try ScratchFolder()
        var settings = SmallCentre.settings(folder.path)
        settings.writesEmulatedOutput = true
        let centre = try Centre(settings)
        let id = try await centre.submit(
            SmallCentre.request {
                $0.comment = "runtime=600,exit=3"
                $0.minimumNodes = 2
                $0.workDirectory = folder.path
                $0.standardOutput = "%x-%j.out"
                $0.fileModeMask = 0o077
            }
        )
        try await centre.advance(seconds: 4_000)
        #expect(eventually(within: 30) { !folder.text("job-\(id).out").isEmpty })
        await centre.close()
        let facts = try FileManager.default.attributesOfItem(atPath: folder.path + "/job-\(id).out")
        #expect(facts[.posixPermissions] as? Int == 0o600)
        #expect(
            folder.text("job-\(id).out")
                == "xinghe: job \(id) was emulated: 600 s on cn[0-1], FAILED 3:0; its script was not run\n"
        )
    }
}
