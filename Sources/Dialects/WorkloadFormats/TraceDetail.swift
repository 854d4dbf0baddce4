/// What a log tells of a job beside its times and its size, for a machine that has partitions, accounts
/// and limits.
public struct TraceDetail: Hashable, Sendable {
    /// The nodes that it asked for, else those that it held; 0 when the log does not tell.
    public var nodes: Int32 = 0
    /// The cores that it asked for, else those that it held.
    public var cores: Int32 = 0
    /// All its memory; 0 when the log does not tell. Unit: MiB.
    public var memoryMebibytes: Int64 = 0
    /// All its cards.
    public var cards: Int32 = 0
    /// The features that its nodes must have, as a position in `Trace.constraintTexts`; −1 for none.
    public var constraint: Int32 = -1
    /// What it waits for, as a position in `Trace.dependencyTexts`; −1 for nothing.
    public var dependency: Int32 = -1
    /// Whether it was in a reservation.
    public var isInReservation = false
    /// The number of its job array, which its dependants may name; 0 when it is in none.
    public var array: Int64 = 0
    /// When it was cancelled while it waited, trace time in µs; −1 when it was not.
    public var cancelledAt: Int64 = -1

    /// Nothing is told.
    public init() {}
}

/// The dependencies that the command line of a submission names.
enum SubmitLine {
    /// The value of `--dependency` or `-d`; empty without.
    static func dependency(_ line: String) -> String {
        var isNext = false
        for word in line.split(separator: " ") {
            if isNext { return unquoted(word) }
            if word == "--dependency" || word == "-d" {
                isNext = true
            } else if word.hasPrefix("--dependency=") {
                return unquoted(word.dropFirst("--dependency=".count))
            } else if word.hasPrefix("-d"), word.count > 2, !word.hasPrefix("-D") {
                return unquoted(word.dropFirst(2))
            } else if !word.hasPrefix("-"), word.hasSuffix(".sh") {
                // What follows a script are the script's own words.
                return ""
            }
        }
        return ""
    }

    private static func unquoted(_ word: Substring) -> String {
        word.filter { $0 != "'" && $0 != "\"" }
    }
}
