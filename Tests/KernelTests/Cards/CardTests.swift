import Determinism
import Foundation
import Testing
import WireFormats

@testable import ComputeKernels

/// Kernels on a device of OpenCL; here pocl, Debian's driver that makes the processor one.
@Suite("xinghe-kernel on a card", .serialized)
struct CardTests {
    @Test(
        "A card's answer is the processor's, for sizes that no group divides",
        arguments: cardRuns
    )
    func answersAgree(run: FaultRun) async throws {
        let lab = try CardLaboratory()
        let onProcessor = try await lab.run(run, onCard: false)
        let onCard = try await lab.run(run)
        #expect(onCard.exitCode == 0, "\(onCard.errors)")
        let line = try JSONValue(parsing: onCard.output)
        #expect(line["verified"]?.bool == true)
        let card = try #require(line["on"]?["card"])
        for member in ["name", "vendor", "driver", "version", "kind"] {
            #expect(card[member]?.string?.isEmpty == false, "\(member)")
        }
        #expect(try #require(card["memory_byte"]?.integer) > 1 << 20)
        #expect(line["card_seconds"] == line["seconds"])
        #expect((try JSONValue(parsing: onProcessor.output))["card_seconds"] == nil)
        // One solver takes more iterations than the other.
        if run.kernel != "cg" {
            #expect(line["flop"] == (try JSONValue(parsing: onProcessor.output))["flop"])
        }
        #expect(difference(onCard.answer, onProcessor.answer) <= run.tolerance)
    }

    @Test("Work that a card leaves out is noticed, whichever launch it is", arguments: cardRuns)
    func lostLaunchesAreNoticed(run: FaultRun) async throws {
        let lab = try CardLaboratory()
        let clean = try await lab.run(run)
        try #require(clean.exitCode == 0, "\(clean.errors)")
        let launches = try lab.calls().launches
        var random = SplitMix64(seed: 1, stream: "launches")
        // The first half is the warm-up.
        let second = launches / 2
        for launch in [second, launches - 1, random.draw(second...launches - 1)] {
            let result = try await lab.run(run, variables: ["FAULT_LAUNCH": "\(launch)"])
            guard result.exitCode == 0 else {
                #expect(result.exitCode == 1, "\(result.errors)")
                continue
            }
            #expect(
                difference(result.answer, clean.answer) <= run.tolerance,
                "launch \(launch) of \(launches) was left out and the answer verified"
            )
        }
    }

    @Test("One wrong number in what comes back is noticed", arguments: cardRuns)
    func wrongNumbersAreNoticed(run: FaultRun) async throws {
        let lab = try CardLaboratory()
        _ = try await lab.run(run)
        let reads = try lab.calls().reads
        // The last copies of cg are of its test of symmetry.
        let read = run.kernel == "cg" ? reads - 5 : reads - 1
        let result = try await lab.run(
            run,
            variables: ["FAULT_READ": "\(read)", "FAULT_EPS": "0.001"]
        )
        #expect(result.exitCode == 1, "\(result.output) \(result.errors)")
    }

    @Test("A card whose preconditioner is not symmetric is found out", arguments: 1...4)
    func asymmetryIsNoticed(back: Int) async throws {
        let run = try #require(cardRuns.first { $0.kernel == "cg" })
        let lab = try CardLaboratory()
        _ = try await lab.run(run)
        let read = try lab.calls().reads - back
        let result = try await lab.run(
            run,
            variables: ["FAULT_READ": "\(read)", "FAULT_EPS": "0.001"]
        )
        #expect(result.exitCode == 1, "\(result.output) \(result.errors)")
    }

    @Test("Without a library, a driver or such a device a run says so in a line")
    func missingCardsAreNamed() async throws {
        let lab = try CardLaboratory()
        let empty = try PreloadLibrary(source: "int nothing;")
        let folder = try lab.folder(with: empty.path)
        for (device, variables, message) in [
            ("opencl", ["LD_LIBRARY_PATH": folder], "libOpenCL.so.1 has no clGetPlatformIDs"),
            ("opencl", ["OCL_ICD_VENDORS": "/nonexistent"], "OpenCL finds no device"),
            ("opencl:9999", [:], "OpenCL has no device 9999, but 0 "),
            ("opencl:65536", [:], "--device 'opencl:65536'"),
            ("opencl:", [:], "--device 'opencl:'"),
            ("cuda", [:], "--device 'cuda': opencl, or opencl:N"),
        ] {
            let result = try await runKernel(
                ["stream", "--size", "1000", "--device", device],
                environment: variables
            )
            #expect(result.exitCode == 64 && result.output.isEmpty, "\(device)")
            #expect(result.errors.contains(message), "\(device): \(result.errors)")
        }
    }

    @Test("Kernels without code for cards, more ranks than one and threads are refused")
    func refusals() async throws {
        for (arguments, ranks, message) in [
            (["fft"], nil, "fft has no code for cards; cg, gemm, stencil, stream have"),
            (["stream", "--size", "1000", "--oversubscribe"], 2, "one rank, not 2"),
            (["stream", "--threads", "2"], nil, "--threads 2: stream uses at most 1"),
        ] as [([String], Int?, String)] {
            let result = try await runKernel(
                arguments + ["--device", "opencl"],
                ranks: ranks,
                launcher: ["--oversubscribe"]
            )
            #expect(result.exitCode == 64 && result.output.isEmpty)
            #expect(result.errors.components(separatedBy: message).count == 2, "\(result.errors)")
        }
    }
}

