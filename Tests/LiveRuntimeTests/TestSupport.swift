import Foundation
import Synchronization

/// A folder of its own for one test, removed when the test lets go of it.
final class ScratchFolder {
    let path: String

    init() throws {
        var template = Array((NSTemporaryDirectory() + "xinghe-test-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        path = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
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

/// Waits until `condition` holds, looking every 5 ms; false after `seconds`.
func eventually(within seconds: Double = 20, _ condition: () -> Bool) -> Bool {
    let end = Date().addingTimeInterval(seconds)
    while Date() < end {
        if condition() { return true }
        usleep(5_000)
    }
    return condition()
}
