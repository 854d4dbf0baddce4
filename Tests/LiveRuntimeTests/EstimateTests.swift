import ClusterModel
import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("When a job would start, and what it would cost")
struct EstimateTests {
    /// The estimate in a centre whose nodes are all held for an hour by the first job.
    private func estimate(
        _ change: (inout SubmitRequest) -> Void
    ) async throws -> StartEstimate {
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path))
        _ = try await centre.submit(
            SmallCentre.request {
                $0.minimumNodes = 16
                $0.timeLimit = SimDuration(seconds: 3_600)
            }
        )
        var request = SmallCentre.request {
            $0.minimumNodes = 2
            $0.timeLimit = SimDuration(seconds: 3_600)
        }
        change(&request)
        request.isTestOnly = true
        let response = try await centre.submit(request, .me)
        #expect(await centre.status().nextJobID == 2, "the question was taken for a job")
        await centre.close()
        return try #require(response.estimate)
    }

    @Test(
        "It starts when nodes are free, and not before its begin time",
        arguments: [(0, 3_600), (1_800, 3_600), (7_200, 7_200)] as [(Int64, Int64)]
    )
    func begin(after: Int64, start: Int64) async throws {
        let estimate = try await estimate { request in
            if after > 0 { request.begin = SmallCentre.start + SimDuration(seconds: after) }
        }
        let found = try #require(estimate.start) - SmallCentre.start
        #expect(found.seconds == start)
        // 2 nodes × 12 cores × 1 h × 0.10 CNY.
        #expect(estimate.price?.gross == 240)
    }

    @Test(
        "What would not start as things are has its reason, and a price all the same",
        arguments: [
            ("dependency", "Dependency", 240), ("hold", "JobHeldUser", 240),
            ("size", "PartitionNodeLimit", 2_040),
        ] as [(String, String, Int64)]
    )
    func reasons(what: String, reason: String, gross: Int64) async throws {
        let estimate = try await estimate { request in
            switch what {
            case "dependency":
                request.dependencies = [DependencyRequest(kind: "afterok", jobID: 1)]
            case "hold": request.isHeld = true
            default: request.minimumNodes = 17
            }
        }
        #expect(estimate.start == nil)
        #expect(estimate.reason == reason)
        #expect(estimate.price?.gross == gross)
    }

    @Test("A job array is priced with all its elements")
    func array() async throws {
        let estimate = try await estimate { request in
            request.array = ArrayRequest()
            request.array?.ranges = [.init(first: 0, last: 9)]
        }
        #expect(estimate.price?.elements == 10)
        #expect(estimate.price?.grossEach == 240)
        #expect(estimate.price?.gross == 2_400)
    }

    @Test(
        "Whole nodes are priced with all their cards, whether or not the job would start",
        arguments: [(false, nil), (true, nil), (false, "fat[0-2]")] as [(Bool, String?)]
    )
    func cardsOfWholeNodes(isHeld: Bool, nodes: String?) async throws {
        var machine = SmallCentre.machine
        machine.partitions[1].sharing = .wholeNode
        machine.partitions[1].prices.cardHourMicrofen = 30_000_000
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path, machine: machine))
        let request = SmallCentre.request {
            $0.partitions = ["shared"]
            $0.minimumNodes = nodes == nil ? 3 : 1
            $0.requiredNodes = nodes
            $0.timeLimit = SimDuration(seconds: 3_600)
            $0.isHeld = isHeld
            $0.isTestOnly = true
        }
        let estimate = try #require(try await centre.submit(request, .me).estimate)
        #expect((estimate.start == nil) == isHeld)
        // 3 nodes × 1 h × (8 cores × 0.10 + 2 cards × 0.30 CNY).
        #expect(estimate.price?.gross == 420)
        await centre.close()
    }

    @Test("A prepaid account keeps a job waiting that it cannot pay with the cards of its nodes")
    func cardsArePrepaid() async throws {
        var machine = SmallCentre.machine
        machine.partitions[1].sharing = .wholeNode
        machine.partitions[1].prices.cardHourMicrofen = 30_000_000
        machine.accounts[0].creditLimitFen = 139
        let centre = try Centre(SmallCentre.settings(ScratchFolder().path, machine: machine))
        for seconds in [3_600, 1_800] as [Int64] {
            _ = try await centre.submit(
                SmallCentre.request {
                    $0.partitions = ["shared"]
                    $0.minimumNodes = 1
                    $0.timeLimit = SimDuration(seconds: seconds)
                }
            )
        }
        let states = try await centre.jobs(.all).jobs.map(\.state)
        #expect(states == ["PENDING", "RUNNING"])
        await centre.close()
    }

    @Test("A model of card that no node has is refused, however the cards are asked for")
    func cardModel() async throws {
        for isPerTask in [false, true] {
            let failure = await #expect(throws: RequestFailure.self) {
                _ = try await estimate { request in
                    request.partitions = ["shared"]
                    request.minimumNodes = 1
                    request.acceleratorModel = "nosuch"
                    if isPerTask {
                        request.acceleratorsPerTask = 1
                    } else {
                        request.accelerators = 1
                    }
                }
            }
            #expect(failure?.body.text == "Invalid generic resource (gres) specification")
        }
    }
}
