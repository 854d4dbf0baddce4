import Testing
import WorkloadFormats

/// Reads a text as a log; the form is told from the content unless `format` says it.
func readLog(
    _ text: String,
    format: LogFormat? = nil,
    filter: SWFReader.Filter = .none,
    isStrict: Bool = false,
    processors: Int? = nil
) throws -> Trace {
    let reader = LogReader(
        format: format,
        filter: filter,
        isStrict: isStrict,
        machineProcessors: processors
    )
    return try Array(text.utf8).withUnsafeBytes { try reader.read($0) }
}

@Suite("Logs that are tables")
struct LogReaderTests {
    private let philly = """
        timestamp,duration,num_gpus,gpu_time,cluster
        2017-10-09 07:01:55,66.0,1,66.0,11cb48
        2017-10-09 06:13:03,2951.5,4,11806.0,6214e9
        2017-10-09 07:01:55,0.0,2,0.0,11cb48

        """

    @Test("Philly: processors are GPUs, rows are sorted, clusters are partitions")
    func phillyRows() throws {
        let trace = try readLog(philly)
        #expect(trace.format == .philly)
        #expect(trace.jobs.map(\.id) == [2, 1, 3])
        #expect(trace.jobs.map(\.processors) == [4, 1, 2])
        #expect(trace.jobs.map(\.submitted) == [0, 2_932_000_000, 2_932_000_000])
        #expect(trace.jobs.map(\.runTime) == [2_951_500_000, 66_000_000, 0])
        #expect(trace.jobs.map(\.timeLimit) == trace.jobs.map(\.runTime))
        #expect(trace.jobs.map(\.line) == [3, 2, 4])
        #expect(trace.partitionNames == ["11cb48", "6214e9"])
        #expect(trace.unixStartTime == 1_507_529_583)
        #expect(trace.withoutLimit == 3)
        #expect(trace.outOfOrder == 1)
        #expect(trace.machineProcessors == nil)
    }

    @Test("Philly: what is no job is counted by reason, and a strict reader refuses it")
    func phillyProblems() throws {
        let bad =
            philly + """
                2017-10-09 07:01:55,,2,0.0,x
                2017-10-09 07:01:55,5,0,0.0,x
                2017-13-09 07:01:55,5,1,0.0,x
                2017-10-09 07:01:55,5,1

                """
        let trace = try readLog(bad)
        #expect(trace.jobs.count == 3)
        #expect(trace.dropped == [.unknownRunTime: 1, .unknownSize: 1, .malformed: 2])
        #expect(trace.malformedRows.map(\.line) == [7, 8])
        #expect(trace.malformedRows.map(\.field) == [1, 0])
        let row = #expect(throws: MalformedRow.self) { try readLog(bad, isStrict: true) }
        #expect(row?.line == 7)
        #expect(row?.problem.contains("2017-13-09") == true)
    }

    private let pods = """
        name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time
        p0,12000,16384,1,1000,,LS,Running,0,100,0
        p1,6500,12288,1,460,V100M16|V100M32,BE,Running,50,200,60
        p2,88000,327680,8,1000,,BE,Running,70,90,80
        p3,1000,1024,0,0,,LS,Pending,80,90,
        p4,1000,1024,0,0,,LS,Failed,80,,85

        """

    @Test("Alibaba: a pod is one chunk, shares and card models are kept, the rest is counted")
    func alibabaPods() throws {
        let trace = try readLog(pods)
        #expect(trace.format == .alibaba)
        #expect(trace.jobs.map(\.id) == [1, 2, 3])
        #expect(trace.jobs.map(\.processors) == [12, 7, 88])
        #expect(trace.jobs.map(\.runTime) == [100_000_000, 140_000_000, 10_000_000])
        #expect(trace.requests.map(\.milliCores) == [12_000, 6_500, 88_000])
        #expect(trace.requests.map(\.cards) == [1, 1, 8])
        #expect(trace.requests.map(\.milliCard) == [1_000, 460, 1_000])
        #expect(trace.requests.map(\.cardModels) == [-1, 0, -1])
        #expect(trace.cardModelSets == [["V100M16", "V100M32"]])
        #expect(trace.queueNames == ["LS", "BE"])
        #expect(trace.dropped == [.neverStarted: 1, .unknownRunTime: 1])
    }

    @Test("A list of nodes is read whole, or refused by line and column")
    func nodeList() throws {
        let header = "sn,cpu_milli,memory_mib,gpu,model\n"
        func read(_ text: String) throws -> [NodeListEntry] {
            try Array((header + text).utf8).withUnsafeBytes { try NodeListFile.read($0) }
        }
        let nodes = try read("n0,64000,262144,2,P100\nn1,8000,32768,0,\n")
        #expect(nodes.map(\.name) == ["n0", "n1"])
        #expect(nodes.map(\.cards) == [2, 0])
        #expect(nodes.map(\.cardModel) == ["P100", ""])
        for (text, line, problem) in [
            ("n0,1,1,0,\nn0,1,1,0,\n", 3, "stands twice"), ("n0,x,1,0,\n", 2, "cpu_milli"),
            ("n0,1,1,0\n", 2, "4 fields"), ("n0,1,1,-2,\n", 2, "gpu"), ("", 1, "no node"),
        ] {
            let row = #expect(throws: MalformedRow.self) { try read(text) }
            #expect(row?.line == line, "\(text)")
            #expect(row?.problem.contains(problem) == true, "\(row?.problem ?? "")")
        }
    }
}

