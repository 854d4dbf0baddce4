import Billing
import ClusterModel
import Quantities
import SlurmDialect
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Nodes that are switched off")
struct PowerSavingTests {
    /// The small centre, with nodes that are off after ten minutes and up after two.
    private static var machine: Machine {
        var machine = SmallCentre.machine
        for index in machine.nodeTypes.indices {
            machine.nodeTypes[index].powerWatts = 300
            machine.nodeTypes[index].bootTime = SimDuration(seconds: 120)
        }
        machine.powerSaving.suspendTime = SimDuration(seconds: 600)
        return machine
    }

    private func states(_ centre: Centre) async throws -> [String: Int] {
        let nodes = try await centre.nodes(.me).nodes
        return Dictionary(grouping: nodes, by: { ([$0.state] + $0.flags).joined(separator: "+") })
            .mapValues(\.count)
    }

    @Test("A job waits for its nodes to come up; that is neither elapsed nor charged")
    func jobWaits() async throws {
        let folder = try ScratchFolder()
        let settings = SmallCentre.settings(folder.path, machine: Self.machine)
        var centre = try Centre(settings)
        let first = try await centre.submit(
            SmallCentre.request {
                $0.minimumNodes = 2
                $0.comment = "runtime=300"
            }
        )
        try await centre.advance(seconds: 1_000)
        // The host is never switched.
        #expect(try await states(centre) == ["IDLE": 1, "IDLE+POWERED_DOWN": 20])
        let second = try await centre.submit(
            SmallCentre.request {
                $0.minimumNodes = 3
                $0.comment = "runtime=300"
            }
        )
        #expect(
            try await states(centre)
                == ["IDLE": 1, "IDLE+POWERED_DOWN": 17, "ALLOCATED+POWERING_UP": 3]
        )
        #expect(await centre.job(second)?.jobs.first?.state == "CONFIGURING")
        try await centre.advance(seconds: 60)
        await centre.close()
        centre = try Centre(settings)
        #expect(await centre.job(second)?.jobs.first?.state == "CONFIGURING")
        try await centre.advance(seconds: 61)
        let job = try #require(await centre.job(second)?.jobs.first)
        #expect(job.state == "RUNNING")
        #expect(try await states(centre)["ALLOCATED"] == 3)
        try await centre.advance(seconds: 298)
        #expect(await centre.job(second)?.jobs.first?.state == "RUNNING")
        try await centre.advance(seconds: 2)
        let one = try await centre.record(first)
        let other = try await centre.record(second)
        #expect(other.state == "COMPLETED")
        #expect(one.elapsed == SimDuration(seconds: 300))
        #expect(other.elapsed == SimDuration(seconds: 300))
        let (price, otherPrice) = (try #require(one.charge), try #require(other.charge))
        #expect(price > 0)
        #expect(otherPrice * 2 == price * 3)
        await centre.close()
    }

    @Test("Nodes that a cap keeps off say so")
    func capIsSaid() async throws {
        var machine = Self.machine
        // Of 20 nodes of 300 W; the host is not ours to switch.
        machine.powerSaving.capWatts = 4_500
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path, machine: machine))
        let nodes = try await centre.nodes(.me).nodes
        let closed = nodes.filter { $0.flags.contains("DRAIN") }
        #expect(!closed.isEmpty && closed.count < 20)
        #expect(nodes.allSatisfy { ($0.reason == "power cap") == $0.flags.contains("DRAIN") })
        await centre.close()
    }

    @Test("Neither a quote nor the hold of a job counts the time in which nodes come up")
    func bootIsNotPriced() async throws {
        let centre = try Centre(
            SmallCentre.settings(ScratchFolder().path, machine: Self.machine)
        )
        _ = try await centre.submit(SmallCentre.request { $0.comment = "runtime=60" })
        try await centre.advance(seconds: 1_000)
        var request = SmallCentre.request {
            $0.minimumNodes = 2
            $0.timeLimit = SimDuration(seconds: 3_600)
        }
        request.isTestOnly = true
        // 2 nodes × 12 cores × 1 h × 0.10 CNY.
        #expect(try await centre.submit(request, .me).estimate?.price?.gross == 240)
        request.isTestOnly = false
        _ = try await centre.submit(request, .me)
        let held = await centre.books().book.ledger.balance(of: LedgerAccount(.hold, "guest"))
        #expect(held == Fen(240))
        await centre.close()
    }
}
