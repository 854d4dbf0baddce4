import Billing
import Catalog
import JobModel
import Quantities
import Testing

@Suite("Usage out of a real Slurm")
struct IngestTests {
    static let header =
        "JobID|JobIDRaw|User|Account|Partition|QOS|Submit|Start|End|Elapsed|NNodes|AllocCPUS"
        + "|AllocTRES|State\n"

    func read(_ rows: String, header: String = header) throws -> SacctUsages {
        try Array((header + rows).utf8).withUnsafeBytes { bytes in
            try SacctUsages(
                bytes,
                file: "x.txt",
                offsetSeconds: 28_800,
                platforms: ["TH_NET": "tianhe"]
            )
        }
    }

    func row(
        _ id: String,
        _ start: String = "2026-03-01T00:00:00",
        elapsed: String = "01:00:00",
        state: String = "COMPLETED",
        account: String = "bohai",
        cores: String = "12"
    ) -> String {
        "\(id)|\(id)|li|\(account)|TH_NET|normal|2026-03-01T00:00:00|\(start)|2026-03-01T09:00:00"
            + "|\(elapsed)|1|\(cores)|cpu=\(cores),gres/gpu=2,mem=4G,node=1|\(state)\n"
    }

    @Test("Jobs become runs with what they held; steps, waiting and running jobs do not")
    func jobs() throws {
        let text =
            row("7", state: "CANCELLED by 1000")
            + "7.batch|7.batch||bohai|||2026-03-01T00:00:00|2026-03-01T00:00:00|x|01:00:00|1|12||COMPLETED\n"
            .replacingX()
            + row("8", "Unknown", elapsed: "00:00:00", state: "CANCELLED")
            + row("9", state: "RUNNING")
        let ingested = try read(text)
        #expect(ingested.usages.count == 1)
        #expect((ingested.neverStarted, ingested.running) == (1, 1))
        let usage = try #require(ingested.usages.first)
        #expect(usage.id == JobID(7))
        #expect(usage.platform == "tianhe")
        #expect(usage.outcome == .ended(.cancelled))
        #expect((usage.coreCount, usage.cardCount, usage.nodeCount) == (12, 2, 1))
        #expect(usage.memory == ByteCount(mebibytes: 4_096))
        #expect(usage.startedAt == shanghai(2026, 3, 1))
        // Elapsed leaves out suspended time, End does not.
        #expect(usage.endedAt == shanghai(2026, 3, 1, 1))
    }

    @Test("Runs of a requeued job are numbered, and those that the system ended are free")
    func requeues() throws {
        let text =
            row("7", "2026-03-01T05:00:00", state: "TIMEOUT") + row("7", state: "REQUEUED")
            + row("7", "2026-03-01T03:00:00", state: "NODE_FAIL")
        var book = makeBook()
        for usage in try read(text).usages { _ = book.settle(usage) }
        let charges = book.ledger.entries.compactMap { entry -> String? in
            guard case .charge(let part) = entry.subject else { return nil }
            return "\(part.attempt) \(part.outcome.name) \(part.amount.count)"
        }
        // 12 cores × 1 h × 10 fen + 2 cards × 1 h × 30 fen.
        #expect(charges == ["0 REQUEUED 0", "1 NODE_FAIL 0", "2 TIMEOUT 180"])
    }

