import Accounts
import Determinism
import Testing

@Suite("Decaying usage")
struct UsageMeterTests {
    /// The plain twin: period by period, in floating point.
    private struct PlainMeter {
        var settled = 0.0
        var accrued = 0.0
        var rate = 0.0
        var updated: Int64
        let period: Int64
        let factor: Double

        mutating func advance(to now: Int64) {
            while updated < now {
                let boundary = (updated / period + 1) * period
                let next = min(boundary, now)
                accrued += rate * Double(next - updated)
                updated = next
                guard next == boundary else { continue }
                settled = settled * factor + accrued
                accrued = 0
            }
        }
    }

    @Test("is what period after period gives", arguments: 1...40 as ClosedRange<UInt64>)
    func twin(seed: UInt64) {
        var random = SplitMix64(seed: seed, stream: "usage")
        let period = Int64(random.draw(1...600))
        let halfLife = Int(period) * random.draw(1...50)
        let decay = UsageDecay(halfLifeSeconds: halfLife, periodSeconds: Int(period))
        let start = Int64(random.draw(0...1_000_000)) * 1_000
        var meter = UsageMeter(at: start)
        var plain = PlainMeter(
            updated: start,
            period: period * 1_000_000,
            factor: ReproducibleMath.halved(Double(period) / Double(halfLife))
        )
        var now = start
        var held: Int64 = 0
        for _ in 0..<60 {
            now += Int64(random.draw(0...Int(period * 7))) * 1_000_003 / 2
            let change = Int64(random.draw(Int(-held)...40))
            held += change
            meter.change(by: change, at: now, decay)
            plain.advance(to: now)
            plain.rate = Double(held)
            let later = now + Int64(random.draw(0...20)) * 100_000_007
            var ahead = plain
            ahead.advance(to: later)
            let used = Double(meter.usedSeconds(at: later, decay))
            let settled = (Double(meter.settled(at: later, decay)) / 1e6).rounded()
            let tolerance = 1 + (ahead.settled + ahead.accrued) * 1e-12 / 1e6
            #expect(
                abs(used - ((ahead.settled + ahead.accrued) / 1e6).rounded(.down)) <= tolerance,
                "seed \(seed)"
            )
            #expect(
                abs(settled - (ahead.settled / 1e6).rounded()) <= tolerance,
                "seed \(seed)"
            )
        }
    }

    @Test("what is seen does not depend on how often somebody looks")
    func looking() {
        let decay = UsageDecay(halfLifeSeconds: 86_400, periodSeconds: 300)
        var meter = UsageMeter(at: 0)
        meter.change(by: 7, at: 0, decay)
        let direct = meter.usedSeconds(at: 10_000_000_000, decay)
        for instant in stride(from: 0, to: 10_000_000_000 as Int64, by: 77_000_000) {
            _ = meter.usedSeconds(at: instant, decay)
        }
        #expect(meter.usedSeconds(at: 10_000_000_000, decay) == direct)
    }
}
