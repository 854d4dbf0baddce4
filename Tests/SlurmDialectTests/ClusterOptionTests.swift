import Quantities
import Testing
import WireFormats

@testable import SlurmDialect

/// `-M` and `SLURM_CLUSTERS`.
@Suite("Options that choose clusters")
struct ClusterOptionTests {
    private func none(_: String) -> String? { nil }

    private func variable(_ name: String) -> String? {
        name == "SLURM_CLUSTERS" ? "nebulae,tianjin" : nil
    }

    private func queue(
        _ arguments: [String],
        _ variable: (String) -> String?
    ) throws -> JobQuery {
        try QueueCommand(
            program: "squeue",
            arguments: arguments,
            variable: variable,
            user: "ann",
            isUser: { _ in true }
        ).query
    }

    @Test("Without -M lists are of the centre's own cluster, and jobs by number of any")
    func own() throws {
        #expect(try queue([], none).clusters == ["own"])
        #expect(try queue(["-j", "5"], none).clusters == nil)
        #expect(try queue([], none).target.contains("cluster=own"))
        let read = try JobQuery([(key: "cluster", value: "a,b")])
        #expect(read.clusters == ["a", "b"])
    }

    @Test("Partitions that are named and are of another cluster are told apart")
    func elsewhere() throws {
        let all = PartitionList(
            now: .epoch,
            partitions: [("thin", "own"), ("fat", "other"), ("big", "other")].map { name, cluster in
                var info = PartitionInfo()
                (info.name, info.cluster) = (name, cluster)
                return info
            }
        )
        var list = all
        list.cluster = "own"
        func elsewhere(_ arguments: [String]) throws -> [String] {
            let command = try NodeCommand(program: "yhinfo", arguments: arguments, variable: none)
            return command.partitions(elsewhereIn: list).map(\.name)
        }
        #expect(try elsewhere(["-p", "thin,fat"]) == ["fat"])
        #expect(try elsewhere(["-p", "thin"]).isEmpty)
        #expect(try elsewhere([]).isEmpty)
    }

    @Test("The command line goes before the environment")
    func order() throws {
        #expect(try queue([], variable).clusters == ["nebulae", "tianjin"])
        #expect(try queue(["-M", "all"], variable).clusters == ["all"])
        let accounting = try AccountingCommand(
            program: "sacct",
            arguments: ["-L"],
            variable: none,
            user: nil
        )
        #expect(accounting.query.clusters == ["all"])
    }

    @Test("A submission names its clusters; the script may too")
    func submission() throws {
        func submit(_ arguments: [String], _ variable: (String) -> String?) throws -> SubmitRequest
        {
            try SubmitCommand.prepare(
                program: "sbatch",
                arguments: arguments,
                variable: variable
            ) { _ in Array("#!/bin/sh\n#SBATCH -M nebulae\ntrue\n".utf8) }.request
        }
        #expect(try submit(["job"], none).clusters == ["nebulae"])
        #expect(try submit(["job"], variable).clusters == ["nebulae", "tianjin"])
        #expect(try submit(["-M", "all", "job"], variable).clusters == ["all"])
        #expect(try submit(["--wrap", "true"], none).clusters == nil)
    }

    @Test("What is explained is one job, and what would not be read is refused")
    func explained() throws {
        func action(_ words: String...) throws -> ControlCommand.Action {
            try ControlCommand(program: "scontrol", arguments: ["explain"] + words, variable: none)
                .action
        }
        #expect(try action("5") == .explain(5))
        for words in [["5", "6"], ["5", "lang=zh"]] {
            let failure = #expect(throws: CommandFailure.self) {
                try ControlCommand(
                    program: "scontrol",
                    arguments: ["explain"] + words,
                    variable: none
                )
            }
            let text = failure?.lines.joined() ?? ""
            #expect(text.contains("too many arguments for keyword:explain"), "\(text)")
        }
    }

    @Test("scontrol takes one cluster")
    func control() throws {
        func clusters(_ name: String) throws -> [String]? {
            try ControlCommand(
                program: "scontrol",
                arguments: ["-M", name, "show", "nodes"],
                variable: none
            ).clusters
        }
        #expect(try clusters("nebulae") == ["nebulae"])
        let change = #expect(throws: CommandFailure.self) {
            try ControlCommand(
                program: "scontrol",
                arguments: ["-M", "nebulae", "hold", "21"],
                variable: none
            )
        }
        #expect(
            change?.lines == [
                "scontrol: error: -M is for what is shown; what is changed is named without it"
            ]
        )
        for name in ["a,b", "all", ","] {
            let failure = #expect(throws: CommandFailure.self) { try clusters(name) }
            #expect(
                failure?.lines == [
                    "scontrol: error: Only one cluster can be used at a time with scontrol"
                ]
            )
        }
    }

    @Test("Records say of which cluster they are")
    func records() throws {
        var (one, other) = (AccountingRecord(), AccountingRecord())
        let now = SimInstant(seconds: 1_800_000_000)
        (one.jobID, other.jobID, other.cluster) = (1, 2, "nebulae")
        (one.submit, other.submit) = (now, now)
        let command = try AccountingCommand(
            program: "sacct",
            arguments: ["-n", "-X", "-P", "-S", "2020-01-01", "-o", "JobID,Cluster"],
            variable: none,
            user: nil
        )
        let list = AccountingList(now: now, cluster: "tianjin", records: [one, other])
        #expect(try command.output(list).lines == ["1|tianjin", "2|nebulae"])
    }
}
