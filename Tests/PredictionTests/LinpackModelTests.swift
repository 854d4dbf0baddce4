import Testing

@testable import Prediction

@Suite("The model of Linpack")
struct LinpackModelTests {
    private static let rates = NodeRates(
        name: "round",
        cores: 10,
        cards: 2,
        peak: 5e12,
        corePeak: 1e12,
        coreGemm: 1e12,
        cardGemm: 3e12,
        coreBandwidth: 1e11,
        cardBandwidth: nil,
        cardLink: 6e10,
        memory: 1e12,
        watts: nil,
        powerNote: nil,
        notes: []
    )

    private func model(
        order: Int,
        block: Int,
        nodes: Int,
        usesCards: Bool = false
    ) -> LinpackModel {
        LinpackModel(
            order: order,
            block: block,
            rates: Self.rates,
            nodes: nodes,
            network: NetworkModel(latency: 3e-6, overhead: 1e-6, secondsOfByte: 1e-9),
            usesCards: usesCards
        )
    }

    @Test("Each part is what its formula gives by hand")
    func partsByHand() throws {
        // N = 60,000 in 600 blocks of 100 on 2 x 3 nodes; a message without its bytes takes 5 us.
        let parts = model(order: 60_000, block: 100, nodes: 6).parts
        let imbalance = 1 + 0.75 * 3 / 600 + 0.75 * 2 / 360_000
        let hand: [(String, Double)] = [
            ("update", 24.0009 * imbalance),
            ("triangular solve", 0.06),
            // 9 million rows, each of 16 NB log2(NB) = 10,630.17 byte; 10^4 operations take less.
            ("panel", 9e6 * 10_630.169_903_6 / 1e11),
            ("row gather", 0.768),
            ("pivots", 60_000 * 6.599e-6),
            ("row swap", 14.4 + 600 * 2 * 5e-6),
            ("broadcast", 7.2 + 600 * 5e-6),
        ]
        try #require(parts.map(\.name) == hand.map(\.0))
        for (part, expected) in zip(parts, hand) {
            #expect(abs(part.seconds - expected.1) < 1e-9 * expected.1, "\(part) \(expected)")
        }
    }

    @Test("The node with most blocks sets the update: the closed form agrees with the count")
    func imbalanceIsCounted() {
        let cases = [(1, 1_000), (16, 2_000), (6, 1_000), (128, 20_000), (7_168, 16_788)]
        for (nodes, blocks) in cases {
            let model = model(order: 100 * blocks, block: 100, nodes: nodes)
            let (p, q) = (model.rows, model.columns)
            var (most, even) = (0, 0)
            for left in 1...blocks {
                most += ((left + p - 1) / p) * ((left + q - 1) / q)
                even += left * left
            }
            let counted = Double(most) * Double(p * q) / Double(even)
            #expect(abs(model.imbalance - counted) < 1e-4, "\(p) x \(q): \(counted)")
        }
    }

    @Test("Cards take a core each and are as fast as their link, and other parts use all cores")
    func cards() {
        // NB = 100: 8 byte each way for 200 operations over 60 GB/s are 1.5 Tflop/s.
        #expect(
            abs(model(order: 1_000, block: 100, nodes: 1, usesCards: true).nodeRate - 2.3e12) < 1
        )
        #expect(
            abs(model(order: 1_000, block: 400, nodes: 1, usesCards: true).nodeRate - 3.8e12) < 1
        )
        let solve = { (usesCards: Bool) in
            self.model(order: 1_000, block: 100, nodes: 1, usesCards: usesCards).parts[1].seconds
        }
        #expect(solve(true) == solve(false))
    }

    @Test(
        "A matrix that fits in the cards stays there, if that is faster, and its panels cross the link"
    )
    func residentMatrix() {
        var model = model(order: 100_000, block: 512, nodes: 4, usesCards: true)
        model.rates.cardLink = 6e10
        let streaming = model.nodeRate
        // 80 GB over four nodes.
        model.rates.cardMemory = 23e9
        model.rates.cardBandwidth = 1e12
        model.rates.cardGemm = 50e12
        #expect(model.isResident)
        #expect(model.nodeRate == 50e12 && model.nodeRate > streaming)
        let panels = model.parts.first { $0.name == "panels over the link" }
        #expect(abs((panels?.seconds ?? 0) - 8 * 1e10 / 2 / 6e10) < 1e-9)
        // Nine tenths are for the matrix.
        model.rates.cardMemory = 22e9
        #expect(!model.isResident)
        // Their memories feed them, too: 1 TB/s and NB = 128 make 16 Tflop/s.
        var slow = model
        slow.rates.cardMemory = 23e9
        slow.block = 128
        #expect(slow.nodeRate == 16e12)
    }

    @Test("A card on the processor's chip has no link, and shares its memory")
    func sharedMemory() {
        var model = model(order: 1_000, block: 256, nodes: 1, usesCards: true)
        model.rates.cardLink = 0
        model.rates.cardsShareMemory = true
        model.rates.cardGemm = 10e12
        model.rates.coreBandwidth = 200e9
        // 8 byte to and 8 from memory for 512 operations.
        #expect(abs(model.nodeRate - model.rates.freeCoreGemm - 6.4e12) < 1)
        model.rates.coreBandwidth = 1e12
        #expect(abs(model.nodeRate - model.rates.freeCoreGemm - 10e12) < 1)
    }

    @Test("A block is no larger than the matrix")
    func blockIsClamped() {
        let large = model(order: 1_000, block: 1 << 40, nodes: 1).parts
        #expect(large == model(order: 1_000, block: 1_000, nodes: 1).parts)
        #expect(large.reduce(0) { $0 + $1.seconds } < 1)
    }
}
