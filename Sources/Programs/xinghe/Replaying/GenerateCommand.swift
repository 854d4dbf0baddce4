public import ArgumentParser
import Catalog
import Foundation
import Quantities
import Reporting
import WireFormats
import WorkloadFormats
public import WorkloadModels

/// `xinghe generate`: a log of a model, for who has none of their own.
struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Make a log of jobs from a model or from another log, and one seed.",
        discussion: """
            tianjin is the load of a centre like the one in Tianjin: tenants, sessions, three peaks a \
            day, estimates; the file of a mix is that of any other centre. lublin and downey are the published models. --like puts the weeks of the \
            users of a recorded log together anew. The log is in the Standard Workload Format; what was \
            published of the model is printed beside what the log has, and a figure that is missed ends \
            the command with exit status 1.
            """
    )

    enum Mix: Hashable, ExpressibleByArgument {
        case tianjin
        case lublin
        case downey
        /// The file of a mix.
        case file(String)

        init?(argument: String) {
            switch argument {
            case "tianjin": self = .tianjin
            case "lublin": self = .lublin
            case "downey": self = .downey
            case _ where MixReader.isPath(argument): self = .file(argument)
            default: return nil
            }
        }

        static var allValueStrings: [String] { ["tianjin", "lublin", "downey"] }

        /// Whether it is a mix of classes, and no published model.
        var hasClasses: Bool {
            switch self {
            case .tianjin, .file: true
            case .lublin, .downey: false
            }
        }
    }

    @Option(
        help: ArgumentHelp(
            "The model: tianjin, lublin or downey, or the file of a mix.",
            valueName: "MODEL|MIX.yaml"
        )
    )
    var mix: Mix?

    @Option(help: ArgumentHelp("Make a log like this one.", valueName: "LOG"))
    var like: String?

    @Option(parsing: .unconditional, help: "How many days (tianjin and --like; 365).")
    var days: Int?

    @Option(parsing: .unconditional, help: "How many jobs (lublin and downey: 10,000).")
    var jobs: Int?

    @Option(parsing: .unconditional, help: "The machine's nodes (tianjin: 13,312; else 128).")
    var nodes: Int?

    @Option(help: "Which jobs of lublin: all, batch, interactive or both.")
    var types: LublinModel.Types?

    @Option(
        parsing: .unconditional,
        help: "The offered load of downey (0.7), or times that of --like."
    )
    var load: Double?

    @Option(parsing: .unconditional, help: "One seed gives one log.")
    var seed: UInt64 = 1

    @Flag(
        help: """
            Fill fields 17 and 18: which job of a session its user waited for, and how long the user \
            thought (tianjin; see 'xinghe replay --think-time').
            """
    )
    var sessions = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to; '-' is standard output.", valueName: "FILE")
    )
    var output: String

    @Flag(help: "Print the figures as JSON.")
    var json = false

    private static let jobMaximum = 100_000_000

    func validate() throws {
        guard (mix == nil) != (like == nil) else {
            throw ValidationError("--mix and --like: one of them, and one only")
        }
        func refuse(_ option: String, _ isGiven: Bool, _ mixes: String) throws {
            if isGiven { throw ValidationError("\(option): is for \(mixes) only") }
        }
        try refuse("--types", types != nil && mix != .lublin, "--mix lublin")
        try refuse("--sessions", sessions && mix?.hasClasses != true, "--mix tianjin")
        try refuse(
            "--load",
            load != nil && mix != .downey && like == nil,
            "--mix downey and --like"
        )
        try refuse("--jobs", jobs != nil && like != nil, "--mix")
        try refuse("--nodes", nodes != nil && like != nil, "--mix")
        try refuse(
            "--days",
            days != nil && mix?.hasClasses != true && like == nil,
            "--mix tianjin and --like"
        )
        func check(_ option: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
            if let value, !range.contains(value) {
                throw ValidationError(
                    "\(option): \(value) is not in \(range.lowerBound)...\(range.upperBound)"
                )
            }
        }
        try check("--days", days, 1...3_650)
        try check("--jobs", jobs, 1...Self.jobMaximum)
        try check("--nodes", nodes, (mix == .lublin ? 8 : 1)...1_000_000)
        if let load, !(0.01...100).contains(load) {
            throw ValidationError("--load: \(load) is not in 0.01...100")
        }
    }

    func run() async throws {
        let isTaken = try OutputFile.check([("--output", output)], data: json ? "--json" : nil)
        var sample = try sample()
        if !sessions { sample.forgetSessions() }
        try OutputFile.write(to: output) { emit in try sample.writeSWF(emit) }
        try StandardOutput.report(
            json ? object(sample).prettyText + "\n" : report(sample),
            isTaken: isTaken,
            isData: json
        )
        if sample.checks.contains(where: { $0.isMet == false }) { throw ExitCode.failure }
    }

    private func sample() throws -> WorkloadSample {
        switch mix {
        case .tianjin: return try sample(of: .tianjin)
        case .file(let path):
            return try sample(of: try MixReader.mix(text: try readText(path), file: path))
        case .lublin:
            return LublinModel(
                seed: seed,
                jobCount: jobs ?? 10_000,
                nodeCount: nodes ?? 128,
                types: types ?? .all
            ).sample()
        case .downey:
            return DowneyModel(
                seed: seed,
                jobCount: jobs ?? 10_000,
                nodeCount: nodes ?? 128,
                load: load ?? 0.7
            ).sample()
        case nil:
            let path = like ?? "-"
            let model = ResampledLog(seed: seed, days: days ?? 365, load: load ?? 1)
            let log = try LogReader().trace(at: path)
            guard model.expectedJobCount(like: log) <= Self.jobMaximum else {
                throw Refusal(
                    "\(path): --days and --load make more than \(Self.jobMaximum) jobs of it"
                )
            }
            return model.sample(like: log)
        }
    }

    private func sample(of mix: LoadMix) throws -> WorkloadSample {
        let nodes = nodes ?? mix.nodeCount
        let days = days ?? 365
        guard mix.jobsPerDay(on: nodes) * days <= Self.jobMaximum || jobs != nil else {
            throw ValidationError("--days, --nodes: more than \(Self.jobMaximum) jobs")
        }
        return MixModel(mix, seed: seed, days: days, jobCount: jobs, nodeCount: nodes).sample()
    }

    private func report(_ sample: WorkloadSample) -> String {
        var table = TextTable(header: ["figure", "value", ""], alignments: [.left, .right, .left])
        for check in sample.checks {
            table.add([
                check.name, NumberText.fixed(check.value, check.decimals),
                check.isMet.map { $0 ? "met" : "MISSED" } ?? "",
            ])
        }
        return "\(output): \(counted(sample.trace.jobs.count, "job")), seed \(seed)\n\n"
            + table.lines.map { $0 + "\n" }.joined()
    }

    private func object(_ sample: WorkloadSample) -> JSONValue {
        [
            "log": .string(output), "jobs": .integer(Int64(sample.trace.jobs.count)),
            "seed": .string("\(seed)"),
            "figures": .array(
                sample.checks.map { check in
                    [
                        "name": .string(check.name), "value": .number(check.value),
                        "met": check.isMet.map { .bool($0) } ?? .null,
                    ]
                }
            ),
        ]
    }
}

extension LublinModel.Types: ExpressibleByArgument {}
