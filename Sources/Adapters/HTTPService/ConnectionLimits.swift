import Glibc
import NIOCore
import Synchronization

/// What connections may take of the daemon.
public struct ConnectionLimits: Hashable, Sendable {
    /// How many are open at once; further ones wait until one is closed.
    public var count: Int
    /// How many of them one user may have, unless the daemon runs as that user; further ones are
    /// closed, so that nobody keeps the others out.
    public var countPerUser: Int
    /// How long a connection may be without a request, a request may pause, and an answer may lie
    /// there unread. Unit: ms.
    public var idleMilliseconds: Int64 = 60_000

    /// Sets the numbers of connections.
    public init(count: Int, countPerUser: Int) {
        self.count = count
        self.countPerUser = countPerUser
    }

    /// Half of the descriptors that this process may open; the rest is for the journal and for jobs,
    /// which take one each while they run.
    public static var ofThisProcess: ConnectionLimits {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let count = max(Int(clamping: limit.rlim_cur) / 2, 8)
        return ConnectionLimits(count: count, countPerUser: count / 4)
    }
}

/// How many connections each user has.
final class UserConnections: Sendable {
    private let counts = Mutex<[UInt32: Int]>([:])
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// Counts a connection, if the user may have one more.
    func open(_ user: UInt32) -> Bool {
        counts.withLock { counts in
            guard user == getuid() || counts[user, default: 0] < limit else { return false }
            counts[user, default: 0] += 1
            return true
        }
    }

    /// Counts it no more.
    func close(_ user: UInt32) {
        counts.withLock { counts in
            let left = counts[user, default: 1] - 1
            counts[user] = left == 0 ? nil : left
        }
    }
}

/// Closes a connection of a user who has too many.
final class UserConnectionsHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let connections: UserConnections

    init(_ connections: UserConnections) {
        self.connections = connections
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        channel.peer().whenComplete { [connections] answer in
            guard case .success(let peer) = answer, connections.open(peer.userID) else {
                channel.close(promise: nil)
                return
            }
            channel.closeFuture.whenComplete { _ in connections.close(peer.userID) }
        }
        context.fireChannelActive()
    }
}
