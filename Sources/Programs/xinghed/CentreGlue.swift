import Billing
import ClusterModel
import Foundation
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
    /// Asked for once: a resolver may be slow.
    let hostName = ProcessInfo.processInfo.hostName

    init(centre: Centre, logger: Logger, onShutDown: @escaping @Sendable () -> Void) {
        self.centre = centre
        self.logger = logger
        self.onShutDown = onShutDown
    }

    func submit(
        _ request: SubmitRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> SubmitResponse {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.submit(request, Caller(peer))
        }
    }

    func submit(
        _ requests: [SubmitRequest],
        _ peer: Peer
    ) async -> [Result<SubmitResponse, ServiceRefusal>] {
        await centre.submit(requests, Caller(peer)).map { $0.mapError(ServiceRefusal.init) }
    }

    var name: String { centre.name }

    var clusterNames: [String] { centre.clusterNames }

    var version: String { Version.text }

    var isQueuePublic: Bool { centre.isQueuePublic }

    func jobs(_ query: JobQuery, _ peer: Peer) async throws(ServiceRefusal) -> JobList {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.jobs(query, Caller(peer))
        }
    }

    func script(_ id: UInt32, _ peer: Peer) async throws(ServiceRefusal) -> [UInt8] {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.script(id, Caller(peer))
        }
    }

    func cancel(
        _ request: CancelRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ActionResponse {
        try await forward(peer) { () throws(RequestFailure) in
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
            case .suspend: .suspend
            case .resume: .resume
            case .top: .top
            }
        return try await forward(peer) { () throws(RequestFailure) in
            try await centre.perform(action, on: id, request, Caller(peer))
        }
    }

    func update(
        _ id: UInt32,
        _ request: JobUpdateRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ActionResponse {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.update(id, request, Caller(peer))
        }
    }

    func nodes(
        of clusters: [String]?,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> NodeList {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.nodes(of: clusters, Caller(peer))
        }
    }

    func update(_ request: NodeUpdateRequest, _ peer: Peer) async throws(ServiceRefusal) {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.update(request, Caller(peer))
        }
    }

    func partitions(of clusters: [String]?) async throws(ServiceRefusal) -> PartitionList {
        do throws(RequestFailure) {
            return try await centre.partitions(of: clusters)
        } catch {
            throw ServiceRefusal(error)
        }
    }

    func update(_ request: PartitionUpdateRequest, _ peer: Peer) async throws(ServiceRefusal) {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.update(request, Caller(peer))
        }
    }

    func reservations(_ peer: Peer) async throws(ServiceRefusal) -> ReservationList {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.reservations(Caller(peer))
        }
    }

    func people(_ peer: Peer) async -> PeopleList { await centre.people(Caller(peer)) }

    func step(
        _ id: UInt32,
        _ request: StepRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> StepResponse {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.step(id, request, Caller(peer))
        }
    }

    func complete(
        _ id: UInt32,
        _ request: CompleteRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ActionResponse {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.complete(id, request, Caller(peer))
        }
    }

    func environment(_ id: UInt32, _ peer: Peer) async throws(ServiceRefusal) -> JobEnvironment {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.environment(id, Caller(peer))
        }
    }

    func programTime(
        _ query: ProgramQuery,
        in id: UInt32,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ProgramTime {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.programTime(query, in: id, Caller(peer))
        }
    }

    func explain(_ id: UInt32, _ peer: Peer) async throws(ServiceRefusal) -> JobExplanation {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.explain(id, Caller(peer))
        }
    }

    func change(
        _ edits: [PeopleEdit],
        _ peer: Peer
    ) async throws(ServiceRefusal) -> PeopleEditResponse {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.change(edits, Caller(peer))
        }
    }

    func priorities(_ peer: Peer) async -> PriorityList {
        await centre.priorities(Caller(peer))
    }

    func reserve(
        _ request: ReservationRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ReservationName {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.reserve(.create, request, Caller(peer))
        }
    }

    func changeReservation(
        _ request: ReservationRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ReservationName {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.reserve(.update, request, Caller(peer))
        }
    }

    func deleteReservation(
        _ request: ReservationName,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> ReservationName {
        var named = ReservationRequest()
        named.name = request.name
        return try await forward(peer) { () throws(RequestFailure) in
            try await centre.reserve(.delete, named, Caller(peer))
        }
    }

    func accounting(
        _ query: AccountingQuery,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> AccountingList {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.accounting(query, Caller(peer))
        }
    }

    func status() async -> CentreStatus { await centre.status() }

    func census(_ peer: Peer) async -> CentreCensus { await centre.census(Caller(peer)) }

    func map(withNames: Bool, _ peer: Peer) async throws(ServiceRefusal) -> CentreMap {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.map(withNames: withNames, Caller(peer))
        }
    }

    func sees(_ event: CentreEvent, _ peer: Peer) -> Bool { centre.sees(event, Caller(peer)) }

    func glance() -> @Sendable () async -> [CentreEvent] {
        let watcher = Watcher(centre: centre)
        return { await watcher.look() }
    }

    func bill(
        account: String,
        _ query: BillQuery,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> BillStatement {
        try await bill(of: .account(account), query, "Account '\(account)'", Caller(peer))
    }

    func bill(
        enterprise: String,
        _ query: BillQuery,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> BillStatement {
        let words = "Enterprise '\(enterprise)'"
        return try await bill(of: .enterprise(enterprise), query, words, Caller(peer))
    }

    private func bill(
        of holder: StatementHolder,
        _ query: BillQuery,
        _ words: String,
        _ caller: Caller
    ) async throws(ServiceRefusal) -> BillStatement {
        guard let period = query.period.map({ BillingPeriod($0) }) ?? .all else {
            let text = "'\(query.period ?? "")' is no month and no year; write 2026-11 or 2026"
            throw ServiceRefusal(status: 400, body: ErrorBody(code: "bad_period", text: text))
        }
        var detail = StatementSums.Detail(listsCharges: query.listsCharges)
        if let name = query.grouping {
            guard let grouping = StatementGrouping(rawValue: name) else {
                let known = StatementGrouping.allCases.map(\.rawValue).joined(separator: ", ")
                let text = "nothing is broken down by '\(name)'; known are \(known)"
                throw ServiceRefusal(status: 400, body: ErrorBody(code: "bad_grouping", text: text))
            }
            detail.grouping = grouping
        }
        let (book, head) = await centre.books()
        let now = await centre.status().now
        try check(detail.listsCharges ? .readCharges : .readMoney, holder, of: book, words, caller)
        guard
            let statement = book.statement(of: holder, period: period, asOf: now, detail: detail)
        else { throw Self.unknown(words) }
        if let failure = book.ledger.failure {
            throw ServiceRefusal(RequestFailure(damaged: failure))
        }
        return BillStatement(statement, ledgerHead: head)
    }

    /// Looks whether a caller has a power over all accounts of a holder, before anything is read: it takes going
    /// through the whole ledger.
    private func check(
        _ power: Power,
        _ holder: StatementHolder,
        of book: BillingBook,
        _ words: String,
        _ caller: Caller
    ) throws(ServiceRefusal) {
        let rights = centre.rights(of: caller)
        for account in book.accountNames(of: holder) where !rights.may(power, in: account) {
            guard book.accounts[account] != nil else { throw Self.unknown(words) }
            let text = "Access/permission denied: the bill of account '\(account)' is not yours"
            throw ServiceRefusal(status: 403, body: ErrorBody(code: "access_denied", text: text))
        }
    }

    private static func unknown(_ words: String) -> ServiceRefusal {
        let text = "\(words) is not known to this centre"
        return ServiceRefusal(status: 404, body: ErrorBody(code: "invalid_account", text: text))
    }

    func ledger(
        account: String?,
        month: String?,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> String {
        let chosen = month.map { BillingMonth($0) }
        if let chosen, chosen == nil {
            let text = "'\(month ?? "")' is no month; write 2026-11"
            throw ServiceRefusal(status: 400, body: ErrorBody(code: "bad_period", text: text))
        }
        let book = await centre.books().book
        if let account {
            let words = "Account '\(account)'"
            try check(.readCharges, .account(account), of: book, words, Caller(peer))
            guard book.accounts[account] != nil else { throw Self.unknown(words) }
        } else if !centre.rights(of: Caller(peer)).may(.readCharges) {
            let text = "Access/permission denied: name an account whose ledger is yours to read"
            throw ServiceRefusal(status: 403, body: ErrorBody(code: "access_denied", text: text))
        }
        let report = LedgerReport(book.ledger, account: account, month: chosen ?? nil)
        if let failure = book.ledger.failure {
            throw ServiceRefusal(RequestFailure(damaged: failure))
        }
        return report.csv
    }

    func claims(
        enterprise: String,
        year: String?,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> String {
        let chosen = year.map { Int($0) }
        if let chosen, !(chosen.map { (1970...9999).contains($0) } ?? false) {
            let text = "'\(year ?? "")' is no year; write 2026"
            throw ServiceRefusal(status: 400, body: ErrorBody(code: "bad_period", text: text))
        }
        let (book, head) = await centre.books()
        let words = "Enterprise '\(enterprise)'"
        try check(.readMoney, .enterprise(enterprise), of: book, words, Caller(peer))
        guard book.accounts.values.contains(where: { $0.enterprise == enterprise }) else {
            throw Self.unknown(words)
        }
        let claims = book.bookedClaims(of: enterprise, year: chosen ?? nil)
        if let failure = book.ledger.failure {
            throw ServiceRefusal(RequestFailure(damaged: failure))
        }
        return ClaimPack(claims, rules: book.rules, ledgerHead: head).csv
    }

    func accounts(_ peer: Peer) async -> AccountStandingList {
        let book = await centre.books().book
        let now = await centre.status().now
        var list = AccountStandingList(book, at: now)
        let rights = centre.rights(of: Caller(peer))
        list.accounts.removeAll { !rights.may(.readMoney, in: $0.account) }
        return list
    }

    func change(
        _ request: MoneyRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> MoneyResponse {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.change(request, Caller(peer))
        }
    }

    func advance(
        _ request: ClockAdvanceRequest,
        _ peer: Peer
    ) async throws(ServiceRefusal) -> CentreStatus {
        _ = try await forward(peer) { () throws(RequestFailure) in
            try await centre.advance(request, Caller(peer))
        }
        return await centre.status()
    }

    func archive(_ peer: Peer) async throws(ServiceRefusal) -> ArchiveOutcome {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.archive(Caller(peer))
        }
    }

    func shutDown(_ peer: Peer) async throws(ServiceRefusal) {
        try await forward(peer) { () throws(RequestFailure) in
            try await centre.checkShutDown(Caller(peer))
        }
        logger.notice("user \(peer.userID) asks to close the centre")
        onShutDown()
    }

    private func forward<Answer>(
        _ peer: Peer,
        _ body: () async throws(RequestFailure) -> Answer
    ) async throws(ServiceRefusal) -> Answer {
        do throws(RequestFailure) {
            return try await body()
        } catch {
            // Who was told no is to be found, but nobody is to fill the log with it.
            let level: Logger.Level = error.status == 403 ? .info : .debug
            logger.log(
                level: level,
                "user \(peer.userID) is refused (\(error.status)): \(error.body.text)"
            )
            throw ServiceRefusal(error)
        }
    }
}

/// Remembers between two looks what it has seen.
private actor Watcher {
    private let centre: Centre
    private var glance = CentreGlance()

    init(centre: Centre) {
        self.centre = centre
    }

    func look() async -> [CentreEvent] {
        var next = glance
        let events = await centre.changes(since: &next)
        glance = next
        return events
    }
}

extension ServiceRefusal {
    fileprivate init(_ failure: RequestFailure) {
        self.init(status: failure.status, body: failure.body)
    }
}

extension Caller {
    init(_ peer: Peer) {
        self.init(userID: peer.userID, groupID: peer.groupID)
    }
}
