import Foundation
import HTTPTypes
public import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
import Synchronization
import WireFormats

/// Where a centre listens on the network: `6820`, `127.0.0.1:6820`, `[::1]:6820`.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or number of this computer.
    public var host: String
    /// The port; 0 for one that is free.
    public var port: UInt16

    /// Reads an address; without a host it is the loopback. Nil when it is none.
    public init?(_ text: String) {
        let cut = text.lastIndex(of: ":")
        let head = cut.map { text[..<$0] } ?? ""
        let digits = cut.map { text[text.index(after: $0)...] } ?? text[...]
        guard let port = UInt16(digits), digits.allSatisfy(\.isNumber) else { return nil }
        let isBracketed = head.hasPrefix("[") && head.hasSuffix("]")
        let name = isBracketed ? head.dropFirst().dropLast() : head
        let letters = name.allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0))
        }
        guard isBracketed ? !name.isEmpty : letters else { return nil }
        host = name.isEmpty ? "127.0.0.1" : String(name)
        self.port = port
    }

    /// Whether nobody but this computer reaches it.
    public var isLoopback: Bool {
        let words = host.split(separator: ".", omittingEmptySubsequences: false)
        let isNumber = words.count == 4 && words.allSatisfy { UInt8($0) != nil }
        return host == "localhost" || host == "::1" || isNumber && words[0] == "127"
    }

    /// As in an address of the web.
    public var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// The HTTP service of a centre on a TCP port. Who asks is known by a token, and by nothing else.
public final class NetworkDoor: Sendable {
    private let wanted: ListenAddress
    private let limits: ConnectionLimits
    private let key: TokenKey
    /// The port that was bound.
    private let port = Atomic<UInt16>(0)

    /// Names a port, and the key of the tokens that are taken there.
    public init(
        _ address: ListenAddress,
        key: TokenKey,
        limits: ConnectionLimits = .ofThisProcess
    ) {
        wanted = address
        self.key = key
        self.limits = limits
    }

    /// Where it listens: `http://127.0.0.1:6820`.
    public var address: String {
        var address = wanted
        address.port = port.load(ordering: .acquiring)
        return "http://\(address)"
    }

    /// The service, to be run by a `ServiceGroup`.
    ///
    /// - Parameter onReady: called once the port takes connections.
    public func application(
        for centre: any CentreService,
        logger: Logger,
        onReady: @escaping @Sendable () async -> Void
    ) -> some ApplicationProtocol {
        let routes = Routes(centre, door: self)
        return Application(
            router: routes.router(asking: TokenGate(key: key)),
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    idleTimeout: .milliseconds(limits.idleMilliseconds)
                )
            ),
            configuration: ApplicationConfiguration(
                address: .hostname(wanted.host, port: Int(wanted.port)),
                serverName: "xinghed",
                availableConnectionsDelegate: MaximumAvailableConnections(
                    limits.count,
                    logger: logger
                )
            ),
            onServerRunning: { [self] channel in
                let bound = channel.localAddress?.port ?? 0
                port.store(UInt16(clamping: bound), ordering: .releasing)
                await onReady()
            },
            logger: logger
        )
    }

    /// A token for whoever asks; for another only where root does, or whoever the daemon runs as: who has
    /// it may do all that its user may, which operators may not.
    func token(_ request: TokenRequest, _ peer: Peer) async throws -> TokenResponse {
        guard let own = peer.userName else {
            throw ServiceRefusal(.unknownUser(name: String(peer.userID)))
        }
        let user = request.user ?? own
        guard user == own || peer.userID == 0 || peer.userID == getuid() else {
            let text = "Access/permission denied: the tokens of '\(user)' are not yours"
            throw ServiceRefusal(status: 403, body: ErrorBody(code: "access_denied", text: text))
        }
        guard Peer(userName: user) != nil else { throw ServiceRefusal(.unknownUser(name: user)) }
        let seconds = request.lifespan ?? Int64(TokenKey.usualLifespan)
        guard (1...Int64(TokenKey.longestLifespan)).contains(seconds) else {
            throw ServiceRefusal.badRequest(
                "member \"lifespan\": a token is good for 1 s to \(TokenKey.longestLifespan) s"
            )
        }
        var response = TokenResponse()
        response.token = try await key.token(for: user, seconds: Int(seconds))
        response.user = user
        response.address = address
        return response
    }
}

extension ServiceRefusal {
    init(_ failure: TokenFailure) {
        self.init(status: 401, body: ErrorBody(code: "unauthorized", text: failure.description))
    }
}

/// Lets pass who shows a token, as `Authorization: Bearer` or as Slurm's REST asks for it, and notes
/// whose it is. The page itself, which holds nothing, and signs of life are for all.
struct TokenGate: RouterMiddleware {
    let key: TokenKey
    private static let slurmToken = HTTPField.Name("X-SLURM-USER-TOKEN")
    private static let slurmUser = HTTPField.Name("X-SLURM-USER-NAME")

    func handle(
        _ request: Request,
        context: PeerContext,
        next: (Request, PeerContext) async throws -> Response
    ) async throws -> Response {
        if Self.isOpenToAll(request.uri.path) { return try await next(request, context) }
        guard let token = Self.token(of: request) else {
            let text = "a token is needed: 'xinghe token' on the centre's computer prints one"
            throw ServiceRefusal(TokenFailure.refused(reason: text))
        }
        var context = context
        do {
            let peer = try await key.peer(of: token)
            if let name = Self.slurmUser.flatMap({ request.headers[$0] }), name != peer.userName {
                throw TokenFailure.refused(reason: "the token is not that of user '\(name)'")
            }
            context.identity = peer
        } catch let failure as TokenFailure {
            throw ServiceRefusal(failure)
        }
        return try await next(request, context)
    }

    private static func isOpenToAll(_ path: String) -> Bool {
        path == "/" || path == "/healthz" || path == "/readyz" || path.hasPrefix("/page/")
    }

    private static func token(of request: Request) -> String? {
        if let own = slurmToken.flatMap({ request.headers[$0] }), !own.isEmpty { return own }
        guard let field = request.headers[.authorization] else { return nil }
        let words = field.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }
}
