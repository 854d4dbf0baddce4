import Foundation
import Prediction
import Testing
import WireFormats

@testable import ComputeKernels

/// The real program under the real `mpirun`. Starting MPI takes a quarter of a second, so there are
/// few runs and each looks at several things. One after the other: they need all cores.
@Suite("xinghe-kernel under mpirun", .serialized)
struct KernelProgramTests {
    @Test("A kernel verifies its answer on one rank, two, three and four", arguments: smallRuns)
    func verifiesOnAnyRanks(run: SmallRun) async throws {
        for ranks in [nil, 2, 3, 4] {
            let result = try await runSharing([run.kernel, "--size", run.size], ranks: ranks)
            #expect(result.exitCode == 0, "\(run.kernel): \(result.errors)")
            let line = try result.measurement()
            #expect(line["kernel"]?.string == run.kernel)
            #expect(line["ranks"]?.integer == Int64(ranks ?? 1))
            #expect(line["verified"]?.bool == true, "\(line.compactText)")
            let seconds = try #require(line["seconds"]?.double)
            let flop = try #require(line["flop"]?.double)
            let rate = try #require(line["flop_per_s"]?.double)
            #expect(seconds > 0)
            #expect(abs(rate - flop / seconds) <= 1e-9 * rate)
            #expect(line["binding"]?.array?.count == ranks ?? 1)
            #expect(try #require(line["energy_joule"]?.double) > 0)
            #expect(["rapl", "estimate"].contains(line["energy_source"]?.string))
            #expect(line["host"]?.string?.isEmpty == false)
        }
    }

    /// (edge * n) / n is not the edge for these lattices and numbers of ranks.
    @Test("md sees through the end of space", arguments: [("7x3x3", 3), ("9x3x3", 5)])
    func mdIsPeriodic(size: String, ranks: Int) async throws {
        let result = try await runSharing(["md", "--size", size], ranks: ranks)
        #expect(try result.measurement()["verified"]?.bool == true, "\(result.errors)")
    }

    /// Runs a kernel on ranks that may be more than there are cores.
    private func runSharing(_ arguments: [String], ranks: Int?) async throws -> ProgramResult {
        let isShared = (ranks ?? 1) > ProcessInfo.processInfo.activeProcessorCount
        return try await runKernel(
            arguments + (isShared ? ["--oversubscribe"] : []),
            ranks: ranks,
            launcher: isShared ? ["--oversubscribe"] : []
        )
    }

    @Test("The predictor reckons with the work that a run counts", arguments: smallRuns)
    func predictedWorkIsCounted(run: SmallRun) async throws {
        let line = try await runKernel([run.kernel, "--size", run.size], ranks: 2).measurement()
        let form = try KernelForm(named: run.kernel)
        let work = form.work(try form.shape(of: run.size), ranks: 2)
        let flop = try #require(line["flop"]?.double)
        let byte = try #require(line["byte"]?.double)
        // Where the work depends on the answer it is an estimate, made for problems that are large.
        let tolerance = [.cg: 0.15, .md: 0.05, .graph: 0.15][form] ?? 1e-6
        #expect(abs(work.flop - flop) <= tolerance * flop, "\(form): \(work.flop), \(flop)")
        #expect(abs(work.byte - byte) <= tolerance * byte, "\(form): \(work.byte), \(byte)")
    }

    @Test("Two ranks are bound to different cores")
    func ranksAreBoundApart() async throws {
        let line = try await runKernel(["stream", "--size", "1000"], ranks: 2).measurement()
        let binding = try #require(line["binding"]?.array).compactMap { $0.string }
        #expect(binding.count == 2)
        #expect(binding[0].hasPrefix("PU P#"))
        #expect(binding[0] != binding[1])
    }

    @Test("Threads are bound to cores of their own, and give the same answer")
    func threadsAreBound() async throws {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        try #require(cores > 1)
        for (kernel, size) in [
            ("stream", "10007"), ("stencil", "13x12x21"), ("gemm", "70x9x300"), ("hpcg", "8x16x16"),
        ] {
            let one = try await runKernel([kernel, "--size", size]).measurement()
            let result = try await runKernel([kernel, "--size", size, "--threads", "2"])
            let two = try result.measurement()
            #expect(two["verified"]?.bool == true, "\(result.errors)")
            #expect(two["threads"]?.integer == 2)
            #expect(two["flop"] == one["flop"])
            let binding = try #require(two["binding"]?.array?.first?.string)
            #expect(binding.hasPrefix("PUs P#0-1, a thread on each, memory"), "\(binding)")
        }
        let refused = try await runKernel(["stream", "--size", "1000", "--threads", "\(cores + 1)"])
        #expect(refused.exitCode == 64)
        #expect(refused.errors.contains("\(cores + 1) cores are needed"), "\(refused.errors)")
    }