@Suite("sacct exports")
struct SacctReaderTests {
    private let header =
        "JobID|JobIDRaw|User|Account|Partition|QOS|Submit|Start|End|Elapsed|Timelimit|NNodes|"
        + "AllocCPUS|ReqTRES|State\n"

    private func row(
        _ id: String,
        _ raw: String,
        start: String = "2026-11-21T01:29:28",
        end: String = "2026-11-21T01:29:40",
        elapsed: String = "00:00:12",
        limit: String = "00:10:00",
        cpus: String = "8",
        state: String = "COMPLETED"
    ) -> String {
        "\(id)|\(raw)|alice|phys|work|normal|2026-11-21T01:29:27|\(start)|\(end)|\(elapsed)|"
            + "\(limit)|2|\(cpus)|billing=8,cpu=8,mem=1000M,node=2|\(state)\n"
    }

    @Test("Jobs, elements of arrays and parts of heterogeneous jobs are jobs; steps are counted")
    func rows() throws {
        let trace = try readLog(
            header + row("1", "1") + row("1.batch", "1.batch") + row("1.0", "1.0")
                + row("20_2", "22", elapsed: "1-00:00:00", limit: "UNLIMITED")
                + row("30+1", "31", limit: "Partition_Limit", state: "CANCELLED by 1000")
        )
        #expect(trace.format == .sacct)
        #expect(trace.jobs.map(\.id) == [1, 22, 31])
        #expect(trace.jobs.map(\.processors) == [8, 8, 8])
        #expect(trace.jobs.map(\.runTime) == [12_000_000, 86_400_000_000, 12_000_000])
        #expect(
            trace.jobs.map(\.timeLimit) == [600_000_000, 31_536_000_000_000, 12_000_000]
        )
        #expect(trace.withoutLimit == 1)
        #expect(trace.unixStartTime == 1_795_224_567)
        #expect(trace.userNames == ["alice"])
        #expect(trace.groupNames == ["phys"])
        #expect(trace.queueNames == ["normal"])
        #expect(trace.partitionNames == ["work"])
        #expect(trace.dropped == [.step: 2])
    }

    @Test("What never started, has not ended or was requeued is left out and counted")
    func leftOut() throws {
        let trace = try readLog(
            header + row("1", "1", start: "Unknown", end: "Unknown", state: "PENDING")
                + row("2", "2", start: "None", cpus: "0", state: "CANCELLED by 0")
                + row("3", "3", end: "Unknown", state: "RUNNING") + row("4", "4", state: "REQUEUED")
                + row("4", "4") + row("5_[3-9]", "5", start: "Unknown", state: "PENDING")
                + row("6", "6", elapsed: "soon") + row("x", "7")
        )
        #expect(trace.jobs.map(\.id) == [4])
        #expect(
            trace.dropped == [
                .neverStarted: 3, .unknownRunTime: 1, .partialExecution: 1, .malformed: 2,
            ]
        )
        #expect(trace.malformedRows.map(\.line) == [8, 9])
        #expect(trace.malformedRows.map(\.field) == [10, 1])
    }

    @Test("Without JobIDRaw, elements of arrays get numbers of their own")
    func arrayNumbers() throws {
        let trace = try readLog(
            """
            JobID|Submit|Start|End|NCPUS
            20_1|2026-11-21T01:00:00|2026-11-21T01:00:00|2026-11-21T01:00:10|4
            20_2|2026-11-21T01:00:00|2026-11-21T01:00:00|2026-11-21T01:00:10|4
            20+0|2026-11-21T01:00:00|2026-11-21T01:00:00|2026-11-21T01:00:10|4

            """
        )
        #expect(trace.jobs.map(\.id) == [200_000_002, 200_000_003, 209_000_000])
        #expect(trace.jobs.allSatisfy { $0.runTime == 10_000_000 })
    }

    @Test("An export without a needed column is refused by its name")
    func missingColumn() {
        let row = #expect(throws: MalformedRow.self) {
            try readLog("JobID|State|Submit\n1|COMPLETED|x\n")
        }
        #expect(row?.problem.contains("Start") == true)
    }

    @Test("TRES and time limits are read in Slurm's forms")
    func values() throws {
        let tres = try SacctTRES("billing=16,cpu=16,mem=1.50G,node=2,gres/gpu=4,gres/gpu:a100=4")
        #expect(tres.cpus == 16)
        #expect(tres.memoryMebibytes == 1_536)
        #expect(tres.nodes == 2)
        #expect(tres.cards == 4)
        #expect(SacctJobID("12_[3-9%2]")?.isArrayRest == true)
        #expect(SacctJobID("12.extern")?.step == "extern")
        #expect(SacctJobID("abc") == nil)
        #expect(SacctJobID("") == nil)
    }
}
