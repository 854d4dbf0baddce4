import JobModel
import Quantities
import SlurmDialect
import Synchronization
import Testing
import WireFormats

@testable import LiveRuntime

/// What one user asks for keeps nobody else waiting, however much it comes to.
@Suite("Turns, and what requests come to")
struct TurnsTests {
    @Test("Letters of users are taken in turns, those of nobody at once, each user's in order")
    func turns() {
        let mailbox = Mailbox<String>()
        for number in 1...5 { mailbox.post("a\(number)", of: 1) }
        mailbox.post("b1", of: 2)
        mailbox.post("exit")
        mailbox.post("b2", of: 2)
        #expect(mailbox.take(waiting: nil, upTo: 3) == ["exit", "a1", "b1", "a2"])
        #expect(mailbox.take(waiting: nil, upTo: 2) == ["b2", "a3"])
        mailbox.post("c1", of: 3)
        #expect(mailbox.take(waiting: nil, upTo: 100) == ["a4", "c1", "a5"])
        #expect(mailbox.take(waiting: 0, upTo: 100) == [])
    }

    @Test("A letter that is more than a turn is one of its own, and the others come next")
    func largeLetters() {
        let mailbox = Mailbox<String>()
        mailbox.post("large", of: 1, effort: 10_000)
        mailbox.post("large too", of: 1, effort: 10_000)
        mailbox.post("small", of: 2)
        #expect(mailbox.take(waiting: nil, upTo: 1_000) == ["large"])
        #expect(mailbox.take(waiting: nil, upTo: 1_000) == ["small", "large too"])
    }

    @Test("What one request leaves is taken in its order, in turns with the user's other requests")
    func parcels() {
        let mailbox = Mailbox<String>()
        mailbox.post((1...5).map { ("batch\($0)", 1) }, of: 1)
        mailbox.post([], of: 2)
        mailbox.post("single", of: 1)
        mailbox.post((1...2).map { ("other\($0)", 2) }, of: 1)
        #expect(mailbox.take(waiting: nil, upTo: 3) == ["batch1", "single", "other1"])
        mailbox.post("later", of: 1)
        #expect(mailbox.take(waiting: nil, upTo: 4) == ["batch2", "other2", "later"])
        #expect(mailbox.take(waiting: nil, upTo: 100) == ["batch3", "batch4", "batch5"])
        #expect(mailbox.take(waiting: 0, upTo: 100) == [])
    }

    @Test(
        "Who leaves 3,000 letters after they were taken has each of them taken, in order",
        arguments: 1...3
    )
    func manyLetters(seed: Int) {
        let mailbox = Mailbox<Int>()
        var taken: [Int] = []
        for number in 0..<3_000 {
            mailbox.post(number, of: 7)
            if number % (seed + 2) == 0 { taken += mailbox.take(waiting: 0, upTo: seed) }
        }
        while taken.count < 3_000 { taken += mailbox.take(waiting: 0, upTo: 64) }
        #expect(taken == Array(0..<3_000))
    }

