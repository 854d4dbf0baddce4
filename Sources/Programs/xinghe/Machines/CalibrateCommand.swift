import ArgumentParser
import ClusterModel
import Foundation
import HardwareTopology
import Prediction
import Quantities
import Reporting
import WireFormats

/// Measures this machine into a profile that `xinghe predict` reads.
struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Measure this machine: its roofline, its messages, how near each kernel comes.",
        discussion: """
            Runs xinghe-kernel under mpirun, a rank on every core: gemm for the peak, stream for each \
            level of memory, comm for messages (LogGP), then every kernel. About three minutes; with \
            --quick small sizes and half a minute. Other work on the machine shows in the figures, \
            so the profile has the load average. docs/predict.md describes the profile.
            """
    )

    @Option(help: ArgumentHelp("Write the profile to FILE.", valueName: "file.json"))
    var out: String?

    @Option(help: ArgumentHelp("Draw the roofline.", valueName: "file.svg"))
    var plot: String?

    @Option(help: ArgumentHelp("Measure with this program.", valueName: "xinghe-kernel"))
    var kernelProgram: String?

    @Flag(
        help: "Measure although OpenBLAS computes with a core that is too slow for the processor."
    )
    var acceptSlowBlas = false

    @Option(
        help: ArgumentHelp(
            "Measure this card, too, as xinghe-kernel's --device names it; again for each.",
            valueName: "opencl[:N]"
        )
    )
    var device: [String] = []

    @Flag(help: "Smaller problems: a try, not a measurement.")
    var quick = false

    func run() throws {
        // Two minutes are long enough to be told at their start.
        let isTaken = try OutputFile.check([("--out", out), ("--plot", plot)])
        let runner = try KernelRunner(program: kernelProgram)
        let calibration = try measure(runner)
        let profile = calibration.profile.prettyText + "\n"
        if let out { try OutputFile.write(profile, to: out) }
        if let plot {
            guard let roofline = RooflinePlot(calibration) else {
                throw Refusal("no roofline was measured, so there is nothing to draw")
            }
            try OutputFile.write(roofline.svg, to: plot)
        }
        try StandardOutput.report(CalibrationReport(calibration).text, isTaken: isTaken)
    }

    private func measure(_ runner: KernelRunner) throws -> HostCalibration {
        let model = try HostProbe.model()
        let host = try HostProbe.describe()
        let cores = Int(host.cores)
        var load = [0.0]
        getloadavg(&load, 1)
        let size = quick ? "small" : "medium"
        let streamSize = quick ? "10000000" : "40000000"
        // The limits are measured three times, before, amid and after the kernels: what else
        // happens on a machine can only make them look lower, so the best counts.
        let cards = try device.map { try card($0, size, streamSize, runner) }
        var limits: [KernelForm: [JSONValue]] = [:]
        var lines: [JSONValue] = []
        let others: [KernelForm] = [
            .align, .cg, .fft, .graph, .hpcg, .infer, .lu, .md, .shallow, .stencil, .train,
        ]
        for (place, kernel) in others.enumerated() {
            if place % 5 == 0 { try measureLimits(&limits, size, streamSize, cores, runner) }
            if place == 0 { try refuseSlowBlas(limits[.gemm] ?? []) }
            // Its blocks are not any part of a grid, so this one has a block for each core.
            let side = quick ? 16 : 64
            let own = kernel == .hpcg ? "\(side)x\(side)x\(side * cores)" : size
            lines.append(try runner.run(kernel, own, ranks: cores))
        }
        try measureLimits(&limits, size, streamSize, cores, runner)
        guard let gemm = Self.best(limits[.gemm], "best_flop_per_s"),
            let memory = Self.best(limits[.stream], "best_byte_per_s")
        else { throw Refusal("gemm or stream printed no rate") }
        lines = [gemm, memory] + lines
        let levels = try cacheLevels(model, cores, runner) + [memoryLevel(memory, cores)]
        let messages = cores > 1 ? try runner.run(.comm, "medium", ranks: 2, repeats: 10) : nil
        return HostCalibration(
            host: host.name,
            processor: host.processorModel,
            cores: cores,
            load: load[0],
            levels: levels,
            lines: lines,
            messages: messages,
            cards: cards
        )
    }

    /// First of all, so that a card that is not there costs nobody three minutes.
    private func card(
        _ device: String,
        _ gemmSize: String,
        _ streamSize: String,
        _ runner: KernelRunner
    ) throws -> HostCard {
        let gemm = try runner.run(.gemm, gemmSize, ranks: 1, device: device)
        let stream = try runner.run(.stream, streamSize, ranks: 1, device: device)
        guard let card = HostCard(gemm: gemm, stream: stream) else {
            throw Refusal("--device \(device): gemm and stream printed no rates of a card")
        }
        return card
    }

    /// A profile with a peak several times too low would spoil every prediction made with it.
    private func refuseSlowBlas(_ lines: [JSONValue]) throws {
        let first = HostCalibration(
            host: "",
            processor: "",
            cores: 1,
            load: 0,
            levels: [],
            lines: lines,
            messages: nil
        )
        guard !acceptSlowBlas, let problem = first.blasProblem else { return }
        throw Refusal(
            "\(problem), so the peak and all that follows from it would be too low; choose another "
                + "core with OPENBLAS_CORETYPE, install a newer OpenBLAS, or --accept-slow-blas"
        )
    }

    private func measureLimits(
        _ limits: inout [KernelForm: [JSONValue]],
        _ gemmSize: String,
        _ streamSize: String,
        _ cores: Int,
        _ runner: KernelRunner
    ) throws {
        limits[.gemm, default: []].append(try runner.run(.gemm, gemmSize, ranks: cores))
        limits[.stream, default: []].append(try runner.run(.stream, streamSize, ranks: cores))
    }

    private static func best(_ lines: [JSONValue]?, _ member: String) -> JSONValue? {
        lines?.max { ($0[member]?.double ?? 0) < ($1[member]?.double ?? 0) }
    }

    private func memoryLevel(_ line: JSONValue, _ cores: Int) throws -> HostCalibration.Level {
        guard let rate = line["details"]?["triad_byte_per_s"]?.double,
            let elements = line["size"]?.string.flatMap(Int64.init)
        else { throw Refusal("stream printed no rate: \(line.compactText)") }
        return .init(name: "memory", bytes: 24 * elements / Int64(cores), rate: rate)
    }

    /// Half of each cache, so that arrays and the loop's own needs fit: the part of a core where
    /// cores share one.
    private func cacheLevels(
        _ model: TopologyModel,
        _ cores: Int,
        _ runner: KernelRunner
    ) throws -> [HostCalibration.Level] {
        var sizes: [Int: (bytes: Int64, count: Int)] = [:]
        model.root.forEach { object in
            guard case .cache(let level, let content) = object.kind, content != .instructions,
                let size = object.cacheSize?.count
            else { return }
            sizes[level] = (size, (sizes[level]?.count ?? 0) + 1)
        }
        return try sizes.sorted { $0.key < $1.key }.compactMap { level, cache in
            let sharing = max(1, cores / cache.count)
            let elements = Int(cache.bytes / 2 / 24) / sharing
            // Beyond this the kernel counts a size as memory's.
            guard elements >= 64, elements <= 1 << 20 else { return nil }
            let line = try runner.run(.stream, String(elements * cores), ranks: cores)
            guard let rate = line["details"]?["triad_in_cache_byte_per_s"]?.double else {
                throw Refusal("stream printed no rate in cache: \(line.compactText)")
            }
            return .init(name: "L\(level)", bytes: 24 * Int64(elements), rate: rate)
        }
    }
}

