import Quantities
import Testing
import WireFormats

@testable import SlurmDialect

@Suite("What a centre tells, as data")
struct DataTests {
    private let now = World.at("01:30:00")

    private func queue(_ arguments: [String], _ jobs: [JobInfo]) throws -> CommandOutput {
        try QueueCommand(
            program: "squeue",
            arguments: arguments,
            variable: { _ in nil },
            user: "alice",
            isUser: { _ in true },
            calendar: World.calendar
        ).output(JobList(now: now, jobs: jobs))
    }

    private func answer(_ output: CommandOutput) throws -> JSONValue {
        try JSONValue(parsing: output.lines.joined(separator: "\n"))
    }

    @Test("A job has its numbers as numbers, its state as words, and filters hold")
    func jobs() throws {
        let job = World.directivesJob(runningFor: 4)
        let answer = try answer(queue(["--json"], [job]))
        let first = try #require(answer["jobs"]?.array?.first)
        #expect(first["job_id"]?.integer == Int64(job.jobID))
        #expect(first["job_state"] == ["RUNNING"])
        #expect(first["cpus"]?["number"]?.integer == job.cores)
        #expect(first["end_time"]?["set"] == true)
        #expect(answer["errors"] == [])
        #expect(
            answer["meta"]?["plugin"]?["data_parser"] == "data_parser/v0.0.42"
        )
        let none = try self.answer(queue(["--json", "--name=other"], [job]))
        #expect(none["jobs"] == [])
    }

    @Test(
        "Waiting elements of an array are one job, as Slurm keeps them; a missing limit is infinite"
    )
    func arrays() throws {
        let elements = (1...3).map { index in
            var job = JobInfo()
            job.jobID = UInt32(20 + index)
            job.arrayJobID = 21
            job.arrayTaskID = UInt32(index)
            return job
        }
        let jobs = try answer(queue(["--json"], elements))["jobs"]?.array ?? []
        #expect(jobs.count == 1)
        #expect(jobs.first?["array_task_string"] == "1-3")
        #expect(jobs.first?["array_task_id"]?["set"] == false)
        #expect(jobs.first?["time_limit"]?["infinite"] == true)
    }

    @Test("The accounts say of which heterogeneous job a run is a component")
    func components() throws {
        var record = AccountingRecord()
        (record.jobID, record.hetJobID, record.hetJobOffset) = (8, 7, 1)
        (record.state, record.user) = ("RUNNING", "alice")
        (record.submit, record.start) = (now, now)
        let command = try AccountingCommand(
            program: "sacct",
            arguments: ["--json", "-j", "7+1"],
            variable: { _ in nil },
            user: "alice",
            calendar: World.calendar
        )
        let list = AccountingList(now: now, records: [record])
        let output = try command.output(list)
        let het = try #require(answer(output)["jobs"]?.array?.first?["het"])
        #expect(het["job_id"]?.integer == 7)
        #expect(het["job_offset"]?["number"]?.integer == 1)
    }

    @Test("Versions are told apart; one that there is not is refused by name")
    func versions() throws {
        let job = World.directivesJob(runningFor: 4)
        for version in DataVersion.allCases {
            let answer = try answer(queue(["--json=\(version.rawValue)"], [job]))
            let first = try #require(answer["jobs"]?.array?.first)
            #expect((first["licenses_allocated"] != nil) == (version == .v43 || version == .v44))
        }
        for word in ["v0.0.40", "list", "1"] {
            #expect(throws: CommandFailure.self) { try queue(["--json=\(word)"], [job]) }
        }
        #expect(throws: CommandFailure.self) {
            try DataFormat(among: ["--yaml=v9"], program: "sdiag")
        }
    }

    @Test("Nodes come in the rows of sinfo, with their states and what is held")
    func nodes() throws {
        let command = try NodeCommand(
            program: "yhinfo",
            arguments: ["--json", "-p", "debug"],
            variable: { _ in nil },
            calendar: World.calendar
        )
        let output = command.output(
            PartitionList(now: now, partitions: World.partitions()),
            NodeList(now: now, nodes: World.nodes())
        )
        let rows = try answer(output)["sinfo"]?.array ?? []
        #expect(rows.count == 1)
        #expect(rows.first?["nodes"]?["total"] == 2)
        #expect(rows.first?["node"]?["state"] == ["IDLE"])
        #expect(rows.first?["partition"]?["name"] == "debug")
    }

    @Test("sacctmgr lists as data, with the filters of its tables")
    func people() throws {
        var list = PeopleList()
        list.cluster = "tianhe"
        let all: [(UInt32, String, String?)] = [
            (1, "root", nil), (2, "phys", nil), (3, "phys", "alice"),
        ]
        for (id, account, user) in all {
            var info = AssociationInfo()
            info.id = id
            info.account = account
            info.user = user
            list.associations.append(info)
        }
        func show(_ words: [String]) throws -> JSONValue {
            let command = try AccountManagerCommand(program: "sacctmgr", arguments: words)
            guard case .show(let entity) = command.action else { return .null }
            return try answer(command.output(entity, list))
        }
        let accounts = try show(["--json", "show", "account", "name=phys"])
        #expect(accounts["accounts"]?.array?.map { $0["name"] } == ["phys"])
        #expect(accounts["meta"]?["command"] == ["sacctmgr"])
        let associations = try show(["show", "assoc", "--json=v0.0.41", "user=alice"])
        #expect(associations["associations"]?.array?.first?["id"] == 3)
        #expect(associations["associations"]?.array?.first?["cluster"] == "tianhe")
        #expect(try show(["--json", "show", "tres"])["TRES"]?.array?.count == 9)
        let yaml = try AccountManagerCommand(
            program: "sacctmgr",
            arguments: ["--yaml", "show", "qos"]
        )
        #expect(try yaml.output(.qos, list).lines.first?.hasPrefix("---") == true)
    }

    @Test("YAML quotes words, nests by two, and writes what is empty in place")
    func yaml() {
        let value: JSONValue = [
            "a": [["b": "no", "c": [1, 2]], ["b": "x\ny", "c": []]], "d": [:], "e": [[1]],
        ]
        #expect(
            value.yamlText == """
                ---
                "a":
                  - "b": "no"
                    "c":
                      - 1
                      - 2
                  - "b": "x\\ny"
                    "c": []
                "d": {}
                "e":
                  -
                    - 1
                """
        )
    }
}
