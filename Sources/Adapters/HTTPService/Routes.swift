import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Quantities
import ServiceLifecycle
import SlurmDialect
import WireFormats

/// The routes of the API. Each body is parsed once, here; what is not JSON, or not the JSON that is
/// expected, is refused with the line or the member that is wrong.
struct Routes {
    let centre: any CentreService
    /// What lists many jobs, or asks the store for them; one core is left for everything else.
    let listings = Readings(width: max(1, ProcessInfo.processInfo.activeProcessorCount - 1))
    /// What asks for some jobs by number, and needs not wait for the lists.
    let lookups = Readings(width: 1)
    let turns = Turns()
    private let feed: EventFeed
    /// Where the network comes in; nil where it does not.
    private let door: NetworkDoor?
    /// The largest body that is read. Unit: bytes. Script, arguments and environment are at most
    /// 4 MiB each.
    static let bodyMaximum = 16 << 20
    /// The largest body of many submissions: 10,000, each with 13 KiB of script and environment.
    private static let batchMaximum = 128 << 20
    /// What a user may send on all connections at once.
    private static let usualMaximum = 1 << 20

    init(_ centre: any CentreService, door: NetworkDoor? = nil) {
        self.centre = centre
        self.door = door
        feed = EventFeed(centre)
    }

    /// - Parameter gate: what asks who comes in; nil where the kernel tells.
    func router(asking gate: TokenGate? = nil) -> Router<PeerContext> {
        let router = Router(context: PeerContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ErrorBodies(cluster: centre.name))
        if let gate { router.add(middleware: gate) }
        addReading(router)
        addWatching(router)
        addJobs(router)
        addOperating(router)
        addSlurm(router)
        return router
    }

