import Determinism
import JobModel
import Testing

@Suite("Sets of runs")
struct RunSetTests {
    private struct Run: Hashable {
        var job: UInt32
        var attempt: Int32
    }

    @Test("What was put in is in it, and nothing else", arguments: 0..<20 as Range<UInt64>)
    func likeASet(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var runs = RunSet()
        var plain: Set<Run> = []
        func draw() -> Run {
            let far = random.below(4) == 0
            return Run(
                job: UInt32(far ? random.draw(65_500...65_600) : random.draw(0...300)),
                attempt: Int32(random.below(3) == 0 ? random.draw(1...3) : 0)
            )
        }
        for _ in 0..<200 {
            let run = draw()
            runs.insert(JobID(run.job), attempt: run.attempt)
            plain.insert(run)
        }
        for _ in 0..<2_000 {
            let run = draw()
            #expect(
                runs.contains(JobID(run.job), attempt: run.attempt) == plain.contains(run),
                "seed \(seed): \(run)"
            )
        }
    }
}
