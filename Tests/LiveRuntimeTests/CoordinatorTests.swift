import Accounts
import Billing
import ClusterModel
import Logging
import Quantities
import SlurmDialect
import Synchronization
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Coordinators of accounts, auditors and the office")
struct CoordinatorTests {
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

    /// A coordinator's edit is denied, and the answer says what of it is not the coordinator's.
    private func expectDenied(_ edit: PeopleEdit, _ caller: Caller, _ centre: Centre) async throws {
        let failure = await #expect(throws: RequestFailure.self, "\(edit)") {
            try await centre.change(edit, caller)
        }
        let general = RequestFailure.refused(.accessDenied)
        #expect(failure?.status == general.status && failure?.body.code == general.body.code)
        let text = failure?.body.text ?? ""
        #expect(text.hasPrefix(general.body.text + ": ") && text.utf8.count > 40, "\(text)")
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
            edit(.modify, "account", ["group"], ("GrpTRES", "cpu=48")),
            edit(.modify, "account", ["lab"], ("Description", "The lab")),
            edit(.add, "coordinator", ["ann"], accounts: ["group"]),
        ]
        #expect(
            try await centre.change(edits, sys).changed == [
                "account group", "user ann of account group", "account group", "account lab",
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
            // Limits and shares of the account bound its coordinator too.
            edit(.modify, "account", ["lab"], ("GrpTRES", "cpu=9999")),
            edit(.modify, "account", ["lab"], ("MaxJobs", "-1")),
            edit(.modify, "account", ["lab"], ("fairshare", "9")),
            edit(.modify, "account", ["lab"], ("qos", "iron")),
            edit(.modify, "account", ["lab"], ("parent", "root")),
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
            try await expectDenied(edit, sys, centre)
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
        // Nor has it any once it was deleted and made again, in one request or in two.
        let gone = edit(.delete, "account", ["group"])
        let back = edit(.add, "account", ["group"], ("parent", "lab"))
        _ = try await centre.change([gone, back], sys)
        #expect(await centre.books().book.ledger.creditLimits["group"] == Fen(0))
        _ = try await centre.change(gone, sys)
        _ = try await centre.change(back, sys)
        #expect(await centre.books().book.ledger.creditLimits["group"] == Fen(0))
        // What a file or an operator gave stays as well.
        _ = try await centre.change(edit(.add, "coordinator", ["sys"], accounts: ["school"]), .me)
        let lab = [
            edit(.delete, "account", ["group"]), edit(.delete, "account", ["free"]),
            edit(.delete, "account", ["lab"]), edit(.add, "account", ["lab"], ("parent", "school")),
        ]
        _ = try await centre.change(lab, sys)
        #expect(await centre.books().book.ledger.creditLimits["lab"] == Fen(50_000))
        // Those between a new account and the limit may be new themselves, and stand behind it.
        let chain = [
            edit(.add, "account", ["low"], ("parent", "lab")),
            edit(.add, "account", ["high"], ("parent", "lab")),
            edit(.modify, "account", ["low"], ("parent", "high")),
        ]
        _ = try await centre.change(chain, sys)
        for name in ["low", "high"] {
            #expect(await centre.books().book.ledger.creditLimits[name] == Fen(0), "\(name)")
        }
        await centre.close()
    }

    @Test("Whoever is deleted has no role any more, also when the centre is opened again")
    func deleted() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(settings(folder.path))
        for level in ["Operator", "Auditor", "Office"] {
            let edits = [
                edit(.add, "user", ["games"], accounts: ["lab"], ("AdminLevel", level)),
                edit(.add, "coordinator", ["games"], accounts: ["arts"]),
            ]
            _ = try await centre.change(edits, .me)
            #expect(centre.rights(of: games).roles.count > 1)
            let gone = try await centre.change(edit(.delete, "user", ["games"]), .me).changed
            #expect(
                gone.contains("user games") && gone.contains("coordinator games of account arts")
            )
            #expect(centre.rights(of: games).roles == [.user], "\(level)")
        }
        // Who is a coordinator and nothing else stands in no account.
        _ = try await centre.change(edit(.delete, "user", ["sys"]), .me)
        #expect(centre.rights(of: sys).roles == [.user])
        // To leave one account takes no role.
        let bin = Caller(userID: 2, groupID: 2)
        _ = try await centre.change(edit(.add, "user", ["bin"], accounts: ["lab"]), .me)
        _ = try await centre.change(edit(.delete, "user", ["bin"], accounts: ["lab"]), .me)
        #expect(centre.rights(of: bin).roles == [.user, .office])
        await centre.close()
        let again = try Centre(settings(folder.path))
        #expect(again.rights(of: games).roles == [.user])
        #expect(again.rights(of: sys).roles == [.user])
        await again.close()
    }

    @Test("Whoever has a role is in the lists, and in a dump, without an account too")
    func lists() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(settings(folder.path))
        _ = try await centre.change(
            [
                edit(.modify, "user", ["op"], ("AdminLevel", "Operator")),
                edit(.add, "account", ["low"], ("parent", "lab"), ("MaxJobs", "3")),
            ],
            .me
        )
        let list = await centre.people(.me)
        #expect(list.roles.map(\.user) == ["bin", "daemon", "op", "sys"])
        #expect(list.roles.map(\.adminLevel) == ["Office", "Auditor", "Administrator", "None"])
        #expect(list.coordinated(by: "sys").map(\.account) == ["lab", "low"])
        #expect(list.withoutAccount.map(\.user) == ["bin", "daemon", "op", "sys"])
        // A QOS and a limit of each job that stand above are those of what is below.
        let low = try #require(list.associations.first { $0.account == "low" })
        #expect(low.qos == ["normal", "iron"] && low.ownQOS.isEmpty)
        #expect(low.limits == [NamedLimit(name: "MaxJobs", value: "3")])
        let command = try AccountManagerCommand(program: "sacctmgr", arguments: ["dump"])
        let text = command.dump(list).lines.joined(separator: "\n")
        await centre.close()
        var bare = SmallCentre.settings(try ScratchFolder().path)
        var machine = SmallCentre.machine
        machine.qos = try settings(folder.path).rules.machine.qos
        bare.rules = CentreRules(machine: machine)
        let other = try Centre(bare)
        _ = try await other.change(try command.edits(of: text, path: "dump"), .me)
        let made = await other.people(.me)
        #expect(made.roles.map(\.user) == list.roles.map(\.user))
        #expect(made.roles.map(\.adminLevel) == list.roles.map(\.adminLevel))
        #expect(made.roles.map(\.coordinated) == list.roles.map(\.coordinated))
        #expect(command.dump(made).lines == command.dump(list).lines)
        await other.close()
    }

    @Test("The default account of a user stays what it is, whatever account was used")
    func defaultAccount() async throws {
        let centre = try Centre(settings(ScratchFolder().path))
        let before = await centre.people(.me).associations.filter { $0.user == "games" }
        #expect(before.filter(\.isDefault).map(\.account) == ["school"])
        // It is open to everybody, and comes first.
        let request = SmallCentre.request { $0.account = "guest" }
        _ = try await centre.submit(request, games)
        let after = await centre.people(.me).associations.filter { $0.user == "games" }
        #expect(after.count == before.count + 1)
        #expect(after.filter(\.isDefault).map(\.account) == ["school"])
        await centre.close()
    }

    @Test("An edit of an account's users means all of them, for what is asked first too")
    func usersOfAccounts() async throws {
        let centre = try Centre(settings(ScratchFolder().path))
        _ = try await centre.change(
            edit(.add, "user", ["games"], accounts: ["arts"], ("DefaultAccount", "arts")),
            .me
        )
        let preset = edit(.modify, "user", [], accounts: ["lab"], ("DefaultAccount", "lab"))
        try await expectDenied(preset, sys, centre)
        let people = await centre.people(.me)
        let arts = people.associations.first { $0.account == "arts" && $0.user == "games" }
        #expect(arts?.isDefault == true)
        let level = edit(.modify, "user", [], accounts: ["lab"], ("AdminLevel", "Auditor"))
        try await expectDenied(level, sys, centre)
        #expect(try await centre.change(level, .me).changed == ["user games", "user root"])
        #expect(centre.rights(of: games).roles == [.user, .auditor])
        let missing = edit(.modify, "user", [], accounts: ["none"], ("AdminLevel", "Auditor"))
        await #expect(throws: RequestFailure.self) { try await centre.change(missing, .me) }
        await centre.close()
    }

    @Test("A coordinator lets no account pay that is not the coordinator's")
    func payers() async throws {
        let centre = try Centre(settings(ScratchFolder().path))
        _ = try await centre.change(edit(.add, "account", ["group"], ("parent", "lab")), sys)
        _ = try await centre.change(edit(.add, "user", ["games"], accounts: ["group"]), sys)
        let request = SmallCentre.request {
            $0.account = "lab"
            $0.comment = "runtime=600"
            $0.isHeld = true
        }
        let id = try await centre.submit(request, games).jobID
        func move(_ account: String, _ caller: Caller) async throws -> Bool {
            var change = JobUpdateRequest()
            change.account = account
            return try await centre.update(id, change, caller).outcomes.allSatisfy {
                $0.error == nil
            }
        }
        await #expect(throws: RequestFailure.refused(.accessDenied)) { try await move("arts", sys) }
        #expect(try await centre.info(id).account == "lab")
        #expect(try await move("group", sys))
        // The owner may spend what is open to the owner, and an operator says who pays.
        #expect(try await move("lab", games))
        #expect(try await move("arts", .me))
        await centre.close()
    }

    @Test("What is done is judged when its turn comes, and an old reading brings no role back")
    func turns() async throws {
        let centre = try Centre(settings(ScratchFolder().path))
        let old = centre.machine.now
        let id = try await job(centre, "lab")
        _ = try await centre.change(edit(.delete, "coordinator", ["sys"], accounts: ["lab"]), .me)
        #expect(centre.rights(of: sys).roles == [.user])
        centre.machine.take(old, after: 1)
        #expect(centre.rights(of: sys).roles == [.user])
        // As a request sees it that began before the role was taken.
        centre.machine.take(old, after: .max)
        #expect(centre.rights(of: sys).roles == [.user, .coordinator])
        await #expect(throws: RequestFailure.refused(.invalidUserID)) {
            try await centre.perform(.hold, on: id, JobActionRequest(), sys)
        }
        await #expect(throws: RequestFailure.refused(.invalidUserID)) {
            try await centre.update(id, JobUpdateRequest(), sys)
        }
        await #expect(throws: RequestFailure.refused(.accessDenied)) {
            try await centre.change(edit(.modify, "account", ["lab"], ("fairshare", "9")), sys)
        }
        var cancel = CancelRequest()
        cancel.jobs = [JobSelector(jobID: id)]
        #expect(try await centre.cancel(cancel, sys).outcomes.allSatisfy { $0.error != nil })
        await centre.close()
    }

    @Test(
        "Whether somebody may move the clock or close the centre is judged when that has its turn"
    )
    func operatorsTurn() async throws {
        let centre = try Centre(settings(ScratchFolder().path))
        let level = { edit(.modify, "user", ["games"], ("AdminLevel", $0)) }
        _ = try await centre.change(level("Operator"), .me)
        var request = ClockAdvanceRequest()
        request.duration = SimDuration(seconds: 10)
        let first = try await centre.advance(request, games)
        try await centre.checkShutDown(games)
        let old = centre.machine.now
        _ = try await centre.change(level("None"), .me)
        // As a request sees it that began before the role was taken.
        centre.machine.take(old, after: .max)
        #expect(centre.rights(of: games).may(.operate))
        await #expect(throws: RequestFailure.refused(.accessDenied)) {
            try await centre.advance(request, games)
        }
        await #expect(throws: RequestFailure.refused(.accessDenied)) {
            try await centre.checkShutDown(games)
        }
        #expect(try await centre.advance(request, .me) >= first + SimDuration(seconds: 10))
        await centre.close()
    }

    @Test("A coordinator releases what an operator holds, and its mere owner does not")
    func holds() async throws {
        let centre = try Centre(settings(ScratchFolder().path))
        let id = try await job(centre, "lab")
        _ = try await centre.perform(.requeue, on: id, JobActionRequest(), .me)
        _ = try await centre.perform(.hold, on: id, JobActionRequest(), .me)
        #expect(try await centre.info(id).reason == "JobHeldAdmin")
        await #expect(throws: RequestFailure.refused(.accessDenied)) {
            try await centre.perform(.release, on: id, JobActionRequest(), games)
        }
        let released = try await centre.perform(.release, on: id, JobActionRequest(), sys)
        #expect(released.outcomes.allSatisfy { $0.error == nil })
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
        var settings = try settings(ScratchFolder().path)
        let log = RecordingLog()
        settings.logger = Logger(label: "test") { _ in log }
        let centre = try Centre(settings)
        var machine = settings.rules.machine
        // What was taken by hand a changed file gives back, and the log says so.
        _ = try await centre.change(edit(.delete, "coordinator", ["sys"], accounts: ["lab"]), .me)
        let office = edit(.modify, "user", ["games"], ("AdminLevel", "Office"))
        _ = try await centre.change(office, .me)
        _ = try await centre.change(edit(.add, "account", ["new"]), .me)
        #expect(try await centre.takeOver(customersOf: machine) == false)
        #expect(centre.rights(of: games).roles == [.user, .office])
        #expect(await centre.people(.me).associations.contains { $0.account == "new" })
        machine.auditors = ["games"]
        #expect(try await centre.takeOver(customersOf: machine))
        for told in [
            "'games' becomes an auditor", "'games' is of the office no more",
            "'daemon' is an auditor no more", "'sys' becomes a coordinator of account 'lab'",
        ] {
            let lines = log.lines.withLock { $0 }
            #expect(lines.contains { $0.hasSuffix(told) }, "\(told): \(lines)")
        }
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
