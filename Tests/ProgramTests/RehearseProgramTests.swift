import Foundation
import JobExecution
import TestSupport
import Testing

@Suite("xinghe rehearse", .serialized, .enabled(if: Rehearsal.isPossible))
struct RehearseProgramTests {
    private static let start = ["--start", "2026-11-21T08:00:00"]

    private func script(_ folder: Folder, _ name: String, _ body: String) throws -> String {
        try folder.write(
            name,
            "#!/bin/bash\n#SBATCH -p TH_NET -t 2:00:00\n#SBATCH -o \(folder.path("%j.out"))\n"
                + body + "\n"
        )
    }

    @Test("A chain of scripts is told as a person reads it")
    func chain() throws {
        let folder = try Folder()
        let first = try script(folder, "prepare.sh", "echo mesh ready\nsleep 30m\n#SBATCH -N 4")
        let second = try script(folder, "solve.sh", "sleep 1h; echo no convergence; exit 3")
        let run = try xinghe(
            ["rehearse"] + Self.start + ["--lang", "en", "--chain", "afterok", first, second]
        )
        #expect(run.status == 1, "\(run.errors)")
        let lines = run.output.split(separator: "\n").map(String.init)
        #expect(lines.first == first)
        #expect(
            lines.contains(
                "  warning: line 6: '#SBATCH -N 4' comes after the first command (line 4), and is not read"
            )
        )
        #expect(
            lines.contains(
                "  job 1: 1 node of TH_NET, starts 2026-11-21T08:00:00 (Asia/Shanghai) after 00:00:00"
            )
        )
        #expect(lines.contains("  | mesh ready"))
        #expect(
            lines.contains { $0.hasPrefix("  ends COMPLETED 0:0 after 00:30:00 of 02:00:00, fee ") }
        )
        #expect(
            lines.contains(
                "  job 2: 1 node of TH_NET, starts 2026-11-21T08:30:00 (Asia/Shanghai) after 00:30:00"
            )
        )
        #expect(
            lines.contains { $0.hasPrefix("  ends FAILED 3:0 after 01:00:00 of 02:00:00, fee ") }
        )
        #expect(lines.last?.hasPrefix("total: gross fee ") == true)
    }

    @Test("Two rehearsals of a folder give the same, and jobs that scripts submit are in it")
    func folder() throws {
        let folder = try Folder()
        _ = try script(folder, "a.sh", "sleep 100; exit 0")
        _ = try script(
            folder,
            "b.sh",
            "sleep 50; yhbatch --parsable -o /dev/null --wrap='sleep 10; exit 4' -p TH_NET"
        )
        func rehearse() throws -> Run {
            try xinghe(
                ["rehearse", "--json"] + Self.start + ["--account", "guest", folder.path("")]
            )
        }
        let (one, other) = (try rehearse(), try rehearse())
        #expect(one.output == other.output)
        #expect(one.status == 1)
        let json = try JSONSerialization.jsonObject(with: Data(one.output.utf8)) as? [String: Any]
        let jobs = json?["jobs"] as? [[String: Any]] ?? []
        #expect(jobs.compactMap { $0["state"] as? String } == ["COMPLETED", "COMPLETED", "FAILED"])
        #expect(jobs.last?["exit_code"] as? Int == 4)
    }

    @Test("What makes no sense is refused before anything runs")
    func refusals() throws {
        let folder = try Folder()
        #expect(
            try xinghe(["rehearse", folder.path("no.sh")]).errors.contains(
                "no.sh: there is no such file"
            )
        )
        #expect(
            try xinghe(["rehearse", folder.path("")]).errors.contains("no *.sh is in this folder")
        )
        #expect(try xinghe(["rehearse"]).status == 64)
        let chained = try xinghe(["rehearse", "--chain", "afterOK", "a.sh"])
        #expect(chained.status == 64)
        #expect(chained.errors.contains("did you mean"))
        let other = try script(folder, "a.sh", "true")
        let machine = try xinghe(["rehearse", "--machine", "tianjn", other])
        #expect(machine.status == 1)
        #expect(machine.errors.contains("tianjin"))
    }

    @Test("A report in Chinese")
    func chinese() throws {
        let folder = try Folder()
        let path = try script(folder, "a.sh", "sleep 60")
        let run = try xinghe(["rehearse", "--lang", "zh"] + Self.start + [path])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("结束：COMPLETED 0:0，用时 00:01:00（时限 02:00:00），费用"))
        #expect(run.output.contains("合计：费用"))
    }

    @Test("A step knows the name of its node, and lines that repeat themselves are told once")
    func nodeNames() throws {
        let folder = try Folder()
        _ = try script(
            folder,
            "a.sh",
            "#SBATCH -N 2\nyhrun -n 2 hostname\nfor i in 1 2 3; do echo again; done\necho end"
        )
        let run = try xinghe(["rehearse", "--lang", "en"] + Self.start + [folder.path("") + "/"])
        #expect(run.status == 0, "\(run.errors)\(run.output)")
        let lines = run.output.split(separator: "\n").map(String.init)
        #expect(lines.first?.contains("//") == false, "\(run.output)")
        #expect(Set(lines).isSuperset(of: ["  | cn0000", "  | cn0001"]), "\(run.output)")
        #expect(lines.contains("  | again (3 times)"))
        #expect(lines.contains("  | end"))
    }

    @Test("What is cheaper is rehearsed, so is what fails so, and no file tells of it")
    func alternatives() throws {
        let folder = try Folder()
        let path = try script(
            folder,
            "a.sh",
            "#SBATCH -N 4\necho $SLURM_NNODES >> \(folder.path("runs"))\nyhrun -N 2 sleep 10m"
        )
        let strict = try script(
            folder,
            "b.sh",
            "#SBATCH -N 3\n[ $SLURM_NNODES -eq 3 ] || exit 7\nsleep 20m"
        )
        func rehearse(_ words: [String]) throws -> Run {
            try xinghe(["rehearse", "--lang", "en"] + Self.start + words)
        }
        let run = try rehearse([path, strict])
        #expect(run.status == 0, "\(run.errors)\(run.output)")
        let lines = run.output.split(separator: "\n").map(String.init)
        #expect(
            lines.contains {
                $0.hasPrefix(
                    "  or -N 2: starts 2026-11-21T08:00:00, ends COMPLETED 0:0 after 00:10:00"
                )
            },
            "\(run.output)"
        )
        #expect(
            lines.contains(
                "  not -N 1: starts 2026-11-21T08:00:00, ends FAILED 7:0 after 00:00:00"
            ),
            "\(run.output)"
        )
        let runs = try String(contentsOfFile: folder.path("runs"), encoding: .utf8)
        #expect(runs == "4\n")
        let none = try rehearse(["--alternatives", "0", path])
        #expect(!none.output.contains("  or "))
        #expect(try rehearse(["--alternatives", "-1", path]).status == 64)
    }

    @Test("A step is cancelled or signalled by itself, and is no larger than its job")
    func steps() throws {
        let folder = try Folder()
        let path = try script(
            folder,
            "a.sh",
            """
            #SBATCH -N 2
            yhrun -N 5 true; echo nodes $?
            yhrun -n 1000 true; echo tasks $?
            yhrun -n 1 sleep 1h &
            sleep 60
            yhqueue -s -h -o '%i %j' | sort
            yhcancel $SLURM_JOB_ID.7; echo none $?
            yhcancel $SLURM_JOB_ID.0; wait $!; echo cancelled $? $((SECONDS / 60))
            cat > \(folder.path("trap.sh")) <<'END'
            trap 'echo told; exit 5' USR1
            sleep 2h & wait
            END
            yhrun -n 1 bash \(folder.path("trap.sh")) &
            sleep 60; kill -USR1 $!; wait $!; echo signalled $? $((SECONDS / 60))
            yhrun -n 1 bash \(folder.path("trap.sh")) &
            sleep 60; yhcancel -s USR1 $SLURM_JOB_ID.2; wait $!; echo through $? $((SECONDS / 60))
            printf 'a\\tb\\n'
            """
        )
        let run = try xinghe(
            ["rehearse", "--lang", "en", "--alternatives", "0"] + Self.start + [path]
        )
        let said = run.output.split(separator: "\n").filter { $0.hasPrefix("  | ") }
            .map { String($0.dropFirst(4)) }
        let expected = [
            "nodes 1", "tasks 1", "1.0 sleep", "1.batch batch", "none 210", "cancelled 137 1",
            "told",
            "signalled 5 2", "told", "through 5 3", "a\tb",
        ]
        #expect(said.filter(expected.contains) == expected, "\(run.output)")
        for line in [
            "yhrun: error: Only allocated 2 nodes asked for 5",
            "yhrun: error: Unable to create step for job 1: More processors requested than permitted",
            "yhcancel: error: Kill job error on job step id 1.7: Invalid job id specified",
        ] {
            #expect(said.contains(line), "\(run.output)")
        }
        #expect(
            run.output.contains("  step 0 sleep: 1 task, 00:01:00, CANCELLED 0:9"),
            "\(run.output)"
        )
    }

    @Test("A script that sets PATH anew finds the centre's commands; what is nowhere is told")
    func path() throws {
        let folder = try Folder()
        let path = try script(
            folder,
            "a.sh",
            """
            #SBATCH --array=3,1 -e \(folder.path("%A_%a.err"))
            PATH=/usr/bin:/bin
            yhrun -n 2 sleep 60; echo $? $SECONDS
            timeout 100 env yhrun -n 1 sleep 60; echo $? $SECONDS
            nosuch; echo $?
            """
        )
        let run = try xinghe(
            ["rehearse", "--lang", "en", "--alternatives", "0"] + Self.start + [path]
        )
        let lines = run.output.split(separator: "\n").map(String.init)
        #expect(lines[0] == path, "\(run.errors)\(run.output)")
        #expect(
            lines.filter { $0.hasPrefix("  job ") }.map { $0.prefix { $0 != ":" } }
                == ["  job 1_1", "  job 1_3"]
        )
        for line in [
            "  | 0 60", "  | 0 120", "  | 127", "  ! \(path): line 8: nosuch: command not found",
        ] {
            #expect(lines.filter { $0 == line }.count == 2, "\(run.output)")
        }
        #expect(run.output.contains("  ! xinghe: nosuch is neither on this computer nor"))
    }

    @Test("What whole nodes mean for a job is told before it is paid for, in both languages")
    func wholeNodes() throws {
        let folder = try Folder()
        let few = try script(folder, "few.sh", "#SBATCH -n 3\ntrue")
        let run = try xinghe(
            ["rehearse", "--lang", "en", "--alternatives", "0"] + Self.start + [few]
        )
        let text = "partition TH_NET gives whole nodes (--exclusive): the job asks for 3 cores"
        #expect(run.output.contains("  warning: \(text)"), "\(run.output)")
        let quote = try xinghe(
            ["quote", "--lang", "zh", "--machine", "tianjin"] + Self.start + [few]
        )
        #expect(quote.errors.contains("总是整节点分配（--exclusive）：作业要 3 核"), "\(quote.errors)")
        let alone = try folder.write(
            "alone.sh",
            "#!/bin/bash\n#SBATCH --exclusive -n 1 -t 10\ntrue\n"
        )
        let shared = try xinghe(
            ["quote", "--lang", "en", "--machine", "tianjin-ai"] + Self.start + [alone]
        )
        #expect(shared.errors.contains("shares its nodes: with --exclusive"), "\(shared.errors)")
    }

    @Test("A limit far above what its peers use is told under a load")
    func peers() throws {
        let folder = try Folder()
        let lines = (0..<400).map { number in
            "\(number + 1) \(number * 600) 0 300 12 -1 -1 12 3600 -1 1 1 1 -1 1 -1 -1 -1"
        }
        let log = try folder.write(
            "log.swf",
            "; MaxProcs: 1200\n" + lines.joined(separator: "\n") + "\n"
        )
        let long = try folder.write("a.sh", "#!/bin/bash\n#SBATCH -p TH_NET -N 1 -t 1-0\ntrue\n")
        let short = try folder.write("b.sh", "#!/bin/bash\n#SBATCH -p TH_NET -N 1 -t 30\ntrue\n")
        func quote(_ path: String) throws -> String {
            try xinghe(
                ["quote", "--lang", "en", "--machine", "tianjin", "--load", log] + Self.start + [
                    path
                ]
            ).errors
        }
        #expect(try quote(long).contains("the limit of 1-00:00:00 is far above what its peers use"))
        #expect(try !quote(short).contains("far above"))
    }

    /// The processes below one, however far.
    private static func below(_ process: pid_t) -> [pid_t] {
        let tasks = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
        return (tasks ?? []).flatMap { task in
            let path = "/proc/\(process)/task/\(task)/children"
            let text = String(
                decoding: FileManager.default.contents(atPath: path) ?? Data(),
                as: UTF8.self
            )
            return text.split(separator: " ").compactMap { pid_t($0) }
        }.flatMap { [$0] + below($0) }
    }

    /// The words with which a process was started; empty for one that has ended.
    private static func words(_ process: pid_t) -> String {
        let words = FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
        return String(decoding: words ?? Data(), as: UTF8.self)
    }

    @Test(
        "Interrupted, it leaves neither a daemon nor a script nor a file; what nohup ignores it ignores"
    )
    func interrupted() throws {
        try end(nohup: true, by: SIGINT)
    }

    @Test(
        "However it ends, it leaves neither a daemon nor a script nor a file",
        arguments: [SIGKILL, SIGPIPE]
    )
    func killed(_ number: Int32) throws {
        try end(nohup: false, by: number)
    }

    private func end(nohup: Bool, by number: Int32) throws {
        let folder = try Folder()
        let path = try script(folder, "busy.sh", "while :; do :; done")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // Servers of other tests ignore SIGPIPE in this process, and so would its children.
        process.arguments =
            [
                "--default-signal=PIPE", "/bin/sh",
                "-c", "\(nohup ? "trap '' HUP; " : "")exec \"$0\" \"$@\"",
                try programFolder() + "/xinghe",
            ]
            + ["rehearse", "--wait", "600"] + Self.start + [path]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["TMPDIR": folder.path("tmp")]
        ) { $1 }
        process.standardOutput = FileHandle.nullDevice
        try FileManager.default.createDirectory(
            atPath: folder.path("tmp"),
            withIntermediateDirectories: false
        )
        try process.run()
        // The daemon, the supervisor and the script.
        var started: [pid_t] = []
        let isBusy = eventually {
            started = Self.below(process.processIdentifier)
                .filter { Self.words($0).contains(folder.path("tmp")) }
            return started.count >= 3 || !process.isRunning
        }
        #expect(isBusy && started.count >= 3)
        if nohup { kill(process.processIdentifier, SIGHUP) }
        kill(process.processIdentifier, number)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal)
        #expect(process.terminationStatus == number)
        #expect(eventually { started.allSatisfy { Self.words($0).isEmpty } })
        #expect(
            eventually {
                (try? FileManager.default.contentsOfDirectory(atPath: folder.path("tmp"))) == []
            }
        )
    }
}
