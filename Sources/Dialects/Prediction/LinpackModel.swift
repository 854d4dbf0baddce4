/// The time of HPL by its own published model, with hybrid nodes and their links added.
///
/// The matrix of order N lies block-cyclic with blocks NB on P × Q nodes. The parts follow one
/// another without overlap, as in HPL's model (no look-ahead); α is a message's time without its
/// bytes:
///
/// - *update*: 2/3 N³ operations at the nodes' rate of matrix products, and what the node with most
///   blocks has more than its share (`imbalance`);
/// - *triangular solve*: N² NB / 2Q on the cores, each row of nodes does all of it;
/// - *panel*: the recursive factorisation on the P nodes of a column; by roofline: NB² operations
///   and 16 NB log₂ NB bytes a row of the panel;
/// - *pivots*: one exchange of 2 NB words over the column of nodes for each of N columns;
/// - *row swap*: 12 N²/Q bytes along the columns and, each of N/NB times, (log₂ P + P − 1) α;
///   *broadcast*: 4 N²/P bytes along the rows and N/NB times α (the two make HPL's
///   β N² (3P + Q) / 2PQ words and, with the pivots, its α N ((NB + 1) log₂ P + P) / NB);
/// - *row gather*: packing and unpacking swapped rows in memory, a cache line for each word, on
///   the node that holds them: 128 byte for each of N²/2Q words.
///
/// Cards are fed by a core each, and cannot run faster than operands come: a product of depth NB moves
/// each element of C in and out, 8 byte each way for 2 NB operations. Over a link the two ways go at
/// once; on a chip that shares its cores' memory both go through that, and with nothing to move the
/// cards do the triangular solve and the panels, too. Where the matrix fits in the
/// cards' own memories it may stay there instead (`isResident`, if that is faster): then C moves in
/// theirs, the cores have the panels alone, and each panel crosses the link twice. While cards have
/// nothing to do, in the other parts, all cores work.
///
/// Source: netlib.org/benchmark/hpl/scalability.html for the model; Fatica, GPGPU-2, 2009, for the
/// cards.
struct LinpackModel {
    var order: Double
    var block: Double
    var rates: NodeRates
    var network: NetworkModel
    /// P and Q.
    var rows: Int
    var columns: Int
    var usesCards: Bool

    init(
        order: Int,
        block: Int,
        rates: NodeRates,
        nodes: Int,
        network: NetworkModel,
        usesCards: Bool
    ) {
        self.order = Double(order)
        self.block = Double(min(block, order))
        self.rates = rates
        self.network = network
        (rows, columns) = squarest(nodes)
        self.usesCards = usesCards && rates.cards > 0
    }

    /// What one node does in the update.
    var nodeRate: Double {
        guard usesCards else { return rates.coreGemm }
        return max(streamingRate, residentRate)
    }

    /// Whether the matrix stays in the cards' memories.
    var isResident: Bool { usesCards && residentRate > streamingRate }

    /// With C in the node's memory.
    private var streamingRate: Double {
        let fed =
            rates.cardsShareMemory
            ? rates.coreBandwidth * block / 8 : rates.cardLink * block / 4
        return rates.freeCoreGemm + min(rates.cardGemm, fed)
    }

    /// With C in the cards' memories; 0 where it does not fit in nine tenths of them.
    private var residentRate: Double {
        let bytes = 8 * order * order / Double(rows * columns)
        guard bytes <= 0.9 * rates.cardMemory else { return 0 }
        return min(rates.cardGemm, (rates.cardBandwidth ?? .infinity) * block / 8)
    }

    /// How much longer the update is than with equal shares.
    ///
    /// With m blocks left along an axis of P nodes the one with most has ⌈m/P⌉, on the average over
    /// m (P − 1)/2P more than m/P; and one node has most of both axes. Summed over m up to
    /// M = N/NB with weight m², the work of a step, that is 1 + ¾ (P + Q − 2)/M, and a term of
    /// second order where neither axis has an even share.
    var imbalance: Double {
        let blocks = order / block
        let (p, q) = (Double(rows - 1), Double(columns - 1))
        return 1 + 0.75 * (p + q) / blocks + 0.75 * p * q / (blocks * blocks)
    }

    var parts: [KernelPrediction.Part] {
        let (p, q) = (Double(rows), Double(columns))
        let square = order * order
        let solver = usesCards && rates.cardsShareMemory ? nodeRate : rates.coreGemm
        let panelRow = max(
            block * block / solver,
            16 * block * binaryLogarithm(max(2, block)) / rates.coreBandwidth
        )
        let flop: Double = square * (order * 2 / 3 + 1.5)
        let solved: Double = square * block / 2
        var parts: [KernelPrediction.Part] = [
            .init("update", flop / (p * q) / nodeRate * imbalance),
            .init("triangular solve", solved / q / solver),
            .init("panel", square / (2 * p * block) * panelRow),
            .init(
                "row gather",
                square / (2 * q) * 128
                    / (isResident
                        ? rates.cardBandwidth ?? rates.coreBandwidth : rates.coreBandwidth)
            ),
        ]
        if isResident, rates.cardLink > 0 {
            parts.append(.init("panels over the link", 8 * square / p / rates.cardLink))
        }
        let panels = order / block
        let start = network.message(0)
        if rows > 1 {
            let rounds = Double(treeRounds(rows))
            let moved = 12 * square / q * network.secondsOfByte
            parts.append(.init("pivots", order * rounds * network.message(16 * block)))
            parts.append(.init("row swap", moved + panels * (rounds + p - 1) * start))
        }
        if columns > 1 {
            let moved = 4 * square / p * network.secondsOfByte
            parts.append(.init("broadcast", moved + panels * start))
        }
        return parts
    }

    /// The block size that just hides the cards' transfers, in steps of 128; 256 without cards.
    static func usualBlock(_ target: PredictionTarget) -> Int {
        let cards = target.groups.map(\.rates).filter { $0.cards > 0 }
        let hiding: Double =
            cards.map { rates in
                if rates.cardsShareMemory { return 8 * rates.cardGemm / rates.coreBandwidth }
                return rates.cardLink > 0 ? 4 * rates.cardGemm / rates.cardLink : 0
            }
            .max() ?? 0
        return max(256, 128 * Int((hiding / 128).rounded(.up)))
    }

    /// The order whose matrix takes `share` of the nodes' memory.
    static func order(filling share: Double, of target: PredictionTarget) -> Int {
        Int((share * target.memory / 8).squareRoot())
    }
}