private let cardRuns = [
    FaultRun(kernel: "cg", size: "14x12x9", tolerance: 1e-5),
    FaultRun(kernel: "gemm", size: "70x90x110", tolerance: 1e-11),
    FaultRun(kernel: "stencil", size: "13x12x11", tolerance: 2e-11),
    FaultRun(kernel: "stream", size: "10007", tolerance: 1e-13),
]

/// The largest distance of two answers, in parts of the largest element.
private func difference(_ one: [Double], _ other: [Double]) -> Double {
    guard one.count == other.count else { return .infinity }
    let scale = other.reduce(0) { max($0, abs($1)) }
    return zip(one, other).reduce(0) { worst, pair in
        let error = abs(pair.0 - pair.1) / scale
        return error.isNaN ? .infinity : max(worst, error)
    }
}

/// A library with faults in OpenCL's place, and a folder for what runs leave.
private final class CardLaboratory {
    struct Outcome {
        var exitCode: Int32
        var output: String
        var errors: String
        var answer: [Double]
    }

    private let library: PreloadLibrary
    private let root = FileManager.default.temporaryDirectory
        .appendingPathComponent("xinghe-cards-\(UUID().uuidString)")
    private let place: String

    init() throws {
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: false)
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("faulty-opencl.c")
        library = try PreloadLibrary(source: String(contentsOf: source, encoding: .utf8))
        place = root.appendingPathComponent("faulty").path
        try Self.link(library.path, in: place)
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    private static func link(_ library: String, in folder: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: false
        )
        try FileManager.default.createSymbolicLink(
            atPath: folder + "/libOpenCL.so.1",
            withDestinationPath: library
        )
    }

    /// A folder in which `library` is OpenCL.
    func folder(with library: String) throws -> String {
        let path = root.appendingPathComponent("other").path
        try Self.link(library, in: path)
        return path
    }

    /// How often the last run launched a kernel and copied from the card.
    func calls() throws -> (launches: Int, reads: Int) {
        let path = root.appendingPathComponent("calls")
        let numbers = try String(contentsOf: path, encoding: .utf8)
            .split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        try #require(numbers.count == 2)
        return (numbers[0], numbers[1])
    }

    func run(
        _ run: FaultRun,
        onCard: Bool = true,
        variables: [String: String] = [:]
    ) async throws -> Outcome {
        let path = root.appendingPathComponent("answer.npy").path
        try? FileManager.default.removeItem(atPath: path)
        let real = try #require(
            ["/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
                .map { $0 + "/libOpenCL.so.1" }
                .first(where: FileManager.default.fileExists),
            "no libOpenCL.so.1; .ci/setup installs ocl-icd-libopencl1 and pocl-opencl-icd"
        )
        let result = try await runKernel(
            [run.kernel, "--size", run.size, "--dump", path]
                + (onCard ? ["--device", "opencl"] : []),
            environment: variables.merging([
                "LD_LIBRARY_PATH": place, "REAL_OPENCL": real,
                "FAULT_LOG": root.appendingPathComponent("calls").path,
            ]) { $1 }
        )
        let answer = result.exitCode == 0 ? try ArrayFile(path).numbers : []
        return Outcome(
            exitCode: result.exitCode,
            output: result.output,
            errors: result.errors,
            answer: answer
        )
    }
}
