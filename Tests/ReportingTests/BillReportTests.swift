import Billing
import ClusterModel
import JobModel
import Quantities
import Reporting
import Testing
import WireFormats

@Suite("Bill report")
struct BillReportTests {
    func makeReport() throws -> BillReport {
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
                    title: "渤海汽车",
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
            asOf: start + SimDuration(seconds: 86_400)
        )
        return BillReport(BillStatement(try #require(statement)))
    }

    @Test("The text shows sums, breakdowns and the cap, in aligned columns")
    func text() throws {
        let text = try makeReport().text
        let expected = """
            Statement of account bohai-motor · 渤海汽车
              Period      2026-11 (Asia/Shanghai)
              As of       2026-11-04T00:00:00
              Tariff      tianjin
              Enterprise  bohai

            Platform               Jobs  Core-hours  Card-hours  Fee (CNY)
            ──────────────────────────────────────────────────────────────
            tianhe · 天河             2   79,200.00        6.00   7,920.00
            tianjin-ai · AI cards     2       96.00       13.50      45.00
            ──────────────────────────────────────────────────────────────
            Total                     4   79,296.00       19.50   7,965.00

            Final state  Jobs  Core-hours  Card-hours  Fee (CNY)
            ────────────────────────────────────────────────────
            COMPLETED       2   72,048.00        7.50   7,245.00
            NODE_FAIL       1       48.00        6.00       0.00
            TIMEOUT         1    7,200.00        6.00     720.00
            ────────────────────────────────────────────────────
            Total           4   79,296.00       19.50   7,965.00

            Resource    Quantity  Fee (CNY)
            ───────────────────────────────
            core-hour  79,296.00   7,920.00
            card-hour      19.50      45.00
            """
        #expect(text.hasPrefix(expected + "\n"))
        #expect(text.contains("Subsidy teda-machine-hour 2026  -3,982.50\n"))
        #expect(text.contains("Net fee                          3,982.50\n"))
        #expect(text.contains("used 3,982.50, left 1,996,017.50"))
        // 7,200 CNY for 12,355,678,901 flop and for 1 kWh.
        let work = "Verified work: 12.4 Gflop in 1 job, 582,727,995.58 CNY a Pflop\n"
        #expect(text.contains(work))
        let energy = "Energy reported: 1.000000 kWh (estimated), 7,200,000.00 CNY a MWh\n"
        #expect(text.contains(energy))
        #expect(text.contains("free states): 48.00 core-hours"))
    }

    @Test("The page says what the text says, in the words of its language")
    func page() throws {
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
            "Reserved by running jobs: 64.00", "Still to be reserved: 999.00",
            "Voucher cxq-1: 0.00 left of 0.00, valid from 2026-02-03", "fees include 6 % VAT",
        ] {
            #expect(report.text.contains(fact), "text: \(fact)")
            #expect(report.html(in: .english).contains(fact), "page: \(fact)")
        }
        #expect(report.html(in: .english).contains("<td>COMPLETED</td>"))
        #expect(report.html(in: .english).contains("<td>tianhe · 天河</td>"))
        #expect(report.html(in: .both).contains("<td>完成 COMPLETED</td>"))
        let chinese = report.html(in: .chinese)
        #expect(chinese.contains("<td>节点故障</td>"))
        #expect(!chinese.contains("COMPLETED"))
        #expect(chinese.contains("自 2026-02-03"))
    }

    @Test("JSON is read back to the same statement")
    func json() throws {
        let report = try makeReport()
        let back = try BillStatement(parsing: Array(report.json.utf8))
        #expect(back == report.statement)
        #expect(back.json["gross_fen"]?.integer == 796_500)
        #expect(back.json["net_fen"]?.integer == 398_250)
    }

    @Test("CSV sections each add up to the gross fee")
    func csv() throws {
        let rows = try makeReport().csv.split(separator: "\n").dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows.allSatisfy { $0.count == 9 })
        for section in ["platform", "state", "resource", "gross"] {
            let sum = rows.filter { $0[2] == section }.reduce(0) { $0 + (Int($1[8]) ?? 0) }
            #expect(sum == 796_500, "\(section)")
        }
        #expect(rows.contains { $0[2] == "cap_left" && $0[8] == "199601750" })
        #expect(csvField("a,\"b\"") == "\"a,\"\"b\"\"\"")
    }
}
