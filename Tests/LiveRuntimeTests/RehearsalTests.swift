import ClusterModel
import Foundation
import JobExecution
import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Rehearsed scripts", .serialized, .enabled(if: Rehearsal.isPossible))
struct RehearsalTests {
    /// A centre whose 16 whole nodes rehearse, and its folder.
    private final class Stage {
        let folder: ScratchFolder
        let centre: Centre

        init(patience: UInt32 = 30_000, freeBytes: UInt64 = 0) throws {
            folder = try ScratchFolder()
            var settings = SmallCentre.settings(
                folder.path + "/state",
                machine: SmallCentre.machine.rehearsed
            )
            settings.rehearsalWaitMilliseconds = patience
            settings.rehearsalFreeBytes = freeBytes
            settings.killWaitMilliseconds = 30_000
            centre = try Centre(settings)
        }

        func submit(
            _ script: String,
            _ change: (inout SubmitRequest) -> Void = { _ in }
        ) async throws -> UInt32 {
            let folder = folder.path
            return try await centre.submit(
                SmallCentre.request("#!/bin/bash\n" + script + "\n") { request in
                    request.workDirectory = folder
                    request.standardOutput = "%x-%j.out"
                    change(&request)
                }
            )
        }

        func output(_ id: UInt32) -> String { folder.text("job-\(id).out") }
    }

    private static func seconds(_ count: Int64) -> SimDuration { SimDuration(seconds: count) }

    @Test(
        "Sleeps of shells, children and Python pass in the centre's time, and the exit code is the script's"
    )
    func sleeps() async throws {
        let stage = try Stage()
        let id = try await stage.submit(
            """
            sleep 600
            python3 -c 'import time; time.sleep(1200)'
            (sleep 50; echo in the background) &
            wait
            exit 3
            """
        )
        try await stage.centre.advance(seconds: 1_800)
        #expect(try await stage.centre.info(id).state == "RUNNING")
        try await stage.centre.advance(seconds: 100)
        let record = try await stage.centre.record(id)
        await stage.centre.close()
        #expect((record.state, record.exitCode) == ("FAILED", 3))
        #expect(record.elapsed.seconds == 1_850)
        #expect(record.backend == "rehearsed")
        #expect(stage.output(id) == "in the background\n")
    }

    @Test("Programs see the centre's time")
    func clocks() async throws {
        let stage = try Stage()
        let id = try await stage.submit(
            """
            export TZ=Asia/Shanghai
            date +%FT%T; sleep 7200; date +%FT%T; echo $SECONDS
            python3 -c 'import time; a = time.monotonic(); time.sleep(90); print(round(time.monotonic() - a))'
            """
        ) { $0.timeLimit = Self.seconds(10_000) }
        try await stage.centre.advance(seconds: 10_000)
        await stage.centre.close()
        #expect(stage.output(id) == "2026-11-21T00:00:00\n2026-11-21T02:00:00\n7200\n90\n")
    }

    @Test("Timers and waits with a timeout pass in the centre's time too")
    func timeouts() async throws {
        let stage = try Stage()
        let id = try await stage.submit(
            """
            timeout 60 sleep 600; echo $?
            read -t 30 < <(sleep 100); echo $?
            python3 - <<'EOF'
            import select, threading, time
            begin = time.time()
            select.select([], [], [], 20)
            threading.Event().wait(40)
            event = threading.Event()
            threading.Timer(10, event.set).start()
            print(event.wait(1000), round(time.time() - begin))
            EOF
            """
        )
        try await stage.centre.advance(seconds: 3_700)
        let record = try await stage.centre.record(id)
        await stage.centre.close()
        #expect(stage.output(id) == "124\n142\nTrue 70\n")
        #expect(record.state == "COMPLETED")
    }

