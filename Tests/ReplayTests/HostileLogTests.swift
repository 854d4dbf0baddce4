import Determinism
import Testing
import WorkloadFormats

/// What logs in the wild hold. Goal: a reader never traps, and every row is a job or counted.
@Suite("Logs as they are found")
struct HostileLogTests {
    private static let tail = "-1 1 1 1 -1 -1 -1 -1 -1"

    @Test("Huge numbers, bytes of zero and words are malformed rows, not traps")
    func garbage() throws {
        let trace = try readLog(
            """
            99999999999999999999 0 -1 10 4 -1 -1 8 60 \(Self.tail)
            1 0 -1 10\u{0} 4 -1 -1 8 60 \(Self.tail)
            2 0 -1 1e3 4 -1 -1 8 60 \(Self.tail)
            3 0 -1 - 4 -1 -1 8 60 \(Self.tail)
            4 0 -1 10 4 -1 -1 8
            5 0 -1 999999999999 4 -1 -1 8 60 \(Self.tail)
            6 0 -1 10 4 -1 -1 99999999999 60 \(Self.tail)
            7 +0 -1 10.123456789 4.0 12.5 -1 8 60 \(Self.tail)

            """
        )
        // An exponent is a number as C writes it.
        #expect(trace.jobs.map(\.id) == [2, 7])
        #expect(trace.jobs.map(\.runTime) == [1_000_000_000, 10_123_456])
        #expect(trace.dropped == [.malformed: 4, .outOfRange: 1, .unknownSize: 1])
        #expect(trace.rowCount == 8)
    }

    @Test(
        "An empty log and a log of comments have no jobs",
        arguments: ["", "\n\n", "; a: b\n;\n"]
    )
    func empty(text: String) throws {
        let trace = try readLog(text)
        #expect(trace.jobs.isEmpty)
        #expect(trace.rowCount == 0)
        #expect(trace.dropped.isEmpty)
    }

    @Test("Headers are read as people write them; those of partitions are not the machine's")
    func headers() throws {
        let trace = try readLog(
            """
            ;   Computer: IBM SP2
            ; MaxProcs: 1,152 (8 a node)
            ; Partitions: 2
            ; Partition: 1 - 16 nodes
            ; UnixStartTime: 99999999999999999999
            ;Note: none

            """
        )
        #expect(trace.machineProcessors == 1_152)
        #expect(trace.unixStartTime == 0)
        #expect(trace.badStartTime == "99999999999999999999")
    }

    @Test("What was changed is counted: no limit, the allocated size, rows out of order")
    func changes() throws {
        let trace = try readLog(
            """
            1 9 -1 10 4 -1 -1 -1 60 \(Self.tail)
            2 5 -1 10 4 -1 -1 8 -1 \(Self.tail)

            """
        )
        #expect(trace.withAllocatedSize == 1)
        #expect(trace.withoutLimit == 1)
        #expect(trace.outOfOrder == 1)
        let strong = try readLog("1 9 -1 90 4 -1 -1 8 60 \(Self.tail)\n", filter: .strong)
        #expect(strong.cutAtLimit == 1)
        #expect(strong.jobs.map(\.runTime) == [60_000_000])
    }

    @Test("Half a million jobs of one instant stay in the order of their numbers")
    func oneInstant() throws {
        var text = ""
        for id in (1...50_000).reversed() { text += "\(id) 7 -1 10 4 -1 -1 8 60 \(Self.tail)\n" }
        let trace = try readLog(text)
        #expect(trace.jobs.map(\.id).elementsEqual(1...50_000))
        #expect(trace.outOfOrder == 0)
    }

    // MARK: Mutations

    private static let swf = """
        ; MaxProcs: 100
        ; UnixStartTime: 843000000
        1 0 10 20 4 -1 -1 8 60 -1 1 1 1 1 -1 -1 -1 -1
        2 5 10 20.5 4 -1 -1 8 60 -1 0 1 1 1 -1 -1 -1 -1

        """
    private static let philly = """
        timestamp,duration,num_gpus,gpu_time,cluster
        2017-10-09 07:01:55,66.0,1,66.0,11cb48
        2017-10-09 06:13:03,2951.5,4,11806.0,6214e9

        """
    private static let alibaba = """
        name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time
        p0,12000,16384,1,1000,,LS,Running,0,100,0
        p1,6500,12288,1,460,V100M16|V100M32,BE,Running,50,200,60

        """
    private static let sacct = """
        JobID|User|Submit|Start|End|Elapsed|Timelimit|AllocCPUS|ReqTRES|State
        1|al|2026-11-21T01:29:27|2026-11-21T01:29:28|2026-11-21T01:29:40|00:00:12|1-00:10:00|8|mem=1.5G|COMPLETED
        2_3|al|2026-11-21T01:29:27|2026-11-21T01:29:28|Unknown|00:12|UNLIMITED|8|cpu=8|RUNNING

        """

