import ClusterModel
import Determinism
import Emulation
import Foundation
import Quantities
import ReplayRuntime
import Scheduling
import Testing
import WorkloadFormats

@testable import TraceFiles

/// Policies in workloads/policies and in the shell, as `xinghe replay --external` runs them.
@Suite("External policies", .serialized)
struct ExternalPolicyTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The first jobs of KTH-SP2, with nothing after them.
    private func log(jobs count: Int) throws -> Trace {
        let path = Self.root.appendingPathComponent("workloads/traces/KTH-SP2-1996-2.1.swf.gz").path
        var trace = try TraceFile.withBytes(of: path) { try SWFReader().read($0) }
        trace.jobs.removeLast(trace.jobs.count - count)
        return trace
    }

    private func run(
        _ command: String,
        _ trace: Trace,
        timeout: SimDuration = SimDuration(seconds: 60),
        order: EventOrder = .batched,
        overrun: OverrunRule = .kill
    ) throws -> ReplayResult {
        let machine = ReplayMachine.processors(100, policy: SchedulingPolicy(backfill: .external))
        var driver = ReplayDriver(trace: trace, machine: machine, order: order, overrun: overrun)
        let policy = try ExternalPolicy(
            command: command,
            timeout: timeout,
            trace: trace,
            machine: machine
        )
        do {
            let result = try driver.run(asking: policy)
            policy.finish()
            return result
        } catch let refusal as RefusedDecision {
            throw policy.explain(refusal)
        }
    }

    @Test(
        "The Python examples take the decisions of the built-in policies, to the digest",
        arguments: [
            ("easy", EventOrder.batched, OverrunRule.kill), ("easy", .batched, .extend),
            ("fcfs", .batched, .kill), ("fcfs", .pyss, .kill),
        ]
    )
    func examples(name: String, order: EventOrder, overrun: OverrunRule) throws {
        let trace = try log(jobs: 1_500)
        let script = Self.root.appendingPathComponent("workloads/policies/\(name).py").path
        let outside = try run("python3 '\(script)'", trace, order: order, overrun: overrun)
        var driver = ReplayDriver(
            trace: trace,
            machine: .processors(100, policy: try SchedulingPolicy(named: name)),
            order: order,
            overrun: overrun
        )
        let builtIn = driver.run()
        #expect(outside.digest == builtIn.digest)
        #expect(outside.started == builtIn.started)
        #expect(Set(builtIn.started).count > 500)
    }

    @Test("A policy may sleep until an instant that nothing else happens at")
    func wakes() throws {
        var trace = try log(jobs: 1)
        trace.jobs[0].submitted = 0
        let script = """
            read hello; echo '{"type":"hello","protocol":1}'
            read first; echo '{"start":[],"wake":7000000}'
            read second; echo '{"start":[\(trace.jobs[0].id)]}'
            cat > /dev/null
            """
        // The last request, at the end of the job, finds nobody that answers.
        let failure = #expect(throws: ExternalPolicyFailure.self) {
            try run(script, trace, timeout: SimDuration(seconds: 1))
        }
        let end = 7 + trace.jobs[0].runTime / 1_000_000
        #expect(failure?.moment == "at request 3, second \(end) of the log")
    }

    @Test(
        "A policy may choose the nodes itself, and is told where jobs went that it left to the engine"
    )
    func chosenNodes() throws {
        var trace = try log(jobs: 2)
        for index in trace.jobs.indices {
            trace.jobs[index].submitted = Int64(index) * 1_000_000
            trace.jobs[index].processors = 3
            trace.jobs[index].runTime = 5_000_000
        }
        let (first, second) = (trace.jobs[0].id, trace.jobs[1].id)
        let script = """
            read hello; echo '{"type":"hello","protocol":1}'
            read a; echo '{"start":[{"id":\(first),"nodes":"1,4-5"}]}'
            read b; echo '{"start":[\(second)]}'
            case $b in *'"placed":[{"id":\(first),"nodes":"1,4-5"}]'*) ;; *) exit 7 ;; esac
            read c; echo '{"start":[]}'
            case $c in *'"placed":[{"id":\(second),"nodes":"0,2-3"}]'*) ;; *) exit 8 ;; esac
            while read d; do echo '{"start":[]}'; done
            """
        let result = try run(script, trace)
        #expect(result.started == [0, 1_000_000])
    }

    @Test(
        "A policy may cancel jobs: one that runs ends and frees its nodes, one that waits never runs"
    )
    func cancels() throws {
        var trace = try log(jobs: 4)
        for index in trace.jobs.indices {
            trace.jobs[index].submitted = Int64(index) * 1_000_000
            trace.jobs[index].processors = 60
            trace.jobs[index].runTime = 50_000_000
            trace.jobs[index].timeLimit = 100_000_000
        }
        let ids = trace.jobs.map(\.id)
        // The second never runs; the first is killed for the third, whose end is the next event.
        let script = """
            \(Self.hello)
            read a; echo '{"start":[\(ids[0])]}'
            read b; echo '{"start":[]}'
            read c; echo '{"cancel":[\(ids[1]),\(ids[0])],"start":[\(ids[2])]}'
            read d
            case $d in *'"ended":[{"id":\(ids[1]),"state":"CANCELLED"},{"id":\(ids[0]),"state":"CANCELLED"}]'*) ;; *) exit 7 ;; esac
            echo '{"start":[]}'
            read e; echo '{"start":[\(ids[3])]}'
            while read f; do echo '{"start":[]}'; done
            """
        for order in EventOrder.allCases {
            let result = try run(script, trace, order: order)
            #expect(result.cancelled == [1, 0])
            #expect(result.started == [0, -1, 2_000_000, 52_000_000])
            #expect(result.ended == [2_000_000, -1, 52_000_000, 102_000_000])
            #expect(result.timeoutCount == 0)
        }
    }

    @Test(
        "Where nodes fail, or users wait for results, the Python examples decide as the built-in ones",
        arguments: ["easy", "fcfs"],
        [true, false]
    )
    func eventfulLogs(name: String, nodesFail: Bool) throws {
        var trace = try log(jobs: 400)
        let model = FailureModel(shape: 0.7, scaleSeconds: 3_600_000, repairSeconds: 14_400)
        func failures() -> ReplayFailures? {
            let process = FailureProcess(models: Array(repeating: model, count: 100), seed: 5)
            return nodesFail ? ReplayFailures(events: NodeEventStream(process)) : nil
        }
        var following: (links: JobLinks, rule: FollowingRule)?
        if !nodesFail {
            // Each job follows the fifth before it, a minute after its end.
            let rows = trace.jobs.indices.map { index in
                let job = trace.jobs[index]
                let before = index < 5 ? -1 : trace.jobs[index - 5].id
                let (submitted, run) = (job.submitted / 1_000_000, job.runTime / 1_000_000)
                let limit = job.timeLimit / 1_000_000
                return "\(job.id) \(submitted) -1 \(run) \(job.processors) -1 -1 \(job.processors)"
                    + " \(limit) -1 1 1 1 1 1 1 \(before) 60\n"
            }
            let text = "; MaxProcs: 100\n" + rows.joined()
            trace = try Array(text.utf8).withUnsafeBytes {
                try LogReader(keepsRows: true).read($0)
            }
            following = (JobLinks(trace), .thinkTimes)
        }
        func driver(_ policy: SchedulingPolicy) -> (ReplayDriver, ReplayMachine) {
            let machine = ReplayMachine.processors(100, policy: policy)
            let driver = ReplayDriver(
                trace: trace,
                machine: machine,
                failures: failures(),
                following: following
            )
            return (driver, machine)
        }
        var (builtIn, _) = driver(try SchedulingPolicy(named: name))
        let expected = builtIn.run()
        var (outside, machine) = driver(SchedulingPolicy(backfill: .external))
        let script = Self.root.appendingPathComponent("workloads/policies/\(name).py").path
        let policy = try ExternalPolicy(
            command: "python3 '\(script)'",
            timeout: SimDuration(seconds: 60),
            trace: trace,
            machine: machine
        )
        let result = try outside.run(asking: policy)
        policy.finish()
        #expect(result.digest == expected.digest)
        #expect(result.started == expected.started)
        #expect(nodesFail == (expected.failures?.interrupted.isEmpty == false))
        #expect(Set(expected.started).count > 100)
    }

    @Test("On nodes that jobs share a policy is told what each asks for, and may choose the nodes")
    func sharedNodes() throws {
        var trace = try log(jobs: 300)
        var random = SplitMix64(seed: 11)
        for index in trace.jobs.indices {
            trace.jobs[index].submitted /= 40
            trace.requests.append(
                TraceRequest(
                    milliCores: Int32(random.below(8) + 1) * 500,
                    memoryMebibytes: Int32(random.below(9)) * 512,
                    cards: Int32(random.below(3))
                )
            )
        }
        let nodes = (0..<6).map { number in
            NodeCapacity(
                cores: number < 4 ? 8_000 : 16_000,
                memory: ByteCount(mebibytes: 8_192),
                accelerators: 2
            )
        }
        func machine(_ policy: SchedulingPolicy) -> ReplayMachine {
            .shared(nodes: nodes, unitsPerCore: 1_000, policy: policy, title: "six nodes")
        }
        var builtIn = ReplayDriver(
            trace: trace,
            machine: machine(try SchedulingPolicy(named: "fcfs"))
        )
        let expected = builtIn.run()
        let shared = machine(SchedulingPolicy(backfill: .external))
        var driver = ReplayDriver(trace: trace, machine: shared)
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
        let policy = try ExternalPolicy(
            command: "python3 '\(tests)/Schedulers/shared_fcfs.py'",
            timeout: SimDuration(seconds: 60),
            trace: trace,
            machine: shared
        )
        let result: ReplayResult
        do {
            result = try driver.run(asking: policy)
        } catch let refusal as RefusedDecision {
            throw policy.explain(refusal)
        }
        policy.finish()
        #expect(result.started == expected.started)
        #expect(result.digest == expected.digest)
        #expect(zip(trace.jobs, expected.started).contains { $0.submitted < $1 })
    }

    private func batsim(delay: String) -> String {
        let bridge = Self.root.appendingPathComponent("workloads/policies").path
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
        return "python3 '\(tests)/Schedulers/batsim_fcfs.py' '\(bridge)' \(delay)"
    }

    @Test(
        "FCFS by Batsim's messages takes the decisions of the built-in one, on the nodes that it names"
    )
    func speaksBatsim() throws {
        let trace = try log(jobs: 400)
        let outside = try run(batsim(delay: "0"), trace)
        var driver = ReplayDriver(
            trace: trace,
            machine: .processors(100, policy: try SchedulingPolicy(named: "fcfs"))
        )
        let builtIn = driver.run()
        #expect(outside.started == builtIn.started)
        #expect(outside.digest == builtIn.digest)
    }

    @Test("By Batsim's messages a decision holds when it is taken, and news wait until then")
    func decidesLate() throws {
        var trace = try log(jobs: 3)
        for (index, submitted) in [0, 7_000, 60_000_000].enumerated() {
            trace.jobs[index].submitted = Int64(submitted)
            trace.jobs[index].processors = 30
        }
        // It hears of the first when it knows the machine, of the second when it has placed the first.
        let result = try run(batsim(delay: "0.005"), trace)
        #expect(result.started == [10_000, 15_000, 60_005_000])
    }

    private static let hello = #"read hello; echo '{"type":"hello","protocol":1}'; "#

    @Test(
        "What goes wrong is named, and the program is gone",
        arguments: [
            ("no-such-program-anywhere", "ended with status 127 (the shell found no such program)"),
            ("exit 3", "at the greeting: ended with status 3 before it answered"),
            ("read a; echo rubbish; cat", "the answer is not JSON"),
            (#"read a; echo '{"type":"hello","protocol":2}'; cat"#, "must have \"protocol\":1"),
            ("sleep 600", "did not answer within 1 s"),
            (hello + "cat > /dev/null", "at request 1, second 0 of the log: did not answer"),
            (hello + "read a; kill -9 $$", "was ended by signal 9 before it answered"),
            (hello + "read a; echo '{}'; cat", "\"start\" must be an array of job numbers"),
            (
                hello + "read a; echo '{\"start\":[77777]}'; cat",
                "job 77777, which the log does not"
            ),
            (hello + "read a; echo '{\"start\":[2]}'; cat", "job 2, which has not been submitted"),
            (hello + "read a; echo '{\"start\":[1,1]}'; cat", "job 1, which runs already"),
            (
                hello + "read a; echo '{\"start\":[{\"id\":1,\"nodes\":\"0-1\"}]}'; cat",
                "on 0-1: that is not as many, or not all of them are free"
            ),
            (
                hello + "read a; echo '{\"start\":[{\"id\":1,\"nodes\":\"0-100\"}]}'; cat",
                "\"nodes\" of job 1 must be ascending numbers from 0 to 99"
            ),
            (
                hello + "read a; echo '{\"start\":[{\"id\":1,\"nodes\":[0]}]}'; cat",
                "\"nodes\" of job 1 must be a string"
            ),
            (hello + "read a; echo '{\"start\":[]'; echo x; cat", "the answer is not JSON"),
            (hello + "read a; echo '{\"start\":[],\"wake\":0}'; cat", "which is not in the future"),
            (
                hello + "read a; echo '{\"start\":[],\"wake\":9223372036854775807}'; cat",
                "which is later than 253402300799000000"
            ),
            (
                hello + "while read a; do echo '{\"start\":[]}'; done",
                "leaves 3 jobs waiting although nothing runs and nothing is to come: 1, 2, 3"
            ),
        ]
    )
    func failures(command: String, message: String) throws {
        let marker =
            "xinghe-test-\(ProcessInfo.processInfo.processIdentifier)-\(message.utf8.count)"
        let failure = #expect(throws: ExternalPolicyFailure.self) {
            try run(": \(marker); \(command)", try log(jobs: 3), timeout: SimDuration(seconds: 1))
        }
        #expect(failure?.description.contains(message) == true, "\(failure?.description ?? "")")
        #expect(hasGone(marker))
    }

    /// Starts its first `jobCount` jobs at once, and asks to be woken a minute later, for ever.
    private final class Sleeper: ReplayDecider {
        var jobCount: Int
        var requestCount = 0

        init(jobCount: Int) {
            self.jobCount = jobCount
        }

        func decide(_ situation: ReplaySituation) -> ReplayDecision {
            requestCount += 1
            let starts = situation.submitted.filter { $0 < jobCount }.map { ReplayStart($0) }
            return ReplayDecision(starts: starts, wake: situation.now + 60_000_000)
        }
    }

    @Test("A policy that sleeps for ever ends with its work, and at last without it")
    func sleepsForEver() throws {
        var trace = try log(jobs: 2)
        for index in trace.jobs.indices { trace.jobs[index].processors = 1 }
        let machine = ReplayMachine.processors(100, policy: SchedulingPolicy(backfill: .external))
        var driver = ReplayDriver(trace: trace, machine: machine)
        let result = try driver.run(asking: Sleeper(jobCount: 2))
        #expect(result.ended.allSatisfy { $0 >= 0 })
        let idle = Sleeper(jobCount: 1)
        driver = ReplayDriver(trace: trace, machine: machine)
        #expect(throws: RefusedDecision.leftWaiting([1])) { try driver.run(asking: idle) }
        #expect(idle.requestCount > 10_000)
    }

    @Test("A policy that starts more than fits is refused by name and number")
    func tooMuch() throws {
        var trace = try log(jobs: 2)
        for index in trace.jobs.indices {
            trace.jobs[index].submitted = 0
            trace.jobs[index].processors = 60
        }
        let start = "read a; echo '{\"start\":[1,2]}'; cat"
        let failure = #expect(throws: ExternalPolicyFailure.self) {
            try run(Self.hello + start, trace)
        }
        #expect(failure?.problem == "starts job 2, which needs 60 nodes; 40 are free")
    }

    /// Whether nothing runs any more: what was killed may take a moment to be gone.
    private func hasGone(_ word: String) -> Bool {
        for _ in 0..<2_000 {
            if !isRunning(word) { return true }
            usleep(10_000)
        }
        return false
    }

    /// Whether a process has this word in its command line.
    private func isRunning(_ word: String) -> Bool {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return folders.contains { folder in
            let line = FileManager.default.contents(atPath: "/proc/\(folder)/cmdline") ?? Data()
            return String(decoding: line, as: UTF8.self).contains(word)
        }
    }
}
