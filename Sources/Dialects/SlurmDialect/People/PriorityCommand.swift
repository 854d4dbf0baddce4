public import WireFormats

/// `sprio` and `yhprio`: what the priorities of waiting jobs are made of.
public struct PriorityCommand: Hashable, Sendable {
    enum Option: Hashable, Sendable {
        case accepted, format, help, jobs, long, noHeader, norm, partition, sort, usage, user
        case version, weights
    }

    static let table = OptionTable<Option>([
        OptionSpec(.accepted, "federation"), OptionSpec(.format, "format", "o", .required),
        OptionSpec(.help, "help"), OptionSpec(.jobs, "jobs", "j", .required),
        OptionSpec(.accepted, "local"), OptionSpec(.long, "long", "l"),
        OptionSpec(.accepted, "cluster", "M", .required),
        OptionSpec(.accepted, "clusters", "M", .required),
        OptionSpec(.noHeader, "noheader", "h"), OptionSpec(.norm, "norm", "n"),
        OptionSpec(.partition, "partition", "p", .required),
        OptionSpec(.accepted, "sibling"), OptionSpec(.sort, "sort", "S", .required),
        OptionSpec(.usage, "usage"), OptionSpec(.user, "user", "u", .required),
        OptionSpec(.accepted, "verbose", "v"), OptionSpec(.version, "version", "V"),
        OptionSpec(.weights, "weights", "w"),
    ])

    /// What was asked for instead of a listing.
    public var information: QueueCommand.Information?

    private var jobs: [UInt32] = []
    private var users: [String]?
    private var partitions: [String]?
    private var format: String?
    private var sort = "i"
    private var hasHeader = true
    private var isLong = false
    private var isNormal = false
    private var showsWeights = false

    /// Reads the command line.
    ///
    /// - Throws: `CommandFailure`, ready to be printed.
    public init(program: String, arguments: [String]) throws(CommandFailure) {
        let given = try Self.table.parse(arguments, for: program).options
        for option in given {
            let value = option.value ?? ""
            switch option.id {
            case .accepted: break
            case .format: format = value
            case .help, .usage: information = .usage
            case .jobs:
                for word in list(value) {
                    guard let job = OptionValues.job(word) else {
                        throw .error(program, "Invalid job id: \(word)")
                    }
                    jobs.append(job.jobID)
                }
            case .long: isLong = true
            case .noHeader: hasHeader = false
            case .norm: isNormal = true
            case .partition: partitions = list(value)
            case .sort: sort = value
            case .user: users = list(value)
            case .version: information = .version
            case .weights: showsWeights = true
            }
        }
    }

    /// What is printed.
    public func output(_ list: PriorityList) -> CommandOutput {
        guard list.isMultifactor else {
            let text = "You are not running a supported priority plugin"
            return CommandOutput(
                errors: ["\(text)", "(order=\"multifactor\" of the policy)."],
                exitCode: 1
            )
        }
        let weights = list.weights
        let text = FormatText(format ?? standardFormat(weights))
        func line(_ row: (FormatText.Field) -> String) -> String { text.line(row) }
        var output = CommandOutput()
        let head = line { Self.heads[$0.key] ?? "" }
        if showsWeights {
            if hasHeader { output.lines.append(head) }
            output.lines.append(line { Self.weight($0.key, weights) })
            return output
        }
        var shown = list.jobs.filter { job in
            (jobs.isEmpty || jobs.contains(job.jobID)) && (users?.contains(job.user) ?? true)
                && (partitions?.contains(job.partition) ?? true)
        }
        if shown.isEmpty, !jobs.isEmpty || users != nil {
            output.lines.append("Unable to find jobs matching user/id(s) specified")
            return output
        }
        if sort.hasPrefix("-") ? sort.hasSuffix("Y") : sort == "Y" {
            shown.sort { sort == "Y" ? $0.priority < $1.priority : $0.priority > $1.priority }
        }
        if hasHeader { output.lines.append(head) }
        output.lines += shown.map { job in line { Self.text($0.key, job, weights) } }
        return output
    }

