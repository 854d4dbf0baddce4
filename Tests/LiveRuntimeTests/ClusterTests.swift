import Billing
import Catalog
import ClusterModel
import Quantities
import SlurmDialect
import Testing
import WireFormats

@testable import LiveRuntime

/// Clusters under the same accounts, chosen as with `-M`.
@Suite("Clusters of a centre")
struct ClusterTests {
    private let folder: ScratchFolder
    private let settings: CentreSettings

    init() throws {
        folder = try ScratchFolder()
        var machine = SmallCentre.machine
        machine.clusters = [
            Cluster(name: "fat", title: "Fat nodes", partitions: [1], defaultPartitionIndex: 1)
        ]
        settings = SmallCentre.settings(folder.path, machine: machine)
    }

    private func request(_ change: (inout SubmitRequest) -> Void = { _ in }) -> SubmitRequest {
        SmallCentre.request {
            $0.comment = "runtime=60"
            change(&$0)
        }
    }

    private func listed(_ clusters: [String]?, _ centre: Centre) async throws -> [UInt32] {
        var query = JobQuery.all
        query.clusters = clusters
        return try await centre.jobs(query, .me).jobs.map(\.jobID)
    }

    private func refusal(
        of request: SubmitRequest,
        _ centre: Centre
    ) async throws -> ErrorBody {
        try await #require(throws: RequestFailure.self) {
            _ = try await centre.submit(request, .me)
        }.body
    }

    @Test("A job goes where its cluster, or the partition that it names, is")
    func submission() async throws {
        let centre = try Centre(settings)
        let own = try await centre.submit(request(), .me)
        #expect(own.cluster == "small" && own.warnings.isEmpty)
        let fat = try await centre.submit(request { $0.clusters = ["fat"] }, .me)
        #expect(fat.cluster == "fat" && fat.warnings.isEmpty)
        #expect(try await centre.info(fat.jobID).partition == "shared")
        // Slurm would not know the partition.
        let named = try await centre.submit(request { $0.partitions = ["shared"] }, .me)
        #expect(named.cluster == "fat" && named.warnings.count == 1)
        #expect(try await listed(nil, centre) == [own.jobID, fat.jobID, named.jobID])
        #expect(try await listed(["own"], centre) == [own.jobID])
        #expect(try await listed(["fat"], centre) == [fat.jobID, named.jobID])
        #expect(try await listed(["all"], centre).count == 3)
        let records = try await centre.accounting(ids: nil).records
        #expect(records.map(\.cluster) == ["small", "fat", "fat"])
        #expect(
            try await centre.nodes(of: ["fat"], .me).nodes.map(\.name) == (0..<4).map { "fat\($0)" }
        )
        let partitions = try await centre.partitions(of: ["fat"])
        #expect(partitions.cluster == "fat")
        #expect(partitions.partitions.map(\.name) == ["shared"])
        #expect(partitions.partitions[0].isDefault)
        await centre.close()
        // What was journalled decides the same.
        let again = try Centre(settings)
        #expect(try await listed(["fat"], again) == [fat.jobID, named.jobID])
        await again.close()
    }

    @Test("No cluster at all is asked of nobody, and refused in words that say so")
    func none() async throws {
        let centre = try Centre(settings)
        let error = RequestFailure.refused(
            .invalidCluster,
            "no cluster is named; leave it out for the centre's own, or say 'all'"
        )
        for names in [[], [""]] {
            await #expect(throws: error) { _ = try await listed(names, centre) }
            await #expect(throws: error) {
                _ = try await centre.submit(request { $0.clusters = names }, .me)
            }
        }
        await centre.close()
    }

    @Test(
        "Of several clusters the one is chosen in which it starts first; of equals the first named"
    )
    func choice() async throws {
        let centre = try Centre(settings)
        func cluster(_ names: [String], nodes: Int32 = 1) async throws -> String {
            let asked = request {
                $0.clusters = names
                $0.minimumNodes = nodes
            }
            return try await centre.submit(asked, .me).cluster
        }
        #expect(try await cluster(["fat", "small"]) == "fat")
        #expect(try await cluster(["small", "fat"]) == "small")
        // The fat cluster has four nodes only.
        #expect(try await cluster(["fat", "small"], nodes: 14) == "small")
        // Now the small one is full until these end.
        #expect(try await cluster(["all"], nodes: 4) == "fat")
        var estimate = request {
            $0.clusters = ["all"]
            $0.minimumNodes = 2
        }
        estimate.isTestOnly = true
        #expect(try await centre.submit(estimate, .me).estimate?.partition == "shared")
        await centre.close()
    }

    @Test("What is of no cluster, or of two, is refused")
    func refusals() async throws {
        let centre = try Centre(settings)
        let unknown = try await refusal(of: request { $0.clusters = ["thin"] }, centre)
        #expect(unknown.code == "invalid_cluster")
        #expect(unknown.details == ["No cluster 'thin' known by database."])
        let elsewhere = request {
            $0.clusters = ["own"]
            $0.partitions = ["shared"]
        }
        #expect(
            try await refusal(of: elsewhere, centre).details == [
                "partition shared is of cluster fat, not small"
            ]
        )
        let both = request { $0.partitions = ["batch", "shared"] }
        #expect(
            try await refusal(of: both, centre).details == [
                "partitions of several clusters cannot be mixed"
            ]
        )
        var het = request()
        het.components = [request { $0.partitions = ["shared"] }]
        #expect(
            try await refusal(of: het, centre).details == [
                "components of several clusters cannot be mixed"
            ]
        )
        let many = await centre.submit([request { $0.clusters = ["all"] }], .me)
        #expect(throws: RequestFailure.self) { try many[0].get() }
        await #expect(throws: RequestFailure.self) { try await listed(["thin"], centre) }
        #expect(try await centre.jobs(.all).jobs.isEmpty)
        await centre.close()
    }

    @Test("Cancelling all of a user's jobs of a cluster leaves the others'")
    func cancellation() async throws {
        let centre = try Centre(settings)
        let own = try await centre.submit(request())
        let fat = try await centre.submit(request { $0.clusters = ["fat"] })
        var cancel = CancelRequest()
        cancel.user = "\(Caller.me.userID)"
        cancel.clusters = ["fat"]
        #expect(try await centre.cancel(cancel, .me).outcomes.map(\.jobID) == [fat])
        #expect(try await centre.info(own).state == "RUNNING")
        await centre.close()
    }

    @Test("A chain leads over clusters, under one account")
    func chain() async throws {
        let centre = try Centre(settings)
        let first = try await centre.submit(request())
        let second = try await centre.submit(
            request {
                $0.clusters = ["fat"]
                $0.dependencies = [DependencyRequest(kind: "afterok", jobID: first)]
            }
        )
        #expect(try await centre.info(second).state == "PENDING")
        try await centre.advance(seconds: 61)
        #expect(try await centre.info(second).state == "RUNNING")
        try await centre.advance(seconds: 61)
        let records = try await centre.accounting(ids: [first, second]).records
        #expect(Set(records.map(\.account)).count == 1)
        #expect(records.map(\.state) == ["COMPLETED", "COMPLETED"])
        await centre.close()
    }

    @Test("A chain over computers, cards, data and the second cluster comes as one statement")
    func pools() async throws {
        let host = HostDescription(
            name: "here",
            processorModel: "any",
            cores: 4,
            memory: ByteCount(mebibytes: 8_192)
        )
        let machine = try MachineLibrary(host: host).machine(named: "tianjin")
        let centre = try Centre(SmallCentre.settings(folder.path + "/tianjin", machine: machine))
        var before: UInt32?
        func submit(_ change: (inout SubmitRequest) -> Void) async throws {
            let asked = request {
                $0.account = "haihe-ai"
                $0.comment = "runtime=3600"
                $0.dependencies =
                    before.map { [DependencyRequest(kind: "afterok", jobID: $0)] } ?? []
                change(&$0)
            }
            before = try await centre.submit(asked)
        }
        try await submit { $0.partitions = ["data"] }
        try await submit { $0.minimumNodes = 2 }
        try await submit {
            $0.partitions = ["ai"]
            $0.accelerators = 8
        }
        try await submit { $0.clusters = ["nebulae"] }
        try await centre.advance(seconds: 5 * 3_600)
        var money = MoneyRequest()
        money.action = "storage"
        var kept = StorageRecord()
        (kept.account, kept.platform, kept.bytes) = ("haihe-ai", "tianjin-data", 4_000_000_000_000)
        kept.day = "2026-11-20"
        money.storage = [kept]
        _ = try await centre.change(money, .me)
        let book = await centre.books().book
        let now = await centre.status().now
        let statement = try #require(book.statement(of: .account("haihe-ai"), asOf: now))
        let fees = statement.byPlatform.map { "\($0.name) \($0.usage.fee.count)" }.sorted()
        // For an hour: 12 cores and a card; 24 cores and 2 cards; 8 cards; a core. For a day: 4 TB, 200 fen.
        #expect(fees == ["nebulae 174", "tianhe 300", "tianjin-ai 4800", "tianjin-data 205"])
        #expect(statement.storage?.fee == Fen(200))
        // What nobody has set a price for is not given away.
        for (platform, problem) in [
            ("tianhe", "platform 'tianhe' has no price for storage on 2026-11-20"),
            ("tianjin-dat", "'tianjin-dat' is not known (did you mean 'tianjin-data'"),
        ] {
            money.storage[0].platform = platform
            money.storage[0].line = 7
            let failure = await #expect(throws: RequestFailure.self) {
                try await centre.change(money, .me)
            }
            let text = failure?.body.text ?? ""
            #expect(text.contains("storage, line 7: ") && text.contains(problem), "\(text)")
        }
        #expect(await centre.books().book.ledger.entries.count == book.ledger.entries.count)
        await centre.close()
    }

    @Test("Words that stand for clusters are taken")
    func words() {
        #expect(Cluster.wordsTaken == [ClusterWord.own, ClusterWord.all])
    }
}
