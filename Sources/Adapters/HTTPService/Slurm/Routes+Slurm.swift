import Foundation
import HTTPTypes
import Hummingbird
import SlurmDialect
import WireFormats

// Slurm's REST: `/slurm/v0.0.44/…` and `/slurmdb/v0.0.44/…`.

extension Routes {
    /// Adds each route in each version that has it.
    func addSlurm(_ router: Router<PeerContext>) {
        for route in SlurmRoute.all {
            for version in DataVersion.allCases where route.isIn(version) {
                let path = RouterPath(route.routerPath(version))
                router.on(path, method: route.method) { request, context in
                    guard Self.isLarge(request) else {
                        return try await answer(request, context, route, version)
                    }
                    let user = try await context.peer().userID
                    return try await turns.take(user) {
                        try await answer(request, context, route, version)
                    }
                }
            }
        }
    }

    private func answer(
        _ request: Request,
        _ context: PeerContext,
        _ route: SlurmRoute,
        _ version: DataVersion
    ) async throws -> Response {
        let peer = try await context.peer()
        let isYAML = request.wantsYAML
        var data = SlurmData(version, user: peer.userName ?? "\(peer.userID)")
        data.isOfAccounts = route.part == .slurmdb
        data.cluster = centre.name
        var ask = SlurmQuestion(version: version, data: data, peer: peer)
        do {
            try Self.read(request, route, &ask)
            ask.path = context.parameters.get("name").map(Self.decoded) ?? ""
            ask.key = try Self.key(of: request)
            if route.body != nil {
                ask.body = try Self.json(try await Self.bytes(request, upTo: Self.bodyMaximum))
            }
            let made = { @Sendable [ask] in
                Reply(try await route.handler(centre, ask), isYAML: isYAML)
            }
            let reply =
                switch route.cost {
                case .little: try await made()
                case .lookup: try await lookups.alone(made)
                case .listing:
                    try await listings.shared(
                        "\(peer.userID) \(isYAML) \(request.uri.string)",
                        made
                    )
                }
            return reply.response(200)
        } catch let failure as RestFailure {
            return Reply(data.refusal(failure), isYAML: isYAML).response(failure.status)
        } catch let refusal as ServiceRefusal {
            var failure = RestFailure(refusal.body, source: route.path)
            if Self.keepsStatus(refusal) { failure.status = refusal.status }
            return Reply(data.refusal(failure), isYAML: isYAML).response(failure.status)
        }
    }

    /// Whether a refusal has another status than Slurm's 500 for whatever the controller refuses: what cannot be
    /// read, is too large, or has a key that came before; and what is not the request's fault. Clients try again
    /// after a 500, with the same key.
    private static func keepsStatus(_ refusal: ServiceRefusal) -> Bool {
        [413, 422].contains(refusal.status) || refusal.status > 500
            || refusal.body.code == ServiceRefusal.malformed
    }

    /// More parameters are not read.
    private static let parametersMaximum = 64

    /// Reads the parameters of the URL. As in Slurm a question passes over those that it does not know, and says so;
    /// a change, which would reach more than was meant, is refused.
    private static func read(
        _ request: Request,
        _ route: SlurmRoute,
        _ ask: inout SlurmQuestion
    ) throws(RestFailure) {
        let given = request.uri.queryParameters
        guard given.count <= parametersMaximum else {
            throw .query("More than \(parametersMaximum) parameters", "")
        }
        for (name, value) in given {
            let (name, value) = (String(name), String(value))
            let known = route.parameters.first { $0.name == name }
            guard known != nil || route.isQuestion else {
                let names = route.parameters.map(\.name).joined(separator: ", ")
                let hint = names.isEmpty ? "there are none here" : "there are \(names)"
                throw .query("Unknown parameter; \(hint)", String(name.prefix(64)))
            }
            guard let known, known.effect == .read else {
                guard route.isQuestion || known?.effect == .harmless || value.isEmpty else {
                    throw .query("The parameter has no effect here", name)
                }
                let text = known == nil ? "Unknown parameter" : "The parameter has no effect here"
                if !value.isEmpty {
                    ask.data.warnings.append(RestWarning(text, String(name.prefix(64))))
                }
                continue
            }
            // What stands there twice is one list.
            ask.parameters[name] = (ask.parameters[name].map { $0 + "," } ?? "") + value
        }
    }

    private static func decoded(_ text: String) -> String {
        text.removingPercentEncoding ?? text
    }

    private static func json(_ bytes: [UInt8]) throws(RestFailure) -> JSONValue {
        guard !bytes.isEmpty else { return .object([]) }
        do throws(JSONValue.Malformed) {
            return try JSONValue(parsing: bytes)
        } catch {
            throw .parsing(error.description, "#")
        }
    }

    /// Why nothing answers at an address of Slurm's REST.
    static func noRoute(_ method: HTTPRequest.Method, _ path: String) -> RestFailure {
        let words = path.split(separator: "/").map(String.init)
        let known = DataVersion.allCases.map(\.rawValue).joined(separator: ", ")
        guard let version = SlurmRoute.version(in: path) else {
            return .noRoute("There is no such version of Slurm's REST; there are \(known)")
        }
        let rest = words.dropFirst(2)
        let methods = SlurmRoute.all.filter { route in
            let parts = route.path.split(separator: "/")
            return route.part.rawValue == words[0] && route.isIn(version)
                && parts.count == rest.count
                && zip(parts, rest).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        guard methods.isEmpty else {
            let names = methods.map(\.method.rawValue).joined(separator: ", ")
            return .noMethod("\(method.rawValue) is not served here; there are \(names)")
        }
        let text = "There is no \(path.prefix(128)); GET /openapi/v3 lists what there is"
        return .noRoute(text)
    }
}

extension Request {
    /// Whether whoever asks would rather have YAML.
    fileprivate var wantsYAML: Bool {
        guard let accept = headers[.accept] else { return false }
        let first = accept.split(separator: ",").first ?? ""
        return first.contains("yaml")
    }
}