/// Starts `xinghe-kernel` under `mpirun` and reads the line that it prints.
private struct KernelRunner {
    let program: String

    /// Looks for the program: as told, beside this one, or on the path.
    init(program: String?) throws {
        let beside = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("xinghe-kernel").path
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            .map { ($0 as NSString).deletingLastPathComponent + "/xinghe-kernel" }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let candidates =
            program.map { [$0] }
            ?? [own, beside].compactMap(\.self) + folders.map { "\($0)/xinghe-kernel" }
        guard let found = candidates.first(where: FileManager.default.isExecutableFile) else {
            throw Refusal(
                program.map { "\($0): no program that may be run" }
                    ?? "no xinghe-kernel beside xinghe or in PATH; name it with --kernel-program"
            )
        }
        self.program = found
    }

    func run(
        _ kernel: KernelForm,
        _ size: String,
        ranks: Int,
        repeats: Int = 3,
        device: String? = nil
    ) throws -> JSONValue {
        FileHandle.standardError.write(
            Data(
                "calibrate: \(kernel.rawValue) \(size), \(device ?? "\(ranks) ranks")\n".utf8
            )
        )
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [
                "mpirun", "--bind-to", "none", "-np", String(ranks), program, kernel.rawValue,
                "--size",
                size, "--repeat", String(repeats),
            ] + (device.map { ["--device", $0] } ?? [])
        var environment = ProcessInfo.processInfo.environment
        environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
        environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
        environment["OPENBLAS_NUM_THREADS"] = "1"
        // The daemon must not take a calibration for what a job bought.
        environment["XINGHE_MEASURE"] = nil
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        // A file, since nobody empties a second pipe while the first is read to its end.
        let errors = try ScratchFile()
        process.standardError = errors.handle
        do {
            try process.run()
        } catch {
            throw Refusal("mpirun cannot be started: \(error.localizedDescription)")
        }
        let printed = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let text = String(decoding: printed, as: UTF8.self)
        guard process.terminationStatus == 0, let line = try? JSONValue(parsing: text),
            line["verified"]?.bool == true
        else {
            let said = errors.ending(2_000)
            throw Refusal(
                "\(kernel.rawValue) \(size) on \(ranks) ranks failed "
                    + "(exit status \(process.terminationStatus)): "
                    + (said.isEmpty ? "it printed '\(text.prefix(200))'" : said)
            )
        }
        return line
    }
}

/// A file without a name, gone when it is closed.
private final class ScratchFile {
    let handle: FileHandle

    init() throws {
        guard let file = tmpfile() else {
            throw Refusal("no temporary file: \(String(cString: strerror(errno)))")
        }
        let copy = dup(fileno(file))
        fclose(file)
        guard copy >= 0 else {
            throw Refusal("no temporary file: \(String(cString: strerror(errno)))")
        }
        handle = FileHandle(fileDescriptor: copy, closeOnDealloc: true)
    }

    /// The last `count` bytes as text.
    func ending(_ count: UInt64) -> String {
        guard let size = try? handle.seekToEnd() else { return "" }
        try? handle.seek(toOffset: size > count ? size - count : 0)
        let bytes = (try? handle.readToEnd()) ?? Data()
        return String(decoding: bytes, as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