    @Test("An array is taken in only if its elements and what they wait for come to little")
    func products() async throws {
        var settings = SmallCentre.settings(try ScratchFolder().path)
        settings.limits.arraySize = 101
        settings.limits.jobCount = 250
        let centre = try Centre(settings)
        func array(_ last: UInt32, _ dependencies: Int = 0) -> SubmitRequest {
            SmallCentre.request { request in
                request.isHeld = true
                request.array = ArrayRequest()
                request.array?.ranges = [.init(first: 0, last: last)]
                request.dependencies = (0..<dependencies).map {
                    DependencyRequest(kind: "afterany", jobID: UInt32($0 + 1))
                }
            }
        }
        let first = try await centre.submit(array(100))
        let tooLarge = await #expect(throws: RequestFailure.self) {
            try await centre.submit(array(101))
        }
        #expect(tooLarge?.body.code == SlurmError.invalidArray.rawValue)
        var overlapping = array(0)
        overlapping.array?.ranges = (0..<50).map { _ in .init(first: 0, last: 100) }
        await #expect(throws: RequestFailure.self) { try await centre.submit(overlapping) }
        let product = await #expect(throws: RequestFailure.self) {
            try await centre.submit(array(100, 1_000))
        }
        #expect(product?.body.code == SlurmError.dependencyProblem.rawValue)
        _ = try await centre.submit(array(99))
        let full = await #expect(throws: RequestFailure.self) {
            try await centre.submit(array(100))
        }
        #expect(full?.status == 503 && full?.body.code == SlurmError.tooManyJobs.rawValue)
        // None of what was refused has a number.
        #expect(try await centre.submit(SmallCentre.request()) == first + 201)
        await centre.close()
    }

    @Test("A job that a request names many times is meant once, in lists, cancels and dependencies")
    func repeats() async throws {
        let centre = try Centre(SmallCentre.settings(try ScratchFolder().path))
        let array = try await centre.submit(
            SmallCentre.request { request in
                request.isHeld = true
                request.array = ArrayRequest()
                request.array?.ranges = [.init(first: 0, last: 9)]
            }
        )
        var query = JobQuery.all
        query.ids = [UInt32](repeating: array, count: 50) + [array + 3]
        let numbers = (1..<10).map { array + $0 } + [array]
        #expect(try await centre.jobs(query).jobs.map(\.jobID) == numbers)
        let waiting = try await centre.submit(
            SmallCentre.request { request in
                request.dependencies = [DependencyRequest](
                    repeating: DependencyRequest(kind: "afterany", jobID: array),
                    count: 500
                )
            }
        )
        #expect(try await centre.info(waiting).dependency == "afterany:\(array)_*(unfulfilled)")
        var cancel = CancelRequest()
        cancel.jobs = [JobSelector](repeating: JobSelector(jobID: array), count: 300)
        cancel.jobs += [JobSelector(jobID: array, arrayTasks: [1, 1]), JobSelector(jobID: 77)]
        let outcomes = try await centre.cancel(cancel, .me).outcomes
        #expect(outcomes.map(\.jobID).sorted() == (0..<10).map { array + $0 } + [77])
        await centre.close()
    }

    @Test("Selectors of one array are merged: all of it, or the union of what is named")
    func selectors() {
        var cancel = CancelRequest()
        cancel.jobs = [
            JobSelector(jobID: 5, arrayTasks: [2, 1]), JobSelector(jobID: 9, arrayTasks: [4]),
            JobSelector(jobID: 5, arrayTasks: [7, 2]), JobSelector(jobID: 9), JobSelector(jobID: 9),
        ]
        cancel.mergeSelectors()
        #expect(
            cancel.jobs == [JobSelector(jobID: 5, arrayTasks: [1, 2, 7]), JobSelector(jobID: 9)]
        )
    }

    @Test("A change that is refused for every element of an array leaves nothing in the journal")
    func refusedChanges() async throws {
        let centre = try Centre(SmallCentre.settings(try ScratchFolder().path))
        let array = try await centre.submit(
            SmallCentre.request { request in
                request.isHeld = true
                request.array = ArrayRequest()
                request.array?.ranges = [.init(first: 0, last: 499)]
            }
        )
        let before = await centre.status().journalLength
        var change = JobUpdateRequest()
        change.dependencies = [DependencyRequest(kind: "afterany", jobID: array)]
        let outcomes = try await centre.update(array, change, .me).outcomes
        #expect(outcomes.count == 500)
        #expect(outcomes.allSatisfy { $0.error?.code == SlurmError.dependencyProblem.rawValue })
        #expect(await centre.status().journalLength == before)
        await centre.close()
    }

    @Test("Arrays whose elements wait for whole arrays find circles as single jobs do")
    func circles() async throws {
        let centre = try Centre(SmallCentre.settings(try ScratchFolder().path))
        func array() async throws -> UInt32 {
            try await centre.submit(
                SmallCentre.request { request in
                    request.isHeld = true
                    request.array = ArrayRequest()
                    request.array?.ranges = [.init(first: 0, last: 399)]
                }
            )
        }
        let (first, second) = (try await array(), try await array())
        func wait(_ one: UInt32, for other: UInt32) async throws -> [ActionOutcome] {
            var change = JobUpdateRequest()
            change.dependencies = [DependencyRequest(kind: "afterany", jobID: other)]
            return try await centre.update(one, change, .me).outcomes
        }
        #expect(try await wait(first, for: second).allSatisfy { $0.error == nil })
        let refused = try await wait(second, for: first)
        #expect(refused.count == 400)
        #expect(refused.allSatisfy { $0.error?.code == SlurmError.dependencyProblem.rawValue })
        await centre.close()
    }
}
