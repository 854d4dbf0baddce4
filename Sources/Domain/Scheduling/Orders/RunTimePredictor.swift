/// How long jobs of a user ran lately: the mean of the last two that ended.
///
/// Source: Tsafrir, Etsion, Feitelson, IEEE TPDS 18(6), 2007: recent jobs of the same user tell
/// more than any search for similar ones. As the predictsim study ran it: one ended job predicts
/// nothing yet.
public struct RunTimePredictor: Sendable, Codable {
    /// What is added to a prediction that a job has outlived, one after another. Unit: s.
    ///
    /// Source: Tsafrir, Etsion, Feitelson 2007, as in the code of the predictsim study.
    static let corrections: [UInt32] = [
        60, 300, 900, 1_800, 3_600, 7_200, 18_000, 36_000, 72_000, 180_000, 360_000,
    ]

    /// The last two run times of each user, the later one first; only looked up. Unit: s.
    private var history: [Int32: RunTimes] = [:]

    private struct RunTimes: Sendable, Codable {
        var last: UInt32
        var before: UInt32?
    }

    /// Makes a predictor that knows nothing.
    public init() {}

    /// Takes note of a job that has ended.
    public mutating func learn(user: Int32, ranSeconds: UInt32) {
        guard user >= 0 else { return }
        history[user] = RunTimes(last: ranSeconds, before: history[user]?.last)
    }

    /// How long a job will run: the mean of its user's last two, rounded down, at least 1 s and at
    /// most the limit; the limit until two have ended. Unit: s.
    public func prediction(user: Int32, limitSeconds: UInt32) -> UInt32 {
        guard user >= 0, let known = history[user], let before = known.before else {
            return limitSeconds
        }
        let mean = (UInt64(known.last) + UInt64(before)) / 2
        return min(limitSeconds, UInt32(clamping: max(1, mean)))
    }
}

extension ActiveJob {
    /// When it is planned to end, once predictions that it outlived before `now` are corrected.
    public func plannedEnd(before now: Int64) -> Int64 {
        var job = self
        job.correctPrediction(at: now - 1)
        return job.expectedEnd
    }

    /// Plans a running job longer until its planned end lies behind `now` or is its limit's.
    mutating func correctPrediction(at now: Int64) {
        while expectedEnd <= now, plannedSeconds < limitSeconds {
            let steps = RunTimePredictor.corrections
            guard Int(correctionCount) < steps.count else {
                plannedSeconds = limitSeconds
                return
            }
            let longer = predictedSeconds.addingReportingOverflow(steps[Int(correctionCount)])
            plannedSeconds = min(limitSeconds, longer.overflow ? .max : longer.partialValue)
            correctionCount += 1
        }
    }
}
