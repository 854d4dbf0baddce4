import Glibc
import JobModel
import Persistence
import Quantities
import WireFormats

// What happens by itself: ends of emulated jobs, time limits, begin times, and moves of a stepped clock.

/// Who waits for a stepped clock.
typealias AdvanceAnswer = @Sendable (Result<SimInstant, RequestFailure>) -> Void

extension WriterLoop {
    /// Lets happen what is due, each at its own instant: a run of an hour takes an hour, however
    /// late the loop comes round. Many instants go into one transaction.
    ///
    /// - Returns: whether all of it has happened; if not, requests have their turn first.
    @discardableResult
    func fireTimers(upTo now: SimInstant) -> Bool {
        let end = ContinuousClock.now + Self.longestAtATime
        while !isFull, let due = timers.first, due <= now {
            // Signals are sent here and now; what is journalled are inputs.
            let inputs = timers.popFirstInstant().compactMap(input)
            guard !inputs.isEmpty else { continue }
            handleAhead(inputs.sorted { $0.rank < $1.rank }, at: instant(due))
            guard ContinuousClock.now < end else { break }
        }
        if !unjournalled.isEmpty { try? write() }
        return timers.first.map { $0 > now } ?? true
    }

    /// How long what happens by itself keeps requests waiting.
    private static let longestAtATime = Duration.milliseconds(25)

    /// What a timer means now; nil when it has lost its meaning.
    private func input(_ timer: CentreTimer) -> LiveInput? {
        switch timer.kind {
        case .tick: return .tick
        case .signal(let id, let restart):
            sendSignal(id, restart, due: timer.instant)
            return nil
        case .emulatedEnd(let id, let restart):
            guard let entry = state.jobs[id], entry.status.phase == .running,
                entry.status.restart == restart, entry.status.emulatedEnd == timer.instant
            else { return nil }
            return .end(EndInput(emulated: entry))
        case .limit(let id, let restart):
            guard let status = state.jobs[id]?.status, status.phase == .running,
                status.restart == restart, status.deadline == timer.instant
            else { return nil }
            stop(id, restart: restart, as: "TIMEOUT", now: timer.instant)
            return nil
        }
    }

    /// Sends the signal that a job asked for before its limit, if its limit is still the one for
    /// which the timer was armed.
    private func sendSignal(_ id: UInt32, _ restart: Int32, due: SimInstant) {
        guard let entry = state.jobs[id], entry.status.phase == .running,
            entry.status.restart == restart, let deadline = entry.status.deadline,
            let signal = entry.specification.request.signal,
            due == max(entry.status.startedAt ?? deadline, deadline - signal.lead)
        else { return }
        work.signal(entry, number: signal.number, isForShellOnly: signal.isForShellOnly)
    }

    func arm(_ entry: JobEntry) {
        let id = entry.id
        let restart = entry.status.restart
        if state.isReal(entry) {
            guard let deadline = entry.status.deadline else { return }
            timers.arm(CentreTimer(instant: deadline, kind: .limit(id, restart: restart)))
            if let signal = entry.specification.request.signal {
                let due = max(entry.status.startedAt ?? deadline, deadline - signal.lead)
                timers.arm(CentreTimer(instant: due, kind: .signal(id, restart: restart)))
            }
        } else if let end = entry.status.emulatedEnd {
            timers.arm(CentreTimer(instant: end, kind: .emulatedEnd(id, restart: restart)))
        }
    }

    /// Takes a request to move a stepped clock.
    func advance(_ request: ClockAdvanceRequest, _ answer: @escaping AdvanceAnswer) {
        guard clock.mode == .stepped else {
            let body = ErrorBody(
                code: "not_stepped",
                text: "The clock of this centre moves by itself (--time \(clock.mode))"
            )
            return answer(.failure(RequestFailure(status: 409, body: body)))
        }
        let now = advances.last?.target ?? clock.now
        let target = request.until ?? now + (request.duration ?? .zero)
        guard target >= now, target.microseconds < Int64.max / 4 else {
            let body = ErrorBody(code: "bad_instant", text: "Time does not go back")
            return answer(.failure(RequestFailure(status: 400, body: body)))
        }
        advances.append((target, answer))
    }

    /// Moves a stepped clock on, for as long as others may wait.
    func advanceFurther() {
        while let (target, answer) = advances.first {
            let isThere = fireTimers(upTo: target)
            guard isThere || isFull else { return }
            advances.removeFirst()
            do throws(PersistenceFailure) {
                // The clock's own state is the instant of the last batch, so its move is an input.
                _ = try commit([.tick], at: instant(target))
                answer(.success(clock.now))
            } catch {
                answer(.failure(Self.failure(error)))
            }
        }
    }
}
