import Dispatch
import Foundation
import Quantities
import Testing
import WireFormats

@testable import LocalClient

/// A socket that listens in a folder of its own, and answers one connection with what it is given.
private final class OneAnswer {
    let path: String
    private let descriptor: Int32
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("xinghe-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.appendingPathComponent("s").path
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
        try #require(listen(descriptor, 8) == 0)
    }

    /// Stops listening, and leaves the socket behind as a killed daemon does.
    func die() {
        close(descriptor)
    }

    /// Answers the next connection in the background, once it has read the beginning of the request.
    ///
    /// - Parameter end: when to close the connection; nil for at once.
    func answer(_ text: String, until end: DispatchSemaphore? = nil) {
        let descriptor = descriptor
        Thread.detachNewThread {
            let connection = accept(descriptor, nil, nil)
            var request = [UInt8](repeating: 0, count: 1 << 16)
            _ = recv(connection, &request, request.count, 0)
            _ = text.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
            end?.wait()
            close(connection)
        }
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }
}

@Suite("The client and a socket")
struct LocalClientTests {
    @Test("An answer is read")
    func answer() throws {
        let server = try OneAnswer()
        defer { server.die() }
        server.answer(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "c\r\n{\"now\":5,\"jo\r\n7\r\nbs\":[]}\r\n0\r\n\r\n"
        )
        let list = try LocalClient(socketPath: server.path).get("/v1/jobs", as: JobList.self)
        #expect(list.now.microseconds == 5 && list.jobs.isEmpty)
    }

    @Test("A refusal keeps its code and its text")
    func refusal() throws {
        let server = try OneAnswer()
        defer { server.die() }
        let body = ErrorBody(code: "invalid_job_id", text: "Invalid job id specified")
        let json = body.json.compactText
        server.answer(
            "HTTP/1.1 404 Not Found\r\nContent-Length: \(json.utf8.count)\r\n\r\n\(json)"
        )
        #expect(throws: LocalClientFailure.refused(status: 404, body)) {
            try LocalClient(socketPath: server.path).get("/v1/jobs/9", as: JobInfo.self)
        }
    }

    @Test("A daemon that answers early, and reads and closes no more, is heard")
    func earlyRefusal() throws {
        let server = try OneAnswer()
        let end = DispatchSemaphore(value: 0)
        defer {
            end.signal()
            server.die()
        }
        let body = ErrorBody(code: "request_too_large", text: "the request is too large")
        let json = body.json.compactText
        server.answer(
            "HTTP/1.1 413 Payload Too Large\r\nContent-Length: \(json.utf8.count)\r\n\r\n\(json)",
            until: end
        )
        let large = [UInt8](repeating: 0x20, count: 16 << 20)
        #expect(throws: LocalClientFailure.refused(status: 413, body)) {
            try LocalClient(socketPath: server.path).send("POST", "/v1/jobs", body: large)
        }
    }

    @Test("A daemon that dies in the middle of its answer is told of")
    func hungUp() throws {
        let server = try OneAnswer()
        defer { server.die() }
        server.answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        #expect(throws: LocalClientFailure.hungUp(path: server.path)) {
            try LocalClient(socketPath: server.path).send("GET", "/", body: nil)
        }
    }

    @Test("A daemon that does not answer is not waited for without end")
    func timeout() throws {
        let server = try OneAnswer()
        defer { server.die() }
        #expect(throws: LocalClientFailure.timedOut(path: server.path)) {
            try LocalClient(socketPath: server.path, timeoutSeconds: 1).send("GET", "/", body: nil)
        }
    }

    @Test("A socket that a killed daemon left behind is told from a running centre")
    func staleSocket() throws {
        let server = try OneAnswer()
        server.die()
        let failure = #expect(throws: LocalClientFailure.staleSocket(path: server.path)) {
            try LocalClient(socketPath: server.path).send("GET", "/", body: nil)
        }
        #expect(failure?.description.contains("nobody listens") == true)
    }

    /// Listens as nobody, and tells how much it is sent.
    private static let stranger = """
        import os, socket, sys
        os.setuid(65534)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(sys.argv[1])
        listener.listen()
        os.write(1, b"up")
        os.write(1, b"%d" % len(listener.accept()[0].recv(65536)))
        """

    @Test(
        "A stranger who listens where everybody may make sockets is sent nothing",
        .enabled(if: getuid() == 0, "only root can be somebody else")
    )
    func strangersSocket() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("xinghe-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o777],
            ofItemAtPath: folder.path
        )
        let path = folder.appendingPathComponent("s").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", Self.stranger, path]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Not SIGTERM: a child has the mask of the thread that made it.
        defer { kill(process.processIdentifier, SIGKILL) }
        try #require(output.fileHandleForReading.availableData == Data("up".utf8))
        var client = LocalClient(socketPath: path)
        client.trustsOnlyOwn = true
        let failure = #expect(throws: LocalClientFailure.self) {
            try client.get("/v1/status", as: CentreStatus.self)
        }
        #expect(failure?.description.contains("65534") == true, "\(failure?.description ?? "")")
        #expect(output.fileHandleForReading.availableData == Data("0".utf8))
    }
}
