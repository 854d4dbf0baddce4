import Foundation
import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Real work in a centre", .serialized)
struct RealWorkTests {
    private func run(
        _ script: String,
        _ change: (inout SubmitRequest) -> Void = { _ in }
    ) async throws -> (record: AccountingRecord, output: String) {
        let folder = try ScratchFolder()
        let centre = try Centre(SmallCentre.settings(folder.path, time: .real))
        let id = try await centre.submit(
            SmallCentre.request("#!/bin/sh\n" + script) { request in
                request.partitions = ["host"]
                request.standardOutput = folder.path + "/%x-%j.out"
                request.workDirectory = folder.path
                change(&request)
            }
        )
        let record = try await centre.ended(id)
        await centre.close()
        return (record, folder.text("job-\(id).out"))
    }

    @Test("Exit codes, output and environment of a real job reach the accounts and its files")
    func realJob() async throws {
        let (record, output) = try await run(
            "echo $SLURM_JOB_ID $SLURM_NTASKS $SLURMD_NODENAME\nexit 3\n"
        ) {
            $0.tasks = 1
        }
        #expect(record.state == "FAILED")
        #expect((record.exitCode, record.exitSignal) == (3, 0))
        #expect(output == "1 1 host0\n")
        #expect(record.backend == "local")
        #expect(record.steps.first?.processorTime != nil)
    }

    @Test("A real job is bound to as many cores as it holds")
    func binding() async throws {
        let (_, output) = try await run("nproc\n")
        #expect(output == "1\n")
    }

    @Test("What a kernel measured and verified reaches the accounts; what it did not verify, not")
    func measured() async throws {
        let (record, _) = try await run(
            """
            echo '{"kernel":"cg","seconds":1.5,"flop":123456789,"ranks":2,"verified":true}' >> $XINGHE_MEASURE
            echo '{"kernel":"stream","seconds":0.5,"flop":1000,"byte":8,"energy_joule":2.5,"verified":false}' >> $XINGHE_MEASURE
            echo 'no json' >> $XINGHE_MEASURE
            echo '{"kernel":"torn"' >> $XINGHE_MEASURE
            """
        )
        #expect(record.verifiedFlop == 123_456_789)
        let measured = try #require(record.measured)
        #expect(measured.seconds == SimDuration(seconds: 2))
        #expect(measured.flop == 123_457_789)
        #expect(measured.byte == 8)
        #expect(measured.energyMillijoules == 2_500)
        #expect(measured.isEnergyEstimated)
        #expect((measured.runs, measured.verifiedRuns) == (2, 1))
        #expect(record.steps.map(\.name) == ["batch", "cg", "stream"])
        #expect(record.steps[1].elapsed == SimDuration(microseconds: 1_500_000))
        #expect(record.steps[2].state == "FAILED")
    }

    @Test("A real job that overruns its limit is told so, and ends as TIMEOUT")
    func timeLimit() async throws {
        let (record, output) = try await run("echo on\nsleep 30\n") {
            $0.timeLimit = SimDuration(seconds: 1)
        }
        #expect(record.state == "TIMEOUT")
        #expect((record.exitCode, record.exitSignal) == (0, 0))
        #expect(record.steps.first?.exitSignal == SIGTERM)
        #expect(output.hasPrefix("on\n"))
        #expect(output.contains("error: *** JOB 1 ON host0 CANCELLED AT 2026"))
        #expect(output.contains("DUE TO TIME LIMIT ***"))
        #expect((0.8...8.0).contains(Double(record.elapsed.microseconds) / 1e6))
    }

    @Test("A signal that was asked for comes before the limit, to the shell alone with B:")
    func signalBeforeLimit() async throws {
        let script = """
            trap 'echo shell' USR1
            sh -c 'trap "echo child" USR1; sleep 20' &
            echo on
            wait
            sleep 0.3
            exit 4
            """
        for isForShellOnly in [true, false] {
            let (record, output) = try await run(script + "\n") {
                $0.timeLimit = SimDuration(seconds: 20)
                var signal = SignalRequest()
                signal.number = SIGUSR1
                signal.lead = SimDuration(microseconds: 19_000_000)
                signal.isForShellOnly = isForShellOnly
                $0.signal = signal
            }
            #expect(record.exitCode == 4)
            #expect(output.contains("on\n"))
            #expect(output.contains("shell\n"))
            #expect(output.contains("child\n") == !isForShellOnly, "\(output)")
        }
    }

    @Test("A job that cannot be launched is FAILED with 0:53")
    func launchFailure() async throws {
        let (record, _) = try await run("true\n") { $0.workDirectory = "/no/such/folder" }
        #expect(record.state == "FAILED")
        #expect((record.exitCode, record.exitSignal) == (0, 53))
        #expect(record.reason == "JobLaunchFailure")
    }

    @Test("Real jobs wait for cores, are cancelled, requeued and held like any other")
    func life() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(SmallCentre.settings(folder.path, time: .real))
        func submit(_ script: String) async throws -> UInt32 {
            try await centre.submit(
                SmallCentre.request("#!/bin/sh\n" + script) {
                    $0.partitions = ["host"]
                    $0.tasks = SmallCentre.hostCores
                    $0.workDirectory = folder.path
                }
            )
        }
        let first = try await submit("echo $SLURM_RESTART_COUNT >> runs\nsleep 60\n")
        let second = try await submit("exit 0\n")
        #expect(eventually { folder.text("runs") == "\n" })
        #expect(try await centre.info(second).reason == "Resources")
        _ = try await centre.perform(.requeue, on: first, JobActionRequest(), .me)
        #expect(eventually { folder.text("runs") == "\n1\n" })
        var cancel = CancelRequest()
        cancel.jobs = [JobSelector(jobID: first)]
        _ = try await centre.cancel(cancel, .me)
        #expect(try await centre.ended(first).state == "CANCELLED")
        #expect(try await centre.ended(second).state == "COMPLETED")
        let runs = try await centre.accounting(ids: [first]).records
        #expect(runs.map(\.state) == ["REQUEUED", "CANCELLED"])
        await centre.close()
    }

    @Test("While real work runs an accelerated clock goes at the speed of the wall")
    func acceleratedClock() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(SmallCentre.settings(folder.path, time: .scaled(100_000)))
        let id = try await centre.submit(
            SmallCentre.request("#!/bin/sh\nsleep 0.3\n") { $0.partitions = ["host"] }
        )
        let record = try await centre.ended(id)
        #expect(record.state == "COMPLETED")
        #expect((0.3...5.0).contains(Double(record.elapsed.microseconds) / 1e6))
        let before = await centre.status().now
        try await Task.sleep(for: .milliseconds(20))
        #expect((await centre.status().now - before).seconds >= 2_000)
        await centre.close()
    }
}
