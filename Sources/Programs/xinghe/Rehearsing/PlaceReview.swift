import IndexSets
import LocalClient
import Quantities
import SlurmDialect
import WireFormats

/// What there is to say of a submission once the centre has said where it would run: of whole nodes, and of
/// limits beside those of others.
struct PlaceReview {
    private let request: SubmitRequest
    private let estimate: StartEstimate
    private let words: MessageLanguage

    /// - Parameters:
    ///   - client: the centre that was asked; it is asked for its partitions, and for other people's jobs.
    ///   - isLoaded: whether other people's jobs are there.
    static func warnings(
        of request: SubmitRequest,
        _ response: SubmitResponse,
        _ client: LocalClient,
        isLoaded: Bool,
        in words: MessageLanguage
    ) -> [String] {
        guard let estimate = response.estimate else { return [] }
        let review = PlaceReview(request: request, estimate: estimate, words: words)
        let partitions = try? client.get("/v1/partitions", as: PartitionList.self).partitions
        var warnings = partitions?.first { $0.name == estimate.partition }.map(review.sharing) ?? []
        if isLoaded, let jobs = try? client.get("/v1/jobs?ended=1", as: JobList.self).jobs {
            warnings += [review.limit(beside: jobs)].compactMap(\.self)
        }
        return warnings
    }

    /// `--exclusive` where nodes are shared, and what says that they are where they are not.
    private func sharing(_ partition: PartitionInfo) -> [String] {
        let name = partition.name
        if !partition.isExclusive, request.exclusive == "exclusive" {
            return [
                words(
                    "分区 \(name) 的节点由作业共享：用了 --exclusive，作业就占用并付费每个节点的全部核和卡",
                    "partition \(name) shares its nodes: with --exclusive the job holds, and pays for,"
                        + " all cores and cards of each"
                )
            ]
        }
        guard partition.isExclusive else { return [] }
        if request.sharesNodes || ["user", "mcs"].contains(request.exclusive) {
            let option = request.exclusive.map { "--exclusive=\($0)" } ?? "--oversubscribe"
            return [
                words(
                    "分区 \(name) 总是整节点分配（--exclusive）：\(option) 不起作用",
                    "partition \(name) gives whole nodes (--exclusive) always: \(option) changes nothing"
                )
            ]
        }
        guard let tasks = request.tasks else { return [] }
        let asked = Int64(tasks) * Int64(max(1, request.cpusPerTask ?? 1))
        guard asked > 0, asked < estimate.cores else { return [] }
        return [
            words(
                "分区 \(name) 总是整节点分配（--exclusive）：作业要 \(asked) 核，占用并付费 \(estimate.cores) 核",
                "partition \(name) gives whole nodes (--exclusive): the job asks for \(counted(Int(asked), "core")),"
                    + " and holds and pays for \(estimate.cores)"
            )
        ]
    }

    /// A job is a peer of one with half to twice as many nodes.
    private static let width: Int = 2
    /// Fewer peers than this say nothing.
    private static let fewest = 20

    /// A limit that is more than four times what nine of ten peers take waits longer than it has to.
    private func limit(beside jobs: [JobInfo]) -> String? {
        guard let limit = request.timeLimit,
            let own = try? HostList.expand(estimate.nodeList).count, own > 0
        else { return nil }
        let times = jobs.compactMap { job -> Int64? in
            guard job.comment?.hasPrefix("load=") == true, job.partition == estimate.partition,
                JobStates.hasEnded(job.state), let start = job.start, let end = job.end,
                Int(job.nodeCount) * Self.width >= own, Int(job.nodeCount) <= own * Self.width
            else { return nil }
            return (end - start).seconds
        }.sorted()
        guard times.count >= Self.fewest else { return nil }
        let most = SimDuration(seconds: times[times.count * 9 / 10])
        guard limit.seconds > 4 * max(most.seconds, 900) else { return nil }
        let (asked, used) = (SlurmTime.full(limit), SlurmTime.full(most))
        return words(
            "时限 \(asked) 远高于同类作业：负载中同规模的 \(times.count) 个作业十有九个用时不超过 \(used)；时限短些可能更早启动",
            "the limit of \(asked) is far above what its peers use: of \(times.count) jobs of its size in"
                + " the load nine in ten took \(used) at most; a shorter one may start sooner"
        )
    }
}
