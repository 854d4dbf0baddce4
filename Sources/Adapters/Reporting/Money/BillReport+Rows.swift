import Quantities
import WireFormats

// The sums of a statement and what it says below its tables.

extension BillReport {
    /// A line of the sums.
    struct MoneyRow {
        var name: String
        /// Unit: fen.
        var amount: Int64
        var isTotal = false
    }

    /// From the opening balance over what the period brought to the closing balance.
    func moneyRows(in words: ReportLanguage) -> [MoneyRow] {
        var rows: [MoneyRow] = []
        if statement.refunded != 0 {
            let charges = statement.gross + statement.refunded
            rows.append(MoneyRow(name: words("费用", "Charges"), amount: charges))
            rows.append(MoneyRow(name: words("退费", "Refunded"), amount: -statement.refunded))
        }
        rows.append(MoneyRow(name: words("机时费", "Gross fee"), amount: statement.gross))
        rows += statement.subsidies.map { row in
            let rule = words.named(row.rule, row.title)
            let name = words("\(row.year) 年度补贴：\(rule)", "Subsidy \(row.year): \(rule)")
            return MoneyRow(name: name, amount: -row.granted)
        }
        rows.append(MoneyRow(name: words("净额", "Net fee"), amount: statement.net, isTotal: true))
        if statement.vouchersUsed != 0 {
            let used = -statement.vouchersUsed
            rows.append(MoneyRow(name: words("创新券抵扣", "Paid by vouchers"), amount: used))
        }
        let cash = words("本期应付", "To pay for the period")
        rows.append(MoneyRow(name: cash, amount: statement.cash, isTotal: true))
        let opening = words("期初余额", "Opening balance")
        rows.append(MoneyRow(name: opening, amount: statement.opening))
        rows.append(MoneyRow(name: words("本期付款", "Payments"), amount: -statement.paid))
        let closing = words("期末余额", "Closing balance")
        rows.append(MoneyRow(name: closing, amount: statement.closing, isTotal: true))
        return rows
    }

    /// Who owes whom when the period ends, in plain words.
    func balanceWords(_ words: ReportLanguage) -> String {
        let amount = Fen(statement.closing < 0 ? -statement.closing : statement.closing).yuanText
        return switch statement.closing {
        case 0: words("双方两清，互不相欠。", "Nobody owes anything.")
        case 1...: words("客户应付本中心 \(amount) 元。", "The customer owes the centre \(amount) CNY.")
        default:
            words(
                "本中心存有客户预付款 \(amount) 元。",
                "The centre keeps \(amount) CNY that the customer has paid in advance."
            )
        }
    }

    /// The notes below the caps, in the order in which they are read.
    func notes(in words: ReportLanguage) -> [String] {
        var lines = statement.subsidies.filter { $0.cap == nil || $0.left == nil }.map { row in
            let (rule, used) = (words.named(row.rule, row.title), Fen(row.used).yuanText)
            return words(
                "\(rule)：\(row.year) 年度已补贴 \(used) 元，无上限。",
                "\(rule) \(row.year): \(used) granted, no cap."
            )
        }
        lines += statement.vouchers.map { voucherNote($0, words) }
        if statement.subsidies.isEmpty, statement.total.jobs == 0, statement.storage == nil {
            lines.append(words("无用量，故无补贴。", "Nothing was used, so nothing was subsidised."))
        } else if statement.subsidies.isEmpty {
            lines.append(
                words(
                    "无补贴：没有规则以此账户为受益人。",
                    "No subsidy: no rule has this account among its beneficiaries."
                )
            )
        }
        if statement.total.freeCoreSeconds > 0 {
            let hours = Self.hours(statement.total.freeCoreSeconds)
            lines.append(
                words(
                    "未计费（节点故障、系统重新排队、免费终态）：\(hours) 核时。",
                    "Not charged (node failure, requeue by the system, free states): \(hours) core-hours."
                )
            )
        }
        lines += workNotes(words)
        lines.append(taxNote(words))
        lines += fundsNotes(words)
        lines.append(
            words(
                "每行金额为所示数量与单价之积，四舍五入到分；每笔费用单独四舍五入，差额单列一行。"
                    + "跨月作业在月末拆分，各部分之和等于整体。",
                "Each line is its quantity × unit price as printed, rounded half up; what charges come to"
                    + " beyond that, each rounded on its own, is one line. " + Self.roundingNote
            )
        )
        if let head = statement.ledgerHead {
            lines.append(words("账链：\(head)", "Ledger head: \(head)"))
        }
        return lines
    }

