import Testing
import WorkloadFormats

/// Logs that are tables: exports of sacct in all their forms, published logs, and any table whose
/// columns somebody names.
@Suite("Tables of any form")
struct TableLogTests {
    private func trace(_ text: String, form: String? = nil) throws -> Trace {
        let form = try form.map { try TableForm(parsing: $0) }
        return try Array(text.utf8).withUnsafeBytes { try LogReader(form: form).read($0) }
    }

    private func problem(_ text: String) -> String {
        do {
            _ = try trace(text)
            return ""
        } catch {
            return (error as? MalformedRow)?.problem ?? "\(error)"
        }
    }

    // MARK: sacct

    private static let rows = [
        [
            "JobID", "User", "Partition", "Submit", "Start", "End", "Elapsed", "Timelimit",
            "AllocCPUS", "State",
        ],
        [
            "101", "ann", "work", "2026-03-01T08:00:00", "2026-03-01T08:00:05",
            "2026-03-01T09:00:05",
            "01:00:00", "02:00:00", "48", "COMPLETED",
        ],
        [
            "102_1", "ben", "fat", "2026-03-01T08:10:00", "2026-03-01T08:10:01",
            "2026-03-01T08:20:01",
            "00:10:00", "UNLIMITED", "24", "FAILED",
        ],
    ]

