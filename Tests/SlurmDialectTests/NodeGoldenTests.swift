import Quantities
import Testing
import WireFormats

@testable import SlurmDialect

@Suite("sinfo and scontrol show print what real ones printed")
struct NodeGoldenTests {
    private func nodes(
        _ entry: Transcript.Entry,
        now: String,
        change: (inout NodeInfo) -> Void = { _ in }
    ) throws -> CommandOutput {
        let command = try NodeCommand(
            program: "sinfo",
            arguments: entry.arguments,
            variable: { _ in nil },
            calendar: World.calendar
        )
        var nodes = World.nodes()
        for index in nodes.indices { change(&nodes[index]) }
        let now = World.at(now)
        return command.output(
            PartitionList(now: now, partitions: World.partitions()),
            NodeList(now: now, nodes: nodes)
        )
    }

    @Test(
        "An idle cluster, in every format of the recording",
        arguments: [
            "001", "002", "004", "006", "007", "008", "009", "010", "011", "012", "013", "014",
            "015", "016", "018", "019", "020",
        ]
    )
    func idle(number: String) throws {
        let entry = try Transcript("01_idle")[number]
        let output = try nodes(entry, now: "01:29:21")
        #expect(output.lines == entry.lines, "\(entry.command)")
    }

    @Test("Node by node, in whatever order of the partitions", arguments: ["003", "005"])
    func byNode(number: String) throws {
        let entry = try Transcript("01_idle")[number]
        let output = try nodes(entry, now: "01:29:21")
        #expect(output.lines.sorted() == entry.lines.sorted())
        let names = output.lines.compactMap { $0.hasPrefix("cn") ? $0.prefix { $0 != " " } : nil }
        #expect(names.last == "cn16", "nodes come in the order of their numbers")
    }

    @Test("Nodes in use are told apart")
    func mixed() throws {
        let entry = try Transcript("02_directives")["029"]
        let output = try nodes(entry, now: "01:29:31") { node in
            guard ["cn1", "cn2"].contains(node.name) else { return }
            node.state = "MIXED"
            node.coresHeld = 6
        }
        #expect(output.lines == entry.lines)
    }

    @Test("Drained nodes and their reasons", arguments: ["005", "006"])
    func drained(number: String) throws {
        let entry = try Transcript("11_nodes")[number]
        let output = try nodes(entry, now: "01:31:47") { node in
            guard ["cn3", "cn4"].contains(node.name) else { return }
            node.flags = ["DRAIN"]
            node.reason = "bad disk"
            node.reasonUser = "root"
            node.reasonTime = World.at("01:31:47")
            if node.name == "cn3" { node.state = "MIXED" }
        }
        #expect(output.lines == entry.lines)
    }

    @Test("Partitions are described", arguments: ["049", "050"])
    func partitions(number: String) throws {
        let entry = try Transcript("01_idle")[number]
        var shown = World.partitions().filter { number == "049" || $0.name == "debug" }
        // The recorded cluster preempts by QOS.
        for index in shown.indices { shown[index].preemptMode = "REQUEUE" }
        let lines = shown.flatMap { Description.partition($0).text(isOneLine: false) }
        #expect(lines == entry.lines)
    }

