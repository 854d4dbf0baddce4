import IndexSets
import Quantities
import Testing
import WireFormats

@testable import SlurmDialect

@Suite("Options are read as getopt_long reads them")
struct OptionTests {
    private enum Name: Hashable, Sendable {
        case nodes, hold, help, exclusive, verbose, share, nodelist
    }

    private static let specs: [OptionSpec<Name>] = [
        OptionSpec(.nodes, "nodes", "N", .required),
        OptionSpec(.nodelist, "nodelist", "w", .required),
        OptionSpec(.hold, "hold", "H"), OptionSpec(.help, "help"),
        OptionSpec(.exclusive, "exclusive", nil, .optional), OptionSpec(.verbose, "verbose", "v"),
        OptionSpec(.share, "share", "s"), OptionSpec(.share, "shared", "s"),
    ]

    private func parse(_ words: String, permutes: Bool = true) throws -> String {
        let table = OptionTable(Self.specs, permutes: permutes)
        let (options, operands) = try table.parse(words.split(separator: " ").map(String.init))
        return options.map { "\($0.name)=\($0.value ?? "-")" }.joined(separator: " ")
            + " | " + operands.joined(separator: " ")
    }

    @Test(
        "Each way to write an option",
        arguments: [
            ("-N4", "nodes=4 | "), ("-N 4", "nodes=4 | "), ("--nodes=4", "nodes=4 | "),
            ("--nodes 4", "nodes=4 | "), ("--nodes=", "nodes= | "),
            ("-HvN4", "hold=- verbose=- nodes=4 | "),
            ("--exclusive", "exclusive=- | "), ("--exclusive=user", "exclusive=user | "),
            ("--exclusive user", "exclusive=- | user"), ("--exc", "exclusive=- | "),
            ("--sh", "share=- | "), ("-N -1", "nodes=-1 | "), ("--nodes=-1", "nodes=-1 | "),
            ("a -H b", "hold=- | a b"), ("-H -- -N 4", "hold=- | -N 4"), ("- -H", "hold=- | -"),
            ("--nodes=a=b", "nodes=a=b | "),
        ]
    )
    func ways(words: String, expected: String) throws {
        #expect(try parse(words) == expected)
    }

    @Test("Where a command follows, options end at the first operand")
    func noPermutation() throws {
        #expect(try parse("-H script -N 4", permutes: false) == "hold=- | script -N 4")
    }

    @Test(
        "What cannot be read is named in the C library's words",
        arguments: [
            ("--bogus", "unrecognized option '--bogus'"),
            ("--bogus=1", "unrecognized option '--bogus'"),
            ("-z", "invalid option -- 'z'"),
            ("--nod=4", "option '--nod' is ambiguous; possibilities: '--nodes' '--nodelist'"),
            ("--h", "option '--h' is ambiguous; possibilities: '--hold' '--help'"),
            ("--nodes", "option '--nodes' requires an argument"),
            ("-N", "option requires an argument -- 'N'"),
            ("--hold=1", "option '--hold' doesn't allow an argument"),
        ]
    )
    func refusals(words: String, sentence: String) throws {
        let refusal = #expect(throws: OptionRefusal.self) { try parse(words) }
        #expect(refusal?.description == sentence)
    }
}

@Suite("Values are read as Slurm reads them")
struct ValueTests {
    @Test(
        "Time limits",
        arguments: [
            ("5", 300), ("0:05", 60), ("1:00", 60), ("1:01", 120), ("00:10:00", 600),
            ("1-0", 86_400), ("1-2:03", 93_780), ("1-2:03:04", 93_840), ("7-00:00:00", 604_800),
            ("0-0:14:20", 900),
        ] as [(String, Int64)]
    )
    func limits(text: String, seconds: Int64) {
        #expect(SlurmTime.limit(text) == .of(SimDuration(seconds: seconds)))
    }

    @Test("No limit", arguments: ["0", "UNLIMITED", "infinite", "-5", "-1", "0:00"])
    func noLimit(text: String) {
        #expect(SlurmTime.limit(text) == .unlimited)
    }

    @Test(
        "What is no time limit",
        arguments: [
            "abc", "1:2:3:4:5", "", "1-", "-", "1:2:3:4", "1--2", "5m", "1-2-3", " 5",
            "999999999-0", "999999999-999999999",
        ]
    )
    func notALimit(text: String) {
        #expect(SlurmTime.limit(text) == nil)
    }

    @Test("A length of time that is written is read back", arguments: 0..<300 as Range<UInt64>)
    func durationRoundTrip(seed: UInt64) {
        // Multiplication by an odd number spreads the seeds over 40 days.
        let seconds = Int64((seed &* 0x9E37_79B9_7F4A_7C15) >> 40) % 3_456_000
        let duration = SimDuration(seconds: seconds)
        #expect(SlurmTime.seconds(SlurmTime.full(duration)) == seconds, "seed \(seed)")
        #expect(SlurmTime.seconds(SlurmTime.brief(duration)) == seconds, "seed \(seed)")
    }

