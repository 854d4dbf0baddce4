import Testing
import WireFormats

@testable import SlurmDialect

@Suite("srun")
struct RunTests {
    private func command(
        _ words: String,
        _ environment: [String: String] = ["SLURM_JOB_ID": "5"]
    ) throws(CommandFailure) -> RunCommand {
        try RunCommand(
            program: "yhrun",
            arguments: words.split(separator: " ").map(String.init),
            variable: { environment[$0] }
        )
    }

    @Test(
        "What is no number of tasks in the environment is passed over",
        arguments: ["-1", "0", "x"]
    )
    func strangeTasks(value: String) throws {
        let command = try command("date", ["SLURM_JOB_ID": "5", "SLURM_NTASKS": value])
        #expect(command.tasks == 1)
    }

    @Test("A step is no larger than its job, unless tasks may share cores")
    func size() throws {
        func refusal(_ words: String, cores: [Int], coresPerTask: Int = 1) throws -> [String]? {
            let command = try command(words)
            do throws(CommandFailure) {
                try command.checkSize(
                    program: "yhrun",
                    job: 5,
                    nodes: 2,
                    cores: cores,
                    coresPerTask: coresPerTask
                )
                return nil
            } catch {
                return error.lines
            }
        }
        #expect(
            try refusal("-N 5 a", cores: [4, 4])
                == ["yhrun: error: Only allocated 2 nodes asked for 5"]
        )
        let tooMany = [
            "yhrun: error: Unable to create step for job 5: More processors requested than permitted"
        ]
        #expect(try refusal("-n 9 a", cores: [4, 4]) == tooMany)
        // Each node has room for one task of three cores.
        #expect(try refusal("-n 3 a", cores: [4, 4], coresPerTask: 3) == tooMany)
        #expect(try refusal("-n 8 -N 2 a", cores: [4, 4]) == nil)
        #expect(try refusal("-O -n 9 a", cores: [4, 4]) == nil)
        #expect(try refusal("-n 9 a", cores: []) == nil)
    }

    @Test("Tianhe's ways to call it are read")
    func options() throws {
        let command = try command("-p work -N 3 -n 64 -J lzn --cpu_bind=rank ./cesm.exe -n 1")
        #expect(command.tasks == 64)
        #expect(command.words == ["./cesm.exe", "-n", "1"])
    }

    @Test("Without -n there are as many tasks as the job has, or one on each node")
    func tasks() throws {
        #expect(try command("a", ["SLURM_JOB_ID": "5", "SLURM_NTASKS": "4"]).tasks == 4)
        #expect(try command("a", ["SLURM_JOB_ID": "5", "SLURM_NNODES": "2"]).tasks == 2)
        #expect(try command("-N 3 a").tasks == 3)
        #expect(try command("-N1 a", ["SLURM_JOB_ID": "5", "SLURM_NTASKS": "2"]).tasks == 2)
        #expect(try command("a").tasks == 1)
    }

    @Test("What would bind or end a step elsewhere is warned of, once; an allocation's is not")
    func warnings() throws {
        let command = try command("-p work -J x -N1 -t 1 -c 2 --time=2 a")
        #expect(
            command.warnings == [
                "yhrun: warning: --time has no effect on a step here",
                "yhrun: warning: --cpus-per-task has no effect on a step here",
            ]
        )
    }

    @Test("A file says which task runs which program")
    func multiProgram() throws {
        func read(_ text: String, tasks: Int = 3) throws(CommandFailure) -> [String] {
            try MultiProgram.commands(in: text, path: "m.conf", tasks: tasks, program: "srun")
                .map { $0.joined(separator: " ") }
        }
        #expect(
            try read("# all\n\n0 echo zero %t %o\n1-2 echo 'a  b' %t%o\n") == [
                "echo zero 0 0", "echo a  b 10", "echo a  b 21",
            ]
        )
        #expect(try read("1 b\n* a %t %o\n") == ["a 0 0", "b", "a 2 1"])
        for (text, line) in [
            ("0-1 a\n", "m.conf: task 2 has no program"),
            ("0-2 a\n1 b\n", "m.conf, line 2: task 1 has a program already"),
            ("0-2\n", "m.conf, line 1: no program is named"),
            ("x a\n", "m.conf, line 1: 'x' is no list of tasks"),
            ("0 'a\n", "m.conf, line 1: a quotation mark is not closed"),
        ] {
            let failure = #expect(throws: CommandFailure.self) { try read(text) }
            #expect(failure?.lines == ["srun: error: " + line])
        }
    }

    @Test(
        "What cannot be done is said",
        arguments: [
            ("--bogus true", "yhrun: unrecognized option '--bogus'", 255),
            ("", "yhrun: fatal: No command given to execute.", 1),
            ("-n abc true", "yhrun: error: Invalid numeric value \"abc\" for --ntasks.", 1),
            ("-N abc true", "yhrun: error: \"abc\" is not a valid node count", 255),
            ("--het-group=x true", "yhrun: error: Invalid --het-group value: x", 1),
            (
                "--het-group=1 true",
                "yhrun: error: Attempt to run a job step with het group value of 1, but the job"
                    + " allocation has maximum value of 0", 1
            ),
            (
                "-n1 true : -n2 true",
                "yhrun: error: Attempt to run a job step with het group value of 1, but the job"
                    + " allocation has maximum value of 0", 1
            ),
            ("true :", "yhrun: fatal: No command given to execute.", 1),
            (
                "--multi-prog a : b",
                "yhrun: error: --multi-prog is for one step, and a colon (:) for several programs",
                1
            ),
        ] as [(String, String, Int32)]
    )
    func refusals(words: String, line: String, exitCode: Int32) {
        let failure = #expect(throws: CommandFailure.self) { try command(words) }
        #expect(failure?.lines.first == line)
        #expect(failure?.exitCode == exitCode)
    }

    @Test("A step over components has on each the tasks that it asked for, or those of the step")
    func components() throws {
        let job = [
            "SLURM_JOB_ID": "5", "SLURM_HET_SIZE": "3", "SLURM_JOB_ID_HET_GROUP_0": "5",
            "SLURM_JOB_ID_HET_GROUP_1": "6", "SLURM_JOB_ID_HET_GROUP_2": "7",
            "SLURM_NTASKS_HET_GROUP_0": "2", "SLURM_JOB_NUM_NODES_HET_GROUP_2": "4",
        ]
        let all = try command("--het-group=0-2 a", job)
        #expect(all.components.map(\.job) == [5, 6, 7])
        #expect(all.components.map(\.tasks) == [2, 1, 4] && all.tasks == 7)
        let asked = try command("--het-group=2,0 -n 3 a", job)
        #expect(asked.components.map(\.job) == [5, 7] && asked.tasks == 6)
        #expect(try command("a", job).components.isEmpty)
        #expect(throws: CommandFailure.self) { try command("--het-group=3 a", job) }
        #expect(throws: CommandFailure.self) { try command("--het-group=0-2 -n 65536 a", job) }
        // What another job has is known once it was asked for.
        var named = try command("--jobid=5 --het-group=1 a", [:])
        #expect(named.components.isEmpty)
        try named.takeComponents(program: "yhrun") { job[$0] }
        #expect(named.components.map(\.job) == [6] && named.components.map(\.offset) == [1])
        func layout(_ tasks: Int, _ nodes: [String]) -> RunCommand.Layout {
            RunCommand.Layout(tasks: tasks, nodes: nodes, cores: [8, 8], coresPerTask: 1)
        }
        let joined = RunCommand.Layout(
            joining: [layout(2, ["cn1"]), layout(3, ["cn2", "cn1"])]
        )
        #expect(joined.nodes == ["cn1", "cn2"])
        #expect(joined.nodeOfTask == [0, 0, 1, 1, 0])
    }

    @Test("Several programs run on the components at their places, or on those that each names")
    func severalPrograms() throws {
        let job = [
            "SLURM_JOB_ID": "5", "SLURM_HET_SIZE": "3", "SLURM_JOB_ID_HET_GROUP_0": "5",
            "SLURM_JOB_ID_HET_GROUP_1": "6", "SLURM_JOB_ID_HET_GROUP_2": "7",
            "SLURM_NTASKS_HET_GROUP_0": "2",
        ]
        let placed = try command("-l a x : -n 3 b : c y", job)
        #expect(placed.allWords == [["a", "x"], ["b"], ["c", "y"]])
        #expect(placed.components.map(\.job) == [5, 6, 7])
        #expect(placed.programOfTask == [0, 0, 1, 1, 1, 2])
        let named = try command("--het-group=1,2 a : --het-group=0 b", job)
        #expect(named.components.map(\.offset) == [1, 2, 0])
        #expect(named.programOfTask == [0, 0, 1, 1])
        #expect(throws: CommandFailure.self) { try command("--het-group=1 a : b", job) }
        // Outside a job each gets nodes of its own.
        let outside = try command("-n 2 -p work a : -N 2 b", [:])
        let wanted = try #require(outside.allocation)
        #expect(wanted.request.name == "a" && wanted.request.tasks == 2)
        #expect(wanted.components.map(\.request.minimumNodes) == [2])
    }

    @Test("Fewer tasks than the job has nodes run on as many, which is said as by Slurm")
    func fewerTasks() throws {
        let warning = try command("-n 1 a").nodeWarning(program: "srun", nodes: 2)
        #expect(
            warning == "srun: Warning: can't run 1 processes on 2 nodes, setting nnodes to 1"
        )
        for words in ["a", "-n 2 a", "-n 1 -N 1 a", "-O -n 1 a"] {
            #expect(try command(words).nodeWarning(program: "srun", nodes: 2) == nil, "\(words)")
        }
    }

    @Test("Outside a job it asks for one of its own; a job can be named instead")
    func outside() throws {
        #expect(try command("-n 2 hostname", [:]).allocation?.request.tasks == 2)
        #expect(try command("hostname").allocation == nil)
        #expect(try command("--jobid=7 hostname", [:]).allocation == nil)
        #expect(try command("--jobid=7 hostname", [:]).jobID == 7)
    }

    @Test("Tasks that did not end well are named together, and the worst is the status")
    func report() {
        func layout(_ tasks: Int) -> RunCommand.Layout {
            RunCommand.Layout(tasks: tasks, nodes: ["cn1"], cores: [8], coresPerTask: 1)
        }
        let fine = RunCommand.report("srun", layout(2), endings: [(0, 0), (0, 0)])
        #expect(fine.lines.isEmpty && fine.exitCode == 0)
        let mixed = RunCommand.report(
            "srun",
            layout(5),
            endings: [(1, 0), (0, 9), (1, 0), (0, 0), (0, 9)]
        )
        #expect(
            mixed.lines == [
                "srun: error: cn1: tasks 0,2: Exited with exit code 1",
                "srun: error: cn1: tasks 1,4: Killed",
            ]
        )
        #expect(mixed.exitCode == 137)
    }
}
