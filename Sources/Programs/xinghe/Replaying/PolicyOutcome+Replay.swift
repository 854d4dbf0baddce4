import Determinism
import Emulation
import ReplayRuntime
import Reporting
import WorkloadFormats

extension Schedule {
    /// The schedule that a replay of `trace` on `machine` gave.
    init(_ trace: Trace, _ machine: ReplayMachine, _ result: ReplayResult) {
        self.init(
            trace: trace,
            started: result.started,
            ended: result.ended,
            processorsPerNode: machine.coresPerUnit,
            machineProcessors: machine.coreCount,
            failures: result.failures,
            cancelled: result.cancelled ?? [],
            places: result.places,
            fairStarts: result.fairStarts
        )
    }
}

extension PolicyOutcome {
    /// Measures the result of a replay.
    init(
        _ name: String,
        _ schedule: Schedule,
        _ result: ReplayResult,
        metrics: ScheduleMetrics,
        window: ClosedRange<Int64>?,
        cpuSeconds: Double
    ) {
        self.init(
            policy: name,
            metrics: metrics,
            timeoutCount: result.timeoutCount,
            queueMaximum: result.queueMaximum,
            digest: result.digest.hexText,
            cpuSeconds: cpuSeconds,
            refusedIDs: result.refused.map { schedule.trace.jobs[$0].id },
            cancelledCount: result.cancelled?.count,
            failures: FailureSummary(schedule, window: window)
        )
    }
}

extension EnergySummary {
    /// What the nodes of a machine drew in a replay; nil when nobody asked.
    init?(_ reading: PowerReading?, gridMilligrams: Int64?) {
        guard let reading else { return nil }
        self.init(
            busy: reading[.busy],
            idle: reading[.idle],
            booting: reading[.booting],
            off: reading[.off],
            peakWatts: reading.peakWatts,
            bootCount: reading.bootCount,
            gridMilligrams: gridMilligrams
        )
    }
}
