import ArgumentParser
import Billing
import Catalog
import ClusterModel
import Dispatch
import Foundation
import Quantities
import Reporting
import Synchronization
import TraceFiles
import WireFormats
import WorkloadFormats

/// What subsidy rules would cost for a recorded or generated workload.
struct ForecastCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forecast",
        abstract: "Say what subsidy rules would cost for a year of jobs.",
        discussion: """
            Prices every job of a log in SWF, as if it started when it was submitted, or every run of \
            an export of sacct as it was, and evaluates each rule alone: outlay by month, who reaches \
            the cap and when, when the pool falls short, the effective rate by size. Tenants are CSV: \
            user,account,enterprise,class,platform and, if wanted, province,sector; docs/billing.md \
            describes them. With --what-if rules are evaluated again with a parameter changed.
            """
    )

    @Option(
        help: ArgumentHelp(
            "The jobs, in SWF or as sacct -P exports them, plain or compressed.",
            valueName: "file"
        )
    )
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

    @Option(
        help: ArgumentHelp(
            """
            Evaluate each rule with a change, too: rate=PPM, cap=YUAN, pool=YUAN, cap=none, pool=none, \
            or 'usual' for ten points less and more, half and twice the cap and pool; may be repeated.
            """,
            valueName: "change"
        )
    )
    var whatIf: [String] = []

    @Option(help: "Who ran the jobs, for rules that ask.")
    var provider: String?

    @Option(help: ArgumentHelp("The clock of an export of sacct.", valueName: "+HH:MM"))
    var utcOffset = "+08:00"

    @Option(help: "The language of tables and page: zh, en or both; by default that of LANG.")
    var lang: ReportLanguage?

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
        guard IngestCommand.offset(utcOffset) != nil else {
            throw ValidationError("--utc-offset: '\(utcOffset)' is no offset; write it as +08:00")
        }
        for change in whatIf where change != "usual" { _ = try Self.change(change) }
    }

    /// `rate=400000`, `cap=3000000.50`, `pool=none`.
    private static func change(_ text: String) throws -> RuleChange {
        let sides = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard sides.count == 2 else {
            throw ValidationError("--what-if: '\(text)' is none of rate=, cap=, pool= and usual")
        }
        func amount() throws -> Fen? {
            sides[1] == "none"
                ? nil : Fen(try AccountCommand.fen(sides[1], "--what-if \(sides[0])"))
        }
        switch sides[0] {
        case "rate":
            guard let ppm = Int64(sides[1]), (0...1_000_000).contains(ppm) else {
                throw ValidationError("--what-if: '\(text)': a rate is 0 to 1000000 ppm")
            }
            return .rate(ppm)
        case "cap": return .cap(try amount())
        case "pool": return .pool(try amount())
        default:
            throw ValidationError("--what-if: '\(text)' is none of rate=, cap=, pool= and usual")
        }
    }

    func run() throws {
        let isTaken = try OutputFile.check([("--html", html)], data: json ? "--json" : nil)
        let rules = try self.rules.sources().map(\.rule)
        try RuleOptions.checkProvider(provider, for: rules)
        let prices = try tariff.map { try readTariff($0) } ?? TariffReader.shipped()
        let keyPlatforms = try RuleCatalog.platforms().filter(\.isKey).map(\.name)
        var forecast = Forecast(
            tenants: try TenantsReader.tenants(text: try readText(tenants), file: tenants),
            tariff: prices,
            keyPlatforms: Set(keyPlatforms)
        )
        forecast.provider = provider.map(PartyName.normalised)
        let source = try price(into: &forecast)
        guard forecast.totalFee > 0 else {
            throw Refusal(
                "\(trace): nothing to forecast: \(counted(forecast.jobCount, "job")) priced, "
                    + "\(forecast.strangerCount) of users without a tenant; platforms without a price: "
                    + forecast.platformsWithoutPrice.joined(separator: ", ")
            )
        }
        let changes = try rules.map { try self.changes(of: $0) }
        let changed = zip(rules, changes).flatMap { rule, changes in
            changes.map { (rule: rule.id, change: $0.change, changed: $0.rule) }
        }
        let outlooks = self.outlooks(of: rules + changed.map(\.changed), over: forecast)
        let report = ForecastReport(
            forecast,
            from: source,
            outlooks: Array(outlooks[..<rules.count]),
            variants: zip(changed, outlooks[rules.count...]).map { row, outlook in
                ForecastReport.Variant(rule: row.rule, change: row.change, outlook: outlook)
            },
            elasticityPPM: elasticityPPM ?? 0,
            in: lang ?? ReportLanguage(environment: ProcessInfo.processInfo.environment)
        )
        if let html { try OutputFile.write(report.html, to: html) }
        try StandardOutput.report(
            json ? report.json : report.text,
            isTaken: isTaken,
            isData: json
        )
    }

    private func changes(of rule: SubsidyRule) throws -> [(change: RuleChange, rule: SubsidyRule)] {
        var changes: [RuleChange] = []
        for text in whatIf {
            changes += text == "usual" ? RuleChange.usual(for: rule) : [try Self.change(text)]
        }
        return changes.compactMap { change in change.applied(to: rule).map { (change, $0) } }
    }

    /// What the rules would grant, on all cores.
    private func outlooks(of rules: [SubsidyRule], over forecast: Forecast) -> [RuleOutlook] {
        let elasticity = elasticityPPM ?? 0
        let found = Mutex<[Int: RuleOutlook]>([:])
        DispatchQueue.concurrentPerform(iterations: rules.count) { index in
            let outlook = forecast.outlook(of: rules[index], elasticityPPM: elasticity)
            found.withLock { $0[index] = outlook }
        }
        return found.withLock { found in rules.indices.compactMap { found[$0] } }
    }

    // MARK: Jobs

    /// Prices the jobs of the log.
    private func price(into forecast: inout Forecast) throws -> ForecastReport.Source {
        let isSacct = try TraceFile.withBytes(of: trace) { bytes in
            bytes.prefix(2_048).split(separator: UInt8(ascii: "\n")).first
                .map { String(decoding: $0, as: UTF8.self) }?
                .split(separator: "|").contains("JobID") ?? false
        }
        if isSacct { return try priceExport(into: &forecast) }
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
        return ForecastReport.Source(jobs)
    }

    private func priceExport(into forecast: inout Forecast) throws -> ForecastReport.Source {
        let export = try TraceFile.withBytes(of: trace) { bytes in
            try SacctUsages(
                bytes,
                file: trace,
                offsetSeconds: IngestCommand.offset(utcOffset) ?? 0,
                platforms: [:]
            )
        }
        let coverage = TariffCoverage(forecast.tariff, export.usages)
        if let first = coverage.unknownQOS.values.min() {
            throw FileRefusal(
                file: trace,
                line: export.lines[first],
                field: "QOS",
                problem: .conflict(
                    "tariff '\(forecast.tariff.id)' does not list "
                        + coverage.unknownQOS.keys.sorted().joined(separator: ", ")
                )
            )
        }
        for run in export.usages { forecast.add(run) }
        return ForecastReport.Source(
            remarks: export.gaps.map { "no column \($0.column); not charged: \($0.uncharged)" },
            reading: [
                .init("format", .string("sacct")),
                .init("runs", .integer(Int64(export.usages.count))),
                .init("never_started", .integer(Int64(export.neverStarted))),
                .init("not_ended", .integer(Int64(export.running))),
            ]
        )
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
