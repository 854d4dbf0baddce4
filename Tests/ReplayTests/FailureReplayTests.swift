import Determinism
import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Scheduling
import Testing
import WorkloadFormats

@testable import ReplayRuntime

/// Replays in which nodes fail, beside a plain one.
@Suite("Failing nodes in a replay")
struct FailureReplayTests {
    private typealias Event = (second: Int, nodes: [Int], kind: NodeEvent.Kind)

    private static let nodeCount = 8

    private static func jobs(_ random: inout SplitMix64) -> [PlainFailingReplay.Job] {
        var second = 0
        return (0..<40).map { _ in
            second += Int(random.below(60))
            let run = Int(random.below(200))
            return PlainFailingReplay.Job(
                submitted: second,
                run: run,
                limit: max(1, run + Int(random.below(200)) - 40),
                size: Int(random.below(UInt64(nodeCount))) + 1
            )
        }
    }

    /// Ups and downs of each node, all of them in service in the end.
    private static func events(_ random: inout SplitMix64) -> [Event] {
        var list: [Event] = []
        for node in 0..<nodeCount {
            var second = Int(random.below(400))
            while second < 3_000 {
                let kind: NodeEvent.Kind = [.fail, .down, .drain][Int(random.below(3))]
                list.append((second, [node], kind))
                second += Int(random.below(100)) + 1
                list.append((second, [node], .resume))
                second += Int(random.below(900)) + 1
            }
        }
        return list.sorted { ($0.second, $0.nodes[0]) < ($1.second, $1.nodes[0]) }
    }

    private static func trace(_ jobs: [PlainFailingReplay.Job]) -> Trace {
        var trace = Trace()
        for (index, job) in jobs.enumerated() {
            trace.jobs.append(
                TraceJob(
                    id: Int64(index) + 1,
                    submitted: Int64(job.submitted) * 1_000_000,
                    runTime: Int64(job.run) * 1_000_000,
                    timeLimit: Int64(job.limit) * 1_000_000,
                    processors: Int32(job.size)
                )
            )
        }
        return trace
    }

    private static func seconds(_ instants: ContiguousArray<Int64>) -> [Int?] {
        instants.map { $0 < 0 ? nil : Int($0 / 1_000_000) }
    }

    @Test("Starts, ends and losses are those of a plain replay, over many seeds")
    func plainTwin() throws {
        var interruptions = 0
        for seed in Seeds.first(600) {
            var random = SplitMix64(seed: seed)
            let jobs = Self.jobs(&random)
            let events = Self.events(&random)
            let isEasy = random.below(2) == 0
            let areJobsRequeued = random.below(3) > 0
            let checkpoint = random.below(2) == 0 ? Int(random.below(60)) + 1 : nil
            var plain = PlainFailingReplay(
                jobs,
                nodeCount: Self.nodeCount,
                isEasy: isEasy,
                areJobsRequeued: areJobsRequeued,
                checkpoint: checkpoint
            )
            plain.run(events)
            let stream = NodeEventStream(
                events.map {
                    NodeEvent(
                        instant: Int64($0.second) * 1_000_000,
                        nodes: IDSet($0.nodes),
                        kind: $0.kind
                    )
                }
            )
            var driver = ReplayDriver(
                trace: Self.trace(jobs),
                machine: .processors(Self.nodeCount, policy: isEasy ? .easy : .fcfs),
                failures: ReplayFailures(
                    events: stream,
                    areJobsRequeued: areJobsRequeued,
                    checkpointInterval: checkpoint.map { Int64($0) * 1_000_000 }
                )
            )
            let result = driver.run()
            let record = try #require(result.failures)
            let note = Comment(rawValue: Seeds.note(seed, "FailureReplayTests"))
            let isSame =
                plain.started == Self.seconds(result.started)
                && plain.ended == Self.seconds(result.ended)
            #expect(isSame, note)
            let lost = record.interrupted.reduce(0) { $0 + $1.lost } / 1_000_000
            #expect(lost == Int64(plain.lostSeconds), note)
            #expect(record.interrupted.count == plain.interruptions, note)
            #expect(record.leftWaiting.isEmpty)
            interruptions += plain.interruptions
        }
        #expect(interruptions > 1_000)
    }

    @Test("Drawn times have the mean of their distribution, and are the same everywhere")
    func drawnTimes() {
        // Γ(1 + 1/k) is 2 for k = 1/2, 1 for k = 1 and √π/2 for k = 2.
        for (shape, mean) in [(0.5, 2.0), (1, 1), (2, 0.886_226_925)] {
            var random = SplitMix64(seed: 7)
            let sum = (0..<200_000).reduce(Int64(0)) { sum, _ in
                sum + FailureModel.draw(shape: shape, scaleSeconds: 100_000, &random)
            }
            #expect(abs(Double(sum) / 200_000 / (100_000 * mean) - 1) < 0.015, "shape \(shape)")
        }
        // From a program in Python with the C library's logarithm and power.
        var random = SplitMix64(seed: 1)
        let first = (0..<4).map { _ in
            FailureModel.draw(shape: 0.7, scaleSeconds: 8_000_000, &random)
        }
        #expect(first == [3567337, 1387249, 51947, 5932163])
    }

