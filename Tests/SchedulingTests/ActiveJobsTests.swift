import Determinism
import JobModel
import Scheduling
import Testing

@Suite("Active jobs")
struct ActiveJobsTests {
    private func job(_ number: UInt32) -> ActiveJob {
        ActiveJob(
            key: QueueKey(rank: 0, submitted: 0, id: number),
            request: .wholeNodes(1),
            limitSeconds: 1,
            partition: 0,
            group: 0,
            isRequeuable: false
        )
    }

    @Test("Jobs are found by their numbers, and only those that have not ended take up memory")
    func livingOnly() {
        var random = SplitMix64(seed: 1, stream: "active jobs")
        var jobs = ActiveJobs()
        var living: [UInt32: Int32] = [:]
        var number: UInt32 = 0
        for _ in 0..<60_000 {
            // Some numbers are never given, some jobs stay for ever.
            number += random.below(500) == 0 ? 9_000 : UInt32(random.draw(1...2))
            living[number] = jobs.insert(job(number))
            if number % 97 != 0 {
                let id = number
                if let slot = living.removeValue(forKey: id) { jobs.remove(slot) }
                #expect(jobs.slot(of: JobID(id)) == nil)
            }
            #expect(jobs.lookupSize <= 5 * jobs.count + 4_096)
        }
        #expect(living.count > 300 && jobs.count == living.count)
        #expect(jobs.highestID == number)
        for (id, slot) in living { #expect(jobs.slot(of: JobID(id)) == slot) }
        let inOrder = living.sorted { $0.key < $1.key }.map(\.value)
        #expect(jobs.slotsByID == inOrder)
        for slot in inOrder.reversed() { jobs.remove(slot) }
        #expect(jobs.slotsByID.isEmpty)
    }

    @Test("A number far above all others is as good as the next one")
    func farNumber() {
        var jobs = ActiveJobs()
        _ = jobs.insert(job(1))
        let slot = jobs.insert(job(.max))
        #expect(jobs.slot(of: JobID(.max)) == slot)
        #expect(jobs.slot(of: JobID(1)) != nil && jobs.lookupSize < 8_192)
    }
}
