import ClusterModel
import IndexSets
import JobModel
import Prediction
import Quantities
import SlurmDialect
import WireFormats

/// What the comment of an emulated job says about its run time: `runtime=SECONDS`, or
/// `kernel=NAME` with `size=SIZE` and, if wanted, `repeat=COUNT`, for the predicted time of that
/// kernel on the nodes that the job holds; without either, the steps that it names take their time
/// (`EmulatedOutcome`). Other words of a comment mean nothing here.
enum EmulatedRunTime {
    /// The run time that `comment` gives to a job; nil when it gives none.
    ///
    /// - Throws: `Refusal` that says what of a named kernel makes no sense on these nodes.
    static func read(
        _ comment: String,
        _ plan: JobPlan,
        partition index: Int,
        of machine: Machine
    ) throws(Refusal) -> SimDuration? {
        let values = words(comment)
        // A journal of earlier days may hold one that is no number: it meant nothing then.
        if let text = values["runtime"], let seconds = seconds(text) {
            return SimDuration(seconds: seconds)
        }
        // Nothing to reckon with for a job that will never start.
        guard !plan.isBeyondPartition else { return nil }
        guard let name = values["kernel"] else { return EmulatedOutcome(comment).stepTime }
        do {
            let place = Place(
                partition: machine.partitions[index],
                isExclusive: plan.request.isExclusive,
                nodes: plan.nodes,
                coresOnNode: Double(plan.cores) / Double(plan.nodes),
                cardsOnNode: Double(plan.cards) / Double(plan.nodes)
            )
            let repeats = try repeats(values["repeat"])
            return try time(
                ofKernel: name,
                size: values["size"] ?? "medium",
                repeats: repeats,
                on: place,
                of: machine
            )
        } catch {
            throw Refusal(.invalidComment, "--comment=\(comment): \(error)")
        }
    }

    /// Where a kernel runs.
    struct Place {
        var partition: Partition
        /// Whether the job has its nodes to itself where others share theirs.
        var isExclusive: Bool
        var nodes: Int32
        /// What it holds of each node where these are shared.
        var coresOnNode: Double
        /// The same of cards.
        var cardsOnNode: Double
    }

    /// What the predictor says.
    ///
    /// - Throws: `KernelRefusal` or `PredictionRefusal`.
    static func time(
        ofKernel name: String,
        size: String,
        repeats: Int,
        on place: Place,
        of machine: Machine
    ) throws -> SimDuration {
        let kernel = try KernelForm(named: name)
        let prediction = try KernelPrediction(
            kernel,
            shape: try kernel.shape(of: size),
            on: try target(place, machine),
            repeats: repeats
        )
        // A job that outlives every time limit ends at its own.
        let seconds = min(prediction.seconds, 1_000_000_000)
        return SimDuration(microseconds: Int64((seconds * 1e6).rounded(.up)))
    }

    /// `comment` as it is journalled: keys that mean something here in small letters.
    ///
    /// - Throws: `Refusal` for a run time that is no number of seconds, or an outcome that there is
    ///   none of. It would be ignored, and the job would be billed for its whole limit.
    static func normalized(_ comment: String) throws(Refusal) -> String {
        var result = ""
        var rest = comment[...]
        while !rest.isEmpty {
            let word = rest.prefix { !isSeparator($0) }
            let separators = rest[word.endIndex...].prefix(while: isSeparator)
            rest = rest[separators.endIndex...]
            result += try normalized(word: word) + separators
        }
        try EmulatedOutcome.check(result)
        return result
    }

    private static func normalized(word: Substring) throws(Refusal) -> String {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let key = parts[0].lowercased()
        if key == "oom" { return key + word.dropFirst(key.count) }
        let keys = EmulatedOutcome.keys.union(["runtime", "kernel", "size", "repeat"])
        guard parts.count == 2, keys.contains(key) else { return String(word) }
        if key == "runtime", seconds(parts[1]) == nil {
            let problem = "a number of seconds from 0 to 1000000000 is needed\(inSeconds(parts[1]))"
            throw Refusal(.invalidComment, "--comment=\(word): \(problem)")
        }
        return key + "=" + parts[1]
    }

    /// For `2h`: ` (did you mean 'runtime=7200'?)`; nothing where no time is recognised.
    private static func inSeconds(_ text: Substring) -> String {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = seconds(text.dropLast())
        else {
            return ""
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit)
        return overflow ? "" : didYouMean(["runtime=\(product)"])
    }

    static func seconds(_ text: some StringProtocol) -> Int64? {
        Int64(text).flatMap { (0...1_000_000_000).contains($0) ? $0 : nil }
    }

    private static func isSeparator(_ character: Character) -> Bool {
        character == " " || character == "," || character == ";"
    }

    private struct BadRepeat: Error, CustomStringConvertible {
        var text: String
        var description: String { "'repeat=\(text)' is no number from 1 to 1000000000" }
    }

    /// The words of a comment.
    static func split(_ comment: String) -> [Substring] {
        comment.split(whereSeparator: isSeparator)
    }

    /// The words `KEY=VALUE` of a comment; the first of a key counts.
    static func words(_ comment: String) -> [String: String] {
        var values: [String: String] = [:]
        for word in split(comment) {
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2, values[String(parts[0])] == nil {
                values[String(parts[0])] = String(parts[1])
            }
        }
        return values
    }

    private static func repeats(_ text: String?) throws(BadRepeat) -> Int {
        guard let text else { return 1 }
        guard let count = Int(text), (1...1_000_000_000).contains(count) else {
            throw BadRepeat(text: text)
        }
        return count
    }

    /// The nodes of a place; where nodes are shared, its part of them.
    private static func target(
        _ place: Place,
        _ machine: Machine
    ) throws(PredictionRefusal) -> PredictionTarget {
        let types = Set(place.partition.nodes.map { machine.nodes[$0].typeIndex }).sorted()
        var target = try PredictionTarget(
            machine,
            typeNames: types.map { machine.nodeTypes[$0].name },
            nodeCount: Int(place.nodes)
        )
        guard place.partition.sharing == .cores, !place.isExclusive else { return target }
        for index in target.groups.indices {
            target.groups[index].rates.keep(cores: place.coresOnNode, cards: place.cardsOnNode)
        }
        return target
    }
}
