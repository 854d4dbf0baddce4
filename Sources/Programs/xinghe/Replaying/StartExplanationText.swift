import JobModel
import Quantities
import ReplayRuntime
import Reporting
import Scheduling
import WorkloadFormats

/// An explanation as a customer reads it.
struct StartExplanationText {
    let trace: Trace
    let machine: ReplayMachine
    let policy: String
    let explanation: StartExplanation

    /// Stretches that are printed from each end when there are too many.
    private static let shownAtEnds = 8

    /// The whole text, lines ended.
    var text: String {
        (heading + queue + waiting + ending).joined(separator: "\n") + "\n"
    }

    // MARK: Parts

    private var job: TraceJob { trace.jobs[explanation.job] }
    private var started: Int64 { explanation.started ?? job.submitted }
    private var wait: Int64 { started - job.submitted }

    private var heading: [String] {
        [
            "job \(job.id) under \(policy) on \(machine.title)",
            "  asks       \(nodes(explanation.needed)) for at most \(length(job.timeLimit)),"
                + " user \(job.user)",
            "  submitted  \(moment(job.submitted))",
            "  started    \(moment(started)), "
                + (wait == 0 ? "at once" : "after a wait of \(length(wait))"),
            "",
        ]
    }

    private var queue: [String] {
        let (jobs, count) = explanation.aheadAtArrival
        guard count > 0 else { return ["When it came, nobody waited before it."] }
        return [
            "When it came, \(counted(count, "job")) waited before it: \(list(jobs, of: count))."
        ]
    }

    private var waiting: [String] {
        guard !explanation.stretches.isEmpty else { return [] }
        let stretches = explanation.stretches
        let decisions = stretches.reduce(0) { $0 + $1.count }
        var lines = ["", "\(counted(decisions, "decision")) did not start it:"]
        let isLong = stretches.count > 2 * Self.shownAtEnds + 1
        for (index, stretch) in stretches.enumerated() {
            if isLong, index == Self.shownAtEnds {
                let hidden = stretches.count - 2 * Self.shownAtEnds
                lines.append("  … and \(hidden) more reasons of the same kinds")
            }
            if isLong, index >= Self.shownAtEnds, index < stretches.count - Self.shownAtEnds {
                continue
            }
            lines.append("  \(span(stretch))")
            lines.append("      \(sentence(stretch.reason))")
        }
        return lines
    }

    private var ending: [String] {
        var lines = [""]
        let (jobs, count) = explanation.overtaken
        if count > 0 {
            lines.append(
                "It started before \(counted(count, "job")) that waited longer or ranked higher:"
                    + " \(list(jobs, of: count))."
            )
            if let head = explanation.headAtStart, let promise = head.promise {
                let end = started + job.timeLimit
                lines.append(
                    end <= promise
                        ? "It could overtake because its limit ends it at \(moment(end)), and"
                            + " \(name(head.job)), first in the queue, was promised"
                            + " \(moment(promise))."
                        : "It could overtake because \(name(head.job)), first in the queue and"
                            + " promised \(moment(promise)), does not need its nodes then."
                )
            }
        } else {
            lines.append("When it started, nobody waited before it.")
        }
        if let promise = explanation.firstPromise {
            lines.append(
                "The first start that it was promised was \(moment(promise))"
                    + (started < promise ? "; jobs that ended early made it sooner." : ".")
            )
        }
        lines.append(earliest)
        return lines
    }

    private var earliest: String {
        guard wait > 0 else { return "It could not have started earlier." }
        guard let earliest = explanation.earliest, earliest < started else {
            return "There was no earlier moment at which \(isFree(explanation.needed)):"
                + " it could not have started earlier in this schedule."
        }
        return "Had it been first in the queue, it could have started at \(moment(earliest)),"
            + " \(length(started - earliest)) earlier: \(isFree(explanation.needed)) then."
    }

    // MARK: Reasons

