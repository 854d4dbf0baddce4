import Foundation
import Testing

@testable import JobExecution
@testable import LiveRuntime

@Suite("Daemons of one process, and how time goes on")
struct PrivateProcessTests {
    @Test("Of folders that lie in one another the outermost are covered")
    func outermost() {
        let folders = ["/a/b", "/a", "/ab", "/c/d/e", "/c/d", "/a/b/c", "/ab"]
        #expect(PrivateProcess.outermost(folders) == ["/a", "/ab", "/c/d"])
        #expect(PrivateProcess.outermost(["/", "/a"]) == ["/"])
        #expect(PrivateProcess.outermost([]).isEmpty)
    }

    @Test("A process with threads covers nothing, rather than for one of them only")
    func threads() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("xinghe-private-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(throws: ExecutionFailure.self) {
            try PrivateProcess.cover([folder.path], butNot: folder.path)
        }
    }

    @Test("How time passes is noted, and what cannot be read is not", arguments: TimeMode.samples)
    func note(_ mode: TimeMode) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("xinghe-time-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(TimeMode.noted(in: folder.path) == nil)
        mode.note(in: folder.path)
        #expect(TimeMode.noted(in: folder.path) == mode)
        try "soon".write(toFile: folder.path + "/time", atomically: true, encoding: .utf8)
        #expect(TimeMode.noted(in: folder.path) == nil)
    }
}

extension TimeMode {
    fileprivate static let samples: [TimeMode] = [.real, .stepped, .scaled(3_600)]
}
