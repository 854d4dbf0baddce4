import Foundation
import Testing

/// `xinghe replay` and `compare` with failing nodes, as their users run them.
@Suite("xinghe replay with failing nodes, the program")
struct FailureProgramTests {
    /// Two jobs of 8 and 4 of 10 processors, 100 s each.
    private static let log = """
        ; MaxProcs: 10
        ; UnixStartTime: 843004800
        1 0 -1 100 8 -1 -1 8 200 -1 1 1 1 1 1 1 -1 -1
        2 10 -1 100 4 -1 -1 4 200 -1 1 2 1 1 1 1 -1 -1

        """

    private static let events = """
        {"time": 60, "nodes": "0,3", "event": "fail", "until": 90}
        {"time": "1996-09-18T00:01:10", "nodes": 2, "event": "drain"}

        """

    private func replay(_ events: String, _ arguments: [String]) throws -> (Run, csv: String) {
        let folder = try Folder()
        let log = try folder.write("log.swf", Self.log)
        let file = try folder.write("events.jsonl", events)
        let table = folder.path("jobs.csv")
        let run = try xinghe(
            ["replay", log, "--events", file, "--jobs-csv", table] + arguments
        )
        return (run, (try? String(contentsOfFile: table, encoding: .utf8)) ?? "")
    }

    @Test("A job whose node fails starts over, or goes on from its checkpoint, or is lost")
    func requeue() throws {
        // Nodes 0 and 3 break under job 1, which goes on at once on the eight others; two of those are
        // drained under it.
        let (run, csv) = try replay(Self.events, ["--json"])
        try #require(run.status == 0, "\(run.errors)")
        let state = "COMPLETED_SUCCESSFULLY"
        #expect(csv.contains("\n1,log,0,8,200,1,\(state),60,100,160,60,160,1.6,1-2 4-9,1\n"))
        #expect(csv.contains("\n2,log,10,4,200,1,\(state),160,100,260,150,250,2.5,0 3-5,0\n"))
        #expect(run.output.contains(#""node_failures": 2"#))
        #expect(run.output.contains(#""interrupted_runs": 1"#))
        let saved = try replay(Self.events, ["--checkpoint", "25"]).csv
        #expect(saved.contains("\n1,log,0,8,200,1,\(state),60,50,110,60,110,2.2,1-2 4-9,1\n"))
        let lost = try replay(Self.events, ["--requeue-failed", "no"])
        #expect(lost.csv.contains("\n1,log,0,8,200,0,COMPLETED_FAILED,0,60,60,0,60,1.0,0-7,0\n"))
        #expect(lost.0.output.contains("lost: 1 job cut short by nodes and not run again (job 1)"))
    }

    @Test("Maintenance that was announced keeps its nodes free, and plans wait for its end")
    func reserve() throws {
        let line =
            #"{"time": 0, "nodes": "7,8,9", "event": "reserve", "start": 150, "until": 400}"#
        let (run, csv) = try replay(line + "\n", ["--policy", "easy"])
        try #require(run.status == 0, "\(run.errors)")
        // Job 1 could hold one of the three until 200; job 2 finds four others.
        let state = "COMPLETED_SUCCESSFULLY"
        #expect(csv.contains("\n1,log,0,8,200,1,\(state),400,100,500,"), "\(csv)")
        #expect(csv.contains("\n2,log,10,4,200,1,\(state),10,100,110,"), "\(csv)")
    }

