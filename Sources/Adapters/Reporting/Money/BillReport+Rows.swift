import Quantities
import WireFormats

// What a statement says below its tables: one list, from which text and page are made alike.

extension BillReport {
    /// A line of the sums.
    struct MoneyRow {
        var name: String
        /// Unit: fen.
        var amount: Int64
        var isTotal = false
    }

    /// From the charges to what is to be paid.
    func moneyRows(in words: ReportLanguage) -> [MoneyRow] {
        var rows: [MoneyRow] = []
        if statement.refunded != 0 {
            let charges = statement.gross + statement.refunded
            rows.append(MoneyRow(name: words("费用", "Charges"), amount: charges))
            rows.append(MoneyRow(name: words("退费", "Refunded"), amount: -statement.refunded))
        }
        rows.append(MoneyRow(name: words("机时费", "Gross fee"), amount: statement.gross))
        rows += statement.subsidies.map { row in
            MoneyRow(
                name: "\(words("补贴", "Subsidy")) \(row.rule) \(row.year)",
                amount: -row.granted
            )
        }
        rows.append(MoneyRow(name: words("净额", "Net fee"), amount: statement.net, isTotal: true))
        if statement.vouchersUsed != 0 {
            let used = -statement.vouchersUsed
            rows.append(MoneyRow(name: words("创新券抵扣", "Paid by vouchers"), amount: used))
            let cash = words("应付现金", "To pay in money")
            rows.append(MoneyRow(name: cash, amount: statement.cash, isTotal: true))
        }
        let opening = words("期初余额", "Opening balance")
        rows.append(MoneyRow(name: opening, amount: statement.opening))
        rows.append(MoneyRow(name: words("本期付款", "Payments"), amount: -statement.paid))
        let closing = words("期末余额", "Closing balance")
        rows.append(MoneyRow(name: closing, amount: statement.closing, isTotal: true))
        return rows
    }

    /// The notes below the caps, in the order in which they are read.
    func notes(in words: ReportLanguage) -> [String] {
        var lines = statement.subsidies.filter { $0.cap == nil || $0.left == nil }.map { row in
            "\(row.rule) \(row.year): \(Fen(row.used).yuanText) "
                + words("已补贴,无上限", "granted, no cap")
        }
        lines += statement.vouchers.map { voucherNote($0, words) }
        if statement.subsidies.isEmpty, statement.total.jobs == 0, statement.storage == nil {
            lines.append(words("无用量,故无补贴。", "Nothing was used, so nothing was subsidised."))
        } else if statement.subsidies.isEmpty {
            lines.append(
                words(
                    "无补贴:没有规则以此账户为受益人。",
                    "No subsidy: no rule has this account among its beneficiaries."
                )
            )
        }
        if statement.total.freeCoreSeconds > 0 {
            lines.append(
                words(
                    "未计费(节点故障、系统重新排队、免费终态):",
                    "Not charged (node failure, requeue by the system, free states):"
                ) + " \(Self.hours(statement.total.freeCoreSeconds)) \(words("核时", "core-hours"))"
            )
        }
        lines += workNotes(words)
        lines.append(taxNote(words))
        lines += balanceNotes(words)
        lines.append(words("费用四舍五入到分,每个作业一次;跨月作业在月末拆分。", Self.roundingNote))
        if let head = statement.ledgerHead { lines.append("\(words("账链", "Ledger head")) \(head)") }
        return lines
    }

    /// A name, and a title that says more than it.
    func label(of row: BillRow) -> String {
        row.title.isEmpty || row.title == row.name ? row.name : "\(row.name) · \(row.title)"
    }

    /// A cap, what of it is used, and the share in thousandths; nil for a rule without a cap.
    func capNote(_ row: BillSubsidy, _ words: ReportLanguage) -> (text: String, perMille: Int)? {
        guard let cap = row.cap, let left = row.left else { return nil }
        let text =
            "\(words("年度上限", "Cap of")) \(row.rule), \(row.year): \(Fen(cap).yuanText) "
            + "\(words("每年", "a year")); \(words("已用", "used")) \(Fen(row.used).yuanText), "
            + "\(words("剩余", "left")) \(Fen(left).yuanText)"
        guard cap > 0 else { return (text, 0) }
        return (text, Int(Int128(max(0, min(row.used, cap))) * 1_000 / Int128(cap)))
    }

