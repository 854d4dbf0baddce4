import JobModel
import Quantities
import SlurmDialect
import WireFormats

/// What the comment of an emulated job says of its end and its steps: `exit=3`, `signal=9` or `oom`,
/// and any number of `step=SECONDS[:EXIT]`, one after the other from the start of the job.
///
/// A word that makes no sense means nothing here: submissions with one are refused before
/// (`EmulatedRunTime.normalized`).
struct EmulatedOutcome: Hashable, Sendable {
    /// How the job ends when its time is over before its limit.
    enum Ending: Hashable, Sendable {
        case exit(Int32)
        case signal(Int32)
        case outOfMemory
    }

    /// One parallel program of the job.
    struct Step: Hashable, Sendable {
        var length: SimDuration
        var exitCode: Int32
    }

    private(set) var ending = Ending.exit(0)
    private(set) var steps: [Step] = []

    init(_ comment: String) {
        for word in EmulatedRunTime.split(comment) {
            switch Self.meaning(of: word) {
            case .ending(let ending): self.ending = ending
            case .step(let step): steps.append(step)
            case .nonsense, nil: break
            }
        }
    }

    /// How long all steps take, one after the other; nil when there are none.
    var stepTime: SimDuration? {
        steps.isEmpty ? nil : steps.reduce(.zero) { $0 + $1.length }
    }
}

// MARK: - Words

extension EmulatedOutcome {
    private enum Meaning {
        case ending(Ending)
        case step(Step)
        case nonsense(String)
    }

    /// The keys of words that mean something here.
    static let keys: Set<String> = ["exit", "signal", "step", "oom"]

    /// Nil for a word that is somebody else's.
    private static func meaning(of word: Substring) -> Meaning? {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count == 2 ? parts[1] : nil
        switch parts[0].lowercased() {
        case "exit":
            // `exit` alone is a word of people.
            guard let value else { return nil }
            guard let code = number(value, 0...255) else {
                return .nonsense("an exit status from 0 to 255 is needed")
            }
            // Slurm keeps seven bits of it.
            return .ending(.exit(code & 127))
        case "signal":
            guard let value else { return nil }
            guard let signal = number(value, 1...64) else {
                return .nonsense("the number of a signal from 1 to 64 is needed")
            }
            return .ending(.signal(signal))
        case "oom":
            return value == nil ? .ending(.outOfMemory) : .nonsense("'oom' has no value")
        case "step":
            guard let value else { return nil }
            return step(value).map { .step($0) }
                ?? .nonsense(
                    "SECONDS, or SECONDS:EXIT with an exit status from 0 to 255, is needed"
                )
        default: return nil
        }
    }

    private static func step(_ value: Substring) -> Step? {
        let parts = value.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let seconds = EmulatedRunTime.seconds(parts[0]) else { return nil }
        guard parts.count == 2 else {
            return Step(length: SimDuration(seconds: seconds), exitCode: 0)
        }
        guard let code = number(parts[1], 0...255) else { return nil }
        return Step(length: SimDuration(seconds: seconds), exitCode: code & 127)
    }

    private static func number(_ text: Substring, _ range: ClosedRange<Int32>) -> Int32? {
        Int32(text).flatMap { range.contains($0) ? $0 : nil }
    }

    /// - Throws: `Refusal` for a word of these that makes no sense, and for more than one ending.
    static func check(_ comment: String) throws(Refusal) {
        var endings: [Substring] = []
        for word in EmulatedRunTime.split(comment) {
            switch meaning(of: word) {
            case .nonsense(let problem):
                throw Refusal(.invalidComment, "--comment=\(word): \(problem)")
            case .ending: endings.append(word)
            case .step, nil: break
            }
        }
        guard endings.count <= 1 else {
            let words = endings.joined(separator: ",")
            throw Refusal(.invalidComment, "--comment=\(words): a job ends in one way only")
        }
    }
}

// MARK: - The end of a run

extension EndInput {
    /// The end of an emulated run whose own time, or whose limit, is over.
    ///
    /// Source: Slurm 22.05: what a signal ended is FAILED with that signal, what was out of memory is
    /// OUT_OF_MEMORY with 125 (`SIG_OOM` in its `slurm.h`).
    init(emulated entry: JobEntry) {
        self.init()
        id = entry.id
        restart = entry.status.restart
        let limit = entry.status.timeLimit
        let outcome = entry.specification.outcome
        steps = outcome.runs(until: min(limit, entry.specification.runTime ?? limit))
        // A component without a script holds its nodes until the first has ended, an allocation until it is given
        // back, or until its own limit is over.
        let isOpen = entry.isFollower || !entry.hasScript && entry.specification.runTime == nil
        guard !isOpen, entry.specification.runTime ?? .zero <= limit else {
            state = EndState.timeout.slurmName
            signal = 15
            return
        }
        switch outcome.ending {
        case .exit(let code):
            exitCode = code
            state = (code == 0 ? EndState.completed : .failed).slurmName
        case .signal(let number):
            signal = number
            state = EndState.failed.slurmName
        case .outOfMemory:
            signal = 125
            state = EndState.outOfMemory.slurmName
            reason = "OutOfMemory"
        }
    }
}

extension EmulatedOutcome {
    /// The steps of a run of so much time; the one that it ends under is cancelled with it.
    fileprivate func runs(until end: SimDuration) -> [StepRun] {
        var begin = SimDuration.zero
        var runs: [StepRun] = []
        for step in steps where begin < end || step.length == .zero && begin == end {
            var run = StepRun()
            run.after = begin
            run.length = min(step.length, end - begin)
            if run.length < step.length {
                run.signal = 15
                run.isCancelled = true
            } else {
                run.exitCode = step.exitCode
            }
            runs.append(run)
            begin = begin + step.length
        }
        return runs
    }
}
