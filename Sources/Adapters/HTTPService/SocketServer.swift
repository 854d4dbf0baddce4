import Foundation
public import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore

/// Why the socket cannot be served.
public enum SocketFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Somebody listens there.
    case inUse(path: String)
    /// There is a file of this name that is no socket.
    case notASocket(path: String)
    /// The path does not fit into a socket address.
    case tooLong(path: String)
    /// The folder belongs to somebody else.
    case foreignFolder(path: String)
    /// The operating system refuses.
    case system(call: String, path: String, code: Int32)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .inUse(let path): "another xinghed listens on \(path)"
        case .notASocket(let path): "\(path) exists and is not a socket"
        case .tooLong(let path):
            "the socket's path is longer than 107 bytes, the most that Linux takes: \(path)"
        case .foreignFolder(let path): "the folder \(path) belongs to another user"
        case .system(let call, let path, let code):
            "the socket \(path) cannot be served: \(call): \(String(cString: strerror(code)))"
        }
    }
}

/// The HTTP service of a centre on a Unix socket.
///
/// Who may connect is a matter of the file's mode, and who may do what of the peer's credentials.
/// A centre of root serves all users (mode 0666); any other user's centre can run jobs as that user
/// only, and is theirs alone (0600).
public struct SocketServer: Sendable {
    /// The socket's path.
    public let path: String
    private let mode: UInt32
    private let limits: ConnectionLimits

    /// Names a socket and makes sure that it can be served: a socket that a dead daemon left is
    /// removed, but only once a connection to it is refused.
    ///
    /// - Throws: `SocketFailure`.
    public init(
        path: String,
        mode: UInt32? = nil,
        limits: ConnectionLimits = .ofThisProcess
    ) throws(SocketFailure) {
        guard path.utf8.count <= 107 else { throw .tooLong(path: path) }
        self.path = path
        self.limits = limits
        self.mode = mode ?? (getuid() == 0 ? 0o666 : 0o600)
        try Self.makeFolder(of: path)
        try Self.removeDead(path)
    }

    private static func makeFolder(of path: String) throws(SocketFailure) {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return }
        let folder = String(path[..<slash])
        if mkdir(folder, 0o755) != 0, errno != EEXIST {
            throw .system(call: "mkdir", path: folder, code: errno)
        }
        // In /tmp anybody could have made the folder first, to listen in our place.
        guard let facts = try? FileManager.default.attributesOfItem(atPath: folder),
            let owner = (facts[.ownerAccountID] as? NSNumber)?.uint32Value
        else { throw .system(call: "stat", path: folder, code: errno) }
        guard owner == getuid() || owner == 0 else { throw .foreignFolder(path: folder) }
        guard access(folder, W_OK | X_OK) == 0 else {
            throw .system(call: "bind", path: path, code: errno)
        }
    }

    private static func removeDead(_ path: String) throws(SocketFailure) {
        guard let facts = try? FileManager.default.attributesOfItem(atPath: path) else { return }
        guard facts[.type] as? FileAttributeType == .typeSocket else {
            throw .notASocket(path: path)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw .system(call: "socket", path: path, code: errno) }
        defer { close(descriptor) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 { throw .inUse(path: path) }
        guard errno == ECONNREFUSED else {
            throw .system(call: "connect", path: path, code: errno)
        }
        guard unlink(path) == 0 else { throw .system(call: "unlink", path: path, code: errno) }
    }

    /// The service, to be run by a `ServiceGroup`.
    ///
    /// - Parameter door: where the network comes in, to give tokens for; nil where it does not.
    /// - Parameter onReady: called once the socket takes connections.
    public func application(
        for centre: any CentreService,
        door: NetworkDoor? = nil,
        logger: Logger,
        onReady: @escaping @Sendable () async -> Void
    ) -> some ApplicationProtocol {
        let path = self.path
        let mode = self.mode
        let users = UserConnections(limit: limits.countPerUser)
        return Application(
            router: Routes(centre, door: door).router(),
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: [UserConnectionsHandler(users)],
                    idleTimeout: .milliseconds(limits.idleMilliseconds)
                )
            ),
            configuration: ApplicationConfiguration(
                address: .unixDomainSocket(path: path),
                serverName: "xinghed",
                availableConnectionsDelegate: MaximumAvailableConnections(
                    limits.count,
                    logger: logger
                )
            ),
            onServerRunning: { _ in
                // Until here the mode is what the usual mask leaves, which lets nobody else in.
                chmod(path, mode)
                await onReady()
            },
            logger: logger
        )
    }

    /// Takes the socket away.
    public func remove() {
        unlink(path)
    }
}
