import Quantities
import Testing
import WireFormats

@testable import SlurmDialect

@Suite("squeue prints what a real one printed")
struct QueueGoldenTests {
    @Test(
        "A running job, in every format of the recording",
        arguments: [
            "002", "003", "005", "006", "007", "008", "009", "010", "014", "015", "016",
            "017", "018", "019", "020", "021",
        ]
    )
    func runningJob(number: String) throws {
        let entry = try Transcript("02_directives")[number]
        let output = try World.queue(
            entry,
            [World.directivesJob(runningFor: 4)],
            now: World.at("01:29:31")
        )
        #expect(output.lines == entry.lines, "\(entry.command)")
        #expect(output.errors == entry.errors, "\(entry.command)")
    }

    @Test("Steps of a running job")
    func steps() throws {
        let entry = try Transcript("02_directives")["004"]
        let output = try World.queue(entry, [World.directivesJob(runningFor: 4)])
        #expect(output.lines == entry.lines)
    }

    @Test(
        "A job that has ended shows only when asked for",
        arguments: ["038", "039", "040", "041"]
    )
    func endedJob(number: String) throws {
        let entry = try Transcript("02_directives")[number]
        let output = try World.queue(entry, [World.endedDirectivesJob()])
        #expect(output.lines == entry.lines, "\(entry.command)")
    }

    @Test(
        "An empty queue, and what does not exist",
        arguments: ["027", "028", "029", "030", "032", "033", "036"]
    )
    func emptyQueue(number: String) throws {
        let entry = try Transcript("01_idle")[number]
        let output = try World.queue(entry, [], now: World.at("01:29:22"))
        #expect(output.lines == entry.lines, "\(entry.command)")
        #expect(output.errors == entry.errors, "\(entry.command)")
    }

    @Test("Refusals are Slurm's", arguments: ["031", "034", "037"])
    func refusals(number: String) throws {
        let entry = try Transcript("01_idle")[number]
        let failure = #expect(throws: CommandFailure.self) { try World.queue(entry, []) }
        #expect(failure?.lines == entry.errors)
        #expect(failure?.exitCode == entry.exitCode)
    }

    @Test("Waiting elements of an array share a row, and have one each with -r")
    func arrays() throws {
        let transcript = try Transcript("04_array")
        let jobs = (1...10).map { task in
            var job = World.job(task <= 2 ? UInt32(20 + task) : UInt32(20 + task), name: "arr")
            job.arrayJobID = 20
            job.arrayTaskID = UInt32(task)
            job.arrayLimit = 2
            job.reason = "JobArrayTaskLimit"
            if task <= 2 {
                job.state = "RUNNING"
                job.reason = "None"
                job.runTime = SimDuration(seconds: 2)
                job.nodeList = "cn1"
            }
            return job
        }
        for number in ["002", "003", "005"] {
            let entry = try transcript[number]
            #expect(try World.queue(entry, jobs).lines == entry.lines, "\(entry.command)")
        }
    }

    @Test("Long lists of elements are cut as Slurm cuts them", arguments: ["033", "034"])
    func longArrays(number: String) throws {
        let specs: [(UInt32, String)] = [
            (27, "0-10:2"), (28, "1,3,5-7"), (29, "1-1000%50"),
            (30, "1-3,9,20-30,40-41,50,60,70,80,90,100,110,120,130,140,150"), (31, "5"),
        ]
        let jobs = try specs.flatMap { number, text in
            let array = try OptionValues.array(text)
            return array.indices.map { index in
                var job = World.job(number)
                job.arrayJobID = number
                job.arrayTaskID = index
                job.arrayLimit = array.limit
                job.reason = "JobHeldUser"
                return job
            }
        }
        let entry = try Transcript("04_array")[number]
        let output = try World.queue(entry, jobs)
        #expect(output.lines == entry.lines)
    }

