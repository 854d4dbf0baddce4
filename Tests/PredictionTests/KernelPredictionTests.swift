import Catalog
import ClusterModel
import Prediction
import Quantities
import Testing
import WireFormats

/// The machines of the tests: reading a file of thousands of nodes takes longer than all sums.
enum Machines {
    static let library = MachineLibrary(
        host: HostDescription(
            name: "testhost",
            processorModel: "Test processor",
            cores: 4,
            memory: ByteCount(mebibytes: 8_192)
        )
    )

    private static let read: [String: Machine] = {
        let names = Set(PublishedExam.questions.map(\.machine)).union(["host"])
        return names.reduce(into: [:]) { $0[$1] = try? library.machine(named: $1) }
    }()

    static func named(_ name: String) throws -> Machine {
        try read[name] ?? library.machine(named: name)
    }
}

private func target(
    _ name: String,
    _ type: String? = nil,
    nodes: Int?
) throws -> PredictionTarget {
    try PredictionTarget(
        Machines.named(name),
        typeNames: type.map { [$0] },
        nodeCount: nodes
    )
}

@Suite("Predictions")
struct KernelPredictionTests {
    /// A problem of each kernel that a machine of thousands of nodes can hold and share.
    static let large: [(KernelForm, [Int])] = [
        (.align, [512, 4_000_000, 400]), (.cg, [4_096, 4_096, 4_096]), (.comm, [1_048_576]),
        (.fft, [4_096, 4_096, 4_096]), (.gemm, [200_000, 200_000, 200_000]), (.graph, [36, 16]),
        (.infer, [65_536, 1_024, 1_024]), (.lu, [1_000_000, 256]), (.md, [1_000, 1_000, 1_000]),
        (.shallow, [200_000, 200_000]), (.stencil, [4_096, 4_096, 4_096]),
        (.stream, [100_000_000_000]), (.train, [65_536, 1_024, 1_024]),
    ]

    @Test("Every kernel can be predicted on a whole machine", arguments: large)
    func wholeMachine(kernel: KernelForm, shape: [Int]) throws {
        let all = try target("tianhe-1a", nodes: nil)
        #expect(all.nodeCount == 7_168)
        let prediction = try KernelPrediction(kernel, shape: shape, on: all)
        #expect(prediction.seconds > 0 && prediction.seconds.isFinite)
        #expect(prediction.parts.allSatisfy { $0.seconds > 0 && $0.seconds.isFinite })
        // Single precision may pass the double-precision peak, nothing else may.
        let most = kernel == .infer || kernel == .train ? 2.0 : 1.0
        let isFloating = kernel != .align && kernel != .graph
        #expect((prediction.efficiency != nil) == isFloating)
        #expect(prediction.efficiency ?? 0 <= most, "\(kernel) \(prediction.efficiency ?? 0)")
        #expect(try #require(prediction.joules) > 0)
    }

    @Test("More nodes never make the part on the nodes slower", arguments: large)
    func computingScales(kernel: KernelForm, shape: [Int]) throws {
        guard kernel != .comm else { return }
        var previous = Double.infinity
        for nodes in [3_072, 4_096, 6_144, 7_168] {
            let prediction = try KernelPrediction(
                kernel,
                shape: shape,
                on: target("tianhe-1a", nodes: nodes)
            )
            let part = try #require(prediction.parts.first)
            #expect(part.seconds < previous, "\(kernel) on \(nodes)")
            previous = part.seconds
        }
    }

    @Test("On one node nothing is sent", arguments: KernelForm.allCases)
    func oneNodeSendsNothing(kernel: KernelForm) throws {
        let one = try target("tianhe-2", nodes: 1)
        let prediction = try KernelPrediction(
            kernel,
            shape: kernel.namedSizes[0],
            on: one
        )
        let local = [
            "computing (operations)", "computing (memory)", "update", "triangular solve", "panel",
            "row gather", "panels over the link",
        ]
        #expect(prediction.parts.allSatisfy { local.contains($0.name) }, "\(prediction.parts)")
        #expect(prediction.parts.isEmpty == (kernel == .comm))
    }

    @Test("Time is the roofline's: bytes over bandwidth for stream, flop over rate for gemm")
    func rooflineByHand() throws {
        // 2 × 102.4 GB/s × 80 %; 2 × 422.4 GF × 95 %, cards left out.
        let two = try target("tianhe-2", nodes: 2)
        let stream = try KernelPrediction(.stream, shape: [1_000_000_000], on: two)
        #expect(abs(stream.seconds - 80e9 / (2 * 102.4e9 * 0.8)) < 1e-9)
        let gemm = try KernelPrediction(
            .gemm,
            shape: [20_000, 20_000, 20_000],
            on: two,
            usesCards: false
        )
        let computing = try #require(gemm.parts.first?.seconds)
        let hand = 2 * 8e12 / (2 * 422.4e9 * 0.95)
        #expect(abs(computing - hand) < 1e-9 * hand, "\(computing) \(hand)")
    }

