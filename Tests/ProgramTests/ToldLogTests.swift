import Foundation
import Testing

/// `xinghe replay` and `compare` of exports that tell partitions, accounts and dependencies, on a
/// machine that has them.
@Suite("Logs that tell more than sizes, the program")
struct ToldLogTests {
    /// Two partitions of two nodes of 32 cores, one of each with a feature.
    static let machine = """
        machine: twop
        title: Two partitions
        node_types:
          - name: box
            title: node
            topology: {synthetic: "package:1 [numa(memory=32GiB)] core:32 pu:1"}
            processor: {model: CPU}
            cores: 32
            memory: 32 GiB
          - name: fast
            title: node
            topology: {synthetic: "package:1 [numa(memory=32GiB)] core:32 pu:1"}
            processor: {model: CPU}
            cores: 32
            memory: 32 GiB
            features: [fast]
        nodes:
          - {names: "a[0-1]", type: box}
          - {names: "b0", type: box}
          - {names: "b1", type: fast}
        platforms:
          - {name: lab, title: Our lab, key: false}
        partitions:
          - {name: work, nodes: "a[0-1]", sharing: whole-node, platform: lab, prices: {core_hour: 0.05 CNY}}
          - {name: fat, nodes: "b[0-1]", sharing: whole-node, platform: lab, prices: {core_hour: 0.05 CNY}}

        """

    /// One row: number, partition, submission and start after eight o'clock (s), run (s), nodes.
    private static func row(
        _ id: Int,
        _ partition: String,
        submit: Int,
        start: Int?,
        run: Int,
        nodes: Int = 2,
        state: String = "COMPLETED",
        constraints: String = "",
        line: String = "sbatch job.sh"
    ) -> String {
        func time(_ seconds: Int) -> String {
            let (minutes, rest) = seconds.quotientAndRemainder(dividingBy: 60)
            let parts = [8 + minutes / 60, minutes % 60, rest].map { $0 < 10 ? "0\($0)" : "\($0)" }
            return "2026-03-01T" + parts.joined(separator: ":")
        }
        let held = start == nil ? 0 : nodes * 32
        let fields = [
            "\(id)", "\(id)", "u\(id % 3)", "lab", partition, "normal", time(submit),
            start.map(time) ?? "None", time((start ?? submit) + run),
            start == nil ? "00:00:00" : String(time(run).dropFirst(11)).replacingHours(by: -8),
            "02:00:00", "\(nodes)", "\(held)", "\(nodes * 32)", state, constraints, line,
        ]
        return fields.joined(separator: "|") + "\n"
    }

    private static let header =
        "JobID|JobIDRaw|User|Account|Partition|QOS|Submit|Start|End|Elapsed|Timelimit|NNodes|AllocCPUS|"
        + "ReqCPUS|State|Constraints|SubmitLine\n"

    private func files(_ rows: [String]) throws -> (folder: Folder, log: String, machine: String) {
        let folder = try Folder()
        return (
            folder, try folder.write("log.txt", Self.header + rows.joined()),
            try folder.write("twop.yaml", Self.machine)
        )
    }

    /// Waits by job number, in seconds.
    private func waits(_ arguments: [String], in folder: Folder) throws -> [String: Int] {
        let table = folder.path("jobs.csv")
        let run = try xinghe(["replay"] + arguments + ["--jobs-csv", table])
        try #require(run.status == 0, "\(run.errors)")
        let rows = try String(contentsOfFile: table, encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        let column = try #require(rows[0].firstIndex(of: "waiting_time"))
        return Dictionary(
            uniqueKeysWithValues: rows.dropFirst().map { ($0[0], Int($0[column]) ?? -1) }
        )
    }

    @Test("Jobs go to their partitions: one partition's queue does not delay the other's")
    func partitions() throws {
        let (folder, log, machine) = try files([
            Self.row(1, "work", submit: 0, start: 0, run: 600),
            Self.row(2, "fat", submit: 10, start: 10, run: 600),
            Self.row(3, "work", submit: 20, start: 600, run: 60),
        ])
        let arguments = [log, "--machine", machine, "--policy", "easy"]
        #expect(try waits(arguments, in: folder) == ["1": 0, "2": 0, "3": 580])
        let run = try xinghe(["replay"] + arguments + ["--validate", "--json"])
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        let policy = ((object as? [String: Any])?["policies"] as? [[String: Any]])?.first
        let groups = (policy?["validation"] as? [String: Any])?["groups"] as? [[String: Any]]
        #expect(groups?.map { $0["name"] as? String } == ["all", "work", "fat"])
        #expect(groups?.first?["start_difference_mean_absolute_s"] as? Double == 0)
        #expect(groups?.first?["order_kendall_tau"] as? Double == 1)
    }

    @Test("A partition that the machine does not have is refused, or mapped")
    func unknownPartitions() throws {
        let (folder, log, machine) = try files([
            Self.row(1, "work", submit: 0, start: 0, run: 600),
            Self.row(2, "old", submit: 10, start: 10, run: 600),
        ])
        let refused = try xinghe(["replay", log, "--machine", machine])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("--partition-map old=PARTITION"), "\(refused.errors)")
        let arguments = [log, "--machine", machine, "--partition-map", "old=fat"]
        #expect(try waits(arguments, in: folder) == ["1": 0, "2": 0])
    }