    private func addReading(_ router: Router<PeerContext>) {
        get(router, "/v1/status") { _, _ in Reply(await centre.status()) }
        ask(router, "/v1/nodes") { request, context in
            let parameters = try Self.parameters(request, known: ["name", "cluster"])
            let (name, clusters) = (parameters["name"], parameters.words("cluster"))
            let peer = try await context.peer()
            return try await listings.shared(question(request, peer, isPublic: false)) {
                var list = try await centre.nodes(of: clusters, peer)
                if let name { list.nodes.removeAll { $0.name != name } }
                return Reply(list)
            }.response(200)
        }
        ask(router, "/v1/partitions") { request, _ in
            let clusters = try Self.parameters(request, known: ["cluster"]).words("cluster")
            return Reply(try await centre.partitions(of: clusters)).response(200)
        }
        get(router, "/v1/reservations") { _, context in
            Reply(try await centre.reservations(context.peer()))
        }
        get(router, "/v1/people") { request, context in
            let peer = try await context.peer()
            return try await listings.shared(question(request, peer, isPublic: false)) {
                Reply(await centre.people(peer))
            }
        }
        get(router, "/v1/priorities") { request, context in
            let peer = try await context.peer()
            let question = question(request, peer, isPublic: centre.isQueuePublic)
            return try await listings.shared(question) { Reply(await centre.priorities(peer)) }
        }
        get(router, "/v1/openapi.json") { _, _ in
            Reply(OpenAPIDocument.service(version: centre.version))
        }
        get(router, "/openapi/v3") { _, _ in Reply(OpenAPIDocument.slurm) }
        get(router, "/healthz") { _, _ in Reply(text: "ok\n") }
        // The centre is asked for something that it must answer anew.
        get(router, "/readyz") { _, _ in
            _ = await centre.status()
            return Reply(text: "ok\n")
        }
        ask(router, "/v1/jobs") { request, context in
            let query = try Self.query(request) { parameters throws(JSONValue.Malformed) in
                try JobQuery(parameters)
            }
            let peer = try await context.peer()
            // A look ahead takes as long as a listing, also for one job.
            let lane = query.wantsForecast ? listings : readings(of: query.ids)
            let question = question(request, peer, isPublic: centre.isQueuePublic)
            return try await lane.shared(question) {
                var list = try await centre.jobs(query, peer)
                list.selection = query.fields
                return Reply(list)
            }.response(200)
        }
        get(router, "/v1/jobs/:id") { _, context in
            var query = JobQuery()
            query.ids = [try Self.jobID(context)]
            query.includesEnded = true
            query.looksAhead = true
            let peer = try await context.peer()
            return try await listings.alone { [query] in
                let list = try await centre.jobs(query, peer)
                guard !list.jobs.isEmpty else { throw ServiceRefusal.noJob }
                return Reply(list)
            }
        }
        get(router, "/v1/jobs/:id/environment") { _, context in
            let id = try Self.jobID(context)
            let peer = try await context.peer()
            return try await lookups.alone { Reply(try await centre.environment(id, peer)) }
        }
        ask(router, "/v1/jobs/:id/program") { request, context in
            let id = try Self.jobID(context)
            let query = try Self.query(request) { parameters throws(JSONValue.Malformed) in
                try ProgramQuery(parameters)
            }
            let peer = try await context.peer()
            return try await lookups.alone {
                Reply(try await centre.programTime(query, in: id, peer))
            }.response(200)
        }
        get(router, "/v1/jobs/:id/explanation") { _, context in
            let id = try Self.jobID(context)
            let peer = try await context.peer()
            // It looks ahead a few times over.
            return try await listings.alone { Reply(try await centre.explain(id, peer)) }
        }
        get(router, "/v1/jobs/:id/script") { _, context in
            let id = try Self.jobID(context)
            let peer = try await context.peer()
            return try await lookups.alone { Reply(script: try await centre.script(id, peer)) }
        }
        ask(router, "/v1/accounting") { request, context in
            let query = try Self.query(request) { parameters throws(JSONValue.Malformed) in
                try AccountingQuery(parameters)
            }
            let peer = try await context.peer()
            let question = question(request, peer, isPublic: false)
            return try await readings(of: query.ids).shared(question) {
                Reply(try await centre.accounting(query, peer))
            }.response(200)
        }
        ask(router, "/v1/bill") { request, context in
            let query = try Self.parameters(
                request,
                known: ["account", "enterprise", "period", "by", "jobs"]
            )
            var wanted = BillQuery()
            wanted.period = query["period"]
            wanted.grouping = query["by"]
            wanted.listsCharges = query["jobs"] == "true"
            let account = query["account"]
            let enterprise = query["enterprise"]
            let peer = try await context.peer()
            return try await listings.alone { [wanted] in
                if let account {
                    return Reply(try await centre.bill(account: account, wanted, peer))
                }
                guard let enterprise else {
                    throw ServiceRefusal.badRequest(
                        "'account' or 'enterprise' is missing in the query"
                    )
                }
                return Reply(try await centre.bill(enterprise: enterprise, wanted, peer))
            }.response(200)
        }
        ask(router, "/v1/ledger") { request, context in
            let query = try Self.parameters(request, known: ["account", "month"])
            let (account, month) = (query["account"], query["month"])
            let peer = try await context.peer()
            return try await listings.alone {
                let text = try await centre.ledger(account: account, month: month, peer)
                return Reply(text: text, type: "text/csv; charset=utf-8")
            }.response(200)
        }
        ask(router, "/v1/claims") { request, context in
            let query = try Self.parameters(request, known: ["enterprise", "year"])
            guard let enterprise = query["enterprise"] else {
                throw ServiceRefusal.badRequest("'enterprise' is missing in the query")
            }
            let year = query["year"]
            let peer = try await context.peer()
            return try await listings.alone {
                let text = try await centre.claims(enterprise: enterprise, year: year, peer)
                return Reply(text: text, type: "text/csv; charset=utf-8")
            }.response(200)
        }
        get(router, "/v1/accounts") { _, context in
            let peer = try await context.peer()
            return try await listings.alone { Reply(await centre.accounts(peer)) }
        }
    }

    /// What is asked, and by whom if that makes a difference.
    private func question(_ request: Request, _ peer: Peer, isPublic: Bool) -> String {
        isPublic ? request.uri.string : "\(peer.userID) \(request.uri.string)"
    }

