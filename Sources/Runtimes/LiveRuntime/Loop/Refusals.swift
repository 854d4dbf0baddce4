import Synchronization
import WireFormats

/// Refusals for single jobs, collected on the writing thread for the one who asked.
final class Refusals: Sendable {
    private let outcomes = Mutex<[ActionOutcome]>([])

    func add(_ id: UInt32, _ body: ErrorBody) {
        outcomes.withLock { $0.append(ActionOutcome(jobID: id, error: body)) }
    }

    var all: [ActionOutcome] { outcomes.withLock { $0 } }
}