    @Test("Who was cancelled while waiting waits again, and goes when it went")
    func cancelled() throws {
        let (folder, log, machine) = try files([
            Self.row(1, "work", submit: 0, start: 0, run: 600, nodes: 1),
            Self.row(2, "work", submit: 10, start: nil, run: 290, state: "CANCELLED by 1000"),
            Self.row(3, "work", submit: 20, start: 300, run: 60, nodes: 1),
        ])
        // Under FCFS the wide job blocks the next one until it is cancelled.
        let arguments = [log, "--machine", machine, "--policy", "fcfs"]
        #expect(try waits(arguments, in: folder) == ["1": 0, "3": 280])
        // Without a machine that has its partition it is left out, and counted.
        let plain = try xinghe(["replay", log, "--processors", "64"])
        #expect(plain.output.contains("left out: 1 row, never started"), "\(plain.errors)")
    }

    @Test("Dependencies of command lines and features of nodes are obeyed")
    func dependenciesAndFeatures() throws {
        let (folder, log, machine) = try files([
            Self.row(1, "fat", submit: 0, start: 0, run: 600, nodes: 1, constraints: "fast"),
            Self.row(2, "fat", submit: 10, start: 600, run: 60, nodes: 1, constraints: "fast"),
            Self.row(
                3,
                "work",
                submit: 20,
                start: 660,
                run: 60,
                nodes: 1,
                line: "sbatch --dependency=afterok:2 job.sh -d afterany:1"
            ),
        ])
        let arguments = [log, "--machine", machine, "--policy", "easy"]
        #expect(try waits(arguments, in: folder) == ["1": 0, "2": 590, "3": 640])
    }

    // MARK: What if

