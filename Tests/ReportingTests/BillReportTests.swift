import Billing
import ClusterModel
import JobModel
import Quantities
import Reporting
import Testing
import WireFormats

@Suite("Bill report")
struct BillReportTests {
    func makeReport(detail: StatementSums.Detail = .init()) throws -> BillReport {
        var book = BillingBook(
            tariff: Tariff(
                id: "tianjin",
                lines: [
                    TariffLine(
                        platform: "tianhe",
                        resource: .coreHour,
                        price: HourlyPrice(microFen: 10_000_000)
                    ),
                    TariffLine(
                        platform: "tianjin-ai",
                        resource: .cardHour,
                        price: HourlyPrice(microFen: 600_000_000)
                    ),
                ]
            ),
            accounts: [
                BillingAccount(
                    name: "bohai-motor",
                    title: "Bohai Motor (渤海汽车)",
                    enterprise: "bohai",
                    classes: ["enterprise"]
                )
            ],
            platforms: [
                Platform(name: "tianhe", title: "天河", isKey: true),
                Platform(name: "tianjin-ai", title: "AI cards", isKey: true),
            ]
        )
        let start = CivilTime(year: 2026, month: 11, day: 3).instant(offsetSeconds: 28_800)
        func run(_ id: UInt32, _ platform: String, _ state: EndState, cores: Int64, cards: Int64) {
            _ = book.settle(
                JobUsage(
                    id: JobID(id),
                    account: "bohai-motor",
                    partition: platform,
                    platform: platform,
                    outcome: .ended(state),
                    nodeCount: 4,
                    coreCount: cores,
                    cardCount: cards,
                    startedAt: start,
                    endedAt: start + SimDuration(seconds: 5_400),
                    verifiedFlop: id == 1 ? 12_355_678_901 : nil,
                    energy: id == 1
                        ? MeasuredEnergy(millijoules: 3_600_000_000, isEstimated: true) : nil
                )
            )
        }
        run(1, "tianhe", .completed, cores: 48_000, cards: 0)
        run(2, "tianhe", .timeout, cores: 4_800, cards: 4)
        run(3, "tianjin-ai", .nodeFail, cores: 32, cards: 4)
        run(4, "tianjin-ai", .completed, cores: 32, cards: 5)
        let statement = book.statement(
            of: .account("bohai-motor"),
            period: .month(BillingMonth(year: 2026, month: 11)),
            asOf: start + SimDuration(seconds: 31 * 86_400),
            detail: detail
        )
        return BillReport(BillStatement(try #require(statement)))
    }

    @Test("The text has parties, lines at prices, balances, breakdowns and the cap")
    func text() throws {
        var statement = try makeReport().statement
        var issuer = BillIssuer()
        issuer.name = "Centre (中心)"
        issuer.taxID = "12120000EXAMPLE000"
        issuer.bank = "Bank (银行)"
        issuer.bankAccount = "0001"
        statement.issuer = issuer
        statement.contract = "C-1"
        let text = BillReport(statement).text(in: .english)
        let expected = """
            Statement of account
              Number        JS-202611-bohai-motor
              Issuer        Centre
              Tax id        12120000EXAMPLE000
              Bank account  Bank 0001
              Customer      Bohai Motor
              Contract      C-1
              Account       bohai-motor
              Enterprise    bohai
              Period        2026-11 (Asia/Shanghai)
              As of         2026-12-04T00:00:00
              Tariff        tianjin

            Charges
            Item                                  Quantity  List price  Discount  Unit price  Amount (CNY)  Tax rate  Tax inside
            ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
            天河 (tianhe) · core-hour          79,200.0000        0.10                  0.10      7,920.00       6 %      448.30
            AI cards (tianjin-ai) · card-hour       7.5000        6.00                  6.00         45.00       6 %        2.55
            ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
            Total                                                                                 7,965.00                450.85
            """
        #expect(text.hasPrefix(expected + "\n"), "\(text)")
        for fact in [
            "Subsidy 2026: TEDA machine-hour subsidy (teda-machine-hour)  -3,982.50\n",
            "Net fee ", "Closing balance ",
            "The customer owes the centre 3,982.50 CNY.",
            "叁仟玖佰捌拾贰元伍角整（¥3,982.50）", "COMPLETED       2   72,048.00        7.50   7,245.00",
            "used 3,982.50, left 1,996,017.50", "Issuer (seal):__________",
            // 7,200 CNY for 12,355,678,901 flop and for 1 kWh.
            "Verified work: 12.4 Gflop in 1 job, 582,727,995.58 CNY a Pflop.\n",
            "Energy reported: 1.000000 kWh (estimated), 7,200,000.00 CNY a MWh.\n",
            "free states): 48.00 core-hours",
        ] {
            #expect(text.contains(fact), "\(fact)")
        }
    }

    @Test("Text and page say the same, in the words of each language")
    func languages() throws {
        var statement = try makeReport().statement
        statement.refunded = 12_345
        statement.held = 6_400
        statement.available = 99_900
        var voucher = BillVoucher()
        voucher.id = "cxq-1"
        voucher.validFrom = "2026-02-03"
        statement.vouchers = [voucher]
        let report = BillReport(statement)
        for fact in [
            "Charges", "Refunded", "Not charged (node failure", "48.00 core-hours",
            "Reserved by running jobs now: 64.00", "Still to be reserved now: 999.00",
            "Voucher cxq-1: 0.00 left of 0.00, valid from 2026-02-03", "Fees include 6 % VAT",
        ] {
            #expect(report.text(in: .english).contains(fact), "text: \(fact)")
            #expect(report.html(in: .english).contains(fact), "page: \(fact)")
        }
        for fact in [
            "机时费用结算单", "2026 年 11 月（北京时间）", "渤海汽车", "天河（tianhe） · 核时", "节点故障",
            "创新券 cxq-1：余额 0.00 元，面值 0.00 元，2026-02-03 起有效。", "客户应付本中心 3,982.50 元。",
            "费用含 6 % 增值税：不含税 7,514.15 元，税额 450.85 元", "结算单位（盖章）：",
        ] {
            #expect(report.text(in: .chinese).contains(fact), "text: \(fact)")
            #expect(report.html(in: .chinese).contains(fact), "page: \(fact)")
        }
        let chinese = report.text(in: .chinese)
        #expect(!chinese.contains("COMPLETED"))
        #expect(!chinese.contains("Bohai"))
        // No half-width mark stands after a Chinese character.
        let scalars = Array(chinese.unicodeScalars)
        let halfWidth = zip(scalars, scalars.dropFirst()).filter { before, mark in
            (0x4E00...0x9FFF).contains(before.value) && ",:;()".unicodeScalars.contains(mark)
        }
        #expect(halfWidth.isEmpty)
        #expect(report.html(in: .both).contains("<td class=\"l\">完成 COMPLETED</td>"))
    }

    @Test(
        "LANG decides about the language, after LC_ALL and LC_MESSAGES",
        arguments: [
            (["LANG": "zh_CN.UTF-8"], ReportLanguage.chinese), (["LANG": "C"], .english),
            ([:], .english),
            (["LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB"], .english),
            (["LANG": "zh_CN.UTF-8", "LC_ALL": ""], .chinese),
        ]
    )
    func environment(_ variables: [String: String], _ language: ReportLanguage) {
        #expect(ReportLanguage(environment: variables) == language)
    }

    @Test("JSON is read back to the same statement")
    func json() throws {
        let report = try makeReport()
        let back = try BillStatement(parsing: Array(report.json.utf8))
        #expect(back == report.statement)
        #expect(back.json["gross_fen"]?.integer == 796_500)
        #expect(back.json["net_fen"]?.integer == 398_250)
    }

    @Test("CSV sections each add up to the gross fee, in fen and in yuan")
    func csv() throws {
        let csv = try makeReport().csv(in: .chinese)
        #expect(csv.contains(",closing,,\"客户应付本中心 3,982.50 元。\",,,,,,,,398250,3982.50,\n"))
        // What has no comma inside a field.
        let rows = csv.split(separator: "\n").dropFirst().filter { !$0.contains("\"") }.map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows.allSatisfy { $0.count == 15 })
        for section in ["line", "platform", "state", "resource", "gross"] {
            let own = rows.filter { $0[2] == section }
            #expect(own.reduce(0) { $0 + (Int($1[12]) ?? 0) } == 796_500, "\(section)")
            #expect(
                own.allSatisfy { $0[13] == Fen(Int64($0[12]) ?? 0).yuanText.filter { $0 != "," } }
            )
        }
        #expect(rows.filter { $0[2] == "line" }.map { Int($0[14]) } == [44_830, 255])
        #expect(rows.contains { $0[2] == "cap_left" && $0[12] == "199601750" })
        let marked = try makeReport().csv(in: .english, hasByteOrderMark: true)
        #expect(Array(marked.utf8.prefix(3)) == [0xEF, 0xBB, 0xBF])
    }

