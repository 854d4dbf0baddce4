import Foundation
import Testing

/// `xinghe replay` as its users run it: a process, its output, its exit status.
@Suite("xinghe replay, the program")
struct ReplayProgramTests {
    private static let goodLog = """
        ; MaxProcs: 10
        1 0 -1 10 4 -1 -1 8 60 -1 1 1 1 1 -1 -1 -1 -1
        2 5 -1 10 4 -1 -1 8 60 -1 1 1 1 1 -1 -1 -1 -1

        """

    @Test("The table of jobs has trace seconds, and no scratch file stays behind")
    func jobTable() throws {
        let folder = try Folder()
        let log = try folder.write("log.swf", Self.goodLog)
        let table = folder.path("jobs.csv")
        let run = try xinghe(["replay", log, "--jobs-csv", table])
        #expect(run.status == 0)
        #expect(run.output.contains("utilisation"))
        let text = try String(contentsOfFile: table, encoding: .utf8)
        #expect(
            text == """
                job_id,workload_name,submission_time,requested_number_of_resources,requested_time,\
                success,final_state,starting_time,execution_time,finish_time,waiting_time,\
                turnaround_time,stretch,allocated_resources,requeues
                1,log,0,8,60,1,COMPLETED_SUCCESSFULLY,0,10,10,0,10,1.0,0-7,0
                2,log,5,8,60,1,COMPLETED_SUCCESSFULLY,10,10,20,5,15,1.5,0-7,0

                """
        )
        #expect(try folder.names() == ["jobs.csv", "log.swf"])
    }

    @Test("A log written out replays to what it says, and trace events are valid JSON")
    func scheduleFiles() throws {
        let folder = try Folder()
        let log = try folder.write("log.swf", "; Acknowledge: someone\n" + Self.goodLog)
        let (copy, events) = (folder.path("copy.swf"), folder.path("events.json"))
        let run = try xinghe(["replay", log, "--swf-out", copy, "--trace-json", events])
        #expect(run.status == 0)
        let text = try String(contentsOfFile: copy, encoding: .utf8)
        #expect(text.contains("; Acknowledge: someone\n"))
        // Field 14, which no replay touches, is the log's.
        #expect(text.hasSuffix("\n2 5 5 10 8 -1 -1 8 60 -1 1 1 1 1 -1 -1 -1 -1\n"))
        let again = try xinghe(["replay", copy, "--json"])
        #expect(again.output.contains(#""wait_max_s": 5"#))
        let data = try Data(contentsOf: URL(fileURLWithPath: events))
        let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        let list = try #require(object["traceEvents"] as? [[String: Any]])
        let jobs = list.filter { $0["ph"] as? String == "X" }
        #expect(jobs.map { $0["ts"] as? Int } == [0, 10_000_000])
        #expect(jobs.map { $0["dur"] as? Int } == [10_000_000, 10_000_000])
    }

    @Test("Standard input, several policies and JSON go together")
    func json() throws {
        let run = try xinghe(
            ["replay", "-", "--policy", "fcfs,order=sjf,backfill=easy,conservative", "--json"],
            input: Self.goodLog
        )
        #expect(run.status == 0)
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        let report = try #require(object as? [String: Any])
        let policies = try #require(report["policies"] as? [[String: Any]])
        #expect(
            policies.compactMap { $0["policy"] as? String } == [
                "fcfs", "order=sjf,backfill=easy,placement=first-fit", "conservative",
            ]
        )
        #expect(policies.allSatisfy { $0["wait_max_s"] as? Double == 5 })
    }

    @Test(
        "Bad input is refused with what is wrong, and nothing is written",
        arguments: [
            (["--policy", "bogus"], "'bogus' is not known"),
            (
                ["--policy", "order=fcfs,backfill=bogus"],
                "'backfill=bogus' is not known; there are none"
            ),
            (["--policy", ""], "--policy: '' has an empty part"),
            (["--policy", "easy,bf_window=10"], "'bf_window=10' changes nothing under order=fcfs"),
            (["--policy", "easy,bf_window=1440"], "'bf_window=1440' changes nothing"),
            (["--policy", "easy,PriorityWeightAge=1"], "changes nothing under"),
            (["--policy", "slurm,seed=3"], "'seed=3' changes nothing under"),
            (["--policy", "slurm,bf_window=abc"], "needs a whole number from 1"),
            (["--policy", "placement=random,seed=abc"], "needs a whole number from 0"),
            (["--policy", "order=foo"], "'order=foo' is not known; there are fcfs,"),
            (["--processors", "-1"], "-1 is not a number of processors"),
            (["--dry-run"], "--dry-run: replays nothing and writes no file; leave --jobs-csv"),
            (["--machine", "/"], "/: is a folder"),
            (["--machine", "/nonexistent.yaml"], "nonexistent.yaml: open: No such file"),
            (["--machine", "tianhe-9"], "unknown machine 'tianhe-9'"),
            (["--processors", "0"], "0 is not a number of processors"),
            (["--strict"], "log.swf:4: field 3: the field is not a number"),
            (["--machine", "tianhe-1a", "--processors", "5"], "one of them only"),
            (["--policy", "easy,fcfs"], "--jobs-csv: one policy only"),
            (["--trim", "49.9%"], "'49.9%' is not like 5%"),
            (["--trim", "60%"], "--trim 60% leaves nothing of the log"),
            (["--trim", "1d"], "--trim 1d leaves nothing of the log"),
            (["--format", "sacct"], "a sacct export without the column JobID"),
            (["--swf-out", "/nonexistent/log.swf"], "/nonexistent/log.swf: cannot be written"),
        ]
    )
    func refusals(arguments: [String], message: String) throws {
        let folder = try Folder()
        let log = try folder.write("log.swf", Self.goodLog + "3 7 x\n")
        let table = folder.path("jobs.csv")
        let run = try xinghe(["replay", log, "--jobs-csv", table] + arguments)
        #expect(run.status != 0)
        #expect(run.errors.contains(message), "\(run.errors)")
        #expect(run.output.isEmpty)
        #expect(try folder.names() == ["log.swf"])
    }

    @Test("A log without a machine asks for one")
    func noMachine() throws {
        let run = try xinghe(["replay", "-"], input: "1 0 -1 10 4 -1 -1 8 60 -1 1 1 1 1 1 1 1 1\n")
        #expect(run.status == 1)
        #expect(run.errors.contains("--processors, --machine or --nodes"))
    }

    /// Two jobs of 3 and 6 cores, submitted together.
    private static let sharedLog = """
        ; UnixStartTime: 0
        1 0 -1 10 3 -1 -1 3 60 -1 1 1 1 1 1 1 -1 -1
        2 0 -1 10 6 -1 -1 6 60 -1 1 2 1 1 1 1 -1 -1

        """

    @Test("Jobs share the cores of nodes, and wait when no node has room")
    func sharedNodes() throws {
        for (nodes, wait) in [("2x4,1x1", "0"), ("2x4", "10"), ("9x1", "0")] {
            let run = try xinghe(["replay", "-", "--nodes", nodes], input: Self.sharedLog)
            #expect(run.status == 0)
            let line = run.output.split(separator: "\n").first { $0.hasPrefix("wait max") }
            #expect(
                line?.split(separator: " ").last.map { String($0) } == wait,
                "\(nodes): \(run.output)"
            )
        }
    }

    @Test("Nodes that are no nodes are refused")
    func badNodes() throws {
        for (nodes, message) in [
            ("2x", "neither like 103x12,48x16 nor a file"),
            ("0x4", "neither like 103x12,48x16 nor a file"),
        ] {
            let run = try xinghe(["replay", "-", "--nodes", nodes], input: Self.sharedLog)
            #expect(run.status == 1)
            #expect(run.errors.contains(message), "\(run.errors)")
        }
        let folder = try Folder()
        let list = try folder.write(
            "nodes.csv",
            "sn,cpu_milli,memory_mib,gpu,model\na,1000,5,x,T4\n"
        )
        let run = try xinghe(["replay", "-", "--nodes", list], input: Self.sharedLog)
        #expect(run.status == 1)
        #expect(run.errors.contains("nodes.csv:2"), "\(run.errors)")
    }

    @Test("A dry run says what a log holds and replays nothing")
    func dryRun() throws {
        let run = try xinghe(["replay", "-", "--dry-run"], input: Self.sharedLog)
        #expect(run.status == 0)
        #expect(run.output.contains("2 jobs"))
        #expect(!run.output.contains("digest"))
        let json = try xinghe(["replay", "-", "--dry-run", "--json"], input: Self.sharedLog)
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8))
        let facts = try #require(object as? [String: Any])
        #expect(facts["users"] as? Int == 2)
        #expect(facts["widest_job_processors"] as? Int == 6)
    }

    @Test("A log that claims ages of work is summed up, not trapped on")
    func absurdWork() throws {
        let rows = (1...2).map {
            "\($0) \($0) -1 1000000000 2000000000 -1 -1 2000000000 1000000000 1 1 1 1 1 1 1 -1 -1\n"
        }
        let log = "; MaxProcs: 1\n" + rows.joined()
        let run = try xinghe(["replay", "-", "--dry-run"], input: log)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("2000000000 processors"))
    }
}
