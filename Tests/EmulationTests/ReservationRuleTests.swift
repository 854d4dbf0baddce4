import Emulation
import EmulatorTestSupport
import IndexSets
import JobModel
import Quantities
import Scheduling
import Testing

/// The examples of docs/scheduling.md, "Reservations and outages": four equal nodes, given whole.
@Suite("Reservations and outages, rule by rule")
struct ReservationRuleTests {
    private var emulator = Emulator(.uniform(nodeCount: 4, policy: .easy))
    private var sink = RecordingSink()
    private var lastJob: UInt32 = 0

    private func at(_ seconds: Int64) -> SimInstant { SimInstant(seconds: seconds) }

    private func reservation(
        _ number: UInt32 = 1,
        from start: Int64 = 100,
        until end: Int64 = 200,
        nodes: [Int] = [0, 1],
        _ flags: ReservationFlags = []
    ) -> Reservation {
        Reservation(
            id: ReservationID(number),
            start: at(start),
            end: at(end),
            extent: .nodes(IDSet(nodes)),
            flags: flags
        )
    }

    private mutating func rejection(of input: Input, at seconds: Int64) -> InputRejection? {
        do throws(InputRejection) {
            try emulator.handle(input, at: at(seconds), into: &sink)
            return nil
        } catch {
            return error
        }
    }

    private mutating func submit(
        nodes: Int32,
        limit: Int64,
        at seconds: Int64,
        _ change: (inout JobSubmission) -> Void = { _ in }
    ) throws -> JobID {
        lastJob += 1
        var job = JobSubmission(
            id: JobID(lastJob),
            request: .wholeNodes(nodes),
            timeLimit: SimDuration(seconds: limit)
        )
        change(&job)
        try emulator.handle(.submit(job), at: at(seconds), into: &sink)
        return job.id
    }

    /// Lets time pass: jobs end, and a pass runs at each instant that matters.
    private mutating func run(until seconds: Int64) {
        while true {
            let end = sink.ends.nextInstant.map { SimInstant(microseconds: $0) }
            guard let next = ([end] + sink.wakes).compactMap(\.self).min(), next <= at(seconds)
            else { break }
            sink.wakes.removeAll { $0 <= next }
            while sink.ends.nextInstant == next.microseconds {
                let id = sink.ends.pop()
                try? emulator.handle(.jobEnded(id, .completed), at: next, into: &sink)
            }
            emulator.schedulingPass(at: next, into: &sink)
        }
        emulator.schedulingPass(at: at(seconds), into: &sink)
    }

    private func nodes(_ id: JobID) -> [Int] { emulator.allocation(of: id).map(\.node) }

    @Test("A job outside gets no node that it could hold into a reservation")
    mutating func outsiders() throws {
        #expect(rejection(of: .createReservation(reservation()), at: 0) == nil)
        let short = try submit(nodes: 2, limit: 100, at: 0)
        let long = try submit(nodes: 2, limit: 101, at: 0)
        let wide = try submit(nodes: 3, limit: 50, at: 0)
        run(until: 0)
        #expect(nodes(short) == [0, 1])
        #expect(nodes(long) == [2, 3])
        // At 101 only two nodes are open: three are at the end of the reservation.
        #expect(emulator.estimatedStart(of: wide, from: at(0)) == at(200))
        run(until: 300)
        #expect(sink.starts[wide] == at(200))
    }

