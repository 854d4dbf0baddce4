import ClusterModel
import IndexSets
import Persistence
import Prediction
import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Emulated jobs that name a kernel")
struct EmulatedKernelTests {
    /// The small centre with nodes whose rates are known.
    private static var machine: Machine {
        var machine = SmallCentre.machine
        for index in 0..<2 {
            machine.nodeTypes[index].processor.clock = Frequency(hertz: 2_930_000_000)
            machine.nodeTypes[index].processor.flopsPerCycle = 4
            machine.nodeTypes[index].memoryBandwidth = ByteRate(bytesPerSecond: 64_000_000_000)
        }
        machine.nodeTypes[1].accelerators[0].peak = FlopRate(flopsPerSecond: 500_000_000_000)
        return machine
    }

    private func run(
        _ comment: String,
        nodes: Int32,
        partition: String = "batch",
        tasks: Int32? = nil,
        cards: Int32? = nil
    ) async throws -> SimDuration {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path, machine: Self.machine))
        let id = try await centre.submit(
            SmallCentre.request {
                $0.comment = comment
                $0.minimumNodes = nodes
                $0.partitions = [partition]
                $0.tasks = tasks
                $0.accelerators = cards
                $0.timeLimit = SimDuration(seconds: 80_000)
            }
        )
        try await centre.advance(seconds: 80_000)
        let record = try await centre.record(id)
        await centre.close()
        #expect(record.state == "COMPLETED")
        return record.elapsed
    }

    @Test(
        "A run time that is no number of seconds is refused, and not billed as the whole limit",
        arguments: ["10m", "1:00", "60s", "-5", "abc", "1000000001", "", "9223372036854775808"]
    )
    func badRunTime(value: String) async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        let failure = await #expect(throws: RequestFailure.self) {
            try await centre.submit(SmallCentre.request { $0.comment = "note, RunTime=\(value)" })
        }
        let word = "RunTime=\(value)"
        let hints = [
            "10m": " (did you mean 'runtime=600'?)", "60s": " (did you mean 'runtime=60'?)",
        ]
        let detail =
            "--comment=\(word): a number of seconds from 0 to 1000000000 is needed"
            + (hints[value] ?? "")
        #expect(failure?.body.details == [detail])
        #expect(failure?.body.text == "Invalid --comment specification")
        // On real nodes it is a comment like any other.
        let real = try await centre.submit(
            SmallCentre.request {
                $0.comment = "runtime=\(value)"
                $0.partitions = ["host"]
                $0.isHeld = true
            }
        )
        #expect(try await centre.info(real).comment == "runtime=\(value)")
        await centre.close()
    }

    @Test("Keys of a comment may be written in any letters")
    func keysInAnyCase() async throws {
        #expect(try await run("Note=A Runtime=60", nodes: 1) == SimDuration(seconds: 60))
    }

    @Test("A job runs as long as the predictor says", arguments: [1, 4, 16] as [Int32])
    func runsAsPredicted(nodes: Int32) async throws {
        let elapsed = try await run("kernel=cg,size=256,repeat=200", nodes: nodes)
        let target = try PredictionTarget(
            Self.machine,
            typeNames: ["thin"],
            nodeCount: Int(nodes)
        )
        let prediction = try KernelPrediction(
            .cg,
            shape: [256, 256, 256],
            on: target,
            repeats: 200
        )
        #expect(prediction.seconds > 10)
        #expect(abs(Double(elapsed.microseconds) * 1e-6 - prediction.seconds) < 2e-6)
    }

    @Test("The journal holds how long a job takes, so that no later version reckons otherwise")
    func runTimeIsJournalled() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(SmallCentre.settings(folder.path, machine: Self.machine))
        let id = try await centre.submit(
            SmallCentre.request {
                $0.comment = "kernel=cg,size=256,repeat=200"
                $0.minimumNodes = 1
                $0.isHeld = true
            }
        )
        var change = JobUpdateRequest()
        change.nodes = 4
        _ = try await centre.update(id, change, .me)
        await centre.close()
        var journalled: [SimDuration?] = []
        let store = try CentreStore(folder: StateFolder(path: folder.path))
        try store.reader.forEachInput { row throws(PersistenceFailure) in
            switch try LiveInput(row) {
            case .submit(let input): journalled.append(input.runTime)
            case .update(let input): journalled.append(input.runTime)
            default: break
            }
        }
        let expected = try [1, 4].map { nodes in
            let target = try PredictionTarget(
                Self.machine,
                typeNames: ["thin"],
                nodeCount: nodes
            )
            let shape = [256, 256, 256]
            return try KernelPrediction(.cg, shape: shape, on: target, repeats: 200).seconds
        }
        #expect(journalled.count == 2)
        for (time, seconds) in zip(journalled, expected) {
            let time = try #require(time)
            #expect(abs(Double(time.microseconds) * 1e-6 - seconds) < 2e-6)
        }
    }

    @Test("What the journal says of a run time counts, whatever the predictor says")
    func journalledRunTimeCounts() {
        var state = CentreState(rules: CentreRules(machine: Self.machine))
        var input = SubmitInput()
        input.id = 1
        input.request = SmallCentre.request {
            $0.comment = "kernel=cg,size=256"
            $0.isHeld = true
        }
        input.runTime = SimDuration(seconds: 77)
        _ = state.handle([.submit(input)], at: SmallCentre.start)
        #expect(state.jobs[1]?.specification.runTime == SimDuration(seconds: 77))
        var update = UpdateInput()
        update.id = 1
        update.change.nodes = 4
        update.runTime = SimDuration(seconds: 33)
        _ = state.handle([.update(update)], at: SmallCentre.start + SimDuration(seconds: 1))
        #expect(state.jobs[1]?.specification.runTime == SimDuration(seconds: 33))
    }

    @Test("runtime= still says so itself")
    func runTimeOfItsOwn() async throws {
        #expect(try await run("kernel=cg,runtime=77", nodes: 1) == SimDuration(seconds: 77))
    }

    @Test("A part of a shared node takes as much longer as it is smaller")
    func sharedNodes() async throws {
        let elapsed = try await run("kernel=stream,size=200000000", nodes: 1, partition: "shared")
        // One core of eight: an eighth of the node's 51.2 GB/s.
        let expected = 80 * 2e8 / (64e9 * 0.8 / 8)
        #expect(abs(Double(elapsed.microseconds) * 1e-6 - expected) < 2e-6)
    }

    @Test(
        "A job on a shared node is predicted with the cards that it holds",
        arguments: [nil, 1, 2] as [Int32?]
    )
    func cardsOfSharedNodes(cards: Int32?) async throws {
        let elapsed = try await run(
            "kernel=gemm,size=8192",
            nodes: 1,
            partition: "shared",
            tasks: 8,
            cards: cards
        )
        // Each card of 500 Gflop/s takes one of eight cores of 11.72 Gflop/s to feed it.
        let held = Double(cards ?? 0)
        let rate = 0.9 * ((8 - held) * 11.72e9 + held * 500e9)
        let expected = 2 * 8_192.0 * 8_192.0 * 8_192.0 / rate
        #expect(abs(Double(elapsed.microseconds) * 1e-6 - expected) < 2e-6)
    }

    @Test(
        "A kernel or size that makes no sense is refused, and says what is wrong",
        arguments: [
            ("kernel=hpl", "no kernel is called 'hpl'"),
            ("kernel=cg,size=8x8", "'8x8' is no size of cg"),
            ("kernel=lu,size=1000000", "of memory and the nodes have"),
            ("kernel=lu,size=1000,repeat=0", "'repeat=0' is no number"),
        ]
    )
    func refusals(comment: String, problem: String) async throws {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path, machine: Self.machine))
        do throws(RequestFailure) {
            _ = try await centre.submit(SmallCentre.request { $0.comment = comment }, .me)
            Issue.record("\(comment) was taken")
        } catch {
            #expect(error.status == 400)
            #expect(error.body.details.contains { $0.contains(problem) }, "\(error.body)")
            #expect(error.body.details.contains { $0.contains(comment) }, "\(error.body)")
        }
        await centre.close()
    }
}