    @Test("More nodes and less load are compared with what is, by user")
    func whatIf() throws {
        let rows = (1...40).map {
            Self.row(
                $0,
                $0 % 4 == 0 ? "fat" : "work",
                submit: $0 * 60,
                start: $0 * 60,
                run: 300,
                nodes: 1
            )
        }
        let (folder, log, machine) = try files(rows)
        let arguments = [
            "compare", log, "--machine", machine, "--policy", "easy", "--set",
            "partitions.work.nodes=+2",
            "--load", "0.5", "--by", "user",
        ]
        let run = try xinghe(arguments)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("easy; partitions.work.nodes=+2"))
        #expect(
            run.output.contains("easy; load=0.5: 3 wait less than under easy, 0 more"),
            "\(run.output)"
        )
        let json = folder.path("result.json")
        let result = try xinghe(arguments + ["--json"])
        try result.output.write(toFile: json, atomically: false, encoding: .utf8)
        #expect(result.output.contains("\"sha256\""))
        let verified = try xinghe(["verify", json])
        #expect(verified.status == 0, "\(verified.errors)\(verified.output)")
        #expect(verified.output.contains("the same, made again from 2 inputs"))
        // Another log is another result.
        try (Self.header + rows.dropLast().joined())
            .write(toFile: log, atomically: false, encoding: .utf8)
        let refused = try xinghe(["verify", json])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("is not the file that"), "\(refused.errors)")
    }

    @Test("What if nodes failed, and if they did not")
    func failuresChanged() throws {
        let (folder, log, machine) = try files([
            Self.row(1, "work", submit: 0, start: 0, run: 36_000, nodes: 1)
        ])
        defer { withExtendedLifetime(folder) {} }
        let often = "shape=1,scale=1h,repair=1h"
        func cells(_ options: [String]) throws -> [[String: Any]] {
            let run = try xinghe(
                ["compare", log, "--machine", machine, "--policy", "easy", "--json"] + options
            )
            #expect(run.status == 0, "\(run.errors)")
            let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
            let logs = (object as? [String: Any])?["traces"] as? [[String: Any]]
            return try #require(logs?.first?["cells"] as? [[String: Any]])
        }
        let failing = try cells([
            "--set", "failures=\(often)", "--set", "failures=\(often); checkpoint=600",
        ])
        func failures(_ cells: [[String: Any]]) -> [Bool] {
            cells.map { ($0["node_failures"] as? Int ?? 0) > 0 }
        }
        #expect(failures(failing) == [false, true, true])
        let lost = failing.compactMap { $0["lost_machine_h"] as? Double }
        #expect(lost.count == 3 && lost[1] > lost[2] && lost[2] > 0, "\(lost)")
        let mended = try cells([
            "--failures", often, "--checkpoint", "600", "--set", "failures=none",
        ])
        #expect(failures(mended) == [true, false])
    }

    @Test("Revenue under tariffs, and what a rule pays of it")
    func money() throws {
        let (folder, log, machine) = try files([
            Self.row(1, "work", submit: 0, start: 0, run: 3_600, nodes: 1),
            Self.row(2, "fat", submit: 10, start: 10, run: 3_600, nodes: 1),
        ])
        let tenants = try folder.write(
            "tenants.csv",
            "user,account,enterprise,class,platform\nu1,lab,某公司,enterprise,tianhe\n"
        )
        let run = try xinghe([
            "compare", log, "--machine", machine, "--policy", "easy,fcfs", "--tenants", tenants,
        ])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("revenue CNY"), "\(run.output)")
        #expect(run.output.contains("1 job of users without a tenant"), "\(run.output)")
    }

    @Test(
        "Changes that cannot be are refused",
        arguments: [
            (["--set", "partitions.work.nodes=-2"], "leaves no node"),
            (
                ["--set", "partitions.wrok.nodes=+2"],
                "has no partition 'wrok' (did you mean 'work'?)"
            ),
            (
                ["--set", "partitions.work.nodes=-9223372036854775808"],
                "'-9223372036854775808' is no number of nodes"
            ),
            (["--set", "partitions.work.colour=red"], "'colour' is not known"),
            (["--set", "partitions.work.nodes=c[0-1]"], "has no node 'c0'"),
            (["--load", "0"], "'0' is no load from 0.01 to 100"),
            (["--set", "failures=shape=9"], "scale= needs a whole number"),
            (["--set", "checkpoint=600"], "no node fails"),
            (["--set", "requeue_failed=maybe"], "'maybe' is neither yes nor no"),
            (["--set", "load=0.9", "--load", "0.9"], "a change is there twice"),
            (["--tariff", "x"], "say who pays for whom"),
        ]
    )
    func refusals(arguments: [String], message: String) throws {
        let (folder, log, machine) = try files([Self.row(1, "work", submit: 0, start: 0, run: 60)])
        defer { withExtendedLifetime(folder) {} }
        let run = try xinghe(
            ["compare", log, "--machine", machine, "--policy", "easy"] + arguments
        )
        #expect(run.status != 0)
        #expect(run.errors.contains(message), "\(run.errors)")
    }

    @Test("Partitions that share their last node can both be made larger")
    func sharedLastNode() throws {
        let (folder, log, machine) = try files([Self.row(1, "work", submit: 0, start: 0, run: 60)])
        defer { withExtendedLifetime(folder) {} }
        let run = try xinghe([
            "compare", log, "--machine", machine, "--policy", "easy", "--set",
            "partitions.fat.nodes=a[0-1];partitions.work.nodes=+1;partitions.fat.nodes=+1",
        ])
        #expect(run.status == 0, "\(run.errors)")
    }

    @Test("A row that names no partition but a comma is refused with its line")
    func comma() throws {
        let (folder, log, machine) = try files([
            Self.row(1, "work", submit: 0, start: 0, run: 60),
            Self.row(2, ",", submit: 0, start: 0, run: 60),
        ])
        defer { withExtendedLifetime(folder) {} }
        let run = try xinghe(["replay", log, "--machine", machine, "--policy", "easy"])
        #expect(run.status == 1)
        #expect(run.errors.contains("line 3: partition ',' is not known"), "\(run.errors)")
    }
}

extension String {
    /// `09:10:00` eight hours earlier is `01:10:00`.
    fileprivate func replacingHours(by hours: Int) -> String {
        let number = (Int(prefix(2)) ?? 0) + hours
        return (number < 10 ? "0\(number)" : "\(number)") + dropFirst(2)
    }
}
