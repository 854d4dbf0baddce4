import Determinism
import Emulation
import IndexSets
import ReplayRuntime
import Reporting
import WorkloadFormats

extension PolicyOutcome {
    /// Measures the result of a replay.
    init(_ name: String, _ trace: Trace, _ machine: ReplayMachine, _ result: ReplayResult) {
        var jobs: [ScheduledJob] = []
        jobs.reserveCapacity(trace.jobs.count)
        for index in trace.jobs.indices where result.started[index] >= 0 {
            let job = trace.jobs[index]
            let nodes = machine.nodes(forProcessors: job.processors)
            jobs.append(
                ScheduledJob(
                    submitted: job.submitted,
                    started: result.started[index],
                    ended: result.ended[index],
                    processors: Int64(nodes) * Int64(machine.coresPerNode)
                )
            )
        }
        let partition = machine.configuration.partitions[machine.partition]
        let total = Int64(partition.nodes.count) * Int64(machine.coresPerNode)
        self.init(
            policy: name,
            metrics: ScheduleMetrics(jobs, machineProcessors: total),
            timeoutCount: result.timeoutCount,
            queueMaximum: result.queueMaximum,
            digest: result.digest.hexText,
            refusedIDs: result.refused.map { trace.jobs[$0].id }
        )
    }
}
