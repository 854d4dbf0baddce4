import Billing
import Determinism
import JobModel
import Quantities
import Testing

@Suite("Charges")
struct ChargeTests {
    func fee(_ usage: JobUsage, _ tariff: Tariff = flatTariff) -> Fen {
        var volumes = VolumeCounter()
        return tariff.charge(for: usage, volumes: &volumes).reduce(into: .zero) { $0 += $1.amount }
    }

    @Test("Twelve cores for an hour at 0.10 cost 1.20")
    func coreHours() {
        #expect(fee(usage(1)) == Fen(120))
        #expect(fee(usage(1, cards: 1)) == Fen(150))
    }

    @Test("A fee is rounded half up, once")
    func roundsHalfUpOnce() {
        // 1 core × 180 s × 10 fen/h = 0.5 fen.
        #expect(fee(usage(1, cores: 1, seconds: 180)) == Fen(1))
        #expect(fee(usage(1, cores: 1, seconds: 179)) == Fen(0))
        // 0.5 fen of cores and 0.5 fen of cards (60 s × 30 fen/h) make one fen, not two.
        var volumes = VolumeCounter()
        let tariff = Tariff(
            id: "t",
            lines: [
                TariffLine(resource: .coreHour, price: fenAnHour(10)),
                TariffLine(resource: .cardHour, price: fenAnHour(10)),
            ]
        )
        let parts = tariff.charge(
            for: usage(1, cores: 1, cards: 1, seconds: 180),
            volumes: &volumes
        )
        #expect(parts.map(\.amount) == [Fen(1)])
    }

    @Test("What is not to be charged costs nothing")
    func freeOutcomes() {
        #expect(fee(usage(1, outcome: .ended(.nodeFail))) == .zero)
        #expect(fee(usage(1, outcome: .requeuedBySystem)) == .zero)
        #expect(fee(usage(1, outcome: .requeuedByUser)) == Fen(120))
        #expect(fee(usage(1, outcome: .ended(.cancelled), from: nil)) == .zero)
        for state in EndState.allCases where state != .nodeFail {
            #expect(fee(usage(1, outcome: .ended(state))) == Fen(120), "\(state)")
        }
    }

    @Test("A run over New Year in Tianjin is split at midnight there, not in Greenwich")
    func splitsAtTheMonthEndOfShanghai() {
        var volumes = VolumeCounter()
        let run = usage(7, cores: 120, from: shanghai(2026, 12, 31, 23), seconds: 3 * 3_600)
        let parts = flatTariff.charge(for: run, volumes: &volumes)
        #expect(parts.map(\.month.description) == ["2026-12", "2027-01"])
        #expect(parts.map(\.amount) == [Fen(1_200), Fen(2_400)])
        #expect(parts.map(\.entryID) == ["charge/7.0/2026-12", "charge/7.0/2027-01"])
    }

