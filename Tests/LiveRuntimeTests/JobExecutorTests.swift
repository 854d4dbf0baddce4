import Foundation
import JobExecution
import Synchronization
import TestSupport
import Testing

/// An executor whose reports are collected.
private final class Bench: Sendable {
    let folder: ScratchFolder
    let executor: JobExecutor
    private let outcomes = Mutex<[JobExecutor.Run: StepOutcome]>([:])

    init(folder: ScratchFolder? = nil) throws {
        self.folder = try folder ?? ScratchFolder()
        executor = try JobExecutor(
            stepProgram: buildFolder + "/xinghe-step",
            root: self.folder.path + "/jobs"
        )
        Thread.detachNewThread { [executor, weak self] in
            executor.reportEnds { run, outcome in
                self?.outcomes.withLock { $0[run] = outcome }
            }
        }
    }

    deinit {
        executor.stop()
    }

    func specification(_ id: UInt32, _ program: String? = nil) -> StepSpecification {
        let folder = executor.folder(of: run(id))
        var specification = StepSpecification(
            jobID: id,
            nodeName: "host0",
            program: program ?? folder.script,
            directory: self.folder.path,
            output: self.folder.path + "/out-\(id)"
        )
        specification.environment = ["PATH=/usr/bin:/bin", "GREETING=good\nday"]
        specification.killWaitMilliseconds = 300
        return specification
    }

    func run(_ id: UInt32, restart: Int = 0) -> JobExecutor.Run {
        JobExecutor.Run(jobID: id, restart: restart)
    }

    func finish(_ id: UInt32) throws -> StepOutcome {
        let isDone = eventually { outcomes.withLock { $0[run(id)] != nil } }
        try #require(isDone, "job \(id) did not end")
        return try #require(outcomes.withLock { $0[run(id)] })
    }

    func perform(
        _ id: UInt32,
        _ script: String,
        _ change: (inout StepSpecification) -> Void = { _ in }
    ) throws -> StepOutcome {
        var specification = specification(id)
        change(&specification)
        try executor.start(run(id), specification, script: Array(script.utf8))
        return try finish(id)
    }

    /// Starts a script that says `ready` when it is, asks it to end, and gives the outcome and how
    /// long that took in seconds.
    func end(
        _ id: UInt32,
        _ script: String,
        notice: String,
        _ change: (inout StepSpecification) -> Void = { _ in }
    ) throws -> (outcome: StepOutcome, seconds: Double) {
        var specification = specification(id)
        change(&specification)
        let text = "#!/bin/sh\n\(script)\n"
        try executor.start(run(id), specification, script: Array(text.utf8))
        try #require(eventually { folder.text("out-\(id)").contains("ready") })
        let asked = ContinuousClock.now
        executor.end(run(id), notice: notice)
        let outcome = try finish(id)
        return (outcome, (ContinuousClock.now - asked) / .seconds(1))
    }
}

@Suite("Real jobs")
struct JobExecutorTests {
    @Test(
        "Exit status and signal come back as the shell left them",
        arguments: [
            ("exit 0", 0, 0), ("exit 3", 3, 0), ("kill -9 $$", 0, 9), ("kill -SEGV $$", 0, 11),
            ("nosuchcommand", 127, 0),
        ] as [(String, Int32, Int32)]
    )
    func exitCodes(body: String, code: Int32, signal: Int32) throws {
        let outcome = try Bench().perform(7, "#!/bin/sh\n\(body)\n")
        #expect(outcome.exitCode == code)
        #expect(outcome.signal == signal)
        #expect(outcome.launchProblem == nil)
    }

    @Test("Output, environment, arguments, folder and umask reach the script")
    func surroundings() throws {
        let bench = try Bench()
        let script =
            "#!/bin/sh\necho \"$GREETING|$1|$(pwd)|$(umask)\"\necho oops >&2\n[ \"$SLURM_TASK_PID\" = $$ ]\n"
        let outcome = try bench.perform(8, script) {
            $0.arguments = ["a b"]
            $0.error = bench.folder.path + "/err-8"
            $0.mask = 0o027
        }
        #expect(outcome.exitCode == 0)
        #expect(bench.folder.text("out-8") == "good\nday|a b|\(bench.folder.path)|0027\n")
        #expect(bench.folder.text("err-8") == "oops\n")
    }

