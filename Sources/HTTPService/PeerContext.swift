import Glibc
import Hummingbird
import NIOCore

/// The context of a request: it knows the connection, and so who is at its other end.
struct PeerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    private let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// The layout of `struct ucred`, which Glibc shows to GNU sources only.
    private struct Credentials: Sendable {
        var pid: Int32 = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
    }

    /// Who is at the other end.
    ///
    /// - Throws: when the kernel does not tell; nobody is assumed then.
    func peer() async throws -> Peer {
        guard let provider = channel as? any SocketOptionProvider else {
            throw ServiceRefusal.badRequest("the connection has no credentials")
        }
        let credentials: Credentials = try await Self.option(SO_PEERCRED, of: provider).get()
        return Peer(
            processID: credentials.pid,
            userID: credentials.uid,
            groupID: credentials.gid
        )
    }

    // NIO asks that calls of `unsafeGetSocketOption` are neither public nor inlinable.
    private static func option<Value: Sendable>(
        _ name: Int32,
        of provider: any SocketOptionProvider
    ) -> EventLoopFuture<Value> {
        provider.unsafeGetSocketOption(level: .socket, name: NIOBSDSocket.Option(rawValue: name))
    }
}
