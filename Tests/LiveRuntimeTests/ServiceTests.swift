import Dispatch
import Foundation
import LocalClient
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import WireFormats

@testable import HTTPService

/// A centre without jobs, whose queue can be made to take long to read.
private final class StubCentre: CentreService {
    let submissions = Atomic<Int>(0)
    let readings = Atomic<Int>(0)
    /// Held while nobody may read the queue.
    let gate = Mutex(())

    private var refusal: ServiceRefusal {
        ServiceRefusal(status: 400, body: ErrorBody(code: "stub", text: "not here"))
    }

    func submit(_: SubmitRequest, _: Peer) async throws(ServiceRefusal) -> SubmitResponse {
        submissions.add(1, ordering: .relaxed)
        return SubmitResponse()
    }

    func submit(
        _ requests: [SubmitRequest],
        _: Peer
    ) async -> [Result<SubmitResponse, ServiceRefusal>] {
        submissions.add(requests.count, ordering: .relaxed)
        return requests.map { _ in .success(SubmitResponse()) }
    }

    var name: String { "stub" }
    var clusterNames: [String] { [name] }
    var version: String { "0" }
    var hostName: String { "stub" }

    var isQueuePublic: Bool { true }

    func jobs(_: JobQuery, _: Peer) async throws(ServiceRefusal) -> JobList {
        readings.add(1, ordering: .relaxed)
        gate.withLock { _ in }
        return JobList(now: SmallCentre.start, jobs: [])
    }

    func script(_: UInt32, _: Peer) async throws(ServiceRefusal) -> [UInt8] { throw refusal }
    func cancel(_: CancelRequest, _: Peer) async throws(ServiceRefusal) -> ActionResponse {
        ActionResponse()
    }
    func perform(
        _: JobVerb,
        on _: UInt32,
        _: JobActionRequest,
        _: Peer
    ) async throws(ServiceRefusal) -> ActionResponse { ActionResponse() }
    func update(
        _: UInt32,
        _: JobUpdateRequest,
        _: Peer
    ) async throws(ServiceRefusal) -> ActionResponse { ActionResponse() }
    func nodes(of _: [String]?, _: Peer) async throws(ServiceRefusal) -> NodeList {
        NodeList(now: SmallCentre.start, nodes: [])
    }
    func update(_: NodeUpdateRequest, _: Peer) async throws(ServiceRefusal) {}
    func reservations(_: Peer) async throws(ServiceRefusal) -> ReservationList { ReservationList() }
    func people(_: Peer) async -> PeopleList { PeopleList() }
    func change(_: [PeopleEdit], _: Peer) async throws(ServiceRefusal) -> PeopleEditResponse {
        PeopleEditResponse()
    }
    func explain(_: UInt32, _: Peer) async throws(ServiceRefusal) -> JobExplanation {
        JobExplanation()
    }
    func priorities(_: Peer) async -> PriorityList { PriorityList() }
    func step(_: UInt32, _: StepRequest, _: Peer) async throws(ServiceRefusal) -> StepResponse {
        StepResponse()
    }
    func complete(
        _: UInt32,
        _: CompleteRequest,
        _: Peer
    ) async throws(ServiceRefusal) -> ActionResponse { ActionResponse() }
    func environment(_: UInt32, _: Peer) async throws(ServiceRefusal) -> JobEnvironment {
        JobEnvironment()
    }

    func reserve(
        _: ReservationRequest,
        _: Peer
    ) async throws(ServiceRefusal) -> ReservationName { throw refusal }

    func changeReservation(
        _: ReservationRequest,
        _: Peer
    ) async throws(ServiceRefusal) -> ReservationName { throw refusal }

    func deleteReservation(
        _: ReservationName,
        _: Peer
    ) async throws(ServiceRefusal) -> ReservationName { throw refusal }

