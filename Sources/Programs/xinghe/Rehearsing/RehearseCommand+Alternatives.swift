import Foundation
import LocalClient
import Quantities
import SlurmDialect
import WireFormats

// Other ways to submit the scripts: each is rehearsed in a private centre of its own, which has the same
// load, and leaves nothing where the scripts run.

extension RehearseCommand {
    /// How long all of them may take. Unit: s.
    private static let alternativesSeconds = 60

    /// Rehearses the other ways, of each script the most promising first.
    ///
    /// - Parameter opening: how the first centre was opened.
    func addAlternatives(to result: inout RehearsalResult, _ opening: CentreOpening) throws {
        let ways = result.scripts.map { script in
            script.isAsked
                ? result.frugalWays(script, isLoaded: place.load != nil) + script.ways : []
        }
        var trials: [(script: Int, way: OtherWay)] = []
        for rank in 0..<(ways.map(\.count).max() ?? 0) {
            for (script, own) in ways.enumerated() where rank < own.count {
                trials.append((script, own[rank]))
            }
        }
        guard !trials.isEmpty else { return }
        let told = result
        let end = ContinuousClock.now + .seconds(Self.alternativesSeconds)
        var stage = AlternativeStage(opening, told, isLoaded: place.load != nil, end)
        let count = min(trials.count, alternatives)
        let bar = ProgressBar(counted: count, "alternative", total: count)
        defer { bar.finish() }
        for (script, way) in trials.prefix(count) {
            defer { bar.advance(by: 1) }
            switch stage.outcome(of: way, script) {
            case .rehearsed(let alternative):
                result.scripts[script].alternatives.append(alternative)
            case .refused: break
            case .tooLate: result.scripts[script].untried.append(way.option)
            }
        }
    }
}

/// Where other ways are tried.
private struct AlternativeStage {
    enum Outcome {
        case rehearsed(RehearsalAlternative)
        case refused
        case tooLate
    }

    private let opening: CentreOpening
    private let result: RehearsalResult
    private let isLoaded: Bool
    private let end: ContinuousClock.Instant
    /// Whether scripts run again. They do where what they write can be kept aside.
    private var isRunning = true

    init(
        _ opening: CentreOpening,
        _ result: RehearsalResult,
        isLoaded: Bool,
        _ end: ContinuousClock.Instant
    ) {
        self.opening = opening
        self.result = result
        self.isLoaded = isLoaded
        self.end = end
    }

    mutating func outcome(of way: OtherWay, _ script: Int) -> Outcome {
        guard let number = result.scripts[script].job, let run = open() else { return .tooLate }
        do throws(LocalClientFailure) {
            let numbers = try run.submitAgain(
                result,
                emulated: !isRunning,
                but: (script, way.request)
            )
            guard let other = numbers[number], try run.letRun(until: end) else { return .tooLate }
            var alternative = RehearsalAlternative(
                way,
                of: number,
                result,
                as: other,
                try run.collected()
            )
            alternative.isRehearsed = isRunning
            return .rehearsed(alternative)
        } catch {
            if case .refused = error { return .refused }
            return .tooLate
        }
    }

    /// Opens a centre; nil when there is no time for it.
    private mutating func open() -> RehearsalRun? {
        if isRunning {
            if let centre = try? centre(covering: folders) { return centre }
            // Where this kernel or container does not let files be kept aside, no script runs twice.
            isRunning = false
        }
        return try? centre(covering: [])
    }

    private func centre(covering folders: [String]) throws -> RehearsalRun? {
        let seconds = Int((end - ContinuousClock.now).components.seconds)
        guard seconds > 0 else { return nil }
        let centre = try opening.open(
            rehearses: isRunning,
            covering: folders,
            patience: seconds
        )
        return RehearsalRun(centre, isLoaded: isLoaded)
    }

    /// Where the scripts may write: where they start, where their output goes, and at home.
    private var folders: [String] {
        let requests = result.scripts.compactMap(\.request)
        let files = requests.flatMap { [$0.standardOutput, $0.standardError] }.compactMap(\.self)
        let places = files.filter { $0.hasPrefix("/") && !$0.hasPrefix("/dev/") }.map {
            ($0 as NSString).deletingLastPathComponent
        }
        return Set(requests.map(\.workDirectory) + places + [NSHomeDirectory()]).sorted()
    }
}

// MARK: - Submitting again

extension RehearsalRun {
    /// Submits the scripts of a rehearsal once more; the numbers of their jobs, by those that they had.
    ///
    /// - Parameters:
    ///   - isEmulated: whether each takes as long, and ends, as it did then.
    ///   - other: the script that is submitted otherwise.
    func submitAgain(
        _ result: RehearsalResult,
        emulated isEmulated: Bool,
        but other: (script: Int, request: SubmitRequest)? = nil
    ) throws(LocalClientFailure) -> [UInt32: UInt32] {
        var numbers: [UInt32: UInt32] = [:]
        for (index, script) in result.scripts.enumerated() {
            guard let own = script.job, let first = script.request else { continue }
            var request = other?.script == index ? other?.request ?? first : first
            for index in request.dependencies.indices {
                let job = request.dependencies[index].jobID
                request.dependencies[index].jobID = numbers[job] ?? job
            }
            if isEmulated { request.emulate(result.jobs(of: own).first) }
            numbers[own] = try submit(request)
        }
        return numbers
    }
}

extension SubmitRequest {
    /// Lets an emulated job take as long as its rehearsal, and end like it, unless it says itself.
    fileprivate mutating func emulate(_ job: RehearsedJob?) {
        // Its output is what the rehearsal has written.
        standardOutput = "/dev/null"
        standardError = nil
        guard let job, job.start != nil else { return }
        let own = comment ?? ""
        guard !own.contains("runtime="), !own.contains("kernel="), !own.contains("step=") else {
            return
        }
        var words = own.isEmpty ? [] : [own]
        words.append("runtime=\(max(1, job.elapsed.seconds))")
        if job.exitCode != 0 { words.append("exit=\(job.exitCode)") }
        comment = words.joined(separator: " ")
    }
}