    @Test("A job inside waits until it begins, has its nodes only, and ends with it")
    mutating func insiders() throws {
        #expect(rejection(of: .createReservation(reservation()), at: 0) == nil)
        let own = ReservationID(1)
        let first = try submit(nodes: 1, limit: 500, at: 0) { $0.reservation = own }
        let second = try submit(nodes: 2, limit: 500, at: 0) { $0.reservation = own }
        run(until: 50)
        #expect(emulator.pendingReason(of: first) == .reservation)
        #expect(emulator.estimatedStart(of: first, from: at(50)) == at(100))
        run(until: 100)
        #expect(nodes(first) == [0])
        #expect(emulator.deadline(of: first) == at(200))
        #expect(emulator.pendingReason(of: second) == .resources)
        // Who waits inside blocks nobody outside.
        let other = try submit(nodes: 2, limit: 10, at: 100)
        run(until: 100)
        #expect(nodes(other) == [2, 3])
        run(until: 200)
        #expect(sink.endings[first]?.endedAt == at(200))
        #expect(emulator.pendingReason(of: second) == .reservationDeleted)
        #expect(emulator.heldReservations.isEmpty)
        #expect(rejection(of: .release(second), at: 201) == nil)
        run(until: 201)
        #expect(sink.starts[second] == at(201))
    }

    @Test("With FLEX a job may begin before, run on behind and use other nodes")
    mutating func flex() throws {
        let flex = reservation(nodes: [0], .flex)
        #expect(rejection(of: .createReservation(flex), at: 0) == nil)
        let job = try submit(nodes: 2, limit: 500, at: 0) { $0.reservation = ReservationID(1) }
        run(until: 0)
        #expect(nodes(job) == [0, 1])
        #expect(emulator.deadline(of: job) == at(500))
    }

    @Test("What cannot be reserved is refused with the reason, and nothing changes")
    mutating func refusals() throws {
        #expect(rejection(of: .createReservation(reservation()), at: 0) == nil)
        _ = try submit(nodes: 2, limit: 400, at: 0)
        run(until: 0)
        let own = ReservationID(1)
        let before = emulator.digest
        let cases: [(Reservation, InputRejection)] = [
            (reservation(), .reservationExists(own)),
            (reservation(2, from: 150, until: 160), .reservationOverlaps(own)),
            (reservation(2, from: 300, until: 310, nodes: [3]), .reservationNodesBusy),
            (reservation(2, from: 300, until: 300), .reservationTimes),
            (reservation(2, from: 0, until: 86_401, .daily), .reservationTimes),
            (reservation(2, nodes: [4]), .unknownNode(4)),
        ]
        for (terms, expected) in cases {
            #expect(rejection(of: .createReservation(terms), at: 0) == expected)
        }
        var wide = reservation(2, from: 300, until: 310)
        wide.extent = .nodeCount(3, partition: 0)
        let tooLarge = InputRejection.reservationTooLarge(available: 2)
        #expect(rejection(of: .createReservation(wide), at: 0) == tooLarge)
        let missing = InputRejection.unknownReservation(ReservationID(9))
        #expect(rejection(of: .deleteReservation(ReservationID(9)), at: 0) == missing)
        #expect(emulator.digest == before)
        // Maintenance may overlap, and needs not wait for jobs when told so.
        let maintenance = reservation(2, nodes: [1, 2], [.maint, .ignoreJobs])
        #expect(rejection(of: .createReservation(maintenance), at: 0) == nil)
    }