    @Test("Dependencies are told", arguments: ["016", "017"])
    func dependencies(number: String) throws {
        let names = [
            "ok", "bad", "dC", "dD", "dE", "dF", "dG", "dH", "dI", "dJ", "dK", "dL", "kill",
            "sng", "sng",
        ]
        let waits: [UInt32: String] = [
            36: "afterok:34(unfulfilled)", 37: "afterany:35(unfulfilled)",
            38: "afterok:35(unfulfilled)", 39: "afternotok:35(unfulfilled)",
            40: "afternotok:34(unfulfilled)", 41: "after:34(unfulfilled)",
            42: "afterok:34(unfulfilled),afterok:35(unfulfilled)",
            43: "afterany:34(unfulfilled),afterany:35(unfulfilled)",
            44: "afterok:34(unfulfilled)?afterok:35(unfulfilled)",
            45: "after:34+1(unfulfilled)", 46: "afterok:35(unfulfilled)",
            48: "singleton(unfulfilled)",
        ]
        let jobs = names.enumerated().map { index, name in
            var job = World.job(UInt32(34 + index), name: name)
            job.dependency = waits[job.jobID]
            if job.dependency != nil { job.reason = "Dependency" }
            return job
        }
        let entry = try Transcript("05_dependency")[number]
        #expect(try World.queue(entry, jobs).lines == entry.lines)
    }

    @Test(
        "Of equal jobs the one that starts latest comes first, at last those of which no start is known"
    )
    func ties() throws {
        let begins: [UInt32: Int64] = [62: 100, 63: 200, 64: 400, 65: 300]
        let jobs = (UInt32(62)...67).map { number in
            var job = World.job(number)
            job.eligible = begins[number].map { SimInstant(seconds: $0) }
            job.reason = begins[number] == nil ? "None" : "BeginTime"
            return job
        }
        let command = try QueueCommand(
            program: "squeue",
            arguments: ["-h", "-o", "%i"],
            variable: { _ in nil },
            user: "alice",
            isUser: { _ in true }
        )
        let output = try command.output(JobList(now: .epoch, jobs: jobs))
        #expect(output.lines == ["64", "65", "63", "62", "67", "66"])
    }