    @Test("Short waits, and timers that come again, pass in the centre's time too")
    func timers() async throws {
        let stage = try Stage()
        let id = try await stage.submit(
            """
            python3 - <<'EOF'
            import asyncio, select, signal, time
            begin = time.time()
            def tell(): print(round(time.time() - begin))
            poll = select.poll()
            for _ in range(20): poll.poll(500)
            tell()
            signal.signal(signal.SIGALRM, lambda *_: None)
            signal.setitimer(signal.ITIMER_REAL, 10, 20)
            signal.pause(); signal.pause()
            print(signal.setitimer(signal.ITIMER_REAL, 0)); tell()
            asyncio.run(asyncio.sleep(0.25)); asyncio.run(asyncio.sleep(59.75)); tell()
            print(signal.sigtimedwait({signal.SIGUSR1}, 33)); tell()
            EOF
            exec 9> lock; flock 9; flock -w 7 lock true 9>&-; echo $? $SECONDS
            """
        )
        try await stage.centre.advance(seconds: 3_700)
        let record = try await stage.centre.record(id)
        await stage.centre.close()
        #expect(stage.output(id) == "10\n(20.0, 20.0)\n40\n100\nNone\n133\n1 140\n")
        #expect(record.state == "COMPLETED")
    }

    @Test("Of what is due at one instant the process that was started first goes on first")
    func oneInstant() async throws {
        let stage = try Stage()
        let busy = (0..<3).map { _ in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "while :; do :; done"]
            return process
        }
        for process in busy { try process.run() }
        defer {
            for process in busy {
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
            }
        }
        let script = """
            for i in $(seq 12); do (sleep 10; date > /dev/null; date > /dev/null; echo $i) & done; wait
            timeout 60 sleep 60; echo kept $?
            """
        let ids = [try await stage.submit(script), try await stage.submit(script)]
        try await stage.centre.advance(seconds: 3_700)
        await stage.centre.close()
        let expected = (1...12).map { "\($0)\n" }.joined() + "kept 0\n"
        for id in ids { #expect(stage.output(id) == expected) }
    }

    @Test("The signal before the limit reaches the trap, and the limit ends what goes on")
    func signalAndLimit() async throws {
        let stage = try Stage()
        let trapping = try await stage.submit(
            "trap 'echo saving; sleep 20; exit 7' USR1\nsleep 100000 & wait"
        ) {
            $0.timeLimit = Self.seconds(600)
            var signal = SignalRequest()
            signal.number = SIGUSR1
            signal.lead = Self.seconds(60)
            signal.isForShellOnly = true
            $0.signal = signal
        }
        let deaf = try await stage.submit("trap 'echo deaf' TERM\nwhile true; do sleep 1000; done")
        {
            $0.timeLimit = Self.seconds(600)
        }
        let obeying = try await stage.submit("sleep 10000") { $0.timeLimit = Self.seconds(600) }
        try await stage.centre.advance(seconds: 3_000)
        let records = try await stage.centre.accounting(ids: [trapping, deaf, obeying]).records
        await stage.centre.close()
        #expect(records.map(\.state) == ["FAILED", "TIMEOUT", "TIMEOUT"])
        #expect(records[0].steps.first?.exitCode == 7)
        #expect(records.map(\.elapsed.seconds) == [560, 630, 600])
        #expect(stage.output(trapping) == "saving\n")
        #expect(stage.output(obeying).contains("DUE TO TIME LIMIT ***"))
    }

    @Test("A cancelled script is told, and its job ends when it does")
    func cancel() async throws {
        let stage = try Stage()
        let id = try await stage.submit("trap 'sleep 5; echo bye; exit 0' TERM\nsleep 1000 & wait")
        try await stage.centre.advance(seconds: 100)
        var request = CancelRequest()
        request.jobs = [JobSelector(jobID: id)]
        _ = try await stage.centre.cancel(request, .me)
        try await stage.centre.advance(seconds: 100)
        let record = try await stage.centre.record(id)
        await stage.centre.close()
        #expect(record.state == "CANCELLED")
        #expect(record.elapsed.seconds == 105)
        #expect(stage.output(id).hasSuffix("bye\n"))
    }

