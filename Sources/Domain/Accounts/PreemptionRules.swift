/// Which running jobs make way for others that wait, and how. Names are Slurm's (`PreemptType`,
/// `PreemptMode`, `PreemptExemptTime`).
///
/// Source: Slurm 22.05, "Preemption", https://slurm.schedmd.com/preempt.html.
public struct PreemptionRules: Hashable, Sendable, Codable {
    /// What decides who makes way for whom.
    public enum Basis: String, Hashable, Sendable, CaseIterable, Codable {
        /// The QOS that a QOS preempts (`preempt/qos`).
        case qos
        /// The tiers of partitions: lower ones make way for higher ones (`preempt/partition_prio`).
        case partition
    }

    /// What becomes of a running job that makes way.
    public enum Mode: String, Hashable, Sendable, CaseIterable, Codable {
        /// As the centre says.
        case cluster
        /// It does not make way.
        case off
        /// It ends.
        case cancel
        /// It waits again; a job that must not be requeued ends.
        case requeue
        /// It stands still, and goes on when the job has ended that it makes way for (`SUSPEND,GANG`).
        case suspend
    }

    /// What decides who makes way for whom; nil when nobody does.
    public var basis: Basis?
    /// What becomes of jobs of whom nobody says otherwise; not `cluster`.
    public var mode = Mode.requeue
    /// How long a job runs at least before it makes way, where its QOS does not say. Unit: s.
    public var exemptSeconds: Int32 = 0

    /// Nobody makes way.
    public init() {}
}
