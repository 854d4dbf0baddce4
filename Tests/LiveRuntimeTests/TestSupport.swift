import Foundation
import Logging
import Synchronization
import Testing

/// A folder of its own for one test, removed when the tests end.
///
/// Not when the test lets go of it: a centre that still closes would lay it anew.
final class ScratchFolder: Sendable {
    private static let all = Mutex<[String]>([])

    let path: String

    init() throws {
        var template = Array((NSTemporaryDirectory() + "xinghe-test-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        let path = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
        self.path = path
        let isFirst = Self.all.withLock { all in
            all.append(path)
            return all.count == 1
        }
        if isFirst { atexit(ScratchFolder.removeAll) }
    }

    private static let removeAll: @convention(c) () -> Void = {
        for path in all.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Changes the journal in the folder behind everybody's back.
    func sqlite(_ sql: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        let code =
            "import sqlite3,sys;c=sqlite3.connect(sys.argv[1]);c.executescript(sys.argv[2]);c.commit()"
        process.arguments = ["-c", code, path + "/journal.sqlite", sql]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(sql)")
    }

    func text(_ name: String) -> String {
        let bytes = FileManager.default.contents(atPath: path + "/" + name) ?? Data()
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The folder in which SwiftPM puts programs and the test bundle.
var buildFolder: String {
    let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    // `swift test` may start a helper of the toolchain, which loads the bundle.
    if path.contains("xctest") { return (path as NSString).deletingLastPathComponent }
    let bundle = CommandLine.arguments.first { $0.contains(".build/") } ?? path
    return (bundle as NSString).deletingLastPathComponent
}

/// Keeps what is logged.
final class RecordingLog: LogHandler {
    let lines = Mutex<[String]>([])

    var logLevel: Logger.Level {
        get { .debug }
        set {}
    }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        lines.withLock { $0.append("\(event.message)") }
    }
}