    @Test("A chain goes on as its scripts end")
    func chain() async throws {
        let stage = try Stage()
        let first = try await stage.submit("sleep 100; exit 1")
        func after(_ kind: String) async throws -> UInt32 {
            try await stage.submit("sleep 10; echo $SLURM_JOB_ID") {
                $0.dependencies = [DependencyRequest(kind: kind, jobID: first)]
            }
        }
        let (fine, broken) = (try await after("afterok"), try await after("afternotok"))
        try await stage.centre.advance(seconds: 1_000)
        #expect(try await stage.centre.info(fine).reason == "DependencyNeverSatisfied")
        #expect(try await stage.centre.record(broken).elapsed.seconds == 10)
        #expect(stage.output(broken) == "\(broken)\n")
        await stage.centre.close()
    }

    @Test("Steps have exit codes of their own, and emulated programs take what the comment says")
    func steps() async throws {
        let stage = try Stage()
        let solver = stage.folder.path + "/solver"
        try FileManager.default.copyItem(atPath: "/bin/true", toPath: solver)
        let id = try await stage.submit(
            """
            yhrun -n 2 bash -c 'echo task $SLURM_PROCID; exit $SLURM_PROCID'
            echo $?
            module load openmpi
            mpirun -np 400 ./solver; echo $?
            srun ./solver; echo $?
            """
        ) { $0.comment = "step=0,step=600:5,step=30" }
        try await stage.centre.advance(seconds: 3_000)
        let record = try await stage.centre.record(id)
        await stage.centre.close()
        #expect(record.state == "COMPLETED")
        #expect(record.elapsed.seconds == 630)
        #expect(record.steps.map(\.name) == ["batch", "bash", "solver", "solver"])
        #expect(record.steps.map(\.exitCode) == [0, 1, 5, 0])
        #expect(record.steps.map(\.elapsed.seconds) == [630, 0, 600, 30])
        #expect(record.steps[2].tasks == 400)
        #expect(record.derivedExitCode == 5)
        let lines = stage.output(id).split(separator: "\n")
        #expect(lines.contains("task 1") && lines.contains("1") && lines.contains("5"))
    }

    @Test("Steps count from 0, and a stand-in runs in one as it runs in the script")
    func stepNumbers() async throws {
        let stage = try Stage()
        let id = try await stage.submit(
            """
            yhrun -n 2 hostname
            yhrun bash -c 'sleep 30; echo step $SLURM_STEP_ID' &
            yhrun bash -c 'sleep 10; echo step $SLURM_STEP_ID'
            wait
            """
        )
        try await stage.centre.advance(seconds: 3_000)
        let record = try await stage.centre.record(id)
        await stage.centre.close()
        #expect(record.elapsed.seconds == 30)
        #expect(record.steps.map(\.name) == ["batch", "hostname", "bash", "bash"])
        let lines = stage.output(id).split(separator: "\n").map(String.init)
        #expect(lines.count == 4)
        #expect(lines.prefix(2).allSatisfy { $0 == "cn0" || $0 == "n0" })
        #expect(lines.suffix(2).sorted() == ["step 1", "step 2"])
    }

    @Test("A script that computes on is told so, and its job goes on as emulated")
    func computesOn() async throws {
        let stage = try Stage(patience: 300)
        let id = try await stage.submit("while :; do :; done") { $0.comment = "runtime=900,exit=2" }
        try await stage.centre.advance(seconds: 3_000)
        let record = try await stage.centre.record(id)
        await stage.centre.close()
        #expect((record.state, record.exitCode) == ("FAILED", 2))
        #expect(record.elapsed.seconds == 900)
        #expect(stage.output(id).contains("goes on as emulated"))
    }

