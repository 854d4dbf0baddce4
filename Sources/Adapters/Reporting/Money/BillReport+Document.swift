import Quantities
import WireFormats

// A statement as a document (结算单): who, for when, what at which price, what is to be paid, who owes
// whom, who signs.

extension BillReport {
    /// The statement, laid out in a language.
    func document(in words: ReportLanguage) -> BillDocument {
        var document = BillDocument(title: words("机时费用结算单", "Statement of account"))
        if statement.isProvisional {
            document.remark = words(
                "暂估单：账期未满，或账期内开始的作业尚未结束。",
                "Provisional: the period is not over, or jobs that began in it have not ended."
            )
        }
        document.head = head(words)
        document.tables = [lines(words), money(words)]
        if isOfEnterprise {
            document.tables.append(
                usage(
                    words("按账户", "By account"),
                    words("账户", "Account"),
                    words,
                    statement.byAccount
                )
            )
        }
        document.tables.append(
            usage(words("按平台", "By platform"), words("平台", "Platform"), words, statement.byPlatform)
        )
        document.tables.append(
            usage(
                words("按作业终态", "By final state"),
                words("终态", "Final state"),
                words,
                statement.byState
            ) {
                words.state($0.name)
            }
        )
        if let grouping = statement.grouping {
            let name = words.grouping(grouping)
            let heading = words("按\(ReportLanguage.chinese.grouping(grouping))", "By \(grouping)")
            document.tables.append(usage(heading, name, words, statement.byGroup))
        }
        if let green = green(words) { document.tables.append(green) }
        document.result = result(words)
        document.gauges = statement.subsidies.compactMap { gauge($0, words) }
        document.notes = notes(in: words)
        document.seals = [
            words("结算单位（盖章）：", "Issuer (seal):"), words("客户（盖章）：", "Customer (seal):"),
            words("经办人：", "Signed by:"), words("日期：", "Date:"),
        ].map { $0 + "__________" }
        if !statement.charges.isEmpty { document.annex = [annex(words)] }
        return document
    }

    // MARK: Head

    private func head(_ words: ReportLanguage) -> [BillDocument.Term] {
        var terms = [BillDocument.Term(name: words("编号", "Number"), value: statement.number)]
        func add(_ chinese: String, _ english: String, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            terms.append(BillDocument.Term(name: words(chinese, english), value: value))
        }
        if let issuer = statement.issuer {
            add("结算单位", "Issuer", words.title(issuer.name))
            add("纳税人识别号", "Tax id", issuer.taxID)
            add("地址", "Address", issuer.address.map(words.title))
            add("电话", "Telephone", issuer.phone)
            let bank = [issuer.bank.map(words.title), issuer.bankAccount].compactMap(\.self)
            add("开户行及账号", "Bank account", bank.joined(separator: " "))
        }
        add("客户", "Customer", words.title(statement.title))
        add("客户纳税人识别号", "Customer's tax id", statement.taxID)
        add("合同编号", "Contract", statement.contract)
        if isOfEnterprise {
            add("企业", "Enterprise", statement.account)
            add("账户", "Accounts", statement.accounts.joined(separator: words("、", ", ")))
        } else {
            add("账户", "Account", statement.account)
            add("企业", "Enterprise", statement.enterprise)
        }
        add("账期", "Period", periodText(words))
        add("制表时间", "As of", dayAndTime(words))
        add("价目", "Tariff", statement.tariff)
        return terms
    }

    private func periodText(_ words: ReportLanguage) -> String {
        let parts = statement.period.split(separator: "-")
        let chinese =
            switch parts.count {
            case 2: "\(parts[0]) 年 \(Int(parts[1]) ?? 0) 月（北京时间）"
            case 1 where statement.period != "all": "\(parts[0]) 年（北京时间）"
            default: "全部月份，截至制表时间（北京时间）"
            }
        let english = statement.period == "all" ? "all months up to now" : statement.period
        return words(chinese, "\(english) (Asia/Shanghai)")
    }

    private func dayAndTime(_ words: ReportLanguage) -> String {
        let civil = Self.civil(statement.asOf)
        let time = civil.iso8601.suffix(8)
        let chinese = "\(civil.year) 年 \(civil.month) 月 \(civil.day) 日 \(time)"
        return words == .chinese ? chinese : civil.iso8601
    }