    /// What pages and monitors ask for again and again.
    private func addWatching(_ router: Router<PeerContext>) {
        get(router, "/v1/census") { request, context in
            let peer = try await context.peer()
            let question = question(request, peer, isPublic: centre.isQueuePublic)
            return try await listings.shared(question) { Reply(await centre.census(peer)) }
        }
        ask(router, "/v1/map") { request, context in
            let withNames = try Self.parameters(request, known: ["names"])["names"] == "1"
            let peer = try await context.peer()
            return try await listings.shared(question(request, peer, isPublic: false)) {
                Reply(try await centre.map(withNames: withNames, peer))
            }.response(200)
        }
        get(router, "/metrics") { request, context in
            let peer = try await context.peer()
            let question = question(request, peer, isPublic: centre.isQueuePublic)
            return try await listings.shared(question) {
                let metrics = Metrics(await centre.status(), await centre.census(peer))
                return Reply(text: metrics.text, type: "text/plain; version=0.0.4; charset=utf-8")
            }
        }
        ask(router, "/v1/events") { request, context in
            let peer = try await context.peer()
            let asked =
                try HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] }
                ?? Self.parameters(request, known: ["after"])["after"]
            var last: Int?
            if let asked {
                guard let number = Int(asked), number >= 0 else {
                    throw ServiceRefusal.badRequest("'\(asked)' is no number of an event")
                }
                last = number
            }
            // Whoever listens must not keep the centre from closing.
            let lines = await feed.listen(peer, after: last).cancelOnGracefulShutdown()
            return Response(
                status: .ok,
                headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
                body: ResponseBody(asyncSequence: lines)
            )
        }
        post(router, "/v1/token") { request, context in
            let wanted: TokenRequest = try await Self.body(request)
            guard let door else {
                let text = "this centre does not listen on the network; open it with --listen"
                throw ServiceRefusal(status: 409, body: ErrorBody(code: "no_network", text: text))
            }
            let peer = try await context.peer()
            return Reply(try await door.token(wanted, peer))
        }
        router.get("/") { _, _ in try Self.page("index.html") }
        router.get("/page/:file") { _, context in
            try Self.page(context.parameters.get("file") ?? "")
        }
    }

    private static func page(_ name: String) throws -> Response {
        guard let response = PageFiles.response(name) else { throw HTTPError(.notFound) }
        return response
    }

    private func readings(of ids: [UInt32]?) -> Readings {
        ids == nil ? listings : lookups
    }

    private func addJobs(_ router: Router<PeerContext>) {
        post(router, "/v1/jobs") { request, context in
            var submission: SubmitRequest = try await Self.body(request)
            submission.idempotencyKey = try Self.key(of: request) ?? submission.idempotencyKey
            let peer = try await context.peer()
            guard submission.isTestOnly else {
                return Reply(try await centre.submit(submission, peer))
            }
            // The trial is made on a copy of the whole centre.
            return try await listings.alone { [submission] in
                Reply(try await centre.submit(submission, peer))
            }
        }
        post(router, "/v1/jobs/batch") { request, context in
            let bytes = try await Self.bytes(request, upTo: Self.batchMaximum)
            let peer = try await context.peer()
            return try await listings.alone { try await submitMany(bytes, peer) }
        }
        post(router, "/v1/jobs/:id/steps") { request, context in
            let id = try Self.jobID(context)
            let step: StepRequest = try await Self.body(request)
            return Reply(try await centre.step(id, step, context.peer()))
        }
        post(router, "/v1/jobs/:id/complete") { request, context in
            let id = try Self.jobID(context)
            let end: CompleteRequest = try await Self.body(request)
            return Reply(try await centre.complete(id, end, context.peer()))
        }
        post(router, "/v1/cancel") { request, context in
            let cancel: CancelRequest = try await Self.body(request)
            return Reply(try await centre.cancel(cancel, context.peer()))
        }
        post(router, "/v1/jobs/:id/update") { request, context in
            let update: JobUpdateRequest = try await Self.body(request)
            let peer = try await context.peer()
            return Reply(try await centre.update(Self.jobID(context), update, peer))
        }
        post(router, "/v1/jobs/:id/cancel") { _, context in
            var cancel = CancelRequest()
            // A step of it, too: it is not to be taken for its job.
            guard let job = OptionValues.jobOrStep(context.parameters.get("id") ?? "") else {
                throw ServiceRefusal.noJob
            }
            cancel.jobs = [job]
            return Reply(try await centre.cancel(cancel, context.peer()))
        }
        for verb in JobVerb.allCases {
            post(router, "/v1/jobs/:id/\(verb.rawValue)") { request, context in
                let options: JobActionRequest = try await Self.body(request)
                let id = try Self.jobID(context)
                return Reply(try await centre.perform(verb, on: id, options, context.peer()))
            }
        }
    }

    private func addOperating(_ router: Router<PeerContext>) {
        post(router, "/v1/nodes/update") { request, context in
            let update: NodeUpdateRequest = try await Self.body(request)
            try await centre.update(update, context.peer())
            return Reply(ActionResponse())
        }
        post(router, "/v1/partitions/update") { request, context in
            let update: PartitionUpdateRequest = try await Self.body(request)
            try await centre.update(update, context.peer())
            return Reply(ActionResponse())
        }
        addReservations(router)
        post(router, "/v1/money") { request, context in
            let change: MoneyRequest = try await Self.body(request)
            return Reply(try await centre.change(change, context.peer()))
        }
        post(router, "/v1/clock/advance") { request, context in
            let advance: ClockAdvanceRequest = try await Self.body(request)
            return Reply(try await centre.advance(advance, context.peer()))
        }
        post(router, "/v1/archive") { _, context in
            Reply(try await centre.archive(context.peer()))
        }
        post(router, "/v1/shutdown") { _, context in
            try await centre.shutDown(context.peer())
            return Reply(ActionResponse())
        }
    }

    private func addReservations(_ router: Router<PeerContext>) {
        post(router, "/v1/people") { request, context in
            let edit: PeopleEdit = try await Self.body(request)
            return Reply(try await centre.change([edit], context.peer()))
        }
        post(router, "/v1/reservations") { request, context in
            let wanted: ReservationRequest = try await Self.body(request)
            return Reply(try await centre.reserve(wanted, context.peer()))
        }
        post(router, "/v1/reservations/update") { request, context in
            let change: ReservationRequest = try await Self.body(request)
            return Reply(try await centre.changeReservation(change, context.peer()))
        }
        post(router, "/v1/reservations/delete") { request, context in
            let name: ReservationName = try await Self.body(request)
            return Reply(try await centre.deleteReservation(name, context.peer()))
        }
    }

    /// One submission a line (NDJSON), one answer a line, in the same order: `SubmitResponse`, or
    /// `ErrorBody` for one that was refused. All go into few transactions of the journal.
    private func submitMany(_ bytes: [UInt8], _ peer: Peer) async throws -> Reply {
        var submissions: [SubmitRequest] = []
        let form = RequestForm(SubmitRequest.self)
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.isEmpty {
            do throws(JSONValue.Malformed) {
                submissions.append(try SubmitRequest(requesting: Array(line), form))
            } catch {
                throw ServiceRefusal.badRequest("line \(index + 1): \(error.problem)")
            }
        }
        var answers: [UInt8] = []
        for answer in await centre.submit(submissions, peer) {
            switch answer {
            case .success(let response): answers += response.compactBytes
            case .failure(let refusal): answers += refusal.body.compactBytes
            }
            answers.append(0x0A)
        }
        return Reply(bytes: answers, type: "application/x-ndjson")
    }
}

