import Emulation
import JobModel
import Quantities

// Jobs that stand still. What really runs is stopped by a signal; the end of an emulated run is not
// known until it goes on.

extension CentreState {
    mutating func absorb(suspended id: UInt32, at instant: SimInstant) {
        jobs.update(id) { status in
            status.suspendedSince = instant
            status.lastSuspension = instant
            status.deadline = nil
            status.emulatedEnd = nil
        }
        effects.append(.suspended(id))
    }

    mutating func absorb(
        resumed id: UInt32,
        _ suspendedFor: SimDuration,
        until deadline: SimInstant,
        at instant: SimInstant
    ) {
        guard let specification = jobs[id]?.specification else { return }
        jobs.update(id) { status in
            status.suspendedSince = nil
            status.suspendedFor = suspendedFor
            status.lastSuspension = instant
            status.deadline = status.isUnlimited ? nil : deadline
            status.emulatedEnd = status.startedAt.map {
                Self.emulatedEnd(specification, $0 + suspendedFor, deadline)
            }
        }
        effects.append(.resumed(id))
        effects.append(.deadlineChanged(id))
    }
}

extension JobStatus {
    mutating func endSuspension(_ end: JobEnd) {
        suspendedSince = nil
        suspendedFor = end.suspendedFor
    }

    /// How long it has run from `start` to `end`, without the time for which it was suspended.
    func runTime(from start: SimInstant, to end: SimInstant) -> SimDuration {
        let running = suspendedSince.map { end - $0 } ?? .zero
        return max(.zero, end - start - suspendedFor - running)
    }
}
