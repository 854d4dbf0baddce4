import Accounts
import Billing
import ClusterModel
import Foundation
import Persistence
import Quantities
import Scheduling
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("An open centre")
struct CentreTests {
    private func filled(_ folder: ScratchFolder) async throws {
        let centre = try Centre(SmallCentre.settings(folder.path))
        for _ in 0..<3 {
            _ = try await centre.submit(SmallCentre.request { $0.comment = "runtime=60" })
            try await centre.advance(seconds: 100)
        }
        await centre.close()
    }

    private func refusal(_ folder: ScratchFolder) -> String {
        do throws(OpenFailure) {
            _ = try Centre(SmallCentre.settings(folder.path))
            return "opened"
        } catch {
            return error.description
        }
    }

    @Test(
        "A centre is not opened on a journal, ledger or digest that somebody has changed",
        arguments: [
            (
                "UPDATE journal SET body = replace(body, '60', '61') WHERE sequence = 2",
                "row 2 (submit"
            ),
            (
                "UPDATE journal SET body = replace(body, '12', '13') WHERE sequence = 1",
                "row 1 (machine"
            ),
            ("DELETE FROM journal WHERE sequence = 1", "which machine"),
            ("DELETE FROM journal WHERE sequence = 4", "row 4 is missing"),
            ("DELETE FROM journal WHERE sequence > 6", "its end was removed"),
            ("UPDATE ledger SET text = text || 'x' WHERE sequence = 2", "row 2 (charge/1.0"),
            ("UPDATE digest SET value = value + 1 WHERE batch = 3", "batch 3"),
            ("DELETE FROM digest WHERE batch = 3", "state digest of batch 3 is missing"),
            ("DELETE FROM ledger WHERE sequence > 2", "entry 3 (release/1.0)"),
            ("DELETE FROM job WHERE id = 2", "the record of run 0 of job 2 is missing"),
        ]
    )
    func tampering(sql: String, place: String) async throws {
        let folder = try ScratchFolder()
        try await filled(folder)
        try folder.sqlite(sql)
        let text = refusal(folder)
        #expect(text.contains(place), "\(text)")
    }