    @Test("The parts of a split run add up to its fee, whatever the numbers", arguments: 0..<300)
    func partsAddUp(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed), stream: "parts")
        let run = usage(
            1,
            cores: Int64(random.draw(1...5_000)),
            cards: Int64(random.draw(0...9)),
            from: shanghai(2026, random.draw(1...12), random.draw(1...28)),
            seconds: Int64(random.draw(1...20_000_000))
        )
        var volumes = VolumeCounter()
        let parts = flatTariff.charge(for: run, volumes: &volumes)
        let exact =
            Int128(run.runDuration.microseconds)
            * (Int128(run.coreCount) * 10 + Int128(run.cardCount) * 30)
        let whole = (exact + 1_800_000_000) / 3_600_000_000
        let sum = parts.reduce(into: Fen.zero) { $0 += $1.amount }
        #expect(Int128(sum.count) == whole, "seed \(seed)")
        #expect(parts.allSatisfy { $0.fees.allSatisfy { $0.amount > .zero } }, "seed \(seed)")
        let held = parts.reduce(into: HeldTime.zero) { $0 += $1.held(.coreHour) }
        #expect(held == HeldTime(count: run.coreCount, for: run.runDuration), "seed \(seed)")
        #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.endedAt == $1.startedAt })
    }

    @Test("The nearest line wins: partition before platform before all")
    func nearestLineWins() {
        let tariff = Tariff(
            id: "t",
            lines: [
                TariffLine(resource: .coreHour, price: fenAnHour(1_000)),
                TariffLine(platform: "tianhe", resource: .coreHour, price: fenAnHour(100)),
                TariffLine(partition: "TH_NET", resource: .coreHour, price: fenAnHour(10)),
            ]
        )
        #expect(fee(usage(1), tariff) == Fen(120))
        var elsewhere = usage(1)
        elsewhere.partition = "work"
        #expect(fee(elsewhere, tariff) == Fen(1_200))
        #expect(fee(usage(1, platform: "host"), tariff) == Fen(12_000))
    }

    @Test("A run across a change of price pays each price for its part")
    func priceChange() {
        let change = shanghai(2026, 7, 15)
        let tariff = Tariff(
            id: "t",
            lines: [
                TariffLine(
                    resource: .coreHour,
                    validity: Validity(until: change),
                    price: fenAnHour(10)
                ),
                TariffLine(
                    resource: .coreHour,
                    validity: Validity(from: change),
                    price: fenAnHour(20)
                ),
            ]
        )
        let run = usage(1, cores: 1, from: shanghai(2026, 7, 14, 23), seconds: 2 * 3_600)
        #expect(fee(run, tariff) == Fen(30))
    }

    @Test("Volume tiers are marginal, by account and month")
    func volumeTiers() {
        // The scale of IAP-CAS (2023), a thousand times smaller: 0.12 to 100 h, 0.10 to 500 h, 0.08.
        let tariff = Tariff(
            id: "iap",
            lines: [
                TariffLine(
                    resource: .coreHour,
                    tiers: [
                        PriceTier(upToHours: 100, price: fenAnHour(12)),
                        PriceTier(upToHours: 500, price: fenAnHour(10)),
                        PriceTier(price: fenAnHour(8)),
                    ]
                )
            ]
        )
        var volumes = VolumeCounter()
        func charge(_ usage: JobUsage) -> Int64 {
            tariff.charge(for: usage, volumes: &volumes).reduce(0) { $0 + $1.amount.count }
        }
        #expect(charge(usage(1, cores: 90)) == 1_080)
        #expect(charge(usage(2, cores: 20)) == 10 * 12 + 10 * 10)
        #expect(charge(usage(3, account: "haihe", cores: 600)) == 1_200 + 4_000 + 800)
        #expect(charge(usage(4, cores: 400)) == 3_900 + 80)
        #expect(charge(usage(5, cores: 10, from: shanghai(2026, 4, 1))) == 120)
    }

    @Test("QOS and reservation multiply the quantity, a class discount the price")
    func factors() {
        let tariff = Tariff(
            id: "t",
            lines: [TariffLine(resource: .coreHour, price: fenAnHour(10))],
            freeStates: [.failed],
            qosFactors: ["premium": Factor(thousandths: 2_000)],
            reservationFactor: Factor(thousandths: 1_500),
            classFactors: ["university": Factor(thousandths: 600)],
            minimumCharge: Fen(5)
        )
        var run = usage(1)
        run.qos = "premium"
        run.isReserved = true
        #expect(fee(run, tariff) == Fen(360))
        var volumes = VolumeCounter()
        let parts = tariff.charge(for: run, classes: ["university"], volumes: &volumes)
        #expect(parts.map(\.amount) == [Fen(216)])
        #expect(fee(usage(1, cores: 1, seconds: 1), tariff) == Fen(5))
        #expect(fee(usage(1, outcome: .ended(.failed)), tariff) == .zero)
        #expect(fee(usage(1, from: nil), tariff) == .zero)
    }

    @Test("A year of ten million cores is priced without overflow")
    func aLargeMachine() {
        let run = usage(1, cores: 10_000_000, from: shanghai(2026, 1, 1), seconds: 365 * 86_400)
        #expect(fee(run) == Fen(10_000_000 * 8_760 * 10))
    }
}