    @Test(
        "What never pauses, or for next to nothing, or becomes too many, is bounded",
        arguments: [
            "while :; do :; done", "while :; do (sleep 0 &); done",
            "python3 -c 'import select\nwhile True: select.select([], [], [], 0)'",
            "python3 -c 'import time\nwhile True: time.sleep(0.000001)'",
            "while :; do sleep 0; done",
            "for i in $(seq 1200); do sleep 5000 & done; wait",
        ]
    )
    func bounded(_ script: String) async throws {
        let stage = try Stage(patience: 1_500)
        let id = try await stage.submit(script) { $0.comment = "runtime=900" }
        let other = try await stage.submit("sleep 50; echo fine")
        try await stage.centre.advance(seconds: 3_000)
        let records = try await stage.centre.accounting(ids: [id, other]).records
        await stage.centre.close()
        #expect(records.map(\.elapsed.seconds) == [900, 50])
        #expect(stage.output(id).contains("goes on as emulated"))
        #expect(stage.output(other) == "fine\n")
    }

    @Test("A script that would fill the disk is ended before it does")
    func fillsTheDisk() async throws {
        let folder = try ScratchFolder()
        var disk = statvfs()
        #expect(statvfs(folder.path, &disk) == 0)
        let free = UInt64(disk.f_bavail) * UInt64(disk.f_frsize)
        let stage = try Stage(freeBytes: free - min(free, 800 << 20))
        let filling = try await stage.submit(
            """
            for i in $(seq 8); do fallocate -l 200M fill$i || head -c 200M /dev/zero > fill$i; done
            sleep 600; echo never
            """
        ) { $0.comment = "runtime=900" }
        let other = try await stage.submit("sleep 60; echo fine")
        try await stage.centre.advance(seconds: 3_000)
        let records = try await stage.centre.accounting(ids: [filling, other]).records
        await stage.centre.close()
        #expect(records.map(\.elapsed.seconds) == [900, 60])
        #expect(stage.output(filling).contains("MiB of disk are left where the script runs"))
        #expect(!stage.output(filling).contains("never"))
        #expect(stage.output(other) == "fine\n")
    }

    @Test("Nothing of a script outlives its job, and one that kills its supervisor has failed")
    func badScripts() async throws {
        let stage = try Stage()
        let forking = try await stage.submit(
            "setsid sh -c 'sleep 5000; touch left-behind' >/dev/null 2>&1 &\nexit 0"
        )
        let killing = try await stage.submit("kill -9 $PPID; sleep 1000")
        let reading = try await stage.submit(
            "read line < /dev/tty || echo no terminal; read x || echo end"
        )
        let filling = try await stage.submit(
            "ulimit -f"
        )
        try await stage.centre.advance(seconds: 6_000)
        let records = try await stage.centre.accounting(ids: [forking, killing, reading, filling])
            .records
        #expect(records.map(\.state) == ["COMPLETED", "FAILED", "COMPLETED", "COMPLETED"])
        #expect(records[1].exitSignal == SIGKILL || records[1].steps.first?.exitSignal == SIGKILL)
        #expect(!FileManager.default.fileExists(atPath: stage.folder.path + "/left-behind"))
        #expect(stage.output(reading).hasSuffix("no terminal\nend\n"))
        #expect(stage.output(filling) == "1048576\n", "KiB")
        await stage.centre.close()
    }

    @Test("The same scripts give the same journal, whatever else the machine does")
    func determinism() async throws {
        func run() async throws -> [AccountingRecord] {
            let stage = try Stage()
            for number in 1...12 {
                _ = try await stage.submit(
                    "for i in 1 2 3; do sleep \(40 - number % 4 * 10); done; echo x >> shared; exit \(number % 3)"
                )
            }
            try await stage.centre.advance(seconds: 5_000)
            let records = try await stage.centre.accounting(ids: Array(1...12)).records
            await stage.centre.close()
            return records
        }
        let (one, other) = (try await run(), try await run())
        #expect(one.map(\.start) == other.map(\.start))
        #expect(one.map(\.end) == other.map(\.end))
        #expect(one.map(\.exitCode) == other.map(\.exitCode))
        #expect(Set(one.map(\.state)) == ["COMPLETED", "FAILED"])
    }
}
