import Billing
import ClusterModel
import Foundation
import Persistence
import Quantities
import Scheduling
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("The machine in the journal")
struct StoredMachineTests {
    private func opened(
        _ folder: ScratchFolder,
        _ machine: Machine = SmallCentre.machine,
        time: TimeMode = .stepped,
        _ change: (inout CentreSettings) -> Void = { _ in }
    ) throws -> Centre {
        var settings = SmallCentre.settings(folder.path, time: time, machine: machine)
        change(&settings)
        return try Centre(settings)
    }

    private func machine(_ change: (inout Machine) -> Void) -> Machine {
        var machine = SmallCentre.machine
        change(&machine)
        return machine
    }

    /// Runs an emulated job of an account to its end.
    private func work(_ centre: Centre, for account: String) async throws {
        _ = try await centre.submit(
            SmallCentre.request {
                $0.account = account
                $0.comment = "runtime=3600"
            }
        )
        try await centre.advance(seconds: 4_000)
    }

    private func refusal(_ folder: ScratchFolder, _ machine: Machine) -> String {
        do throws(OpenFailure) {
            _ = try Centre(SmallCentre.settings(folder.path, machine: machine))
            return "opened"
        } catch {
            return error.description
        }
    }

    @Test("Books made on another host are opened and audited here, with its machine")
    func otherHost() async throws {
        let folder = try ScratchFolder()
        let there = machine {
            $0.nodes[20].capacity = NodeCapacity(cores: 64, memory: ByteCount(mebibytes: 9_000))
            $0.nodeTypes[2].capacity = $0.nodes[20].capacity
            $0.nodeTypes[2].processor.model = "another processor"
        }
        let first = try opened(folder, there)
        try await work(first, for: "motor")
        await first.close()
        #expect(try CentreAudit(stateFolder: folder.path).findings.isEmpty)
        #expect(
            try CentreAudit(stateFolder: folder.path, machine: SmallCentre.machine).findings.isEmpty
        )

