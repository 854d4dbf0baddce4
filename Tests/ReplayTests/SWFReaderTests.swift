import Determinism
import EmulatorTestSupport
import Testing
import WorkloadFormats

@testable import TraceFiles

@Suite("SWF reader")
struct SWFReaderTests {
    private func read(_ text: String, _ reader: SWFReader = SWFReader()) throws -> Trace {
        try Array(text.utf8).withUnsafeBytes { try reader.read($0) }
    }

    private let tail = "-1 1 1 1 -1 -1 -1 -1 -1"

    @Test("Header names are read whatever their spelling")
    func header() throws {
        let trace = try read(
            "; Version: 2.2\n;MaxProcs : 128 \n;;maxnodes=64\n; UnixStartTime: 100\n"
        )
        #expect(trace.machineProcessors == 128)
        #expect(trace.unixStartTime == 100)
        #expect(trace.headerValue("version") == "2.2")
    }

    @Test("MaxNodes serves where MaxProcs is missing or unknown")
    func maxNodes() throws {
        #expect(try read("; MaxProcs: -1\n; MaxNodes: 64 (batch)\n").machineProcessors == 64)
    }

    @Test("Size is field 8 when positive, else field 5; a missing limit is the run time")
    func sizeAndLimit() throws {
        let trace = try read(
            """
            1 0 -1 10 4 -1 -1 8 60 \(tail)
            2 5 -1 20 4 -1 -1 -1 -1 \(tail)
            3 6 -1 30.5 0 -1 -1 0 60 \(tail)

            """
        )
        #expect(trace.jobs.map(\.processors) == [8, 4])
        #expect(trace.jobs.map(\.timeLimit) == [60_000_000, 20_000_000])
        #expect(trace.withoutLimit == 1)
        #expect(trace.dropped == [.unknownSize: 1])
    }

    @Test("CRLF, 21 columns, tabs, comments in the middle and no final newline are read")
    func exotic() throws {
        let trace = try read(
            "1 0 -1 10 4 -1 -1 8 60 \(tail) 7 8 9\r\n; a remark\r\n\t2\t3 -1 10.25 4 -1 -1 8 60 \(tail)"
        )
        #expect(trace.jobs.map(\.id) == [1, 2])
        #expect(trace.jobs[1].runTime == 10_250_000)
        #expect(trace.dropped.isEmpty)
    }

    @Test("Rows out of order are sorted by submission, then by number")
    func order() throws {
        let trace = try read(
            """
            3 9 -1 1 1 -1 -1 1 1 \(tail)
            2 5 -1 1 1 -1 -1 1 1 \(tail)
            1 9 -1 1 1 -1 -1 1 1 \(tail)

            """
        )
        #expect(trace.jobs.map(\.id) == [2, 1, 3])
    }

    @Test("What cannot be replayed is left out and counted by reason")
    func dropped() throws {
        let trace = try read(
            """
            1 0 -1 10 4 -1 -1 8 60 -1 3 1 1 -1 -1 -1 -1 -1
            2 0 -1 -1 4 -1 -1 8 60 \(tail)
            3 -1 -1 10 4 -1 -1 8 60 \(tail)
            4 0 -1 10 4 -1 -1 8 60 \(tail)
            4 1 -1 10 4 -1 -1 8 60 \(tail)
            5 0 -1 ten 4 -1 -1 8 60 \(tail)
            6 0 -1 10

            """
        )
        #expect(trace.jobs.map(\.id) == [4])
        #expect(
            trace.dropped == [
                .partialExecution: 1, .unknownRunTime: 1, .unknownSubmission: 1, .repeatedID: 1,
                .malformed: 2,
            ]
        )
        #expect(trace.malformedRows.map(\.line) == [6, 7])
        #expect(trace.malformedRows.map(\.field) == [4, 5])
    }

    @Test("A strict reader refuses the first malformed row by its line and field")
    func strict() throws {
        let row = #expect(throws: MalformedRow.self) {
            try read("; x: y\n1 zero\n", SWFReader(isStrict: true))
        }
        #expect(row?.line == 2)
        #expect(row?.field == 2)
    }

    @Test("The strong filter drops what did not run, asked for nothing or is too large")
    func strong() throws {
        let trace = try read(
            """
            ; MaxProcs: 10
            1 0 -1 0 4 -1 -1 8 60 \(tail)
            2 0 -1 10 4 -1 -1 8 0 \(tail)
            3 0 -1 10 4 -1 -1 11 60 \(tail)
            4 0 -1 100 4 -1 -1 8 60 \(tail)

            """,
            SWFReader(filter: .strong)
        )
        #expect(trace.jobs.map(\.id) == [4])
        #expect(trace.jobs.map(\.runTime) == [60_000_000])
        #expect(trace.dropped == [.filtered: 3])
    }

    @Test("A log gives the same jobs, counts and lines whatever the number of its parts")
    func parts() throws {
        for seed in Seeds.first(200) {
            var random = SplitMix64(seed: seed)
            let text = Array(Self.wildLog(&random).utf8)
            for isStrict in [false, true] {
                let reader = SWFReader(isStrict: isStrict)
                let whole = text.withUnsafeBytes { bytes in Self.facts { try reader.read(bytes) } }
                for partCount in [2, 3, 7, 64, 10_000] {
                    let cut = text.withUnsafeBytes { bytes in
                        Self.facts { try TraceFile.inParts(bytes, reader, partCount: partCount) }
                    }
                    #expect(cut == whole, "seed \(seed), \(partCount) parts")
                }
            }
        }
    }

    /// All that a log gives, or why it was refused.
    private static func facts(_ read: () throws -> Trace) -> String {
        do {
            let trace = try read()
            return "\(trace.jobs) \(trace.header) \(trace.malformedRows) \(trace.rowCount)"
                + " \(trace.dropped.map { "\($0)" }.sorted()) \(trace.withoutLimit)"
                + " \(trace.withAllocatedSize) \(trace.outOfOrder) \(trace.unixStartTime)"
                + " \(trace.machineProcessors ?? -1)"
        } catch {
            return "\(error)"
        }
    }

    /// Rows, comments, empty lines, bad rows, blanks and both kinds of line ends.
    private static func wildLog(_ random: inout SplitMix64) -> String {
        var text = ""
        for line in 0..<random.below(60) {
            switch random.below(12) {
            case 0: text += "; MaxProcs: \(random.below(100))"
            case 1: text += " \t"
            case 2: text += "; Note: \(line)"
            case 3: text += "\(line) 1 x"
            case 4: text += "\(line) 7 -1 10.5 4 -1 -1 8 -1 -1 1 1 1 1 1 1 1 1"
            default:
                let (time, size) = (random.below(5) + line, random.below(9))
                text +=
                    "\(random.below(3) + line) \(time) -1 10 \(size) -1 -1 -1 60 -1 \(random.below(3)) 1 1 1 1 1 1 1"
            }
            text += random.below(5) == 0 ? "\r\n" : "\n"
        }
        if random.below(2) == 0, !text.isEmpty { text.removeLast() }
        return text
    }
}
