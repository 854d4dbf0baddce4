public import Quantities

/// What the programs of a job reported through `XINGHE_MEASURE`, added up over all their lines.
///
/// Verified or not: `AccountingRecord.verifiedFlop` has the operations whose answer was right.
public struct MeasuredWork: WireRecord {
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
    /// Lines, one a run of a program.
    public var runs: Int64 = 0
    /// Lines whose answer was verified.
    public var verifiedRuns: Int64 = 0

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
    }

    /// The sum with one more line. What a line does not say, or says as nonsense, counts as nothing.
    public func adding(_ line: JSONValue) -> MeasuredWork {
        var sum = self
        sum.runs += 1
        if line["verified"]?.bool == true { sum.verifiedRuns += 1 }
        sum.seconds = seconds + SimDuration(microseconds: amount(line["seconds"]?.double, 1e6))
        sum.flop = clampedSum(flop, max(0, line["flop"]?.integer ?? 0))
        sum.byte = clampedSum(byte, max(0, line["byte"]?.integer ?? 0))
        if let joules = line["energy_joule"]?.double {
            sum.energyMillijoules = clampedSum(energyMillijoules ?? 0, amount(joules, 1e3))
            if line["energy_source"]?.string != "rapl" { sum.isEnergyEstimated = true }
        }
        return sum
    }

    /// `value` in units of 1/`scale`; 0 for what no program takes: a negative or huge amount.
    private func amount(_ value: Double?, _ scale: Double) -> Int64 {
        guard let value, value >= 0, value < 1e12 else { return 0 }
        return Int64((value * scale).rounded())
    }

    private func clampedSum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }
}
