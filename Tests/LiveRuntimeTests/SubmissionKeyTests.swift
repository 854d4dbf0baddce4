import Determinism
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Keys of submissions")
struct SubmissionKeyTests {
    @Test("The latest are known, the oldest go first, and there are never more than so many")
    func capacity() {
        var keys = SubmissionKeys()
        let last = 3 * SubmissionKeys.capacity
        for number in 1...last {
            let key = SubmissionKeys.Key(user: UInt32(number % 7), word: "\(number)")
            keys.note(key, SubmissionKeys.Entry(job: UInt32(number), digest: StateDigest()))
            #expect(keys.count == min(number, SubmissionKeys.capacity))
            #expect(keys[key]?.job == UInt32(number))
        }
        func job(_ number: Int) -> UInt32? {
            keys[SubmissionKeys.Key(user: UInt32(number % 7), word: "\(number)")]?.job
        }
        #expect(job(last - SubmissionKeys.capacity) == nil)
        #expect(job(last - SubmissionKeys.capacity + 1) != nil)
        // A word is its user's own.
        #expect(keys[SubmissionKeys.Key(user: UInt32((last + 1) % 7), word: "\(last)")] == nil)
    }

    @Test("Of submissions that come at once with one key, one job is made")
    func atOnce() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(SmallCentre.settings(folder.path))
        let request = SmallCentre.request {
            $0.comment = "runtime=600"
            $0.idempotencyKey = "k"
        }
        let ids = try await withThrowingTaskGroup(of: UInt32.self) { group in
            for _ in 0..<8 { group.addTask { try await centre.submit(request) } }
            return try await group.reduce(into: Set<UInt32>()) { $0.insert($1) }
        }
        #expect(ids == [1])
        let batch = await centre.submit([request, request], .me)
        #expect(try batch.map { try $0.get().jobID } == [1, 1])
        var trial = request
        trial.isTestOnly = true
        #expect(try await centre.submit(trial, .me).estimate != nil)
        #expect(await centre.jobs(.all).jobs.count == 1)
        await centre.close()
    }
}