    private func voucherNote(_ voucher: BillVoucher, _ words: ReportLanguage) -> String {
        var text =
            "\(words("创新券", "Voucher")) \(voucher.id): \(Fen(voucher.left).yuanText) "
            + "\(words("剩余,面值", "left of")) \(Fen(voucher.face).yuanText)"
        guard voucher.validFrom != nil || voucher.validTo != nil else { return text }
        text += ", \(words("有效", "valid"))"
        if let from = voucher.validFrom { text += " \(words("自", "from")) \(from)" }
        if let until = voucher.validTo { text += " \(words("早于", "before")) \(until)" }
        return text
    }

    private func workNotes(_ words: ReportLanguage) -> [String] {
        var lines: [String] = []
        if statement.verifiedJobs > 0 {
            let noun = statement.verifiedJobs == 1 ? "job" : "jobs"
            let price = statement.verifiedPetaflopPrice.map {
                ", \(Fen($0).yuanText) \(words("元/Pflop", "CNY a Pflop"))"
            }
            lines.append(
                "\(words("经验证的计算量", "Verified work")): \(siText(Double(statement.verifiedFlop), "flop")) "
                    + "\(words("·", "in")) \(statement.verifiedJobs) \(words("个作业", noun))"
                    + (price ?? "")
            )
        }
        if let energy = statement.energyMillijoules {
            let price = statement.megawattHourPrice.map {
                ", \(Fen($0).yuanText) \(words("元/MWh", "CNY a MWh"))"
            }
            lines.append(
                "\(words("报告的能耗", "Energy reported")): \(Self.kilowattHours(energy)) kWh"
                    + (statement.isEnergyEstimated == true ? " (\(words("估算", "estimated")))" : "")
                    + (price ?? "")
            )
        }
        return lines
    }

    private func taxNote(_ words: ReportLanguage) -> String {
        let rate = NumberText.percent(ppm: statement.vatPPM)
        let (net, tax) = (
            Fen(statement.gross - statement.vat).yuanText, Fen(statement.vat).yuanText
        )
        let text = words(
            "税:费用含 \(rate) 增值税;不含税 \(net),税额 \(tax)。",
            "Tax: fees include \(rate) VAT; gross without tax \(net), tax \(tax)."
        )
        let bases = Set(statement.subsidies.map(\.taxBasis)).sorted()
        guard !bases.isEmpty else { return text }
        let chinese = bases.map { $0 == "net" ? "不含税" : "含税" }.joined(separator: "或")
        let english = bases.map { $0 == "net" ? "without tax" : "with tax" }
        return text
            + words(
                "补贴按\(chinese)费用计算。",
                " Subsidies are shares of the fee \(english.joined(separator: " or "))."
            )
    }

    /// Who owes whom when the period ends, in plain words.
    func balanceWords(_ words: ReportLanguage) -> String {
        let amount = Fen(abs(statement.closing)).yuanText
        return switch statement.closing {
        case 0: words("期末两清,互不相欠。", "Nobody owes anything at the end of the period.")
        case 1...:
            words(
                "期末客户尚欠本中心 \(amount) 元。",
                "At the end of the period the customer owes the centre \(amount) CNY."
            )
        default:
            words(
                "期末客户在本中心有预存款 \(amount) 元。",
                "At the end of the period the centre keeps \(amount) CNY for the customer."
            )
        }
    }

    private func balanceNotes(_ words: ReportLanguage) -> [String] {
        var lines = [balanceWords(words)]
        if statement.held != 0 {
            let held = words("运行中作业预留", "Reserved by running jobs")
            lines.append("\(held): \(Fen(statement.held).yuanText) CNY")
        }
        if let available = statement.available {
            let free = words("尚可预留", "Still to be reserved")
            lines.append("\(free): \(Fen(available).yuanText) CNY")
        }
        return lines
    }
}

extension ReportLanguage {
    /// The words for a final state: Slurm's in English.
    func state(_ name: String) -> String {
        let chinese = [
            "COMPLETED": "完成", "FAILED": "失败", "TIMEOUT": "超时", "CANCELLED": "已取消",
            "NODE_FAIL": "节点故障", "OUT_OF_MEMORY": "内存不足", "PREEMPTED": "被抢占",
            "DEADLINE": "超过截止时间", "BOOT_FAIL": "节点启动失败", "REQUEUED": "系统重新排队",
            "REQUEUED_USER": "用户重新排队",
        ]
        return chinese[name].map { self($0, name) } ?? name
    }

    /// The words for a resource.
    func resource(_ name: String) -> String {
        let chinese = [
            "core-hour": "核时", "card-hour": "卡时", "node-hour": "节点时", "storage-tb-day": "存储 TB·天",
        ]
        return chinese[name].map { self($0, name) } ?? name
    }
}
