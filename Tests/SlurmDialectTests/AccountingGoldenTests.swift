import Quantities
import Testing
import WireFormats

@testable import SlurmDialect

@Suite("sacct prints what a real one printed")
struct AccountingGoldenTests {
    private func output(
        _ entry: Transcript.Entry,
        _ records: [AccountingRecord],
        now: SimInstant = World.at("01:40:00")
    ) throws -> CommandOutput {
        let command = try AccountingCommand(
            program: "sacct",
            arguments: entry.arguments,
            variable: { _ in nil },
            user: entry.user,
            calendar: World.calendar
        )
        return try command.output(AccountingList(now: now, records: records))
    }

    private func step(_ id: String, _ name: String, cores: Int64, seconds: Int64) -> StepRecord {
        var step = StepRecord()
        step.id = id
        step.name = name
        step.state = "COMPLETED"
        step.cores = cores
        step.elapsed = SimDuration(seconds: seconds)
        step.start = World.at("01:29:27")
        step.nodeList = "cn1"
        return step
    }

    private func record(_ number: UInt32, _ name: String, _ state: String) -> AccountingRecord {
        var record = AccountingRecord()
        record.jobID = number
        record.name = name
        record.partition = "work"
        record.account = "phys"
        record.user = "alice"
        record.state = state
        record.cores = 1
        record.requestedCores = 1
        record.submit = World.at("01:29:27")
        record.start = record.submit
        record.end = World.at("01:29:40")
        record.timeLimit = SimDuration(seconds: 3_600)
        return record
    }

