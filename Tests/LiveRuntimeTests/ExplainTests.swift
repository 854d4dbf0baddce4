import Accounts
import ClusterModel
import JobModel
import Quantities
import SlurmDialect
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Explanations of waiting jobs")
struct ExplainTests {
    @Test("A change that is said to start a job sooner does so, and explaining changes nothing")
    func partition() async throws {
        let centre = try Centre(SmallCentre.settings(try ScratchFolder().path))
        let first = try await centre.submit(
            SmallCentre.request {
                $0.minimumNodes = 16
                $0.timeLimit = SimDuration(seconds: 7_200)
            }
        )
        let ahead = try await centre.submit(
            SmallCentre.request {
                $0.minimumNodes = 16
                $0.timeLimit = SimDuration(seconds: 3_600)
            }
        )
        let job = try await centre.submit(
            SmallCentre.request {
                $0.minimumNodes = 2
                $0.timeLimit = SimDuration(seconds: 3_600)
            }
        )
        let before = await centre.job(job)
        let explanation = try await centre.explain(job, .me)
        #expect(explanation.aheadCount == 1)
        #expect(explanation.ahead.map(\.jobID) == [ahead])
        #expect(explanation.running.map(\.jobID) == [first])
        // Each input comes some microseconds after the one before.
        let start = SmallCentre.start.seconds
        #expect(explanation.running.first?.end?.seconds == start + 7_200)
        #expect(explanation.estimate.start?.seconds == start + 10_800)
        #expect(explanation.estimate.price != nil)
        let best = try #require(explanation.alternatives.first)
        #expect(best.change == "Partition=shared")
        #expect(await centre.job(job) == before)
        var update = JobUpdateRequest()
        update.partition = "shared"
        _ = try await centre.update(job, update, .me)
        let moved = try #require(await centre.job(job)?.jobs.first)
        #expect(moved.state == "RUNNING")
        #expect(moved.start?.seconds == best.estimate.start?.seconds)
        await centre.close()
    }

