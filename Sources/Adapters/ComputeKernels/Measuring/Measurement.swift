public import WireFormats

/// What a run of a kernel did: the line that it prints and reports to the accounting.
public struct Measurement: Sendable {
    /// The line as JSON. Members and their meaning: docs/measure.md.
    public let json: JSONValue
    /// Whether the answer was right.
    public let isVerified: Bool

    init(
        kernel: String,
        size: String,
        ranks: Int,
        threads: Int,
        timing: Timing,
        energy: RunEnergy,
        verdict: Verdict,
        binding: [String],
        host: String,
        on surroundings: RunSurroundings,
        details: [JSONValue.Member]
    ) {
        isVerified = verdict.isVerified
        var members: [JSONValue.Member] = [
            .init("kernel", .string(kernel)),
            .init("size", .string(size)),
            .init("ranks", .integer(Int64(ranks))),
            .init("threads", .integer(Int64(threads))),
            .init("seconds", .number(timing.seconds)),
            .init("flop", .integer(timing.work.flop)),
            .init("byte", .integer(timing.work.byte)),
            .init("flop_per_s", .number(Double(timing.work.flop) / timing.seconds)),
            .init("byte_per_s", .number(Double(timing.work.byte) / timing.seconds)),
            .init("verified", .bool(verdict.isVerified)),
            .init("residual", .number(verdict.residual)),
            .init("binding", .array(binding.map { .string($0) })),
            .init("host", .string(host)),
            .init("repeats", .integer(Int64(timing.repetitions))),
            .init("energy_joule", .number(energy.joules)),
            .init("energy_source", .string(energy.isMeasured ? "rapl" : "estimate")),
            .init("on", surroundings.json),
        ]
        // One card, which works all the while.
        if surroundings.card != nil {
            members.append(.init("card_seconds", .number(timing.seconds)))
        }
        if let best = timing.best {
            members.append(.init("best_seconds", .number(best.seconds)))
            members.append(.init("best_flop_per_s", .number(Double(best.work.flop) / best.seconds)))
            members.append(.init("best_byte_per_s", .number(Double(best.work.byte) / best.seconds)))
        }
        if !details.isEmpty { members.append(.init("details", .object(details))) }
        json = .object(members)
    }
}
