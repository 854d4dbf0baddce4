import Quantities
import SlurmDialect
import Testing
import WireFormats

@testable import LiveRuntime

/// What golden case 18 of a real Slurm shows, on a small centre.
@Suite("Reservations in a centre")
struct ReservationTests {
    private let folder: ScratchFolder

    init() throws {
        folder = try ScratchFolder()
    }

    private func change(_ words: String) throws -> ReservationRequest {
        let command = try ControlCommand(
            program: "scontrol",
            arguments: words.split(separator: " ").map(String.init),
            variable: { _ in nil }
        )
        switch command.action {
        case .createReservation(let changes), .updateReservation(let changes):
            return try ReservationRequest(changes, now: SmallCentre.start)
        case .deleteReservation(let name):
            var request = ReservationRequest()
            request.name = name
            return request
        default: throw CommandFailure(lines: ["no reservation: \(words)"], exitCode: 1)
        }
    }

    @discardableResult
    private func reserve(
        _ centre: Centre,
        _ words: String,
        by caller: Caller = .me
    ) async throws -> String {
        let action: ReservationAction =
            words.hasPrefix("create") ? .create : words.hasPrefix("update") ? .update : .delete
        return try await centre.reserve(action, try change(words), caller).name
    }

    private func refusal(_ act: () async throws -> Void) async -> String? {
        do {
            try await act()
            return nil
        } catch let failure as RequestFailure {
            return failure.body.text
        } catch {
            return "\(error)"
        }
    }

    private func submit(
        _ centre: Centre,
        minutes: Int64,
        _ caller: Caller = .me,
        _ change: (inout SubmitRequest) -> Void = { _ in }
    ) async throws -> UInt32 {
        try await centre.submit(
            SmallCentre.request {
                $0.timeLimit = SimDuration(seconds: minutes * 60)
                $0.partitions = ["batch"]
                change(&$0)
            }
        )
    }

    @Test("They are made, refused, listed and ended in Slurm's words, and survive a restart")
    func life() async throws {
        let centre = try Centre(SmallCentre.settings(folder.path))
        let me = UserNames.user(Caller.me.userID)
        let create = "create reservation reservationname"
        let first = "\(create)=rs starttime=now duration=10 users=\(me) nodes=cn[5-6]"
        #expect(try await reserve(centre, first) == "rs")
        let maintenance =
            "\(create)=later starttime=now+30minutes duration=60 accounts=motor nodecnt=16"
            + " partition=batch flags=maint,ignore_jobs"
        try await reserve(centre, maintenance)
        let unnamed = "create reservation starttime=now+3hours duration=60 users=bob nodecnt=2"
        #expect(try await reserve(centre, unnamed) == "bob_3")
        let refused = [
            (first, "Duplicate reservation name"),
            (
                "\(create)=over starttime=now duration=10 users=bob nodes=cn[5-6]",
                "Requested reservation overlaps with another reservation"
            ),
            (
                "\(create)=x starttime=now duration=10 users=bob nodes=cn99",
                "Invalid node name specified"
            ),
            (
                "\(create)=x starttime=now duration=10 accounts=none nodes=cn1",
                "Invalid account or account/partition combination specified"
            ),
            ("delete reservationname=nosuch", "Requested reservation is invalid"),
        ]
        for (words, text) in refused {
            #expect(await refusal { try await reserve(centre, words) } == text)
        }
        let stranger = Caller(userID: 4_000_000_000, groupID: 1)
        #expect(
            await refusal { try await reserve(centre, first, by: stranger) } == "Invalid user id"
        )