// MARK: - Reading requests

extension Routes {
    static func bytes(_ request: Request, upTo maximum: Int) async throws -> [UInt8] {
        do {
            let buffer = try await request.body.collect(upTo: maximum)
            return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            let text = "the request is larger than \(maximum >> 20) MiB"
            throw ServiceRefusal(
                status: 413,
                body: ErrorBody(code: "request_too_large", text: text)
            )
        }
    }

    private static func body<Wanted: WireRequest>(_ request: Request) async throws -> Wanted {
        let bytes = try await bytes(request, upTo: bodyMaximum)
        do throws(JSONValue.Malformed) {
            // No body is an object without members: what must be in it is missed by name.
            return try Wanted(requesting: bytes.isEmpty ? Array("{}".utf8) : bytes)
        } catch {
            throw ServiceRefusal.badRequest(error.description)
        }
    }

    /// By what a submission is known when it comes again: the header `Idempotency-Key`.
    static func key(of request: Request) throws(ServiceRefusal) -> String? {
        guard let name = HTTPField.Name("Idempotency-Key"), let key = request.headers[name] else {
            return nil
        }
        let isPrintable = key.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard (1...255).contains(key.utf8.count), isPrintable else {
            throw .badRequest("'Idempotency-Key' is not 1 to 255 printable characters")
        }
        return key
    }

    private static func jobID(_ context: PeerContext) throws -> UInt32 {
        let text = context.parameters.get("id") ?? ""
        guard let id = UInt32(text) else { throw ServiceRefusal.noJob }
        return id
    }

    /// The parameters of a URL; others than those of `names` are refused.
    private static func parameters(
        _ request: Request,
        known names: [String]
    ) throws -> QueryParameters {
        try query(request) { parameters throws(JSONValue.Malformed) in
            try QueryParameters(parameters, known: names)
        }
    }

