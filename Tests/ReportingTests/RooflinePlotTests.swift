import Foundation
import FoundationXML
import Prediction
import Reporting
import Testing
import WireFormats

@Suite("The roofline plot")
struct RooflinePlotTests {
    private func calibration(gemm: Bool = true, train: Bool = false) -> HostCalibration {
        func line(_ kernel: String, _ flop: Double, _ byte: Double) -> JSONValue {
            [
                "kernel": .string(kernel), "best_flop_per_s": .number(flop),
                "best_byte_per_s": .number(byte),
            ]
        }
        return HostCalibration(
            host: "a<b&c",
            processor: "p",
            cores: 2,
            load: 0,
            levels: [
                .init(name: "L1", bytes: 16_384, rate: 4e11),
                .init(name: "memory", bytes: 1 << 28, rate: 2e10),
            ],
            lines: [line("cg", 2e9, 1.2e10), line("graph", 1e7, 1e9)]
                + (gemm ? [line("gemm", 1e11, 1e9)] : [])
                + (train ? [line("train", 1.5e11, 1e9)] : []),
            messages: nil
        )
    }

    @Test("It is well-formed, names its axes with units, and shows every kernel and level")
    func svg() throws {
        let svg = try #require(RooflinePlot(calibration())).svg
        let parser = XMLParser(data: Data(svg.utf8))
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        for text in [
            "operations a byte (flop/byte)", "rate (Gflop/s)", ">double 100 Gflop/s<",
            ">cg: 2.00 Gflop/s at 0.17 flop/byte, ", ">cg<", ">graph<",
            ">gemm<", "L1 400 GB/s", "memory 20.0 GB/s", "a&lt;b&amp;c",
        ] {
            #expect(svg.contains(text), "\(text)")
        }
    }

    @Test("Points lie inside the frame, and none above the roof")
    func pointsLieInside() throws {
        let svg = try #require(RooflinePlot(calibration())).svg
        let circles = svg.matches(of: /cx="([0-9.]+)" cy="([0-9.]+)"/)
        #expect(circles.count == 3)
        for circle in circles {
            let (x, y) = (Double(circle.1) ?? -1, Double(circle.2) ?? -1)
            #expect((90...730).contains(x) && (60...460).contains(y), "\(circle.0)")
        }
    }

    @Test("Single precision has a roof of its own, which its kernels stay below")
    func singlePrecision() throws {
        let svg = try #require(RooflinePlot(calibration(train: true))).svg
        #expect(svg.contains(">single 200 Gflop/s<"))
        let roof = try #require(svg.firstMatch(of: /y="([0-9.]+)"[^>]*>single/))
        let train = try #require(svg.firstMatch(of: /cy="([0-9.]+)"[^>]*><title>train/))
        #expect(try #require(Double(train.1)) > #require(Double(roof.1)) - 4)
        #expect(!(try #require(RooflinePlot(calibration())).svg.contains(">single")))
    }

    @Test("Without a roof there is no plot")
    func withoutRoof() {
        #expect(RooflinePlot(calibration(gemm: false)) == nil)
    }
}
