import Billing
import HTTPService
import LiveRuntime
import Logging
import Quantities
import Reporting
import WireFormats

/// The centre as the HTTP service sees it. Neither knows the other; this is where they meet.
struct CentreGlue: CentreService {
    let centre: Centre
    let logger: Logger
    let onShutDown: @Sendable () -> Void

    init(centre: Centre, logger: Logger, onShutDown: @escaping @Sendable () -> Void) {
        self.centre = centre
        self.logger = logger
        self.onShutDown = onShutDown
    }

    func submit(
        _ request: SubmitRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> SubmitResponse {
        try await forward { () throws(RequestFailure) in
            try await centre.submit(request, Caller(peer))
        }
    }

    func jobs(ids: [UInt32]?, includesEnded: Bool) async -> JobList {
        var filter = Centre.JobFilter()
        filter.ids = ids
        filter.includesEnded = includesEnded
        return await centre.jobs(filter)
    }

    func script(_ id: UInt32, _ peer: Peer) async throws(ServiceRefusal) -> String {
        try await forward { () throws(RequestFailure) in
            try await centre.script(id, Caller(peer))
        }
    }

    func cancel(
        _ request: CancelRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ActionResponse {
        try await forward { () throws(RequestFailure) in
            try await centre.cancel(request, Caller(peer))
        }
    }

    func perform(
        _ verb: JobVerb,
        on id: UInt32,
        _ request: JobActionRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ActionResponse {
        let action: Centre.JobAction =
            switch verb {
            case .hold: .hold
            case .release: .release
            case .requeue: .requeue
            }
        return try await forward { () throws(RequestFailure) in
            try await centre.perform(action, on: id, request, Caller(peer))
        }
    }

    func update(
        _ id: UInt32,
        _ request: JobUpdateRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ActionResponse {
        try await forward { () throws(RequestFailure) in
            try await centre.update(id, request, Caller(peer))
        }
    }

    func nodes() async -> NodeList { await centre.nodes() }

    func update(_ request: NodeUpdateRequest, _ peer: Peer) async throws(ServiceRefusal) {
        try await forward { () throws(RequestFailure) in
            try await centre.update(request, Caller(peer))
        }
    }

    func partitions() async -> PartitionList { await centre.partitions() }

    func update(_ request: PartitionUpdateRequest, _ peer: Peer) async throws(ServiceRefusal) {
        try await forward { () throws(RequestFailure) in
            try await centre.update(request, Caller(peer))
        }
    }

    func accounting(ids: [UInt32]?) async throws(ServiceRefusal) -> AccountingList {
        try await forward { () throws(RequestFailure) in
            try await centre.accounting(ids: ids)
        }
    }

    func status() async -> CentreStatus { await centre.status() }

    func bill(account: String, month: String?) async throws(ServiceRefusal) -> BillStatement {
        let period = month.map { BillingMonth($0) }
        if let period, period == nil {
            let text = "'\(month ?? "")' is no month; write it as 2026-11"
            throw ServiceRefusal(status: 400, body: ErrorBody(code: "bad_month", text: text))
        }
        let book = await centre.book()
        let now = await centre.status().now
        let statement = book.statement(account: account, month: period ?? nil, asOf: now)
        guard let statement else {
            let text = "Account '\(account)' is not known to this centre"
            throw ServiceRefusal(status: 404, body: ErrorBody(code: "invalid_account", text: text))
        }
        return BillStatement(statement)
    }

    func advance(
        _ request: ClockAdvanceRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> CentreStatus {
        _ = try await forward { () throws(RequestFailure) in
            try await centre.advance(request, Caller(peer))
        }
        return await centre.status()
    }

    func shutDown(_ peer: Peer) async throws(ServiceRefusal) {
        guard centre.isOperator(Caller(peer)) else {
            let body = ErrorBody(code: "access_denied", text: "Access/permission denied")
            throw ServiceRefusal(status: 403, body: body)
        }
        logger.notice("user \(peer.userID) asks to close the centre")
        onShutDown()
    }

    private func forward<Answer>(
        _ body: () async throws(RequestFailure) -> Answer
    ) async throws(ServiceRefusal) -> Answer {
        do throws(RequestFailure) {
            return try await body()
        } catch {
            throw ServiceRefusal(status: error.status, body: error.body)
        }
    }
}

extension Caller {
    init(_ peer: Peer) {
        self.init(userID: peer.userID, groupID: peer.groupID)
    }
}