    @Test("A job that comes before anything ran waits for repairs, and is told of")
    func nothingEverRan() throws {
        let run = try xinghe(
            ["replay", "-", "--failures", "shape=1,scale=1s,repair=1y"],
            input: "; MaxProcs: 1\n1 100 -1 50 1 -1 -1 1 60 -1 1 1 1 -1 1 -1 -1 -1\n"
        )
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("left waiting: 1 job"))
    }

    @Test("What is wrong in a file of events is told with file, line and member")
    func refusals() throws {
        let first = #"{"time": 60, "nodes": 1, "event": "fail", "until": 90}"# + "\n"
        let cases: [(String, String)] = [
            (
                #"{"time": 60, "nodes": "cn1", "event": "fail"}"#,
                ":1: field 'nodes': there is no node cn1"
            ),
            (
                #"{"time": 60, "nodes": 11, "event": "fail"}"#,
                ":1: field 'nodes': 11 is not in 1...10"
            ),
            (#"{"time": 60, "nodes": "0,0", "event": "fail"}"#, ":1: field 'nodes': names 0 twice"),
            (
                #"{"time": 60, "nodes": 1, "event": "explode"}"#,
                ":1: field 'event': \"explode\" is not"
            ),
            (#"{"time": 60, "nodes": 1}"#, ":1: field 'event': is missing"),
            (#"{"time": 6.5, "nodes": 1, "event": "fail"}"#, ":1: field 'time': is neither"),
            (#"{"time": -1, "nodes": 1, "event": "fail"}"#, ":1: field 'time': -1 is not in 0..."),
            (
                #"{"time": "1996-13-01T00:00:00", "nodes": 1, "event": "fail"}"#,
                ":1: field 'time': '1996-13"
            ),
            (
                #"{"time": 60, "nodes": 1, "event": "fail", "until": 60}"#,
                ":1: field 'until': 60 is not after"
            ),
            (
                #"{"time": 60, "nodes": 1, "event": "fail", "till": 70}"#,
                ":1: field 'till': is not known"
            ),
            (
                #"{"time": 60, "nodes": "3", "event": "resume"}"#,
                ":1: field 'nodes': 3 is in service"
            ),
            (
                #"{"time": 60, "nodes": 1, "event": "reserve"}"#,
                ":1: field 'until': is missing"
            ),
            (
                #"{"time": 60, "nodes": 1, "event": "reserve", "start": 59, "until": 90}"#,
                ":1: field 'start': 59 is before 60"
            ),
            (
                #"{"time": 60, "nodes": 1, "event": "drain", "start": 70}"#,
                ":1: field 'start': is for events of kind reserve"
            ),
            ("[1]", ":1: is no JSON object"), ("{\"time\": ", ":1: is not JSON"),
            (
                first + #"{"time": 59, "nodes": "5", "event": "fail"}"#,
                ":2: field 'time': 59 is before 60"
            ),
            (
                first + #"{"time": 80, "nodes": "0", "event": "drain"}"#,
                ":2: field 'nodes': 0 is out of service until 90 by line 1"
            ),
        ]
        for (text, message) in cases {
            let (run, csv) = try replay(text, [])
            #expect(run.status == 1, "\(text)")
            #expect(run.errors.contains("events.jsonl\(message)"), "\(run.errors)")
            #expect(run.output.isEmpty)
            #expect(csv.isEmpty)
        }
    }

    @Test("Drawn failures repeat with their seed, and their options are checked")
    func drawn() throws {
        let folder = try Folder()
        let log = try folder.write("log.swf", Self.log)
        func run(_ arguments: [String]) throws -> Run {
            try xinghe(["replay", log, "--failures"] + arguments)
        }
        func digest(_ seed: String) throws -> Substring? {
            let text = try run(["shape=0.7,scale=200s,repair=1min", "--failure-seed", seed]).output
            return text.split(separator: "\n").first { $0.hasPrefix("digest") }
        }
        #expect(try digest("1") == digest("1"))
        #expect(try digest("1") != digest("2"))
        let cases: [([String], String)] = [
            (["shape=0.7,scale=200s"], "repair= needs a whole number"),
            (["shape=99,scale=200s,repair=1h"], "shape= needs a number from 0.1 to 10"),
            (["shape=1,scale=200,repair=1h"], "scale= needs a whole number"),
            (["shape=1,scale=5000y,repair=1h"], "scale= needs a whole number"),
            (["shape=1,scale=1h,repair=1h,x=2"], "'x=2' is none of shape="),
            (["gpu:shape=1,scale=1h,repair=1h"], "there are no nodes of kind 'gpu'"),
            (["shape=1,scale=1h,repair=1h", "--event-order", "pyss"], "knows no failing nodes"),
            (["shape=1,scale=1h,repair=1h", "--explain", "1"], "--explain: explains one run"),
            (["shape=1,scale=1h,repair=1h", "--checkpoint", "0"], "--checkpoint: 0 is not in"),
            (["shape=1,scale=1h,repair=1h", "--events", "x"], "one of them only"),
        ]
        for (arguments, message) in cases {
            let refused = try run(arguments)
            #expect(refused.status != 0)
            #expect(refused.errors.contains(message), "\(refused.errors)")
        }
        let table = try xinghe(
            ["compare", log, "--policy", "easy,fcfs", "--failures", "shape=1,scale=60s,repair=9s"]
        )
        #expect(table.output.contains("lost h: machine-hours"))
    }
}
