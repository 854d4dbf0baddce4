public import Quantities

/// What the programs of a job reported through `XINGHE_MEASURE`, added up over all their lines.
///
/// Verified or not: `AccountingRecord.verifiedFlop` has the operations whose answer was right.
public struct MeasuredWork: WireRecord, Codable {
    /// Wall time of the timed parts.
    public var seconds = SimDuration.zero
    /// Operations.
    public var flop: Int64 = 0
    /// Bytes that had to move.
    public var byte: Int64 = 0
    /// Energy; nil when no program said. Unit: mJ.
    public var energyMillijoules: Int64?
    /// Whether any part of the energy is an estimate and not read from a counter.
    public var isEnergyEstimated = false
    /// Time that cards worked, each by itself; nil when no program said.
    public var cardTime: SimDuration?
    /// Lines, one a run of a program.
    public var runs: Int64 = 0
    /// Lines whose answer was verified.
    public var verifiedRuns: Int64 = 0
    /// Lines that were no measurement of this run and are in no sum; nil when there were none.
    public var linesPassedOver: Int64?
    /// The end of a file that is too long, which was not read; nil when there was none.
    public var unread: ByteCount?

    /// Makes an empty sum.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("wall", &seconds)
        try fields("flop", &flop)
        try fields("byte", &byte)
        try fields("energy_mj", &energyMillijoules)
        try fields("energy_estimated", &isEnergyEstimated)
        try fields("runs", &runs)
        try fields("verified_runs", &verifiedRuns)
        try fields.ifPresent("card_time", &cardTime)
        try fields.ifPresent("lines_passed_over", &linesPassedOver)
        try fields.ifPresent("unread_byte", &unread)
    }

    /// Adds one more line.
    public mutating func add(_ line: MeasuredLine) {
        runs += 1
        if line.isVerified { verifiedRuns += 1 }
        seconds.microseconds = clampedSum(seconds.microseconds, line.seconds.microseconds)
        flop = clampedSum(flop, line.flop ?? 0)
        byte = clampedSum(byte, line.byte)
        if let more = line.cardTime {
            cardTime = SimDuration(
                microseconds: clampedSum(cardTime?.microseconds ?? 0, more.microseconds)
            )
        }
        guard let energy = line.energyMillijoules else { return }
        energyMillijoules = clampedSum(energyMillijoules ?? 0, energy)
        if !line.isEnergyCounted { isEnergyEstimated = true }
    }

    private func clampedSum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }
}
