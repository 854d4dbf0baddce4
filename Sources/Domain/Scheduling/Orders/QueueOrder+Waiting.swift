import Determinism

// Orders by what a job asked for and how long it has waited: computed again before every pass.
// Notation: w waited, r planned run time (at least 1 s), both in s; n nodes (cores where shared).

extension QueueOrder {
    /// WFP3: favours jobs that waited long for their length, the wider the more.
    public static let wfp3 = QueueOrder(
        name: "wfp3",
        summary: "highest (w/r)^3 * n first",
        source: "Tang, Lan, Desai, Buettner, Cluster 2009",
        variation: .everyPass
    ) { job in
        let ratio = job.waitedSeconds / Double(max(1, job.plannedSeconds))
        return OrderValue.descending(ratio * ratio * ratio * Double(job.units))
    }

    /// UNICEF: favours small and short jobs that waited long.
    ///
    /// The formula divides by log₂ n, so a job of one node goes first as soon as it has waited.
    public static let unicef = QueueOrder(
        name: "unicef",
        summary: "highest w / (log2(n) * r) first",
        source: "Tang, Lan, Desai, Buettner, Cluster 2009",
        variation: .everyPass
    ) { job in
        let length = Double(max(1, job.plannedSeconds))
        let weight = ReproducibleMath.log2(Double(max(1, job.units))) * length
        guard job.waitedSeconds > 0 else { return OrderValue.descending(0) }
        return OrderValue.descending(weight > 0 ? job.waitedSeconds / weight : .infinity)
    }
}