        let inside = try await submit(centre, minutes: 20) { $0.reservation = "rs" }
        let waiting = try await submit(centre, minutes: 5) {
            $0.reservation = "later"
            $0.account = "motor"
        }
        let named = try await submit(centre, minutes: 5) { $0.requiredNodes = "cn5" }
        let long = try await submit(centre, minutes: 60)
        let access = await refusal {
            _ = try await submit(centre, minutes: 5) { $0.reservation = "bob_3" }
        }
        #expect(access == "Access denied to requested reservation")
        var info = try await centre.info(inside)
        #expect(info.state == "RUNNING")
        #expect(info.nodeList == "cn5")
        // Limits are whole seconds: at most one is lost.
        #expect(info.end.map { $0 - SmallCentre.start }?.seconds == 599)
        #expect(try await centre.info(waiting).reason == "Reservation")
        #expect(
            try await centre.info(named).reason
                == "ReqNodeNotAvail, May be reserved for other job"
        )
        #expect(try await centre.info(long).reason == "ReqNodeNotAvail, Reserved for maintenance")
        let expected = SmallCentre.start + SimDuration(seconds: 90 * 60)
        #expect(try await centre.info(long).expectedStart == expected)
        // Slurm looks every five seconds which nodes are reserved.
        #expect(try await centre.nodes().nodes.first { $0.name == "cn6" }?.flags == [])
        try await centre.advance(seconds: 10)
        let nodes = try await centre.nodes().nodes
        #expect(nodes.first { $0.name == "cn6" }?.flags == ["RESERVED"])
        #expect(nodes.first { $0.name == "cn7" }?.flags == [])
        let busy = await refusal { try await reserve(centre, "delete reservationname=rs") }
        #expect(busy == "Requested reservation is in use")

        try await reserve(centre, "update reservationname=rs duration=20 users+=bob")
        info = try await centre.info(inside)
        #expect(info.end.map { $0 - SmallCentre.start }?.seconds == 1_199)
        let before = try await centre.reservations()
        await centre.close()
        let again = try Centre(SmallCentre.settings(folder.path))
        let after = try await again.reservations()
        #expect(after == before)
        #expect(after.reservations.map(\.name) == ["rs", "later", "bob_3"])
        #expect(after.reservations.first?.users == "\(me),bob")
        try await again.advance(seconds: 1_260)
        let ended = try await again.info(inside)
        #expect(ended.end.map { $0 - SmallCentre.start }?.seconds == 1_199)
        #expect(ended.state != "RUNNING")
        #expect(try await again.reservations().reservations.map(\.name) == ["later", "bob_3"])
        await again.close()
    }

    @Test("scontrol and sinfo print them as Slurm does")
    func printing() throws {
        var info = ReservationInfo()
        info.name = "rs"
        info.start = SmallCentre.start
        info.end = SmallCentre.start + SimDuration(seconds: 600)
        info.nodeList = "cn[5-6]"
        info.nodeCount = 2
        info.coreCount = 16
        info.flags = "SPEC_NODES"
        info.users = "alice"
        info.isActive = true
        var list = ReservationList()
        list.reservations = [info]
        let show = try ControlCommand(
            program: "scontrol",
            arguments: ["show", "reservation"],
            variable: { _ in nil }
        )
        #expect(
            show.output(list, name: nil).lines == [
                "ReservationName=rs StartTime=2026-11-21T00:00:00 EndTime=2026-11-21T00:10:00"
                    + " Duration=00:10:00",
                "   Nodes=cn[5-6] NodeCnt=2 CoreCnt=16 Features=(null) PartitionName=(null)"
                    + " Flags=SPEC_NODES",
                "   TRES=cpu=16",
                "   Users=alice Groups=(null) Accounts=(null) Licenses=(null) State=ACTIVE"
                    + " BurstBuffer=(null) Watts=n/a",
                "   MaxStartDelay=(null)",
                "",
            ]
        )
        let nodes = try NodeCommand(
            program: "sinfo",
            arguments: ["-T"],
            variable: { _ in nil }
        )
        #expect(
            nodes.output(PartitionList(), NodeList(), reservations: list).lines == [
                "RESV_NAME     STATE           START_TIME             END_TIME     DURATION  NODELIST",
                "rs           ACTIVE  2026-11-21T00:00:00  2026-11-21T00:10:00     00:10:00  cn[5-6]",
            ]
        )
    }
}
