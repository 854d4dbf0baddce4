import Determinism
import Testing

@testable import Scheduling

@Suite("Queue orders")
struct QueueOrderTests {
    private func job(
        nodes: Int32 = 1,
        limit: UInt32 = 3_600,
        waited: Double = 0,
        submitted: Double = 1,
        fairShare: Double = 1
    ) -> QueuedJob {
        QueuedJob(
            units: nodes,
            cores: Int64(nodes) * 12,
            plannedSeconds: limit,
            waitedSeconds: waited,
            submittedSeconds: submitted,
            fairShare: fairShare,
            nodeFraction: Double(nodes) / 100,
            coreFraction: Double(nodes) / 100,
            partitionCoreFraction: Double(nodes) / 100,
            partitionFactor: 0,
            qosFactor: 0,
            weights: PriorityWeights()
        )
    }

    @Test("names are unique and lead back to the order")
    func names() {
        #expect(Set(QueueOrder.all.map(\.name)).count == QueueOrder.all.count)
        for order in QueueOrder.all { #expect(QueueOrder(named: order.name) == order) }
        #expect(QueueOrder(named: "random") == nil)
    }

    @Test("WFP3 ranks by (w/r)^3 n")
    func wfp3() {
        let value = QueueOrder.wfp3.value
        // 2³·1 = 8 against 1³·7 = 7 and 1³·9 = 9.
        let base = job(nodes: 1, limit: 100, waited: 200)
        #expect(value(base) < value(job(nodes: 7, limit: 100, waited: 100)))
        #expect(value(base) > value(job(nodes: 9, limit: 100, waited: 100)))
    }

    @Test("UNICEF ranks by w / (log2 n r), jobs of one node that waited first")
    func unicef() {
        let value = QueueOrder.unicef.value
        #expect(
            value(job(nodes: 4, limit: 100, waited: 100))
                < value(job(nodes: 16, limit: 100, waited: 100))
        )
        #expect(
            value(job(nodes: 1, limit: 9_999, waited: 1))
                < value(job(nodes: 2, limit: 1, waited: 9_999))
        )
        #expect(value(job(nodes: 1)) == value(job(nodes: 64)))
    }

    @Test("F1 to F4 are the published sums")
    func learned() {
        let sample = job(nodes: 10, limit: 1_000, submitted: 100)
        #expect(QueueOrder.f1.value(sample) == OrderValue.ascending(3 * 10 + 870 * 2))
        #expect(QueueOrder.f3.value(sample) == OrderValue.ascending(10_000 + 6_860_000 * 2))
        let square = job(nodes: 9, limit: 400, submitted: 10)
        #expect(QueueOrder.f2.value(square) == OrderValue.ascending(20 * 9 + 25_600))
        #expect(QueueOrder.f4.value(square) == OrderValue.ascending(400 * 3 + 530_000))
    }

    @Test("multifactor adds Slurm's weighted factors")
    func multifactor() {
        // Half of the maximum age, a fifth of the nodes: 500 + 10,000 × 0.25 + 200.
        let sample = job(nodes: 20, waited: 3.5 * 86_400, fairShare: 0.25)
        #expect(QueueOrder.multifactor.value(sample) == -3_200)
    }

    @Test("values sort as their scores do")
    func values() {
        let scores = [
            -Double.infinity, -1e300, -2, -1, -1e-300, 0, 1e-300, 0.5, 1, 1e300, .infinity,
        ]
        let values = scores.map(OrderValue.ascending)
        #expect(values == values.sorted())
        #expect(Set(values).count == scores.count)
        #expect(
            scores.map(OrderValue.descending) == scores.map(OrderValue.descending).sorted(by: >)
        )
    }

    @Test("a queue that is sorted again answers like one that was filled in that order")
    func reorder() {
        for seed in 1...300 {
            var random = SplitMix64(seed: UInt64(seed))
            var queue = WaitingQueue()
            var keys: [Int32: QueueKey] = [:]
            for id in 0..<UInt32(random.below(400) + 1) {
                let key = QueueKey(rank: 0, submitted: Int64(id), id: id)
                keys[Int32(id)] = key
                queue.insert(
                    key: key,
                    slot: Int32(id),
                    size: Int32(random.below(60)) + 1,
                    limit: 60
                )
            }
            for slot in keys.keys.sorted() where random.below(3) == 0 {
                queue.remove(key: keys[slot] ?? QueueKey(rank: 0, submitted: 0, id: 0))
                keys[slot] = nil
            }
            for slot in keys.keys.sorted() { keys[slot]?.value = Int64(random.below(20)) }
            queue.reorder { slot in keys[slot] ?? QueueKey(rank: 0, submitted: 0, id: 0) }
            let expected = keys.sorted { $0.value < $1.value }.map(\.key)
            #expect(queue.allSlots == expected, "seed \(seed)")
            #expect(queue.count == expected.count, "seed \(seed)")
            guard let first = queue.first() else { continue }
            for free: Int32 in [1, 10, 40] {
                let fast = queue.next(after: first, free: free, window: 0, extra: free)
                let plain = queue.scanNext(after: first, free: free, window: 0, extra: free)
                #expect(fast == plain, "seed \(seed), free \(free)")
            }
        }
    }
}

@Suite("Predicted run times")
struct RunTimePredictorTests {
    @Test("the mean of the last two, at most the limit, the limit until two have ended")
    func mean() {
        var predictor = RunTimePredictor()
        #expect(predictor.prediction(user: 7, limitSeconds: 600) == 600)
        predictor.learn(user: 7, ranSeconds: 100)
        #expect(predictor.prediction(user: 7, limitSeconds: 600) == 600)
        predictor.learn(user: 7, ranSeconds: 301)
        #expect(predictor.prediction(user: 7, limitSeconds: 600) == 200)
        predictor.learn(user: 7, ranSeconds: 0)
        #expect(predictor.prediction(user: 7, limitSeconds: 600) == 150)
        #expect(predictor.prediction(user: 7, limitSeconds: 60) == 60)
        #expect(predictor.prediction(user: 8, limitSeconds: 600) == 600)
        predictor.learn(user: -1, ranSeconds: 5)
        #expect(predictor.prediction(user: -1, limitSeconds: 600) == 600)
    }
}
