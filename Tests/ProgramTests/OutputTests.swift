import Foundation
import Testing

/// What programs print, and what they say when they cannot.
@Suite("xinghe, its output")
struct OutputTests {
    private static let log = """
        ; MaxProcs: 4
        1 0 -1 100 2 -1 -1 2 200 -1 1 1 1 -1 -1 -1 -1 -1
        2 10 -1 100 4 -1 -1 4 200 -1 1 2 1 -1 -1 -1 -1 -1

        """

    @Test(
        "A full disk is an error, whatever is printed",
        arguments: [
            ["policies"], ["machines"], ["subsidy", "list"], ["compare", "-", "--csv"],
            ["replay", "-", "--json"], ["replay", "-", "--dry-run"], ["topology", "tianhe-1a"],
        ]
    )
    func fullDisk(arguments: [String]) throws {
        let run = try xinghe(arguments, input: Self.log, outputPath: "/dev/full")
        #expect(run.status == 1)
        #expect(run.errors.contains("standard output: cannot be written: No space left on device"))
    }

    @Test(
        "What would run together on standard output is refused",
        arguments: [
            (["--jobs-csv", "-", "--json"], "--jobs-csv and --json"),
            (["--swf-out", "-", "--trace-json", "-"], "--swf-out and --trace-json"),
            (["--report", "-", "--json"], "--report and --json"),
        ]
    )
    func outputsApart(options: [String], named: String) throws {
        let run = try xinghe(["replay", "-"] + options, input: Self.log)
        #expect(run.status == 64)
        #expect(run.output.isEmpty)
        #expect(run.errors.contains("\(named) both go to standard output"), "\(run.errors)")
    }

    @Test("A file on standard output has it for itself; the report goes to standard error")
    func reportBesideFile() throws {
        let run = try xinghe(["replay", "-", "--jobs-csv", "-"], input: Self.log)
        #expect(run.status == 0)
        #expect(run.output.split(separator: "\n").count == 3, "\(run.output)")
        #expect(run.errors.contains("jobs run"))
    }

    @Test("Slurm's commands do not hide a full disk either", arguments: ["queue", "info", "acct"])
    func fullDiskOfSlurmCommands(command: String) throws {
        let run = try xinghe([command, "--help"], program: "yh", outputPath: "/dev/full")
        #expect(run.status == 1)
        #expect(run.errors.contains("error: standard output: No space left on device"))
    }
}