    @Test(
        "States sort by their codes, and one array tells what waits, then its elements from the last back"
    )
    func oneArray() throws {
        let states = ["COMPLETED", "FAILED", "COMPLETED", "PENDING", "PENDING"]
        let jobs = states.enumerated().map { index, state in
            var job = World.job(UInt32(20 + index))
            job.arrayJobID = 20
            job.arrayTaskID = UInt32(index + 1)
            job.arrayLimit = 2
            job.state = state
            job.reason = index == 4 ? "JobHeldUser" : state == "PENDING" ? "Resources" : "None"
            return job
        }
        let command = try QueueCommand(
            program: "squeue",
            arguments: ["-h", "-t", "all", "-j", "20", "-o", "%i %t %r"],
            variable: { _ in nil },
            user: "alice",
            isUser: { _ in true }
        )
        let output = try command.output(JobList(now: .epoch, jobs: jobs))
        #expect(
            output.lines == [
                "20_3 CD None", "20_1 CD None", "20_2 F None",
                "20_[4-5] PD Resources,JobHeldUser",
            ]
        )
    }

    @Test("Cancelled elements of an array leave no trace, unless they were all that was left")
    func cancelledElements() throws {
        func jobs(_ ends: [(state: String, start: Int64?, end: Int64?)]) -> [JobInfo] {
            ends.enumerated().map { index, fate in
                var job = World.job(UInt32(20 + index))
                job.arrayJobID = 20
                job.arrayTaskID = UInt32(index + 1)
                job.state = fate.state
                job.start = fate.start.map { SimInstant(seconds: $0) }
                job.end = fate.end.map { SimInstant(seconds: $0) }
                return job
            }
        }
        func lines(_ jobs: [JobInfo]) throws -> [String] {
            let command = try QueueCommand(
                program: "squeue",
                arguments: ["-h", "-t", "all", "-o", "%i %t"],
                variable: { _ in nil },
                user: "alice",
                isUser: { _ in true }
            )
            return try command.output(JobList(now: .epoch, jobs: jobs)).lines
        }
        let one = jobs([
            ("COMPLETED", 0, 9), ("CANCELLED", nil, 5), ("PENDING", nil, nil),
        ])
        #expect(try lines(one) == ["20_1 CD", "20_[3] PD"])
        let early = jobs([("COMPLETED", 0, 9), ("CANCELLED", nil, 5), ("COMPLETED", 9, 12)])
        #expect(try lines(early) == ["20_3 CD", "20_1 CD"])
        let rest = jobs([
            ("COMPLETED", 0, 9), ("CANCELLED", nil, 3), ("CANCELLED", nil, 7),
            ("CANCELLED", nil, 7),
        ])
        #expect(try lines(rest) == ["20_[3-4] CA", "20_1 CD"])
    }

    @Test("Reasons stand in brackets, also after a failure")
    func reasons() throws {
        var ended = World.job(209, name: "tmo")
        ended.state = "TIMEOUT"
        ended.reason = "TimeLimit"
        ended.nodeList = "cn1"
        ended.runTime = SimDuration(seconds: 79)
        var trapped = ended
        trapped.jobID = 210
        trapped.name = "trap"
        var completed = World.job(211, name: "sig")
        completed.state = "COMPLETED"
        completed.nodeList = "cn1"
        completed.runTime = SimDuration(seconds: 20)
        let entry = try Transcript("09_timeout")["006"]
        #expect(try World.queue(entry, [ended, trapped, completed]).lines == entry.lines)

        var waiting = World.job(85)
        waiting.reason = "ReqNodeNotAvail"
        waiting.reasonText = "ReqNodeNotAvail, UnavailableNodes:cn4"
        var running = World.job(84)
        running.state = "RUNNING"
        running.nodeList = "cn3"
        running.runTime = SimDuration(seconds: 7)
        for number in ["013", "014"] {
            let entry = try Transcript("11_nodes")[number]
            let output = try World.queue(entry, [running, waiting], now: World.at("01:31:53"))
            #expect(output.lines == entry.lines)
        }
    }

    @Test("Generic resources are told", arguments: ["007", "008"])
    func gres(number: String) throws {
        let facts: [(UInt32, String, String, String?, Int64, Int32, Int64?)] = [
            (140, "RUNNING", "None", "gres:gpu:1", 1, 1, nil),
            (141, "PENDING", "Resources", nil, 2, 1, 16_000),
            (142, "PENDING", "Priority", "gres:gpu:2", 2, 1, 16_000),
            (144, "RUNNING", "None", "gres:gpu:1", 2, 2, nil),
        ]
        let jobs = facts.map { id, state, reason, gres, cards, nodes, memory in
            var job = World.job(id)
            job.state = state
            job.reason = reason
            job.gres = gres
            job.accelerators = cards
            job.nodeCount = nodes
            job.cores = Int64(nodes)
            job.memory = memory.map { ByteCount(mebibytes: $0) }
            return job
        }
        let entry = try Transcript("17_gres")[number]
        #expect(try World.queue(entry, jobs).lines.sorted() == entry.lines.sorted())
    }

    @Test(
        "A listing asks for all that it shows",
        arguments: JobColumns.byLetter.keys.sorted() + ["i -S e", "i -S L", "i -S m", "i -S -V,u"]
    )
    func neededMembers(column: String) throws {
        var job = World.directivesJob(runningFor: 4)
        job.arrayJobID = 1
        job.arrayTaskID = 3
        job.dependency = "afterok:36(failed)"
        job.features = "fast"
        job.requiredNodes = "cn1"
        job.excludedNodes = "cn9"
        job.reservation = "res"
        job.licenses = "matlab"
        job.gres = "gres:gpu:1"
        job.scheduledNodes = "cn7"
        job.nice = 5
        job.oversubscribe = "NO"
        job.tasksPerNode = 2
        job.qos = "high"
        job.account = "chem"
        var other = World.job(2)
        other.submit = World.at("01:00:00")
        other.expectedStart = World.at("02:00:00")
        other.reasonText = "ReqNodeNotAvail, UnavailableNodes:cn4"
        other.memoryPerCPU = ByteCount(mebibytes: 7)
        let words = ["-t", "all", "-o"] + "%\(column)".split(separator: " ").map(String.init)
        let filters = [["-u", "alice"], ["-A", "chem"], ["-w", "cn1"], ["-q", "high"], []]
        for filter in filters {
            let command = try QueueCommand(
                program: "squeue",
                arguments: words + filter,
                variable: { _ in nil },
                user: "alice",
                isUser: { _ in true }
            )
            var list = JobList(now: .epoch, jobs: [job, other])
            let whole = try command.output(list)
            list.selection = command.neededMembers
            let part = try JobList(json: list.json)
            #expect(try command.output(part) == whole, "\(column) \(filter)")
        }
    }

    @Test(
        "The date stands before long and repeated listings, unless there is no head",
        arguments: [
            (["-l"], true), (["-i", "5"], true), ([], false), (["-l", "-h"], false),
            (["-h", "-i", "5000000000"], false),
        ]
    )
    func dates(arguments: [String], hasDate: Bool) throws {
        let queue = try QueueCommand(
            program: "squeue",
            arguments: arguments,
            variable: { _ in nil },
            user: "alice",
            isUser: { _ in true },
            calendar: World.calendar
        )
        let nodes = try NodeCommand(
            program: "sinfo",
            arguments: arguments,
            variable: { _ in nil },
            calendar: World.calendar
        )
        let now = World.at("01:29:21")
        let date = World.calendar.dateLine(now)
        #expect(try queue.output(JobList(now: now, jobs: [])).lines.contains(date) == hasDate)
        let output = nodes.output(
            PartitionList(now: now, partitions: []),
            NodeList(now: now, nodes: [])
        )
        #expect(output.lines.contains(date) == hasDate)
    }

    @Test("Tianhe's names of users have twelve characters")
    func tianheDialect() throws {
        let command = try QueueCommand(
            program: "yhqueue",
            arguments: [],
            variable: { _ in nil },
            user: "alice",
            isUser: { _ in true }
        )
        let output = try command.output(
            JobList(now: .epoch, jobs: [World.directivesJob(runningFor: 4)])
        )
        #expect(
            output.lines == [
                "             JOBID PARTITION     NAME         USER ST       TIME  NODES NODELIST(REASON)",
                "                 1      work   mytest        alice  R       0:04      2 cn[1-2]",
            ]
        )
    }

    @Test(
        "Steps are listed that run; an allocation, and a component without a script, has no batch step"
    )
    func runningSteps() throws {
        let command = try QueueCommand(
            program: "squeue",
            arguments: ["-s", "-h", "-o", "%i %j"],
            variable: { _ in nil },
            user: "alice",
            isUser: { _ in true }
        )
        func step(_ id: String, _ state: String = "RUNNING") -> StepRecord {
            var step = StepRecord()
            (step.id, step.name, step.state) = (id, "solve", state)
            return step
        }
        let known: [[StepRecord]] = [
            [step("batch"), step("0", "COMPLETED"), step("1")], [], [step("1")],
        ]
        var list = JobList(now: .epoch, jobs: [])
        var records: [AccountingRecord] = []
        for (offset, steps) in known.enumerated() {
            var (info, record) = (JobInfo(), AccountingRecord())
            info.jobID = UInt32(7 + offset)
            (info.state, info.user) = ("RUNNING", "alice")
            record.jobID = info.jobID
            record.steps = steps
            list.jobs.append(info)
            records.append(record)
        }
        let output = try command.output(list, steps: AccountingList(now: .epoch, records: records))
        #expect(Set(output.lines) == ["7.batch solve", "7.1 solve", "9.1 solve"])
    }
}