    @Test("Energy and carbon dioxide are lines, with the factor and who published it")
    func green() throws {
        var statement = try makeReport().statement
        statement.modelledMillijoules = 4_053_600_000
        statement.carbonDioxideGrams = 604
        statement.gridFactor = 536_600
        statement.gridSource = "China 2022 (全国 2022 年)"
        let text = BillReport(statement).text(in: .english)
        for fact in ["1.126000 kWh", "2.126000 kWh", "0.604 kg", "536.600 g a kWh: China 2022."] {
            #expect(text.contains(fact), "\(fact)")
        }
        let page = BillReport(statement).html(in: .chinese)
        #expect(page.contains("绿色账单"))
        #expect(page.contains("536.600 克计算（全国 2022 年）"))
    }

    @Test("The list of charges adds up to the gross fee, refunds included")
    func charges() throws {
        let report = BillReport(try makeReport(detail: .init(listsCharges: true)).statement)
        let rows = report.chargesCSV().split(separator: "\n").dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows.map { String($0[0]) } == (1...4).map { "charge/\($0).0/2026-11" })
        #expect(rows.reduce(0) { $0 + (Int($1[13]) ?? 0) } == 796_500)
        #expect(report.html(in: .chinese).contains("附件：作业清单"))
    }

    @Test("FOCUS rows have 30 columns, and their billed cost is what is to be paid")
    func focus() throws {
        let report = try makeReport()
        let rows = try #require(report.focus(in: .english)).split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows.allSatisfy { $0.count == 30 })
        let names = rows[0].map(String.init)
        #expect(names.dropLast() == names.dropLast().sorted()[...])
        let category = try #require(names.firstIndex(of: "ChargeCategory"))
        #expect(rows.dropFirst().map { $0[category] } == ["Usage", "Usage", "Credit"])
        let cost = rows.dropFirst().reduce(0) { $0 + (Int($1[0].filter { $0 != "." }) ?? 0) }
        #expect(cost == 398_250)
        #expect(rows[1].contains("2026-10-31T16:00:00Z"))
        var all = report.statement
        all.period = "all"
        #expect(BillReport(all).focus(in: .english) == nil)
    }
}
