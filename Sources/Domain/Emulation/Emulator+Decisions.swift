import Accounts
public import IndexSets
public import JobModel
public import Quantities
import Scheduling

/// Starts that were decided outside: what a driver sends for `BackfillPolicy.external`.
extension Emulator {
    /// Starts a queued job now, in the first of its queue groups that has the nodes.
    ///
    /// - Parameter nodes: the nodes that it gets, all of them and no others; nil for those that the
    ///   placement policy chooses.
    /// - Throws: `InputRejection` when it does not wait in a queue, cannot be placed at this
    ///   instant, or a limit leaves no room; nothing has changed then.
    public mutating func start(
        _ id: JobID,
        on nodes: IDSet? = nil,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) throws(InputRejection) {
        let slot = try pendingSlot(id)
        let job = jobs[slot]
        guard job.phase == .queued else { throw .jobMayNotStart(id, job.reason) }
        for group in groupsOf(slot) {
            switch groups[group].startChosen(slot, on: nodes, at: now, &jobs) {
            case .started: return reportStarts(in: group, at: now, into: &sink)
            case .isOverLimit(let stop): throw .jobMayNotStart(id, stop.reason)
            case .isNotQueued, .doesNotFit: continue
            }
        }
        throw .doesNotFitNow(id)
    }
}
