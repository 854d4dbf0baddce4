import Billing
import Catalog
import JobModel
import Quantities
import Testing

@Suite("Tariff file")
struct TariffReaderTests {
    let text = """
        tariff: iap
        title: The scale of IAP-CAS, 2023, with more
        qos: {premium: 2, low: 0.5}
        reservation: 1.5
        classes: {university: 0.6}
        free_states: [OUT_OF_MEMORY]
        minimum_charge: 0.05 CNY
        lines:
          - platform: tianhe
            resource: core-hour
            valid_to: 2027-01-01
            tiers:
              - {upto_hours: 100000, price: 0.12 CNY}
              - {upto_hours: 500000, price: 0.10 CNY}
              - {price: 0.08 CNY}
          - {platform: tianhe, resource: core-hour, valid_from: 2027-01-01, price: 0.09 CNY}
          - {partition: fat, resource: core-hour, memory_per_core: 4 GiB, price: 0.30 CNY}
          - {resource: card-hour, price: 6 CNY}
        """

    func fee(_ usage: JobUsage, classes: [String] = []) throws -> Int64 {
        let tariff = try TariffReader.tariff(text: text, file: "t.yaml")
        var volumes = VolumeCounter()
        return tariff.charge(for: usage, classes: classes, volumes: &volumes)
            .reduce(0) { $0 + $1.amount.count }
    }

    @Test("Tiers, factors, discounts, minimum and free states are what the file says")
    func everyField() throws {
        #expect(try fee(usage(1, cores: 600_000)) == 100_000 * 12 + 400_000 * 10 + 100_000 * 8)
        #expect(try fee(usage(1, from: shanghai(2027, 1, 1))) == 108)
        #expect(try fee(usage(1, from: shanghai(2026, 12, 31, 23, 30))) == 72 + 54)
        #expect(try fee(usage(1), classes: ["university"]) == 86)
        var premium = usage(1, cards: 2)
        premium.qos = "premium"
        premium.isReserved = true
        #expect(try fee(premium) == (144 + 1_200) * 3)
        #expect(try fee(usage(1, outcome: .ended(.outOfMemory))) == 0)
        #expect(try fee(usage(1, cores: 1, seconds: 1)) == 5)
    }

    @Test("Memory beyond the share of the cores pays as cores")
    func memoryShare() throws {
        var fat = usage(1, cores: 4)
        fat.partition = "fat"
        #expect(try fee(fat) == 120)
        fat.memory = ByteCount(mebibytes: 16_384)
        #expect(try fee(fat) == 120)
        fat.memory = ByteCount(mebibytes: 16_385)
        #expect(try fee(fat) == 150)
    }

    @Test(
        "A bad tariff is refused with file, line and field",
        arguments: [
            ("- {resource: core-hour, price: 1}", "t.yaml:3: field lines[0].price: needs a price"),
            (
                "- {resource: core, price: 1 CNY}",
                "t.yaml:3: field lines[0].resource: 'core' is not"
            ),
            (
                "- {resource: core-hour, price: 1 CNY, valid_to: 2027-01-02}\n"
                    + "  - {resource: core-hour, price: 2 CNY, valid_from: 2027-01-01}",
                "t.yaml:4: field lines[1]: its validity overlaps that of lines[0]"
            ),
            (
                "- {resource: core-hour, price: 1 CNY, valid_from: 2027-01-01, valid_to: 2027-01-01}",
                "t.yaml:3: field lines[0].valid_to: must be after"
            ),
            (
                "- {resource: core-hour, tiers: [{upto_hours: 5, price: 1 CNY}]}",
                "t.yaml:3: field lines[0].tiers[0]: the last step"
            ),
            (
                "- {platform: a, partition: b, resource: core-hour, price: 1 CNY}",
                "t.yaml:3: field lines[0].partition: name a platform or a partition"
            ),
            (
                "- {resource: core-hour, price: 0.00000001 CNY}\nclasses: {university: 0.5}",
                "t.yaml:3: field lines[0].price: with the discount of class 'university'"
            ),
            (
                "- {resource: core-hour, price: 1 CNY}\nclasses: {student: 0.5}",
                "t.yaml:4: field classes.student: 'student' is not known here"
            ),
            (
                "- {resource: core-hour, price: 1 CNY}\nqos: {low: 0.12345}",
                "t.yaml:4: field qos.low: needs a factor with at most three decimals"
            ),
            (
                "- {resource: core-hour, price: 1 CNY}\nfree_states: [NODEFAIL]",
                "t.yaml:4: field free_states[0]: 'NODEFAIL' is not known here"
            ),
        ]
    )
    func badTariffs(lines: String, message: String) {
        let refusal = #expect(throws: FileRefusal.self) {
            try TariffReader.tariff(text: "tariff: t\nlines:\n  \(lines)\n", file: "t.yaml")
        }
        let found = refusal?.description ?? ""
        #expect(found.hasPrefix(message), "\(found)")
    }
}
