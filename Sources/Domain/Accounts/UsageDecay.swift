import Quantities

/// How past use is forgotten: halved every half-life, or set to zero at every period's begin.
///
/// All in integers, so that every machine has the same result, and in closed form: how often
/// somebody looks does not change what is seen.
public struct UsageDecay: Hashable, Sendable, Codable {
    /// When use is set to zero (`PriorityUsageResetPeriod`), by the clock of China, as statements go.
    public enum Reset: String, Hashable, Sendable, CaseIterable, Codable {
        /// Never.
        case none = "NONE"
        /// At midnight.
        case daily = "DAILY"
        /// On Sundays at midnight.
        case weekly = "WEEKLY"
        /// On the first of the month.
        case monthly = "MONTHLY"
        /// On the first of January, April, July and October.
        case quarterly = "QUARTERLY"
        /// On the first of January.
        case yearly = "YEARLY"
    }

    /// How often use is brought up to date (`PriorityCalcPeriod`). Unit: µs.
    public let period: Int64
    private let reset: Reset
    /// Whether anything is forgotten little by little.
    private let isHalved: Bool
    /// What 2ⁱ periods leave of a unit. Unit: 2⁻⁶³.
    private let powers: [UInt64]
    /// What a unit in each of 2ⁱ periods has come to by the end of the last. Unit: 2⁻⁶³.
    private let sums: [UInt128]

    private static let one: UInt64 = 1 << 63
    /// 2⁴⁰ periods of a second are longer than any centre lives.
    private static let bitCount = 40

    /// Makes a rule.
    ///
    /// - Parameters:
    ///   - halfLifeSeconds: after which use counts half (`PriorityDecayHalfLife`); 0 is never.
    ///   - periodSeconds: how often it is brought up to date; at least 1.
    public init(halfLifeSeconds: Int, periodSeconds: Int, reset: Reset = .none) {
        let seconds = max(1, periodSeconds)
        period = Int64(seconds) * 1_000_000
        self.reset = reset
        isHalved = halfLifeSeconds > 0
        guard isHalved else {
            powers = []
            sums = []
            return
        }
        var power = Self.halved(seconds, by: halfLifeSeconds)
        var sum = UInt128(Self.one)
        var powers: [UInt64] = []
        var sums: [UInt128] = []
        for _ in 0..<Self.bitCount {
            powers.append(power)
            sums.append(sum)
            // Σ of 2n terms = Σ of n + factorⁿ · Σ of n.
            sum += Self.product(sum, power)
            power = UInt64(Self.product(UInt128(power), power))
        }
        self.powers = powers
        self.sums = sums
    }

    /// The same periods without forgetting.
    var forgettingNothing: UsageDecay {
        UsageDecay(halfLifeSeconds: 0, periodSeconds: Int(period / 1_000_000))
    }

    /// Whether use counts less as time goes by.
    var forgets: Bool { isHalved || reset != .none }

    /// 2^−(time ÷ half-life). Unit: 2⁻⁶³.
    private static func halved(_ time: Int, by halfLife: Int) -> UInt64 {
        let whole = time / halfLife
        guard whole < 63 else { return 0 }
        var rest = UInt128(time % halfLife)
        var factor = UInt128(one)
        // One square root of one half more for each bit of the fraction.
        var root = UInt128(one) >> 1
        for _ in 0..<63 where rest > 0 {
            root = squareRoot(root << 63)
            rest *= 2
            if rest >= UInt128(halfLife) {
                rest -= UInt128(halfLife)
                factor = product(factor, UInt64(root))
            }
        }
        return UInt64(factor >> UInt128(whole))
    }

    /// The root, rounded down.
    private static func squareRoot(_ value: UInt128) -> UInt128 {
        var root: UInt128 = 0
        var bit: UInt128 = 1 << 63
        while bit > 0 {
            let candidate = root | bit
            if candidate * candidate <= value { root = candidate }
            bit >>= 1
        }
        return root
    }

    /// `value` times a factor of at most 1, rounded down.
    ///
    /// - Parameter factor: Unit: 2⁻⁶³.
    @inline(__always)
    private static func product(_ value: UInt128, _ factor: UInt64) -> UInt128 {
        // By halves of 64 bits: what the upper one comes to has no part that is rounded away.
        let low = UInt128(UInt64(truncatingIfNeeded: value)) * UInt128(factor)
        let high = UInt128(UInt64(truncatingIfNeeded: value >> 64)) * UInt128(factor)
        return high << 1 &+ low >> 63
    }

    /// The begin of the period of `now`. Unit: µs since the epoch.
    func periodStart(_ now: Int64) -> Int64 {
        let rest = now % period
        return now - (rest < 0 ? rest + period : rest)
    }

    /// An instant, with what all meters that are looked at then have to know of it. Unit: µs since the epoch.
    struct Moment {
        let instant: Int64
        let periodStart: Int64
        let lastReset: Int64?
    }

    func moment(_ now: Int64) -> Moment {
        Moment(instant: now, periodStart: periodStart(now), lastReset: lastReset(now))
    }