    @Test("Records that a daemon had no time to write are written by the next one")
    func missingRecords() async throws {
        let folder = try ScratchFolder()
        try await filled(folder)
        var centre = try Centre(SmallCentre.settings(folder.path))
        let id = try await centre.submit(SmallCentre.request())
        try await centre.advance(seconds: 10)
        var cancel = CancelRequest()
        cancel.jobs = [JobSelector(jobID: id)]
        _ = try await centre.cancel(cancel, .me)
        let entries = await centre.books().book.ledger.entries.count
        await centre.close()
        // What follows from the last batch, the cancellation.
        try folder.sqlite("DELETE FROM job WHERE id = \(id)")
        try folder.sqlite("DELETE FROM ledger WHERE id LIKE '%/\(id).0%' AND id NOT LIKE 'hold/%'")
        try folder.sqlite("DELETE FROM digest WHERE batch = (SELECT max(batch) FROM journal)")
        let lacking = try CentreStore(folder: StateFolder(path: folder.path)).ledgerLength
        #expect(lacking < entries)
        centre = try Centre(SmallCentre.settings(folder.path))
        #expect(
            try await centre.accounting(ids: nil).records.map(\.state) == [
                "COMPLETED", "COMPLETED", "COMPLETED", "CANCELLED",
            ]
        )
        await centre.close()
        let store = try CentreStore(folder: StateFolder(path: folder.path))
        #expect(store.ledgerLength == entries)
        #expect(try store.reader.jobCount() == 4)
    }

    @Test("A state folder of another machine is refused by name")
    func otherMachine() async throws {
        let folder = try ScratchFolder()
        try await filled(folder)
        var machine = SmallCentre.machine
        machine.nodes[3].capacity.cores += 1
        do throws(OpenFailure) {
            _ = try Centre(SmallCentre.settings(folder.path, machine: machine))
            Issue.record("opened")
        } catch {
            #expect(
                error
                    == .otherMachine(
                        folder: folder.path,
                        machine: "small",
                        differences: ["nodes cn3 are defined otherwise"]
                    )
            )
        }
    }

    @Test("Slurm's backfill decides for shared nodes too")
    func anyPolicyOnSharedNodes() async throws {
        let folder = try ScratchFolder()
        var settings = SmallCentre.settings(folder.path)
        let policy = try SchedulingPolicy(named: "slurm")
        settings.rules = CentreRules(machine: SmallCentre.machine, policy: policy)
        let centre = try Centre(settings)
        let id = try await centre.submit(SmallCentre.request { $0.partitions = ["shared"] })
        let job = try #require(try await centre.jobs(.all).jobs.first { $0.jobID == id })
        #expect(job.state == "RUNNING")
        await centre.close()
    }

    @Test("A machine with too many cores is refused before the folder is bound to it")
    func tooManyCores() async throws {
        let folder = try ScratchFolder()
        var machine = SmallCentre.machine
        machine.nodes[0].capacity.cores = Int32.max
        let settings = SmallCentre.settings(folder.path, machine: machine)
        let failure = #expect(throws: OpenFailure.self) { try Centre(settings) }
        #expect(failure?.description.contains("cores; \(Int32.max) is the most") == true)
        await (try Centre(SmallCentre.settings(folder.path))).close()
    }

    @Test("A job gets every node that it names, also when it asks for fewer")
    func namedNodes() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(SmallCentre.settings(folder.path))
        let id = try await centre.submit(
            SmallCentre.request {
                $0.partitions = ["shared"]
                $0.tasks = 1
                $0.requiredNodes = "fat[1-2]"
            }
        )
        #expect(try await centre.jobs(.all).jobs.first { $0.jobID == id }?.nodeList == "fat[1-2]")
        await centre.close()
    }

    @Test("A full journal refuses submissions, keeps what was acknowledged, and can be read")
    func fullDisk() async throws {
        let folder = try ScratchFolder()
        var settings = SmallCentre.settings(folder.path)
        settings.sizeLimit = ByteCount(mebibytes: 1)
        let centre = try Centre(settings)
        let large = "#!/bin/sh\n#" + String(repeating: "x", count: 100_000) + "\n"
        var acknowledged: [UInt32] = []
        var failure: RequestFailure?
        while failure == nil, acknowledged.count < 100 {
            do throws(RequestFailure) {
                let submission = SmallCentre.request(large) { $0.isHeld = true }
                acknowledged.append(try await centre.submit(submission, .me).jobID)
            } catch {
                failure = error
            }
        }
        #expect(failure?.status == 507)
        #expect(failure?.body.text.contains("No space left on device") == true)
        #expect(try await centre.jobs(.all).jobs.map(\.jobID) == acknowledged)
        await centre.close()
        let again = try Centre(SmallCentre.settings(folder.path))
        #expect(try await again.jobs(.all).jobs.map(\.jobID) == acknowledged)
        let next = try await again.submit(SmallCentre.request(large))
        #expect(next == (acknowledged.last ?? 0) + 1)
        await again.close()
    }

    @Test("Numbers are not given again, also not those of jobs that were refused late")
    func numbers() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(SmallCentre.settings(folder.path))
        let first = try await centre.submit(SmallCentre.request())
        let array = try await centre.submit(
            SmallCentre.request {
                var array = ArrayRequest()
                array.ranges = [.init(first: 0, last: 9)]
                $0.array = array
            }
        )
        let next = try await centre.submit(SmallCentre.request())
        #expect([first, array, next] == [1, 2, 12])
        await centre.close()
        let again = try Centre(SmallCentre.settings(folder.path))
        #expect(try await again.submit(SmallCentre.request()) == 13)
        await again.close()
    }

    @Test("Charges and grants follow from what jobs held")
    func money() async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        // 4 nodes × 12 cores × 2 h at 0.10 CNY a core-hour are 9.60 CNY; TEDA pays a half.
        let id = try await centre.submit(
            SmallCentre.request {
                $0.account = "motor"
                $0.minimumNodes = 4
                $0.timeLimit = SimDuration(seconds: 10_800)
                $0.comment = "runtime=7200"
            }
        )
        try await centre.advance(seconds: 10_000)
        let record = try await centre.record(id)
        #expect(record.charge == 960)
        let now = await centre.status().now
        let book = await centre.books().book
        let statement = try #require(book.statement(of: .account("motor"), asOf: now))
        #expect(statement.gross == Fen(960))
        #expect(statement.subsidy == Fen(480))
        await centre.close()
    }

    @Test("Each job's script is found in its row of the journal, also later, and checked")
    func scripts() async throws {
        let folder = try ScratchFolder()
        let settings = SmallCentre.settings(folder.path)
        func script(_ word: String) -> String { "#!/bin/sh\necho \(word)\n" }
        var array = ArrayRequest()
        array.ranges = [.init(first: 0, last: 4)]
        let first = try Centre(settings)
        let held = try await first.submit(SmallCentre.request(script("one")) { $0.isHeld = true })
        let elements = try await first.submit(
            SmallCentre.request(script("two")) { $0.array = array }
        )
        var change = JobUpdateRequest()
        change.partition = "shared"
        _ = try await first.update(held, change, .me)
        await first.close()
        let second = try Centre(settings)
        let last = try await second.submit(SmallCentre.request(script("three")))
        for (id, word) in [
            (held, "one"), (elements, "two"), (elements + 4, "two"), (last, "three"),
        ] {
            #expect(try await second.script(id, .me) == Array(script(word).utf8), "job \(id)")
        }
        try folder.sqlite(
            "UPDATE journal SET body = replace(body, 'one', 'own') WHERE sequence = 2"
        )
        do throws(RequestFailure) {
            _ = try await second.script(held, .me)
            Issue.record("a changed script was handed out")
        } catch {
            #expect(error.body.text.contains("row 2 (submit, batch 2) does not match its hash"))
        }
        await second.close()
    }

    @Test("An array whose first elements are forgotten is still one, in the queue and the accounts")
    func forgottenElements() async throws {
        var settings = SmallCentre.settings(try ScratchFolder().path)
        settings.limits.arraySize = 100_001
        let centre = try Centre(settings)
        func submit(_ count: UInt32) async throws -> UInt32 {
            try await centre.submit(
                SmallCentre.request {
                    $0.array = ArrayRequest()
                    $0.array?.ranges = [.init(first: 0, last: count - 1)]
                    $0.isHeld = true
                }
            )
        }
        func cancel(_ id: UInt32, _ tasks: [UInt32]? = nil) async throws {
            var request = CancelRequest()
            request.jobs = [JobSelector(jobID: id, arrayTasks: tasks)]
            let outcomes = try await centre.cancel(request, .me).outcomes
            #expect(outcomes.allSatisfy { $0.error == nil })
        }
        let before = try await submit(700)
        try await cancel(before)
        let array = try await submit(600)
        try await cancel(array, Array(0..<300))
        // So many ended jobs that the centre forgets the oldest.
        try await cancel(submit(40_000))
        #expect(await centre.job(array + 300) == nil)
        #expect(await centre.job(array)?.jobs.map(\.arrayTaskID) == (300..<600).map { $0 })
        _ = try await centre.perform(.hold, on: array, JobActionRequest(), .me)
        #expect(try await !centre.script(array, .me).isEmpty)
        try await cancel(array, [500])
        #expect(try await centre.info(array + 501).state == "CANCELLED")
        let records = try await centre.accounting(ids: [array]).records
        #expect(records.map(\.jobID) == Array(array..<array + 600))
        // Of an array of which nothing is left in memory the accounts still know all elements.
        #expect(await centre.job(before) == nil)
        for (id, count) in [(before, UInt32(700)), (before + 699, 1), (before + 1_000_000, 0)] {
            let ended = try await centre.accounting(ids: [id]).records
            #expect(ended.map(\.jobID) == Array(id..<id + count))
        }
        await centre.close()
    }

    @Test(
        "Impossible submissions are refused in Slurm's words",
        arguments: [
            ("unknown partition", "Invalid partition name specified"),
            ("unknown account", "Invalid account or account/partition combination specified"),
            ("qos", "Invalid qos specification"),
            ("cores", "Requested node configuration is not available"),
            ("node", "Invalid node name specified"),
            ("feature", "Invalid feature specification"),
            ("gres", "Invalid generic resource (gres) specification"),
            ("dependency", "Job dependency problem"),
        ]
    )
    func refusals(what: String, sentence: String) async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        let submission = SmallCentre.request { request in
            switch what {
            case "unknown partition": request.partitions = ["nosuch"]
            case "unknown account": request.account = "nosuch"
            case "qos": request.qos = "turbo"
            case "cores": request.cpusPerTask = 13
            case "node": request.requiredNodes = "cn[0-99]"
            case "feature": request.features = "quantum"
            case "gres": request.gres = [GresRequest(name: "fpga", count: 1)]
            default: request.dependencies = [DependencyRequest(kind: "afterparty", jobID: 1)]
            }
        }
        do throws(RequestFailure) {
            _ = try await centre.submit(submission, .me)
            Issue.record("\(what) was taken")
        } catch {
            #expect(error.body.text == sentence)
            #expect(error.status == 400)
        }
        #expect(await centre.status().nextJobID == 1)
        await centre.close()
    }

    @Test("A job that no partition is large enough for is taken in and waits, as in Slurm")
    func beyondPartition() async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        let id = try await centre.submit(SmallCentre.request { $0.minimumNodes = 17 })
        let small = try await centre.submit(SmallCentre.request())
        #expect(try await centre.info(id).reason == "PartitionNodeLimit")
        #expect(try await centre.info(id).nodeCount == 17)
        // Who submits is told at once what nothing that ends will change.
        let again = try await centre.submit(SmallCentre.request { $0.minimumNodes = 17 }, .me)
        #expect(again.obstacle == "PartitionNodeLimit")
        let held = SmallCentre.request {
            $0.minimumNodes = 17
            $0.isHeld = true
        }
        #expect(try await centre.submit(held, .me).obstacle == "PartitionNodeLimit")
        let late = SmallCentre.request {
            $0.begin = SmallCentre.start + SimDuration(seconds: 7_200)
            $0.timeLimit = SimDuration(seconds: 600)
            $0.deadline = SmallCentre.start + SimDuration(seconds: 3_600)
        }
        #expect(try await centre.submit(late, .me).obstacle == "DeadLine")
        let strict = SmallCentre.request {
            $0.minimumNodes = 17
            $0.isStrict = true
        }
        let failure = await #expect(throws: RequestFailure.self) {
            try await centre.submit(strict, .me)
        }
        #expect(failure.map { "\($0)".contains("PartitionNodeLimit") } == true)
        #expect(try await centre.submit(SmallCentre.request(), .me).obstacle == nil)
        _ = try await centre.perform(.release, on: id, JobActionRequest(), .me)
        #expect(try await centre.info(id).state == "PENDING")
        #expect(try await centre.info(small).state == "RUNNING")
        await centre.close()
    }

    @Test("An account's quota makes its jobs wait although nodes are idle, and nobody else's")
    func quota() async throws {
        var machine = SmallCentre.machine
        machine.partitions[0].quota = AccountQuota(runningJobs: 6, nodes: 6)
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path, machine: machine))
        var ids: [UInt32] = []
        for _ in 0..<8 {
            ids.append(try await centre.submit(SmallCentre.request { $0.account = "motor" }))
        }
        // What the quota would let run alone waits for the others; what it would not is told.
        let waits = SmallCentre.request { $0.account = "motor" }
        #expect(try await centre.submit(waits, .me).obstacle == nil)
        let wide = SmallCentre.request {
            $0.account = "motor"
            $0.minimumNodes = 7
        }
        #expect(try await centre.submit(wide, .me).obstacle == "QuotaConstrained")
        let other = try await centre.submit(SmallCentre.request())
        #expect(try await centre.info(ids[5]).state == "RUNNING")
        #expect(try await centre.info(ids[6]).reason == "QuotaConstrained")
        #expect(try await centre.info(other).state == "RUNNING")
        await centre.close()
    }
}
