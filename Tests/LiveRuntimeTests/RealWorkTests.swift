import ClusterModel
import Foundation
import JobExecution
import Logging
import Quantities
import Synchronization
import TestSupport
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
            echo '{"kernel":"cg","seconds":0.5,"flop":123456789,"ranks":2,"verified":true}' >> $XINGHE_MEASURE
            echo '{"kernel":"stream","seconds":0.25,"flop":1000,"byte":8,"energy_joule":2.5,"verified":false}' >> $XINGHE_MEASURE
            echo 'no json' >> $XINGHE_MEASURE
            echo '{"kernel":"torn"' >> $XINGHE_MEASURE
            """
        )
        #expect(record.verifiedFlop == 123_456_789)
        let measured = try #require(record.measured)
        #expect(measured.seconds == SimDuration(microseconds: 750_000))
        #expect(measured.flop == 123_457_789)
        #expect(measured.byte == 8)
        #expect(measured.energyMillijoules == 2_500)
        #expect(measured.isEnergyEstimated)
        #expect((measured.runs, measured.verifiedRuns) == (2, 1))
        #expect(record.steps.map(\.name) == ["batch", "cg", "stream"])
        #expect(record.steps[1].elapsed == SimDuration(microseconds: 500_000))
        #expect(record.steps[2].state == "FAILED")
    }

    @Test("A deeply nested line of a job leaves the centre a journal that opens again")
    func nestedMeasurement() async throws {
        let folder = try ScratchFolder()
        let settings = SmallCentre.settings(folder.path, time: .real)
        var centre = try Centre(settings)
        let deep = String(repeating: "[", count: 127) + String(repeating: "]", count: 127)
        let script = """
            #!/bin/sh
            echo '{"kernel":"k","seconds":0,"flop":7,"verified":true,"x":\(deep)}' >> $XINGHE_MEASURE
            echo '{"kernel":"k","seconds":1000000000,"flop":7,"verified":true}' >> $XINGHE_MEASURE

            """
        let id = try await centre.submit(
            SmallCentre.request(script) { $0.partitions = ["host"] }
        )
        let record = try await centre.ended(id)
        #expect(record.verifiedFlop == 7)
        #expect(record.measured?.linesPassedOver == 1)
        await centre.close()
        centre = try Centre(settings)
        #expect(try await centre.record(id) == record)
        await centre.close()
    }

    @Test("A real job that overruns its limit is told so, and ends as TIMEOUT")
    func timeLimit() async throws {
        let (record, output) = try await run("echo on\nsleep 30\n") {
            $0.timeLimit = SimDuration(seconds: 5)
        }
        #expect(record.state == "TIMEOUT")
        #expect((record.exitCode, record.exitSignal) == (0, 0))
        #expect(record.steps.first?.exitSignal == SIGTERM)
        #expect(output.hasPrefix("on\n"))
        #expect(output.contains("error: *** JOB 1 ON host0 CANCELLED AT 20"))
        #expect(output.contains("DUE TO TIME LIMIT ***"))
        #expect((4.8...20.0).contains(Double(record.elapsed.microseconds) / 1e6))
    }

    @Test("A signal that was asked for comes before the limit, to the shell alone with B:")
    func signalBeforeLimit() async throws {
        let script = """
            trap 'echo shell' USR1
            sh -c 'trap "echo child" USR1; sleep 20' &
            echo on
            wait
            sleep 1
            exit 4
            """
        for isForShellOnly in [true, false] {
            let (record, output) = try await run(script + "\n") {
                $0.timeLimit = SimDuration(seconds: 20)
                var signal = SignalRequest()
                signal.number = SIGUSR1
                signal.lead = SimDuration(seconds: 15)
                signal.isForShellOnly = isForShellOnly
                $0.signal = signal
            }
            #expect(record.exitCode == 4)
            #expect(output.contains("on\n"))
            #expect(output.contains("shell\n"))
            #expect(output.contains("child\n") == !isForShellOnly, "\(output)")
        }
    }

    @Test("Why the daemon cannot launch a job is logged")
    func loggedLaunchFailure() async throws {
        let folder = try ScratchFolder()
        let log = RecordingLog()
        var settings = SmallCentre.settings(folder.path, time: .real)
        settings.logger = Logger(label: "test") { _ in log }
        let centre = try Centre(settings)
        // Where the folders of jobs should be is a file.
        let jobs = URL(fileURLWithPath: folder.path + "/jobs")
        try FileManager.default.removeItem(at: jobs)
        try Data().write(to: jobs)
        let id = try await centre.submit(SmallCentre.request { $0.partitions = ["host"] })
        let record = try await centre.ended(id)
        await centre.close()
        #expect(record.reason == "JobLaunchFailure")
        let problem = "mkdir \(jobs.path)/\(id).0: Not a directory"
        #expect(log.lines.withLock { $0 }.contains("job \(id) is not launched: \(problem)"))
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

    /// A script that ignores SIGTERM and notes each of its starts.
    private let stubborn =
        "#!/bin/sh\ntrap '' TERM\necho $SLURM_RESTART_COUNT >> runs\nwhile :; do sleep 0.05; done\n"

    @Test("A job that is cancelled while the run before dies ends, and is not launched again")
    func cancelledWhileWaiting() async throws {
        let folder = try ScratchFolder()
        var settings = SmallCentre.settings(folder.path, time: .real)
        // Room for the cancel to be durable while the first run still dies.
        settings.killWaitMilliseconds = 5_000
        let centre = try Centre(settings)
        let id = try await centre.submit(
            SmallCentre.request(stubborn) {
                $0.partitions = ["host"]
                $0.workDirectory = folder.path
            }
        )
        #expect(eventually { folder.text("runs") == "\n" })
        _ = try await centre.perform(.requeue, on: id, JobActionRequest(), .me)
        var cancel = CancelRequest()
        cancel.jobs = [JobSelector(jobID: id)]
        _ = try await centre.cancel(cancel, .me)
        #expect(try await centre.ended(id).state == "CANCELLED")
        #expect(try await centre.record(id).elapsed == .zero)
        await centre.close()
        #expect(folder.text("runs") == "\n")
    }

    @Test("What a job takes to end after it was told to is neither shown nor charged as held")
    func completingIsNotHeld() async throws {
        let folder = try ScratchFolder()
        var settings = SmallCentre.settings(folder.path, time: .real)
        settings.killWaitMilliseconds = 2_000
        let centre = try Centre(settings)
        let began = ContinuousClock.now
        let id = try await centre.submit(
            SmallCentre.request(stubborn) {
                $0.partitions = ["host"]
                $0.workDirectory = folder.path
            }
        )
        #expect(eventually { folder.text("runs") == "\n" })
        var cancel = CancelRequest()
        cancel.jobs = [JobSelector(jobID: id)]
        _ = try await centre.cancel(cancel, .me)
        let ran = (ContinuousClock.now - began) / .seconds(1)
        let record = try await centre.ended(id)
        #expect((record.state, record.steps.first?.exitSignal) == ("CANCELLED", SIGKILL))
        #expect(Double(record.elapsed.microseconds) / 1e6 < ran + 1, "\(record.elapsed)")
        await centre.close()
    }

    @Test(
        "Closing starts no job on what it frees; it waits, and starts when the centre opens again"
    )
    func closingStartsNothing() async throws {
        let folder = try ScratchFolder()
        let settings = SmallCentre.settings(folder.path, time: .real)
        var centre = try Centre(settings)
        func request(_ script: String) -> SubmitRequest {
            SmallCentre.request("#!/bin/sh\n" + script) {
                $0.partitions = ["host"]
                $0.tasks = SmallCentre.hostCores
                $0.workDirectory = folder.path
                $0.timeLimit = SimDuration(seconds: 60)
            }
        }
        let first = try await centre.submit(request("echo on > first\nsleep 60\n"))
        let second = try await centre.submit(request("exit 0\n"))
        #expect(eventually { folder.text("first") == "on\n" })
        await centre.close()
        let opened = CentreClock.wallTime
        centre = try Centre(settings)
        #expect(try await centre.record(first).state == "CANCELLED")
        let record = try await centre.ended(second)
        #expect(record.state == "COMPLETED")
        #expect(record.restarts == 0)
        #expect(try #require(record.start) >= opened)
        await centre.close()
    }

    @Test(
        "A run that nobody launched waits again when the centre opens, or ends if it was cancelled"
    )
    func neverLaunched() throws {
        let folder = try ScratchFolder()
        let rules = CentreRules(machine: SmallCentre.machine)
        var state = CentreState(rules: rules)
        var input = SubmitInput()
        input.request = SmallCentre.request { $0.partitions = ["host"] }
        input.request.userID = getuid()
        for id in UInt32(1)...2 {
            input.id = id
            let instant = SmallCentre.start + SimDuration(seconds: Int64(id))
            #expect(state.handle([.submit(input)], at: instant) == [.done(id: id)])
        }
        var cancel = JobsInput()
        cancel.ids = [2]
        _ = state.handle([.cancel(cancel)], at: SmallCentre.start + SimDuration(seconds: 3))
        let work = LocalWork(
            rules: rules,
            executor: try JobExecutor(
                stepProgram: buildFolder + "/xinghe-step",
                root: folder.path + "/jobs"
            ),
            killWaitMilliseconds: 500,
            stage: RehearsalStage(SmallCentre.settings(folder.path), SmallCentre.machine),
            logger: Logger(label: "test")
        )
        let waiting = try work.adopt(#require(state.jobs[1]))
        #expect((waiting?.id, waiting?.state, waiting?.measured?.wall) == (1, "NODE_FAIL", .zero))
        let cancelled = try work.adopt(#require(state.jobs[2]))
        #expect(cancelled?.state == "CANCELLED")
        #expect(!work.isBusy)
    }

    @Test("Bytes of a script that are no UTF-8, and the mask of who submits, reach the job")
    func scriptAndMask() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(SmallCentre.settings(folder.path, time: .real))
        let script =
            Array("#!/bin/sh\nprintf '%s' '".utf8) + [0xD6, 0xD0] + Array("'; umask\n".utf8)
        let id = try await centre.submit(
            SmallCentre.request {
                $0.scriptBytes = script
                $0.partitions = ["host"]
                $0.fileModeMask = 0o067
                $0.standardOutput = folder.path + "/out"
            }
        )
        #expect(try await centre.ended(id).state == "COMPLETED")
        let written = FileManager.default.contents(atPath: folder.path + "/out")
        #expect(written == Data([0xD6, 0xD0] + Array("0067\n".utf8)))
        let mode = try FileManager.default.attributesOfItem(atPath: folder.path + "/out")
        #expect(mode[.posixPermissions] as? Int == 0o600)
        #expect(try await centre.script(id, .me) == script)
        await centre.close()
    }

    @Test("A centre that is let go of leaves its real jobs running, and writes nothing of an end")
    func abandoned() async throws {
        let folder = try ScratchFolder()
        let first = try Centre(SmallCentre.settings(folder.path, time: .real))
        let script = "#!/bin/sh\ntouch on\nwhile [ ! -e go ]; do sleep 0.05; done\nexit 5\n"
        let id = try await first.submit(
            SmallCentre.request(script) {
                $0.partitions = ["host"]
                $0.workDirectory = folder.path
            }
        )
        #expect(eventually { FileManager.default.fileExists(atPath: folder.path + "/on") })
        let length = await first.status().journalLength
        await first.abandon()
        let second = try Centre(SmallCentre.settings(folder.path, time: .real))
        #expect(try await second.info(id).state == "RUNNING")
        #expect(await second.status().journalLength == length)
        try Data().write(to: URL(fileURLWithPath: folder.path + "/go"))
        let record = try await second.ended(id)
        #expect((record.state, record.exitCode) == ("FAILED", 5))
        await second.close()
    }

    @Test("Jobs that run at once are told of different cards")
    func cards() async throws {
        let folder = try ScratchFolder()
        var machine = SmallCentre.machine
        machine.nodes[20].capacity.accelerators = 2
        machine.nodeTypes[2].capacity.accelerators = 2
        let centre = try Centre(SmallCentre.settings(folder.path, time: .real, machine: machine))
        var ids: [UInt32] = []
        for job in 0..<2 {
            let script = "#!/bin/sh\necho $CUDA_VISIBLE_DEVICES > card-\(job)\nsleep 60\n"
            ids.append(
                try await centre.submit(
                    SmallCentre.request(script) {
                        $0.partitions = ["host"]
                        $0.workDirectory = folder.path
                        $0.accelerators = 1
                    }
                )
            )
        }
        #expect(eventually { folder.text("card-0") == "0\n" && folder.text("card-1") == "1\n" })
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
        #expect((0.3...20.0).contains(Double(record.elapsed.microseconds) / 1e6))
        let before = await centre.status().now
        try await Task.sleep(for: .milliseconds(20))
        #expect((await centre.status().now - before).seconds >= 2_000)
        await centre.close()
    }
}
