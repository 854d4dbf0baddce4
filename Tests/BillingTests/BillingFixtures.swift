import Billing
import ClusterModel
import Determinism
import JobModel
import Quantities

/// A micro-fen price from fen an hour.
func fenAnHour(_ fen: Int64) -> HourlyPrice { HourlyPrice(microFen: fen * 1_000_000) }

/// An instant of Asia/Shanghai.
func shanghai(
    _ year: Int,
    _ month: Int,
    _ day: Int,
    _ hour: Int = 0,
    _ minute: Int = 0,
    _ second: Int = 0
) -> SimInstant {
    CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        .instant(offsetSeconds: CivilTime.shanghaiOffsetSeconds)
}

func usage(
    _ number: UInt32,
    account: String = "bohai",
    platform: String = "tianhe",
    outcome: RunOutcome = .ended(.completed),
    cores: Int64 = 12,
    cards: Int64 = 0,
    from start: SimInstant? = shanghai(2026, 3, 1),
    seconds: Int64 = 3_600
) -> JobUsage {
    JobUsage(
        id: JobID(number),
        account: account,
        user: "li",
        partition: platform == "tianhe" ? "TH_NET" : platform,
        platform: platform,
        outcome: outcome,
        nodeCount: max(1, cores / 12),
        coreCount: cores,
        cardCount: cards,
        startedAt: start,
        endedAt: (start ?? shanghai(2026, 3, 1)) + SimDuration(seconds: start == nil ? 0 : seconds)
    )
}

let flatTariff = Tariff(
    id: "flat",
    lines: [
        TariffLine(platform: "tianhe", resource: .coreHour, price: fenAnHour(10)),
        TariffLine(platform: "tianhe", resource: .cardHour, price: fenAnHour(30)),
        TariffLine(platform: "tianjin-ai", resource: .cardHour, price: fenAnHour(600)),
        TariffLine(platform: "nebulae", resource: .coreHour, price: fenAnHour(8)),
    ]
)

let registry = [
    Platform(name: "tianhe", title: "Tianhe", isKey: true),
    Platform(name: "tianjin-ai", title: "AI cards", isKey: true),
    Platform(name: "nebulae", title: "Nebulae", isKey: false),
    Platform(name: "host", title: "Host", isKey: false),
]

let customers = [
    BillingAccount(
        name: "bohai",
        title: "Bohai Motor",
        enterprise: "bohai",
        classes: ["enterprise"]
    ),
    BillingAccount(name: "bohai-cfd", enterprise: "bohai", classes: ["enterprise"]),
    BillingAccount(name: "haihe", enterprise: "haihe", classes: ["enterprise"]),
    BillingAccount(name: "nankai-lab", enterprise: "nankai", classes: ["university"]),
]

func makeBook(
    tariff: Tariff = flatTariff,
    rules: [SubsidyRule] = [.tedaMachineHour]
) -> BillingBook {
    BillingBook(tariff: tariff, rules: rules, accounts: customers, platforms: registry)
}

func claim(
    _ id: String,
    fee: Int64,
    on day: String = "2026-03-01",
    enterprise: String = "bohai",
    classes: [String] = ["enterprise"],
    platform: String = "tianhe",
    isKey: Bool = true,
    resource: String = "core-hour"
) -> SubsidyClaim {
    guard let date = BillingDay(day) else { preconditionFailure(day) }
    return SubsidyClaim(
        id: id,
        date: date,
        enterprise: enterprise,
        classes: classes,
        platform: platform,
        isOnKeyPlatform: isKey,
        resource: resource,
        fee: Fen(fee)
    )
}

extension SplitMix64 {
    /// Cuts `total` into `count` parts, each at least zero, that add up to it.
    mutating func cut(_ total: Int64, into count: Int) -> [Int64] {
        var borders = (1..<count).map { _ in Int64(below(UInt64(total) + 1)) }.sorted()
        borders.append(total)
        var parts: [Int64] = []
        var last: Int64 = 0
        for border in borders {
            parts.append(border - last)
            last = border
        }
        return parts
    }

    /// Shuffles in place (Fisher–Yates).
    mutating func shuffle<Element>(_ elements: inout [Element]) {
        for index in elements.indices.dropFirst().reversed() {
            elements.swapAt(index, draw(0...index))
        }
    }
}

extension BillingBook {
    func statement(
        account: String,
        month: BillingMonth? = nil,
        asOf: SimInstant
    ) -> Statement? {
        statement(of: .account(account), period: month.map { .month($0) } ?? .all, asOf: asOf)
    }
}
