import Quantities
import WireFormats
import WorkloadFormats

/// What events of nodes did to a schedule, in numbers.
public struct FailureSummary: Sendable {
    /// Nodes that failed, each as often as it did.
    public var failureCount: Int
    /// Runs that were cut short.
    public var interruptedRuns: Int
    /// The numbers of the jobs that did not run to their end.
    public var lostIDs: [Int64]
    /// The numbers of the jobs that waited for nodes that did not come back.
    public var leftWaitingIDs: [Int64]
    /// What was done in vain: processors held × time that no later run went on from. Unit: h.
    public var lostMachineHours: Double
    /// The share of node time in service, from the first submission to the last end or in the
    /// window; nil when no job ran.
    public var availability: Double?

    /// Measures a schedule; nil when nothing could happen to its nodes.
    public init?(_ schedule: Schedule, window: ClosedRange<Int64>?) {
        guard let record = schedule.failures else { return nil }
        failureCount = record.failureCount
        interruptedRuns = record.interrupted.count
        lostIDs = record.lost.map { schedule.trace.jobs[$0].id }
        leftWaitingIDs = record.leftWaiting.map { schedule.trace.jobs[$0].id }
        let lost = record.interrupted.reduce(Int128(0)) { sum, run in
            sum + Int128(run.lost) * Int128(schedule.processorsHeld(by: run.job))
        }
        lostMachineHours = Double(lost) / 3_600e6
        guard let time = window ?? schedule.span, time.lowerBound < time.upperBound else { return }
        let whole = Double(record.nodeCount) * Double(time.upperBound - time.lowerBound)
        availability = 1 - Double(record.outage(in: time)) / whole
    }

    /// As members of a JSON object, with their units.
    var members: [JSONValue.Member] {
        [
            .init("node_failures", .integer(Int64(failureCount))),
            .init("interrupted_runs", .integer(Int64(interruptedRuns))),
            .init("lost_jobs", .integer(Int64(lostIDs.count))),
            .init("left_waiting", .integer(Int64(leftWaitingIDs.count))),
            .init("lost_machine_h", .number(lostMachineHours)),
            .init("availability", availability.map { .number($0) } ?? .null),
        ]
    }

    /// The availability in per cent; a dash when no job ran.
    var availabilityText: String { availability.map { NumberText.fixed($0 * 100, 3) } ?? "–" }

    /// Which jobs did not come to their end, one line for each reason.
    var remarkLines: [String] {
        func line(_ what: String, _ ids: [Int64], _ why: String) -> [String] {
            guard !ids.isEmpty else { return [] }
            let some = ids.prefix(20).map { String($0) }.joined(separator: ", ")
            let more = ids.count > 20 ? ", …" : ""
            return ["\(what): \(counted(ids.count, "job")) \(why) (job \(some)\(more))"]
        }
        return line("lost", lostIDs, "cut short by nodes and not run again")
            + line("left waiting", leftWaitingIDs, "for nodes that did not come back")
    }
}