    @Test("Output is truncated, or appended to when that is asked for")
    func openMode() throws {
        let bench = try Bench()
        try Data("old\n".utf8).write(to: URL(fileURLWithPath: bench.folder.path + "/out-1"))
        _ = try bench.perform(1, "#!/bin/sh\necho new\n") { $0.appendsOutput = true }
        #expect(bench.folder.text("out-1") == "old\nnew\n")
        _ = try bench.perform(2, "#!/bin/sh\necho one\n")
        bench.executor.forget(bench.run(2))
        #expect(
            !FileManager.default.fileExists(atPath: bench.executor.folder(of: bench.run(2)).path)
        )
    }

    @Test("What cannot be launched ends as slurmstepd says")
    func launchFailures() throws {
        let bench = try Bench()
        let noFolder = try bench.perform(3, "#!/bin/sh\n") { $0.directory = "/no/such/folder" }
        #expect((noFolder.exitCode, noFolder.signal) == (0, 53))
        #expect(noFolder.launchProblem?.contains("/no/such/folder") == true)
        let noOutput = try bench.perform(4, "#!/bin/sh\n") { $0.output = "/no/such/folder/out" }
        #expect((noOutput.exitCode, noOutput.signal) == (0, 53))
        let noShell = try bench.perform(5, "#!/no/such/interp\n")
        #expect((noShell.exitCode, noShell.signal) == (2, 0))
        let message = "slurmstepd-host0: error: execve(): bad interpreter(/no/such/interp):"
        #expect(bench.folder.text("out-5") == message + " No such file or directory\n")
    }

    @Test("A job is the leader of its own session and is bound to its processing units")
    func sessionAndAffinity() throws {
        let bench = try Bench()
        let unit = Int32(sysconf(Int32(_SC_NPROCESSORS_ONLN))) - 1
        let script = "#!/bin/sh\ngrep Cpus_allowed_list /proc/self/status\n"
        _ = try bench.perform(6, script) { $0.processingUnits = [unit] }
        #expect(bench.folder.text("out-6") == "Cpus_allowed_list:\t\(unit)\n")
        _ = try bench.perform(9, "#!/bin/bash\n[ $(ps -o sid= -p $$) = $$ ] && echo leader\n")
        #expect(bench.folder.text("out-9") == "leader\n")
    }

    @Test("A script reaches the shell byte for byte, whatever its encoding")
    func scriptBytes() throws {
        let bench = try Bench()
        // 中 in GBK.
        let script = Array("#!/bin/sh\nprintf '".utf8) + [0xD6, 0xD0] + Array("'\n".utf8)
        try bench.executor.start(bench.run(10), bench.specification(10), script: script)
        #expect(try bench.finish(10).exitCode == 0)
        let written = FileManager.default.contents(atPath: bench.folder.path + "/out-10")
        #expect(written == Data([0xD6, 0xD0]))
    }

    @Test(
        "An end that is asked for is announced, is SIGTERM first, and SIGKILL after the kill wait"
    )
    func end() throws {
        let bench = try Bench()
        let began = ContinuousClock.now
        let (outcome, seconds) = try bench.end(
            11,
            "trap 'echo term' TERM\necho ready\nwhile :; do sleep 0.05; done",
            notice: "*** JOB 11 CANCELLED ***\n"
        ) { $0.killWaitMilliseconds = 2_000 }
        #expect(outcome.signal == SIGKILL)
        #expect(seconds >= 2)
        let total = (ContinuousClock.now - began) / .seconds(1)
        let wall = Double(outcome.wallMicroseconds) / 1e6
        #expect(wall > 0 && wall <= total - 2, "the kill wait is held: \(wall) of \(total) s")
        let text = bench.folder.text("out-11")
        #expect(text.contains("*** JOB 11 CANCELLED ***\n"))
        #expect(text.contains("term\n"))
    }

    @Test(
        "Nothing that a job does to its standard error keeps it from being ended",
        arguments: [
            "mkfifo pipe; exec 2<>pipe; head -c 65536 /dev/zero >&2; echo ready; sleep 120",
            "exec 2>&-; echo ready; sleep 120",
            "echo ready; rm out-16; mkfifo out-16; sleep 120",
        ]
    )
    func stubbornError(script: String) throws {
        let bench = try Bench()
        let ready = "echo ready > ready"
        let body = script.replacing("echo ready", with: "echo ready; \(ready)")
        try bench.executor.start(
            bench.run(16),
            bench.specification(16),
            script: Array("#!/bin/sh\n\(body)\n".utf8)
        )
        try #require(eventually { bench.folder.text("ready") == "ready\n" })
        bench.executor.end(bench.run(16), notice: "over\n")
        let outcome = try bench.finish(16)
        #expect(outcome.signal == SIGTERM)
    }

    @Test("A job that hangs before its first step, in a FIFO that nobody reads, can be ended")
    func hangingOutput() throws {
        let bench = try Bench()
        var specification = bench.specification(17)
        specification.output = bench.folder.path + "/fifo"
        #expect(mkfifo(specification.output, 0o600) == 0)
        try bench.executor.start(bench.run(17), specification, script: Array("#!/bin/sh\n".utf8))
        let status = bench.executor.folder(of: bench.run(17)).status
        #expect(eventually { FileManager.default.fileExists(atPath: status) })
        bench.executor.end(bench.run(17), notice: "over\n")
        #expect(try bench.finish(17).signal == SIGKILL)
    }

    @Test(
        "The notice is written with the rights of the job's user, never with the daemon's",
        .enabled(if: getuid() == 0, "only root runs the jobs of others")
    )
    func noticeOfAnotherUser() throws {
        let bench = try Bench()
        chmod(bench.folder.path, 0o777)
        let secret = bench.folder.path + "/root-only"
        try Data("root's\n".utf8).write(to: URL(fileURLWithPath: secret))
        chmod(secret, 0o644)
        let (outcome, _) = try bench.end(
            18,
            "exec 2<\(secret)\necho ready\nsleep 120",
            notice: "over\n"
        ) {
            $0.user = .init(id: 65_534, groupID: 65_534, name: "nobody")
            $0.error = bench.folder.path + "/err-18"
        }
        #expect(outcome.signal == SIGTERM)
        #expect(bench.folder.text("root-only") == "root's\n")
        #expect(bench.folder.text("err-18") == "over\n")
    }

    @Test("Nothing of a job outlives it, also what left its session")
    func stragglers() throws {
        let bench = try Bench()
        let script = "#!/bin/bash\nsetsid sleep 300 &\necho $! > straggler\nsleep 300 &\nexit 0\n"
        let outcome = try bench.perform(12, script)
        #expect(outcome.exitCode == 0)
        let pid = try #require(Int32(bench.folder.text("straggler").dropLast()))
        #expect(ProcessIdentity(running: pid) == nil)
    }

    @Test(
        "Another executor finds a running job again, and the exit code of one that ended meanwhile"
    )
    func adoption() throws {
        let folder = try ScratchFolder()
        let first = try Bench(folder: folder)
        let script = "#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.02; done\nexit 5\n"
        try first.executor.start(
            first.run(13),
            first.specification(13),
            script: Array(script.utf8)
        )
        let second = try Bench(folder: folder)
        let status = second.executor.folder(of: second.run(13)).status
        #expect(eventually { FileManager.default.fileExists(atPath: status) })
        #expect(try second.executor.adopt(second.run(13)) == .running)
        #expect(try second.executor.adopt(second.run(99)) == .neverStarted)
        try Data().write(to: URL(fileURLWithPath: folder.path + "/go"))
        #expect(try second.finish(13).exitCode == 5)
        _ = try first.finish(13)
        let third = try Bench(folder: folder)
        guard case .ended(let outcome) = try third.executor.adopt(third.run(13)) else {
            Issue.record("the ended job was not found")
            return
        }
        #expect(outcome.exitCode == 5)
        #expect(!outcome.isLost)
    }

    @Test("A run that was given up before its supervisor had it is not started by that one later")
    func lateSupervisor() throws {
        let bench = try Bench()
        let run = bench.run(19)
        let folder = bench.executor.folder(of: run)
        // What a daemon leaves that is killed right after it spawned the supervisor.
        mkdir(folder.path, 0o755)
        let path = URL(fileURLWithPath: folder.specification)
        try Data(bench.specification(19, "/bin/true").encoded).write(to: path)
        #expect(try bench.executor.adopt(run) == .neverStarted)
        let late = try Process.run(
            URL(fileURLWithPath: buildFolder + "/xinghe-step"),
            arguments: [folder.path]
        )
        late.waitUntilExit()
        #expect(late.terminationStatus == 75)
        #expect(!FileManager.default.fileExists(atPath: bench.folder.path + "/out-19"))
        #expect(try bench.executor.adopt(run) == .neverStarted)
        #expect(bench.executor.runsWithFolders == [run])
    }

    @Test("A folder that a centre before left is no obstacle, and not taken for the new run's")
    func leftFolder() throws {
        let bench = try Bench()
        #expect(try bench.perform(20, "#!/bin/sh\nexit 6\n").exitCode == 6)
        let again = try Bench(folder: bench.folder)
        #expect(try again.perform(20, "#!/bin/sh\nexit 7\n").exitCode == 7)
    }

    @Test(
        "A job whose supervisor was killed is said to be lost, and all that it left is ended",
        arguments: [true, false]
    )
    func lostSupervisor(isScriptGone: Bool) throws {
        let bench = try Bench()
        // `set -m` gives the background job a process group of its own.
        let script =
            "#!/bin/bash\nset -m\nsleep 300 &\necho $! > straggler\necho $$ > pid\nsleep 300\n"
        try bench.executor.start(bench.run(14), bench.specification(14), script: Array(script.utf8))
        #expect(eventually { bench.folder.text("pid").hasSuffix("\n") })
        let line = bench.folder.text("jobs/14.0/supervisor")
        let supervisor = try #require(Int32(line.prefix { $0 != " " }))
        let pid = try #require(Int32(bench.folder.text("pid").dropLast()))
        let straggler = try #require(Int32(bench.folder.text("straggler").dropLast()))
        kill(supervisor, SIGSTOP)
        if isScriptGone { kill(pid, SIGKILL) }
        kill(supervisor, SIGKILL)
        #expect(try bench.finish(14).isLost)
        for process in [pid, straggler] {
            #expect(eventually { ProcessIdentity(running: process) == nil })
        }
    }

    @Test("Nobody waits for a pipe in place of a file of the folder", .timeLimit(.minutes(1)))
    func pipes() throws {
        let bench = try Bench()
        let step = bench.executor.folder(of: bench.run(16))
        #expect(mkdir(step.path, 0o755) == 0)
        for path in [step.specification, step.supervisor, step.status, step.notice] {
            #expect(mkfifo(path, 0o600) == 0)
        }
        #expect(step.noticedEnd == nil)
        #expect(step.startedSpecification == nil)
        #expect(try bench.executor.adopt(bench.run(16)) == .neverStarted)
        bench.executor.end(bench.run(16), notice: "CANCELLED AT once")
        #expect(step.noticedEnd == "CANCELLED")
    }

    @Test("A specification is read back as it was written")
    func roundTrip() throws {
        var specification = try Bench().specification(15)
        specification.arguments = ["", "a=b", "line\nbreak"]
        specification.user = .init(id: 65_534, groupID: 65_534, name: "nobody")
        specification.processingUnits = [0, 3]
        specification.cardCount = 2
        specification.error = "/tmp/err"
        #expect(StepSpecification(decoding: specification.encoded) == specification)
        #expect(StepSpecification(decoding: []) == nil)
        #expect(StepSpecification(decoding: Array("job=1\0bogus=2\0".utf8)) == nil)
    }
}
