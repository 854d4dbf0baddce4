import Foundation
import Testing

/// `xinghe ingest`, `forecast`, `subsidy` and `calibrate` as their users run them.
@Suite("xinghe, tools for money")
struct MoneyProgramTests {
    private static let header =
        "JobID|JobIDRaw|User|Account|Partition|QOS|Submit|Start|End|Elapsed|NNodes|AllocCPUS|State"

    /// Two jobs of 8 cores, an hour each, the first with four cards.
    private static func export(withCards: Bool) -> String {
        let times = "2026-03-01T00:00:00|2026-03-01T00:00:00|2026-03-01T01:00:00|01:00:00"
        let rows = [("1", "a", "|gres/gpu=4"), ("2", "b", "|cpu=8")].map { id, account, tres in
            "\(id)|\(id)|u|\(account)|gpu|normal|\(times)|1|8|COMPLETED" + (withCards ? tres : "")
        }
        return ([header + (withCards ? "|AllocTRES" : "")] + rows).joined(separator: "\n") + "\n"
    }

    private static let tariff = """
        tariff: t
        title: Two prices
        lines:
          - {partition: gpu, resource: core-hour, price: 0.10 CNY}
          - {partition: gpu, resource: card-hour, price: 3 CNY}

        """

    private func ingest(_ arguments: [String], withCards: Bool = true) throws -> Run {
        let folder = try Folder()
        let export = try folder.write("sacct.txt", Self.export(withCards: withCards))
        let tariff = try folder.write("tariff.yaml", Self.tariff)
        return try xinghe(["ingest", export, "--tariff", tariff] + arguments)
    }

