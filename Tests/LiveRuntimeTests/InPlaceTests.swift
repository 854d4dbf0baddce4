import Foundation
import Persistence
import Quantities
import Testing
import WireFormats

@testable import Emulation
@testable import Scheduling
@testable import LiveRuntime

// A state is a value: whoever reads it while it changes makes it copy all that changes, however
// many jobs that are. Then cancelling n jobs takes n² steps, and nobody is served meanwhile.

@Suite("Acting on jobs")
struct InPlaceTests {
    private static let count: UInt32 = 300

    private func held() -> CentreState {
        var state = CentreState(rules: CentreRules(machine: SmallCentre.machine))
        let inputs = (1...Self.count).map { id -> LiveInput in
            var input = SubmitInput()
            input.id = id
            input.request = SmallCentre.request { $0.isHeld = true }
            return .submit(input)
        }
        _ = state.handle(inputs, at: SmallCentre.start)
        return state
    }

    @Test("A tick asks for the next begin time only, however many jobs wait for theirs")
    func beginTimes() {
        var state = CentreState(rules: CentreRules(machine: SmallCentre.machine))
        let begins = (1...Self.count).map { SmallCentre.start + SimDuration(seconds: Int64($0)) }
        let inputs = begins.enumerated().map { index, begin -> LiveInput in
            var input = SubmitInput()
            input.id = UInt32(index + 1)
            input.request = SmallCentre.request { $0.begin = begin }
            return .submit(input)
        }
        _ = state.handle(inputs, at: SmallCentre.start)
        #expect(state.takeEffects() == begins.map { .wake($0) })
        _ = state.handle([.tick], at: begins[0])
        #expect(state.takeEffects() == [.wake(begins[1]), .started(1)])
    }

    /// Where the records of active jobs lie, and those of ended runs.
    private func places(_ state: CentreState) -> [UnsafeRawPointer?] {
        [
            state.emulator.jobs.records.withUnsafeBytes { $0.baseAddress },
            state.derived.jobs.withUnsafeBytes { $0.baseAddress },
        ]
    }

    @Test(
        "The state changes in its place",
        arguments: ["cancel", "hold", "release", "requeue", "limit", "account"]
    )
    func actions(name: String) {
        var state = held()
        let instant = SmallCentre.start + SimDuration(seconds: 1)
        var moves = 0
        for id in 1...Self.count {
            let before = places(state)
            var update = UpdateInput()
            update.id = id
            switch name {
            case "cancel": #expect(state.cancel(id, by: 0, at: instant) == nil)
            case "hold": #expect(state.hold(id, isAdmin: true, at: instant) == nil)
            case "release": #expect(state.release(id, at: instant) == nil)
            case "requeue": #expect(state.requeue(id, JobsInput(), at: instant) != nil)
            case "limit":
                update.change.timeLimit = SimDuration(seconds: 60)
                #expect(state.update(update, at: instant) == nil)
            default:
                update.change.account = "motor"
                #expect(state.update(update, at: instant) == nil)
            }
            if places(state) != before { moves += 1 }
        }
        // Ten times an array doubles until it holds so many.
        #expect(moves <= 10, "\(name): copied \(moves) times for \(Self.count) jobs")
    }
}