    @Test("A node is described, line by line")
    func node() throws {
        let entry = try Transcript("01_idle")["053"]
        var node = World.nodes()[0]
        node.operatingSystem = "Linux 6.18.44-fc-v595 #1 SMP PREEMPT_DYNAMIC @0"
        let lines = Description.node(node, calendar: World.calendar).text(isOneLine: false)
        #expect(lines.count == entry.lines.count)
        // Load, addresses and the age of the daemon belong to the recorded host.
        let differing = zip(lines, entry.lines).filter { $0 != $1 }.map(\.1)
        #expect(
            differing == [
                "   CPUAlloc=0 CPUEfctv=8 CPUTot=8 CPULoad=2.89",
                "   NodeAddr=127.0.0.1 NodeHostName=vm Port=17001 Version=22.05.8",
                "   RealMemory=16000 AllocMem=0 FreeMem=20748 Sockets=1 Boards=1",
                "   BootTime=2026-11-21T01:13:01 SlurmdStartTime=2026-11-21T01:25:58",
            ]
        )
    }

    @Test("A job is described, line by line and on one line", arguments: ["022", "025", "042"])
    func job(number: String) throws {
        let entry = try Transcript("02_directives")[number]
        let job =
            number == "042"
            ? World.endedDirectivesJob() : World.directivesJob(runningFor: number == "022" ? 4 : 5)
        let command = try control(entry.arguments)
        #expect(command.action == .showJobs(JobSelector(jobID: 1)))
        let lines = Description.jobs([job], isDetailed: false, calendar: World.calendar)
            .flatMap { $0.text(isOneLine: command.isOneLine) }
        let expected = entry.lines.map { $0.replacing(":2774", with: ":0") }
        #expect(lines == expected)
    }

    @Test("A waiting job is described")
    func waitingJob() throws {
        let entry = try Transcript("05_dependency")["018"]
        var job = World.job(36, name: "dC")
        job.reason = "Dependency"
        job.dependency = "afterok:34(unfulfilled)"
        job.submit = World.at("01:30:55")
        job.lastEvaluation = job.submit
        job.memory = ByteCount(mebibytes: 16_000)
        job.workDirectory = "/lab/w/05_dependency"
        job.standardOutput = "/lab/w/05_dependency/slurm-36.out"
        job.standardError = job.standardOutput
        let lines = Description.jobs([job], isDetailed: false, calendar: World.calendar)
            .flatMap { $0.text(isOneLine: false) }
        #expect(lines == entry.lines.map { $0.replacing(":28374", with: ":0") })
    }

    private func control(
        _ arguments: [String],
        _ environment: [String: String] = [:]
    ) throws(CommandFailure) -> ControlCommand {
        try ControlCommand(
            program: "scontrol",
            arguments: arguments,
            variable: { environment[$0] }
        )
    }

    @Test("Host lists keep order and repeats; a job's own nodes are the default")
    func hostListsInOrder() throws {
        #expect(
            try control(["show", "hostlist", "cn3,cn1,cn2,cn1"]).action == .print(["cn[3,1-2,1]"])
        )
        let inJob = try control(["show", "hostnames"], ["SLURM_JOB_NODELIST": "r[0-1]n2"])
        #expect(inJob.action == .print(["r0n2", "r1n2"]))
        #expect(throws: CommandFailure.self) { try control(["show", "hostnames"]) }
    }

    @Test("The configuration has the centre's name, in Slurm's form")
    func configuration() throws {
        #expect(try control(["show", "config"]).action == .showConfiguration)
        var status = CentreStatus()
        status.machine = "tianjin"
        status.now = World.at("01:29:24")
        status.configuration = [ConfigurationEntry("KillWait", "7 sec")]
        let lines = ControlCommand.configuration(
            status,
            host: "mgmt0",
            calendar: World.calendar
        )
        #expect(lines.first == "Configuration data as of 2026-11-21T01:29:24")
        #expect(lines.contains("ClusterName             = tianjin"))
        #expect(lines.contains("KillWait                = 7 sec"))
        #expect(lines.contains("AccountingStorageExternalHost = (null)"))
        #expect(lines.contains("SLURM_VERSION           = 22.05.8"))
        #expect(lines.last == "Slurmctld(primary) at mgmt0 is UP")
    }

    @Test("The configuration has every member that Slurm's has, in its order")
    func configurationNames() throws {
        let told = try Transcript("01_idle")["069"].lines.prefix { !$0.isEmpty }
        let slurms = told.dropFirst().map { $0.prefix { $0 != " " } }
        let own = ControlCommand.configuration(CentreStatus(), host: "h").prefix { !$0.isEmpty }
        // Several slurmd on one computer are what the recorded cluster had, and no centre of ours has.
        let names = slurms.filter { $0 != "MULTIPLE_SLURMD" }
        #expect(own.dropFirst().map { $0.prefix { $0 != " " } } == names)
    }

    @Test("A node on another computer than its own tells that one's name and address")
    func hostNames() throws {
        var node = World.nodes()[0]
        node.hostName = "vm"
        node.address = "127.0.0.1"
        let command = try NodeCommand(
            program: "sinfo",
            arguments: ["-h", "-p", "work", "-o", "%n %o %N"],
            variable: { _ in nil }
        )
        let output = command.output(
            PartitionList(now: .epoch, partitions: World.partitions()),
            NodeList(now: .epoch, nodes: [node])
        )
        #expect(output.lines == ["vm 127.0.0.1 \(node.name)"])
        let text = Description.node(node).lines.joined(separator: "\n")
        #expect(text.contains("NodeAddr=127.0.0.1 NodeHostName=vm Version=22.05.8"))
    }

    @Test("There are no reservations to list")
    func reservations() throws {
        let command = try NodeCommand(program: "sinfo", arguments: ["-T"], variable: { _ in nil })
        let output = command.output(
            PartitionList(now: .epoch, partitions: []),
            NodeList(now: .epoch, nodes: [])
        )
        #expect(output.lines == ["No reservations in the system"])
    }

    @Test("Tags may be cut, and stand joined to what they name")
    func tags() throws {
        #expect(
            try control(["show", "job=7_[1,3]"]).action
                == control(["show", "job", "7_[1,3]"]).action
        )
        #expect(try control(["show", "JobId=7"]).action == .showJobs(JobSelector(jobID: 7)))
        var drain = NodeUpdateRequest()
        drain.nodes = "cn1"
        drain.state = "DRAIN"
        drain.reason = "x"
        #expect(
            try control(["update", "node=cn1", "state=drain", "Reason=x"]).action
                == .updateNodes(drain)
        )
        var down = PartitionUpdateRequest()
        down.name = "debug"
        down.state = "DOWN"
        #expect(try control(["update", "part=debug", "st=down"]).action == .updatePartition(down))
        guard
            case .updateJobs(let jobs, let changes) =
                try control(["update", "part=debug", "job=1,2_[3,4]", "timel+=5", "StartTime=now"])
                .action
        else {
            Issue.record("jobs are updated")
            return
        }
        #expect(jobs.count == 2)
        let request = try JobUpdateRequest(changes, now: .epoch)
        #expect(request.partition == "debug")
        #expect(request.timeLimitChange == SimDuration(seconds: 300))
        #expect(request.begin == .epoch)
    }

    @Test(
        "Numbers that are too large are refused, and nothing stops the program",
        arguments: [
            ("timelimit=+999999999-0", "scontrol: error: Invalid TimeLimit value"),
            ("timelimit=999999999-0", "scontrol: error: Invalid TimeLimit value"),
            ("priority=-1", "scontrol: error: Invalid Priority value: -1"),
            ("priority=4294967296", "scontrol: error: Invalid Priority value: 4294967296"),
            (
                "starttime=now+999999999weeks",
                "Invalid time specification (pos=0): now+999999999weeks"
            ),
            ("numnodes=99999999999", "scontrol: error: \"99999999999\" is not a valid node count"),
            ("numtasks=0", "scontrol: error: Invalid NumTasks value: 0"),
            ("minmemorynode=2G", "scontrol: error: Invalid MinMemoryNode value: 2G"),
        ]
    )
    func largeNumbers(change: String, text: String) throws {
        guard case .updateJobs(_, let changes) = try control(["update", "jobid=1", change]).action
        else {
            Issue.record("jobs are updated")
            return
        }
        let failure = #expect(throws: CommandFailure.self) {
            try JobUpdateRequest(changes, now: .epoch)
        }
        #expect(failure?.lines == [text])
    }

    @Test("A job's sizes, places and files may be changed, by tags as short as Slurm takes them")
    func manyChanges() throws {
        let words = [
            "numtasks=4", "cpuspertask=2", "tasksper=2", "minmemorynode=100", "feat=big",
            "gres=gpu:2", "lic=fluent:1", "res=r1", "wckey=p", "dead=now+1hour", "over=yes",
            "stdout=a.out", "requeue=no", "timemin=5",
        ]
        guard case .updateJobs(_, let changes) = try control(["update", "jobid=1"] + words).action
        else {
            Issue.record("jobs are updated")
            return
        }
        let request = try JobUpdateRequest(changes, now: .epoch)
        #expect((request.tasks, request.cpusPerTask, request.tasksPerNode) == (4, 2, 2))
        #expect(request.memoryPerNode == ByteCount(mebibytes: 100))
        #expect((request.features, request.licenses) == ("big", "fluent:1"))
        #expect(request.gres?.map(\.count) == [2])
        #expect((request.reservation, request.project) == ("r1", "p"))
        #expect(request.deadline == SimInstant(seconds: 3_600))
        #expect((request.sharesNodes, request.requeues) == (true, false))
        #expect(request.standardOutput == "a.out")
        let failure = #expect(throws: CommandFailure.self) {
            try JobUpdateRequest([], now: .epoch)
        }
        #expect(failure?.lines == ["No changes specified"])
    }

    @Test("Host lists are expanded and compressed", arguments: ["060", "061", "062"])
    func hostLists(number: String) throws {
        let entry = try Transcript("01_idle")[number]
        let command = try control(entry.arguments)
        #expect(command.action == .print(entry.lines))
    }

    @Test(
        "What scontrol cannot do is refused in Slurm's words",
        arguments: [
            ("01_idle", "066"), ("01_idle", "067"), ("15_invalid", "062"), ("15_invalid", "065"),
            ("11_nodes", "002"),
        ]
    )
    func refusals(recording: String, number: String) throws {
        let entry = try Transcript(recording)[number]
        let failure = #expect(throws: CommandFailure.self) {
            try control(entry.arguments)
        }
        #expect(failure?.lines == entry.errors)
        #expect(failure?.exitCode == entry.exitCode)
    }
}
