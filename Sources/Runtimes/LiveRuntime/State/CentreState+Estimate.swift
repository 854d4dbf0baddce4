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
    /// - Parameters:
    ///   - entries: the job, or the components of a heterogeneous one from the first on, which start at
    ///     one instant; not empty.
    ///   - book: the books that the price is taken from.
    func estimate(
        of entries: [JobEntry],
        in book: BillingBook,
        at instant: SimInstant
    ) -> StartEstimate {
        var estimate = StartEstimate()
        let ahead = startsAhead(of: entries, at: instant)
        var (partitions, nodes): ([String], [String]) = ([], [])
        var runs: [JobUsage] = []
        for entry in entries {
            let status = entry.status
            estimate.cores += status.startedAt == nil ? status.requestedCores : status.coresHeld
            let own = ahead[JobID(entry.id)]
            let partition = own?.start.partition ?? status.partitions[0]
            partitions.append(rules.machine.partitions[partition].name)
            let held = own?.nodes ?? status.nodes.map(\.node)
            nodes += held.map { rules.machine.nodes[$0].name }
            let run: JobUsage =
                if let own {
                    wholeRun(of: entry, own.start)
                } else if status.startedAt != nil {
                    wholeRunHeld(by: entry)
                } else {
                    wholeRunAsked(by: entry, from: max(instant, status.notBefore ?? instant))
                }
            runs.append(run)
        }
        estimate.partition = partitions.eachOnce.joined(separator: ",")
        estimate.nodeList = HostList.compress(nodes.eachOnce)
        estimate.start = entries[0].status.startedAt ?? ahead[JobID(entries[0].id)]?.start.startedAt
        if estimate.start == nil { estimate.reason = info(of: entries[0], now: instant).reason }
        estimate.price = PriceEstimate(
            of: runs,
            elements: entries[0].specification.array?.count ?? 1,
            in: book,
            at: instant
        )
        return estimate
    }

    /// The starts that can be foreseen; none for a job that runs, and for one that time does not help.
    private func startsAhead(
        of entries: [JobEntry],
        at instant: SimInstant
    ) -> [JobID: ExpectedStart] {
        let ids = entries.map { JobID($0.id) }
        let waitsForTime = ids.allSatisfy { id in
            switch emulator.pendingReason(of: id) {
            case nil, .jobHeldUser, .jobHeldAdmin, .dependency, .dependencyNeverSatisfied: false
            default: true
            }
        }
        guard waitsForTime else { return [:] }
        let starts = emulator.estimatedRuns(of: ids, from: instant)
        return Dictionary(starts.map { ($0.start.id, $0) }) { first, _ in first }
    }
}
