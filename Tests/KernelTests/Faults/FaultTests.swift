import Determinism
import Foundation
import Testing

/// What happens when BLAS, FFTW or MPI do not do their part: a library stands before them, drops, delays
/// or alters what one call gives, and the kernel must say that its answer is wrong, unless it is right.
///
/// Whether it is right is judged here, by the file that the run dumps beside that of a run without a
/// fault, so a verifier that looks away is found out.
@Suite("Faults of the libraries are noticed", .serialized)
struct FaultTests {
    /// The seed of the calls that go wrong.
    private let seed: UInt64
    private let looksEverywhere: Bool

    /// Each kind of fault in one function of each kernel; in every function takes minutes and is asked for by
    /// `XINGHE_FAULTS`, a seed.
    init() {
        let asked = ProcessInfo.processInfo.environment["XINGHE_FAULTS"].flatMap { UInt64($0) }
        seed = asked ?? 0
        looksEverywhere = asked != nil
    }

    @Test("A kernel notices each fault of the functions that it calls", arguments: faultRuns)
    func faultsAreNoticed(run: FaultRun) async throws {
        let lab = try Laboratory()
        var random = SplitMix64(seed: seed, stream: "faults")
        let clean = try await lab.run(run, fault: nil)
        try #require(clean.exitCode == 0, "\(run): \(clean.errors)")
        let called = try lab.calls().filter { $0.1 > 0 }
        try #require(!called.isEmpty, "\(run) calls nothing that could fail")
        for kind in ["drop", "late", "alter"] {
            let one = called[random.draw(0...called.count - 1)]
            for (function, calls) in looksEverywhere ? called : [one] {
                // Among the last two thirds: before lie the making of the problem and the warm-up.
                let from = random.draw(calls / 3...calls - 1)
                let fault = Fault(function: function, kind: kind, from: from)
                let result = try await lab.run(run, fault: fault)
                guard result.exitCode == 0 else { continue }
                let difference = try lab.difference(result.answer, clean.answer, run)
                #expect(
                    difference <= run.tolerance,
                    "\(run): \(fault) leaves an error of \(difference), verified; seed \(seed)"
                )
            }
        }
    }

    @Test("lu notices unknowns that one rank was told wrong, whichever they are")
    func luNoticesDifferingCopies() async throws {
        let lab = try Laboratory()
        let run = try #require(faultRuns.first { $0.kernel == "lu" })
        let clean = try await lab.run(run, fault: nil)
        let calls = try #require(try lab.calls().first { $0.0 == "MPI_Bcast" }).1
        // The last repetition has one for each of five blocks.
        for call in calls - 5..<calls {
            let fault = Fault(function: "MPI_Bcast", kind: "alter", from: call)
            let result = try await lab.run(run, fault: fault)
            guard result.exitCode == 0 else { continue }
            let difference = try lab.difference(result.answer, clean.answer, run)
            #expect(difference <= run.tolerance, "\(fault)")
        }
    }

    @Test(
        "Work that is left out of any single repetition is noticed",
        arguments: [("gemm", "70x9x30", "cblas_dgemm"), ("fft", "8x6x10", "fftw_execute")],
        [(1, 1), (2, 1), (3, 1), (1, 99)]
    )
    func everyRepetitionIsVerified(
        kernel: (name: String, size: String, function: String),
        calls: (from: Int, count: Int)
    ) async throws {
        let lab = try Laboratory()
        for kind in ["drop", "late"] {
            let result = try await runKernel(
                [kernel.name, "--size", kernel.size, "--repeat", "3"],
                environment: lab.environment([
                    "FAULT_CALL": kernel.function, "FAULT_KIND": kind,
                    "FAULT_FROM": "\(calls.from)", "FAULT_FOR": "\(calls.count)",
                ])
            )
            #expect(result.exitCode == 1, "\(kernel) \(kind) \(calls): \(result.output)")
            #expect(result.output.contains("\"verified\":false"))
        }
    }

    @Test("comm notices one wrong element of any message", arguments: ["drop", "late", "alter"])
    func everyMessageIsLookedAt(kind: String) async throws {
        let lab = try Laboratory()
        var random = SplitMix64(seed: seed, stream: "messages")
        // Calls of one repetition with messages of 32 byte; the warm-up has as many.
        for function in ["MPI_Recv", "MPI_Allreduce", "MPI_Alltoall"] {
            let least = ["FAULT_LEAST": "4"]
            _ = try await runKernel(
                ["comm", "--size", "32", "--oversubscribe"],
                ranks: 2,
                environment: lab.environment(least)
            )
            let calls = try #require(try lab.calls().first { $0.0 == function }).1
            for _ in 0..<3 {
                let from = random.draw(calls * 11 / 20...calls * 19 / 20)
                var variables = least
                variables["FAULT_CALL"] = function
                variables["FAULT_KIND"] = kind
                variables["FAULT_FROM"] = "\(from)"
                variables["FAULT_EPS"] = "0.001"
                let result = try await runKernel(
                    ["comm", "--size", "32", "--oversubscribe"],
                    ranks: 2,
                    environment: lab.environment(variables)
                )
                #expect(
                    result.exitCode == 1,
                    "\(function) \(kind) \(from) of \(calls), seed \(seed)"
                )
            }
        }
    }
}