    @Test("Nodes of a process fail and come back in turn, by kind, in order of time")
    func process() {
        let model = FailureModel(shape: 0.7, scaleSeconds: 90_000, repairSeconds: 2_000)
        var stream = NodeEventStream(FailureProcess(models: [model, nil, model], seed: 1))
        var isDown = [false, false, false]
        var last: Int64 = 0
        for _ in 0..<1_000 {
            guard let event = stream.pop() else { break }
            #expect(event.instant >= last)
            #expect(event.nodes.count == 1)
            #expect(!event.nodes.contains(1))
            last = event.instant
            for node in event.nodes {
                isDown[node].toggle()
                #expect(event.kind == (isDown[node] ? .fail : .resume))
            }
        }
        #expect(last > 0)
    }

    @Test("A job that needs a node which never comes back is left waiting, and the replay ends")
    func hopeless() throws {
        let jobs = [
            PlainFailingReplay.Job(submitted: 0, run: 10, limit: 10, size: 8),
            PlainFailingReplay.Job(submitted: 5, run: 10, limit: 10, size: 8),
        ]
        // Three of four hours of each node are spent on repairs: all eight together are a rare sight.
        let model = FailureModel(shape: 1, scaleSeconds: 3_600, repairSeconds: 10_800_000)
        var driver = ReplayDriver(
            trace: Self.trace(
                jobs + [PlainFailingReplay.Job(submitted: 9, run: 100_000, limit: 100_000, size: 8)]
            ),
            machine: .processors(Self.nodeCount, policy: .easy),
            failures: ReplayFailures(
                events: NodeEventStream(
                    FailureProcess(models: Array(repeating: model, count: 8), seed: 3)
                )
            )
        )
        let result = driver.run()
        #expect(result.failures?.leftWaiting == [2])
        #expect(Array(result.ended.prefix(2)) == [10_000_000, 20_000_000])
    }

    @Test("A replay whose nodes fail too often for it to end says that it was cut off")
    func cutOff() throws {
        let job = PlainFailingReplay.Job(submitted: 0, run: 50, limit: 100, size: 1)
        for (scale, isCutOff) in [(Int64(1), true), (1_000, false)] {
            let model = FailureModel(shape: 1, scaleSeconds: scale, repairSeconds: 1)
            let process = FailureProcess(models: Array(repeating: model, count: 8), seed: 3)
            var driver = ReplayDriver(
                trace: Self.trace([job]),
                machine: .processors(Self.nodeCount, policy: .easy),
                failures: ReplayFailures(events: NodeEventStream(process, upTo: 500))
            )
            let result = driver.run()
            #expect(result.failures?.isCutOff == isCutOff)
            #expect(result.ended[0] == (isCutOff ? -1 : 50_000_000))
        }
    }

    @Test("A job that is cut short a thousand times is given up")
    func givenUp() throws {
        let job = PlainFailingReplay.Job(submitted: 0, run: 100, limit: 100, size: 1)
        let events = (0..<2_000).flatMap { round in
            [
                NodeEvent(
                    instant: round * 100_000_000 + 50_000_000,
                    nodes: IDSet([0]),
                    kind: .fail
                ),
                NodeEvent(
                    instant: round * 100_000_000 + 60_000_000,
                    nodes: IDSet([0]),
                    kind: .resume
                ),
            ]
        }
        var driver = ReplayDriver(
            trace: Self.trace([job]),
            machine: .processors(1, policy: .fcfs),
            failures: ReplayFailures(events: NodeEventStream(events))
        )
        let record = try #require(driver.run().failures)
        #expect(record.lost == [0])
        #expect(record.interrupted.count == ReplayFailures.requeueMaximum)
        #expect(record.failureCount == ReplayFailures.requeueMaximum)
    }

    @Test(
        "The places of runs are the nodes that the engine chose, and no node is given twice",
        arguments: ["easy", "conservative", "order=fcfs,backfill=easy,placement=random"]
    )
    func places(policy: String) throws {
        for seed in Seeds.first(30) {
            var random = SplitMix64(seed: seed)
            let events = Self.events(&random).map {
                NodeEvent(
                    instant: Int64($0.second) * 1_000_000,
                    nodes: IDSet($0.nodes),
                    kind: $0.kind
                )
            }
            let trace = Self.trace(Self.jobs(&random))
            var driver = ReplayDriver(
                trace: trace,
                machine: .processors(Self.nodeCount, policy: try SchedulingPolicy(named: policy)),
                failures: ReplayFailures(events: NodeEventStream(events)),
                recordsPlaces: true
            )
            var seen: [Int: [Int]] = [:]
            let result = driver.run { emulator, _ in
                for index in trace.jobs.indices {
                    let nodes = emulator.allocation(of: JobID(UInt32(index + 1))).map(\.node)
                    if !nodes.isEmpty { seen[index] = nodes }
                }
            }
            let places = try #require(result.places)
            let record = try #require(result.failures)
            var runs = record.interrupted.filter(\.isRequeued).map { ($0.run, $0.start, $0.end) }
            for index in trace.jobs.indices where result.started[index] >= 0 {
                let run = Int(places.lastRun[index])
                runs.append((run, result.started[index], result.ended[index]))
                // A job without run time may have come and gone between two looks.
                let nodes = seen[index] ?? places.nodes(ofRun: run).flatMap { $0.map { Int($0) } }
                #expect(places.nodes(ofRun: run).flatMap { $0.map { Int($0) } } == nodes)
            }
            #expect(runs.count == places.runCount, "seed \(seed)")
            var free = Array(repeating: Int64(0), count: Self.nodeCount)
            for (run, start, end) in runs.sorted(by: { ($0.1, $0.0) < ($1.1, $1.0) }) {
                for node in places.nodes(ofRun: run).joined() {
                    #expect(free[Int(node)] <= start, "seed \(seed): node \(node) twice")
                    free[Int(node)] = end
                }
            }
        }
    }
}