    @Test("A core that the job was not given is not used")
    func givenMaskIsRespected() async throws {
        let result = try await runKernel(
            ["stream", "--size", "1000"],
            ranks: 1,
            launcher: ["--bind-to", "none", "taskset", "-c", "1"]
        )
        let binding = try result.measurement()["binding"]?.array?.first?.string
        #expect(binding?.hasPrefix("PU P#1") == true, "\(binding ?? result.errors)")
    }

    @Test("More ranks than cores are refused unless asked for, once and by all ranks")
    func oversubscriptionIsRefused() async throws {
        let ranks = ProcessInfo.processInfo.activeProcessorCount + 1
        let launcher = ["--oversubscribe"]
        let refused = try await runKernel(
            ["stream", "--size", "1000"],
            ranks: ranks,
            launcher: launcher
        )
        #expect(refused.exitCode == 64)
        #expect(refused.output.isEmpty)
        #expect(refused.errors.components(separatedBy: "--oversubscribe").count == 2)
        let allowed = try await runKernel(
            ["stream", "--size", "1000", "--oversubscribe"],
            ranks: ranks,
            launcher: launcher
        )
        #expect(allowed.exitCode == 0, "\(allowed.errors)")
        #expect(try allowed.measurement()["verified"]?.bool == true)
    }

    @Test("Bad input is named once, on rank 0, and ends all ranks")
    func badInputIsNamedOnce() async throws {
        let result = try await runKernel(["cg", "--size", "banana"], ranks: 2)
        #expect(result.exitCode == 64)
        #expect(result.output.isEmpty)
        #expect(result.errors.components(separatedBy: "--size 'banana'").count == 2)
        #expect(!result.errors.contains("MPI_ABORT"))
    }