    func partitions(of _: [String]?) async throws(ServiceRefusal) -> PartitionList {
        PartitionList(now: SmallCentre.start, partitions: [])
    }
    func update(_: PartitionUpdateRequest, _: Peer) async throws(ServiceRefusal) {}
    func accounting(
        _: AccountingQuery,
        _: Peer
    ) async throws(ServiceRefusal) -> AccountingList {
        throw refusal
    }
    func programTime(
        _: ProgramQuery,
        in _: UInt32,
        _: Peer
    ) async throws(ServiceRefusal) -> ProgramTime { throw refusal }
    func status() async -> CentreStatus { CentreStatus() }
    func census(_: Peer) async -> CentreCensus { CentreCensus() }
    func map(withNames _: Bool, _: Peer) async throws(ServiceRefusal) -> CentreMap { CentreMap() }
    func sees(_: CentreEvent, _: Peer) -> Bool { true }
    func glance() -> @Sendable () async -> [CentreEvent] { { [] } }
    func bill(
        account _: String,
        _: BillQuery,
        _: Peer
    ) async throws(ServiceRefusal) -> BillStatement { throw refusal }
    func bill(
        enterprise _: String,
        _: BillQuery,
        _: Peer
    ) async throws(ServiceRefusal) -> BillStatement { throw refusal }
    func ledger(account _: String?, month _: String?, _: Peer) async throws(ServiceRefusal)
        -> String
    { throw refusal }
    func claims(enterprise _: String, year _: String?, _: Peer) async throws(ServiceRefusal)
        -> String
    { throw refusal }
    func accounts(_: Peer) async -> AccountStandingList { AccountStandingList() }
    func change(_: MoneyRequest, _: Peer) async throws(ServiceRefusal) -> MoneyResponse {
        throw refusal
    }
    func advance(_: ClockAdvanceRequest, _: Peer) async throws(ServiceRefusal) -> CentreStatus {
        CentreStatus()
    }
    func archive(_: Peer) async throws(ServiceRefusal) -> ArchiveOutcome { ArchiveOutcome() }
    func shutDown(_: Peer) async throws(ServiceRefusal) {}
}

/// Waits until others may pass too.
private func pass(_ gate: DispatchSemaphore) {
    gate.wait()
    gate.signal()
}

@Suite("The service before any centre")
struct ServiceTests {
    /// Serves the stub on a socket while `body` runs, on a thread where it may block.
    private func serving(
        _ limits: ConnectionLimits = .ofThisProcess,
        _ body: @escaping @Sendable (StubCentre, String) throws -> Void
    ) async throws {
        let folder = try ScratchFolder()
        let centre = StubCentre()
        let server = try SocketServer(path: folder.path + "/s", limits: limits)
        let ready = AsyncStream.makeStream(of: Void.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let application = server.application(for: centre, logger: logger) {
            ready.continuation.finish()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Both on threads of their own: other tests block those that tasks have by default.
            group.addTask { try await Readings(width: 4).alone { try await application.run() } }
            for await _ in ready.stream {}
            try await Readings(width: 1).alone { try body(centre, server.path) }
            group.cancelAll()
        }
    }

    @Test("Half a request, or none, is waited for so long, and does nothing")
    func halfRequests() async throws {
        var limits = ConnectionLimits.ofThisProcess
        limits.idleMilliseconds = 200
        try await serving(limits) { centre, path in
            let line = SmallCentre.request().json.compactText
            let head = "POST /v1/jobs/batch HTTP/1.1\r\nHost: x\r\n"
            for half in [
                "", head, "\(head)Content-Length: 9999\r\n\r\n\(line)\n",
                "\(head)Transfer-Encoding: chunked\r\n\r\n999\r\n\(line)\n",
            ] {
                let connection = try RawConnection(path)
                connection.send(half)
                #expect(connection.isClosed(), "\(half)")
            }
            #expect(centre.submissions.load(ordering: .relaxed) == 0)
        }
    }

    @Test("Connections beyond the limit wait until one is closed")
    func connections() async throws {
        try await serving(ConnectionLimits(count: 3, countPerUser: 1)) { _, path in
            let ask = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
            var open: [RawConnection] = []
            for _ in 0..<3 {
                let connection = try RawConnection(path)
                connection.send(ask)
                #expect(connection.receive(until: "ok\n").hasSuffix("ok\n"))
                open.append(connection)
            }
            let late = try RawConnection(path)
            late.send(ask)
            #expect(late.receive(until: "ok\n", within: 0.2).isEmpty)
            open.removeLast()
            #expect(late.receive(until: "ok\n").hasSuffix("ok\n"))
        }
    }

    @Test("However many read the queue, the rest is answered meanwhile")
    func readersStarveNobody() async throws {
        try await serving { centre, path in
            let readers = try centre.gate.withLock { _ in
                let readers = try (0..<16).map { number in
                    let reader = try RawConnection(path)
                    let query = number % 2 == 0 ? "fields=f\(number)" : "fields=f\(number)&id=1"
                    reader.send("GET /v1/jobs?\(query) HTTP/1.1\r\nHost: x\r\n\r\n")
                    return reader
                }
                #expect(eventually { centre.readings.load(ordering: .relaxed) >= 2 })
                let client = LocalClient(socketPath: path, timeoutSeconds: 20)
                let request = SmallCentre.request()
                _ = try client.get("/v1/status", as: CentreStatus.self)
                _ = try client.post("/v1/jobs", request, as: SubmitResponse.self)
                return readers
            }
            for reader in readers {
                #expect(reader.receive(until: "\"jobs\":[]}").hasPrefix("HTTP/1.1 200"))
            }
            #expect(centre.submissions.load(ordering: .relaxed) == 1)
        }
    }

    @Test("Who asks the same before the answer is begun gets the same answer, once")
    func sharedReadings() async throws {
        let readings = Readings(width: 1)
        let made = Atomic<Int>(0)
        let gate = DispatchSemaphore(value: 0)
        let answers = try await withThrowingTaskGroup(of: Reply.self) { group in
            let ask: @Sendable () async throws -> Reply = {
                try await readings.shared("q") {
                    let number = made.add(1, ordering: .relaxed).newValue
                    pass(gate)
                    return Reply(text: "answer \(number)")
                }
            }
            group.addTask(operation: ask)
            while made.load(ordering: .relaxed) == 0 { await Task.yield() }
            for _ in 0..<5 { group.addTask(operation: ask) }
            while readings.followerCount("q") < 4 { await Task.yield() }
            gate.signal()
            return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
        #expect(answers == [Reply(text: "answer 1"): 1, Reply(text: "answer 2"): 5])
    }

    @Test("An answer that failed is not kept for the next who asks")
    func sharedFailure() async throws {
        let readings = Readings(width: 1)
        await #expect(throws: ServiceRefusal.noJob) {
            try await readings.shared("q") { throw ServiceRefusal.noJob }
        }
        let again = Reply(text: "again")
        #expect(try await readings.shared("q") { again } == again)
    }

    @Test("A request without a body lacks what must be in it; a hold needs nothing")
    func emptyBodies() async throws {
        try await serving { centre, path in
            let client = LocalClient(socketPath: path)
            for (target, member) in [
                ("/v1/jobs", "script"), ("/v1/nodes/update", "nodes"),
                ("/v1/partitions/update", "name"),
            ] {
                let failure = #expect(throws: LocalClientFailure.self) {
                    try client.send("POST", target, body: [])
                }
                #expect(failure?.description.contains("member \"\(member)\" is missing") == true)
            }
            #expect(centre.submissions.load(ordering: .relaxed) == 0)
            for verb in JobVerb.allCases {
                _ = try client.send("POST", "/v1/jobs/1/\(verb.rawValue)", body: [])
                _ = try client.send("POST", "/v1/jobs/1/\(verb.rawValue)", body: nil)
            }
        }
    }

