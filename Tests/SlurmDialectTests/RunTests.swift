import Testing

@testable import SlurmDialect

@Suite("srun inside a job")
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
        #expect(try command("a").tasks == 1)
    }

    @Test(
        "What cannot be done is said",
        arguments: [
            ("--bogus true", "yhrun: unrecognized option '--bogus'", 255),
            ("", "yhrun: fatal: No command given to execute.", 1),
            ("-n abc true", "yhrun: error: Invalid numeric value \"abc\" for --ntasks.", 1),
            ("-N abc true", "yhrun: error: \"abc\" is not a valid node count", 255),
        ] as [(String, String, Int32)]
    )
    func refusals(words: String, line: String, exitCode: Int32) {
        let failure = #expect(throws: CommandFailure.self) { try command(words) }
        #expect(failure?.lines.first == line)
        #expect(failure?.exitCode == exitCode)
    }

    @Test("Outside a job there is no step")
    func outside() {
        let failure = #expect(throws: CommandFailure.self) { try command("hostname", [:]) }
        #expect(failure?.exitCode == 1)
        #expect(failure?.lines.first?.contains("no allocation") == true)
    }

    @Test("Tasks that did not end well are named together, and the worst is the status")
    func report() {
        let fine = RunCommand.report("srun", host: "cn1", endings: [(0, 0), (0, 0)])
        #expect(fine.lines.isEmpty && fine.exitCode == 0)
        let mixed = RunCommand.report(
            "srun",
            host: "cn1",
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
