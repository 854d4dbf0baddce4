import Glibc

/// The seeds of a property test: as many as asked for, or the one that is to be repeated.
///
///     XINGHE_SEED=1234 swift test --filter PlainTwin
public enum Seeds {
    /// The first `count` seeds; with `XINGHE_SEED` in the environment that one alone.
    public static func first(_ count: UInt64) -> Range<UInt64> {
        guard let text = getenv("XINGHE_SEED"), let seed = UInt64(String(cString: text)) else {
            return 0..<count
        }
        return seed..<(seed + 1)
    }

    /// What a failure says: the seed, and the command that repeats it.
    public static func note(_ seed: UInt64, _ suite: String, _ more: String = "") -> String {
        "seed \(seed)\(more.isEmpty ? "" : ", \(more)");"
            + " again: XINGHE_SEED=\(seed) swift test --filter \(suite)"
    }
}