    private func sentence(_ reason: StartExplanation.Reason) -> String {
        switch reason {
        case .aside(let reason): "it was not in the queue: \(reason.slurmName)"
        case .obstacle(let obstacle): sentence(obstacle)
        }
    }

    private func sentence(_ obstacle: Obstacle) -> String {
        let needed = nodes(explanation.needed)
        switch obstacle {
        case .firstAndNoRoom(let free, let promise):
            let tail = promise.map { "; it was promised \(moment($0))" } ?? ""
            return "first in the queue: it needs \(needed), \(isFree(free))\(tail)"
        case .behindBlockedHead(let head, let headNodes, let free):
            return "behind \(name(Int(head))), first in the queue, which needs"
                + " \(nodes(headNodes)) when \(isFree(free)); nobody may overtake"
        case .noRoom(let free):
            return (free > 0 ? "at most " : "") + "\(isFree(free)) at its turn; it needs \(needed)"
        case .wouldDelayHead(let head, let shadow, let extra):
            return "it fitted, but would have run beyond \(moment(shadow)), when"
                + " \(name(Int(head))), first in the queue, is to start; "
                + (extra > 0
                    ? "only \(nodes(extra)) \(extra == 1 ? "was" : "were") not needed for that"
                    : "all that is free then is needed for that")
        case .plannedFor(let instant): return "its place in the plan began at \(moment(instant))"
        case .noPlaceOnSharedNodes(let head):
            return "no place on the shared nodes that would not delay \(name(Int(head)))"
        case .waitsForRepairs(let inService):
            return "it needs \(needed), and only \(inService) are in service"
        case .keptForOthers(let free):
            return "\(isFree(free)), but kept for jobs before it, or beyond what was planned"
        case .notChosen: return "the external policy did not choose it"
        }
    }

    // MARK: Words

    private func span(_ stretch: StartExplanation.Stretch) -> String {
        stretch.count == 1
            ? moment(stretch.first)
            : "\(moment(stretch.first)) to \(moment(stretch.last)), \(stretch.count) decisions"
    }

    private func name(_ position: Int) -> String { "job \(trace.jobs[position].id)" }

    private func list(_ jobs: [Int], of count: Int) -> String {
        let names = jobs.map { index in
            let job = trace.jobs[index]
            guard machine.sharing == .wholeNodes else { return "\(job.id)" }
            return "\(job.id) (\(nodes(machine.nodes(forProcessors: job.processors))))"
        }
        return names.joined(separator: ", ") + (count > jobs.count ? ", …" : "")
    }

    /// A number of what is given out: nodes, or cores where nodes are shared.
    private func nodes(_ count: Int32) -> String {
        guard case .cores(let units) = machine.sharing else {
            return counted(Int(count), machine.coresPerNode == 1 ? "processor" : "node")
        }
        let thousandths = Int(count) * 1_000 / Int(units)
        let whole = thousandths / 1_000
        guard thousandths % 1_000 != 0 else { return counted(whole, "core") }
        let digits = String(thousandths % 1_000)
        return "\(whole)." + String(repeating: "0", count: 3 - digits.count) + digits + " cores"
    }

    private func isFree(_ count: Int32) -> String {
        count == 0 ? "nothing was free" : "\(nodes(count)) \(count == 1 ? "was" : "were") free"
    }

    /// The time of the log; a date where the log tells when it begins.
    private func moment(_ microseconds: Int64) -> String {
        guard trace.unixStartTime > 0 else { return "\(length(microseconds)) of the log" }
        let instant = SimInstant(microseconds: microseconds + trace.unixStartTime * 1_000_000)
        let time = CivilTime(instant, offsetSeconds: 0)
        return time.iso8601.split(separator: "T").joined(separator: " ") + " UTC"
    }

    /// `2-03:04:05`, as Slurm writes a time.
    private func length(_ microseconds: Int64) -> String {
        let seconds = microseconds / 1_000_000
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let clock = "\(two(seconds / 3_600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        return seconds >= 86_400 ? "\(seconds / 86_400)-\(clock)" : clock
    }
}
