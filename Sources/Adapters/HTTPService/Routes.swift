import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Quantities
import WireFormats

/// The routes of the API. Each body is parsed once, here; what is not JSON, or not the JSON that is
/// expected, is refused with the line or the member that is wrong.
struct Routes {
    let centre: any CentreService
    /// What lists many jobs, or asks the store for them; one core is left for everything else.
    private let listings = Readings(width: max(1, ProcessInfo.processInfo.activeProcessorCount - 1))
    /// What asks for some jobs by number, and needs not wait for the lists.
    private let lookups = Readings(width: 1)
    private let turns = Turns()
    /// The largest body that is read. Unit: bytes. Script, arguments and environment are at most
    /// 4 MiB each.
    private static let bodyMaximum = 16 << 20
    /// The largest body of many submissions: 10,000, each with 13 KiB of script and environment.
    private static let batchMaximum = 128 << 20
    /// What a user may send on all connections at once.
    private static let usualMaximum = 1 << 20

    init(_ centre: any CentreService) {
        self.centre = centre
    }

    var router: Router<PeerContext> {
        let router = Router(context: PeerContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ErrorBodies())
        addReading(router)
        addJobs(router)
        addOperating(router)
        return router
    }

    /// What needs a look ahead.
    private static var forecastFields: Set<String> { ["expected_start", "scheduled_nodes"] }

    private func addReading(_ router: Router<PeerContext>) {
        get(router, "/v1/status") { _, _ in Reply(await centre.status()) }
        get(router, "/v1/nodes") { request, _ in
            try await listings.shared(request.uri.string) { Reply(await centre.nodes()) }
        }
        get(router, "/v1/partitions") { _, _ in Reply(await centre.partitions()) }
        get(router, "/v1/reservations") { _, _ in Reply(await centre.reservations()) }
        get(router, "/healthz") { _, _ in Reply(text: "ok\n") }
        get(router, "/v1/jobs") { request, _ in
            let query = request.uri.queryParameters
            let ids = try Self.numbers(query["id"])
            let fields = query["fields"].map { names in
                Set(names.split(separator: ",").map(String.init))
            }
            // Whoever chooses no fields gets them for single jobs, or by `ahead=1`.
            let looksAhead =
                fields.map { !$0.isDisjoint(with: Self.forecastFields) }
                ?? (ids != nil || query["ahead"] == "1")
            // A look ahead takes as long as a listing, also for one job.
            let lane = looksAhead ? listings : readings(of: ids)
            return try await lane.shared(request.uri.string) {
                var list = await centre.jobs(
                    ids: ids,
                    includesEnded: query["ended"] == "1",
                    expectsStarts: looksAhead
                )
                list.selection = fields
                return Reply(list)
            }
        }
        get(router, "/v1/jobs/:id") { _, context in
            let id = try Self.jobID(context)
            return try await listings.alone {
                let list = await centre.jobs(
                    ids: [id],
                    includesEnded: true,
                    expectsStarts: true
                )
                guard !list.jobs.isEmpty else { throw ServiceRefusal.noJob }
                return Reply(list)
            }
        }
        get(router, "/v1/jobs/:id/script") { _, context in
            let id = try Self.jobID(context)
            let peer = try await context.peer()
            return try await lookups.alone { Reply(script: try await centre.script(id, peer)) }
        }
        get(router, "/v1/accounting") { request, _ in
            let ids = try Self.numbers(request.uri.queryParameters["id"])
            return try await readings(of: ids).shared(request.uri.string) {
                Reply(try await centre.accounting(ids: ids))
            }
        }
        get(router, "/v1/bill") { request, context in
            let query = request.uri.queryParameters
            var wanted = BillQuery()
            wanted.period = query["period"].map(String.init)
            wanted.grouping = query["by"].map(String.init)
            wanted.listsCharges = query["jobs"] == "true"
            let account = query["account"].map(String.init)
            let enterprise = query["enterprise"].map(String.init)
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
            }
        }
        get(router, "/v1/accounts") { _, context in
            let peer = try await context.peer()
            return try await listings.alone { Reply(await centre.accounts(peer)) }
        }
    }

    private func readings(of ids: [UInt32]?) -> Readings {
        ids == nil ? listings : lookups
    }

    private func addJobs(_ router: Router<PeerContext>) {
        post(router, "/v1/jobs") { request, context in
            let submission: SubmitRequest = try await Self.body(request)
            let peer = try await context.peer()
            guard submission.isTestOnly else {
                return Reply(try await centre.submit(submission, peer))
            }
            // The trial is made on a copy of the whole centre.
            return try await listings.alone { Reply(try await centre.submit(submission, peer)) }
        }
        post(router, "/v1/jobs/batch") { request, context in
            let bytes = try await Self.bytes(request, upTo: Self.batchMaximum)
            let peer = try await context.peer()
            return try await listings.alone { try await submitMany(bytes, peer) }
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
            cancel.jobs = [JobSelector(jobID: try Self.jobID(context))]
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
        post(router, "/v1/shutdown") { _, context in
            try await centre.shutDown(context.peer())
            return Reply(ActionResponse())
        }
    }

    private func addReservations(_ router: Router<PeerContext>) {
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
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.isEmpty {
            do throws(JSONValue.Malformed) {
                submissions.append(try SubmitRequest(parsing: Array(line)))
            } catch {
                throw ServiceRefusal.badRequest("line \(index + 1): \(error.problem)")
            }
        }
        let answers = await centre.submit(submissions, peer).map { answer in
            switch answer {
            case .success(let response): response.json.compactText
            case .failure(let refusal): refusal.body.json.compactText
            }
        }
        return Reply(text: answers.map { $0 + "\n" }.joined(), type: "application/x-ndjson")
    }
}