    @Test("A job that runs has nothing to be explained, and one that is not there is an error")
    func others() async throws {
        let centre = try Centre(SmallCentre.settings(try ScratchFolder().path))
        let job = try await centre.submit(SmallCentre.request())
        let explanation = try await centre.explain(job, .me)
        #expect(explanation.job.state == "RUNNING")
        #expect(explanation.alternatives.isEmpty)
        await #expect(throws: RequestFailure.refused(.invalidJobID)) {
            try await centre.explain(99, .me)
        }
        await centre.close()
    }

    @Test(
        "The limit that a job waits for is told: whose it is, and how much it allows, is in use and is asked"
    )
    func limits() async throws {
        var machine = SmallCentre.machine
        machine.partitions[0].quota = AccountQuota(nodes: 6)
        machine.licenses = [LicensePool(name: "fluent", count: 3)]
        var qos = machine.qosInOrder[0]
        qos.name = "short"
        qos.limits[LimitKind(.perJob, .wall)] = 30
        qos.limits[LimitKind(.group, .runningMinutes(.cpu))] = 1_440
        machine.qos = machine.qosInOrder + [qos]
        let centre = try Centre(
            SmallCentre.settings(try ScratchFolder().path, machine: machine)
        )
        func sentence(_ request: SubmitRequest) async throws -> String? {
            let job = try await centre.submit(request)
            let explanation = try await centre.explain(job, .me)
            let line = explanation.lines(in: .english).first { $0.hasPrefix("The limit") }
            let chinese = explanation.lines(in: .chinese).first { $0.hasPrefix("限额") }
            #expect((line == nil) == (chinese == nil))
            return line
        }
        let hour = SimDuration(seconds: 3_600)
        let four = SmallCentre.request {
            $0.account = "motor"
            $0.minimumNodes = 4
            $0.timeLimit = hour
        }
        #expect(try await sentence(four) == nil)
        let limit =
            "The limit of account motor, partition batch: at most 6 nodes, 4 in use, 4 asked for."
        #expect(try await sentence(four) == limit)
        let licensed = SmallCentre.request {
            $0.licenses = "fluent:2"
            $0.timeLimit = hour
        }
        #expect(try await sentence(licensed) == nil)
        let licence = "The limit of licence fluent: at most 3 licences, 2 in use, 2 asked for."
        #expect(try await sentence(licensed) == licence)
        var short = SmallCentre.request {
            $0.qos = "short"
            $0.timeLimit = hour
        }
        let wall =
            "The limit of QOS short on each job: at most 30 minutes of wall time, 60 asked for."
        #expect(try await sentence(short) == wall)
        short.timeLimit = SimDuration(seconds: 1_800)
        short.minimumNodes = 3
        // Twelve cores each.
        #expect(try await sentence(short) == nil)
        let group =
            "The limit of QOS short: at most 1440 cpu minutes that running jobs may use yet, 1080 in use, 1080 asked for."
        #expect(try await sentence(short) == group)
        await centre.close()
    }

    @Test(
        "What an account has and others use is for those only who may see it",
        arguments: [false, true]
    )
    func hidden(hidesUse: Bool) async throws {
        var machine = SmallCentre.machine
        machine.partitions[0].quota = AccountQuota(nodes: 6)
        machine.accounts[0].users = ["somebody"]
        machine.accounts[0].creditLimitFen = 500
        var settings = SmallCentre.settings(try ScratchFolder().path, machine: machine)
        settings.privateData = hidesUse ? [.usage] : []
        let centre = try Centre(settings)
        let other = Caller(userID: Caller.me.userID + 1, groupID: 0)
        let poor = SmallCentre.request {
            $0.minimumNodes = 4
            $0.timeLimit = SimDuration(seconds: 36_000)
        }
        let unpaid = try await centre.submit(poor)
        let limit = try #require(await centre.explain(unpaid, .me).limit)
        #expect((limit.resource, limit.account) == (LimitInfo.money, "guest"))
        #expect((limit.bound, limit.used) == (500, 0))
        #expect(try await centre.explain(unpaid, other).limit == nil)
        let motor = SmallCentre.request {
            $0.account = "motor"
            $0.minimumNodes = 4
        }
        _ = try await centre.submit(motor)
        let second = try await centre.submit(motor)
        #expect(try await centre.explain(second, .me).limit?.used == 4)
        let told = try #require(await centre.explain(second, other).limit)
        #expect((told.bound, told.asked, told.used) == (6, 4, hidesUse ? nil : 4))
        await centre.close()
    }

    @Test("What a partition allows of each job is told in numbers, as it is now")
    func partitionLimits() async throws {
        let centre = try Centre(SmallCentre.settings(try ScratchFolder().path))
        let long = try await centre.submit(
            SmallCentre.request { $0.timeLimit = SimDuration(seconds: 172_800) }
        )
        let wide = try await centre.submit(
            SmallCentre.request {
                $0.minimumNodes = 8
                $0.timeLimit = SimDuration(seconds: 600)
                $0.isHeld = false
                $0.begin = SmallCentre.start + SimDuration(seconds: 60)
            }
        )
        func line(_ job: UInt32, _ start: String = "The limit") async throws -> String? {
            try await centre.explain(job, .me).lines(in: start == "限额" ? .chinese : .english)
                .first { $0.hasPrefix(start) }
        }
        let time =
            "The limit of partition batch on each job: at most 1440 minutes of wall time, 2880 asked for."
        #expect(try await line(long) == time)
        #expect(try await line(long, "限额") != nil)
        var change = PartitionUpdateRequest()
        change.name = "batch"
        change.maximumNodes = 4
        try await centre.update(change, .me)
        try await centre.advance(seconds: 120)
        let nodes = "The limit of partition batch on each job: at most 4 nodes, 8 asked for."
        #expect(try await line(wide) == nodes)
        await centre.close()
    }

    @Test("A QOS of lower priority and another account are named where they start sooner")
    func lowerQualityAndAccount() async throws {
        var machine = SmallCentre.machine
        var qos = QOS(name: "big", priority: 100)
        qos.limits[LimitKind(.group, .tres(.node))] = 2
        machine.qos = machine.qosInOrder + [qos]
        let centre = try Centre(
            SmallCentre.settings(try ScratchFolder().path, machine: machine)
        )
        func submit(_ change: (inout SubmitRequest) -> Void) async throws -> UInt32 {
            try await centre.submit(
                SmallCentre.request {
                    $0.minimumNodes = 2
                    $0.timeLimit = SimDuration(seconds: 3_600)
                    change(&$0)
                }
            )
        }
        _ = try await submit { $0.qos = "big" }
        let second = try await submit { $0.qos = "big" }
        let changes = try await centre.explain(second, .me).alternatives.map(\.change)
        #expect(changes.contains("QOS=normal"))
        // Six jobs of an account run there at once.
        for _ in 0..<6 { _ = try await submit { $0.account = "motor" } }
        let seventh = try await submit { $0.account = "motor" }
        let found = try await centre.explain(seventh, .me).alternatives
        let account = try #require(found.first { $0.change == "Account=guest" })
        var update = JobUpdateRequest()
        update.account = "guest"
        _ = try await centre.update(seventh, update, .me)
        #expect(try await centre.info(seventh).start?.seconds == account.estimate.start?.seconds)
        await centre.close()
    }

    @Test("An account that cannot pay is told at submission, and beside the limit of now")
    func money() async throws {
        var machine = SmallCentre.machine
        machine.partitions[0].quota = AccountQuota(nodes: 4)
        machine.accounts[1].creditLimitFen = 5_000
        let centre = try Centre(
            SmallCentre.settings(try ScratchFolder().path, machine: machine)
        )
        func submit(hours: Int64) async throws -> SubmitResponse {
            try await centre.submit(
                SmallCentre.request {
                    $0.account = "motor"
                    $0.minimumNodes = 3
                    $0.timeLimit = SimDuration(seconds: 3_600 * hours)
                },
                .me
            )
        }
        // Three nodes of twelve cores at 10 fen an hour and core.
        #expect(try await submit(hours: 10).obstacle == nil)
        let poor = try await submit(hours: 20)
        #expect(poor.obstacle == "AssocGrpBillingMinutes")
        let explanation = try await centre.explain(poor.jobID, .me)
        #expect(explanation.limit?.partition == "batch")
        #expect(explanation.money.map { [$0.bound, $0.asked ?? 0] } == [5_000, 7_200])
        let lines = explanation.lines(in: .english)
        #expect(lines.contains { $0.hasPrefix("Its account cannot pay for it. The limit of") })
        #expect(explanation.lines(in: .chinese).contains { $0.hasPrefix("账户付不起这个作业") })
        let other = Caller(userID: Caller.me.userID + 1, groupID: 0)
        #expect(try await centre.explain(poor.jobID, other).money != nil)
        var strict = SmallCentre.request {
            $0.account = "motor"
            $0.timeLimit = SimDuration(seconds: 3_600 * 100)
        }
        strict.isStrict = true
        await #expect(throws: RequestFailure.self) { try await centre.submit(strict) }
        await centre.close()
    }

    @Test("Where jobs are hidden, a limit tells nothing of what others hold")
    func hiddenJobs() async throws {
        var settings = SmallCentre.settings(try ScratchFolder().path)
        settings.rules = CentreRules(
            machine: {
                var machine = SmallCentre.machine
                machine.partitions[0].quota = AccountQuota(nodes: 6)
                return machine
            }()
        )
        settings.privateData = [.jobs]
        let centre = try Centre(settings)
        let other = Caller(userID: 5, groupID: 60)
        let motor = SmallCentre.request {
            $0.account = "motor"
            $0.minimumNodes = 4
        }
        _ = try await centre.submit(motor)
        let second = try await centre.submit(motor, other).jobID
        #expect(try await centre.explain(second, .me).limit?.used == 4)
        let told = try #require(await centre.explain(second, other).limit)
        #expect((told.bound, told.asked, told.used) == (6, 4, nil))
        await centre.close()
    }

    @Test("The least that a QOS asks of each job is told as such")
    func least() async throws {
        var machine = SmallCentre.machine
        var qos = machine.qosInOrder[0]
        qos.name = "wide"
        qos.limits[LimitKind(.leastPerJob, .tres(.node))] = 4
        machine.qos = machine.qosInOrder + [qos]
        let centre = try Centre(
            SmallCentre.settings(try ScratchFolder().path, machine: machine)
        )
        let job = try await centre.submit(SmallCentre.request { $0.qos = "wide" })
        let lines = try await centre.explain(job, .me).lines(in: .english)
        #expect(lines.contains("The limit of QOS wide on each job: at least 4 nodes, 1 asked for."))
        await centre.close()
    }
}
