import ArgumentParser
import Reporting
import Scheduling

/// `xinghe policies`: what `--policy` takes.
struct PoliciesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policies",
        abstract: "List the scheduling policies and the parts they are made of."
    )

    func run() {
        var table = TextTable(header: ["policy", "is short for"], alignments: [.left, .left])
        for (name, policy) in SchedulingPolicy.named { table.add([name, policy.composition]) }
        print(table.lines.joined(separator: "\n"))
        print(
            """

            A composition names what differs from order=fcfs,backfill=none,placement=first-fit:
              order=      \(QueueOrder.allCases.map(\.rawValue).joined(separator: " "))
              backfill=   \(BackfillPolicy.allCases.map(\.rawValue).joined(separator: " "))
              placement=  \(PlacementPolicy.allCases.map(\.rawValue).joined(separator: " "))
            """
        )
    }
}
