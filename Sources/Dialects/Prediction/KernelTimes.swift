/// The parts of the time of one repetition, where all nodes are alike.
struct KernelTimes {
    var kernel: KernelForm
    var shape: [Int]
    var work: KernelWork
    var rates: NodeRates
    var nodes: Int
    var network: NetworkModel
    var usesCards: Bool
    var efficiency: Double

    private var extents: [Double] { shape.map(Double.init) }

    var parts: [KernelPrediction.Part] {
        switch kernel {
        case .lu:
            return LinpackModel(
                order: shape[0],
                block: shape[1],
                rates: rates,
                nodes: nodes,
                network: network,
                usesCards: usesCards
            ).parts
        case .comm: return messageParts
        case .train: return trainingParts
        default: return [.init(boundName, compute)] + exchangeParts
        }
    }

    // MARK: On a node

    /// Single precision computes twice as fast.
    private var precision: Double { kernel.isSinglePrecision ? 2 : 1 }

    private var flopSeconds: Double {
        work.flop / Double(nodes) / (rates.gemm(usesCards: usesCards) * precision)
    }
    private var byteSeconds: Double {
        work.byte / Double(nodes) / rates.bandwidth(usesCards: usesCards)
    }
    private var compute: Double { max(flopSeconds, byteSeconds) / efficiency }

    private var boundName: String {
        flopSeconds > byteSeconds ? "computing (operations)" : "computing (memory)"
    }

    // MARK: Between nodes

    /// An exchange of margins `depth` points deep, of `fields` numbers a point.
    /// On a grid with every `apart`th point along each axis.
    private func halo(depth: Double, fields: Double, apart: Double = 1) -> Double {
        guard let cut = kernel.boxes(shape, over: nodes) else {
            preconditionFailure("\(kernel) \(shape) on \(nodes) nodes was to be refused")
        }
        let block = zip(extents, cut).map { $0 / $1 / apart }
        var (bytes, messages) = (0.0, 0)
        for axis in cut.indices where cut[axis] > 1 {
            bytes += 2 * 8 * depth * fields * KernelForm.face(of: block, across: axis)
            messages += 2
        }
        let link = usesCards && rates.cardLink > 0 ? 2 * bytes / rates.cardLink : 0
        return network.exchange(messages, bytes: bytes / Double(messages)) + link
    }

    private var exchangeParts: [KernelPrediction.Part] {
        guard nodes > 1 else { return [] }
        let steps = Double(KernelForm.stepsOfRepetition)
        switch kernel {
        case .cg:
            let iterations = KernelForm.iterations(shape)
            return [
                .init("halo exchange", iterations * halo(depth: 1, fields: 1)),
                .init("sums over nodes", iterations * 3 * network.allReduce(8, nodes)),
            ]
        case .hpcg:
            let iterations = Double(KernelForm.iterationsOfSet)
            // Before the residual and before the second smoothing of each grid but the coarsest.
            let cycle = [1.0, 2, 4].reduce(0) {
                $0 + 2 * halo(depth: 1, fields: 1, apart: $1)
            }
            return [
                .init("halo exchange", iterations * (halo(depth: 1, fields: 1) + cycle)),
                .init("sums over nodes", iterations * 3 * network.allReduce(8, nodes)),
            ]
        case .stencil: return [.init("halo exchange", steps * halo(depth: 4, fields: 1))]
        case .shallow: return [.init("halo exchange", steps * halo(depth: 2, fields: 3))]
        case .md:
            // A lattice cell is 1.68 wide and has 4 atoms: margins of 2.5 are 1.5 cells deep;
            // positions each step, and atoms that move house, which are few.
            return [.init("halo exchange", steps * halo(depth: 1.5, fields: 4 * 3.2))]
        case .fft: return [.init("transposes", transposes)]
        case .gemm: return [.init("panels of A and B", panels)]
        case .graph: return searchParts
        default: return []
        }
    }

    /// One trade of slabs while each node has a plane; then two of pencils, within rows and within
    /// columns of nodes. As `FourierKernel` does.
    private var transposes: Double {
        let bytes = 16 * extents.reduce(1, *) / Double(nodes)
        func trade(_ parties: Int) -> Double {
            network.allToAll(bytes / Double(parties), parties)
        }
        guard nodes > min(shape[0], shape[1]) else { return trade(nodes) }
        let (rows, columns) = squarest(nodes)
        return trade(columns) + trade(rows)
    }

    /// SUMMA: panels of 256 columns of A along rows, of B along columns, each handed on in a ring.
    private var panels: Double {
        let (rows, columns) = squarest(nodes)
        let count = (extents[2] / 256).rounded(.up)
        let a = columns > 1 ? 8 * extents[0] / Double(rows) * 256 : 0
        let b = rows > 1 ? 8 * extents[1] / Double(columns) * 256 : 0
        return count * ((a > 0 ? network.message(a) : 0) + (b > 0 ? network.message(b) : 0))
    }

    /// Level by level: each end of an edge goes to its owner once from each node.
    private var searchParts: [KernelPrediction.Part] {
        let levels = 8.0
        let vertices = Double(sign: .plus, exponent: min(shape[0], 200), significand: 1)
        let remote = Double(nodes - 1) / Double(nodes)
        let sent = min(2 * vertices * extents[1] / Double(nodes), vertices) * 16 * remote
        let pairs = sent / Double(nodes) / levels
        return [
            .init("ends to their owners", levels * network.allToAll(pairs, nodes)),
            .init("sums over nodes", (levels + 1) * network.allReduce(8, nodes)),
        ]
    }

    /// Gradients are summed while the backward pass goes on, two thirds of the computing; the last
    /// of six matrices has nothing left to hide behind.
    private var trainingParts: [KernelPrediction.Part] {
        let bytes = 4 * 12 * extents[2] * extents[2]
        let sum = network.allReduce(bytes, nodes)
        let shown = nodes > 1 ? max(sum - compute * 2 / 3, sum / 6) : 0
        return [.init(boundName, compute), .init("gradient sums not hidden", shown)]
    }

    private var messageParts: [KernelPrediction.Part] {
        guard nodes > 1 else { return [] }
        var (pingPong, allReduce, allToAll) = (0.0, 0.0, 0.0)
        for count in KernelForm.messageCounts(upTo: max(1, shape[0] / 8)) {
            let calls = Double(KernelForm.messageCalls(count))
            let bytes = 8 * Double(count)
            pingPong += calls * 2 * network.message(bytes)
            allReduce += calls * network.allReduce(bytes, nodes)
            allToAll += calls * network.allToAll(bytes, nodes)
        }
        return [
            .init("ping-pong", pingPong), .init("all-reduce", allReduce),
            .init("all-to-all", allToAll),
        ]
    }
}
