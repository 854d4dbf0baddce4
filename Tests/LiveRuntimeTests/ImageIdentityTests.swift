import Billing
import Determinism
import Emulation
import Foundation
import Persistence
import Quantities
import Scheduling
import Testing

@testable import LiveRuntime
@testable import WireFormats

/// A state that was written down and read again goes on as it would have.
enum ImageClaims {
    /// Goes through a closed centre's journal, and from some of its batches on once more with a state that was
    /// read from an image; nothing differs, and at the end not even a byte.
    static func goesOn(
        _ folder: String,
        _ rules: CentreRules,
        _ random: inout SplitMix64,
        _ what: String
    ) throws {
        let reader = try CentreReader(stateFolder: folder)
        var derived: [DerivedRows] = []
        var images: [(batch: Int64, bytes: [UInt8])] = []
        let last = try reader.lastBatch()
        let drawn = Set((0..<4).map { _ in Int64(random.draw(1...Int(last))) })
        var whole = CentreState(rules: rules)
        try whole.replay(reader) { state, rows throws(PersistenceFailure) in
            derived.append(rows)
            guard drawn.contains(state.batch) else { return }
            if let bytes = try? ValueImage.bytes(of: state) { images.append((state.batch, bytes)) }
        }
        #expect(images.count == drawn.count, "\(what): an image cannot be written")
        let end = try ValueImage.bytes(of: whole)
        for (batch, bytes) in images {
            var state = try ValueImage.value(CentreState.self, from: bytes, context: rules)
            #expect(try ValueImage.bytes(of: state) == bytes, "\(what), batch \(batch): read again")
            // Jobs name their properties one by one: the plain twin forgets none.
            let plain = try ValueImage.bytes(of: state, usesRecords: false)
            #expect(plain == bytes, "\(what), batch \(batch): by way of Codable")
            let twin = try ValueImage.value(
                CentreState.self,
                from: bytes,
                context: rules,
                usesRecords: false
            )
            #expect(try ValueImage.bytes(of: twin) == bytes, "\(what), batch \(batch): the twin")
            state.emulator.checkInvariants()
            try state.replay(reader) { state, rows throws(PersistenceFailure) in
                let expected = derived[Int(state.batch) - 1]
                guard rows != expected else { return }
                Issue.record("\(what), image of \(batch): batch \(state.batch) differs")
            }
            #expect(try ValueImage.bytes(of: state) == end, "\(what), image of \(batch): the end")
        }
    }
}

@Suite("A state from an image goes on as it would have")
struct ImageIdentityTests {
    private static let tariff = """
        tariff: five
        qos: {low: 0.5}
        lines:
          - platform: five
            resource: core-hour
            tiers:
              - {upto_hours: 100, price: 0.12 CNY}
              - {price: 0.08 CNY}
        """

    /// Every policy that has a name, and every placement.
    private static let policies =
        SchedulingPolicy.named.map(\.name)
        + PlacementPolicy.allCases.map { "order=fcfs,backfill=easy,placement=\($0.rawValue)" }

    @Test(
        "Under every policy: with reservations, loans of cores, power, licences, keys, people and money",
        arguments: Self.policies
    )
    func everyPolicy(policyName: String) async throws {
        let folder = try ScratchFolder()
        let number = policyName.utf8.reduce(UInt64(0)) { $0 &* 31 &+ UInt64($1) }
        let machine = try ExportReplayTests.machine(savesPower: number.isMultiple(of: 2))
        let policy = try SchedulingPolicy(named: policyName)
        var settings = SmallCentre.settings(folder.path, machine: machine)
        settings.rules = CentreRules(machine: machine, policy: policy)
        settings.tariff = NamedText(name: "five.yaml", text: Self.tariff)
        var random = SplitMix64(seed: number, stream: "image")
        let centre = try Centre(settings)
        for step in 0..<140 {
            if step < 8 || random.below(4) == 0 {
                try await operate(step < 8 ? step : random.draw(0...7), centre, &random, step)
            } else {
                let next = await centre.status().nextJobID
                try await ExportReplayTests().act(centre, &random, next)
            }
        }
        let state = await centre.snapshot().state
        #expect(
            state.submissionKeys.count(of: getuid()) > 0 && state.nextReservationID > 1,
            "\(policyName)"
        )
        // Nothing starts where nobody decides.
        #expect(state.endedCount > 5 || policy.backfill == .external, "\(policyName)")
        #expect(state.book.ledger.entries.count > 2, "\(policyName)")
        await centre.close()
        // The image of the centre that lived is what its journal gives.
        #expect(!ImageFolder(stateFolder: folder.path).batches.isEmpty)
        #expect(try CentreAudit(stateFolder: folder.path).findings == [], "\(policyName)")
        try ImageClaims.goesOn(folder.path, settings.rules, &random, policyName)
    }

    /// Does something that operators do, or a user who may not know whether it was done.
    private func operate(
        _ kind: Int,
        _ centre: Centre,
        _ random: inout SplitMix64,
        _ step: Int
    ) async throws {
        let account = ["lab", "left", "right", "firm"][random.draw(0...3)]
        let (amount, odd) = (Int64(random.draw(100...90_000)), random.below(2) == 0)
        switch kind {
        case 0..<2:
            let word = "key \(random.draw(0...5))"
            let request = SmallCentre.request {
                $0.partitions = ["shared"]
                $0.comment = "runtime=900"
                $0.account = account
                $0.idempotencyKey = word
            }
            _ = try? await centre.submit(request, .me)
        case 2:
            var update = NodeUpdateRequest()
            update.nodes = "a[\(random.draw(0...3))-\(random.draw(4...7))]"
            update.state = ["DOWN", "DRAIN", "RESUME", "RESUME"][random.draw(0...3)]
            update.reason = "test"
            try await centre.update(update, .me)
        case 3:
            var update = PartitionUpdateRequest()
            update.name = ["half", "corner"][random.draw(0...1)]
            update.state = ["UP", "UP", "DOWN", "DRAIN", "INACTIVE"][random.draw(0...4)]
            _ = try? await centre.update(update, .me)
        case 4:
            var edit = PeopleEdit()
            edit.verb = PeopleEdit.Verb.add.rawValue
            edit.entity = odd ? "account" : "user"
            edit.names = ["\(odd ? "group" : "ann")\(step)"]
            edit.accounts = odd ? [] : [account]
            edit.settings = [NamedLimit(name: "MaxJobs", value: "2")]
            _ = try await centre.change(edit, .me)
        case 5:
            let now = await centre.status().now
            var request = ReservationRequest()
            request.start = now + SimDuration(seconds: Int64(random.draw(0...3_000)))
            request.duration = SimDuration(seconds: Int64(random.draw(600...9_000)))
            request.nodeCount = Int32(random.draw(1...4))
            request.accounts = account
            if odd { request.flags = "DAILY" }
            _ = try? await centre.reserve(.create, request, .me)
        default:
            var request = MoneyRequest()
            request.action = ["pay", "limit", "budget", "voucher"][random.draw(0...3)]
            (request.account, request.amount) = (account, amount)
            if request.action == "pay" || request.action == "voucher" {
                request.reference = "\(request.action) \(step)"
            }
            if request.action == "budget" { request.period = odd ? "month" : "year" }
            _ = try await centre.change(request, .me)
        }
    }
}
