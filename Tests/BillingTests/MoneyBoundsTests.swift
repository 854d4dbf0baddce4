import Billing
import Catalog
import ClusterModel
import JobModel
import Quantities
import Testing

@Suite("Bounds of money")
struct MoneyBoundsTests {
    private func fee(_ usage: JobUsage, _ tariff: Tariff) -> Fen {
        var volumes = VolumeCounter()
        return tariff.charge(for: usage, volumes: &volumes).reduce(into: .zero) { $0 += $1.amount }
    }

    @Test("No run costs more than 10¹⁵ fen, however large it and its price are")
    func largestFee() {
        var dear = Tariff(
            id: "dear",
            lines: [TariffLine(resource: .coreHour, price: .maximum)],
            qosFactors: ["high": Factor(thousandths: 1_000_000)],
            reservationFactor: Factor(thousandths: 1_000_000)
        )
        var run = usage(1, cores: .max, seconds: 31_536_000)
        run.qos = "high"
        run.isReserved = true
        #expect(fee(run, dear) == .maximum)
        // Nor does a share of memory overflow.
        dear.lines[0].memoryPerCore = ByteCount(.max)
        run.coreCount = 1
        run.memory = ByteCount(.max)
        #expect(fee(run, dear) == .maximum)
        // One core for an hour at 10⁶ CNY is exact.
        #expect(fee(usage(1, cores: 1), dear) == Fen(100_000_000))
        // Where hours are free the largest run is.
        let free = Tariff(id: "free", lines: [TariffLine(resource: .coreHour, price: fenAnHour(0))])
        #expect(fee(run, free) == .zero)
    }

    @Test("The parts of a run at the bound add up to the bound")
    func partsAtTheBound() {
        let tariff = Tariff(id: "t", lines: [TariffLine(resource: .coreHour, price: .maximum)])
        var volumes = VolumeCounter()
        let run = usage(1, cores: 20_000, seconds: 90 * 86_400)
        let parts = tariff.charge(for: run, volumes: &volumes)
        #expect(parts.count == 3)
        #expect(parts.reduce(into: Fen.zero) { $0 += $1.amount } == .maximum)
    }

    @Test("A tariff under which a machine could earn more than 10⁹ CNY an hour does not fit it")
    func tariffForMachine() throws {
        let machine = try MachineLibrary().machine(named: "tianhe-1a")
        let cores = machine.totals.coreCount
        func tariff(_ price: Int64, qos: Int64 = 1_000) -> Tariff {
            Tariff(
                id: "t",
                lines: [TariffLine(resource: .coreHour, price: fenAnHour(price))],
                qosFactors: ["high": Factor(thousandths: qos)]
            )
        }
        #expect(tariff(10).excess(on: machine) == nil)
        let highest = Tariff.hourMaximum.count / cores / Int64(machine.partitions.count)
        #expect(tariff(highest / 2).excess(on: machine) == nil)
        let excess = try #require(tariff(highest / 2, qos: 1_000_000).excess(on: machine))
        #expect("\(excess)".contains("core-hour in partition"), "\(excess)")
    }

    @Test("Payments and vouchers come to 10¹⁸ fen at most")
    func sums() throws {
        var book = makeBook()
        let now = shanghai(2026, 3, 1)
        var paid = 0
        let refusal = #expect(throws: LedgerRefusal.self) {
            while paid < 1_100 {
                _ = try book.pay(.maximum, from: "bohai", reference: "\(paid)", at: now)
                paid += 1
            }
        }
        #expect(refusal == .sumOutOfRange(LedgerAccount(.cash)))
        #expect(paid == 1_000)
        var issued = 0
        #expect(throws: LedgerRefusal.self) {
            while issued < 1_100 {
                let voucher = Voucher(id: "v\(issued)", account: "bohai", face: .maximum)
                _ = try book.issue(voucher, at: now)
                issued += 1
            }
        }
        #expect(issued == 1_000)
        #expect(book.fundsAvailable(to: "bohai", on: BillingDay(containing: now)) == nil)
        #expect(book.ledger.faults().isEmpty)
    }

    @Test("A least fee of more than a million yuan, and a price of more an hour, are refused")
    func files() throws {
        func refusal(_ body: String) -> String {
            do {
                _ = try TariffReader.tariff(text: "tariff: t\n" + body, file: "t.yaml")
                return "taken"
            } catch { return "\(error)" }
        }
        let line = "lines:\n  - {resource: core-hour, price: 1 CNY}\n"
        #expect(refusal(line + "minimum_charge: 1000000 CNY\n") == "taken")
        #expect(
            refusal(line + "minimum_charge: 1000000.01 CNY\n").hasPrefix(
                "t.yaml:4: field minimum_charge: 1000000.01 CNY is out of range"
            )
        )
        #expect(
            refusal("lines:\n  - {resource: core-hour, price: 1000001 CNY}\n")
                .hasPrefix("t.yaml:3: field lines[0].price: 1000001 CNY is out of range")
        )
    }
}
