import Quantities
import Synchronization
import Testing

@testable import LiveRuntime

/// A machine whose time is set by hand.
private final class HandSet: Sendable {
    private let times = Mutex((wall: Int64(1_000_000_000), monotonic: Int64(5_000)))

    func pass(wall: Int64, monotonic: Int64) {
        times.withLock { $0 = ($0.wall + wall, $0.monotonic + monotonic) }
    }

    func clock(_ mode: TimeMode, start: Int64 = 0) -> CentreClock {
        CentreClock(
            mode: mode,
            start: SimInstant(microseconds: start),
            sources: CentreClock.Sources(
                wall: { SimInstant(microseconds: self.times.withLock { $0.wall }) },
                monotonic: { self.times.withLock { $0.monotonic } }
            )
        )
    }
}

@Suite("The centre's clock")
struct CentreClockTests {
    @Test(
        "Real time leaps ahead with the wall, and goes on by itself when the wall is set back",
        arguments: [
            (steps: [(10, 10)], passed: 10),
            // The machine slept: no monotonic time has passed.
            (steps: [(10, 10), (3_600, 1)], passed: 3_610),
            (steps: [(10, 10), (-3_600, 5)], passed: 15),
            (steps: [(3_600, 1), (-3_600, 5), (10, 10)], passed: 3_615),
        ] as [(steps: [(Int64, Int64)], passed: Int64)]
    )
    func realTime(steps: [(Int64, Int64)], passed: Int64) {
        let machine = HandSet()
        let clock = machine.clock(.real)
        let began = clock.now
        for (wall, monotonic) in steps {
            machine.pass(wall: wall, monotonic: monotonic)
            _ = clock.now
        }
        #expect(clock.now - began == SimDuration(microseconds: passed))
    }

    @Test(
        "A leap of days is followed only when the wall stays there, and one that goes back leaves nothing"
    )
    func leaps() {
        let (day, minute): (Int64, Int64) = (86_400_000_000, 60_000_000)
        let machine = HandSet()
        let clock = machine.clock(.real)
        let began = clock.now
        func expect(_ passed: Int64, _ place: Int = #line) {
            #expect(clock.now - began == SimDuration(microseconds: passed), "line \(place)")
        }
        // The machine slept for two days, and its clock says so.
        machine.pass(wall: 2 * day, monotonic: 2 * day)
        expect(2 * day)
        machine.pass(wall: 400 * day, monotonic: 0)
        expect(2 * day)
        machine.pass(wall: minute, monotonic: minute)
        expect(2 * day + minute)
        machine.pass(wall: -400 * day, monotonic: minute)
        expect(2 * day + 2 * minute)
        machine.pass(wall: 3 * day, monotonic: 0)
        expect(2 * day + 2 * minute)
        machine.pass(wall: 11 * minute, monotonic: 11 * minute)
        expect(5 * day + 12 * minute)
    }

    @Test("A real clock looks again within seconds, however far away the next timer is")
    func longestWait() throws {
        let clock = HandSet().clock(.real)
        let wait = clock.wallMicroseconds(until: clock.now + SimDuration(seconds: 86_400))
        #expect(try #require(wait) <= 10_000_000)
        #expect(clock.wallMicroseconds(until: clock.now + SimDuration(seconds: 1)) == 1_000_001)
    }

    @Test("An accelerated clock does not care for the wall")
    func scaled() {
        let machine = HandSet()
        let clock = machine.clock(.scaled(100), start: 7)
        machine.pass(wall: 1_000_000, monotonic: 3)
        #expect(clock.now == SimInstant(microseconds: 307))
    }
}
