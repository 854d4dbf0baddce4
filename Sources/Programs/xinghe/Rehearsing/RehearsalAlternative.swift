import Quantities
import SlurmDialect
import WireFormats

/// How scripts go when one of them is submitted in another way.
struct RehearsalAlternative: WireRecord {
    /// The options that differ.
    var option = ""
    /// Whether the scripts ran again; else their jobs took as long, and ended, as they did the first time.
    var isRehearsed = true
    var state = ""
    /// Why it never started.
    var reason: String?
    var exitCode: Int32 = 0
    var signal: Int32 = 0
    var start: SimInstant?
    var elapsed = SimDuration.zero
    /// What all jobs of the rehearsal cost together. Unit: fen.
    var gross: Int64 = 0
    var subsidy: Int64 = 0
    var net: Int64 = 0
    /// What they cost as they were submitted.
    var netAsIs: Int64 = 0
    var isCheaper = false
    /// Whether the script is over earlier.
    var isSooner = false
    /// Whether it ends otherwise than COMPLETED, which it did as it was submitted.
    var isWorse = false

    init() {}

    /// - Parameters:
    ///   - number: the script's job as it was submitted.
    ///   - otherNumber: the one of the other way.
    init(
        _ way: OtherWay,
        of number: UInt32,
        _ result: RehearsalResult,
        as otherNumber: UInt32,
        _ other: RehearsalResult
    ) {
        let (own, now) = (result.jobs(of: number), other.jobs(of: otherNumber))
        option = way.option
        // Of an array's elements that which ended worst, and the first and the last instant.
        let told = now.first { $0.state != "COMPLETED" } ?? now.last ?? RehearsedJob()
        (state, reason, exitCode, signal) = (told.state, told.reason, told.exitCode, told.signal)
        start = now.compactMap(\.start).min()
        elapsed = now.map(\.elapsed).max() ?? .zero
        (gross, subsidy, net, netAsIs) = (other.gross, other.subsidy, other.net, result.net)
        isWorse = own.allSatisfy { $0.state == "COMPLETED" } && state != "COMPLETED"
        isCheaper = net < netAsIs
        guard let end = Self.end(now) else { return }
        isSooner = Self.end(own).map { end < $0 } ?? true
    }

    /// When the last of them is over; nil where one never starts.
    private static func end(_ jobs: [RehearsedJob]) -> SimInstant? {
        let ends = jobs.compactMap { job in job.start.map { $0 + job.elapsed } }
        return ends.count == jobs.count ? ends.max() : nil
    }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("option", &option)
        try fields("rehearsed", &isRehearsed)
        try fields("state", &state)
        try fields("reason", &reason)
        try fields("exit_code", &exitCode)
        try fields("signal", &signal)
        try fields("start", &start)
        try fields("elapsed", &elapsed)
        try fields("gross_fen", &gross)
        try fields("subsidy_fen", &subsidy)
        try fields("net_fen", &net)
        try fields("net_as_is_fen", &netAsIs)
        try fields("cheaper", &isCheaper)
        try fields("sooner", &isSooner)
        try fields("worse", &isWorse)
    }
}

// MARK: - For people

extension RehearsalAlternative {
    /// A line for one that is better, or of which it is good to know that it is not; else nil.
    func line(_ words: MessageLanguage) -> String? {
        guard isCheaper || isSooner || isWorse else { return nil }
        guard let start else {
            let why = reason ?? "None"
            return words("  不宜改用 \(option)：不会启动（\(why)）", "  not \(option): does not start: \(why)")
        }
        let instant = CivilTime(start, offsetSeconds: CivilTime.shanghaiOffsetSeconds).iso8601
        let took = SlurmTime.full(elapsed)
        guard !isWorse else {
            return words(
                "  不宜改用 \(option)：\(instant) 启动，\(took) 后结束：\(state) \(exitCode):\(signal)",
                "  not \(option): starts \(instant), ends \(state) \(exitCode):\(signal) after \(took)"
            )
        }
        let (gross, subsidy) = (Fen(gross).yuanText, Fen(subsidy).yuanText)
        let (net, before) = (Fen(net).yuanText, Fen(netAsIs).yuanText)
        let note = isRehearsed ? "" : words("（未再次运行脚本）", " (the script was not run again)")
        return words(
            "  可改用 \(option)：\(instant) 启动，\(took) 后结束：\(state) \(exitCode):\(signal)，"
                + "费用 \(gross) 元，补贴 \(subsidy) 元，应付 \(net) 元（现为 \(before) 元）" + note,
            "  or \(option): starts \(instant), ends \(state) \(exitCode):\(signal) after \(took), fee"
                + " \(gross) CNY, subsidy \(subsidy), net \(net) (as it is \(before))" + note
        )
    }
}

extension RehearsedScript {
    func untriedLine(_ words: MessageLanguage) -> String? {
        guard !untried.isEmpty else { return nil }
        let options = untried.joined(separator: words("，", ", "))
        return words("  未及试用：\(options)", "  not tried for want of time: \(options)")
    }
}
