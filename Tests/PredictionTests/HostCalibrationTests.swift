import Prediction
import Testing
import WireFormats

@Suite("A host's profile")
struct HostCalibrationTests {
    private func line(_ kernel: String, flop: Double, byte: Double) -> JSONValue {
        [
            "kernel": .string(kernel), "best_flop_per_s": .number(flop),
            "best_byte_per_s": .number(byte),
        ]
    }

    private func calibration(messages: JSONValue? = nil) -> HostCalibration {
        HostCalibration(
            host: "h",
            processor: "p",
            cores: 4,
            load: 0.25,
            levels: [
                .init(name: "L1", bytes: 16_384, rate: 4e11),
                .init(name: "memory", bytes: 1 << 28, rate: 2e10),
            ],
            lines: [
                line("gemm", flop: 1e11, byte: 1e9), line("stream", flop: 1e9, byte: 2e10),
                line("cg", flop: 2e9, byte: 1.2e10), line("infer", flop: 1.6e11, byte: 1e9),
            ],
            messages: messages
        )
    }

    @Test("The part of the roofline is the larger of the two rates' parts")
    func efficiencies() {
        let shares = Dictionary(uniqueKeysWithValues: calibration().efficiencies)
        #expect(shares[.gemm] == 1)
        #expect(shares[.stream] == 1)
        #expect(abs((shares[.cg] ?? 0) - 0.6) < 1e-12)
        // Single precision could do twice as much.
        #expect(abs((shares[.infer] ?? 0) - 0.8) < 1e-12)
    }

    @Test("What calibrate writes, predict reads")
    func roundTrip() throws {
        let text = calibration().profile.prettyText
        let rates = try HostRates(profile: JSONValue(parsing: text))
        #expect(rates.host == "h")
        #expect(rates.cores == 4)
        #expect(rates.gemm == 1e11)
        #expect(rates.bandwidth == 2e10)
        #expect(abs(rates.efficiencies.share(.cg).value - 0.6) < 1e-12)
        // What a profile has not measured comes from the reference.
        let reference = KernelEfficiencies.reference.share(.stencil).value
        #expect(rates.efficiencies.share(.stencil).value == reference)
    }

    @Test("A measured card works in predictions for the host, and a wrong figure of it is named")
    func cards() throws {
        let gemm: JSONValue = [
            "best_flop_per_s": .number(5e12), "details": ["link_byte_per_s": .number(2e10)],
            "on": ["card": ["name": "X", "driver": "1.2", "memory_byte": 16_000_000_000]],
        ]
        let stream: JSONValue = ["details": ["triad_byte_per_s": .number(9e11)]]
        let card = try #require(HostCard(gemm: gemm, stream: stream))
        #expect(HostCard(gemm: ["best_flop_per_s": 5], stream: stream) == nil)
        var measured = calibration()
        measured.cards = [card, card]
        let text = measured.profile.prettyText
        let rates = try HostRates(profile: JSONValue(parsing: text))
        #expect(rates.cards == [card, card])
        #expect((card.gemm, card.bandwidth, card.link, card.memory) == (5e12, 9e11, 2e10, 1.6e10))
        #expect(card.driver == "1.2")
        let bad = text.replacing("\"link_byte_per_s\": 20000000000", with: "\"link_byte_per_s\": 0")
        try #require(bad != text)
        do throws(JSONValue.Malformed) {
            _ = try HostRates(profile: JSONValue(parsing: bad))
            Issue.record("taken")
        } catch {
            #expect(error.problem == "'cards[0].link_byte_per_s' is no number above 0")
        }
    }

    @Test("The fit finds the parameters that made the times")
    func fit() throws {
        let bytes = (0..<11).map { 8.0 * Double(1 << (2 * $0)) }
        let times = bytes.map { (bytes: $0, seconds: 2 * 2e-7 + 1e-6 + 1.5e-10 * $0) }
        let fit = try #require(MessageFit(times, overhead: 2e-7))
        #expect(abs(fit.latency - 1e-6) < 1e-12)
        #expect(fit.overhead == 2e-7)
        #expect(abs(fit.secondsOfByte - 1.5e-10) < 1e-16)
        #expect(fit.worstError < 1e-6)
        #expect(MessageFit([(bytes: 8, seconds: 1e-6)], overhead: 0) == nil)
    }

    @Test("The profile has the fit of the messages that comm printed")
    func messages() throws {
        let comm: JSONValue = [
            "details": [
                "message_bytes": [8, 1_000_000], "ping_pong_s": [.number(1e-6), .number(1e-4)],
                "send_overhead_s": .number(2e-7),
            ]
        ]
        let loggp = try #require(calibration(messages: comm).profile["loggp"])
        #expect(abs((loggp["latency_s"]?.double ?? 0) - 6e-7) < 1e-8)
        #expect(abs((loggp["seconds_per_byte"]?.double ?? 0) - 9.9e-11) < 1e-13)
        #expect(calibration().profile["loggp"] == nil)
    }
}
