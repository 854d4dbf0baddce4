import Foundation
import Testing

/// A shared library, compiled here from C, that stands before others by `LD_PRELOAD`.
final class PreloadLibrary {
    let path: String

    init(source: String, compiler command: String = "cc") throws {
        let base = FileManager.default.temporaryDirectory
            .appendingPathComponent("xinghe-preload-\(UUID().uuidString)").path
        path = base + ".so"
        try source.write(toFile: base + ".c", atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: base + ".c") }
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = [command, "-O1", "-shared", "-fPIC", "-o", path, base + ".c", "-ldl"]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0, "the preload library does not compile")
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