    @Test("A message takes 2o + L + (m - 1)G, and collectives the rounds of their trees")
    func logGP() {
        let network = NetworkModel(latency: 3e-6, overhead: 1e-6, secondsOfByte: 1e-9)
        #expect(abs(network.message(1) - 5e-6) < 1e-15)
        #expect(abs(network.message(1_001) - 6e-6) < 1e-15)
        #expect(network.allReduce(8, 1) == 0)
        #expect(abs(network.allReduce(8, 1_024) - 10 * network.message(8)) < 1e-15)
        #expect(abs(network.allReduce(8, 1_025) - 11 * network.message(8)) < 1e-15)
        // Long sums move twice the vector, not the vector in each round.
        #expect(network.allReduce(1e9, 1_024) < 2.1)
        #expect(network.allReduce(1e9, 1_024) > 1.9)
        // Short ones to all: ten rounds of half of everything. Long ones: one partner at a time.
        #expect(network.allToAll(8, 1) == 0)
        #expect(abs(network.allToAll(8, 1_024) - 10 * network.message(4_096)) < 1e-15)
        #expect(abs(network.allToAll(8, 1_025) - 11 * network.message(4_100)) < 1e-15)
        #expect(abs(network.allToAll(1e6, 1_024) - 1_023 * network.message(1e6)) < 1e-9)
        // Neighbours: all messages under way at once, one latency.
        #expect(network.exchange(0, bytes: 1_000) == 0)
        #expect(abs(network.exchange(6, bytes: 1_000) - (3e-6 + 6 * 3e-6)) < 1e-15)
    }

    @Test("Equal shares: the slowest type sets the time, the smallest memory what fits")
    func mixedTypes() throws {
        // 512 nodes of each: the E5450 has more flop/s and less memory bandwidth.
        let old = try target("tianhe-1", "th1-e5450", nodes: 512)
        var mixed = try target("tianhe-1", "th1", nodes: 512)
        let new = PredictionTarget(
            machine: "tianhe-1",
            groups: mixed.groups + mixed.groups,
            network: mixed.network
        )
        mixed.groups += old.groups
        let slow = PredictionTarget(
            machine: "tianhe-1",
            groups: old.groups + old.groups,
            network: old.network
        )
        func seconds(_ kernel: KernelForm, _ target: PredictionTarget) throws -> Double {
            let shape = kernel.namedSizes[2].map { kernel == .gemm ? 4 * $0 : $0 }
            return try KernelPrediction(kernel, shape: shape, on: target, usesCards: false).seconds
        }
        #expect(try seconds(.stream, mixed) == seconds(.stream, slow))
        #expect(try seconds(.gemm, mixed) == seconds(.gemm, new))
        #expect(try seconds(.lu, mixed) > max(seconds(.lu, slow), seconds(.lu, new)))
        mixed.groups[0].rates.memory /= 2
        #expect(mixed.memory == slow.memory / 2)
    }

    @Test("Cores, cards, peak and power are counted type by type")
    func totals() throws {
        let all = try PredictionTarget(
            Machines.named("tianhe-1"),
            typeNames: ["th1-operation", "th1"],
            nodeCount: 1_000
        )
        #expect(all.groups.map(\.count) == [512, 488])
        #expect(all.nodeName == "th1-operation + th1")
        #expect(all.cores == 8_000)
        #expect(all.cards == 2 * 488)
        #expect(all.peak == 512 * 96e9 + 488 * (80.96e9 + 2 * 184e9))
    }

    @Test("Who shares a node has the cores and cards that it holds, and no others")
    func sharedNode() throws {
        let whole = try #require(try target("tianhe-2", nodes: 1).groups.first).rates
        var part = whole
        part.keep(cores: 6, cards: 1)
        #expect(part.cores == 6 && part.cards == 1)
        #expect(part.coreGemm == whole.coreGemm / 4 && part.memory == whole.memory / 4)
        #expect(abs(part.cardGemm - whole.cardGemm / 3) < 1)
        #expect(abs(part.peak - (422.4e9 / 4 + 1_003.2e9)) < 1)
        part = whole
        part.keep(cores: 24, cards: 0)
        #expect(part.coreGemm == whole.coreGemm && part.cardGemm == 0)
        part = whole
        part.keep(cores: 24, cards: 3)
        #expect(part == whole)
        // A core that feeds a card all the time still solves and factorises.
        part.keep(cores: 1, cards: 1)
        let lu = try KernelPrediction(
            .lu,
            shape: [10_000, 256],
            on: PredictionTarget(
                machine: "tianhe-2",
                groups: [PredictionTarget.Group(rates: part, count: 1)],
                network: NetworkModel(latency: 1e-6, overhead: 1e-6, secondsOfByte: 1e-9)
            )
        )
        #expect(lu.usesCards && lu.seconds < 10, "\(lu.parts)")
    }

