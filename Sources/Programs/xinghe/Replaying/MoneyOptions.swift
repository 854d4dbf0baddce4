import ArgumentParser
import Billing
import Catalog
import ClusterModel
import JobModel
import Quantities
import Reporting
import WorkloadFormats

/// What replayed schedules would bring in and cost: tariffs and rules over the tenants of a log.
struct MoneyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Price each schedule: who pays for which user (CSV, docs/billing.md).",
            valueName: "FILE"
        )
    )
    var tenants: String?

    @Option(
        help: ArgumentHelp(
            "The tariffs, shipped ones or files, with commas between; by default the shipped one.",
            valueName: "T,T…"
        )
    )
    var tariff: String?

    @OptionGroup
    var rules: RuleOptions

    @Option(help: ArgumentHelp("Who runs the platforms, for rules that ask.", valueName: "NAME"))
    var provider: String?

    func validate() throws {
        guard tenants == nil else { return }
        if tariff != nil {
            throw ValidationError("--tariff: say who pays for whom, with --tenants")
        }
        if !rules.rule.isEmpty {
            throw ValidationError("--rule: say who pays for whom, with --tenants")
        }
    }

    /// Who prices schedules; nil when nobody asked.
    func till() throws -> Till? {
        guard let tenants else { return nil }
        let rules = try self.rules.sources().map(\.rule)
        try RuleOptions.checkProvider(provider, for: rules)
        let names = tariff?.split(separator: ",").map(String.init)
        let tariffs = try names.map { try $0.map(readTariff) } ?? [TariffReader.shipped()]
        let platforms = try RuleCatalog.platforms().filter(\.isKey).map(\.name)
        return Till(
            tenants: try TenantsReader.tenants(text: try readText(tenants), file: tenants),
            tariffs: tariffs,
            rules: rules,
            keyPlatforms: Set(platforms),
            provider: provider.map(PartyName.normalised)
        )
    }
}

/// Prices schedules.
struct Till: Sendable {
    let tenants: [Tenant]
    let tariffs: [Tariff]
    let rules: [SubsidyRule]
    let keyPlatforms: Set<String>
    let provider: String?

    /// What a schedule brings in under each tariff, and what each rule pays of it.
    func outcomes(of schedule: Schedule) -> [MoneyOutcome] {
        tariffs.map { tariff in
            var forecast = Forecast(tenants: tenants, tariff: tariff, keyPlatforms: keyPlatforms)
            forecast.provider = provider
            add(schedule, to: &forecast)
            return MoneyOutcome(
                tariff: tariff.id,
                revenue: forecast.totalFee,
                grants: rules.map { ($0.id, forecast.outlook(of: $0).total) },
                strangerCount: forecast.strangerCount
            )
        }
    }

    private func add(_ schedule: Schedule, to forecast: inout Forecast) {
        let trace = schedule.trace
        let origin = SimInstant(seconds: trace.unixStartTime)
        let isNamed = !trace.userNames.isEmpty
        for index in schedule.ranIndices {
            let job = trace.jobs[index]
            let start = origin + SimDuration(microseconds: schedule.started[index])
            let length = schedule.ended[index] - schedule.started[index]
            guard isNamed else {
                forecast.add(
                    job: UInt32(truncatingIfNeeded: job.id),
                    user: job.user,
                    processors: schedule.processorsHeld(by: index),
                    start: start,
                    duration: SimDuration(microseconds: length)
                )
                continue
            }
            let detail = trace.details.isEmpty ? nil : trace.details[index]
            forecast.add(
                JobUsage(
                    id: .init(UInt32(truncatingIfNeeded: job.id)),
                    account: name(job.group, trace.groupNames),
                    user: name(job.user, trace.userNames),
                    partition: name(job.partition, trace.partitionNames),
                    platform: "",
                    qos: name(job.queue, trace.queueNames),
                    outcome: .ended(.completed),
                    nodeCount: Int64(detail?.nodes ?? 0),
                    coreCount: schedule.processorsHeld(by: index),
                    cardCount: Int64(detail?.cards ?? 0),
                    startedAt: start,
                    endedAt: start + SimDuration(microseconds: length)
                )
            )
        }
    }

    private func name(_ number: Int32, _ names: [String]) -> String {
        names.indices.contains(Int(number)) ? names[Int(number)] : ""
    }
}
