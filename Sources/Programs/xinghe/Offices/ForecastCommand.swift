import ArgumentParser
import Billing
import Catalog
import ClusterModel
import Quantities
import Reporting
import WorkloadFormats

/// What subsidy rules would cost for a recorded or generated workload.
struct ForecastCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forecast",
        abstract: "Say what subsidy rules would cost for a year of jobs.",
        discussion: """
            Prices every job of a trace, as if it started when it was submitted, and evaluates each \
            rule alone: outlay by month, who reaches the cap and when, when the pool falls short, \
            the effective rate by size. Tenants are CSV: user,account,enterprise,class,platform \
            and, if wanted, province,sector; docs/billing.md describes them.
            """
    )

    @Option(help: ArgumentHelp("The jobs, in SWF, plain or compressed.", valueName: "file"))
    var trace: String

    @Option(help: ArgumentHelp("Who pays for which user.", valueName: "file.csv"))
    var tenants: String

    @OptionGroup var rules: RuleOptions

    @Option(
        help: ArgumentHelp(
            "A shipped tariff, or a file; by default the prices of the shipped platforms.",
            valueName: "name"
        )
    )
    var tariff: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            """
            How demand answers to price: a fee of which a rule pays the share s grows by s times \
            this, 0 to 10.
            """,
            valueName: "number"
        )
    )
    var elasticity = "0"

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: ArgumentHelp("Write a page with a plot, too.", valueName: "file"))
    var html: String?

    /// The elasticity in ppm; nil for what is no number from 0 to 10.
    private var elasticityPPM: Int64? {
        let parts = elasticity.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 6 }),
            parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let whole = Int64(parts[0]), whole <= 10
        else { return nil }
        let decimals = parts.count == 2 ? String(parts[1]) : ""
        let fraction = Int64(decimals + String(repeating: "0", count: 6 - decimals.utf8.count)) ?? 0
        let ppm = whole * 1_000_000 + fraction
        return ppm <= 10_000_000 ? ppm : nil
    }

    func validate() throws {
        guard elasticityPPM != nil else {
            throw ValidationError("--elasticity: '\(elasticity)' is no number from 0 to 10")
        }
    }

    func run() throws {
        try html.map { try OutputFile.check($0) }
        let rules = try self.rules.sources().map(\.rule)
        let prices = try tariff.map { try readTariff($0) } ?? TariffReader.shipped()
        let keyPlatforms = try RuleCatalog.platforms().filter(\.isKey).map(\.name)
        var forecast = Forecast(
            tenants: try TenantsReader.tenants(text: try readText(tenants), file: tenants),
            tariff: prices,
            keyPlatforms: Set(keyPlatforms)
        )
        let jobs = try readTrace()
        let origin = SimInstant(seconds: jobs.unixStartTime)
        for job in jobs.jobs {
            forecast.add(
                job: UInt32(truncatingIfNeeded: job.id),
                user: job.user,
                processors: Int64(job.processors),
                start: origin + SimDuration(microseconds: job.submitted),
                duration: SimDuration(microseconds: min(job.runTime, job.timeLimit))
            )
        }
        let elasticity = elasticityPPM ?? 0
        let report = ForecastReport(
            forecast,
            trace: jobs,
            outlooks: rules.map { forecast.outlook(of: $0, elasticityPPM: elasticity) },
            elasticityPPM: elasticity
        )
        if let html { try OutputFile.write(report.html, to: html) }
        try StandardOutput.print(json ? report.json : report.text, terminator: "")
    }

    private func readTrace() throws -> Trace {
        let jobs = try LogReader().trace(at: trace)
        guard jobs.format == .swf else {
            throw Refusal(
                "\(trace): a log of the form \(jobs.format.rawValue); a forecast takes SWF, whose "
                    + "numbers of users the tenants name"
            )
        }
        guard (0...253_402_300_799).contains(jobs.unixStartTime) else {
            throw Refusal("\(trace): UnixStartTime \(jobs.unixStartTime) is outside 1970 to 9999")
        }
        return jobs
    }
}
