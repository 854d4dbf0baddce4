import Glibc
public import WireFormats

/// Speaks HTTP/1.1 to the daemon over its Unix socket: one connection for each request.
///
/// Only the C library is used, so that the Slurm commands start in a few milliseconds.
public struct LocalClient: Sendable {
    /// The socket's path.
    public let socketPath: String
    /// How long to wait for each part of the answer. Unit: s.
    public var timeoutSeconds: Int
    /// Whether only a daemon of this user or of root is spoken to: whoever is first makes the socket in
    /// a folder that everybody may write to, and would be sent scripts and environments.
    public var trustsOnlyOwn = false

    /// Makes a client of the daemon at `socketPath`.
    public init(socketPath: String, timeoutSeconds: Int = 60) {
        self.socketPath = socketPath
        self.timeoutSeconds = timeoutSeconds
    }

    /// Makes a client of the daemon that this user's environment points to.
    public init() {
        let path = SocketLocation.path(userID: getuid()) { name in
            getenv(name).map { String(cString: $0) }
        }
        self.init(socketPath: path)
        // Who names a socket knows whose it is.
        trustsOnlyOwn = getenv("XINGHE_SOCKET").map { $0.pointee == 0 } ?? true
    }

    /// Asks for `target`, such as `/v1/jobs?user=alice`.
    ///
    /// - Throws: `LocalClientFailure`; a status from 400 on is `.refused`.
    public func get<Answer: WireRecord>(
        _ target: String,
        as type: Answer.Type = Answer.self
    ) throws(LocalClientFailure) -> Answer {
        try decode(try send("GET", target, body: nil))
    }

    /// Sends `request` to `target`.
    ///
    /// - Throws: `LocalClientFailure`; a status from 400 on is `.refused`.
    public func post<Answer: WireRecord>(
        _ target: String,
        _ request: some WireRecord,
        as type: Answer.Type = Answer.self
    ) throws(LocalClientFailure) -> Answer {
        try decode(try send("POST", target, body: request.compactBytes))
    }

    /// Sends one request and gives the body of the answer.
    ///
    /// - Throws: `LocalClientFailure`; a status from 400 on is `.refused`.
    public func send(
        _ method: String,
        _ target: String,
        body: [UInt8]?
    ) throws(LocalClientFailure) -> [UInt8] {
        let connection = try Connection(path: socketPath, timeoutSeconds: timeoutSeconds)
        if trustsOnlyOwn { try connection.checkOwner() }
        var request = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        if let body {
            request += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n"
        }
        try connection.write(Array((request + "\r\n").utf8) + (body ?? []))
        var reader = ResponseReader(socketPath: socketPath)
        let response = try reader.read { () throws(LocalClientFailure) in
            try connection.read()
        }
        guard response.status < 400 else {
            throw .refused(status: response.status, Self.errorBody(response))
        }
        return response.body
    }

    private func decode<Answer: WireRecord>(
        _ bytes: [UInt8]
    ) throws(LocalClientFailure) -> Answer {
        do throws(JSONValue.Malformed) {
            return try Answer(parsing: bytes)
        } catch {
            throw .malformedAnswer(error.description)
        }
    }

    /// The refusal in the body, or one made of the status when the body is something else.
    private static func errorBody(_ response: Response) -> ErrorBody {
        if let body = try? ErrorBody(parsing: response.body) { return body }
        let text = String(decoding: response.body.prefix(200), as: UTF8.self)
        return ErrorBody(
            code: "status_\(response.status)",
            text: text.isEmpty ? "the centre answered with status \(response.status)" : text
        )
    }
}

/// A connected stream socket. Closed when this value ends.
private struct Connection: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private let timeoutSeconds: Int

    init(path: String, timeoutSeconds: Int) throws(LocalClientFailure) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .pathTooLong(path)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }

        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let socket = Glibc.socket(AF_UNIX, type, 0)
        guard socket >= 0 else { throw .system(call: "socket", errno: errno) }
        var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)

        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Glibc.connect(socket, pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        let problem = errno
        guard result == 0 else {
            close(socket)
            throw Self.failure(problem, call: "connect", path: path)
        }
        descriptor = socket
        self.path = path
        self.timeoutSeconds = timeoutSeconds
    }

    deinit {
        close(descriptor)
    }

    /// Refuses a listener that is neither root nor this user, by the kernel's word.
    func checkOwner() throws(LocalClientFailure) {
        var peer = Credentials()
        var size = socklen_t(MemoryLayout<Credentials>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 else {
            throw .system(call: "getsockopt", errno: errno)
        }
        guard peer.uid == 0 || peer.uid == getuid() else {
            throw .strangersSocket(path: path, user: peer.uid)
        }
    }

    /// The layout of `struct ucred`, which Glibc shows to GNU sources only.
    private struct Credentials {
        var pid: Int32 = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
    }

    private static func failure(_ problem: Int32, call: String, path: String) -> LocalClientFailure
    {
        switch problem {
        case ENOENT, ENOTDIR: .noCentre(path: path)
        case ECONNREFUSED: .staleSocket(path: path)
        case EACCES, EPERM: .notPermitted(path: path)
        case EAGAIN, ETIMEDOUT, EINPROGRESS: .timedOut(path: path)
        case EPIPE, ECONNRESET: .hungUp(path: path)
        default: .system(call: call, errno: problem)
        }
    }

    /// Sends until all is sent or an answer is there: a daemon that refuses early reads no further.
    func write(_ bytes: [UInt8]) throws(LocalClientFailure) {
        var sent = 0
        while sent < bytes.count, try !isAnswered() {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    descriptor,
                    buffer.baseAddress.map { $0 + sent },
                    buffer.count - sent,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
                )
            }
            if count < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                if errno == EPIPE || errno == ECONNRESET { return }
                throw Self.failure(errno, call: "send", path: path)
            }
            sent += count
        }
    }

    /// Waits until something can be sent or something has come, and tells which.
    private func isAnswered() throws(LocalClientFailure) -> Bool {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN | POLLOUT), revents: 0)
        let milliseconds = Int32(clamping: timeoutSeconds * 1_000)
        var count = poll(&ready, 1, milliseconds)
        while count < 0, errno == EINTR { count = poll(&ready, 1, milliseconds) }
        guard count >= 0 else { throw Self.failure(errno, call: "poll", path: path) }
        guard count > 0 else { throw .timedOut(path: path) }
        return ready.revents & Int16(POLLIN) != 0
    }

    /// The next bytes; empty at the end.
    func read() throws(LocalClientFailure) -> [UInt8] {
        while true {
            var problem: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, filled in
                let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                problem = count < 0 ? errno : 0
                filled = max(0, count)
            }
            if problem == EINTR { continue }
            guard problem == 0 else { throw Self.failure(problem, call: "recv", path: path) }
            return bytes
        }
    }
}
