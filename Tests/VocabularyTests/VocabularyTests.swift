import Determinism
import IndexSets
import Quantities
import Testing

@Suite("Host lists")
struct HostListTests {
    @Test(
        "Names are compressed as Slurm does",
        arguments: [
            (["cn1", "cn2", "cn3"], "cn[1-3]"), (["cn1"], "cn1"), (["cn9", "cn10"], "cn[9-10]"),
            (["cn0009", "cn0010", "cn0130"], "cn[0009-0010,0130]"),
            (["a", "b1", "b3"], "a,b[1,3]"),
            (["cn3", "cn1", "cn2"], "cn[1-3]"), (["x099", "x100"], "x[099-100]"),
        ]
    )
    func compressed(names: [String], expression: String) throws {
        #expect(HostList.compress(names) == expression)
        #expect(try Set(HostList.expand(expression)) == Set(names))
    }

    @Test(
        "Names are compressed in their order, each as often as it is there",
        arguments: [
            (["cn3", "cn1", "cn2", "cn1"], "cn[3,1-2,1]"), (["cn1", "cn1"], "cn[1,1]"),
            (["cn1", "gn1", "cn2"], "cn1,gn1,cn2"), (["a", "cn2", "cn3", "a"], "a,cn[2-3],a"),
            ([], ""),
        ]
    )
    func compressedInOrder(names: [String], expression: String) throws {
        #expect(HostList.compressInOrder(names) == expression)
        #expect(try HostList.expand(expression) == names)
    }

    @Test("Every bracket of a name is expanded, the first one slowest")
    func severalBrackets() throws {
        #expect(
            try HostList.expand("rack[0-1]n[0-2],x") == [
                "rack0n0", "rack0n1", "rack0n2", "rack1n0", "rack1n1", "rack1n2", "x",
            ]
        )
    }

    @Test(
        "Malformed expressions are refused",
        arguments: [
            "cn[1-", "cn1]", "cn[[1]]", "cn[3-1]", "cn[a-b]", "cn[1,,2]", "c[0-99999999]",
            "r[0-1]n[2-1]", "r[0-9999]n[0-9999]",
        ]
    )
    func malformed(expression: String) {
        #expect(throws: HostList.Rejection.self) { try HostList.expand(expression) }
    }

    @Test("Expanding what was compressed gives the names back", arguments: 0..<50 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = SplitMix64(seed: seed, stream: "host list")
        let width = random.draw(1...5)
        let names = Set(
            (0..<random.draw(1...60)).map { _ in
                let digits = String(random.draw(0...120))
                return "n" + String(repeating: "0", count: max(0, width - digits.count)) + digits
            }
        )
        let back = try HostList.expand(HostList.compress(names.sorted()))
        #expect(Set(back) == names, "seed \(seed)")
        #expect(back.count == names.count, "seed \(seed)")
    }
}

@Suite("Sets of node indices")
struct IDSetTests {
    @Test("It does what a set of integers does", arguments: 0..<50 as Range<UInt64>)
    func agreesWithSet(seed: UInt64) {
        var random = SplitMix64(seed: seed, stream: "id set")
        func draw() -> Set<Int> { Set((0..<40).map { _ in random.draw(0...200) }) }
        let (left, right) = (draw(), draw())
        var union = IDSet(left)
        union.formUnion(IDSet(right))
        var difference = IDSet(left)
        difference.subtract(IDSet(right))
        #expect(Array(union) == left.union(right).sorted(), "seed \(seed)")
        #expect(Array(difference) == left.subtracting(right).sorted(), "seed \(seed)")
        #expect(IDSet(left).intersects(IDSet(right)) == !left.isDisjoint(with: right))
        #expect(union.isSuperset(of: IDSet(left)))
        #expect(union.count == left.union(right).count)
        #expect(difference == IDSet(left.subtracting(right)), "equal sets are equal values")
    }
}

@Suite("Time and money")
struct QuantityTests {
    @Test(
        "Civil time is the calendar's",
        arguments: [
            (0, "1970-01-01T00:00:00"), (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"), (4_107_542_400, "2100-03-01T00:00:00"),
            (-1, "1969-12-31T23:59:59"), (1_795_219_200, "2026-11-21T00:00:00"),
        ] as [(Int64, String)]
    )
    func calendar(seconds: Int64, text: String) {
        let civil = CivilTime(SimInstant(seconds: seconds), offsetSeconds: 0)
        #expect(civil.iso8601 == text)
        #expect(civil.isValid)
        #expect(civil.instant(offsetSeconds: 0) == SimInstant(seconds: seconds))
    }

    @Test("Shanghai is eight hours ahead, also over a year's end")
    func shanghai() {
        let instant = CivilTime(year: 2026, month: 12, day: 31, hour: 16).instant(offsetSeconds: 0)
        let local = CivilTime(instant, offsetSeconds: CivilTime.shanghaiOffsetSeconds)
        #expect(local.iso8601 == "2027-01-01T00:00:00")
        #expect(!CivilTime(year: 2026, month: 2, day: 29).isValid)
    }

    @Test(
        "Fen are printed as yuan with groups",
        arguments: [
            (0, "0.00"), (5, "0.05"), (-5, "-0.05"), (123_456, "1,234.56"),
            (200_000_000, "2,000,000.00"), (-100_000, "-1,000.00"),
        ] as [(Int64, String)]
    )
    func yuan(count: Int64, text: String) {
        #expect(Fen(count).yuanText == text)
    }

    @Test("Held time is exact where 64 bits end")
    func heldTime() {
        let year = SimDuration(seconds: 365 * 86_400)
        let held = HeldTime(count: 10_649_600, for: year)
        #expect(held.microseconds == Int128(10_649_600) * 31_536_000_000_000)
        #expect(held.seconds == 10_649_600 * 31_536_000)
    }
}

@Suite("Chance")
struct SplitMix64Tests {
    @Test("The sequence is the published one")
    func published() {
        // Values of the reference implementation (https://prng.di.unimi.it/splitmix64.c), seed 0.
        var random = SplitMix64(seed: 0)
        #expect(random.next() == 0xE220_A839_7B1D_CDAF)
        #expect(random.next() == 0x6E78_9E6A_A1B9_65F4)
        #expect(random.next() == 0x06C4_5D18_8009_454F)
    }

    @Test("Streams of one seed differ, and a draw stays below its bound")
    func streams() {
        var arrivals = SplitMix64(seed: 1, stream: "arrivals")
        var sizes = SplitMix64(seed: 1, stream: "sizes")
        #expect(arrivals.next() != sizes.next())
        for bound in 1...100 as ClosedRange<UInt64> { #expect(sizes.below(bound) < bound) }
    }
}
