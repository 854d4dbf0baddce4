/// The time of HPL by its own published model, with hybrid nodes and their links added.
///
/// The matrix of order N lies block-cyclic with blocks NB on P × Q nodes. The parts follow one
/// another without overlap, as in HPL's model (no look-ahead):
///
/// - *update*: 2/3 N³ operations at the nodes' rate of matrix products;
/// - *triangular solve*: N² NB / 2Q on the cores, each row of nodes does all of it;
/// - *panel*: the recursive factorisation on the P nodes of a column; by roofline: NB² operations
///   and 16 NB log₂ NB bytes a row of the panel;
/// - *pivots*: one exchange of 2 NB words over the column of nodes for each of N columns;
/// - *broadcast*: 4 N²/P bytes along the rows; *row swap*: 12 N²/Q bytes along the columns (the two
///   make HPL's β N² (3P + Q) / 2PQ words);
/// - *row gather*: packing and unpacking swapped rows in memory, a cache line for each word, on
///   the node that holds them: 128 byte for each of N²/2Q words.
///
/// Cards are fed by a core each, and cannot run faster than their link brings operands: a product
/// of depth NB moves each element of C in and out, 8 byte each way for 2 NB operations.
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
        self.block = Double(block)
        self.rates = rates
        self.network = network
        (rows, columns) = squarest(nodes)
        self.usesCards = usesCards && rates.cards > 0
    }

    /// What one node does in the update.
    var nodeRate: Double {
        guard usesCards else { return rates.coreGemm }
        return rates.freeCoreGemm + min(rates.cardGemm, rates.cardLink * block / 4)
    }

    var parts: [KernelPrediction.Part] {
        let (p, q) = (Double(rows), Double(columns))
        let square = order * order
        let panelRow = max(
            block * block / rates.coreGemm,
            16 * block * binaryLogarithm(max(2, block)) / rates.coreBandwidth
        )
        let flop: Double = square * (order * 2 / 3 + 1.5)
        let solvers = usesCards ? rates.freeCoreGemm : rates.coreGemm
        let solved: Double = square * block / 2
        var parts: [KernelPrediction.Part] = [
            .init("update", flop / (p * q) / nodeRate),
            .init("triangular solve", solved / q / max(solvers, 1)),
            .init("panel", square / (2 * p * block) * panelRow),
            .init("row gather", square / (2 * q) * 128 / rates.coreBandwidth),
        ]
        if rows > 1 {
            let swap = network.message(16 * block)
            parts.append(.init("pivots", order * Double(treeRounds(rows)) * swap))
            parts.append(.init("row swap", 12 * square / q * network.secondsOfByte))
        }
        if columns > 1 {
            parts.append(.init("broadcast", 4 * square / p * network.secondsOfByte))
        }
        return parts
    }

    /// The block size that just hides the cards' transfers, in steps of 128; 256 without cards.
    static func usualBlock(_ target: PredictionTarget) -> Int {
        let cards = target.groups.map(\.rates).filter { $0.cards > 0 && $0.cardLink > 0 }
        let hiding: Double = cards.map { 4 * $0.cardGemm / $0.cardLink }.max() ?? 0
        return max(256, 128 * Int((hiding / 128).rounded(.up)))
    }

    /// The order whose matrix takes `share` of the nodes' memory.
    static func order(filling share: Double, of target: PredictionTarget) -> Int {
        Int((share * target.memory / 8).squareRoot())
    }
}