    // MARK: Lines

    private func lines(_ words: ReportLanguage) -> BillDocument.Table {
        var table = BillDocument.Table(
            heading: words("费用明细", "Charges"),
            columns: [
                (words("项目", "Item"), .left), (words("数量", "Quantity"), .right),
                (words("目录单价", "List price"), .right), (words("折扣", "Discount"), .right),
                (words("单价", "Unit price"), .right), (words("金额（元）", "Amount (CNY)"), .right),
                (words("税率", "Tax rate"), .right), (words("其中税额", "Tax inside"), .right),
            ]
        )
        for line in statement.lines {
            table.add([
                name(of: line, words), line.quantity.map { Self.tenThousandths($0) } ?? "",
                line.listPrice.map { Self.price(microFen: $0) } ?? "",
                line.discount.map { words.discount($0) } ?? "",
                line.unitPrice.map { Self.price(microFen: $0) } ?? "", Fen(line.amount).yuanText,
                NumberText.percent(ppm: line.vatPPM), Fen(line.vat).yuanText,
            ])
        }
        table.add(
            [
                words("合计", "Total"), "", "", "", "", Fen(statement.gross).yuanText, "",
                Fen(statement.vat).yuanText,
            ],
            isTotal: true
        )
        return table
    }

    /// `天河（tianhe）· 核时 · 超过 100 小时的部分 · ×2`.
    func name(of line: BillLine, _ words: ReportLanguage) -> String {
        switch line.kind {
        case "minimum": return words("最低收费补足", "Least charge of a job")
        case "rounding": return words("逐笔四舍五入差额", "Rounding, charge by charge")
        case "refund": return words("退费", "Refunds")
        default: break
        }
        var parts = [words.named(line.platform, line.platformTitle), words.resource(line.kind)]
        if let partition = line.partition { parts.insert(partition, at: 1) }
        switch (line.tierFromHours, line.tierUpToHours) {
        case (let from?, let upTo?) where from > 0:
            parts.append(
                words(
                    "每月 \(from.groupedText) 至 \(upTo.groupedText) 小时",
                    "\(from.groupedText) to \(upTo.groupedText) h a month"
                )
            )
        case (_, let upTo?):
            let hours = upTo.groupedText
            parts.append(words("每月 \(hours) 小时以内", "up to \(hours) h a month"))
        case (let from?, nil):
            let hours = from.groupedText
            parts.append(words("每月超过 \(hours) 小时", "beyond \(hours) h a month"))
        case (nil, nil): break
        }
        if let factor = line.factorPPM, factor != 1_000_000, let held = line.held {
            let times = Self.price(microFen: factor * 100)
            let hours = Self.tenThousandths(held)
            parts.append(words("占用 \(hours)，系数 \(times)", "held \(hours), factor \(times)"))
        }
        if line.tariff != statement.tariff { parts.append(line.tariff) }
        return parts.joined(separator: " · ")
    }

    // MARK: Money

    private func money(_ words: ReportLanguage) -> BillDocument.Table {
        var table = BillDocument.Table(
            heading: words("结算", "Settlement"),
            columns: [(words("项目", "Item"), .left), (words("金额（元）", "CNY"), .right)]
        )
        for row in moneyRows(in: words) {
            table.add([row.name, Fen(row.amount).yuanText], isTotal: row.isTotal)
        }
        return table
    }

    private func result(_ words: ReportLanguage) -> [BillDocument.Term] {
        let amount = Fen(statement.cash)
        let capitals = ChineseCapitals.text(amount)
        return [
            BillDocument.Term(
                name: words("本期应付（大写）", "To pay for the period, in words"),
                value: "\(capitals)（¥\(amount.yuanText)）"
            ),
            BillDocument.Term(
                name: words("期末结余", "Balance at the end"),
                value: balanceWords(words)
            ),
        ]
    }

    // MARK: Usage

