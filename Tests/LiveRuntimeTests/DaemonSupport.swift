import Foundation
import LocalClient
import TestSupport
import Testing
import WireFormats

/// A real `xinghed` in a process of its own. Killed when the test lets go of it.
final class Daemon {
    let folder: ScratchFolder
    let socket: String
    private(set) var process = Process()
    private let extra: [String]

    init(_ folder: ScratchFolder, _ extra: [String] = []) throws {
        self.folder = folder
        self.extra = extra
        socket = folder.path + "/s"
        try start()
    }

    deinit {
        if process.isRunning {
            process.terminate()
            process.waitUntilExit()
        }
    }

    var client: LocalClient { LocalClient(socketPath: socket) }

    static func arguments(_ folder: ScratchFolder, _ extra: [String]) -> [String] {
        ["--state", folder.path + "/state", "--socket", folder.path + "/s", "--kill-wait", "1"]
            + extra
    }

    /// Starts it and waits until it answers.
    func start() throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: buildFolder + "/xinghed")
        process.arguments = Self.arguments(folder, extra)
        process.standardError = FileHandle.nullDevice
        try process.run()
        let isReady = eventually(within: 60) {
            !process.isRunning || (try? client.get("/v1/status", as: CentreStatus.self)) != nil
        }
        try #require(isReady && process.isRunning, "xinghed did not start")
    }

    func kill9() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Runs another one to its end, and gives its exit status and what it said.
    static func failing(_ folder: ScratchFolder, _ extra: [String] = []) throws -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: buildFolder + "/xinghed")
        process.arguments = arguments(folder, extra)
        let pipe = Pipe()
        process.standardError = pipe
        try process.run()
        let text = String(
            decoding: (try? pipe.fileHandleForReading.readToEnd()) ?? Data(),
            as: UTF8.self
        )
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    func submit(_ request: SubmitRequest) throws -> UInt32 {
        try client.post("/v1/jobs", request, as: SubmitResponse.self).jobID
    }

    func jobs() throws -> [JobInfo] {
        try client.get("/v1/jobs?ended=1", as: JobList.self).jobs
    }

    func record(_ id: UInt32) throws -> AccountingRecord {
        let list = try client.get("/v1/accounting?id=\(id)", as: AccountingList.self)
        return try #require(list.records.last)
    }

    /// Waits for a job to have ended.
    func ended(_ id: UInt32) throws -> AccountingRecord {
        let active: Set<String> = ["PENDING", "RUNNING", "COMPLETING"]
        let hasEnded = eventually(within: 60) {
            (try? record(id)).map { !active.contains($0.state) } ?? false
        }
        #expect(hasEnded, "job \(id) did not end")
        return try record(id)
    }
}

/// A connection that sends what it is told, be it HTTP or half of it.
final class RawConnection {
    private let descriptor: Int32

    init(_ path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0, "\(String(cString: strerror(errno)))")
    }

    /// Connects to a port of this computer.
    init(port: UInt16) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0, "\(String(cString: strerror(errno)))")
    }

    deinit {
        close(descriptor)
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// What comes until `end` is there, the other side closes, or so long nothing comes.
    func receive(until end: String? = nil, within seconds: Double = 30) -> String {
        var text = ""
        while end.map({ !text.contains($0) }) ?? true {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, Int32(seconds * 1_000)) == 1 else { break }
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = recv(descriptor, &bytes, bytes.count, 0)
            guard count > 0 else { break }
            text += String(decoding: bytes[..<count], as: UTF8.self)
        }
        return text
    }

    /// Whether the other side closes, in good time.
    func isClosed() -> Bool {
        _ = receive()
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT)) == 0
    }
}
