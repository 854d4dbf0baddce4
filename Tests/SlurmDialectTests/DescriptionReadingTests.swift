import Quantities
import Testing
import WireFormats

@testable import SlurmDialect

@Suite("What clients of Slurm's REST ask for")
struct DescriptionReadingTests {
    private func submission(
        _ job: JSONValue,
        _ version: DataVersion = .v44
    ) throws -> DataReading<SubmitRequest> {
        let needed: JSONValue = ["environment": ["A=b"]]
        let members = (needed.members ?? []) + (job.members ?? [])
        return try JobDescription.submission(
            ["script": "#!/bin/sh\n", "job": .object(members)],
            version
        )
    }

    @Test("Numbers are read as numbers, as text, and as objects that may be empty or infinite")
    func numbers() throws {
        let five: [JSONValue] = [
            5, "5", ["number": 5], ["set": true, "number": 5, "infinite": false],
        ]
        for value in five {
            let request = try submission(["time_limit": value]).request
            #expect(request.timeLimit == SimDuration(seconds: 300))
        }
        for value: JSONValue in ["INFINITE", ["infinite": true]] {
            #expect(try submission(["time_limit": value]).request.hasNoTimeLimit)
        }
        for value: JSONValue in [.null, "", ["set": false, "number": 9]] {
            let request = try submission(["time_limit": value]).request
            #expect(request.timeLimit == nil && !request.hasNoTimeLimit)
        }
        for value: JSONValue in [-1, 0, "x", [1], ["number": "x", "set": true]] {
            let failure = #expect(throws: RestFailure.self) {
                try submission(["time_limit": value])
            }
            #expect(failure?.source == "#/job/time_limit")
            #expect(failure?.number == 9_001)
        }
    }

    @Test("A description says what the options of sbatch say")
    func options() throws {
        let request = try submission([
            "nodes": "2-4", "tasks_per_node": 8, "memory_per_node": ["set": true, "number": 512],
            "tres_per_node": "gres/gpu:a100:2", "required_nodes": ["cn[0-3]", "cn7"],
            "array": "1-9:2%3", "dependency": "afterok:7", "shared": ["none"],
            "argv": ["job.sh", "one", "two"], "open_mode": ["APPEND"], "partition": "a,b",
            "kill_warning_signal": "USR1", "kill_warning_delay": 30,
            "begin_time": ["set": true, "number": 1_764_000_000], "wckey": "p",
        ]).request
        #expect(request.minimumNodes == 2 && request.maximumNodes == 4)
        #expect(request.memoryPerNode == ByteCount(mebibytes: 512))
        #expect(request.gres == [GresRequest(name: "gpu", type: "a100", count: 2)])
        #expect(request.requiredNodes == "cn[0-3],cn7")
        #expect(request.array?.limit == 3)
        #expect(request.dependencies.first?.jobID == 7)
        #expect(request.exclusive == "exclusive")
        #expect(request.scriptArguments == ["one", "two"])
        #expect(request.appendsOutput == true)
        #expect(request.partitions == ["a", "b"])
        #expect(request.signal?.number == 10)
        #expect(request.signal?.lead == SimDuration(seconds: 30))
        #expect(request.begin?.seconds == 1_764_000_000)
        #expect(request.project == "p")
        let named: JSONValue = ["environment": ["A": "b", "C": 5]]
        let variables = try JobDescription.submission(
            ["script": "#!/bin/sh\n", "job": named],
            .v44
        ).request
        #expect(variables.environment == ["A=b", "C=5"])
    }

    @Test("A list of jobs is one job of several components")
    func components() throws {
        func read(_ members: JSONValue) throws -> DataReading<SubmitRequest> {
            let script: JSONValue = ["script": "#!/bin/sh\n"]
            let all = (script.members ?? []) + (members.members ?? [])
            return try JobDescription.submission(.object(all), .v44)
        }
        let first: JSONValue = ["environment": ["A=b"], "partition": "a", "tasks": 2]
        let other: JSONValue = ["partition": "b", "nodes": "3", "colour": "red"]
        let reading = try read(["jobs": [first, other, other]])
        #expect(reading.request.partitions == ["a"] && reading.request.tasks == 2)
        #expect(reading.request.components.map(\.partitions) == [["b"], ["b"]])
        #expect(reading.request.components.map(\.minimumNodes) == [3, 3])
        #expect(reading.request.components.allSatisfy { $0.script.isEmpty })
        #expect(reading.warnings.map(\.source) == ["#/jobs/1/colour", "#/jobs/2/colour"])
        let wrong = #expect(throws: RestFailure.self) {
            try read(["jobs": [first, ["tasks": "x"]]])
        }
        #expect(wrong?.source == "#/jobs/1/tasks")
        let many = [first] + Array(repeating: other, count: 128)
        for list: JSONValue in [[], 5, .array(many)] {
            #expect(throws: RestFailure.self) { try read(["jobs": list]) }
        }
        #expect(throws: RestFailure.self) { try read(["jobs": [first, other], "job": first]) }
        let held = try JobDescription.allocation(["hetjob": [first, other]], .v44).request
        #expect(held.isInteractive && held.components.map(\.isInteractive) == [true])
    }

    @Test("Space on a node's own disk is refused, as by --tmp, and none of it is taken")
    func temporaryDisk() throws {
        func read(_ disk: JSONValue) throws -> SubmitRequest {
            let job: JSONValue = ["environment": ["A=b"], "temporary_disk_per_node": disk]
            let body: JSONValue = ["script": "#!/bin/sh\n", "job": job]
            return try JobDescription.submission(body, .v42).request
        }
        #expect(try read(0).script == "#!/bin/sh\n")
        let refused = #expect(throws: RestFailure.self) { try read(500) }
        #expect(refused?.number == 2014 && refused?.status == 500)
        #expect(refused?.source == "#/job/temporary_disk_per_node")
        #expect(refused?.description.contains("Temporary disk") == true)
        #expect(#expect(throws: RestFailure.self) { try read("much") }?.number == 9_001)
    }

    @Test("No member traps, whatever stands in it", arguments: DataVersion.allCases)
    func anything(version: DataVersion) {
        let values: [JSONValue] = [
            .null, true, -1, 9_223_372_036_854_775_807, .number(1e300), "", "\u{0}", "-", [], [[]],
            ["x", 1], [:], ["set": true], ["number": .number(0.5)], ["infinite": true],
        ]
        var read = 0
        for (name, _) in JobDescription.members(version) {
            for value in values {
                let job = JSONValue.object([.init("environment", ["A=b"]), .init(name, value)])
                let body: JSONValue = ["script": "#!/bin/sh\n", "job": job]
                if (try? JobDescription.submission(body, version)) != nil { read += 1 }
                _ = try? JobDescription.change(job, version)
                _ = try? NodeDescription.change(job, of: nil)
                _ = try? ReservationDescription.reservation(job)
                _ = try? CancelDescription.cancel(job)
            }
        }
        for body in SlurmBody.allCases {
            for (name, _) in PeopleDescription.members(body) {
                for value in values {
                    let entry = JSONValue.object([.init(name, value)])
                    _ = try? PeopleDescription.users(["users": [entry]], known: PeopleList())
                    _ = try? PeopleDescription.accounts(["accounts": [entry]], known: PeopleList())
                    _ = try? PeopleDescription.associations(["associations": [entry]])
                    _ = try? PeopleDescription.accountsInAssociation(entry)
                    _ = try? PeopleDescription.usersInAssociation(entry)
                }
            }
        }
        #expect(read > 100)
    }

    @Test("Limits of associations and QOS stand in their places, and are read from there")
    func limits() throws {
        for limit in LimitPlace.all {
            guard let path = limit.association else { continue }
            let text = limit.form == .resources ? "cpu=8,gres/gpu=2" : "90"
            let shown = limit.value(among: [NamedLimit(name: limit.name, value: text)])
            var object = DataObject()
            object.text("account", "lab")
            object.value(at: path, shown)
            let edits = try PeopleDescription.associations(["associations": [object.json]]).request
            #expect(edits.first?.settings == [NamedLimit(name: limit.name, value: text)])
        }
        var people = PeopleList()
        var qos = QOSInfo()
        qos.limits = [NamedLimit(name: "MaxWall", value: "1-00:00:00")]
        people.qos = [qos]
        let shown = SlurmData().qualities(people)["qos"]?.array?.first?["limits"]?["max"]
        #expect(shown?["wall_clock"]?["per"]?["job"]?["number"] == 1_440)
        #expect(shown?["jobs"]?["active_jobs"]?["per"]?["user"]?["infinite"] == true)
    }
}