    /// What `value` and `amount` in each of `count` periods have come to.
    func after(_ count: Int64, _ value: UInt128, adding amount: UInt128) -> UInt128 {
        guard isHalved else { return value + amount * UInt128(count) }
        if count == 1 { return Self.product(value, powers[0]) + amount }
        var left = value
        var gained: UInt128 = 0
        // From the earliest periods to the latest: what came before decays once more.
        var rest = UInt64(max(0, count)) & (1 << UInt64(Self.bitCount) - 1)
        while rest > 0 {
            let bit = UInt64.bitWidth - 1 - rest.leadingZeroBitCount
            rest ^= 1 << UInt64(bit)
            left = Self.product(left, powers[bit])
            if amount == 0 { continue }
            gained = Self.product(gained, powers[bit])
            let wide = amount.multipliedFullWidth(by: sums[bit])
            gained += wide.high << 65 | wide.low >> 63
        }
        return left + gained
    }

    /// The last instant up to `now` at which use was set to zero; nil when it never is.
    func lastReset(_ now: Int64) -> Int64? {
        if reset == .none { return nil }
        let offset = CivilTime.shanghaiOffsetSeconds
        var start = CivilTime(SimInstant(microseconds: now), offsetSeconds: offset)
        (start.hour, start.minute, start.second) = (0, 0, 0)
        switch reset {
        case .none, .daily: break
        case .weekly:
            let midnight = start.instant(offsetSeconds: offset)
            let day = (midnight.seconds + offset) / 86_400
            // Day 0, the first of January 1970, was a Thursday.
            return (midnight - SimDuration(seconds: (day + 4) % 7 * 86_400)).microseconds
        case .monthly: start.day = 1
        case .quarterly: (start.month, start.day) = ((start.month - 1) / 3 * 3 + 1, 1)
        case .yearly: (start.month, start.day) = (1, 1)
        }
        return start.instant(offsetSeconds: offset).microseconds
    }
}

/// What somebody has used of one resource, decayed, while what they hold changes.
public struct UsageMeter: Hashable, Sendable, Codable {
    /// At the begin of the period of `updated`. Unit: amount · µs.
    private var settled: UInt128 = 0
    /// Since then. Unit: amount · µs.
    private var accrued: UInt128 = 0
    /// What is held now.
    private var rate: Int64 = 0
    /// Unit: µs since the epoch.
    private var updated: Int64

    /// Nothing was used before `now`.
    public init(at now: Int64) {
        updated = now
    }

    /// Notes that more is held from now on, or less.
    public mutating func change(by amount: Int64, at now: Int64, _ decay: UsageDecay) {
        advance(to: decay.moment(now), decay)
        rate += amount
        precondition(rate >= 0, "less than nothing is held")
    }

    /// Notes that nothing is held from now on.
    mutating func stop(at now: Int64, _ decay: UsageDecay) {
        advance(to: decay.moment(now), decay)
        rate = 0
    }

    /// Adds what another has used, and not what it holds.
    mutating func addPast(of other: UsageMeter, at now: Int64, _ decay: UsageDecay) {
        var other = other
        other.advance(to: decay.moment(now), decay)
        advance(to: decay.moment(now), decay)
        settled += other.settled
        accrued += other.accrued
    }

    /// What was used up to the begin of the period of `now`, as priorities see it. Unit: amount · µs.
    public func settled(at now: Int64, _ decay: UsageDecay) -> UInt128 {
        settled(at: decay.moment(now), decay)
    }

    /// The same, for whoever looks at many meters at one moment.
    func settled(at moment: UsageDecay.Moment, _ decay: UsageDecay) -> UInt128 {
        var meter = self
        meter.advance(to: moment, decay)
        return meter.settled
    }

    /// What was used up to `now`, as limits see it. Unit: amount · s, rounded down.
    public func usedSeconds(at now: Int64, _ decay: UsageDecay) -> UInt64 {
        var meter = self
        meter.advance(to: decay.moment(now), decay)
        return UInt64(clamping: (meter.settled + meter.accrued) / 1_000_000)
    }

    @inline(__always)
    private mutating func advance(to moment: UsageDecay.Moment, _ decay: UsageDecay) {
        guard moment.instant > updated else { return }
        // Nothing stays nothing.
        if settled == 0, accrued == 0, rate == 0 {
            updated = moment.instant
            return
        }
        if let reset = moment.lastReset, reset > updated {
            settled = 0
            accrued = 0
            updated = reset
        }
        let start = moment.periodStart
        if start > updated {
            let first = decay.periodStart(updated) + decay.period
            accrued += held(first - updated)
            settled = decay.after(1, settled, adding: accrued)
            if start > first {
                let count = (start - first) / decay.period
                settled = decay.after(count, settled, adding: held(decay.period))
            }
            accrued = 0
            updated = start
        }
        accrued += held(moment.instant - updated)
        updated = moment.instant
    }

    private func held(_ length: Int64) -> UInt128 { UInt128(rate) * UInt128(length) }
}
