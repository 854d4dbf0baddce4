import Foundation
import Glibc
import Testing

@testable import ComputeKernels

/// The dumped answers, checked by other means than the kernels' own.
@Suite("Answers as files", .serialized)
struct AnswerFileTests {
    @Test("A header is a multiple of 64 byte and says what follows")
    func header() {
        for shape in [[7], [3, 1_000_000], [1, 2, 3]] {
            let bytes = AnswerFile.header(KernelAnswer(.complex, shape: shape, isByColumns: true))
            #expect(bytes.count % 64 == 0)
            #expect(bytes.prefix(8) == [0x93, 78, 85, 77, 80, 89, 1, 0])
            #expect(Int(bytes[8]) + 256 * Int(bytes[9]) == bytes.count - 10)
            let text = String(decoding: bytes.dropFirst(10), as: UTF8.self)
            let extents = shape.map { "\($0), " }.joined()
            #expect(
                text.hasPrefix("{'descr': '<c16', 'fortran_order': True, 'shape': (\(extents)), }")
            )
            #expect(text.hasSuffix("\n"))
        }
    }

    @Test("However many ranks share a problem, the answer is the same array", arguments: dumpable)
    func ranksDoNotMatter(run: SmallRun) async throws {
        let alone = try await ArrayFile.dumped(run, ranks: nil)
        #expect(!alone.numbers.contains { $0.isNaN })
        for ranks in [2, 4] {
            let shared = try await ArrayFile.dumped(run, ranks: ranks)
            #expect(shared.header == alone.header)
            // Which parent a vertex gets is free; the others differ by rounding alone.
            guard run.kernel != "graph" else { continue }
            let scale = alone.numbers.reduce(0) { max($0, abs($1)) }
            let tolerance = ["cg": 1e-7, "infer": 1e-5, "train": 1e-5][run.kernel] ?? 1e-10
            for (one, other) in zip(alone.numbers, shared.numbers) {
                #expect(abs(one - other) <= tolerance * scale, "\(run) on \(ranks) ranks")
            }
        }
    }

    @Test("gemm's file is the product of the matrices that the manual describes")
    func gemmIsTheProduct() async throws {
        let (m, n, k) = (9, 7, 11)
        let size = "\(m)x\(n)x\(k)"
        let file = try await ArrayFile.dumped(SmallRun(kernel: "gemm", size: size), ranks: 2)
        func entry(_ which: UInt64, _ i: Int, _ j: Int) -> Double {
            var z = UInt64(i) &* 0x9E37_79B9_7F4A_7C15
            z &+= UInt64(j) &* 0xD1B5_4A32_D192_ED03 &+ (which + 256) &* 0x8CB9_2BA7_2F3D_8DD7
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return Double((z ^ (z >> 31)) >> 11) / 9_007_199_254_740_992 - 0.5
        }
        for column in 0..<n {
            for row in 0..<m {
                let right = (0..<k).reduce(0) { $0 + entry(1, row, $1) * entry(2, $1, column) }
                #expect(abs(file.numbers[column * m + row] - right) < 1e-14)
            }
        }
    }

    @Test("A file that cannot be written is named, and nothing is left of it")
    func unwritable() async throws {
        let result = try await runKernel([
            "stream", "--size", "100", "--dump", "/nonexistent/a.npy",
        ])
        #expect(result.exitCode == 64 && result.output.isEmpty)
        #expect(result.errors.contains("--dump /nonexistent/a.npy: open: No such file"))
        let pipe = FileManager.default.temporaryDirectory.path + "/xinghe-\(UUID().uuidString)"
        try #require(mkfifo(pipe, 0o600) == 0)
        defer { unlink(pipe) }
        let kept = try await runKernel(["stream", "--size", "100", "--dump", pipe])
        #expect(kept.exitCode == 64 && kept.errors.contains("is there, and no regular file"))
        var status = stat()
        #expect(lstat(pipe, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
        let none = try await runKernel(["comm", "--size", "100", "--dump", "a.npy"])
        #expect(none.exitCode == 64 && none.errors.contains("comm has no answer to write"))
    }
}

private let dumpable = smallRuns.filter { $0.kernel != "comm" }

/// A file of NumPy's format.
struct ArrayFile {
    var header: String
    var numbers: [Double]

    /// Runs a kernel once and reads what it dumps.
    static func dumped(
        _ run: SmallRun,
        ranks: Int?,
        environment: [String: String] = [:]
    ) async throws -> ArrayFile {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("xinghe-answer-\(UUID().uuidString).npy").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let result = try await runKernel(
            [run.kernel, "--size", run.size, "--oversubscribe", "--dump", path],
            ranks: ranks,
            launcher: ["--oversubscribe"],
            environment: environment
        )
        try #require(result.exitCode == 0, "\(run): \(result.errors)")
        return try ArrayFile(path)
    }

    init(_ path: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let start = 10 + Int(bytes[8]) + 256 * Int(bytes[9])
        header = String(decoding: bytes[10..<start], as: UTF8.self)
        numbers = bytes[start...].withUnsafeBytes { [header] data in
            func all<Number: BitwiseCopyable>(_ type: Number.Type) -> [Number] {
                stride(from: 0, to: data.count, by: MemoryLayout<Number>.stride)
                    .map { data.loadUnaligned(fromByteOffset: $0, as: type) }
            }
            if header.contains("<f4") { return all(Float.self).map(Double.init) }
            if header.contains("<i2") { return all(Int16.self).map(Double.init) }
            if header.contains("<i8") { return all(Int64.self).map(Double.init) }
            return all(Double.self)
        }
    }
}
