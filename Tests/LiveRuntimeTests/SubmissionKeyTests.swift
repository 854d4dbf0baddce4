import Determinism
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Keys of submissions")
struct SubmissionKeyTests {
    private static func entry(_ job: Int) -> SubmissionKeys.Entry {
        SubmissionKeys.Entry(job: UInt32(job), digest: StateDigest())
    }

    @Test(
        "Of each user the latest are known, the oldest go first, and there are never more than so many"
    )
    func capacity() {
        var keys = SubmissionKeys()
        let last = 3 * SubmissionKeys.capacity
        for number in 1...last {
            let key = SubmissionKeys.Key(user: 5, word: "\(number)")
            keys.note(key, Self.entry(number))
            #expect(keys.count(of: 5) == min(number, SubmissionKeys.capacity))
            #expect(keys[key]?.job == UInt32(number))
        }
        func job(_ number: Int, of user: UInt32 = 5) -> UInt32? {
            keys[SubmissionKeys.Key(user: user, word: "\(number)")]?.job
        }
        #expect(job(last - SubmissionKeys.capacity) == nil)
        #expect(job(last - SubmissionKeys.capacity + 1) != nil)
        // A word is its user's own.
        #expect(job(last, of: 6) == nil)
    }

    @Test("Whoever sends many takes nothing from others")
    func users() {
        var keys = SubmissionKeys()
        let mine = SubmissionKeys.Key(user: 1, word: "mine")
        keys.note(mine, Self.entry(1))
        for number in 0...SubmissionKeys.capacity {
            keys.note(SubmissionKeys.Key(user: 2, word: "\(number)"), Self.entry(number))
        }
        #expect(keys[mine]?.job == 1)
        #expect(keys.count(of: 2) == SubmissionKeys.capacity)
    }

    @Test("Each byte of a submission counts for its digest")
    func digests() {
        var digests: Set<StateDigest> = []
        let scripts = (0..<40).map { String(repeating: "x", count: $0) }
        let changed = (0..<39).map { place in
            String((0..<39).map { $0 == place ? "y" : "x" })
        }
        for script in scripts + changed {
            let request = SmallCentre.request { $0.script = script }
            digests.insert(request.digest)
            #expect(digests.contains(SmallCentre.request { $0.script = script }.digest))
        }
        #expect(digests.count == scripts.count + changed.count)
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
        #expect(try await centre.jobs(.all).jobs.count == 1)
        await centre.close()
    }
}
