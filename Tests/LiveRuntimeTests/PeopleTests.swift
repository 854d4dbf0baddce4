import Accounts
import Quantities
import Scheduling
import SlurmDialect
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Accounts, users and priorities of a live centre")
struct PeopleTests {
    private func find(_ list: PeopleList, _ account: String, _ user: String?) -> AssociationInfo? {
        list.associations.first { $0.account == account && $0.user == user }
    }

    @Test("What an operator changes holds, survives a restart, and does not move what a file says")
    func edits() async throws {
        let folder = try ScratchFolder()
        let first = try Centre(SmallCentre.settings(folder.path))
        let added = try await first.change(
            edit(.add, "account", ["lab"], ("fairshare", "3"), ("GrpTRES", "cpu=12")),
            .me
        )
        #expect(added.changed == ["account lab"])
        let member = edit(.add, "user", ["ann"], accounts: ["lab"], ("MaxJobs", "1"))
        #expect(try await first.change(member, .me).changed == ["user ann of account lab"])
        #expect(try await first.change(member, .me).changed.isEmpty)
        await first.close()
        let second = try Centre(SmallCentre.settings(folder.path))
        let list = await second.people(.me)
        #expect(find(list, "lab", nil)?.shares == 3)
        #expect(find(list, "lab", nil)?.limits == [NamedLimit(name: "GrpTRES", value: "cpu=12")])
        #expect(find(list, "lab", "ann")?.isDefault == true)
        #expect(find(list, "lab", "ann")?.limits.first?.name == "MaxJobs")
        let removed = try await second.change(edit(.delete, "user", ["ann"]), .me)
        #expect(removed.changed == ["user ann of account lab"])
        #expect(find(await second.people(.me), "lab", "ann") == nil)
        // Without a share or limit of its own an account is there too, until it is removed.
        _ = try await second.change(edit(.add, "account", ["plain"]), .me)
        _ = try await second.change(edit(.add, "user", ["ann"], accounts: ["plain"]), .me)
        #expect(find(await second.people(.me), "plain", "ann")?.shares == 1)
        _ = try await second.change(edit(.delete, "account", ["plain"]), .me)
        #expect(find(await second.people(.me), "plain", nil) == nil)
        #expect(find(await second.people(.me), "plain", "ann") == nil)
        await second.close()
    }