    @Test("HEAD is answered as GET without the body, also where there is nothing")
    func head() async throws {
        try await serving { _, path in
            for (target, status) in [("/healthz", 200), ("/v1/jobs/x", 404), ("/nope", 404)] {
                let connection = try RawConnection(path)
                connection.send("HEAD \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
                connection.send(
                    "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                )
                let answers = connection.receive().components(separatedBy: "\r\n\r\n")
                try #require(answers.count == 3, "\(target): \(answers)")
                #expect(answers[0].hasPrefix("HTTP/1.1 \(status)"), "\(target)")
                #expect(!answers[0].contains("Content-Length: 0"), "\(target)")
                #expect(answers[1].hasPrefix("HTTP/1.1 200"), "\(target)")
            }
        }
    }

    @Test("Large requests of one user come one after another, those of another meanwhile")
    func turns() async throws {
        let turns = Turns()
        let order = Mutex<[String]>([])
        let end = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { @Sendable in
                try await turns.take(1) {
                    order.withLock { $0.append("first") }
                    for await _ in end.stream {}
                    order.withLock { $0.append("its end") }
                }
            }
            while order.withLock({ $0.isEmpty }) { await Task.yield() }
            group.addTask { @Sendable in
                try await turns.take(1) { order.withLock { $0.append("second") } }
            }
            while turns.waitingCount(1) == 0 { await Task.yield() }
            try await turns.take(2) { order.withLock { $0.append("other") } }
            end.continuation.finish()
            try await group.waitForAll()
        }
        #expect(order.withLock { $0 } == ["first", "other", "its end", "second"])
        try await turns.take(1) {}
    }

    @Test("A user has so many connections, and not those of others; the daemon's has all")
    func connectionsOfAUser() {
        let connections = UserConnections(limit: 2)
        let other = getuid() + 1
        let answers = [other, other, other, other + 1].map(connections.open)
        #expect(answers == [true, true, false, true])
        connections.close(other)
        #expect(connections.open(other))
        #expect((0..<5).allSatisfy { _ in connections.open(getuid()) })
    }
}