    private static func fixedWidth(_ rows: [[String]]) -> String {
        let widths = [12, 8, 10, 19, 19, 19, 10, 10, 10, 10]
        func padded(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.utf8.count)) + text
        }
        var lines = rows.map { zip($0, widths).map(padded).joined(separator: " ") }
        lines.insert(widths.map { String(repeating: "-", count: $0) }.joined(separator: " "), at: 1)
        return lines.joined(separator: "\n") + "\n"
    }

    @Test("Instants and lengths that no clock holds are not believed", arguments: [1, 2])
    func hugeTimes(factor: Int64) throws {
        let time = Int64.max / factor
        let text = """
            {"jobs": [{"job_id": 1, "time": {"submission": \(time), "start": \(time), "end": \(time),
            "elapsed": \(time)}, "state": {"current": ["COMPLETED"]}}]}
            """
        #expect(try trace(text).jobs.isEmpty)
    }

    @Test("One export is one trace, whatever separates its columns")
    func forms() throws {
        let plain = try trace(Self.rows.map { $0.joined(separator: "|") + "\n" }.joined())
        #expect(plain.jobs.count == 2)
        #expect(plain.jobs.map(\.waitSeconds) == [5, 1])
        #expect(plain.partitionNames == ["work", "fat"])
        let texts = [
            Self.rows.map { $0.joined(separator: "|") + "|\n" }.joined(),
            Self.rows.map { $0.joined(separator: ",") + "\n" }.joined(),
            Self.rows.map { $0.joined(separator: "\t") + "\r\n" }.joined(),
            Self.fixedWidth(Self.rows),
        ]
        for text in texts {
            let other = try trace(text)
            #expect(other.format == .sacct)
            #expect(other.jobs.map(\.id) == plain.jobs.map(\.id))
            #expect(other.jobs.map(\.submitted) == plain.jobs.map(\.submitted))
            #expect(other.jobs.map(\.timeLimit) == plain.jobs.map(\.timeLimit))
            #expect(other.partitionNames == plain.partitionNames)
        }
    }

    @Test("sacct --json gives the same jobs, before and after states became lists")
    func json() throws {
        func job(_ id: Int, _ extra: String) -> String {
            """
            {"job_id": \(id), "user": "ann", "account": "phys", "partition": "work", "qos": "normal",
             "time": {"submission": 1772352000, "start": 1772352005, "end": 1772355605,
                      "elapsed": 3600, "limit": {"set": true, "infinite": false, "number": 120}},
             "required": {"CPUs": 48}, "allocation_nodes": 2,
             "tres": {"allocated": [{"type": "cpu", "name": "", "id": 1, "count": 48},
                                    {"type": "gres", "name": "gpu", "id": 1001, "count": 4}],
                      "requested": []}, \(extra)}
            """
        }
        let text = """
            {"meta": {}, "jobs": [
            \(job(103, "\"state\": {\"current\": [\"COMPLETED\"]}, \"array\": {\"job_id\": 102, \"task_id\": {\"set\": true, \"number\": 1}}")),
            \(job(104, "\"state\": {\"current\": \"FAILED\"}, \"array\": {\"job_id\": 0, \"task_id\": null}"))
            ]}
            """
        let trace = try trace(text)
        #expect(trace.jobs.map(\.id) == [103, 104])
        #expect(trace.jobs.map(\.runTime) == [3_600_000_000, 3_600_000_000])
        #expect(trace.jobs.map(\.timeLimit) == [7_200_000_000, 7_200_000_000])
        #expect(trace.jobs.map(\.processors) == [48, 48])
        #expect(trace.unixStartTime == 1_772_352_000)
    }

    @Test("A job whose name begins with a sign of comments or quotes is a job")
    func names() throws {
        let trace = try trace(
            """
            # made by a script
            JobName|JobID|Submit|Start|End|Elapsed|Timelimit|AllocCPUS|State
            #sweep|1|2026-03-01T08:00:00|2026-03-01T08:00:05|2026-03-01T09:00:05|01:00:00|02:00:00|4|COMPLETED
            "quoted|3|2026-03-01T08:00:00|2026-03-01T08:00:05|2026-03-01T09:00:05|01:00:00|02:00:00|4|COMPLETED
            # a remark
            """
        )
        #expect(trace.jobs.map(\.id) == [1, 3])
        #expect(trace.dropped == [.malformed: 1])
    }

    @Test("What cannot be read is told what it looks like")
    func hints() {
        let headless = Self.rows.dropFirst().map { $0.joined(separator: "|") + "\n" }.joined()
        #expect(problem(headless).contains("sacct without its first line"))
        #expect(problem("when,how_long,cpus\n5,10,2\n").contains("--columns submit="))
        #expect(problem("when,how_long,cpus\n5,10,2\n").contains("when, how_long, cpus"))
    }

    // MARK: Published logs

    @Test("Helios: GPUs are the processors; a job without any is counted")
    func helios() throws {
        let trace = try trace(
            """
            job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue
            1,uA,vcE,0,1,1,COMPLETED,2020-04-01 00:01:26,2020-04-01 00:01:28,2020-04-01 00:02:28,60,2
            2,uB,vcE,16,64,2,FAILED,2020-04-01 00:03:26,2020-04-01 00:03:28,2020-04-01 00:05:28,120,2
            3,uB,vcE,8,64,1,CANCELLED,2020-04-01 00:03:26,None,2020-04-01 00:05:28,0,2
            """
        )
        #expect(trace.format == .helios)
        #expect(trace.jobs.map(\.id) == [2])
        #expect(trace.dropped == [.unknownSize: 1, .neverStarted: 1])
        #expect(
            trace.requests.map(\.self) == [TraceRequest(chunks: 2, milliCores: 32_000, cards: 8)]
        )
        #expect(trace.partitionNames == ["vcE"])
    }

    @Test("Acme: times have an offset of their own")
    func acme() throws {
        let trace = try trace(
            """
            job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,start_time,end_time,duration,queue,gpu_time
            d1,u1,1,8,120,Other,COMPLETED,2023-03-01 09:20:00+08:00,2023-03-01 09:20:02+08:00,2023-03-01 10:20:02+08:00,3600.0,2.0,28800.0
            """
        )
        #expect(trace.format == .acme)
        #expect(trace.unixStartTime == 1_677_633_600)
        #expect(trace.jobs.map(\.id) == [1])
        #expect(trace.jobs.map(\.waitSeconds) == [2])
    }

    @Test("PAI, Muri and Alibaba 2025 are told from their content")
    func others() throws {
        let pai = try trace(
            """
            j1,worker,2,Terminated,100.0,160.0,600.0,29.0,25.0,MISC
            j2,ps,1,Failed,200.0,,600.0,29.0,,MISC
            """
        )
        #expect(pai.format == .pai)
        #expect(pai.jobs.map(\.runTime) == [60_000_000])
        #expect(pai.jobs.map(\.processors) == [1])
        let muri = try trace(
            "job_id,num_gpu,submit_time,iterations,model_name,duration,interval\n7,4,30,10,vgg,600,5\n"
        )
        #expect(muri.format == .muri)
        #expect(muri.jobs.map(\.processors) == [4])
        let instances = try trace(
            """
            instance_sn,role,app_name,cpu_request,cpu_limit,gpu_request,gpu_limit,rdma_request,rdma_limit,\
            memory_request,memory_limit,disk_request,disk_limit,max_instance_per_node,creation_time,\
            scheduled_time,deletion_time
            i1,HN,app_0,12,12,1,1,25,25,120,120,200,200,-1,10,15,100
            i2,HN,app_0,12,12,1,1,25,25,120,120,200,200,-1,,15,100
            """
        )
        #expect(instances.format == .alibaba2025)
        #expect(instances.jobs.map(\.runTime) == [85_000_000])
        #expect(instances.dropped == [.unknownSubmission: 1])
        #expect(instances.requests.map(\.memoryMebibytes) == [122_880])
    }

    // MARK: Any table

    @Test("Columns are named, multiplied and divided")
    func columns() throws {
        let trace = try trace(
            "when;how_long;hosts;who\n5;00:10:00;3;ann\n7;1-00:00:00;1;ben\n",
            form: "submit=when,run=how_long,processors=hosts*24,user=who"
        )
        #expect(trace.format == .table)
        #expect(trace.jobs.map(\.processors) == [72, 24])
        #expect(trace.jobs.map(\.runTime) == [600_000_000, 86_400_000_000])
        #expect(trace.userNames == ["ann", "ben"])
    }

    @Test(
        "A form that cannot be is refused with what is wrong",
        arguments: [
            ("run=a,processors=b", "the time of submission"),
            ("submit=a,processors=b", "how long jobs ran"),
            ("submit=a,run=b", "how large jobs are"),
            ("submit=a,submit=b", "'submit' is there twice"),
            ("sbmit=a", "'sbmit' is not known"),
            ("submit=a,run=b*0,processors=c", "'0' is neither a column nor a number"),
            ("submit=$0,run=b,processors=c", "'$0' is no position"),
        ]
    )
    func badForms(text: String, message: String) {
        do throws(TableForm.Unreadable) {
            _ = try TableForm(parsing: text)
            Issue.record("\(text) was read")
        } catch {
            #expect(error.problem.contains(message), "\(error.problem)")
        }
    }
}
