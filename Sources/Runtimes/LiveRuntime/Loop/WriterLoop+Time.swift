import Glibc
import JobModel
import Logging
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
        while !isFull, !work.holdsTime, let due = timers.first, due <= now {
            var popped = timers.popFirstInstant()
            if wakeScripts(&popped, at: due) {
                for timer in popped { timers.arm(timer) }
                continue
            }
            // Signals are sent here and now; what is journalled are inputs.
            var inputs = popped.compactMap(input)
            if popped.contains(where: { $0.kind == .load }) { inputs += loadInputs(by: due) }
            guard !inputs.isEmpty else { continue }
            handleAhead(inputs.sorted { $0.rank < $1.rank }, at: instant(due))
            // A script that starts or ends at this instant does so before the next one comes.
            if work.rehearses, !heldEffects.isEmpty { try? write() }
            guard ContinuousClock.now < end else { break }
        }
        if !unjournalled.isEmpty { try? write() }
        return timers.first.map { $0 > now } ?? true
    }

    /// How long what happens by itself keeps requests waiting.
    private static let longestAtATime = Duration.milliseconds(25)

    /// Takes the timers of rehearsed scripts out, and puts those in line whose instant has come: what
    /// is over in the very moment of its limit has kept it. Returns whether there were any.
    private func wakeScripts(_ timers: inout [CentreTimer], at instant: SimInstant) -> Bool {
        var hasWoken = false
        timers.removeAll { timer in
            guard case .rehearsal(let id, let restart) = timer.kind else { return false }
            hasWoken = work.wake(id, restart: restart, at: instant) || hasWoken
            return true
        }
        if hasWoken { clock.move(to: instant) }
        return hasWoken
    }

    /// The script of a rehearsed job computed on: the job goes on as an emulated one.
    func fallBack(_ id: UInt32) {
        guard let entry = state.jobs[id], let end = entry.status.emulatedEnd else { return }
        logger.notice("job \(id): its script computed on, and it goes on as emulated")
        let kind = CentreTimer.Kind.emulatedEnd(id, restart: entry.status.restart)
        timers.arm(CentreTimer(instant: end, kind: kind))
    }

    /// What a timer means now; nil when it has lost its meaning.
    private func input(_ timer: CentreTimer) -> LiveInput? {
        switch timer.kind {
        case .tick: return .tick
        case .rehearsal, .load: return nil
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
                status.restart == restart, status.deadline == timer.instant,
                !work.hasFallenBack(id, restart: restart)
            else { return nil }
            clock.move(to: timer.instant)
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
        clock.move(to: due)
        work.signal(
            entry,
            number: signal.number,
            isForShellOnly: signal.isForShellOnly,
            now: due
        )
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
        advances.append((target, answer, false))
    }

    /// Moves a stepped clock on, for as long as others may wait and rehearsed scripts let it. A move is
    /// over when nothing that happens at its last instant is under way any more.
    func advanceFurther() {
        while let advance = advances.first, !work.holdsTime, deferredEnds.isEmpty || isFull {
            guard !advance.hasArrived else {
                advances.removeFirst()
                advance.answer(.success(clock.now))
                continue
            }
            let isThere = fireTimers(upTo: advance.target)
            deferredEnds += work.giveTurns(state)
            guard isFull || isThere && !work.holdsTime && deferredEnds.isEmpty else { return }
            do throws(PersistenceFailure) {
                // The clock's own state is the instant of the last batch, so its move is an input.
                _ = try commit([.tick], at: instant(advance.target))
                advances[0].hasArrived = true
                deferredEnds += work.giveTurns(state)
            } catch {
                advances.removeFirst()
                advance.answer(.failure(Self.failure(error)))
            }
        }
    }
}