        let here = try opened(folder)
        #expect(try await here.nodes().nodes.last?.cores == 64)
        await here.close()
        #expect(try StoredCentre(stateFolder: folder.path).book.ledger.entries.count == 4)
    }

    @Test("A real job that gets no cores of its own on a smaller host is not launched")
    func smallerHost() async throws {
        let folder = try ScratchFolder()
        let there = machine {
            $0.nodes[20].capacity.cores = SmallCentre.hostCores + 62
            $0.nodeTypes[2].capacity = $0.nodes[20].capacity
        }
        await (try opened(folder, there, time: .real) { $0.start = nil }).close()
        let here = try opened(folder, time: .real) { $0.start = nil }
        let small = try await here.submit(
            SmallCentre.request {
                $0.partitions = ["host"]
                $0.tasks = 1
            }
        )
        #expect(try await here.ended(small).state == "COMPLETED")
        let large = try await here.submit(
            SmallCentre.request {
                $0.partitions = ["host"]
                $0.tasks = SmallCentre.hostCores + 1
            }
        )
        let record = try await here.ended(large)
        #expect(record.state == "FAILED")
        #expect(record.exitCode == 0)
        #expect(record.exitSignal == 53)
        await here.close()
    }

    @Test(
        "What of the machine differs is named, and so are the stored policy and machine",
        arguments: [
            ("price", "partition batch: prices.core_hour is 5 µfen, not 10000000 µfen"),
            ("node", "nodes extra are new"),
            ("platform", "platform host is defined otherwise"),
            ("name", "it is machine 'large', not 'small'"),
        ]
    )
    func differences(what: String, words: String) async throws {
        let folder = try ScratchFolder()
        await (try opened(folder)).close()
        let other = machine {
            switch what {
            case "price": $0.partitions[0].prices.coreHourMicrofen = 5
            case "node":
                $0.nodes.append(
                    ClusterNode(name: "extra", typeIndex: 0, capacity: $0.nodes[0].capacity)
                )
            case "platform": $0.platforms[1].isKey = true
            default: $0.name = "large"
            }
        }
        let text = refusal(folder, other)
        #expect(text.contains(words), "\(text)")
        #expect(text.contains("('small')"), "\(text)")
        // Titles decide nothing.
        let retitled = machine { $0.partitions[0].title = "renamed" }
        await (try opened(folder, retitled)).close()
    }

    @Test("Another policy is refused by the name of the stored one; without one, it goes on")
    func policy() async throws {
        let folder = try ScratchFolder()
        await (try opened(folder)).close()
        var settings = SmallCentre.settings(folder.path)
        settings.rules = CentreRules(machine: SmallCentre.machine, policy: .fcfs)
        let other = OpenFailure.otherPolicy(folder: folder.path, stored: "easy", asked: "fcfs")
        #expect(throws: other) { try Centre(settings) }
        settings.isPolicyGiven = false
        let centre = try Centre(settings)
        #expect(centre.settings.rules.policy == .easy)
        await centre.close()
    }

    @Test("A centre whose machine is not named goes on with its own")
    func machineNotGiven() async throws {
        let folder = try ScratchFolder()
        await (try opened(folder)).close()
        let other = machine { $0.name = "default" }
        let centre = try opened(folder, other) { $0.isMachineGiven = false }
        #expect(await centre.status().machine == "small")
        await centre.close()
    }

    @Test("Customers come and change while the centre lives; what was granted before stays")
    func customers() async throws {
        let folder = try ScratchFolder()
        let first = try opened(folder)
        try await work(first, for: "motor")
        await first.close()

        let changed = machine {
            $0.accounts[1].customerClass = .university
            $0.accounts[1].registeredIn = nil
            $0.accounts.append(
                AccountEntry(name: "lab", title: "Lab", customerClass: .institute)
            )
            $0.accounts[2].creditLimitFen = 100_000
        }
        let second = try opened(folder, changed)
        try await work(second, for: "lab")
        try await work(second, for: "motor")
        let length = await second.status().journalLength
        await second.close()

        let book = try StoredCentre(stateFolder: folder.path).book
        #expect(book.claims(of: "motor").map(\.classes) == [["enterprise"], ["university"]])
        #expect(book.claims(of: "motor").map(\.facts.registeredIn) == ["TEDA", nil])
        let kinds = book.ledger.entries.map(\.subject.kind)
        #expect(kinds.filter { $0 == .grant }.count == 1)
        #expect(book.ledger.creditLimits["lab"] == Fen(100_000))
        #expect(try CentreAudit(stateFolder: folder.path).findings.isEmpty)

        // The same customers again are nothing new; one who is not listed any more is out.
        await (try opened(folder, changed)).close()
        let third = try opened(folder, machine { $0.accounts[1].customerClass = .university })
        #expect(await third.status().journalLength == length + 1)
        await #expect(throws: RequestFailure.self) { try await work(third, for: "lab") }
        await third.close()
        #expect(try StoredCentre(stateFolder: folder.path).book.accounts["lab"] != nil)
    }

    @Test("A refund of a charge takes back what was granted for it, whatever the account is now")
    func refundAfterChange() async throws {
        let folder = try ScratchFolder()
        let first = try opened(folder)
        try await work(first, for: "motor")
        await first.close()
        let second = try opened(folder, machine { $0.accounts[1].customerClass = .university })
        var refund = MoneyRequest()
        refund.action = "refund"
        refund.entry = "charge/1.0/2026-11"
        let booked = try await second.change(refund, .me).entries
        #expect(
            booked == [
                "reversal/charge/1.0/2026-11", "withdrawal/teda-machine-hour/charge/1.0/2026-11",
            ]
        )
        await second.close()
        let book = try StoredCentre(stateFolder: folder.path).book
        #expect(book.ledger.balance(of: LedgerAccount(.receivable, "motor")) == .zero)
        #expect(try CentreAudit(stateFolder: folder.path).findings.isEmpty)
    }

    @Test("An account does not move to another enterprise, whose cap it would bring along")
    func enterprise() async throws {
        let folder = try ScratchFolder()
        await (try opened(folder)).close()
        let text = refusal(folder, machine { $0.accounts[1].enterprise = "rival" })
        #expect(text.contains("account 'motor' belongs to enterprise 'motor'"), "\(text)")
        await (try opened(folder)).close()
    }

    @Test("Only its users and operators spend an account's money and read its bill")
    func users() async throws {
        let folder = try ScratchFolder()
        let centre = try opened(folder, machine { $0.accounts[1].users = ["alice"] })
        let stranger = Caller(userID: 65_534, groupID: 65_534)
        func submit(_ account: String, _ caller: Caller) async throws {
            let request = SmallCentre.request { $0.account = account }
            _ = try await centre.submit(request, caller)
        }
        do {
            try await submit("motor", stranger)
            Issue.record("taken")
        } catch let failure as RequestFailure {
            #expect(failure.body.code == "invalid_account")
            #expect(failure.body.hints.contains { $0.contains("may not use account") })
        }
        try await submit("guest", stranger)
        try await submit("motor", .me)
        #expect(!centre.rights(of: stranger).may(.readMoney, in: "motor"))
        #expect(centre.rights(of: stranger).may(.readMoney, in: "guest"))
        #expect(centre.rights(of: .me).may(.readMoney, in: "motor"))
        await centre.close()
    }
}