    @Test("What a prediction rests on is said, from memory or not")
    func assumptionsAreSaid() throws {
        let accelerated = try target("tianhe-2a", nodes: nil)
        #expect(
            accelerated.powerNotes == [
                "th2a: power of 18.482 MW / 17792 nodes of tianhe-2a, network and storage included, "
                    + "at any load, TOP500, from memory"
            ]
        )
        let lanes = accelerated.network.notes.filter { $0.contains("number of lanes") }
        #expect(lanes.count == 1 && lanes[0].hasPrefix("network.link_bandwidth of 112 Gb/s"))
        let fermi = try target("tianhe-1a", nodes: 1)
        #expect(fermi.powerNotes.count == 1 && fermi.powerNotes[0].contains("power of 563 W at"))
        let streams = "NVIDIA Tesla M2050: memory streams assumed at 80 % of nominal"
        #expect(fermi.notes.contains(streams), "\(fermi.notes)")
        #expect(try target("tianhe-3-prototype", nodes: 1).powerNotes.isEmpty)
    }

    @Test("A prediction repeats in proportion")
    func repeats() throws {
        let nodes = try target("tianhe-1a", nodes: 16)
        let one = try KernelPrediction(.fft, shape: [512, 512, 512], on: nodes)
        let ten = try KernelPrediction(.fft, shape: [512, 512, 512], on: nodes, repeats: 10)
        #expect(abs(ten.seconds - 10 * one.seconds) < 1e-12 * ten.seconds)
        #expect(ten.work.flop == 10 * one.work.flop)
        #expect(abs(ten.flopRate - one.flopRate) < 1e-9 * one.flopRate)
    }
}