    @Test(
        "A listing asks for all that it shows",
        arguments: AccountingFields.all.map(\.name) + [
            "JobID,State,ReqTRES", "all of -l", "all of -b",
        ]
    )
    func neededMembers(columns: String) throws {
        var first = directivesRecord()
        first.arrayJobID = 1
        first.arrayTaskID = 3
        first.comment = "words"
        first.backend = "local"
        first.charge = 120
        first.derivedExitCode = 3
        first.exitCode = 4
        first.exitSignal = 9
        first.groupID = 7
        first.group = "staff"
        first.priority = 5
        first.qos = "high"
        first.reason = "NonZeroExitCode"
        first.replay = "{}"
        first.requestedMemory = ByteCount(1 << 30)
        first.accelerators = 2
        first.cluster = "other"
        first.submitLine = "sbatch x.sh"
        first.suspended = SimDuration(seconds: 3)
        first.userID = 1_001
        first.verifiedFlop = 12
        first.workDirectory = "/home/alice"
        first.steps = [step("batch", "batch", cores: 8, seconds: 13)]
        first.steps[0].processorTime = SimDuration(seconds: 8)
        first.steps[0].maximumResident = ByteCount(4_096)
        var second = record(2, "other", "CANCELLED")
        second.cancelledBy = 1_000
        second.eligible = second.submit
        second.start = nil
        second.hetJobID = 2
        second.hetJobOffset = 0
        var waiting = record(5, "rest", "PENDING")
        waiting.arrayJobID = 4
        waiting.arrayTaskID = 1
        waiting.arrayLimit = 2
        waiting.start = nil
        waiting.end = nil
        var again = second
        again.restarts = 1
        let words = columns.hasPrefix("all of ") ? [String(columns.dropFirst(7))] : ["-o", columns]
        let filters = [
            [], ["-X"], ["-D"], ["-u", "alice"], ["-A", "phys"], ["--name", "other"],
            ["-q", "high"],
            ["-N", "cn1"], ["-r", "work"], ["-s", "CA"], ["-j", "1"], ["--json"],
        ]
        for filter in filters {
            let command = try AccountingCommand(
                program: "sacct",
                arguments: ["-S", "2026-01-01", "-P"] + words + filter,
                variable: { _ in nil },
                user: nil,
                calendar: World.calendar
            )
            var list = AccountingList(
                now: World.at("01:40:00"),
                cluster: "here",
                records: [first, second, again, waiting]
            )
            let whole = try command.output(list)
            list.selection = command.neededMembers
            #expect(
                try command.output(AccountingList(json: list.json)) == whole,
                "\(columns) \(filter)"
            )
            #expect(Array(list.json.compactText.utf8) == list.compactBytes)
            // The centre reads no more of its records than it sends.
            let selection = AccountingRecord.readingSelection(of: list.selection)
            list.records = try list.records.map { record in
                try AccountingRecord(parsing: record.compactBytes, selecting: selection)
            }
            #expect(
                try command.output(AccountingList(parsing: list.compactBytes)) == whole,
                "\(columns) \(filter), read in part"
            )
        }
        #expect(AccountingFields.members[columns] != nil || columns.contains { ", ".contains($0) })
    }

    private func directivesRecord() -> AccountingRecord {
        var record = record(1, "mytest", "COMPLETED")
        record.cores = 8
        record.requestedCores = 8
        record.nodeCount = 2
        record.nodeList = "cn[1-2]"
        record.eligible = record.submit
        record.elapsed = SimDuration(seconds: 13)
        record.timeLimit = SimDuration(seconds: 600)
        record.requestedMemory = ByteCount(mebibytes: 1_000)
        record.priority = 1_100
        record.workDirectory = "/lab/w/02_directives"
        record.submitLine = "sbatch job.sh"
        var batch = step("batch", "batch", cores: 6, seconds: 13)
        batch.maximumResident = ByteCount(4_612 * 1_024)
        record.steps = [
            batch, step("0", "hostname", cores: 8, seconds: 0),
            step("1", "sh", cores: 8, seconds: 1),
        ]
        return record
    }

    @Test(
        "A job with its steps, in every format of the recording",
        arguments: [
            "043", "044", "045", "046", "047", "049", "050", "051", "054", "055", "056", "057",
        ]
    )
    func completed(number: String) throws {
        let entry = try Transcript("02_directives")[number]
        #expect(try output(entry, [directivesRecord()]).lines == entry.lines, "\(entry.command)")
    }

    @Test("Nothing known, nothing shown", arguments: ["038", "039", "040"])
    func empty(number: String) throws {
        let entry = try Transcript("01_idle")[number]
        #expect(try output(entry, []).lines == entry.lines)
    }

    @Test("Failed jobs and their exit codes", arguments: ["014", "015", "016", "018", "019"])
    func failures(number: String) throws {
        let facts: [(UInt32, String, String, Int32, Int32, Int32, String)] = [
            (91, "wrap", "FAILED", 3, 0, 0, "FAILED"), (92, "wrap", "FAILED", 0, 9, 0, "CANCELLED"),
            (93, "wrap", "FAILED", 127, 0, 0, "FAILED"),
            (95, "badinterp.sh", "FAILED", 2, 0, 0, "FAILED"),
            (96, "stepfail.sh", "COMPLETED", 0, 0, 5, "COMPLETED"),
        ]
        let records = facts.map { id, name, state, code, signal, derived, batchState in
            var record = record(id, name, state)
            record.exitCode = code
            record.exitSignal = signal
            record.derivedExitCode = derived
            var batch = step("batch", "batch", cores: 1, seconds: 0)
            batch.state = batchState
            batch.exitCode = code
            batch.exitSignal = signal
            record.steps = [batch]
            if id == 96 {
                var srun = step("0", "sh", cores: 1, seconds: 0)
                srun.state = "FAILED"
                srun.exitCode = 5
                record.steps.append(srun)
            }
            return record
        }
        let entry = try Transcript("13_failures")[number]
        #expect(try output(entry, records).lines == entry.lines)
    }

    @Test("What a user called something begins no row, and no product is too large to print")
    func hostileValues() throws {
        var record = record(1, "a\nb", "COMPLETED")
        record.elapsed = SimDuration(seconds: 400 * 86_400)
        record.cores = 3_120_000
        var kernel = step("0", "x|\u{1b}[31m\u{202e}", cores: .max, seconds: 999_999_999)
        kernel.tasks = .max
        record.steps = [kernel]
        let command = try AccountingCommand(
            program: "sacct",
            arguments: ["-n", "-P", "-o", "JobName,CPUTimeRAW,CPUTime"],
            variable: { _ in nil },
            user: "alice",
            calendar: World.calendar
        )
        let list = AccountingList(now: World.at("01:40:00"), records: [record])
        #expect(
            try command.output(list).lines == [
                "a?b|107827200000000|1248000000-00:00:00",
                "x|?[31m?|9223372036854775807|106751991167300-15:30:07",
            ]
        )
    }

    @Test("Elements of an array", arguments: ["023", "025"])
    func arrays(number: String) throws {
        let records = [1, 2, 3, 4, 5, 6, 10].map { task in
            var record = record(UInt32(20 + task), "arr", task == 3 ? "FAILED" : "COMPLETED")
            record.arrayJobID = 20
            record.arrayTaskID = UInt32(task)
            record.exitCode = task == 3 ? 1 : 0
            var batch = step("batch", "batch", cores: 1, seconds: 6)
            batch.state = record.state
            batch.exitCode = record.exitCode
            record.steps = [batch]
            return record
        }
        let entry = try Transcript("04_array")[number]
        #expect(try output(entry, records).lines == entry.lines)
    }

    @Test(
        "Refusals are Slurm's",
        arguments: [
            ("15_invalid", "058"), ("15_invalid", "059"), ("15_invalid", "060"),
            ("15_invalid", "061"), ("04_array", "011"),
        ]
    )
    func refusals(recording: String, number: String) throws {
        let entry = try Transcript(recording)[number]
        let failure = #expect(throws: CommandFailure.self) { try output(entry, []) }
        #expect(failure?.lines == entry.errors)
        #expect(failure?.exitCode == entry.exitCode)
    }

    @Test("Whose jobs are listed: one's own, everybody's, those that are named")
    func users() throws {
        var other = record(2, "other", "COMPLETED")
        other.user = "bob"
        func numbers(_ arguments: [String]) throws -> [String] {
            let command = try AccountingCommand(
                program: "sacct",
                arguments: ["-n", "-X", "-P", "-o", "jobid"] + arguments,
                variable: { _ in nil },
                user: "alice",
                calendar: World.calendar
            )
            let list = AccountingList(
                now: World.at("01:40:00"),
                records: [record(1, "own", "COMPLETED"), other]
            )
            return try command.output(list).lines
        }
        #expect(try numbers([]) == ["1"])
        #expect(try numbers(["-a"]) == ["1", "2"])
        #expect(try numbers(["-u", "bob"]) == ["2"])
        #expect(try numbers(["-j", "2"]) == ["2"])
        #expect(try numbers(["-a", "-S", "01:29:41"]) == [])
        #expect(try numbers(["-a", "-s", "F"]) == [])
        #expect(try numbers(["-j", "1_[3,4],2"]) == ["2"])
    }

    @Test(
        "Fields are as wide as asked for, within reason",
        arguments: [
            ("jobid%99999999999", 4_096, true), ("jobid%-9223372036854775808", 4_096, false),
            ("jobid%6", 6, true),
        ]
    )
    func widths(field: String, width: Int, isRight: Bool) throws {
        let command = try AccountingCommand(
            program: "sacct",
            arguments: ["-n", "-X", "-o", field],
            variable: { _ in nil },
            user: "alice",
            calendar: World.calendar
        )
        let list = AccountingList(now: World.at("01:40:00"), records: [record(1, "a", "COMPLETED")])
        let line = try #require(try command.output(list).lines.first)
        #expect(line == FormatText.fit("1", width, right: isRight) + " ")
        let failure = #expect(throws: CommandFailure.self) {
            try AccountingCommand(
                program: "sacct",
                arguments: ["-o", "jobid%abc"],
                variable: { _ in nil },
                user: "alice"
            )
        }
        #expect(failure?.lines == ["sacct: error: Invalid width of field \"jobid\": abc"])
    }

    @Test("What nobody measures is listed, found by a beginning, and empty")
    func emptyFields() throws {
        let command = try AccountingCommand(
            program: "sacct",
            arguments: ["-nPo", "jobid,averss,maxvmsize,TresUsageInA,charge"],
            variable: { _ in nil },
            user: "alice",
            calendar: World.calendar
        )
        let list = AccountingList(now: World.at("01:40:00"), records: [record(1, "a", "COMPLETED")])
        #expect(try command.output(list).lines == ["1||||"])
        let names = command.fieldList.flatMap { $0.split(separator: " ").map(String.init) }
        #expect(names.starts(with: ["Account", "AdminComment", "AllocCPUS", "AllocNodes"]))
        #expect(Set(names).count == names.count)
    }

    @Test("The cluster is the centre that answers, also for steps")
    func cluster() throws {
        let command = try AccountingCommand(
            program: "sacct",
            arguments: ["-nPo", "jobid,cluster"],
            variable: { _ in nil },
            user: "alice",
            calendar: World.calendar
        )
        let list = AccountingList(
            now: World.at("01:40:00"),
            cluster: "tianjin",
            records: [directivesRecord()]
        )
        #expect(try command.output(list).lines.allSatisfy { $0.hasSuffix("|tianjin") })
    }
}