    private func voucherNote(_ voucher: BillVoucher, _ words: ReportLanguage) -> String {
        let (left, face) = (Fen(voucher.left).yuanText, Fen(voucher.face).yuanText)
        let (from, until) = (voucher.validFrom, voucher.validTo)
        let chinese = [
            "创新券 \(voucher.id)：余额 \(left) 元，面值 \(face) 元", from.map { "\($0) 起有效" },
            until.map { "\($0) 前用完" },
        ]
        let english = [
            "Voucher \(voucher.id): \(left) left of \(face)", from.map { "valid from \($0)" },
            until.map { "valid before \($0)" },
        ]
        return words(
            chinese.compactMap(\.self).joined(separator: "，") + "。",
            english.compactMap(\.self).joined(separator: ", ") + "."
        )
    }

    private func workNotes(_ words: ReportLanguage) -> [String] {
        var lines: [String] = []
        if statement.verifiedJobs > 0 {
            let work = siText(Double(statement.verifiedFlop), "flop")
            let price = statement.verifiedPetaflopPrice.map { Fen($0).yuanText }
            lines.append(
                words(
                    "经验证的计算量：\(statement.verifiedJobs) 个作业共 \(work)"
                        + (price.map { "，每 Pflop \($0) 元" } ?? "") + "。",
                    "Verified work: \(work) in \(counted(statement.verifiedJobs, "job"))"
                        + (price.map { ", \($0) CNY a Pflop" } ?? "") + "."
                )
            )
        }
        if let energy = statement.energyMillijoules {
            let amount = Self.kilowattHours(energy)
            let price = statement.megawattHourPrice.map { Fen($0).yuanText }
            let isEstimated = statement.isEnergyEstimated == true
            lines.append(
                words(
                    "作业报告的能耗：\(amount) kWh" + (isEstimated ? "（估算）" : "")
                        + (price.map { "，每 MWh \($0) 元" } ?? "") + "。",
                    "Energy reported: \(amount) kWh" + (isEstimated ? " (estimated)" : "")
                        + (price.map { ", \($0) CNY a MWh" } ?? "") + "."
                )
            )
        }
        if let factor = statement.gridFactor, let source = statement.gridSource {
            let (grams, origin) = (Self.thousandths(factor), words.title(source))
            lines.append(
                words(
                    "二氧化碳按每千瓦时 \(grams) 克计算（\(origin)）。",
                    "Carbon dioxide at \(grams) g a kWh: \(origin)."
                )
            )
        }
        return lines
    }

    private func taxNote(_ words: ReportLanguage) -> String {
        let rates = Set(statement.lines.map(\.vatPPM) + [statement.vatPPM]).sorted()
            .map { NumberText.percent(ppm: $0) }
        let (net, tax) = (
            Fen(statement.gross - statement.vat).yuanText, Fen(statement.vat).yuanText
        )
        let text = words(
            "费用含 \(rates.joined(separator: "、")) 增值税：不含税 \(net) 元，税额 \(tax) 元，按最大余额法分摊到各行。",
            "Fees include \(rates.joined(separator: " and ")) VAT: gross without tax \(net), tax \(tax),"
                + " shared out over the lines by largest remainder."
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

    private func fundsNotes(_ words: ReportLanguage) -> [String] {
        var lines: [String] = []
        if statement.held != 0 {
            let held = Fen(statement.held).yuanText
            lines.append(
                words("运行中的作业现已预占 \(held) 元。", "Reserved by running jobs now: \(held) CNY.")
            )
        }
        if let available = statement.available {
            let free = Fen(available).yuanText
            lines.append(words("现尚可预占 \(free) 元。", "Still to be reserved now: \(free) CNY."))
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
            "core-hour": "核时", "card-hour": "卡时", "node-hour": "节点时", "storage-tb-day": "存储（TB·天）",
        ]
        return chinese[name].map { self($0, name) } ?? name
    }

    /// The words for what costs are broken down by.
    func grouping(_ name: String) -> String {
        let chinese = ["user": "用户", "project": "项目", "platform": "平台", "kernel": "计算内核"]
        return chinese[name].map { self($0, name.prefix(1).uppercased() + name.dropFirst()) }
            ?? name
    }

    /// What is paid of a list price, in thousandths: `6 折` in Chinese is `-40 %` in English.
    func discount(_ thousandths: Int64) -> String {
        guard thousandths != 1_000 else { return "" }
        var tenths = BillReport.thousandths(thousandths * 10)
        while tenths.hasSuffix("0") || tenths.hasSuffix(".") {
            let isPoint = tenths.removeLast() == "."
            if isPoint { break }
        }
        return self("\(tenths) 折", "-\(NumberText.percent(ppm: (1_000 - thousandths) * 1_000))")
    }
}
