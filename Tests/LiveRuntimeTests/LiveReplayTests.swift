import Billing
import ClusterModel
import Determinism
import Emulation
import Foundation
import Persistence
import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

// The claim that carries the design: what a live centre did is what replaying its journal does,
// digest by digest. Random days, seeded; the journal of each is fed to a fresh state.

@Suite("Live is replay")
struct LiveReplayTests {
    /// Does something that users and operators do.
    private func act(_ centre: Centre, _ random: inout SplitMix64) async throws {
        switch random.below(12) {
        case 0..<6:
            let submission = request(&random)
            _ = try? await centre.submit(submission, .me)
        case 6:
            var cancel = CancelRequest()
            cancel.jobs = [JobSelector(jobID: UInt32(random.draw(1...40)))]
            _ = try await centre.cancel(cancel, .me)
        case 7:
            let id = UInt32(random.draw(1...40))
            let action: Centre.JobAction = [.hold, .release, .requeue][random.draw(0...2)]
            _ = try? await centre.perform(action, on: id, JobActionRequest(), .me)
        case 8:
            var update = NodeUpdateRequest()
            update.nodes = "cn[\(random.draw(0...3))-\(random.draw(4...15))]"
            update.state = ["DOWN", "DRAIN", "RESUME", "RESUME"][random.draw(0...3)]
            update.reason = "test"
            try await centre.update(update, .me)
        case 9:
            var update = JobUpdateRequest()
            update.timeLimit = SimDuration(seconds: 60 * Int64(random.draw(1...120)))
            _ = try? await centre.update(UInt32(random.draw(1...40)), update, .me)
        default: try await centre.advance(seconds: Int64(random.draw(1...4_000)))
        }
    }

    private func request(_ random: inout SplitMix64) -> SubmitRequest {
        let draw = (0..<6).map { _ in random.draw(0...9) }
        let seconds = random.draw(0...6_000)
        return SmallCentre.request { request in
            request.partitions = [draw[0] < 7 ? "batch" : "shared"]
            request.account = draw[1] < 5 ? "motor" : "guest"
            if draw[0] < 7 { request.minimumNodes = Int32(1 + draw[2]) }
            if draw[0] >= 7 { request.tasks = Int32(1 + 2 * draw[2]) }
            request.timeLimit = SimDuration(seconds: 600 * Int64(1 + draw[3]))
            request.comment = draw[4] == 0 ? nil : "runtime=\(seconds)"
            if draw[5] == 0 { request.isHeld = true }
            if draw[5] == 1 {
                request.dependencies = [
                    DependencyRequest(kind: "afterok", jobID: UInt32(1 + draw[4]))
                ]
                request.endsOnInvalidDependency = draw[3] < 5
            }
            if draw[5] == 2 {
                var array = ArrayRequest()
                array.ranges = [.init(first: 1, last: UInt32(1 + draw[4]))]
                array.limit = 2
                request.array = array
            }
        }
    }

    /// Nodes that are described together are alike one by one.
    private func expectNodesAreAlike(_ state: CentreState, _ seed: UInt64) throws {
        let all = try ClusterChoice(nil, of: state.rules.machine)
        let now = state.lastInstant
        let groups = state.nodeGroups(of: all, at: now, bootTime: SmallCentre.start) { String($0) }
        let each = state.rules.machine.nodes.indices.map { index in
            state.nodeInfo(index, at: now, bootTime: SmallCentre.start) { String($0) }
        }
        #expect(groups == NodeGroup.groups(of: each), "seed \(seed)")
    }

    @Test(
        "Feeding the journal to a fresh state gives the same digest after every batch",
        arguments: 0..<12 as Range<UInt64>
    )
    func digestsAgree(seed: UInt64) async throws {
        let folder = try ScratchFolder()
        var random = SplitMix64(seed: seed)
        let centre = try Centre(SmallCentre.settings(folder.path))
        for _ in 0..<120 { try await act(centre, &random) }
        let live = await centre.status()
        let snapshot = await centre.snapshot()
        snapshot.state.emulator.checkInvariants()
        try expectNodesAreAlike(snapshot.state, seed)
        await centre.close()

        let store = try CentreStore(folder: StateFolder(path: folder.path))
        let digests = try store.reader.digests()
        var state = CentreState(rules: CentreRules(machine: SmallCentre.machine))
        var batches: [(instant: SimInstant, inputs: [LiveInput])] = []
        try store.reader.forEachInput { row throws(PersistenceFailure) in
            if Int(row.batch) > batches.count { batches.append((row.instant, [])) }
            let input = try LiveInput(row)
            #expect(input.row.body == row.body, "seed \(seed): row \(row.sequence)")
            batches[batches.count - 1].inputs.append(input)
        }
        for (index, batch) in batches.enumerated() {
            _ = state.handle(batch.inputs, at: batch.instant)
            let digest = digests[Int64(index + 1)]
            try #require(
                digest == state.emulator.digest.value,
                "seed \(seed): batch \(index + 1) of \(batches.count) differs"
            )
        }
        #expect(batches.count > 50, "seed \(seed)")
        #expect(state.emulator.digest.hexText == live.digest, "seed \(seed)")
        #expect(state.nextJobID == live.nextJobID, "seed \(seed)")
        #expect(state.book.ledger.entries.count > 5, "seed \(seed)")
        #expect(Int64(state.book.ledger.entries.count) == store.ledgerLength, "seed \(seed)")
    }

    @Test(
        "A centre that is opened again is the one that was closed",
        arguments: 100..<104 as Range<UInt64>
    )
    func reopening(seed: UInt64) async throws {
        let folder = try ScratchFolder()
        var random = SplitMix64(seed: seed)
        var lists: [[JobInfo]] = []
        for _ in 0..<4 {
            let centre = try Centre(SmallCentre.settings(folder.path))
            let atOpening = try await centre.jobs(.all).jobs
            if let last = lists.last {
                try #require(atOpening.count == last.count, "seed \(seed)")
                for (now, then) in zip(atOpening, last) {
                    #expect(now == then, "seed \(seed): job \(then.jobID)")
                }
            }
            for _ in 0..<30 { try await act(centre, &random) }
            lists.append(try await centre.jobs(.all).jobs)
            await centre.close()
        }
        #expect(lists.last?.isEmpty == false)
    }

    @Test("Emulated jobs take exactly their run time, or their limit")
    func exactRunTimes() async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        let short = try await centre.submit(SmallCentre.request { $0.comment = "runtime=1234" })
        let long = try await centre.submit(
            SmallCentre.request {
                $0.comment = "runtime=9999"
                $0.timeLimit = SimDuration(seconds: 600)
            }
        )
        let full = try await centre.submit(
            SmallCentre.request { $0.timeLimit = SimDuration(seconds: 720) }
        )
        try await centre.advance(seconds: 100_000)
        let records = try await centre.accounting(ids: [short, long, full]).records
        #expect(records.map(\.state) == ["COMPLETED", "TIMEOUT", "COMPLETED"])
        #expect(records.map(\.elapsed.seconds) == [1_234, 600, 720])
        await centre.close()
    }
}