/// A kernel, a size that calls what it can call, and how far from the right answer one may lie that is
/// verified: the tolerance that the kernel states, in parts of the largest element.
struct FaultRun: CustomTestStringConvertible, Sendable {
    var kernel: String
    var size: String
    var tolerance: Double

    var testDescription: String { kernel }
}

private let faultRuns = [
    FaultRun(kernel: "cg", size: "14x12x10", tolerance: 1e-5),
    FaultRun(kernel: "fft", size: "18x14x20", tolerance: 1e-13),
    FaultRun(kernel: "gemm", size: "70x90x600", tolerance: 1e-11),
    FaultRun(kernel: "graph", size: "8", tolerance: 0),
    FaultRun(kernel: "hpcg", size: "8x16x16", tolerance: 1e-7),
    FaultRun(kernel: "infer", size: "4x12x64", tolerance: 1e-5),
    FaultRun(kernel: "lu", size: "130x32", tolerance: 1e-9),
    FaultRun(kernel: "md", size: "6x4x4", tolerance: 1e-9),
    FaultRun(kernel: "shallow", size: "30x26", tolerance: 1e-12),
    FaultRun(kernel: "stencil", size: "13x12x11", tolerance: 2e-11),
    FaultRun(kernel: "train", size: "4x12x64", tolerance: 1e-6),
    // These call MPI only to gather verdicts and times; their own loops are spoilt in VerifierTests.
    FaultRun(kernel: "align", size: "70x60x50", tolerance: 0),
    FaultRun(kernel: "stream", size: "10000", tolerance: 1e-13),
]

/// What goes wrong, and when.
private struct Fault: CustomStringConvertible {
    var function: String
    var kind: String
    var from: Int

    var description: String { "\(kind) of call \(from) of \(function)" }
}

/// The library with the faults, and a folder for what runs leave.
private final class Laboratory {
    struct Outcome {
        var exitCode: Int32
        var errors: String
        var answer: [Double]
    }

    private let library: PreloadLibrary
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("xinghe-faults-\(UUID().uuidString)")

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("faults.c")
        library = try PreloadLibrary(
            source: String(contentsOf: source, encoding: .utf8),
            compiler: "mpicc"
        )
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func environment(_ variables: [String: String]) -> [String: String] {
        variables.merging([
            "LD_PRELOAD": library.path,
            "FAULT_LOG": folder.appendingPathComponent("calls").path,
            // No other core is tried: that would multiply once more, before the first repetition.
            "XINGHE_BLAS_CORE_BEFORE": "",
        ]) { $1 }
    }

    /// How often the last run called each function, on rank 0.
    func calls() throws -> [(String, Int)] {
        let path = folder.appendingPathComponent("calls")
        return try String(contentsOf: path, encoding: .utf8).split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            return (String(words[0]), try #require(Int(words[1])))
        }
    }

    /// Runs on two ranks, a fault on both; a run that hangs is ended, which is noticed, too.
    func run(_ run: FaultRun, fault: Fault?) async throws -> Outcome {
        let path = folder.appendingPathComponent("answer.npy").path
        try? FileManager.default.removeItem(atPath: path)
        var variables: [String: String] = [:]
        if let fault {
            let isSingle = ["infer", "train"].contains(run.kernel)
            variables = [
                "FAULT_CALL": fault.function, "FAULT_KIND": fault.kind,
                "FAULT_FROM": "\(fault.from)", "FAULT_EPS": isSingle ? "0.3" : "0.001",
            ]
        }
        let result = try await runKernel(
            [run.kernel, "--size", run.size, "--dump", path, "--oversubscribe"],
            ranks: 2,
            launcher: ["--timeout", fault == nil ? "300" : "10"],
            environment: environment(variables)
        )
        let answer = result.exitCode == 0 ? try ArrayFile(path).numbers : []
        return Outcome(exitCode: result.exitCode, errors: result.errors, answer: answer)
    }

    /// The largest distance of two answers, in parts of the largest element. Of trees it is the number
    /// of vertices that only one has reached: a vertex may have one parent or another.
    func difference(_ one: [Double], _ other: [Double], _ run: FaultRun) throws -> Double {
        try #require(one.count == other.count)
        if run.kernel == "graph" {
            return Double(zip(one, other).count { ($0 < 0) != ($1 < 0) })
        }
        let scale = other.reduce(0) { max($0, abs($1)) }
        return zip(one, other).reduce(0) { worst, pair in
            let error = abs(pair.0 - pair.1) / scale
            return error.isNaN ? .infinity : max(worst, error)
        }
    }
}
