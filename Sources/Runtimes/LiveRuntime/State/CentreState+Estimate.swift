import Billing
import ClusterModel
import Emulation
import IndexSets
import JobModel
import Quantities
import WireFormats

extension CentreState {
    /// When and where a job that was submitted just now would start if every job ran to its limit,
    /// and what it would cost.
    ///
    /// - Parameter book: the books that the price is taken from.
    func estimate(
        of entry: JobEntry,
        in book: BillingBook,
        at instant: SimInstant
    ) -> StartEstimate {
        let status = entry.status
        var estimate = StartEstimate()
        estimate.cores = status.startedAt == nil ? status.requestedCores : status.coresHeld
        estimate.nodeList = status.nodeList
        estimate.partition = rules.machine.partitions[status.partitions[0]].name
        let ahead = startAhead(of: entry, at: instant)
        if let ahead {
            estimate.partition = rules.machine.partitions[ahead.start.partition].name
            let names = ahead.nodes.map { rules.machine.nodes[$0].name }
            estimate.nodeList = HostList.compress(names)
        }
        estimate.start = status.startedAt ?? ahead?.start.startedAt
        if estimate.start == nil { estimate.reason = info(of: entry, now: instant).reason }
        let run: JobUsage =
            if let ahead {
                wholeRun(of: entry, ahead.start)
            } else if status.startedAt != nil {
                wholeRunHeld(by: entry)
            } else {
                wholeRunAsked(by: entry, from: max(instant, status.notBefore ?? instant))
            }
        estimate.price = PriceEstimate(
            of: run,
            elements: entry.specification.array?.count ?? 1,
            in: book,
            at: instant
        )
        return estimate
    }

    /// The start that can be foreseen; nil for a job that runs, and for one that time does not help.
    private func startAhead(of entry: JobEntry, at instant: SimInstant) -> ExpectedStart? {
        switch emulator.pendingReason(of: JobID(entry.id)) {
        case nil, .jobHeldUser, .jobHeldAdmin, .dependency, .dependencyNeverSatisfied: nil
        default: emulator.estimatedRun(of: JobID(entry.id), from: instant)
        }
    }
}