    @Test("The list of accounts has JSON and CSV as well as a table")
    func forms() throws {
        let json = try ingest(["--format", "json"])
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8))
        let bills = try #require(object as? [[String: Any]])
        #expect(bills.compactMap { $0["account"] as? String } == ["a", "b"])
        #expect(bills.compactMap { $0["gross_fen"] as? Int } == [1_280, 80])
        let csv = try ingest(["--format", "csv"]).output.split(separator: "\n")
        #expect(csv.filter { $0.hasPrefix("account,period,") }.count == 1)
        #expect(csv.contains("a,all,gross,,,1,28800,14400,3600,,,,1280,12.80,72"))
        #expect(csv.contains { $0.hasPrefix("b,all,gross,") })
        #expect(try ingest([]).output.contains("2 runs billed; 0 jobs never started"))
    }

    @Test("All statements of a period go into a folder, with a line for each in its summary")
    func statementsOfAll() throws {
        let folder = try Folder()
        let path = folder.path("statements")
        let run = try ingest(["--statements", path, "--format", "html", "--period", "2026"])
        #expect(run.output == "2 statements in \(path)\n", "\(run.errors)")
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        #expect(names == ["2026-03-a.html", "2026-03-b.html", "summary.csv"])
        let summary = try String(contentsOfFile: path + "/summary.csv", encoding: .utf8)
        let rows = summary.split(separator: "\n").dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows.map { $0[5] } == ["1280", "80"])
        #expect(rows.map { $0[13] } == ["1280", "80"])
        #expect(rows.map { $0[14] } == ["2026-03-a.html", "2026-03-b.html"])
        let page = try String(contentsOfFile: path + "/2026-03-a.html", encoding: .utf8)
        #expect(page.contains("12.80"))
        #expect(try folder.names() == ["statements"])
    }

    @Test("A column that the export lacks is named, with what is not charged for it")
    func missingColumn() throws {
        let run = try ingest([], withCards: false)
        #expect(run.status == 0)
        #expect(run.errors.contains("has no column AllocTRES; not charged: cards"))
        #expect(run.output.contains("1.60"))
        #expect(try ingest([]).errors.isEmpty)
    }

    /// An export of one job of 8 cores for an hour.
    private func ingestOne(
        _ tariff: String,
        qos: String = "normal",
        tres: String = "cpu=8",
        state: String = "COMPLETED"
    ) throws -> Run {
        let folder = try Folder()
        let row = "1|1|u|a|gpu|\(qos)|2026-03-01T00:00:00|2026-03-01T00:00:00|2026-03-01T01:00:00"
        let export = try folder.write(
            "sacct.txt",
            Self.header + "|AllocTRES\n" + row + "|01:00:00|1|8|\(state)|\(tres)\n"
        )
        let books = folder.path("books.txt")
        let file = try folder.write("tariff.yaml", "tariff: t\n" + tariff)
        let run = try xinghe(["ingest", export, "--tariff", file, "--books", books])
        #expect(FileManager.default.fileExists(atPath: books) == (run.status == 0))
        return run
    }

    @Test("A quality of service that the tariff does not list is refused, and nothing is written")
    func unknownQOS() throws {
        let tariff = "qos: {low: 0.5}\nlines: [{resource: core-hour, price: 0.10 CNY}]\n"
        let run = try ingestOne(tariff, qos: "platinum")
        #expect(run.status == 1 && run.output.isEmpty)
        #expect(
            run.errors.contains(
                "sacct.txt:2: field QOS: tariff 't' does not list platinum; it knows normal, low"
            ),
            "\(run.errors)"
        )
        #expect(try ingestOne(tariff, qos: "low").output.contains("0.40"))
    }

    @Test("Where nothing can be charged the program says why and fails")
    func nothingCharged() throws {
        let elsewhere = "lines: [{platform: tianhe, resource: core-hour, price: 0.10 CNY}]\n"
        let run = try ingestOne(elsewhere)
        #expect(run.status == 1 && run.output.isEmpty)
        #expect(run.errors.contains("no price in the partitions gpu"), "\(run.errors)")
        #expect(run.errors.contains("its lines are for platform 'tianhe'"))
        let anywhere = "lines: [{resource: core-hour, price: 0.10 CNY}]\n"
        #expect(try ingestOne(anywhere, state: "NODE_FAIL").errors.contains("all 1 run are free"))
        #expect(try ingestOne(anywhere, state: "RUNNING").errors.contains("1 not ended"))
    }

    @Test("Cards without a price and resources that nobody charges are named")
    func uncharged() throws {
        let run = try ingestOne(
            "lines: [{resource: core-hour, price: 0.10 CNY}]\n",
            tres: "gres/gpu:a100=4,gres/shard=2"
        )
        #expect(run.status == 0)
        #expect(run.errors.contains("no price of a card, so no cards charged, in gpu"))
        #expect(run.errors.contains("nobody charges gres/shard"))
    }

    @Test("A run that costs more than can be booked is refused by its line")
    func tooDear() throws {
        let run = try ingestOne(
            "qos: {high: 1000}\nlines: [{resource: card-hour, price: 1000000 CNY}]\n",
            qos: "high",
            tres: "gres/gpu=99000000"
        )
        #expect(run.status == 1)
        #expect(run.errors.contains("sacct.txt:2: the run costs more than 10,000,000,000,000.00"))
    }

    @Test("A partition that the export does not have is named")
    func strangePartition() throws {
        let run = try ingest(["--platform", "FOO=tianhe"])
        #expect(run.errors.contains("--platform FOO=tianhe: no run in partition 'FOO'"))
    }

    @Test(
        "Options that do not go together are refused",
        arguments: [
            (["--account", "a", "--enterprise", "e"], "give one of --account and --enterprise"),
            (["--books", "/dev/null", "--check", "/dev/null"], "leave --books out"),
            (["--format", "html"], "add --account or --enterprise"),
            (["--account", "z"], "account 'z' is not known; accounts: a, b"),
            (["--enterprise", "z"], "enterprise 'z' is not known; enterprises:"),
            (["--accounts", "/nonexistent.csv"], "/nonexistent.csv: open: No such file"),
            (["--accounts", "/"], "/: is a folder"),
            (["--rule", "yangzhou-2024"], "--rate yangzhou-2024=PPM"),
            (["--rule", "yangzhou-2024"], "xinghe subsidy show yangzhou-2024 --yaml > FILE"),
        ]
    )
    func refusals(arguments: [String], message: String) throws {
        let run = try ingest(arguments)
        #expect(run.status != 0)
        #expect(run.errors.contains(message), "\(run.errors)")
        #expect(run.output.isEmpty)
    }

    @Test("A tariff that is neither shipped nor a file is refused with those that are shipped")
    func strangeTariff() throws {
        let folder = try Folder()
        let export = try folder.write("sacct.txt", Self.export(withCards: true))
        let run = try xinghe(["ingest", export, "--tariff", "nosuch"])
        #expect(run.status == 1)
        #expect(run.errors.contains("shipped are tianjin-prices, tianjin-tiered"))
    }

    // MARK: Forecast

    private static let log = """
        ; UnixStartTime: 1767196800
        ; MaxProcs: 1000
        1 0 -1 3600 100 -1 -1 100 7200 -1 1 1 1 -1 -1 -1 -1 -1
        2 60 -1 3600 10 -1 -1 10 7200 -1 1 2 1 -1 -1 -1 -1 -1
        3 70 -1 x 10 -1 -1 10 7200 -1 1 1 1 -1 -1 -1 -1 -1

        """
    private static let tenants = """
        user,account,enterprise,class,platform
        1,a,e,enterprise,tianhe
        2,b,f,enterprise,mars

        """

    private func forecast(_ arguments: [String], log: String = log) throws -> Run {
        let folder = try Folder()
        let trace = try folder.write("log.swf", log)
        let tenants = try folder.write("tenants.csv", Self.tenants)
        return try xinghe(["forecast", "--trace", trace, "--tenants", tenants] + arguments)
    }

    @Test("Rows that were left out and platforms without a price are named")
    func forecastSaysWhatItLeftOut() throws {
        let run = try forecast([])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("left out: 1 row, malformed"), "\(run.output)")
        #expect(run.output.contains("line 5, field 4"))
        #expect(run.output.contains("no price on mars: jobs there cost 0"))
        let json = try forecast(["--json"]).output
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8))
        let report = try #require(object as? [String: Any])
        #expect(report["platforms_without_price"] as? [String] == ["mars"])
        let reading = try #require(report["log"] as? [String: Any])
        #expect((reading["dropped"] as? [String: Any])?["malformed"] as? Int == 1)
    }

    @Test("With elasticity the months have the fees that a rule brings about")
    func elasticity() throws {
        // 100 core-hours at 0.10 CNY; half of it is granted, and brings as much again.
        let run = try forecast(["--elasticity", "1"])
        let total = try #require(run.output.split(separator: "\n").first { $0.hasPrefix("Total") })
        let cells = total.split(separator: " ").map { String($0) }
        #expect(cells == ["Total", "10.00", "15.00", "7.50"], "\(run.output)")
    }

    @Test("The page says that its outlay adds up, in yuan, and no two rules look alike")
    func page() throws {
        let folder = try Folder()
        let page = folder.path("page.html")
        let rules = (0..<8).flatMap { _ in ["--rule", "teda-machine-hour"] }
        let run = try forecast(rules + ["--html", page])
        #expect(run.status == 0, "\(run.errors)")
        let html = try String(contentsOfFile: page, encoding: .utf8)
        #expect(html.contains("cumulative outlay (CNY)"))
        #expect(html.contains(">2026-01</text>"))
        // Nobody grants more than 5 CNY, so the axis ends there, in whole yuan.
        #expect(html.contains(">5</text>") && !html.contains(">6</text>"))
        // Each rule has a line in the plot and one in the legend: eight looks, each twice.
        let lines = html.split(separator: "<").filter {
            $0.hasPrefix("path") && $0.contains("stroke-width=\"1.7\"")
        }
        let looks = lines.map { line in
            line.split(separator: " ").filter {
                $0.hasPrefix("stroke=") || $0.hasPrefix("stroke-d")
            }
            .joined()
        }
        #expect(
            Dictionary(grouping: looks, by: \.self).mapValues(\.count).values.sorted() == [
                2, 2, 2, 2, 2, 2, 2, 2,
            ]
        )
        let early = try forecast(["--html", "/nonexistent/page.html"], log: "no log at all")
        #expect(early.errors.contains("/nonexistent/page.html: cannot be written: No such file"))
    }

    @Test("Page and tables are in the language that was asked for")
    func languages() throws {
        let folder = try Folder()
        let page = folder.path("page.html")
        let run = try forecast(["--lang", "zh", "--what-if", "usual", "--html", page])
        #expect(run.output.contains("费用（元）") && !run.output.contains("Fees"))
        let html = try String(contentsOfFile: page, encoding: .utf8)
        #expect(html.contains("lang=\"zh-CN\"") && html.contains("累计支出（元）"))
        #expect(html.contains("参数变化的影响"))
        #expect(try forecast(["--lang", "both"]).output.contains("费用（元） Fees (CNY)"))
    }

    @Test("What a change of rate, cap or pool would do stands beside the rule as it is")
    func whatIf() throws {
        let changes = ["rate=400000", "cap=1.50", "cap=none", "pool=1"].flatMap {
            ["--what-if", $0]
        }
        let run = try forecast(changes + ["--json"])
        #expect(run.status == 0, "\(run.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        let report = try #require(object as? [String: Any])
        let variants = try #require(report["variants"] as? [[String: Any]])
        // 10 CNY of fees; the rule has no pool, so nothing can change there.
        #expect(variants.compactMap { $0["granted_fen"] as? Int } == [400, 150, 500])
        for bad in ["rate=1000001", "cap=x", "magic", "pool"] {
            let refused = try forecast(["--what-if", bad])
            #expect(refused.status == 64 && refused.errors.contains("--what-if"), "\(bad)")
        }
    }

    @Test("An export of sacct is forecast as it ran, with tenants by name or by account")
    func forecastOfSacct() throws {
        func run(_ tenants: String) throws -> Run {
            let folder = try Folder()
            let trace = try folder.write("sacct.txt", Self.export(withCards: true))
            let head = "user,account,enterprise,class,platform\n"
            let file = try folder.write("tenants.csv", head + tenants)
            let tariff = try folder.write("tariff.yaml", Self.tariff)
            return try xinghe([
                "forecast", "--trace", trace, "--tenants", file, "--tariff", tariff, "--json",
            ])
        }
        // 8 cores and 4 cards for an hour, and 8 cores for an hour.
        for (tenants, fee, strangers) in [
            ("u,mine,e,enterprise,tianhe\n", 1_360, 0), ("*,a,e,enterprise,tianhe\n", 1_280, 1),
        ] {
            let output = try run(tenants).output
            let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
            let report = try #require(object as? [String: Any])
            #expect(report["fee_fen"] as? Int == fee, "\(output)")
            #expect(report["jobs_without_tenant"] as? Int == strangers)
        }
        let nobody = try run("v,a,e,enterprise,tianhe\n")
        #expect(nobody.status == 1)
        #expect(nobody.errors.contains("nothing to forecast: 0 jobs priced, 2 of users without"))
    }

    @Test("A rate that no paper gives is set by hand, as in 'subsidy evaluate'")
    func rate() throws {
        let run = try forecast(["--rule", "yangzhou-2024", "--rate", "yangzhou-2024=500000"])
        #expect(run.status == 0, "\(run.errors)")
        #expect(try forecast(["--rule", "yangzhou-2024"]).status == 1)
    }

    // MARK: Others

    @Test("A kernel that says much on standard error is not waited for")
    func talkativeKernel() throws {
        let folder = try Folder()
        let script =
            "#!/bin/sh\nhead -c 200000 /dev/zero | tr '\\0' x >&2\necho the end >&2\nexit 3\n"
        let kernel = try folder.write("kernel.sh", script)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: kernel)
        let run = try xinghe(["calibrate", "--quick", "--kernel-program", kernel])
        #expect(run.status == 1)
        #expect(run.errors.contains("failed (exit status"))
    }

    @Test("A prediction that has no meaning is refused, and single precision is named")
    func predict() throws {
        let alone = try xinghe(["predict", "comm", "--machine", "tianhe-1a"])
        #expect(alone.status == 1)
        #expect(alone.errors.contains("it needs --nodes 2"))
        let single = try xinghe(["predict", "infer", "--machine", "tianhe-1a"])
        #expect(single.output.contains("of the double precision peak"))
        let edges = try xinghe(["predict", "graph", "--machine", "tianhe-1a"])
        #expect(edges.output.contains("edge/s") && !edges.output.contains("flop/s"))
        // A profile helps with the host, and only with it.
        let host = try xinghe(["predict", "gemm", "--machine", "host"])
        #expect(host.status == 1 && host.errors.contains("--profile FILE"))
        let cards = try xinghe(["predict", "gemm", "--machine", "tianjin/ai8"])
        #expect(cards.output.contains("the peak of its cards is not known, they are left out"))
        // A device that never ends, named instead of a profile.
        let endless = try xinghe(["predict", "gemm", "--machine", "host", "--profile", "/dev/zero"])
        #expect(endless.status == 1)
        #expect(endless.errors.contains("/dev/zero: has more than 4194304 bytes"))
    }

    @Test("The program tells its version")
    func version() throws {
        let run = try xinghe(["--version"])
        #expect(run.status == 0)
        #expect(run.output.split(separator: ".").count == 3)
    }

    @Test("Held time that fills most of an integer is printed, not trapped on")
    func largestHolding() throws {
        let folder = try Folder()
        let head =
            "JobID|JobIDRaw|User|Account|Partition|QOS|Submit|Start|End|Elapsed|NNodes|AllocCPUS|"
            + "AllocTRES|State\n"
        let row =
            "1|1|u|a|p|normal|2020-03-01T00:00:00|2020-03-01T00:00:00|2023-06-14T00:00:00|"
            + "1200-00:00:00|1|100000000|cpu=100000000,node=1|COMPLETED\n"
        let export = try folder.write("sacct.txt", head + row)
        for holder in [[], ["-A", "a"]] {
            let run = try xinghe(
                ["ingest", export, "--tariff", "tianjin-prices", "--platform", "p=tianhe"] + holder
            )
            #expect(run.status == 0, "\(run.errors)")
        }
    }

    @Test("A pack is computed by the rules that it names, not by those of its neighbours")
    func packsHaveTheirOwnRules() throws {
        let folder = try Folder()
        let head =
            "claim_id,date,enterprise,class,platform,resource,fee_fen,granted,rules\n"
        let one = try folder.write(
            "one.csv",
            head + "a,2026-01-05,e,enterprise,tianhe,core-hour,1000,teda-machine-hour=500,"
                + "teda-machine-hour@2026\n"
        )
        let two = try folder.write(
            "two.csv",
            head + "b,2026-01-05,f,enterprise,tianhe,core-hour,1000,,beijing-2023@2023\n"
        )
        let run = try xinghe(["subsidy", "check", one, two])
        #expect(!run.errors.contains("two.csv: claim b"), "\(run.errors)")
    }
}
