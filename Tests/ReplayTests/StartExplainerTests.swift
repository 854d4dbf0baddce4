import Emulation
import ReplayRuntime
import Scheduling
import Testing
import WorkloadFormats

/// Why a job started when it did, on days of a few jobs where the answer can be read off.
@Suite("Explanations of starts")
struct StartExplainerTests {
    /// Jobs (submit, run, limit in s; processors) on ten processors.
    private func explain(
        _ index: Int,
        _ policy: SchedulingPolicy,
        _ jobs: [(submit: Int64, run: Int64, limit: Int64, size: Int32)]
    ) -> StartExplanation {
        var trace = Trace()
        for (position, job) in jobs.enumerated() {
            trace.jobs.append(
                TraceJob(
                    id: Int64(position + 1),
                    submitted: job.submit * 1_000_000,
                    runTime: job.run * 1_000_000,
                    timeLimit: job.limit * 1_000_000,
                    processors: job.size
                )
            )
        }
        var driver = ReplayDriver(trace: trace, machine: .processors(10, policy: policy))
        var explainer = StartExplainer(job: index, unixStartTime: 0)
        _ = driver.run { explainer.observe($0, $1) }
        return explainer.explanation
    }

    /// Job 1 holds eight; job 2 wants ten; job 3 wants two for longer than job 1 may run.
    private let blocked: [(Int64, Int64, Int64, Int32)] = [
        (0, 60, 100, 8), (1, 50, 50, 10), (2, 500, 500, 2), (3, 90, 90, 2),
    ]

    @Test("A job that would delay the head is told whose reservation it was")
    func wouldDelay() {
        let explanation = explain(2, .easy, blocked)
        #expect(explanation.aheadAtArrival.jobs == [1])
        #expect(explanation.needed == 2)
        let obstacle = Obstacle.wouldDelayHead(head: 1, shadow: 100_000_000, extra: 0)
        #expect(explanation.stretches.first?.reason == .obstacle(obstacle))
        #expect(explanation.earliest == 2_000_000)
        #expect(explanation.started == 143_000_000)
        #expect(explanation.overtaken.count == 0)
    }

    @Test("A job that is backfilled is told whom it overtook, and what that one was promised")
    func backfilled() {
        let explanation = explain(3, .easy, blocked)
        #expect(explanation.started == 3_000_000)
        #expect(explanation.stretches.isEmpty)
        #expect(explanation.overtaken.jobs == [1, 2])
        #expect(explanation.headAtStart?.job == 1)
        #expect(explanation.headAtStart?.promise == 100_000_000)
    }

    @Test("The head is told what it was promised, and that it came sooner")
    func head() {
        let explanation = explain(1, .easy, blocked)
        #expect(explanation.firstPromise == 100_000_000)
        // Job 4 was backfilled until second 93.
        #expect(explanation.started == 93_000_000)
        let last = Obstacle.firstAndNoRoom(free: 8, promise: 93_000_000)
        #expect(explanation.stretches.map(\.reason) == [.obstacle(last)])
    }

    @Test("Under FCFS a job is told who stood before it")
    func behind() {
        let explanation = explain(3, .fcfs, blocked)
        let obstacle = Obstacle.behindBlockedHead(head: 1, headNodes: 10, free: 2)
        #expect(explanation.stretches.first?.reason == .obstacle(obstacle))
        #expect(explanation.started == 110_000_000)
        #expect(explanation.earliest == 3_000_000)
    }

    @Test("A conservative plan tells the job's own place", arguments: ["", "-compress"])
    func planned(kind: String) throws {
        let policy = try SchedulingPolicy(named: "conservative\(kind)")
        let explanation = explain(2, policy, blocked)
        #expect(
            explanation.stretches.first?.reason == .obstacle(.plannedFor(150_000_000))
        )
        #expect(explanation.firstPromise == 150_000_000)
        #expect(explanation.started == 143_000_000)
    }

    @Test("What was free at a job's turn counts, not what those behind it left")
    func atItsTurn() {
        // At second 10 job 1 ends: five are free, job 3 fits but would delay job 2, job 4 takes all.
        let late = explain(
            3,
            .easy,
            [(0, 10, 10, 5), (0, 100, 100, 5), (1, 50, 50, 10), (2, 500, 500, 5), (3, 40, 40, 5)]
        )
        let obstacle = Obstacle.wouldDelayHead(head: 2, shadow: 100_000_000, extra: 0)
        #expect(late.stretches.contains { $0.reason == .obstacle(obstacle) })
        #expect(late.earliest == 10_000_000)
    }
}