    @Test(
        "Impossible requests say what is wrong",
        arguments: [
            (["nosuch"], "no kernel is called 'nosuch'"),
            ([], "name a kernel"),
            (["cg", "--size", "8x8"], "--size '8x8' is no size of cg"),
            (["cg", "--size", "0"], "--size '0' is no size of cg"),
            (["train", "--size", "4x4x1"], "width above 1"),
            (["hpcg", "--size", "8x12x8"], "sides of every block must be multiples of 8"),
            (["md", "--size", "2x5x5"], "at least 3 along each axis"),
            (["fft", "--size", "65537x1x1"], "at most 65536 points along each axis"),
            (["infer", "--size", "1x40000x1"], "at most 32768 tokens"),
            (["cg", "--threads", "2"], "--threads 2: cg uses at most 1"),
            (["cg", "--repeat", "0"], "--repeat 0: at least 1"),
            (["cg", "--seconds", "0"], "more than 0"),
            (["cg", "--bogus"], "Unknown option '--bogus'"),
            (["stream", "--size", "1000000000000"], "GiB of memory"),
        ]
    )
    func impossibleRequests(arguments: [String], message: String) async throws {
        let result = try await runKernel(arguments)
        #expect(result.exitCode == 64)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test("A refusal for want of memory says how much there is")
    func freeMemoryIsSaid() async throws {
        // What is free is lost when it is reckoned back from such a need.
        let errors = try await runKernel(["cg", "--size", "1099511627776"]).errors
        let words = errors.split(separator: " ")
        let end = try #require(words.lastIndex(of: "are"), "\(errors)")
        let free = try #require(Double(words[end - 2]), "\(errors)")
        let whole = Double(ProcessInfo.processInfo.physicalMemory) / 1_073_741_824
        #expect(free > 0 && free <= whole + 0.1, "\(errors)")
    }

    @Test("md takes the memory that it asks for")
    func mdTakesWhatItAsksFor() async throws {
        let idle = try await peakMemory(["stream", "--size", "1000"])
        let taken = try await peakMemory(["md", "--size", "10"]) - idle
        let asked = MolecularDynamicsKernel.memory(for: [10, 10, 10], ranks: 1)
        // The shell of copies is reckoned for many ranks.
        #expect(taken <= asked && asked <= 4 * taken, "\(taken) of \(asked)")
    }

    @Test("Where hwloc finds no cores a kernel runs on PUs")
    func runsOnPUs() async throws {
        let line = try await runKernel(
            ["stream", "--size", "1000"],
            environment: ["HWLOC_SYNTHETIC": "numa:1 pu:2", "HWLOC_THISSYSTEM": "1"]
        ).measurement()
        #expect(line["binding"]?.array?.first?.string?.hasPrefix("PU P#0,") == true)
    }

    @Test("Estimated energy is of the cores held, however many threads and ranks share them")
    func energyIsOfCores() async throws {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        for (ranks, threads) in [(nil, cores + 3), (cores + 1, 1)] {
            let line = try await runKernel(
                ["stream", "--size", "1000", "--threads", "\(threads)", "--oversubscribe"],
                ranks: ranks,
                launcher: ["--oversubscribe", "--bind-to", "none"]
            ).measurement()
            guard line["energy_source"]?.string == "estimate" else { return }
            let seconds = try #require(line["seconds"]?.double)
            let joules = try #require(line["energy_joule"]?.double)
            #expect(abs(joules / seconds / 10 - Double(cores)) < 1e-6, "\(line.compactText)")
        }
    }

    @Test("--seconds and --repeat both set how often the work is done")
    func repetitions() async throws {
        let repeated = try await runKernel(["stream", "--size", "1000", "--repeat", "7"])
            .measurement()
        #expect(repeated["repeats"]?.integer == 7)
        #expect(repeated["flop"]?.integer == Int64(28_000))
        let timed = try await runKernel(["stream", "--size", "1000", "--seconds", "0.2"])
            .measurement()
        #expect(try #require(timed["seconds"]?.double) >= 0.2)
    }

    @Test("The line also goes to the file, or into the folder, of XINGHE_MEASURE")
    func measurementIsReported() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("xinghe-measure-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("lines").path
        let arguments = ["stream", "--size", "1000"]
        let first = try await runKernel(arguments, environment: ["XINGHE_MEASURE": file])
        let second = try await runKernel(arguments, environment: ["XINGHE_MEASURE": file])
        #expect(try String(contentsOfFile: file, encoding: .utf8) == first.output + second.output)
        try FileManager.default.removeItem(atPath: file)
        let third = try await runKernel(arguments, environment: ["XINGHE_MEASURE": folder.path])
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.count == 1 && names[0].hasSuffix(".json"), "\(names)")
        let text = try String(contentsOf: folder.appendingPathComponent(names[0]), encoding: .utf8)
        #expect(text == third.output)
        try "{\"kernel\":".write(toFile: file, atomically: false, encoding: .utf8)
        let fourth = try await runKernel(arguments, environment: ["XINGHE_MEASURE": file])
        #expect(
            try String(contentsOfFile: file, encoding: .utf8) == "{\"kernel\":\n" + fourth.output
        )
        let lost = try await runKernel(
            arguments,
            environment: ["XINGHE_MEASURE": "/nonexistent/file"]
        )
        #expect(lost.exitCode == 0)
        #expect(lost.errors.contains("/nonexistent/file: open: No such file or directory"))
    }

    @Test("--list shows every kernel with its criterion, once", arguments: [nil, 2])
    func listShowsAll(ranks: Int?) async throws {
        let result = try await runKernel(["--list"], ranks: ranks)
        #expect(result.exitCode == 0)
        let output = "\n" + result.output
        for run in smallRuns { #expect(output.contains("\n\(run.kernel)  "), "\(run.kernel)") }
        #expect(result.output.components(separatedBy: "verified").count == smallRuns.count + 1)
    }
}

/// A size of each kernel that a debug build finishes in a second or two.
struct SmallRun: CustomTestStringConvertible, Sendable {
    var kernel: String
    var size: String

    var testDescription: String { "\(kernel) \(size)" }
}

let smallRuns = [
    SmallRun(kernel: "align", size: "70x60x50"),
    SmallRun(kernel: "cg", size: "14x12x10"),
    SmallRun(kernel: "comm", size: "4000"),
    SmallRun(kernel: "fft", size: "18x14x20"),
    SmallRun(kernel: "gemm", size: "70x90x1100"),
    SmallRun(kernel: "graph", size: "8"),
    SmallRun(kernel: "hpcg", size: "8x16x48"),
    SmallRun(kernel: "infer", size: "4x12x64"),
    SmallRun(kernel: "lu", size: "210x32"),
    SmallRun(kernel: "md", size: "6x4x4"),
    SmallRun(kernel: "shallow", size: "30x26"),
    SmallRun(kernel: "stencil", size: "13x12x11"),
    SmallRun(kernel: "stream", size: "10000"),
    SmallRun(kernel: "train", size: "4x12x64"),
]