// MARK: - Reading requests

extension Routes {
    private static func bytes(_ request: Request, upTo maximum: Int) async throws -> [UInt8] {
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

    private static func body<Record: WireRecord>(_ request: Request) async throws -> Record {
        let bytes = try await bytes(request, upTo: bodyMaximum)
        do throws(JSONValue.Malformed) {
            // No body is an object without members: what must be in it is missed by name.
            return try Record(parsing: bytes.isEmpty ? Array("{}".utf8) : bytes)
        } catch {
            throw ServiceRefusal.badRequest(error.description)
        }
    }

    private static func jobID(_ context: PeerContext) throws -> UInt32 {
        let text = context.parameters.get("id") ?? ""
        guard let id = UInt32(text) else { throw ServiceRefusal.noJob }
        return id
    }

    /// Numbers with commas between them; nil when there is no such parameter.
    private static func numbers(_ text: Substring?) throws -> [UInt32]? {
        guard let text else { return nil }
        return try text.split(separator: ",").map { word in
            guard let number = UInt32(word) else { throw ServiceRefusal.noJob }
            return number
        }
    }
}

extension ServiceRefusal {
    static func badRequest(_ problem: String) -> ServiceRefusal {
        ServiceRefusal(status: 400, body: ErrorBody(code: "malformed_request", text: problem))
    }

    static var noJob: ServiceRefusal {
        let body = ErrorBody(code: "invalid_job_id", text: "Invalid job id specified")
        return ServiceRefusal(status: 404, body: body)
    }
}

// MARK: - Answers

extension Routes {
    private typealias Handler = @Sendable (Request, PeerContext) async throws -> Reply

    private func get(
        _ router: Router<PeerContext>,
        _ path: String,
        _ handler: @escaping Handler
    ) {
        router.get(RouterPath(path)) { try await handler($0, $1).response(200) }
    }

    private func post(
        _ router: Router<PeerContext>,
        _ path: String,
        _ handler: @escaping Handler
    ) {
        router.post(RouterPath(path)) { request, context in
            guard Self.isLarge(request) else {
                return try await handler(request, context).response(200)
            }
            let user = try await context.peer().userID
            return try await turns.take(user) { try await handler(request, context).response(200) }
        }
    }

    /// Whether the body may be large: it says so, or comes in chunks and does not say.
    private static func isLarge(_ request: Request) -> Bool {
        if let length = request.headers[.contentLength] {
            return Int(length).map { $0 > usualMaximum } ?? true
        }
        return request.headers[.transferEncoding] != nil
    }
}

/// Whatever goes wrong is answered with an `ErrorBody`, also what the router itself refuses; without
/// the body where only the head is asked for.
private struct ErrorBodies: RouterMiddleware {
    func handle(
        _ request: Request,
        context: PeerContext,
        next: (Request, PeerContext) async throws -> Response
    ) async throws -> Response {
        let answer: Response
        do {
            return try await next(request, context)
        } catch let refusal as ServiceRefusal {
            answer = Reply(refusal.body).response(refusal.status)
        } catch let error as HTTPError {
            let route = "\(request.method.rawValue) \(request.uri.path)"
            let body =
                error.status == .notFound
                ? ErrorBody(code: "no_route", text: "there is no route \(route)")
                : ErrorBody(
                    code: "http_\(error.status.code)",
                    text: error.body ?? error.status.reasonPhrase
                )
            answer = Reply(body).response(error.status.code)
        }
        return request.method == .head ? answer.createHeadResponse() : answer
    }
}