    @Test(
        "What cannot be is refused, and nothing has changed",
        arguments: [
            ("modify", "account", "nosuch", "fairshare", "1", "account 'nosuch' is not there"),
            ("add", "account", "lab", "fairshare", "x", "fairshare=x is no whole number"),
            ("add", "account", "lab", "GrpTRES", "cups=1", "GrpTRES=cups=1 is not"),
            ("add", "account", "lab", "GrpTERS", "cpu=1", "'GrpTERS' is nothing to set"),
            ("add", "account", "a b", "fairshare", "1", "'a b' is no name"),
            ("add", "account", "lab", "parent", "lab", "belongs to itself"),
            ("add", "account", "lab", "defaultqos", "gold", "QOS 'gold' is not there"),
        ]
    )
    func refusals(
        verb: String,
        entity: String,
        name: String,
        setting: String,
        value: String,
        problem: String
    ) async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        let before = await centre.people(.me)
        var edit = PeopleEdit()
        edit.verb = verb
        edit.entity = entity
        edit.names = [name]
        edit.settings = [NamedLimit(name: setting, value: value)]
        let failure = await #expect(throws: RequestFailure.self) {
            try await centre.change(edit, .me)
        }
        #expect(failure?.body.text.contains(problem) == true, "\(failure?.body.text ?? "")")
        #expect(await centre.people(.me) == before)
        let other = Caller(userID: Caller.me.userID + 1, groupID: 0)
        await #expect(throws: RequestFailure.refused(.accessDenied)) {
            try await centre.change(edit, other)
        }
        await centre.close()
    }

    @Test("Who is added while jobs wait for their turn by fair share has a turn too")
    func addedWhileJobsWait() async throws {
        var settings = SmallCentre.settings(try ScratchFolder().path)
        settings.rules = CentreRules(
            machine: SmallCentre.machine,
            policy: try SchedulingPolicy(named: "multifactor")
        )
        let centre = try Centre(settings)
        _ = try await centre.submit(SmallCentre.request { $0.minimumNodes = 16 })
        let waiting = try await centre.submit(SmallCentre.request { $0.minimumNodes = 8 })
        _ = try await centre.change(edit(.add, "account", ["lab"], ("fairshare", "3")), .me)
        _ = try await centre.change(edit(.add, "user", ["ann"], accounts: ["lab"]), .me)
        let late = try await centre.submit(
            SmallCentre.request {
                $0.minimumNodes = 8
                $0.account = "lab"
            }
        )
        #expect(await centre.priorities(.me).jobs.map(\.jobID) == [waiting, late])
        try await centre.advance(seconds: 90_000)
        #expect(await centre.status().jobsEnded == 3)
        await centre.close()
    }

    @Test("QOS come, change and go while the centre runs, and are there when it is opened again")
    func qualities() async throws {
        let folder = try ScratchFolder()
        var settings = SmallCentre.settings(folder.path)
        settings.rules = CentreRules(
            machine: SmallCentre.machine,
            policy: try SchedulingPolicy(named: "multifactor")
        )
        settings.imageInterval = 2
        let first = try Centre(settings)
        let gold = edit(.add, "qos", ["gold"], ("Priority", "5"), ("MaxJobsPerUser", "1"))
        await #expect(throws: RequestFailure.self) {
            _ = try await first.submit(SmallCentre.request { $0.qos = "gold" })
        }
        #expect(try await first.change(gold, .me).changed == ["qos gold"])
        #expect(try await first.change(gold, .me).changed.isEmpty)
        var jobs: [UInt32] = []
        for _ in 0..<2 {
            jobs.append(try await first.submit(SmallCentre.request { $0.qos = "gold" }))
        }
        #expect(try await first.info(jobs[0]).state == "RUNNING")
        #expect(try await first.info(jobs[1]).reason == "QOSMaxJobsPerUserLimit")
        await first.close()

        let second = try Centre(settings)
        #expect(await second.people(.me).qos.map(\.name) == ["normal", "gold"])
        #expect(try await second.info(jobs[1]).reason == "QOSMaxJobsPerUserLimit")
        let more = edit(
            .modify,
            "qos",
            ["gold"],
            ("MaxJobsPerUser", "-1"),
            ("Flags", "DenyOnLimit")
        )
        #expect(try await second.change(more, .me).changed == ["qos gold"])
        try await second.advance(seconds: 1)
        #expect(try await second.info(jobs[1]).state == "RUNNING")
        let flags = await second.people(.me).qos.last?.flags
        #expect(flags == ["DenyOnLimit"])
        // What jobs and accounts name stays.
        let gone = edit(.delete, "qos", ["gold"])
        await #expect(throws: RequestFailure.self) { _ = try await second.change(gone, .me) }
        try await second.advance(seconds: 86_400)
        _ = try await second.change(edit(.modify, "account", ["motor"], ("qos", "gold")), .me)
        await #expect(throws: RequestFailure.self) { _ = try await second.change(gone, .me) }
        _ = try await second.change(edit(.modify, "account", ["motor"], ("qos", "-1")), .me)
        #expect(try await second.change(gone, .me).changed == ["qos gold"])
        #expect(await second.people(.me).qos.map(\.name) == ["normal"])
        // One that comes after it has another place.
        _ = try await second.change(edit(.add, "qos", ["silver", "bronze"]), .me)
        await second.close()

        let third = try Centre(settings)
        #expect(await third.people(.me).qos.map(\.name) == ["normal", "silver", "bronze"])
        await #expect(throws: RequestFailure.self) {
            _ = try await third.submit(SmallCentre.request { $0.qos = "gold" })
        }
        _ = try await third.submit(SmallCentre.request { $0.qos = "bronze" })
        #expect(try CentreAudit(stateFolder: folder.path).findings.isEmpty)
        await third.close()
    }

    @Test(
        "A QOS that cannot be is refused",
        arguments: [
            ("add", "gold", "Priority", "x", "Priority=x is not a whole number"),
            (
                "add", "gold", "Flags", "NoDecy",
                "'NoDecy' is no flag of a QOS (did you mean 'NoDecay'?)"
            ),
            ("add", "gold", "Preempt", "lead", "QOS 'lead' is not there"),
            ("add", "g d", "Priority", "1", "'g d' is no name"),
            (
                "add", "gold", "MaxWal", "1",
                "'MaxWal' is nothing to set of a QOS (did you mean 'MaxWall'?)"
            ),
            ("modify", "gold", "Priority", "1", "QOS 'gold' is not there"),
            ("modify", "normal", "PreemptMode", "fight", "is not one of cluster"),
            ("delete", "normal", "Priority", "1", "the QOS of jobs that name none"),
        ]
    )
    func wrongQualities(
        verb: String,
        name: String,
        setting: String,
        value: String,
        problem: String
    ) async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        let before = await centre.people(.me)
        var wrong = edit(.add, "qos", [name], (setting, value))
        wrong.verb = verb
        let failure = await #expect(throws: RequestFailure.self) {
            try await centre.change(wrong, .me)
        }
        #expect(failure?.body.text.contains(problem) == true, "\(failure?.body.text ?? "")")
        #expect(await centre.people(.me) == before)
        await centre.close()
    }

    @Test("An account that is moved counts under what stands above it now, also when opened again")
    func moves() async throws {
        let folder = try ScratchFolder()
        let first = try Centre(SmallCentre.settings(folder.path))
        let made = [
            edit(.add, "account", ["dept"], ("GrpTRES", "node=3"), ("GrpTRESMins", "node=400")),
            edit(.add, "account", ["lab"]),
            edit(.add, "account", ["group"], ("parent", "lab")),
            edit(.add, "user", ["root"], accounts: ["group"]),
        ]
        _ = try await first.change(made, .me)
        func job(_ centre: Centre) async throws -> UInt32 {
            try await centre.submit(
                SmallCentre.request {
                    $0.minimumNodes = 2
                    $0.account = "group"
                    $0.user = "root"
                    $0.timeLimit = SimDuration(seconds: 3_600)
                    $0.comment = "runtime=3600"
                }
            )
        }
        _ = try await job(first)
        let moved = edit(.modify, "account", ["lab"], ("parent", "dept"))
        #expect(try await first.change(moved, .me).changed == ["account lab"])
        #expect(try await first.change(moved, .me).changed.isEmpty)
        let below = await first.people(.me)
        #expect(find(below, "lab", nil)?.parent == "dept")
        #expect(find(below, "group", "root")?.depth == 4)
        #expect(find(below, "dept", nil)?.use.nodes == 2)
        let second = try await job(first)
        #expect(try await first.info(second).reason == "AssocGrpNodeLimit")
        await first.close()
        let again = try Centre(SmallCentre.settings(folder.path))
        #expect(try await again.info(second).reason == "AssocGrpNodeLimit")
        try await again.advance(seconds: 3_601)
        #expect(try await again.info(second).state == "RUNNING")
        try await again.advance(seconds: 3_601)
        // 240 of 400 node-minutes are gone; 120 were used before it came to stand there.
        let third = try await job(again)
        #expect(try await again.info(third).state == "RUNNING")
        let fourth = try await job(again)
        #expect(try await again.info(fourth).reason == "AssocGrpNodeMinutes")
        // What it used goes with it: the limit that it leaves behind is open to others.
        _ = try await again.change(edit(.modify, "account", ["lab"], ("parent", "root")), .me)
        #expect(try await again.info(fourth).state == "RUNNING")
        #expect(find(await again.people(.me), "dept", nil)?.use.nodes == 0)
        await again.close()
        let last = try Centre(SmallCentre.settings(folder.path))
        #expect(find(await last.people(.me), "lab", nil)?.parent == "root")
        await last.close()
    }

    @Test("An account that is moved below one of its own lets that take its place, as in Slurm")
    func moveBelowItself() async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        let made = [
            edit(.add, "account", ["top"]), edit(.add, "account", ["low"], ("parent", "top")),
            edit(.add, "account", ["lowest"], ("parent", "low")),
        ]
        _ = try await centre.change(made, .me)
        _ = try await centre.change(edit(.modify, "account", ["top"], ("parent", "low")), .me)
        let list = await centre.people(.me)
        #expect(find(list, "low", nil)?.parent == "root")
        #expect(find(list, "top", nil)?.parent == "low")
        #expect(find(list, "lowest", nil)?.parent == "low")
        // Whoever was deleted and is made again stands where it is said now.
        _ = try await centre.change(edit(.delete, "account", ["lowest"]), .me)
        _ = try await centre.change(edit(.add, "account", ["lowest"], ("parent", "top")), .me)
        #expect(find(await centre.people(.me), "lowest", nil)?.parent == "top")
        await centre.close()
    }

    @Test("A priority is the sum of its parts, and a held job has none")
    func priorities() async throws {
        var settings = SmallCentre.settings(try ScratchFolder().path)
        settings.rules = CentreRules(
            machine: SmallCentre.machine,
            policy: try SchedulingPolicy(named: "multifactor,PriorityWeightCPU=100")
        )
        let centre = try Centre(settings)
        _ = try await centre.submit(SmallCentre.request { $0.minimumNodes = 16 })
        let job = try await centre.submit(SmallCentre.request { $0.minimumNodes = 8 })
        _ = try await centre.submit(SmallCentre.request { $0.isHeld = true })
        let list = await centre.priorities(.me)
        #expect(list.isMultifactor)
        #expect(list.jobs.map(\.jobID) == [job])
        let info = try #require(list.jobs.first)
        // A job that waits counts with what it asks for: 8 cores, of 16 nodes with 12 each.
        #expect(info.cpu == (PriorityInfo.one + 12) / 24)
        let weights = list.weights
        let sum =
            info.age * weights.age + info.fairShare * weights.fairShare
            + info.jobSize * weights.jobSize + info.partitionFactor * weights.partition
            + info.qosFactor * weights.qos + info.cpu * weights.cpu
        #expect(info.priority == sum / PriorityInfo.one)
        await centre.close()
    }
}
