import ClusterModel
import Foundation
import Quantities
import Testing
import WireFormats
import WorkloadFormats

@testable import LiveRuntime

@Suite("Background load")
struct BackgroundLoadTests {
    /// A job of 4 nodes every 20 minutes for three weeks, one that fits nowhere, and one that fails.
    private static var log: Trace {
        var trace = Trace()
        trace.unixStartTime = 1_767_196_800
        for number in 1...1_511 as ClosedRange<Int64> {
            trace.jobs.append(
                TraceJob(
                    id: number,
                    submitted: number * 1_200_000_000,
                    runTime: (3_000 + number * 7 % 3_000) * 1_000_000,
                    timeLimit: 7_200_000_000,
                    processors: number == 7 ? 10_000 : 48,
                    user: Int32(number % 5),
                    status: number == 8 ? 0 : 1
                )
            )
        }
        return trace
    }

    private static func settings(_ folder: String, seed: UInt64 = 1) -> CentreSettings {
        let log = log
        var settings = SmallCentre.settings(folder, machine: SmallCentre.machine.rehearsed)
        settings.load = LoadChoice(source: "/log", seed: seed)
        settings.readLoad = { choice, machine throws(LoadProblem) in
            try BackgroundLoad(choice, log, countedIn: .cores, on: machine)
        }
        return settings
    }

    private func load(seed: UInt64) throws -> BackgroundLoad {
        try BackgroundLoad(
            LoadChoice(source: "/log", seed: seed),
            Self.log,
            countedIn: .cores,
            on: SmallCentre.machine
        )
    }

    @Test("A position and its instant say the same, in every round")
    func positions() throws {
        let load = try load(seed: 3)
        #expect(load.dropped == 1)
        let first = load.position(from: SmallCentre.start)
        for position in (first - 1_200)..<(first + 1_200) {
            #expect(load.position(from: load.instant(of: position)) == position)
            #expect(load.instant(of: position) < load.instant(of: position + 1))
        }
        #expect(load.instant(of: first) >= SmallCentre.start)
        #expect(load.instant(of: first - 1) < SmallCentre.start)
    }

    @Test("A new centre has a day of it behind itself, and its jobs can be told apart")
    func gathers() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(Self.settings(folder.path + "/state"))
        let records = try await centre.accounting(AccountingQuery(), .me).records
        let mine = try await centre.submit(SmallCentre.request { $0.partitions = ["shared"] })
        let queue = try await centre.jobs(.all).jobs
        await centre.close()
        #expect((60...73).contains(records.count))
        #expect(records.allSatisfy { $0.account.hasPrefix("load-") && $0.user.hasPrefix("load") })
        #expect(records.allSatisfy { $0.submit.seconds <= SmallCentre.start.seconds })
        #expect(records.contains { $0.charge ?? 0 > 0 })
        #expect(queue.filter { $0.account == "guest" }.map(\.jobID) == [mine])
        #expect(queue.contains { $0.state == "RUNNING" && $0.backend == "emulated" })
        #expect(queue.allSatisfy { $0.jobID == mine || ($0.comment ?? "").hasPrefix("load=") })
    }

    /// What became of the load's jobs in the first twelve hours.
    private func story(_ folder: String, seed: UInt64, stops: Bool) async throws -> [String] {
        var centre = try Centre(Self.settings(folder, seed: seed))
        try await centre.advance(seconds: 20_000)
        if stops {
            await centre.close()
            var settings = Self.settings(folder, seed: seed)
            settings.load = nil
            centre = try Centre(settings)
        }
        try await centre.advance(seconds: 23_200)
        let records = try await centre.accounting(AccountingQuery(), .me).records
        await centre.close()
        return records.map { "\($0.jobID) \($0.account) \($0.submit) \($0.partition) \($0.state)" }
            .sorted()
    }

    @Test("A centre that is opened again goes on with the same stream; another seed is another")
    func reopens() async throws {
        let folder = try ScratchFolder()
        let whole = try await story(folder.path + "/a", seed: 1, stops: false)
        let again = try await story(folder.path + "/b", seed: 1, stops: true)
        let other = try await story(folder.path + "/c", seed: 2, stops: false)
        #expect(whole.count > 90)
        #expect(whole == again)
        #expect(whole != other)
    }

    @Test("A log that fits nowhere, or has changed, is refused")
    func refusals() async throws {
        let folder = try ScratchFolder()
        var settings = Self.settings(folder.path + "/state")
        let problem = LoadProblem("no")
        settings.readLoad = { _, _ throws(LoadProblem) in throw problem }
        #expect(throws: OpenFailure.load("no")) { try Centre(settings) }
        settings = Self.settings(folder.path + "/state")
        try await Centre(settings).close()
        settings.load = nil
        let log = Self.log
        settings.readLoad = { choice, machine throws(LoadProblem) in
            var log = log
            log.jobs.removeLast()
            return try BackgroundLoad(choice, log, countedIn: .cores, on: machine)
        }
        #expect(throws: OpenFailure.self) { try Centre(settings) }
    }
}