@Suite("Refused predictions")
struct PredictionRefusalTests {
    private func refusal(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "not refused"
        } catch {
            return "\(error)"
        }
    }

    @Test("What makes no sense is named")
    func refusals() throws {
        let nodes = try target("tianhe-1a", nodes: 4)
        func predict(_ kernel: KernelForm, _ size: String, cards: Bool? = nil) throws {
            _ = try KernelPrediction(
                kernel,
                shape: kernel.shape(of: size),
                on: nodes,
                usesCards: cards
            )
        }
        let texts: [(String, () throws -> Void)] = [
            ("no kernel is called 'hpl'", { _ = try KernelForm(named: "hpl") }),
            ("'8x8' is no size of cg", { try predict(.cg, "8x8") }),
            ("'0' is no size of lu", { try predict(.lu, "0") }),
            (
                "needs 7.3 TiB of memory and the nodes have 96.0 GiB for equal shares",
                { try predict(.lu, "1000000") }
            ),
            ("cannot be spread over 4 nodes; 2 would do", { try predict(.infer, "2x8x64") }),
            (
                "9000 nodes: tianhe-1a has 7168 of this kind",
                { _ = try target("tianhe-1a", nodes: 9_000) }
            ),
            (
                "has no node type 'th2'; it has th1a",
                { _ = try target("tianhe-1a", "th2", nodes: 1) }
            ),
            ("the peak of host is not known", { _ = try target("host", nodes: 1) }),
        ]
        for (text, body) in texts {
            let found = refusal(body)
            #expect(found.contains(text), "\(found)")
        }
        let noCards = try target("tianhe-3-prototype", "th3p-mtp", nodes: 4)
        let found = refusal {
            _ = try KernelPrediction(.cg, shape: [64, 64, 64], on: noCards, usesCards: true)
        }
        #expect(found.contains("no cards that cg could use"), "\(found)")
    }

    /// 211 and 7,127 are primes: no cut but slabs, which are thinner than a point or a margin.
    static let unfit: [(KernelForm, [Int], Int, Int?)] = [
        (.cg, [104, 104, 104], 211, 210), (.md, [100, 100, 100], 7_127, 7_125),
        (.shallow, [2_048, 2_048], 2_039, 2_038), (.stencil, [256, 256, 256], 7_127, 7_125),
        (.stencil, [16, 16, 16], 7_000, nil), (.fft, [192, 192, 192], 211, 210),
        (.gemm, [200, 200, 200], 211, 210), (.lu, [1_000, 128], 73, 64),
        (.lu, [2_000, 1_000], 7, 6),
    ]

    @Test(
        "Nodes that would get no part are refused, and a count that does is named",
        arguments: unfit
    )
    func nodesWithoutPart(kernel: KernelForm, shape: [Int], nodes: Int, fitting: Int?) throws {
        let expected = PredictionRefusal.tooManyNodes(
            nodes,
            kernel: kernel,
            shape: shape,
            fitting: fitting
        )
        #expect(throws: expected) {
            _ = try KernelPrediction(kernel, shape: shape, on: target("tianhe-1a", nodes: nodes))
        }
        guard let fitting else { return }
        let prediction = try KernelPrediction(
            kernel,
            shape: shape,
            on: target("tianhe-1a", nodes: fitting)
        )
        #expect(prediction.parts.count > 1, "\(prediction.parts)")
    }

    @Test("A host is predicted from its profile, and a broken profile is named")
    func hostProfile() throws {
        let text = """
            {"format":"xinghe-host-profile/1","host":"h","cores":4,"gemm_flop_per_s":1e11,
             "stream_byte_per_s":2e10,"efficiency":{"cg":0.5}}
            """
        let rates = try HostRates(profile: JSONValue(parsing: text))
        let nodes = try PredictionTarget(
            Machines.named("host"),
            nodeCount: 1,
            measured: rates
        )
        let cg = try KernelPrediction(
            .cg,
            shape: [64, 64, 64],
            on: nodes,
            efficiencies: rates.efficiencies
        )
        #expect(abs(cg.seconds - cg.work.byte / 2e10 / 0.5) < 1e-9)
        #expect(cg.notes.contains { $0.contains("50 % of its roofline on a node (measured on h)") })
        // It says nothing of md, so that figure is not its own.
        let md = try KernelPrediction(
            .md,
            shape: [10, 10, 10],
            on: nodes,
            efficiencies: rates.efficiencies
        )
        #expect(md.notes.contains { $0.contains("12 %") && $0.contains("developers' host") })
        let broken = [
            ("\"cores\":4", "\"x\":-1", "cores"),
            ("\"gemm_flop_per_s\":1e11", "\"x\":-1", "gemm_flop_per_s"),
            ("\"cg\":0.5", "\"nosuch\":0.5", "efficiency.nosuch"),
            ("\"cg\":0.5", "\"cg\":1e18", "efficiency.cg"),
            ("\"cg\":0.5", "\"cg\":0", "efficiency.cg"),
            ("{\"cg\":0.5}", "[]", "'efficiency' is no object"),
            ("host-profile/1", "other", "format"),
        ]
        for (right, wrong, name) in broken {
            let profile = text.replacing(right, with: wrong)
            let found = refusal { _ = try HostRates(profile: JSONValue(parsing: profile)) }
            #expect(found.contains(name), "\(found)")
        }
    }

    @Test("Every kernel is predicted on every node type", arguments: KernelForm.allCases)
    func everyTypeIsPredicted(kernel: KernelForm) throws {
        for name in MachineCatalog.machineNames where name != "host" {
            let machine = try Machines.named(name)
            for type in machine.nodeTypes where type.topology != .host {
                let count = machine.nodes.count {
                    machine.nodeTypes[$0.typeIndex].name == type.name
                }
                let target = try target(name, type.name, nodes: min(2, count))
                for shape in kernel.namedSizes.prefix(2) {
                    let prediction = try KernelPrediction(kernel, shape: shape, on: target)
                    let seconds = prediction.parts.reduce(0) { $0 + $1.seconds }
                    let isAlone = kernel == .comm && count == 1
                    #expect(seconds.isFinite && (seconds > 0 || isAlone), "\(name)/\(type.name)")
                }
            }
        }
    }

    @Test("Matrix products run at the clock that all cores hold in them")
    func vectorClock() throws {
        var machine = try Machines.named("tianhe-2")
        let before = try PredictionTarget(machine, nodeCount: 1).groups[0].rates
        machine.nodeTypes[0].processor.vectorClock = Frequency(hertz: 1_100_000_000)
        let after = try PredictionTarget(machine, nodeCount: 1).groups[0].rates
        #expect(abs(after.coreGemm / before.coreGemm - 0.5) < 1e-12)
        #expect(after.corePeak == before.corePeak)
    }
}