    private func usage(
        _ heading: String,
        _ column: String,
        _ words: ReportLanguage,
        _ rows: [BillRow],
        name: ((BillRow) -> String)? = nil
    ) -> BillDocument.Table {
        func cells(_ name: String, _ row: BillRow) -> [String] {
            [
                name, String(row.jobs), Self.hours(row.coreSeconds), Self.hours(row.cardSeconds),
                Fen(row.fee).yuanText,
            ]
        }
        var table = BillDocument.Table(
            heading: heading,
            columns: [
                (column, .left), (words("作业数", "Jobs"), .right),
                (words("核时", "Core-hours"), .right), (words("卡时", "Card-hours"), .right),
                (words("费用（元）", "Fee (CNY)"), .right),
            ]
        )
        for row in rows {
            table.add(cells(name?(row) ?? words.named(row.name, row.title), row))
        }
        table.add(cells(words("合计", "Total"), statement.total), isTotal: true)
        return table
    }

    /// Energy and carbon dioxide; nil when nothing is known of them.
    private func green(_ words: ReportLanguage) -> BillDocument.Table? {
        let (reported, modelled) = (statement.energyMillijoules, statement.modelledMillijoules)
        guard reported != nil || modelled != nil else { return nil }
        var table = BillDocument.Table(
            heading: words("绿色账单", "Energy and carbon dioxide"),
            columns: [(words("项目", "Item"), .left), (words("数量", "Quantity"), .right)]
        )
        func add(_ chinese: String, _ english: String, _ value: String, isTotal: Bool = false) {
            table.add([words(chinese, english), value], isTotal: isTotal)
        }
        if let reported {
            add("作业报告的能耗", "Energy that jobs report", "\(Self.kilowattHours(reported)) kWh")
        }
        if let modelled {
            let english = "Energy of the other jobs, from the power of their nodes"
            add("其余作业的能耗，按节点功率估算", english, "\(Self.kilowattHours(modelled)) kWh")
        }
        let (whole, isOver) = (reported ?? 0).addingReportingOverflow(modelled ?? 0)
        let total = Self.kilowattHours(isOver ? .max : whole)
        add("能耗合计", "Energy", "\(total) kWh", isTotal: true)
        if let grams = statement.carbonDioxideGrams {
            add("二氧化碳排放", "Carbon dioxide", "\(Self.thousandths(grams)) kg", isTotal: true)
        }
        return table
    }

    private func gauge(_ row: BillSubsidy, _ words: ReportLanguage) -> BillDocument.Gauge? {
        guard let cap = row.cap, let left = row.left else { return nil }
        let rule = words.named(row.rule, row.title)
        let (most, used, rest) = (Fen(cap).yuanText, Fen(row.used).yuanText, Fen(left).yuanText)
        let text = words(
            "\(rule)：\(row.year) 年度上限 \(most) 元，已用 \(used) 元，剩余 \(rest) 元",
            "\(rule): cap of \(row.year) \(most), used \(used), left \(rest)"
        )
        let share = cap > 0 ? Int128(max(0, min(row.used, cap))) * 1_000 / Int128(cap) : 0
        return BillDocument.Gauge(text: text, perMille: Int(share), isUsed: row.used > 0)
    }

    // MARK: Annex

    private func annex(_ words: ReportLanguage) -> BillDocument.Table {
        var table = BillDocument.Table(
            heading: words("附件：作业清单", "Annex: jobs"),
            columns: [
                (words("账目", "Entry"), .left), (words("用户", "User"), .left),
                (words("分区", "Partition"), .left), (words("终态", "State"), .left),
                (words("开始", "Start"), .left), (words("结束", "End"), .left),
                (words("节点", "Nodes"), .right), (words("核时", "Core-hours"), .right),
                (words("卡时", "Card-hours"), .right), (words("费用（元）", "Fee (CNY)"), .right),
            ]
        )
        for charge in statement.charges {
            table.add([
                charge.entry, charge.user,
                charge.partition.isEmpty ? charge.platform : charge.partition,
                words.state(charge.state), charge.start ?? "", charge.end, String(charge.nodes),
                Self.hours(charge.coreSeconds), Self.hours(charge.cardSeconds),
                Fen(charge.amount).yuanText,
            ])
        }
        let total = Fen(statement.gross).yuanText
        table.add([words("合计", "Total"), "", "", "", "", "", "", "", "", total], isTotal: true)
        return table
    }
}
