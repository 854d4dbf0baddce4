import ArgumentParser
import Reporting
import Scheduling

/// `xinghe policies`: what `--policy` takes.
struct PoliciesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policies",
        abstract: "List the scheduling policies and the parts they are made of."
    )

    func run() throws {
        var policies = TextTable(header: ["policy", "is short for"], alignments: [.left, .left])
        for (name, policy) in SchedulingPolicy.named { policies.add([name, policy.composition]) }
        var orders = TextTable(
            header: ["order", "sorts", "source"],
            alignments: [.left, .left, .left]
        )
        for order in QueueOrder.all { orders.add([order.name, order.summary, order.source]) }
        let slurm = SlurmBackfill.names.map { "\($0.name)=\(SlurmBackfill()[keyPath: $0.field])" }
        let weights = PriorityWeights.names.map {
            "\($0.name)=\(PriorityWeights()[keyPath: $0.field])"
        }
        try StandardOutput.print(
            """
            \(policies.lines.joined(separator: "\n"))

            A composition names what differs from order=fcfs,backfill=none,placement=first-fit.
            A name may be followed by parameters: slurm,bf_window=2880 or easy,estimates=last2.

            \(orders.lines.joined(separator: "\n"))
              w waited, r planned run time, s submitted (all in s), n nodes (cores where shared)

            backfill=    \(BackfillPolicy.allCases.map(\.rawValue).joined(separator: " "))
            placement=   \(PlacementPolicy.allCases.map(\.rawValue).joined(separator: " "))
            estimates=   \(RunTimeEstimate.allCases.map(\.rawValue).joined(separator: " ")) \
            (exact: with --estimates, for all policies of a replay)
            slurm        \(slurm.joined(separator: " "))
            multifactor  \(weights.joined(separator: " "))
            """
        )
    }
}
