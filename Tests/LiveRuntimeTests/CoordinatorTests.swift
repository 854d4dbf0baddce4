import Accounts
import Billing
import ClusterModel
import Quantities
import SlurmDialect
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Coordinators of accounts, auditors and the office")
struct CoordinatorTests {
    private func edit(
        _ verb: PeopleEdit.Verb,
        _ entity: String,
        _ names: [String],
        accounts: [String] = [],
        _ settings: (String, String)...
    ) -> PeopleEdit {
        var edit = PeopleEdit()
        edit.verb = verb.rawValue
        edit.entity = entity
        edit.names = names
        edit.accounts = accounts
        edit.settings = settings.map { NamedLimit(name: $0.0, value: $0.1) }
        return edit
    }

    /// Users that every computer has.
    private let sys = Caller(userID: 3, groupID: 3)
    private let games = Caller(userID: 5, groupID: 60)

    /// With accounts `school` above `lab` and `arts`; users `games` in both, `sys` coordinates `lab`.
    private func settings(_ folder: String) throws -> CentreSettings {
        var machine = SmallCentre.machine
        func account(_ name: String, parent: String?) -> AccountEntry {
            var entry = AccountEntry(
                name: name,
                title: name,
                customerClass: .university,
                users: ["games", "root"]
            )
            entry.parent = parent
            return entry
        }
        machine.accounts += [
            account("school", parent: nil), account("lab", parent: "school"),
            account("arts", parent: "school"),
        ]
        machine.accounts[2].creditLimitFen = 100_000
        machine.accounts[3].coordinators = ["sys"]
        machine.accounts[3].creditLimitFen = 50_000
        machine.qos = [QOS(name: "gold"), QOS(name: "iron")]
        machine.accounts[3].qos = ["normal", "iron"]
        machine.auditors = ["daemon"]
        machine.office = ["bin"]
        var settings = SmallCentre.settings(folder, machine: machine)
        settings.imageInterval = 2
        return settings
    }

    private func job(_ centre: Centre, _ account: String) async throws -> UInt32 {
        try await centre.submit(
            SmallCentre.request {
                $0.account = account
                $0.comment = "runtime=600"
            },
            games
        ).jobID
    }

