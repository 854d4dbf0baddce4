public import Billing
import Quantities
public import WireFormats

extension BillStatement {
    /// The statement as it travels and is printed.
    public init(_ statement: Statement) {
        self.init()
        account = statement.account.name
        title = statement.account.title
        enterprise = statement.account.enterprise
        month = statement.month?.description
        asOf = statement.asOf
        tariff = statement.tariff
        gross = statement.gross.count
        refunded = statement.refunded.count
        subsidy = statement.subsidy.count
        net = statement.net.count
        balance = statement.balance.count
        total = BillRow(name: "", title: "", statement.total)
        byPlatform = statement.byPlatform.map { BillRow(name: $0.name, title: $0.title, $0.usage) }
        byState = statement.byOutcome.map { BillRow(name: $0.name, title: $0.title, $0.usage) }
        byResource = statement.byResource.map { row in
            var resource = BillResource()
            resource.resource = row.resource.name
            resource.seconds = row.held.seconds
            resource.fee = row.fee.count
            return resource
        }
        subsidies = statement.subsidies.map { BillSubsidy($0) }
        verifiedFlop = Int64(clamping: statement.verifiedFlop)
        verifiedJobs = statement.verifiedJobCount
    }
}

extension BillRow {
    fileprivate init(name: String, title: String, _ usage: Statement.Usage) {
        self.init()
        self.name = name
        self.title = title
        jobs = usage.jobCount
        coreSeconds = usage.coreTime.seconds
        cardSeconds = usage.cardTime.seconds
        nodeSeconds = usage.nodeTime.seconds
        freeCoreSeconds = usage.freeCoreTime.seconds
        fee = usage.fee.count
    }
}

extension BillSubsidy {
    fileprivate init(_ subsidy: Statement.Subsidy) {
        self.init()
        rule = subsidy.rule
        title = subsidy.title
        year = subsidy.year
        granted = subsidy.granted.count
        cap = subsidy.cap?.count
        used = subsidy.used.count
        left = subsidy.left?.count
    }
}
