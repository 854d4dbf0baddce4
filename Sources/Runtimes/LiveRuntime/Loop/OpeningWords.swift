import IndexSets
public import Quantities
public import Scheduling

/// What a centre is opened with, in the words of a command line: `xinghe up` and `xinghed` read them
/// alike.
public struct OpeningWords: Sendable {
    /// How time passes.
    public let timeMode: TimeMode
    /// The policy; nil when none was named.
    public let policy: SchedulingPolicy?
    /// Where time begins; nil when nothing was said.
    public let start: SimInstant?

    /// An option that cannot be, in words.
    public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        /// The option and what is wrong with it.
        public let description: String
    }

    /// Reads and checks options.
    ///
    /// - Throws: `Problem` for the first that cannot be.
    public init(
        time: String,
        policy: String?,
        start: String?,
        killWaitSeconds: UInt32,
        journalLimitMebibytes: Int64?,
        imageEvery: Int64?
    ) throws(Problem) {
        guard let timeMode = TimeMode(time) else {
            let meant =
                Int(time) == nil
                ? similarNames(to: time, among: ["real", "stepped"]) : ["x" + time]
            throw Problem(
                description: "--time: '\(time)' is none of real, xFACTOR and stepped"
                    + didYouMean(meant)
            )
        }
        self.timeMode = timeMode
        self.policy = try policy.map { name throws(Problem) in try Self.policy(name) }
        self.start = try start.map { text throws(Problem) in try Self.instant(text) }
        guard start == nil || timeMode != .real else {
            throw Problem(
                description: "--start: real time begins now; it goes with --time xFACTOR or stepped"
            )
        }
        if let limit = journalLimitMebibytes, limit < 1 {
            throw Problem(description: "--journal-limit must be at least 1")
        }
        if let imageEvery, imageEvery < 1 {
            throw Problem(description: "--image-every must be at least 1")
        }
        guard killWaitSeconds <= 3_600 else {
            throw Problem(description: "--kill-wait is at most 3600")
        }
    }

    private static func policy(_ name: String) throws(Problem) -> SchedulingPolicy {
        let policy: SchedulingPolicy
        do throws(SchedulingPolicy.Unknown) {
            policy = try SchedulingPolicy(named: name)
        } catch {
            throw Problem(description: "--policy: \(error)")
        }
        guard policy.backfill != .external else {
            throw Problem(
                description:
                    "--policy: '\(name)' decides nothing by itself; it is for 'xinghe replay'"
            )
        }
        return policy
    }

    /// What `--start` means, in Asia/Shanghai.
    ///
    /// - Throws: `Problem` for what is no time, or none of 1970 to 9999.
    public static func instant(_ text: String) throws(Problem) -> SimInstant {
        guard let instant = civilInstant(text) else {
            throw Problem(
                description: "--start: '\(text)' is no time; write it as 2026-11-01T00:00:00"
            )
        }
        return instant
    }

    private static func civilInstant(_ text: String) -> SimInstant? {
        let parts = text.split { "-T:".contains($0) }.map { Int($0) }
        guard parts.count == 6 || parts.count == 3, let year = parts[0], let month = parts[1],
            let day = parts[2]
        else { return nil }
        var civil = CivilTime(year: year, month: month, day: day)
        if parts.count == 6 {
            guard let hour = parts[3], let minute = parts[4], let second = parts[5] else {
                return nil
            }
            (civil.hour, civil.minute, civil.second) = (hour, minute, second)
        }
        guard civil.isValid else { return nil }
        return civil.instant(offsetSeconds: CivilTime.shanghaiOffsetSeconds)
    }
}