    /// The columns of a centre that weighs these; what weighs nothing is left out.
    private func standardFormat(_ weights: PriorityWeightList) -> String {
        if isNormal {
            var format = "%.15i %9r %10y"
            if weights.age > 0 { format += " %10a" }
            if weights.fairShare > 0 { format += " %10f" }
            if weights.jobSize > 0 { format += " %10j" }
            if weights.partition > 0 { format += " %10p" }
            if weights.qos > 0 { format += " %10q" }
            if weights.cpu > 0 { format += " %20t" }
            return format
        }
        if isLong {
            return "%.15i %9r %.8u %.10Y %.10S %.10A %.10B %.10F %.10J %.10P %.10Q %.11N %.20T"
        }
        var format = users == nil ? "%.15i %9r %.10Y %.10S" : "%.15i %9r %.8u %.10Y %.10S"
        if weights.age > 0 { format += " %.10A" }
        if weights.fairShare > 0 { format += " %.10F" }
        if weights.jobSize > 0 { format += " %.10J" }
        if weights.partition > 0 { format += " %.10P" }
        if weights.qos > 0 { format += " %.10Q" }
        if weights.cpu > 0 { format += " %.20T" }
        return format
    }

    private static let heads: [String: String] = [
        "A": "AGE", "a": "AGE", "B": "ASSOC", "b": "ASSOC", "c": "CLUSTER", "F": "FAIRSHARE",
        "f": "FAIRSHARE", "i": "JOBID", "J": "JOBSIZE", "j": "JOBSIZE", "N": "NICE",
        "n": "ACCOUNT", "o": "ACCOUNT", "P": "PARTITION", "p": "PARTITION", "Q": "QOS",
        "q": "QOS", "r": "PARTITION", "S": "SITE", "T": "TRES", "t": "TRES", "u": "USER",
        "Y": "PRIORITY", "y": "PRIORITY",
    ]

    private static func weight(_ key: String, _ weights: PriorityWeightList) -> String {
        switch key {
        case "i": "Weights"
        case "A", "a": "\(weights.age)"
        case "B", "b": "0"
        case "F", "f": "\(weights.fairShare)"
        case "J", "j": "\(weights.jobSize)"
        case "P", "p": "\(weights.partition)"
        case "Q", "q": "\(weights.qos)"
        case "S": "1"
        case "T", "t": weights.cpu > 0 ? "CPU=\(weights.cpu)" : ""
        default: ""
        }
    }

    private static func text(
        _ key: String,
        _ job: PriorityInfo,
        _ weights: PriorityWeightList
    ) -> String {
        func weighed(_ factor: Int64, _ weight: Int64) -> String {
            AmountText.ratio(factor * weight, PriorityInfo.one, digits: 0)
        }
        func factor(_ value: Int64) -> String {
            AmountText.evenRatio(value, PriorityInfo.one, digits: 7)
        }
        return switch key {
        case "A": weighed(job.age, weights.age)
        case "a": factor(job.age)
        case "B": "0"
        case "b": factor(0)
        case "F": weighed(job.fairShare, weights.fairShare)
        case "f": factor(job.fairShare)
        case "i": "\(job.jobID)"
        case "J": weighed(job.jobSize, weights.jobSize)
        case "j": factor(job.jobSize)
        case "N": "\(job.nice)"
        case "n", "o": job.account
        case "P": weighed(job.partitionFactor, weights.partition)
        case "p": factor(job.partitionFactor)
        case "Q": weighed(job.qosFactor, weights.qos)
        case "q": factor(job.qosFactor)
        case "r": job.partition
        case "S": "0"
        case "T": job.isFixed ? "" : "cpu=" + weighed(job.cpu, weights.cpu)
        case "t":
            job.isFixed ? "" : "cpu=" + AmountText.ratio(job.cpu, PriorityInfo.one, digits: 2)
        case "u": job.user
        case "Y": "\(job.priority)"
        // A priority that was given is not normalised.
        case "y":
            job.isFixed
                ? "\(job.priority).00000000000000"
                : AmountText.ratio(job.priority, 4_294_967_295, digits: 14)
        default: ""
        }
    }
}