    @Test(
        "A log with mutated bytes never traps, and each row is a job or counted",
        arguments: [swf, philly, alibaba, sacct]
    )
    func mutations(log: String) throws {
        let alphabet = Array("0123456789-+.,:;|_[]\"# \t\r\nTeE\u{0}\u{FF}é".utf8)
        for seed in UInt64(1)...3_000 {
            var random = SplitMix64(seed: seed)
            var bytes = Array(log.utf8)
            for _ in 0...random.below(12) {
                let position = Int(random.below(UInt64(bytes.count)))
                let byte = alphabet[Int(random.below(UInt64(alphabet.count)))]
                switch random.below(4) {
                case 0: bytes.remove(at: position)
                case 1: bytes.insert(byte, at: position)
                case 2: bytes.replaceSubrange(position..<position, with: [byte, byte, 57, 57, 57])
                default: bytes[position] = byte
                }
            }
            for format in LogFormat.allCases + [nil] {
                let reader = LogReader(format: format)
                let trace = bytes.withUnsafeBytes { bytes in try? reader.read(bytes) }
                guard let trace else { continue }  // A header without a needed column.
                let dropped = trace.dropped.values.reduce(0, +)
                #expect(
                    trace.jobs.count + dropped == trace.rowCount,
                    "seed \(seed), format \(format?.rawValue ?? "told from content")"
                )
                let isSorted = zip(trace.jobs, trace.jobs.dropFirst()).allSatisfy {
                    ($0.submitted, $0.id) <= ($1.submitted, $1.id)
                }
                #expect(isSorted, "seed \(seed)")
            }
        }
    }
}

/// Exports whose column Replay was made up: whatever they say, nothing traps and time does not run back.
@Suite("Hostile records of a centre")
struct HostileRecordTests {
    private func export(_ replay: [String]) -> String {
        let header =
            "JobID|JobIDRaw|User|Account|Partition|QOS|State|Submit|Start|End|ReqCPUS|Replay\n"
        return replay.enumerated().reduce(into: header) { text, row in
            text +=
                "\(row.offset + 1)|\(row.offset + 1)|u|a|p|normal|COMPLETED|2026-01-01T00:00:00|"
            text += "2026-01-01T00:00:00|2026-01-01T00:00:10|1|\(row.element)\n"
        }
    }

    private func trace(_ replay: [String], isStrict: Bool = false) throws -> Trace {
        let bytes = Array(export(replay).utf8)
        return try bytes.withUnsafeBytes { bytes in
            try LogReader(format: .sacct, isStrict: isStrict).read(bytes)
        }
    }

    private func record(_ id: Int, _ more: String, submit: Int64 = 1_767_225_600_000_000) -> String
    {
        "{\"id\":\(id),\"submit\":\(submit),\"partitions\":[\"p\"],\"request\":{},\"limit\":60000000\(more)}"
    }

    @Test("Times before the epoch and run times below nothing are no jobs")
    func impossibleTimes() throws {
        let trace = try trace([
            record(1, ",\"run\":-5"), record(2, "", submit: -1), record(3, ",\"run\":7000000"),
        ])
        #expect(trace.jobs.map(\.id) == [3])
        #expect(trace.dropped[.unknownRunTime] == 1)
        #expect(trace.dropped[.unknownSubmission] == 1)
    }

    @Test("What is no record is a malformed row, with its line and field")
    func malformed() throws {
        for text in ["{", "[]", "{\"id\":1}", record(1, ",\"actions\":[{\"do\":\"hold\"}]")] {
            let trace = try trace([text])
            #expect(trace.malformedRows.first?.line == 2, "\(text)")
            #expect(trace.malformedRows.first?.field == 12, "\(text)")
        }
    }
}