    @Test("One that jobs belong to is not deleted; its users are checked")
    mutating func inUse() throws {
        var terms = reservation()
        terms.users = .only([7])
        #expect(rejection(of: .createReservation(terms), at: 0) == nil)
        let own = ReservationID(1)
        let job = try submit(nodes: 1, limit: 10, at: 0) {
            $0.reservation = own
            $0.user = 7
        }
        #expect(throws: InputRejection.reservationIsClosed(own)) {
            _ = try submit(nodes: 1, limit: 10, at: 0) { $0.reservation = own }
        }
        #expect(rejection(of: .deleteReservation(own), at: 0) == .reservationInUse(own))
        #expect(rejection(of: .cancel(job), at: 0) == nil)
        #expect(rejection(of: .deleteReservation(own), at: 0) == nil)
    }

    @Test("A daily one comes back, and jobs of it wait for the next day")
    mutating func daily() throws {
        #expect(rejection(of: .createReservation(reservation(1, .daily)), at: 0) == nil)
        let own = ReservationID(1)
        run(until: 250)
        let job = try submit(nodes: 2, limit: 30, at: 250) { $0.reservation = own }
        let day = Int64(86_400)
        let endless = try submit(nodes: 3, limit: 2 * day, at: 250)
        run(until: 300)
        #expect(emulator.pendingReason(of: job) == .reservation)
        #expect(emulator.estimatedStart(of: job, from: at(300)) == at(day + 100))
        #expect(emulator.estimatedStart(of: endless, from: at(300)) == nil)
        run(until: day + 100)
        #expect(nodes(job) == [0, 1])
    }

    @Test("One that is idle too long is purged")
    mutating func purge() throws {
        var terms = reservation()
        terms.idleMaximum = SimDuration(seconds: 20)
        #expect(rejection(of: .createReservation(terms), at: 0) == nil)
        let job = try submit(nodes: 1, limit: 10, at: 0) { $0.reservation = ReservationID(1) }
        run(until: 129)
        #expect(sink.endings[job]?.endedAt == at(110))
        #expect(emulator.heldReservations.count == 1)
        run(until: 130)
        #expect(emulator.heldReservations.isEmpty)
    }

    @Test("When it ends at another time, so do its jobs")
    mutating func updates() throws {
        #expect(rejection(of: .createReservation(reservation()), at: 0) == nil)
        let job = try submit(nodes: 2, limit: 150, at: 0) { $0.reservation = ReservationID(1) }
        run(until: 100)
        #expect(emulator.deadline(of: job) == at(200))
        let longer = reservation(until: 240)
        #expect(rejection(of: .updateReservation(longer), at: 110) == nil)
        #expect(emulator.deadline(of: job) == at(240))
        let longest = reservation(until: 900)
        #expect(rejection(of: .updateReservation(longest), at: 110) == nil)
        #expect(emulator.deadline(of: job) == at(250))
        let moved = reservation(until: 900, nodes: [2, 3])
        let inUse = InputRejection.reservationInUse(ReservationID(1))
        #expect(rejection(of: .updateReservation(moved), at: 110) == inUse)
    }

    @Test("Reasons say what stands in the way, as Slurm's")
    mutating func reasons() throws {
        let maintenance = reservation(nodes: [0, 1, 2, 3], [.maint, .ignoreJobs])
        #expect(rejection(of: .createReservation(maintenance), at: 0) == nil)
        let long = try submit(nodes: 1, limit: 101, at: 0)
        run(until: 0)
        #expect(emulator.pendingReason(of: long) == .reservedForMaintenance)
        #expect(rejection(of: .deleteReservation(ReservationID(1)), at: 1) == nil)
        #expect(rejection(of: .createReservation(reservation(2)), at: 1) == nil)
        let named = try submit(nodes: 1, limit: 101, at: 1) { $0.requiredNodes = IDSet([0]) }
        run(until: 1)
        #expect(emulator.pendingReason(of: named) == .reservedForOthers)
    }

    @Test("An outage whose end is known is planned around; another is not waited for")
    mutating func outages() throws {
        #expect(rejection(of: .nodesDown(IDSet([3])), at: 0) == nil)
        let wide = try submit(nodes: 4, limit: 10, at: 0)
        let long = try submit(nodes: 2, limit: 200, at: 0)
        var unknown = self
        unknown.run(until: 0)
        // Nobody knows when it could start: it blocks nobody.
        #expect(unknown.nodes(long) == [0, 1])
        #expect(rejection(of: .nodesExpected(IDSet([3]), at(100)), at: 0) == nil)
        let short = try submit(nodes: 2, limit: 100, at: 0)
        run(until: 0)
        #expect(nodes(short) == [0, 1])
        #expect(emulator.phase(of: long) == .queued)
        run(until: 99)
        #expect(rejection(of: .nodesResumed(IDSet([3])), at: 100) == nil)
        run(until: 300)
        #expect(sink.starts[wide] == at(100))
        #expect(sink.starts[long] == at(110))
    }
}