    @Test(
        "What cannot be billed refuses the export, by line and field",
        arguments: [
            ("EXPLODED", "bohai", "12", "x.txt:2: field State: 'EXPLODED' is unknown"),
            ("COMPLETED", "", "12", "x.txt:2: field Account: is missing"),
            ("COMPLETED", "bohai", "twelve", "x.txt:2: field column 12: 'twelve' is no number"),
            ("", "bohai", "12", "x.txt:2: field State: is missing"),
        ]
    )
    func refusals(state: String, account: String, cores: String, words: String) throws {
        let failure = #expect(throws: FileRefusal.self) {
            try read(row("7", state: state, account: account, cores: cores))
        }
        #expect(
            failure.map { "\($0)" }?.hasPrefix(words) == true,
            "\(failure.map { "\($0)" } ?? "")"
        )
    }

    private func held(_ tres: String) -> String {
        "7|7|li|bohai|TH_NET|normal|2026-03-01T00:00:00|2026-03-01T00:00:00|2026-03-01T01:00:00"
            + "|01:00:00|1|8|\(tres)|COMPLETED\n"
    }

    @Test(
        "Cards count whatever their type, and numbers are read in all forms that sacct writes",
        arguments: [
            ("cpu=8,gres/gpu:a100=4,node=1", 4), ("gres/gpu=4,gres/gpu:a100=4", 4),
            ("gres/gpu=4,gres/gpu:a100=2,gres/gpu:v100=2", 4),
            ("gres/gpu:a100=2,gres/gpu:v100=3", 5), ("gres/gpu=4,gres/gpu:a100=3", 4),
            ("gres/dcu=8,gres/npu:910b=2", 10), ("gres/gpu=1K,energy=12.5,billing=3", 1_024),
            ("gres/gpu=2.50K", 2_560), ("cpu=8,mem=1.50G", 0), ("", 0),
        ]
    )
    func cards(tres: String, count: Int64) throws {
        #expect(try read(held(tres)).usages.map(\.cardCount) == [count])
    }

    @Test(
        "A count that cannot be read, or that no machine has, is refused by line and field",
        arguments: [
            ("gres/gpu=-4", "x.txt:2: field column 13: 'gres/gpu=-4' is no count"),
            ("gres/gpu:a100=four", "'gres/gpu:a100=four' is no count"),
            ("gres/gpu=1.21K", "'gres/gpu=1.21K' is no count"),
            ("gres/gpu", "'gres/gpu' is no count"),
            ("gres/gpu=1,gres/gpu:a100=4", "more typed cards of gres/gpu than cards"),
            ("mem=4X", "'mem=4X' is no count"), ("node=,cpu=8", "'node=' is no count"),
            ("gres/gpu=1900000000000", "is no count of a resource"),
            ("gres/gpu=190000000", "x.txt:2: field AllocTRES: 190000000 is more than any machine"),
            ("mem=2048P", "'mem=2048P' is no count"),
        ]
    )
    func badCounts(tres: String, words: String) throws {
        let failure = #expect(throws: FileRefusal.self) { try read(held(tres)) }
        #expect(failure.map { "\($0)" }?.contains(words) == true, "\(String(describing: failure))")
    }

    @Test("A job cannot have run longer than from its start to its end")
    func elapsedBeyondSpan() throws {
        let failure = #expect(throws: FileRefusal.self) { try read(row("7", elapsed: "09:00:01")) }
        #expect(failure.map { "\($0)" }?.hasPrefix("x.txt:2: field Elapsed: ") == true)
        #expect(try read(row("7", elapsed: "09:00:00")).usages.count == 1)
    }

    @Test("Of cores, as of cards, a K is 1,024")
    func suffixes() throws {
        #expect(try read(row("7", cores: "1.50K")).usages.map(\.coreCount) == [1_536])
    }

    @Test("A run that is there twice, and a missing column, are refused")
    func doubles() throws {
        let twice = #expect(throws: FileRefusal.self) { try read(row("7") + row("8") + row("7")) }
        #expect(twice?.line == 4)
        let short = #expect(throws: FileRefusal.self) {
            try read("7|2026-03-01T00:00:00\n", header: "JobID|Submit\n")
        }
        #expect(short.map { "\($0)" }?.contains("Start") == true)
        #expect(throws: FileRefusal.self) { try read("") }
    }

    @Test("Accounts and storage files are refused with line and field")
    func files() throws {
        let accounts = try AccountsReader.accounts(
            text: "account,enterprise,class\r\na,\"e, 1\",Tech-SME;enterprise\r\n",
            file: "a.csv"
        )
        #expect(accounts[0].enterprise == "e, 1")
        #expect(accounts[0].classes == ["tech_sme", "enterprise"])
        func refusal(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return "taken"
        }
        let double = refusal {
            _ = try AccountsReader.accounts(
                text: "account,enterprise,class\na,e,maker\na,e,maker\n",
                file: "a.csv"
            )
        }
        #expect(double.hasPrefix("a.csv:3: field account"), "\(double)")
        for (row, field) in [
            ("2026-02-30,a,5", "date"), ("2026-02-03,,5", "account"), ("2026-02-03,a,-5", "bytes"),
            ("2026-02-03,a,1000000000000000001", "bytes"),
        ] {
            let words = refusal {
                _ = try StorageReader.usages(text: "date,account,bytes\n\(row)\n", file: "s.csv")
            }
            #expect(words.hasPrefix("s.csv:2: field \(field)"), "\(words)")
        }
    }

    @Test("Every shipped tariff is read, and the one with everything has everything")
    func shippedTariffs() throws {
        for name in TariffCatalog.tariffNames {
            let text = try #require(TariffCatalog.tariffText(named: name))
            #expect(try TariffReader.tariff(text: text, file: name).id == name)
        }
        let text = try #require(TariffCatalog.tariffText(named: "tianjin-tiered"))
        let tariff = try TariffReader.tariff(text: text, file: "tianjin-tiered")
        #expect(tariff.lines[0].tiers.count == 3)
        #expect(tariff.storage.count == 1)
        #expect(tariff.vat(in: Fen(10_600)) == Fen(600))
        #expect(tariff.qosFactors["urgent"] == Factor(thousandths: 2_000))
    }
}

extension String {
    /// A step row as `sacct` prints it, with a plausible end.
    fileprivate func replacingX() -> String {
        split(separator: "|", omittingEmptySubsequences: false)
            .map { $0 == "x" ? "2026-03-01T01:00:00" : String($0) }.joined(separator: "|")
    }
}
