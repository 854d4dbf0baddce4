import Accounts
import JobModel

/// How many licences are free over time: what running jobs hold until they are expected to end, in all
/// groups, and what the jobs of one queue are planned to hold.
struct LicenseTimeline: Sendable {
    /// By licence; only looked up.
    private var free: [Int32: CountTimeline] = [:]

    /// What the running jobs leave free from `now` on; nil where the plan does not know of licences, or
    /// nobody needs any.
    init?(_ policy: SchedulingPolicy, _ jobs: ActiveJobs, at now: Int64, resolution: Int64) {
        guard policy.plansLicenses, !jobs.licenses.isEmpty else { return nil }
        let grace = SchedulingGroup.overrunGrace
        let ends = jobs.licenseHolders
            .map { slot in
                let end = jobs[slot].expectedEnd
                let instant = end <= now ? now + grace : end
                return (instant: (instant + resolution - 1) / resolution * resolution, slot: slot)
            }
            .sorted { ($0.instant, $0.slot) < ($1.instant, $1.slot) }
        for license in 0..<Int32(jobs.limits.licenseCount) {
            let units = Int32(clamping: jobs.limits.freeLicenses(license))
            free[license] = CountTimeline(now: now, free: units)
        }
        for end in ends {
            for need in jobs.licenses(of: end.slot) {
                free[need.license]?.appendEnd(at: end.instant, units: need.count)
            }
        }
    }

    /// The earliest instant, at or after `bound`, from which all of some licences stay free for `length`.
    private func earliest(_ needs: [LicenseNeed], length: Int64, from bound: Int64) -> Int64 {
        var start = bound
        while true {
            let before = start
            for need in needs {
                guard let timeline = free[need.license] else { continue }
                start = timeline.earliest(units: need.count, length: length, from: start)
            }
            if start == before { return start }
        }
    }

    /// Moves the place of a job to when its licences are free too.
    ///
    /// - Parameter earliest: its earliest place from an instant on.
    func delay<Place: PlannedPlace>(
        _ place: Place?,
        _ needs: [LicenseNeed],
        length: Int64,
        _ earliest: (Int64) -> Place?
    ) -> Place? {
        var place = place
        while let current = place {
            let start = self.earliest(needs, length: length, from: current.from)
            if start == current.from { return current }
            place = earliest(start)
        }
        return nil
    }

    /// Holds licences for a planned job.
    mutating func take(_ needs: [LicenseNeed], from start: Int64, until end: Int64) {
        for need in needs { free[need.license]?.take(need.count, from: start, to: end) }
    }
}

extension SchedulingPolicy {
    /// Whether a job that waits for licences has a place in the plan.
    var plansLicenses: Bool {
        backfill == .conservative || backfill == .slurm && slurm.licenses != 0
    }
}
