import ArgumentParser
import Billing
import Catalog
import Foundation
import Persistence
import Quantities
import Reporting
import TraceFiles
import WireFormats

/// Bills what a real Slurm ran.
struct IngestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "Bill and audit the jobs of a real Slurm, from what sacct exports.",
        discussion: """
            Export with: sacct -a -P -D -S 2026-01-01 -o JobID,JobIDRaw,User,Account,Partition,QOS,\
            Submit,Start,End,Elapsed,NNodes,AllocCPUS,AllocTRES,State. Prices come from a tariff, \
            whose lines name partitions or platforms. Without --account the accounts are listed. \
            --books writes the ledger; --check computes it again and names every line of such a \
            file that differs. docs/billing.md describes the accounts file.
            """
    )

    @Argument(help: "The export of sacct, plain or compressed.")
    var export: String

    @Option(help: "The prices: a shipped tariff, or a file.")
    var tariff: String

    @Option(help: ArgumentHelp("Who the accounts are.", valueName: "file.csv"))
    var accounts: String?

    @OptionGroup var rules: RuleOptions

    @Option(
        help: ArgumentHelp(
            "The platform of a partition; may be repeated.",
            valueName: "partition=platform"
        )
    )
    var platform: [String] = []

    @Option(help: "Who ran the jobs, for rules that ask.")
    var provider: String?

    @Option(help: ArgumentHelp("The clock of the export.", valueName: "+HH:MM"))
    var utcOffset = "+08:00"

    @Option(name: [.customShort("A"), .long], help: "Print the statement of this account.")
    var account: String?

    @Option(help: "Print the statement of this enterprise.")
    var enterprise: String?

    @Option(help: ArgumentHelp("A month or year.", valueName: "YYYY-MM|YYYY"))
    var period: String?

    @Option(
        help: ArgumentHelp(
            "Write the statements of all accounts into this folder, one a month, and a summary.",
            valueName: "folder"
        )
    )
    var statements: String?

    @Option(help: "text, json, csv, html or focus; of the list of accounts text, json or csv.")
    var format = BillCommand.Format.text

    @Option(help: ArgumentHelp("Write the ledger.", valueName: "file"))
    var books: String?

    @Flag(help: "List the charges one by one on statements; with --format csv, only them.")
    var jobs = false

    @Option(help: ArgumentHelp("Compare a ledger written before.", valueName: "file"))
    var check: String?

    func validate() throws {
        if let period, BillingPeriod(period) == nil {
            throw ValidationError("--period: '\(period)' is no month and no year")
        }
        guard account == nil || enterprise == nil else {
            throw ValidationError("give one of --account and --enterprise")
        }
        if (account ?? enterprise)?.isEmpty == true {
            throw ValidationError("--account and --enterprise must not be empty")
        }
        if check != nil, let other = ignoredByCheck {
            throw ValidationError(
                "--check compares a ledger and prints nothing else; leave \(other) out"
            )
        }
        if statements != nil,
            let holder = account != nil ? "--account" : enterprise.map({ _ in "--enterprise" })
        {
            throw ValidationError("--statements writes those of all accounts; leave \(holder) out")
        }
        if format == .focus, statements == nil, period == nil || (account ?? enterprise) == nil {
            throw ValidationError(
                "--format focus is the statement of one, of a month or a year; add --period and"
                    + " --account or --enterprise"
            )
        }
        if format == .html, check == nil, (account ?? enterprise ?? statements) == nil {
            throw ValidationError(
                "--format html: a page is the statement of one; add --account or --enterprise"
            )
        }
        guard Self.offset(utcOffset) != nil else {
            throw ValidationError("--utc-offset: '\(utcOffset)' is no offset; write it as +08:00")
        }
        for pair in platform where pair.split(separator: "=").count != 2 {
            throw ValidationError("--platform: '\(pair)' is no partition=platform")
        }
    }

    /// The first option that means nothing beside `--check`.
    private var ignoredByCheck: String? {
        if books != nil { return "--books" }
        if account != nil { return "--account" }
        if enterprise != nil { return "--enterprise" }
        if period != nil { return "--period" }
        if statements != nil { return "--statements" }
        if jobs { return "--jobs" }
        return format == .text ? nil : "--format"
    }

    /// `+08:00` in seconds.
    static func offset(_ text: String) -> Int64? {
        let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard let sign = text.first, sign == "+" || sign == "-", parts.count == 2,
            parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (48...57).contains($0) } }
            ),
            let hours = Int64(parts[0]), let minutes = Int64(parts[1]), hours <= 14, minutes < 60
        else { return nil }
        return (sign == "-" ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }

    func run() throws {
        let (book, ingested) = try billed()
        warn(ingested, TariffCoverage(book.tariff, ingested.usages))
        if let accounts {
            warnOfLookAlikes(book.accounts.values.compactMap(\.enterprise), in: accounts)
        }
        // A year's rows are gigabytes; only a file of them needs all at once.
        let rows = book.ledger.entries.lazy.map { LedgerRow(id: $0.id, text: $0.canonicalText) }
        if let check {
            let differences = BooksFile.differences(try readText(check), from: Array(rows))
            guard differences.isEmpty else {
                throw Refusal(
                    "\(check) is not what the export gives\n" + differences.joined(separator: "\n")
                )
            }
            try StandardOutput.print(
                "\(rows.count) entries computed again, no difference; head \(BooksFile.head(rows))"
            )
            return
        }
        if let books { try OutputFile.write(BooksFile.text(Array(rows)), to: books) }
        let asOf = ingested.usages.last?.endedAt ?? .epoch
        if let statements {
            let words = ReportLanguage(environment: ProcessInfo.processInfo.environment)
            let folder = StatementFolder(
                path: statements,
                format: format,
                words: words,
                listsCharges: jobs
            )
            let count = try folder.write(
                book,
                billingPeriod,
                asOf: asOf,
                ledgerHead: BooksFile.head(rows)
            )
            return try StandardOutput.print("\(counted(count, "statement")) in \(statements)")
        }
        guard
            let holder = account.map(StatementHolder.account) ?? enterprise.map({ .enterprise($0) })
        else {
            return try list(ingested, book, asOf: asOf)
        }
        let statement = book.statement(
            of: holder,
            period: billingPeriod,
            asOf: asOf,
            detail: StatementSums.Detail(listsCharges: jobs)
        )
        guard let statement else {
            throw unknown(holder, ingested, book)
        }
        let report = BillReport(BillStatement(statement, ledgerHead: BooksFile.head(rows)))
        let words = ReportLanguage(environment: ProcessInfo.processInfo.environment)
        try StandardOutput.print(
            jobs && format == .csv ? report.chargesCSV() : format.text(of: report, in: words),
            terminator: "",
            isData: format != .text
        )
    }

    private func unknown(
        _ holder: StatementHolder,
        _ ingested: SacctUsages,
        _ book: BillingBook
    ) -> Refusal {
        switch holder {
        case .account(let name):
            let known = Set(ingested.usages.map(\.account)).sorted().joined(separator: ", ")
            return Refusal("account '\(name)' is not known; accounts: \(known)")
        case .enterprise(let name):
            let known = Set(book.accounts.values.compactMap(\.enterprise)).sorted()
            return Refusal(
                "enterprise '\(name)' is not known; enterprises: \(known.joined(separator: ", "))"
            )
        }
    }

    /// The accounts side by side; notes for people beside what programs read go to standard error.
    private func list(_ ingested: SacctUsages, _ book: BillingBook, asOf: SimInstant) throws {
        let names = Set(ingested.usages.map(\.account)).sorted()
        let sums = book.statementSums()
        let bills = names.compactMap {
            book.statement(of: .account($0), period: billingPeriod, asOf: asOf, from: sums)
        }.map { BillStatement($0) }
        let notes = notes(ingested, book).map { $0 + "\n" }.joined()
        switch format {
        case .text, .html:
            return try StandardOutput.print(IngestReport.text(bills) + notes, terminator: "")
        case .json: try StandardOutput.print(IngestReport.json(bills), terminator: "", isData: true)
        case .csv:
            let words = ReportLanguage(environment: ProcessInfo.processInfo.environment)
            try StandardOutput.print(
                IngestReport.csv(bills, in: words),
                terminator: "",
                isData: true
            )
        case .focus: throw Refusal("--format focus needs --account or --enterprise")
        }
        FileHandle.standardError.write(Data(notes.utf8))
    }

    /// Says what of the export and the options had no effect.
    private func warn(_ ingested: SacctUsages, _ coverage: TariffCoverage) {
        var lines = ingested.gaps.map { gap in
            "the export has no column \(gap.column); not charged: \(gap.uncharged)"
        }
        let known = Set(ingested.usages.map(\.partition))
        for pair in platform {
            guard let name = pair.split(separator: "=").first.map(String.init),
                !known.contains(name)
            else { continue }
            lines.append(
                "--platform \(pair): no run in partition '\(name)'; partitions: "
                    + known.sorted().joined(separator: ", ")
            )
        }
        func add(_ words: String, _ names: Set<String>) {
            if !names.isEmpty { lines.append(words + names.sorted().joined(separator: ", ")) }
        }
        add("no price, so nothing charged, in the partitions ", coverage.unpricedPartitions)
        add("no price of a card, so no cards charged, in ", coverage.partitionsWithFreeCards)
        add("the tariff has lines for places where nothing ran: ", coverage.placesWithoutRun)
        add("nobody charges ", ingested.otherGres)
        let text = lines.map { "\(export): warning: \($0)\n" }.joined()
        FileHandle.standardError.write(Data(text.utf8))
    }

    private var billingPeriod: BillingPeriod { period.flatMap { BillingPeriod($0) } ?? .all }

    private func billed() throws -> (BillingBook, SacctUsages) {
        let prices = try readTariff(tariff)
        let sources = try self.rules.sources()
        try RuleCatalog.checkOverlaps(sources.map { ($0.rule, $0.file) })
        let rules = sources.map(\.rule)
        if let rule = rules.proRataOutOfPlace {
            throw Refusal("rule '\(rule.id)' shares its pool out in proportion; it must come last")
        }
        try RuleOptions.checkProvider(provider, for: rules)
        var platforms: [String: String] = [:]
        for pair in platform {
            let sides = pair.split(separator: "=").map(String.init)
            platforms[sides[0]] = sides[1]
        }
        let ingested = try TraceFile.withBytes(of: export) { bytes in
            try SacctUsages(
                bytes,
                file: export,
                offsetSeconds: Self.offset(utcOffset) ?? 0,
                platforms: platforms
            )
        }
        var book = BillingBook(
            tariff: prices,
            rules: rules,
            accounts: try accounts.map {
                try AccountsReader.accounts(text: try readText($0), file: $0)
            } ?? [],
            platforms: try RuleCatalog.platforms()
        )
        book.provider = provider.map(PartyName.normalised)
        try settle(ingested, in: &book)
        return (book, ingested)
    }

    /// Bills the runs.
    ///
    /// - Throws: a refusal by line and field of what cannot be billed, or of an export for which nothing
    ///   can be charged at all.
    private func settle(_ ingested: SacctUsages, in book: inout BillingBook) throws {
        func refusal(_ run: Int, _ field: String, _ words: String) -> FileRefusal {
            let line = ingested.lines[run]
            return FileRefusal(file: export, line: line, field: field, problem: .conflict(words))
        }
        let coverage = TariffCoverage(book.tariff, ingested.usages)
        if let first = coverage.unknownQOS.values.min() {
            let names = coverage.unknownQOS.keys.sorted().joined(separator: ", ")
            let known = (["normal"] + book.tariff.qosFactors.keys.sorted()).joined(separator: ", ")
            throw refusal(
                first,
                "QOS",
                "tariff '\(book.tariff.id)' does not list \(names); it knows \(known)"
            )
        }
        var total: Int128 = 0
        for (index, usage) in ingested.usages.enumerated() {
            var fee = Fen.zero
            for case .charge(let part) in book.settle(usage).map(\.subject) { fee += part.amount }
            guard fee < .maximum else {
                throw refusal(index, "", "the run costs more than \(Fen.maximum.yuanText) CNY")
            }
            total += Int128(fee.count)
            guard total <= Int128(Fen.sumMaximum.count) else {
                throw refusal(index, "", "up to here more than \(Fen.sumMaximum.yuanText) CNY")
            }
        }
        guard total == 0 else { return }
        throw Refusal(nothingCharged(ingested, coverage, book.tariff))
    }

    private func nothingCharged(
        _ ingested: SacctUsages,
        _ coverage: TariffCoverage,
        _ tariff: Tariff
    ) -> String {
        if ingested.usages.isEmpty {
            return "\(export): nothing to bill: \(counted(ingested.neverStarted, "job")) never"
                + " started, \(ingested.running) not ended"
        }
        let partitions = coverage.unpricedPartitions.sorted().joined(separator: ", ")
        guard partitions.isEmpty else {
            let places = coverage.placesWithoutRun.sorted().joined(separator: ", ")
            return
                "\(export): nothing charged: tariff '\(tariff.id)' has no price in the partitions"
                + " \(partitions)"
                + (places.isEmpty
                    ? "" : "; its lines are for \(places) (--platform PARTITION=PLATFORM)")
        }
        return "\(export): nothing charged: all \(counted(ingested.usages.count, "run")) are free"
    }

    private func notes(_ ingested: SacctUsages, _ book: BillingBook) -> [String] {
        var lines = [
            "\(counted(ingested.usages.count, "run")) billed; "
                + "\(counted(ingested.neverStarted, "job")) never started,"
                + " \(ingested.running) not ended"
        ]
        let unknown = Set(ingested.usages.map(\.account)).subtracting(book.accounts.keys).sorted()
        if !unknown.isEmpty {
            lines.append(
                "without a line in the accounts file, so without subsidy: "
                    + unknown.joined(separator: ", ")
            )
        }
        return lines
    }
}
