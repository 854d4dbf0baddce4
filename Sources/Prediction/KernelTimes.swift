/// The parts of the time of one repetition.
struct KernelTimes {
    var kernel: KernelForm
    var shape: [Int]
    var work: KernelWork
    var target: PredictionTarget
    var usesCards: Bool
    var efficiency: Double

    private var nodes: Int { target.nodeCount }
    private var network: NetworkModel { target.network }
    private var extents: [Double] { shape.map(Double.init) }

    var parts: [KernelPrediction.Part] {
        switch kernel {
        case .lu:
            return LinpackModel(
                order: shape[0],
                block: shape[1],
                target: target,
                usesCards: usesCards
            ).parts
        case .comm: return messageParts
        case .train: return trainingParts
        default: return [.init(boundName, compute)] + exchangeParts
        }
    }

    // MARK: On a node

    /// Single precision computes twice as fast.
    private var precision: Double { kernel == .infer || kernel == .train ? 2 : 1 }

    private var gemmRate: Double {
        let rates = target.rates
        guard usesCards else { return rates.coreGemm * precision }
        let feeding = Double(max(0, rates.cores - rates.cards)) / Double(rates.cores)
        return (rates.coreGemm * feeding + rates.cardGemm) * precision
    }

    private var bandwidth: Double {
        target.rates.coreBandwidth + (usesCards ? target.rates.cardBandwidth ?? 0 : 0)
    }

    private var flopSeconds: Double { work.flop / Double(nodes) / gemmRate }
    private var byteSeconds: Double { work.byte / Double(nodes) / bandwidth }
    private var compute: Double { max(flopSeconds, byteSeconds) / efficiency }

    private var boundName: String {
        flopSeconds > byteSeconds ? "computing (operations)" : "computing (memory)"
    }

    // MARK: Between nodes

    /// Nodes along each axis of a grid: the cut that sends least.
    private func boxes(_ axes: Int) -> [Double] {
        var best = [Double](repeating: 1, count: axes)
        var least = Double.infinity
        func consider(_ candidate: [Int]) {
            let count = candidate.map(Double.init)
            guard zip(extents, count).allSatisfy({ $0 >= $1 }) else { return }
            let area = (0..<axes).reduce(0.0) { sum, axis in
                let face = (0..<axes).filter { $0 != axis }.reduce(1.0) { $0 * extents[$1] }
                return sum + (count[axis] - 1) * face
            }
            if area < least {
                least = area
                best = count
            }
        }
        for first in divisors(nodes) {
            let rest = nodes / first
            if axes == 2 {
                consider([first, rest])
            } else {
                for second in divisors(rest) { consider([first, second, rest / second]) }
            }
        }
        return best
    }

    /// An exchange of margins `depth` points deep, of `fields` numbers a point.
    private func halo(axes: Int, depth: Double, fields: Double) -> Double {
        let cut = boxes(axes)
        let block = (0..<axes).map { extents[$0] / cut[$0] }
        var (bytes, messages) = (0.0, 0)
        for axis in 0..<axes where cut[axis] > 1 {
            let face = (0..<axes).filter { $0 != axis }.reduce(1.0) { $0 * block[$1] }
            bytes += 2 * 8 * depth * fields * face
            messages += 2
        }
        guard messages > 0 else { return 0 }
        let link = usesCards ? 2 * bytes / target.rates.cardLink : 0
        return network.exchange(messages, bytes: bytes / Double(messages)) + link
    }

    private var exchangeParts: [KernelPrediction.Part] {
        guard nodes > 1 else { return [] }
        let steps = Double(KernelForm.stepsOfRepetition)
        switch kernel {
        case .cg:
            let iterations = KernelForm.iterations(shape)
            return [
                .init("halo exchange", iterations * halo(axes: 3, depth: 1, fields: 1)),
                .init("sums over nodes", iterations * 3 * network.allReduce(8, nodes)),
            ]
        case .stencil: return [.init("halo exchange", steps * halo(axes: 3, depth: 4, fields: 1))]
        case .shallow: return [.init("halo exchange", steps * halo(axes: 2, depth: 2, fields: 3))]
        case .md:
            // A lattice cell is 1.68 wide and has 4 atoms: margins of 2.5 are 1.5 cells deep;
            // positions each step, and atoms that move house, which are few.
            return [.init("halo exchange", steps * halo(axes: 3, depth: 1.5, fields: 4 * 3.2))]
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

/// All divisors of `count`.
private func divisors(_ count: Int) -> [Int] {
    var result: [Int] = []
    var candidate = 1
    while candidate * candidate <= count {
        if count % candidate == 0 {
            result.append(candidate)
            if candidate * candidate != count { result.append(count / candidate) }
        }
        candidate += 1
    }
    return result
}
