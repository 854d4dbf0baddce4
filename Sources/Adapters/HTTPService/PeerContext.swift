import Glibc
import Hummingbird
import NIOCore

/// The context of a request: it knows the connection, and so who is at its other end.
struct PeerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    private let channel: any Channel
    /// Whoever showed a token on the network.
    var identity: Peer?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// Who is at the other end.
    ///
    /// - Throws: when the kernel does not tell; nobody is assumed then.
    func peer() async throws -> Peer {
        if let identity { return identity }
        return try await channel.peer().get()
    }
}

extension Channel {
    /// Who is at the other end of a Unix socket; fails when the kernel does not tell.
    func peer() -> EventLoopFuture<Peer> {
        guard let provider = self as? any SocketOptionProvider else {
            return eventLoop.makeFailedFuture(
                ServiceRefusal.badRequest("the connection has no credentials")
            )
        }
        let credentials: EventLoopFuture<Credentials> = option(SO_PEERCRED, of: provider)
        return credentials.map { Peer(processID: $0.pid, userID: $0.uid, groupID: $0.gid) }
    }
}

/// The layout of `struct ucred`, which Glibc shows to GNU sources only.
private struct Credentials: Sendable {
    var pid: Int32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0
}

// NIO asks that calls of `unsafeGetSocketOption` are neither public nor inlinable.
private func option<Value: Sendable>(
    _ name: Int32,
    of provider: any SocketOptionProvider
) -> EventLoopFuture<Value> {
    provider.unsafeGetSocketOption(level: .socket, name: NIOBSDSocket.Option(rawValue: name))
}