    @Test(
        "Instants",
        arguments: [
            ("now", "2026-11-21T10:30:00"), ("now+60", "2026-11-21T10:31:00"),
            ("now+1hour", "2026-11-21T11:30:00"), ("now-2days", "2026-11-19T10:30:00"),
            ("now+10minutes", "2026-11-21T10:40:00"), ("16:00", "2026-11-21T16:00:00"),
            ("9:00", "2026-11-22T09:00:00"), ("4:30pm", "2026-11-21T16:30:00"),
            ("midnight", "2026-11-22T00:00:00"), ("noon", "2026-11-21T12:00:00"),
            ("teatime", "2026-11-21T16:00:00"), ("today", "2026-11-21T00:00:00"),
            ("tomorrow", "2026-11-22T00:00:00"), ("2030-01-20", "2030-01-20T00:00:00"),
            ("2030-01-20T12:34:00", "2030-01-20T12:34:00"),
            ("2030-01-20T12:34", "2030-01-20T12:34:00"),
            ("012030", "2030-01-20T00:00:00"), ("01/20/30", "2030-01-20T00:00:00"),
            ("1225", "2026-12-25T00:00:00"), ("uts1795224567", "2026-11-21T01:29:27"),
        ]
    )
    func instants(text: String, expected: String) throws {
        let now = World.at("10:30:00")
        let instant = try #require(World.calendar.instant(text, now: now), "\(text)")
        #expect(World.calendar.text(instant) == expected)
    }

    @Test(
        "What is no instant",
        arguments: [
            "bogus", "25:00", "2026-13-01", "now+", "now*2", "", "12:60",
            "now+999999999weeks", "now-999999999weeks", "now-99999days", "01/01/999999999999",
            "uts9223372036854775807", "uts-9223372036854775808", "uts-1",
        ]
    )
    func notAnInstant(text: String) {
        #expect(World.calendar.instant(text, now: .epoch) == nil)
    }

    @Test("An instant that is written is read back", arguments: 0..<300 as Range<UInt64>)
    func instantRoundTrip(seed: UInt64) {
        let seconds = Int64((seed &* 0x9E37_79B9_7F4A_7C15) >> 31)
        let instant = SimInstant(seconds: seconds)
        let text = CentreCalendar().text(instant)
        #expect(CentreCalendar().instant(text, now: .epoch) == instant, "seed \(seed): \(text)")
    }

    @Test(
        "Memory",
        arguments: [
            ("500", 500), ("500M", 500), ("4G", 4_096), ("1T", 1_048_576), ("1K", 1), ("1025K", 2),
            ("0", 0), ("2gb", 2_048),
        ] as [(String, Int64)]
    )
    func memory(text: String, mebibytes: Int64) {
        #expect(OptionValues.memory(text) == ByteCount(mebibytes: mebibytes))
    }

    @Test(
        "What is no memory",
        arguments: ["abc", "", "-1", "5X", "1.5G", "16777216T", "999999999999G"]
    )
    func notMemory(text: String) {
        #expect(OptionValues.memory(text) == nil)
    }

    @Test("Job arrays come back from what is shown", arguments: 0..<200 as Range<UInt64>)
    func arrayRoundTrip(seed: UInt64) throws {
        var state = seed
        var indices: Set<UInt32> = []
        for _ in 0..<(seed % 20 + 1) {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            indices.insert(UInt32(state >> 40) % 60)
        }
        let text = indices.sorted().rangeText
        #expect(try OptionValues.array(text).indices == indices.sorted(), "seed \(seed): \(text)")
    }

    @Test("Jobs and elements are named")
    func selectors() {
        #expect(OptionValues.job("20") == JobSelector(jobID: 20))
        #expect(OptionValues.job("20.batch") == JobSelector(jobID: 20))
        #expect(OptionValues.job("20_3") == JobSelector(jobID: 20, arrayTasks: [3]))
        #expect(OptionValues.job("20_[3-5,9]") == JobSelector(jobID: 20, arrayTasks: [3, 4, 5, 9]))
        #expect(OptionValues.job("20_*") == JobSelector(jobID: 20))
        for text in ["abc", "", "0", "20_x", "-1", "20_"] { #expect(OptionValues.job(text) == nil) }
    }

    @Test("Signals are named or numbered")
    func signals() {
        #expect(OptionValues.signal("USR1") == 10)
        #expect(OptionValues.signal("SIGTERM") == 15)
        #expect(OptionValues.signal("9") == 9)
        #expect(OptionValues.signal("BOGUS") == nil)
        #expect(OptionValues.signalRequest("B:USR1@30")?.lead == SimDuration(seconds: 30))
        #expect(OptionValues.signalRequest("X:USR1") == nil)
    }

    @Test(
        "File patterns",
        arguments: [
            ("slurm-%j.out", "slurm-42.out"),
            ("%x-%j-%u-%N-%n-%t-%%.log", "pat-42-alice-cn1-0-0-%.log"),
            ("%A_%a", "40_2"), ("%6j", "000042"), ("%y%", "%y%"), ("\\%j", "%j"), ("%3A", "040"),
            ("%J", "42"),
        ]
    )
    func patterns(pattern: String, expected: String) {
        let values = FilenamePattern.Values(
            jobID: 42,
            arrayJobID: 40,
            arrayTaskID: 2,
            jobName: "pat",
            user: "alice",
            host: "cn1"
        )
        #expect(FilenamePattern.expand(pattern, values) == expected)
        #expect(FilenamePattern.path("/a/%j", in: "/d", values) == "/a/42")
        #expect(FilenamePattern.path("b", in: "/d", values) == "/d/b")
    }

    @Test("Formats cut and pad")
    func formats() {
        #expect(FormatText("%.5a|%5b|%c%%").line { $0.key } == "    a|b    |c%")
        #expect(FormatText("<%3x>").line { _ in "abcdef" } == "<abc>")
        #expect(FormatText(long: "jobid:.6,name:3").line { $0.key } == " jobidnam")
        #expect(FormatText(long: "state").fields.first?.width == 20)
    }

    @Test("Exact ratios")
    func ratios() {
        #expect(AmountText.ratio(1_100, 4_294_967_295, digits: 14) == "0.00000025611371")
        #expect(AmountText.ratio(1, 2, digits: 0) == "1")
        #expect(AmountText.memory(mebibytes: 256_000) == "250G")
        #expect(AmountText.memory(mebibytes: 16_000) == "16000M")
    }
}
