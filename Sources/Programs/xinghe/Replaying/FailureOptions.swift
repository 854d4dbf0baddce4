import ArgumentParser
import Emulation
import ReplayRuntime
import TraceFiles
import WorkloadFormats

/// What happens to the nodes of a replay: `--events FILE`, or `--failures` drawn from a seed.
struct FailureOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Nodes that fail, go down, are drained and come back: JSON lines (docs/replay.md).",
            valueName: "FILE"
        )
    )
    var events: String?

    @Option(
        help: ArgumentHelp(
            "Draw failures of nodes: Weibull times between them, exponential repairs; for all "
                + "kinds of nodes, or once for each KIND.",
            valueName: "[KIND:]shape=0.7,scale=2000h,repair=4h"
        )
    )
    var failures: [String] = []

    @Option(help: ArgumentHelp("The seed of --failures.", valueName: "N"))
    var failureSeed: UInt64 = 1

    @Option(help: "Whether jobs whose node fails run again: yes, as Slurm's JobRequeue=1, or no.")
    var requeueFailed: Answer = .yes

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Runs save their state each so many seconds, and the next run goes on from there; "
                + "without, it starts over.",
            valueName: "SECONDS"
        )
    )
    var checkpoint: Int64?

    /// What nodes are called that have no kind.
    static let nameless = "node"

    enum Answer: String, CaseIterable, ExpressibleByArgument {
        case yes
        case no
    }

    /// Whether something may happen to nodes.
    var isAsked: Bool { events != nil || !failures.isEmpty }

    func validate() throws {
        if events != nil, !failures.isEmpty {
            throw ValidationError("--events and --failures: one of them only")
        }
        if let checkpoint, !(1...31_536_000).contains(checkpoint) {
            throw ValidationError("--checkpoint: \(checkpoint) is not in 1...31536000 seconds")
        }
        guard !isAsked else { return }
        if checkpoint != nil {
            throw ValidationError("--checkpoint: no node fails; add --events or --failures")
        }
        if requeueFailed == .no {
            throw ValidationError("--requeue-failed: no node fails; add --events or --failures")
        }
    }

    /// Refuses what cannot be asked together with failing nodes.
    func check(explains: Bool) throws {
        guard isAsked else { return }
        if explains {
            throw ValidationError("--explain: explains one run of a job; leave failing nodes out")
        }
    }

    /// What happens to the nodes of `machine`; nil when nothing does.
    ///
    /// - Throws: `Refusal` with file, line and field, or the part that is wrong.
    func failures(
        of machine: ReplayMachine,
        _ trace: Trace,
        _ options: ReplayOptions
    ) throws -> ReplayFailures? {
        guard isAsked else { return nil }
        guard options.eventOrder == .batched else {
            throw ValidationError("--event-order pyss: that simulator knows no failing nodes")
        }
        guard !options.thinkTime, !options.fairStarts else {
            let option = options.thinkTime ? "--think-time" : "--fair-starts"
            throw ValidationError("\(option): does not go with failing nodes")
        }
        let stream =
            try events.map { try NodeEventStream(read($0, machine, trace)) }
            ?? NodeEventStream(FailureProcess(models: try models(machine), seed: failureSeed))
        return ReplayFailures(
            events: stream,
            areJobsRequeued: requeueFailed == .yes,
            checkpointInterval: checkpoint.map { $0 * 1_000_000 }
        )
    }

    private func read(
        _ path: String,
        _ machine: ReplayMachine,
        _ trace: Trace
    ) throws -> [NodeEvent] {
        do {
            return try TraceFile.withBytes(of: path) { bytes in
                var reader = NodeEventReader(machine: machine, trace: trace)
                return try reader.read(bytes)
            }
        } catch let problem as NodeEventReader.Problem {
            throw Refusal("\(path):\(problem)")
        } catch let failure as TraceFileFailure {
            throw Refusal("--events: \(failure)")
        }
    }

    // MARK: Models

    /// The model of each node.
    private func models(_ machine: ReplayMachine) throws -> [FailureModel?] {
        let count = machine.configuration.nodes.count
        let kinds =
            machine.nodeKinds.isEmpty
            ? Array(repeating: Self.nameless, count: count) : machine.nodeKinds
        var byKind: [String: FailureModel] = [:]
        var others: FailureModel?
        for text in failures {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(
                String.init
            )
            let model = try self.model(parts[parts.count - 1], text)
            guard parts.count > 1 else {
                guard others == nil else { throw refusal(text, "stands for all kinds twice") }
                others = model
                continue
            }
            let kind = parts.dropLast().joined(separator: ":")
            guard kinds.contains(kind) else {
                let known = Set(kinds).sorted().joined(separator: ", ")
                throw refusal(text, "there are no nodes of kind '\(kind)'; there are \(known)")
            }
            guard byKind.updateValue(model, forKey: kind) == nil else {
                throw refusal(text, "names kind '\(kind)' twice")
            }
        }
        return kinds.map { byKind[$0] ?? others }
    }

    private func model(_ list: String, _ text: String) throws -> FailureModel {
        var values: [String: String] = [:]
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1).map { String($0) }
            guard sides.count == 2, ["shape", "scale", "repair"].contains(sides[0]) else {
                throw refusal(text, "'\(part)' is none of shape=, scale= and repair=")
            }
            guard values.updateValue(sides[1], forKey: sides[0]) == nil else {
                throw refusal(text, "says \(sides[0]) twice")
            }
        }
        guard let shape = values["shape"].flatMap({ Double($0) }),
            FailureModel.shapes.contains(shape)
        else { throw refusal(text, "shape= needs a number from 0.1 to 10") }
        return FailureModel(
            shape: shape,
            scaleSeconds: try length("scale", values, text),
            repairSeconds: try length("repair", values, text)
        )
    }

    /// A length with its unit, such as `90min`. Unit: s.
    private func length(
        _ name: String,
        _ values: [String: String],
        _ text: String
    ) throws -> Int64 {
        let units: [String: Int64] = [
            "s": 1, "min": 60, "h": 3_600, "d": 86_400, "y": 31_536_000,
        ]
        let digits = values[name].map { $0.prefix { $0.isASCII && $0.isNumber } } ?? ""
        guard let value = values[name], digits.count <= 11, let number = Int64(digits),
            let unit = units[String(value[digits.endIndex...])],
            FailureModel.lengths.contains(number * unit)
        else {
            throw refusal(text, "\(name)= needs a whole number of s, min, h, d or y, up to 1000y")
        }
        return number * unit
    }

    private func refusal(_ text: String, _ problem: String) -> ValidationError {
        ValidationError("--failures '\(text)': \(problem)")
    }
}
