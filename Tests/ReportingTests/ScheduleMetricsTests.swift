import Determinism
import Testing
import WorkloadFormats

@testable import Reporting

@Suite("Measures of a schedule")
struct ScheduleMetricsTests {
    /// Jobs as (submit, start, end, processors, user), in seconds.
    private func schedule(
        _ rows: [(Int64, Int64, Int64, Int32, Int32)],
        machine: Int64 = 10,
        failures: FailureRecord? = nil
    ) -> Schedule {
        var trace = Trace()
        var started: ContiguousArray<Int64> = []
        var ended: ContiguousArray<Int64> = []
        for (number, row) in rows.enumerated() {
            trace.jobs.append(
                TraceJob(
                    id: Int64(number) + 1,
                    submitted: row.0 * 1_000_000,
                    runTime: (row.2 - row.1) * 1_000_000,
                    timeLimit: 3_600_000_000,
                    processors: row.3,
                    user: row.4
                )
            )
            started.append(row.1 < 0 ? -1 : row.1 * 1_000_000)
            ended.append(row.1 < 0 ? -1 : row.2 * 1_000_000)
        }
        return Schedule(
            trace: trace,
            started: started,
            ended: ended,
            processorsPerNode: 1,
            machineProcessors: machine,
            failures: failures
        )
    }

    @Test("Worked by hand: waits, slowdowns, utilisation, queue, loss of capacity, fairness")
    func byHand() {
        let metrics = ScheduleMetrics(
            schedule([
                (0, 0, 100, 6, 1),  // 600 processor·s
                (10, 100, 120, 10, 1),  // waits 90; 4 idle for 90 s; 200
                (20, 20, 22, 4, 2),  // backfilled: 4 busy for 2 s; 8
                (30, -1, -1, 99, 3),  // refused
            ]),
            withLossOfCapacity: true
        )
        #expect(metrics.jobCount == 3)
        #expect(metrics.waitMean == 30)
        #expect(metrics.waitMedian == 0)
        #expect(metrics.waitP95 == 90)
        #expect(metrics.waitMaximum == 90)
        #expect(metrics.responseMean == 212.0 / 3)
        #expect(metrics.boundedSlowdownMean == 2.5)
        #expect(metrics.perProcessorSlowdownMean == 1)
        #expect(metrics.makespan == 120)
        #expect(metrics.utilisation == 808.0 / 1_200)
        #expect(metrics.queueMean == 90.0 / 120)
        #expect(metrics.throughputPerHour == 3.0 / 120 * 3_600)
        // 4 processors idle from 10 to 20 and from 22 to 100 while job 2 waits.
        let lost = 352.0
        #expect(metrics.lossOfCapacity == lost / 1_200)
        // Users fare 3.25 and 1 on average.
        let fairness = 18.0625 / 23.125
        #expect(metrics.userFairness == fairness)
    }

    @Test("A trimmed measure counts the jobs of the window and the time of the window")
    func trimmed() throws {
        let whole = schedule([
            (0, 0, 50, 10, 1), (40, 50, 60, 5, 1), (100, 100, 200, 10, 1),
        ])
        let trim = try #require(Trim("20s,10s"))
        let window = try #require(trim.window(of: 0...100_000_000))
        #expect(window == 20_000_000...90_000_000)
        let metrics = ScheduleMetrics(whole, window: window, withLossOfCapacity: true)
        #expect(metrics.jobCount == 1)
        #expect(metrics.waitMean == 10)
        let busy = 350.0
        #expect(metrics.utilisation == busy / 700)
        #expect(metrics.queueMean == 10.0 / 70)
        #expect(metrics.makespan == 200)
        #expect(metrics.lossOfCapacity == 0)
        #expect(Trim("5%,1d") != nil)
        for bad in ["", "5", "101%", "-1d", "1d,2d,3d", "x%", "5%,"] {
            #expect(Trim(bad) == nil, "\(bad)")
        }
        #expect(try #require(Trim("50%")).window(of: 0...100) == nil)
    }

    @Test("A log without users has no fairness, one without jobs has no measures")
    func nothing() {
        #expect(ScheduleMetrics(schedule([(0, 0, 1, 1, -1)])).userFairness == nil)
        let empty = ScheduleMetrics(schedule([]), withLossOfCapacity: true)
        #expect(empty.jobCount == 0)
        #expect(empty.lossOfCapacity == nil)
        // Nothing ran, so that no figure may look like a good one.
        #expect(ScheduleMetrics(schedule([(0, -1, -1, 1, 1)])).waitMean.isNaN)
    }

    @Test("Selecting ranks gives what sorting gives", arguments: UInt64(1)...300)
    func selection(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let count = Int(random.below(200)) + 1
        let spread = 1 + random.below(seed % 3 == 0 ? 4 : 1_000)
        let values = (0..<count).map { _ in Int64(random.below(spread)) }
        let ranks = [(count * 50 + 99) / 100 - 1, (count * 95 + 99) / 100 - 1]
        var copy = values
        let found = copy.withUnsafeMutableBufferPointer { selected(ranks, of: $0) }
        #expect(found == ranks.map { values.sorted()[$0] }, "seed \(seed)")
    }

    @Test(
        "Worked by hand: a run that a node cut short was use, not waiting, and its loss is counted"
    )
    func interrupted() throws {
        var record = FailureRecord(nodeCount: 10)
        record.failureCount = 1
        record.interrupted = [
            InterruptedRun(
                job: 0,
                start: 10_000_000,
                end: 40_000_000,
                lost: 20_000_000,
                isRequeued: true,
                run: 0
            )
        ]
        record.outOfService = [(40_000_000, 5), (60_000_000, 0)]
        let whole = schedule([(0, 50, 100, 4, 1)], failures: record)
        let metrics = ScheduleMetrics(whole, withLossOfCapacity: true)
        #expect(metrics.waitMean == 50)
        #expect(metrics.utilisation == 320.0 / 1_000)
        #expect(metrics.queueMean == 20.0 / 100)
        #expect(metrics.lossOfCapacity == 200.0 / 1_000)
        let summary = try #require(FailureSummary(whole, window: nil))
        #expect(summary.interruptedRuns == 1)
        #expect(summary.lostMachineHours == 80.0 / 3_600)
        #expect(summary.availability == 0.9)
        let late = try #require(FailureSummary(whole, window: 50_000_000...100_000_000))
        #expect(late.availability == 0.9)
        #expect(FailureSummary(schedule([(0, 50, 100, 4, 1)]), window: nil) == nil)
    }

    @Test("A bootstrap covers the mean, repeats with its seed, and is narrow for equal schedules")
    func bootstrap() throws {
        var random = SplitMix64(seed: 7)
        let values = (0..<5_000).map { _ in Double(random.below(1_000)) - 400 }
        let first = try #require(PairedBootstrap(seed: 1).interval(of: values))
        #expect(first == PairedBootstrap(seed: 1).interval(of: values))
        #expect(first != PairedBootstrap(seed: 2).interval(of: values))
        #expect(first.low < first.mean)
        #expect(first.mean < first.high)
        // 1.96 · 289 / √5000 = 8.0 on each side for independent values.
        #expect((6.0...10.0).contains(first.mean - first.low))
        #expect((6.0...10.0).contains(first.high - first.mean))
        let same = try #require(PairedBootstrap(seed: 1).interval(of: [0, 0, 0]))
        #expect(same == PairedDifference(mean: 0, low: 0, high: 0))
        #expect(PairedBootstrap(seed: 1).interval(of: []) == nil)
    }
}
