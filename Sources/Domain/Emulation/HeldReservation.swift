public import IndexSets
public import JobModel
import Quantities
import Scheduling

/// A reservation with what came of its terms.
public struct HeldReservation: Hashable, Sendable, Codable {
    /// What was asked for. A recurring one has the times at which it came or comes next.
    public internal(set) var terms: Reservation
    /// Its nodes, as positions in the machine's.
    public internal(set) var nodes: IDSet
    /// Whether it has begun.
    public internal(set) var isActive = false
    /// The jobs that belong to it, pending or running.
    public internal(set) var jobCount = 0
    /// Those of them that run.
    public internal(set) var runningCount = 0
    /// Since when no job belongs to it. Unit: µs since the epoch.
    var idleSince: Int64

    var id: ReservationID { terms.id }

    /// When it is purged for being idle; nil when it is not. Unit: µs since the epoch.
    var purgeInstant: Int64? {
        guard isActive, jobCount == 0, let maximum = terms.idleMaximum else { return nil }
        return max(idleSince, terms.start.microseconds) + maximum.microseconds
    }

    var span: RecurringSpan { terms.span }

    /// Whether its time is over, or it is to be purged.
    func isOver(at now: SimInstant) -> Bool {
        terms.end <= now || purgeInstant ?? .max <= now.microseconds
    }

    /// Whether it has not begun and should have.
    func begins(by now: SimInstant) -> Bool { !isActive && terms.start <= now }
}

extension Reservation {
    /// When it holds its nodes.
    ///
    /// - Precondition: its times were checked.
    var span: RecurringSpan {
        RecurringSpan(
            start: start.microseconds,
            end: end.microseconds,
            period: flags.period ?? 0
        )
    }

    /// Whether its jobs wait until it begins.
    var makesJobsWait: Bool { !flags.contains(.flex) }
}
