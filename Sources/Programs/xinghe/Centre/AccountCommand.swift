import ArgumentParser
import Billing
import Catalog
import IndexSets
import LocalClient
import Quantities
import Reporting
import WireFormats

/// `xinghe account`: the money of accounts, as operators see and change it.
struct AccountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account",
        abstract:
            "List accounts and their money; book payments, limits, vouchers, refunds, storage.",
        discussion: """
            All of it goes into the journal of the running centre, and each booking into its ledger. \
            A repeat of the same booking changes nothing.
            """,
        subcommands: [
            List.self, Show.self, Pay.self, Limit.self, SetBudget.self, IssueVoucher.self,
            Refund.self, Storage.self, ClosePool.self,
        ],
        defaultSubcommand: List.self
    )

    /// Sends a change and says what it booked.
    static func book(_ request: MoneyRequest, _ access: CentreAccess) throws {
        let response = try CentreAccess.ask { () throws(LocalClientFailure) in
            try access.client.post("/v1/money", request, as: MoneyResponse.self)
        }
        for entry in response.entries { try StandardOutput.print("booked \(entry)") }
        if response.entries.isEmpty {
            try StandardOutput.print("nothing new: it was booked before")
        }
    }

    /// An amount of money on the command line: `1000.50` is yuan.
    static func fen(_ text: String, _ name: String) throws -> Int64 {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isNumber = text.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: ".") }
        guard isNumber, parts.count <= 2, let whole = parts.first.flatMap({ Int64($0) }),
            whole <= 10_000_000_000_000
        else {
            throw ValidationError("\(name): '\(text)' is no amount; write yuan as 1000 or 1000.50")
        }
        guard parts.count == 2 else { return whole * 100 }
        let decimals = parts[1] + (parts[1].utf8.count == 1 ? "0" : "")
        guard decimals.utf8.count == 2, let fen = Int64(decimals) else {
            throw ValidationError("\(name): '\(text)' has no whole number of fen")
        }
        return whole * 100 + fen
    }

    /// The accounts.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List accounts and their money.")

        @OptionGroup var access: CentreAccess

        @OptionGroup var language: LanguageOption

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let list = try CentreAccess.ask { () throws(LocalClientFailure) in
                try access.client.get("/v1/accounts", as: AccountStandingList.self)
            }
            try StandardOutput.print(
                json
                    ? list.json.prettyText + "\n" : AccountsReport.text(list, in: language.words),
                terminator: "",
                isData: json
            )
        }
    }

    /// One account.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the money of an account, and how its budget stands."
        )

        @OptionGroup var access: CentreAccess
        @OptionGroup var language: LanguageOption
        @Argument(help: "The account.") var account: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let list = try CentreAccess.ask { () throws(LocalClientFailure) in
                try access.client.get("/v1/accounts", as: AccountStandingList.self)
            }
            guard let row = list.accounts.first(where: { $0.account == account }) else {
                let known = list.accounts.map(\.account)
                throw Refusal(
                    "account '\(account)' is not known\(didYouMean(account, among: known));"
                        + " accounts: \(known.joined(separator: ", "))"
                )
            }
            try StandardOutput.print(
                json ? row.json.prettyText + "\n" : AccountsReport.text(row, in: language.words),
                terminator: "",
                isData: json
            )
        }
    }

    /// Money has come in.
    struct Pay: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Book money received from a customer."
        )

        @OptionGroup var access: CentreAccess
        @Argument(help: "The account.") var account: String
        @Argument(help: "Yuan: 1000 or 1000.50.") var amount: String
        @Option(help: "The number of the bank's entry; a repeat with the same changes nothing.")
        var reference: String

        func validate() throws { _ = try AccountCommand.fen(amount, "amount") }

        func run() throws {
            var request = MoneyRequest()
            request.action = "pay"
            request.account = account
            request.amount = try AccountCommand.fen(amount, "amount")
            request.reference = reference
            try AccountCommand.book(request, access)
        }
    }

    /// How far into debt.
    struct Limit: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set how far an account may go into debt; 0 makes it prepaid, none unlimited."
        )

        @OptionGroup var access: CentreAccess
        @Argument(help: "The account.") var account: String
        @Argument(help: "Yuan, or 'none'.") var amount: String

        func validate() throws {
            if amount != "none" { _ = try AccountCommand.fen(amount, "amount") }
        }

        func run() throws {
            var request = MoneyRequest()
            request.action = "limit"
            request.account = account
            request.amount = amount == "none" ? nil : try AccountCommand.fen(amount, "amount")
            try AccountCommand.book(request, access)
        }
    }

    /// What is meant to be spent.
    struct SetBudget: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "budget",
            abstract: "Set what an account means to spend; it warns and stops nothing.",
            discussion: """
                What counts is the net fee: charges less refunds and subsidies. From the share of \
                --warn on, and again when all is spent, the centre's log has a warning, and 'xinghe \
                account' a mark. 'none' instead of an amount takes the budget away.
                """
        )

        @OptionGroup var access: CentreAccess
        @Argument(help: "The account.") var account: String
        @Argument(help: "Yuan, or 'none'.") var amount: String
        @Argument(help: "CNY, for whoever likes to say it.") var currency: String?
        @Option(help: "How long it is to last: month, quarter, year or total.")
        var per = "month"
        @Option(help: ArgumentHelp("The share from which on it warns.", valueName: "percent"))
        var warn: Int64 = 80

        func validate() throws {
            if amount != "none" { _ = try AccountCommand.fen(amount, "amount") }
            guard currency == nil || currency == "CNY" else {
                throw ValidationError("'\(currency ?? "")': budgets are in CNY")
            }
        }

        func run() throws {
            var request = MoneyRequest()
            request.action = "budget"
            request.account = account
            request.amount = amount == "none" ? nil : try AccountCommand.fen(amount, "amount")
            request.period = per
            request.warnPercent = warn
            try AccountCommand.book(request, access)
        }
    }

    /// A voucher is handed out.
    struct IssueVoucher: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "voucher",
            abstract: "Give a customer a voucher, which pays before the customer's own money."
        )

        @OptionGroup var access: CentreAccess
        @Argument(help: "The account.") var account: String
        @Argument(help: "What it is worth, in yuan.") var face: String
        @Option(help: "The number on it.") var id: String
        @Option(help: ArgumentHelp("The first day of usage.", valueName: "YYYY-MM-DD"))
        var from: String?
        @Option(help: ArgumentHelp("The first day after.", valueName: "YYYY-MM-DD"))
        var until: String?

        func validate() throws { _ = try AccountCommand.fen(face, "face") }

        func run() throws {
            var request = MoneyRequest()
            request.action = "voucher"
            request.account = account
            request.amount = try AccountCommand.fen(face, "face")
            request.reference = id
            request.validFrom = from
            request.validTo = until
            try AccountCommand.book(request, access)
        }
    }

    /// A charge is given back.
    struct Refund: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a charge back, with its subsidies and vouchers."
        )

        @OptionGroup var access: CentreAccess
        @Argument(help: "The entry: charge/JOB.RUN/YYYY-MM or storage/ACCOUNT/PLATFORM/DAY.")
        var entry: String

        func run() throws {
            var request = MoneyRequest()
            request.action = "refund"
            request.entry = entry
            try AccountCommand.book(request, access)
        }
    }

    /// A snapshot of what is stored.
    struct Storage: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Charge storage from daily snapshots: CSV with date,account,bytes[,platform]."
        )

        @OptionGroup var access: CentreAccess
        @Argument(help: "The file; '-' is standard input.") var file: String

        func run() throws {
            let name = file == "-" ? "<stdin>" : file
            let rows = try StorageReader.usages(text: try readText(file), file: name)
            guard !rows.isEmpty else { throw Refusal("\(name): has no rows below its head") }
            var request = MoneyRequest()
            request.action = "storage"
            request.storage = rows.map { usage, line in
                var record = StorageRecord()
                record.line = line
                record.account = usage.account
                record.platform = usage.platform
                record.day = usage.day.description
                record.bytes = usage.bytes
                return record
            }
            try AccountCommand.book(request, access)
        }
    }

    /// A pool is shared out.
    struct ClosePool: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "close-pool",
            abstract: "Share the pool of a pro-rata rule out over the claims of a period."
        )

        @OptionGroup var access: CentreAccess
        @Option(help: "The rule.") var rule: String
        @Option(help: "The period: 2026, 2026-Q2 or total.") var period: String

        func run() throws {
            var request = MoneyRequest()
            request.action = "close-pool"
            request.rule = rule
            request.period = period
            try AccountCommand.book(request, access)
        }
    }
}