    @Test(
        "A coordinator changes users, shares, limits and jobs of the account and of those below it"
    )
    func coordinator() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(settings(folder.path))
        let edits = [
            edit(.add, "account", ["group"], ("parent", "lab"), ("fairshare", "2")),
            edit(.add, "user", ["ann"], accounts: ["group"], ("MaxJobs", "1"), ("qos", "iron")),
            edit(.modify, "account", ["lab"], ("GrpTRES", "cpu=48")),
            edit(.add, "coordinator", ["ann"], accounts: ["group"]),
        ]
        #expect(
            try await centre.change(edits, sys).changed == [
                "account group", "user ann of account group", "account lab",
                "coordinator ann of account group",
            ]
        )
        let id = try await job(centre, "lab")
        #expect(try await centre.script(id, sys).isEmpty == false)
        var change = JobUpdateRequest()
        change.timeLimit = SimDuration(seconds: 7_200)
        #expect(try await centre.update(id, change, sys).outcomes.allSatisfy { $0.error == nil })
        for raise in ["priority", "nice"] {
            var change = JobUpdateRequest()
            if raise == "nice" { change.nice = -5 } else { change.priority = Int64(UInt32.max) - 1 }
            await #expect(throws: RequestFailure.refused(.accessDenied)) {
                try await centre.update(id, change, sys)
            }
        }
        let held = try await job(centre, "lab")
        _ = try await centre.perform(.requeue, on: held, JobActionRequest(), sys)
        _ = try await centre.perform(.hold, on: held, JobActionRequest(), sys)
        #expect(try await centre.info(held).reason == "JobHeldAdmin")
        await #expect(throws: RequestFailure.refused(.accessDenied)) {
            try await centre.perform(.release, on: held, JobActionRequest(), games)
        }
        _ = try await centre.perform(.release, on: held, JobActionRequest(), sys)
        var cancel = CancelRequest()
        cancel.jobs = [JobSelector(jobID: id)]
        #expect(try await centre.cancel(cancel, sys).outcomes.allSatisfy { $0.error == nil })
        #expect(try await centre.record(id).state == "CANCELLED")
        await centre.close()
        // What was given is there when it is opened from an image.
        let again = try Centre(settings(folder.path))
        let list = await again.people(.me)
        let group = list.associations.first { $0.account == "group" && $0.user == nil }
        #expect(group?.coordinators == ["ann"])
        #expect(list.coordinated(by: "sys").map(\.account) == ["group", "lab"])
        #expect(list.coordinated(by: "sys").map(\.isDirect) == [false, true])
        await again.close()
    }

    @Test("A coordinator is refused outside the accounts, and what only operators give")
    func refusals() async throws {
        let centre = try Centre(settings(ScratchFolder().path))
        let refused = [
            edit(.modify, "account", ["school"], ("fairshare", "9")),
            edit(.modify, "account", ["lab"], ("parent", "arts")),
            edit(.modify, "account", ["lab"], ("organization", "motor")),
            edit(.modify, "account", ["lab"], ("qos", "gold")),
            edit(.modify, "account", ["lab"], ("qos", "-1")),
            edit(.add, "account", ["new"]),
            edit(.add, "account", ["new"], ("parent", "arts")),
            edit(.add, "account", ["new"], ("parent", "lab"), ("qos", "gold")),
            edit(.delete, "account", ["arts"]),
            edit(.add, "user", ["ann"], accounts: ["lab", "arts"]),
            edit(.add, "user", ["ann"], accounts: ["lab"], ("qos", "gold")),
            edit(.add, "user", ["ann"], accounts: ["lab"], ("AdminLevel", "Operator")),
            edit(.modify, "user", ["sys"], ("AdminLevel", "Auditor")),
            edit(.delete, "user", ["games"]),
            edit(.delete, "user", ["games"], accounts: ["arts"]),
            edit(.add, "coordinator", ["ann"], accounts: ["arts"]),
            edit(.delete, "coordinator", ["sys"]),
            edit(.add, "qos", ["new"]),
            edit(.modify, "qos", ["iron"], ("Priority", "5")),
        ]
        let before = await centre.people(.me)
        for edit in refused {
            await #expect(throws: RequestFailure.refused(.accessDenied), "\(edit)") {
                try await centre.change(edit, sys)
            }
        }
        #expect(await centre.people(.me) == before)
        let other = try await job(centre, "arts")
        await #expect(throws: RequestFailure.refused(.invalidUserID)) {
            try await centre.perform(.hold, on: other, JobActionRequest(), sys)
        }
        let own = try await job(centre, "lab")
        await #expect(throws: RequestFailure.refused(.accessDenied)) {
            try await centre.perform(.suspend, on: own, JobActionRequest(), sys)
        }
        await centre.close()
    }

    @Test("An account that a coordinator makes has no credit that the one above has not")
    func credit() async throws {
        let centre = try Centre(settings(ScratchFolder().path))
        _ = try await centre.change(edit(.add, "account", ["group"], ("parent", "lab")), sys)
        #expect(await centre.books().book.ledger.creditLimits["group"] == Fen(0))
        _ = try await centre.change(edit(.add, "account", ["free"], ("parent", "lab")), .me)
        #expect(await centre.books().book.ledger.creditLimits["free"] == nil)
        await centre.close()
    }

    @Test("A level is given and taken while the centre runs, and holds when it is opened again")
    func levels() async throws {
        let folder = try ScratchFolder()
        let first = try Centre(settings(folder.path))
        #expect(!first.rights(of: games).may(.readCharges))
        func level(_ word: String) -> PeopleEdit {
            edit(.modify, "user", ["games"], ("AdminLevel", word))
        }
        for (word, role, shown) in [
            ("Auditor", Role.auditor, "Auditor"), ("Office", .office, "Office"),
            ("Operator", .operator, "Administrator"), ("auditor", .auditor, "Auditor"),
        ] {
            #expect(try await first.change(level(word), .me).changed == ["user games"])
            #expect(try await first.change(level(word), .me).changed.isEmpty)
            #expect(first.rights(of: games).roles == [.user, role])
            _ = try await first.change(edit(.add, "user", ["games"], accounts: ["lab"]), .me)
            let info = await first.people(.me).associations.first { $0.user == "games" }
            #expect(info?.shownAdminLevel == shown)
        }
        await #expect(throws: RequestFailure.self) { try await first.change(level("king"), .me) }
        await first.close()
        let second = try Centre(settings(folder.path))
        #expect(second.rights(of: games).roles == [.user, .auditor])
        _ = try await second.change(level("None"), .me)
        #expect(second.rights(of: games).roles == [.user])
        await second.close()
    }

    @Test(
        "What operators changed stays when the same file is read again, and goes when it says something else"
    )
    func filesReadAgain() async throws {
        let settings = try settings(ScratchFolder().path)
        let centre = try Centre(settings)
        var machine = settings.rules.machine
        let office = edit(.modify, "user", ["games"], ("AdminLevel", "Office"))
        _ = try await centre.change(office, .me)
        _ = try await centre.change(edit(.add, "account", ["new"]), .me)
        #expect(try await centre.takeOver(customersOf: machine) == false)
        #expect(centre.rights(of: games).roles == [.user, .office])
        #expect(await centre.people(.me).associations.contains { $0.account == "new" })
        machine.auditors = ["games"]
        #expect(try await centre.takeOver(customersOf: machine))
        #expect(centre.rights(of: games).roles == [.user, .auditor])
        #expect(!(await centre.people(.me).associations.contains { $0.account == "new" }))
        #expect(try await centre.takeOver(customersOf: machine) == false)
        await centre.close()
    }

    @Test(
        "What is hidden from others is not from coordinators and auditors; the office sees no more of jobs"
    )
    func sight() async throws {
        var settings = try settings(ScratchFolder().path)
        settings.privateData = [.jobs, .usage]
        let centre = try Centre(settings)
        _ = try await job(centre, "lab")
        _ = try await job(centre, "arts")
        let daemon = Caller(userID: 1, groupID: 1)
        let bin = Caller(userID: 2, groupID: 2)
        let counts = [sys: 1, daemon: 2, bin: 0, games: 2]
        for (caller, count) in counts {
            #expect(try await centre.jobs(.all, caller).jobs.count == count)
            #expect(try await centre.accounting(AccountingQuery(), caller).records.count == count)
        }
        try await centre.advance(seconds: 1_000)
        let seen = try await centre.accounting(AccountingQuery(), daemon).records
        #expect(seen.count == 2 && seen.allSatisfy { $0.charge != nil })
        #expect(centre.rights(of: bin).may(.readMoney) && !centre.rights(of: bin).may(.readCharges))
        await centre.close()
    }
}