    /// Reads the parameters of a URL.
    private static func query<Query>(
        _ request: Request,
        _ read: ([(key: String, value: String)]) throws(JSONValue.Malformed) -> Query
    ) throws -> Query {
        let parameters = request.uri.queryParameters.map { (String($0.key), String($0.value)) }
        do throws(JSONValue.Malformed) {
            return try read(parameters)
        } catch {
            throw ServiceRefusal.badRequest(error.problem)
        }
    }
}

extension ServiceRefusal {
    static func badRequest(_ problem: String) -> ServiceRefusal {
        ServiceRefusal(status: 400, body: ErrorBody(code: malformed, text: problem))
    }

    /// The code of what cannot be read.
    static var malformed: String { "malformed_request" }

    static var noJob: ServiceRefusal {
        let body = ErrorBody(code: "invalid_job_id", text: "Invalid job id specified")
        return ServiceRefusal(status: 404, body: body)
    }
}

// MARK: - Answers

extension Routes {
    private typealias Handler = @Sendable (Request, PeerContext) async throws -> Reply

    /// A question; it is described as all routes are.
    private func ask(
        _ router: Router<PeerContext>,
        _ path: String,
        _ handler: @escaping @Sendable (Request, PeerContext) async throws -> Response
    ) {
        precondition(ServiceRoute.isDescribed(.get, path), "GET \(path) is not described")
        router.get(RouterPath(path), use: handler)
    }

    /// A question without parameters.
    private func get(
        _ router: Router<PeerContext>,
        _ path: String,
        _ handler: @escaping Handler
    ) {
        ask(router, path) { request, context in
            try Self.checkNoParameters(request)
            return try await handler(request, context).response(200)
        }
    }

    private static func checkNoParameters(_ request: Request) throws {
        _ = try query(request) { parameters throws(JSONValue.Malformed) in
            try QueryParameters(parameters, known: [])
        }
    }

    private func post(
        _ router: Router<PeerContext>,
        _ path: String,
        _ handler: @escaping Handler
    ) {
        precondition(ServiceRoute.isDescribed(.post, path), "POST \(path) is not described")
        router.post(RouterPath(path)) { request, context in
            try Self.checkNoParameters(request)
            guard Self.isLarge(request) else {
                return try await handler(request, context).response(200)
            }
            let user = try await context.peer().userID
            return try await turns.take(user) { try await handler(request, context).response(200) }
        }
    }

    /// Whether the body may be large: it says so, or comes in chunks and does not say.
    static func isLarge(_ request: Request) -> Bool {
        if let length = request.headers[.contentLength] {
            return Int(length).map { $0 > usualMaximum } ?? true
        }
        return request.headers[.transferEncoding] != nil
    }
}

/// Whatever goes wrong is answered with an `ErrorBody`, also what the router itself refuses; without
/// the body where only the head is asked for.
private struct ErrorBodies: RouterMiddleware {
    /// The centre's name.
    let cluster: String

    func handle(
        _ request: Request,
        context: PeerContext,
        next: (Request, PeerContext) async throws -> Response
    ) async throws -> Response {
        let status: Int
        let body: ErrorBody
        var failure: RestFailure?
        do {
            return try await next(request, context)
        } catch let refusal as ServiceRefusal {
            (status, body) = (refusal.status, refusal.body)
        } catch let error as HTTPError where error.status == .notFound {
            let path = request.uri.path
            let route = "\(request.method.rawValue) \(path)"
            body = ErrorBody(code: "no_route", text: "there is no route \(route)")
            if SlurmRoute.isAddress(path) { failure = Routes.noRoute(request.method, path) }
            status = failure?.status ?? 404
        } catch let error as HTTPError {
            let text = error.body ?? error.status.reasonPhrase
            (status, body) = (
                error.status.code, ErrorBody(code: "http_\(error.status.code)", text: text)
            )
        }
        var answer = Reply(body).response(status)
        let path = request.uri.path
        if SlurmRoute.isAddress(path) {
            // Slurm's clients read its own form of errors.
            var data = SlurmData(SlurmRoute.version(in: path) ?? .usual, cluster: cluster)
            data.isOfAccounts = path.hasPrefix("/slurmdb/")
            let told = data.refusal(failure ?? RestFailure(body, status: status))
            answer = Reply(told).response(status)
        }
        if status == 401 { answer.headers[.wwwAuthenticate] = "Bearer realm=\"xinghe\"" }
        return request.method == .head ? answer.createHeadResponse() : answer
    }
}
