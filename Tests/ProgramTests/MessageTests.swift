import Foundation
import Testing

/// What programs say to somebody who mistyped.
@Suite("Messages")
struct MessageTests {
    @Test(
        "A name that is not known comes with those that may be meant",
        arguments: [
            (["replai", "x"], "there is no 'xinghe replai' (did you mean 'replay' or 'repair'?)"),
            (
                ["subsidy", "evalute"],
                "there is no 'xinghe subsidy evalute' (did you mean 'evaluate'?)"
            ),
            (
                ["replay", "-", "--polcy=easy"],
                "there is no option '--polcy' (did you mean '--policy'?)"
            ),
            (["bill", "--acount", "x"], "there is no option '--acount' (did you mean '--account'"),
            (["rehearse", "--machin=x", "a.sh"], "(did you mean '--machine'?)"),
            (["rehearse", "--patrition=x", "a.sh"], "(did you mean '--partition'?)"),
            (["quote", "--jsn", "a.sh"], "(did you mean '--json'?)"),
            (["replay", "-", "--policy=eazy"], "'eazy' is not known (did you mean 'easy'?)"),
            (["up", "--policy=eazy"], "'eazy' is not known (did you mean 'easy'?)"),
            (["up", "--time=3600"], "(did you mean 'x3600'?)"),
            (["predict", "cgg"], "no kernel is called 'cgg' (did you mean 'cg'?)"),
            (["topology", "tianhe1a"], "(did you mean 'tianhe-1a'"),
            (["subsidy", "show", "teda"], "(did you mean 'teda-machine-hour'?)"),
            (
                ["ingest", "-", "--tariff=tianjin-teired"],
                "shipped (did you mean 'tianjin-tiered'"
            ),
        ]
    )
    func didYouMean(words: [String], hint: String) throws {
        let run = try xinghe(words)
        #expect(run.status != 0)
        #expect(run.errors.contains(hint), "\(run.errors)")
    }

    @Test("Slurm's commands under Tianhe's names help too")
    func slurmCommands() throws {
        let command = try xinghe(["queu"], program: "yh")
        #expect(
            command.errors.hasPrefix(
                "yh: error: there is no command 'queu' (did you mean 'queue'"
            )
        )
        let option = try xinghe(["queue", "--partitoin=x"], program: "yh")
        #expect(
            option.errors.hasPrefix(
                "yhqueue: unrecognized option '--partitoin' (did you mean '--partition'?)"
            )
        )
        let keyword = try xinghe(["control", "shw", "job"], program: "yh")
        #expect(keyword.errors == "invalid keyword: shw (did you mean 'show'?)\n")
        #expect(try xinghe(["scontrol", "shw"], program: "yh").errors == "invalid keyword: shw\n")
        let named = try xinghe(["control", "listpids", "x"], program: "yh")
        #expect(named.errors.hasPrefix("yhcontrol: error: "), "\(named.errors)")
        let slurm = try xinghe(["squeue", "--partitoin=x"], program: "yh")
        #expect(slurm.errors.hasPrefix("squeue: unrecognized option '--partitoin'\n"))
        let folder = try xinghe(["batch", "/tmp"], program: "yh")
        #expect(folder.errors == "yhbatch: error: Unable to open file /tmp: is a folder\n")
    }

    @Test("The usage that is shown is that of the command that was called")
    func usage() throws {
        let run = try xinghe(["replay", "-", "--policy=eazy"])
        #expect(run.errors.contains("Usage: xinghe replay "))
        #expect(run.status == 64)
        let inner = try xinghe(["account", "limt", "x"])
        #expect(inner.errors.contains("Usage: xinghe account <subcommand>"), "\(inner.errors)")
        #expect(inner.status == 64)
    }

    @Test("Tables from a spreadsheet in Chinese are named for what they are")
    func tables() throws {
        let folder = try Folder()
        let semicolons = try folder.write("semi.csv", "claim_id;date;enterprise\n1;2026-01-01;a\n")
        let run = try xinghe(["subsidy", "evaluate", "--claims", semicolons])
        #expect(run.errors.contains("semi.csv:1: cells are separated by semicolons"))
        let gbk = folder.path("gbk.csv")
        // 企业 in GBK.
        try Data([0xC6, 0xF3, 0xD2, 0xB5, 0x0A]).write(to: URL(fileURLWithPath: gbk))
        let other = try xinghe(["subsidy", "evaluate", "--claims", gbk])
        #expect(other.errors.contains("gbk.csv: is not UTF-8 text; if it is in GBK"))
        let wide = folder.path("wide.csv")
        try Data([0xFF, 0xFE, 0x63, 0x00]).write(to: URL(fileURLWithPath: wide))
        let third = try xinghe(["subsidy", "evaluate", "--claims", wide])
        #expect(third.errors.contains("wide.csv: is not UTF-8 text; it is UTF-16: iconv -f UTF-16"))
        #expect(other.status == 1)
    }

    @Test("'-' is standard output wherever a file is written")
    func dash() throws {
        let log = "; MaxProcs: 4\n1 0 -1 100 2 -1 -1 2 200 -1 1 1 1 -1 -1 -1 -1 -1\n"
        let run = try xinghe(["replay", "-", "--jobs-csv", "-"], input: log)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("job_id,workload_name"))
        let drawing = try xinghe(["topology", "tianhe-1a", "--output", "-", "--format", "svg"])
        #expect(drawing.output.hasPrefix("<svg") || drawing.output.hasPrefix("<?xml"))
        #expect(!FileManager.default.fileExists(atPath: "-"))
    }
}