@Suite("Journals of an earlier version")
struct EarlierJournalTests {
    /// Writes a journal as an earlier version did: without the machine, with a fingerprint beside it.
    private func write(_ folder: ScratchFolder) throws {
        let rules = CentreRules(machine: SmallCentre.machine)
        var state = CentreState(rules: rules)
        let store = try CentreStore(folder: StateFolder(path: folder.path))
        var submission = SubmitInput()
        submission.id = 1
        submission.request = SmallCentre.request {
            $0.account = "motor"
            $0.comment = "runtime=3600"
        }
        var end = EndInput()
        end.id = 1
        var derived = DerivedRows()
        for (index, input) in [LiveInput.submit(submission), .end(end)].enumerated() {
            let batch = Int64(index + 1)
            let instant = SmallCentre.start + SimDuration(seconds: Int64(index) * 3_600)
            let row = JournalBatch(number: batch, instant: instant, inputs: [input.row])
            try store.append([row], derived: derived)
            _ = state.handle([input], at: instant)
            derived = state.takeDerived()
        }
        try store.append([], derived: derived)
        store.close()
        try folder.sqlite(
            "INSERT INTO meta VALUES ('machine', 'small'), ('policy', 'easy'),"
                + " ('fingerprint', '\(rules.fingerprint)')"
        )
    }

    @Test("They are read with their machine only")
    func reading() throws {
        let folder = try ScratchFolder()
        try write(folder)
        #expect(try StoredCentre.nameOfMachineNeeded(byStateFolder: folder.path) == "small")
        #expect(throws: OpenFailure.machineMissing(folder: folder.path)) {
            try StoredCentre(stateFolder: folder.path)
        }
        var other = SmallCentre.machine
        other.nodes[0].capacity.cores = 13
        #expect(
            throws: OpenFailure.otherFingerprint(
                folder: folder.path,
                machine: "small",
                policy: "easy"
            )
        ) {
            try StoredCentre(stateFolder: folder.path, machine: other)
        }
        let audit = try CentreAudit(stateFolder: folder.path, machine: SmallCentre.machine)
        #expect(audit.findings.isEmpty, "\(audit.findings)")
        #expect(audit.entryCount == 4)
    }

    @Test("Opened once, they hold their machine like all others")
    func opening() async throws {
        let folder = try ScratchFolder()
        try write(folder)
        await (try Centre(SmallCentre.settings(folder.path))).close()
        #expect(try StoredCentre.nameOfMachineNeeded(byStateFolder: folder.path) == nil)
        let audit = try CentreAudit(stateFolder: folder.path)
        #expect(audit.findings.isEmpty, "\(audit.findings)")
        #expect(audit.inputCount == 3)
        var settings = SmallCentre.settings(folder.path)
        settings.isMachineGiven = false
        let centre = try Centre(settings)
        #expect(await centre.books().book.ledger.entries.count == 4)
        await centre.close()
    }
}
