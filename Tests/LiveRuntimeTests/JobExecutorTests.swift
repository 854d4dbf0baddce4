import Foundation
import JobExecution
import Synchronization
import Testing

/// An executor whose reports are collected.
private final class Bench: @unchecked Sendable {
    // SAFETY: `outcomes` is the only mutable member and is behind a mutex.
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
        try executor.start(run(id), specification, script: script)
        return try finish(id)
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

    @Test("A resource limit holds inside the job")
    func limits() throws {
        let bench = try Bench()
        _ = try bench.perform(10, "#!/bin/sh\nulimit -n\n") {
            $0.limits = [.init(resource: Int32(RLIMIT_NOFILE.rawValue), soft: 77, hard: 99)]
        }
        #expect(bench.folder.text("out-10") == "77\n")
    }

    @Test(
        "An end that is asked for is announced, is SIGTERM first, and SIGKILL after the kill wait"
    )
    func end() throws {
        let bench = try Bench()
        let script = "#!/bin/sh\ntrap 'echo term' TERM\necho ready\nwhile :; do sleep 0.05; done\n"
        let specification = bench.specification(11)
        try bench.executor.start(bench.run(11), specification, script: script)
        #expect(eventually { bench.folder.text("out-11").contains("ready") })
        bench.executor.end(bench.run(11), notice: "*** JOB 11 CANCELLED ***\n")
        let outcome = try bench.finish(11)
        #expect(outcome.signal == SIGKILL)
        #expect(outcome.wallMicroseconds >= 300_000)
        let text = bench.folder.text("out-11")
        #expect(text.contains("*** JOB 11 CANCELLED ***\n"))
        #expect(text.contains("term\n"))
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
        try first.executor.start(first.run(13), first.specification(13), script: script)
        let second = try Bench(folder: folder)
        let status = second.executor.folder(of: second.run(13)).status
        #expect(eventually { FileManager.default.fileExists(atPath: status) })
        #expect(second.executor.adopt(second.run(13)) == .running)
        #expect(second.executor.adopt(second.run(99)) == .neverStarted)
        try Data().write(to: URL(fileURLWithPath: folder.path + "/go"))
        #expect(try second.finish(13).exitCode == 5)
        _ = try first.finish(13)
        let third = try Bench(folder: folder)
        guard case .ended(let outcome) = third.executor.adopt(third.run(13)) else {
            Issue.record("the ended job was not found")
            return
        }
        #expect(outcome.exitCode == 5)
        #expect(!outcome.isLost)
    }

    @Test("A job whose supervisor was killed is said to be lost, and is ended")
    func lostSupervisor() throws {
        let bench = try Bench()
        try bench.executor.start(
            bench.run(14),
            bench.specification(14),
            script: "#!/bin/sh\necho $$ > pid\nsleep 300\n"
        )
        #expect(eventually { bench.folder.text("pid").hasSuffix("\n") })
        let line = bench.folder.text("jobs/14.0/supervisor")
        let supervisor = try #require(Int32(line.prefix { $0 != " " }))
        kill(supervisor, SIGKILL)
        #expect(try bench.finish(14).isLost)
        let pid = try #require(Int32(bench.folder.text("pid").dropLast()))
        #expect(eventually { ProcessIdentity(running: pid) == nil })
    }

    @Test("A specification is read back as it was written")
    func roundTrip() throws {
        var specification = try Bench().specification(15)
        specification.arguments = ["", "a=b", "line\nbreak"]
        specification.user = .init(id: 65_534, groupID: 65_534, name: "nobody")
        specification.processingUnits = [0, 3]
        specification.error = "/tmp/err"
        #expect(StepSpecification(decoding: specification.encoded) == specification)
        #expect(StepSpecification(decoding: []) == nil)
        #expect(StepSpecification(decoding: Array("job=1\0bogus=2\0".utf8)) == nil)
    }
}