@Suite("scancel")
struct CancelTests {
    private func command(_ arguments: [String]) throws(CommandFailure) -> CancelCommand {
        try CancelCommand(
            program: "scancel",
            arguments: arguments,
            variable: { _ in nil },
            user: "alice",
            isUser: { $0 == "alice" }
        )
    }

    @Test("Refusals are Slurm's", arguments: ["072", "074", "075"])
    func refusals(number: String) throws {
        let entry = try Transcript("01_idle")[number]
        let failure = #expect(throws: CommandFailure.self) { try command(entry.arguments) }
        #expect(failure?.lines == entry.errors)
        #expect(failure?.exitCode == entry.exitCode)
    }

    @Test("A step is named as it was written, with its component")
    func stepNames() throws {
        let command = try command(["7", "4+1.0", "4.3"])
        var outcomes = [ActionOutcome(jobID: 4), ActionOutcome(jobID: 4), ActionOutcome(jobID: 7)]
        (outcomes[0].step, outcomes[1].step) = ("0", "3")
        for index in 0..<2 { outcomes[index].error = SlurmError.invalidJobID.body() }
        let said = command.output(ActionResponse(outcomes: outcomes)).errors
        #expect(
            said
                == ["4+1.0", "4.3"].map {
                    "scancel: error: Kill job error on job step id \($0): \(SlurmError.invalidJobID.text)"
                }
        )
    }

    @Test("Every filter of scancel is asked for, and what it cannot read is told as Slurm tells it")
    func filters() throws {
        let command = try command(["-q", "High", "-R", "r1", "-w", "cn[1-2]", "--wckey=p"])
        #expect((command.request.qos, command.request.reservation) == ("high", "r1"))
        #expect((command.request.nodeList, command.request.project) == ("cn[1-2]", "p"))
        for (arguments, lines) in [
            (["-s", "BOGUS", "1"], ["Unknown job signal: BOGUS"]),
            (
                ["-t", "BOGUS"],
                [
                    "Invalid job state specified: BOGUS",
                    "Valid job states are PENDING, RUNNING, and SUSPENDED",
                ]
            ),
        ] {
            let failure = #expect(throws: CommandFailure.self) { try self.command(arguments) }
            #expect(failure?.lines == lines)
        }
    }

    @Test("A step is meant alone; that there is none is told")
    func steps() throws {
        let command = try command(["5_3.0", "7", "8.batch"])
        #expect(command.request.jobs.map(\.step) == ["0", nil, nil])
        #expect(command.request.jobs.map(\.jobID) == [5, 7, 8])
        for wrong in ["5.", "5.x", "5.-1", "5.1.2", ".0"] {
            #expect(throws: CommandFailure.self) { try self.command([wrong]) }
        }
        var outcome = ActionOutcome(jobID: 5, error: SlurmError.invalidJobID.body())
        outcome.step = "7"
        let told = try self.command(["-v", "5.7"]).output(ActionResponse(outcomes: [outcome]))
        #expect(
            told.errors == [
                "scancel: Terminating step 5.7",
                "scancel: error: Kill job error on job step id 5.7: Invalid job id specified",
            ]
        )
        #expect(told.exitCode != 0)
    }

    @Test("With -v jobs are told of as they were written")
    func verbose() throws {
        let done = ActionResponse(outcomes: [ActionOutcome(jobID: 7)])
        #expect(
            try command(["-v", "5_3"]).output(done).errors == ["scancel: Terminating job 5_3"]
        )
        #expect(
            try command(["-v", "-s", "USR1", "-n", "x"]).output(done).errors
                == ["scancel: Signal 10 to job 7"]
        )
        let gone = ActionResponse(outcomes: [
            ActionOutcome(jobID: 9, error: SlurmError.invalidJobID.body())
        ])
        #expect(
            try command(["-v", "9"]).output(gone).errors == [
                "scancel: Terminating job 9",
                "scancel: error: Kill job error on job id 9: Invalid job id specified",
            ]
        )
    }

    @Test("An unknown job is passed over; somebody else's is an error")
    func outcomes() throws {
        let command = try command(["7", "8_[1-2]", "-t", "PD"])
        #expect(
            command.request.jobs == [
                JobSelector(jobID: 7), JobSelector(jobID: 8, arrayTasks: [1, 2]),
            ]
        )
        #expect(command.request.states == ["PENDING"])
        let output = command.output(
            ActionResponse(outcomes: [
                ActionOutcome(jobID: 7, error: SlurmError.invalidJobID.body()),
                ActionOutcome(jobID: 8, error: SlurmError.accessDenied.body()),
                ActionOutcome(jobID: 9),
            ])
        )
        #expect(
            output.errors
                == ["scancel: error: Kill job error on job id 8: Access/permission denied"]
        )
        #expect(output.exitCode == 210)
    }
}
