internal import MessagePassing
internal import Prediction
internal import WireFormats

/// Sustained memory bandwidth: McCalpin's STREAM.
///
/// Four loops over three arrays of N doubles, split over the ranks:
/// copy `c = a`, scale `b = s·c`, add `c = a + b`, triad `a = b + s·c`.
///
/// Counted as STREAM counts: 2, 2, 3 and 3 words an element moved (the line that a store first
/// reads is not counted), 0, 1, 1 and 2 flop; together 80 byte and 4 flop an element and
/// repetition. Verified as STREAM verifies: the same recurrence on three scalars gives what each
/// array must hold, and the mean error may be 1e-13 of it.
///
/// Source: J. D. McCalpin, "Memory Bandwidth and Machine Balance in Current High Performance
/// Computers", IEEE TCCA Newsletter, December 1995; stream.c revision 5.10.
final class StreamKernel: Kernel {
    static let profile = KernelProfile(
        .stream,
        title: "memory bandwidth: copy, scale, add, triad (STREAM)",
        criterion: "mean error of each array against the scalar recurrence <= 1e-13",
        maximumThreads: 1_024
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        3 * 8 * Double(shape[0])
    }

    /// The scalar of this repetition. Each makes other values, and of a size of 1 to 2, so that any
    /// number of them stays in range; STREAM's 3, which never changes, overflows after 262.
    private(set) var scalar = 0.0
    /// What every element holds after the last repetition.
    private var expected = (a: 1.0, b: 2.0, c: 0.0)
    private let world: Communicator
    private let team: ThreadTeam
    private let elements: Int
    let a: NumericBuffer<Double>
    let b: NumericBuffer<Double>
    let c: NumericBuffer<Double>
    private var repetitions = 0
    private var rateInCache: Double?
    private var bestSeconds = [Double](repeating: .infinity, count: 4)

    init(_ setting: KernelSetting) throws(KernelFailure) {
        world = setting.world
        team = setting.team
        elements = setting.shape[0]
        guard elements >= world.size else {
            throw .tooManyRanks(world.size, shape: setting.shape, why: "fewer elements than ranks")
        }
        let mine = share(of: elements, part: world.rank, parts: world.size).count
        a = NumericBuffer(count: mine, filledWith: 1, by: team)
        b = NumericBuffer(count: mine, filledWith: 2, by: team)
        c = NumericBuffer(count: mine, filledWith: 0, by: team)
    }

    func prepare(_ number: Int) {
        // After the four loops a is (2s + s²) times what it was.
        let next = 1.5 + HashedMatrix.entry(HashedMatrix.variant(15, number), 0, 0)
        scalar = (1 + next / expected.a).squareRoot() - 1
        expected.c = expected.a
        expected.b = scalar * expected.c
        expected.c = expected.a + expected.b
        expected.a = expected.b + scalar * expected.c
        b.spoil()
        c.spoil()
    }

    func repetition() throws(KernelFailure) -> Work {
        var clock = try messaging { () throws(MPIFailure) in try synchronised() }
        let (a, b, c, scalar) = (a.pointer, b.pointer, c.pointer, scalar)
        team.split(count) { copy(a + $0.lowerBound, to: c + $0.lowerBound, $0.count) }
        try lap(0, &clock)
        team.split(count) {
            scale(c + $0.lowerBound, by: scalar, to: b + $0.lowerBound, $0.count)
        }
        try lap(1, &clock)
        team.split(count) {
            add(a + $0.lowerBound, b + $0.lowerBound, to: c + $0.lowerBound, $0.count)
        }
        try lap(2, &clock)
        sweepTriad(times: 1)
        try lap(3, &clock)
        return endRepetition()
    }

    func endRepetition() -> Work {
        repetitions += 1
        return Work(KernelForm.stream.work([elements], ranks: world.size))
    }

    func answer() -> KernelAnswer? {
        var answer = KernelAnswer(.double, shape: [3, elements])
        let start = share(of: elements, part: world.rank, parts: world.size).lowerBound
        for (number, array) in [a, b, c].enumerated() {
            answer.add(array, from: 0, count: count, at: number * elements + start)
        }
        return answer
    }

    func verify() throws(KernelFailure) -> Verdict {
        let errors = [(a, expected.a), (b, expected.b), (c, expected.c)].map { array, value in
            Self.absoluteError(array.slice(0..<array.count), against: value)
        }
        let total = try messaging { () throws(MPIFailure) in try world.allReduce(errors, .sum) }
        let scales = [expected.a, expected.b, expected.c]
        let relative = zip(total, scales).map { $0 / Double(elements) / abs($1) }
        let worst = relative.contains { $0.isNaN } ? Double.nan : relative.max() ?? .nan
        return Verdict(residual: worst, limit: 1e-13)
    }

    func details() throws(KernelFailure) -> [JSONValue.Member] {
        let names = ["copy", "scale", "add", "triad"]
        let words = [2.0, 2, 3, 3]
        var members = (0..<4).map { loop in
            let rate = 8 * words[loop] * Double(elements) / bestSeconds[loop]
            return JSONValue.Member(names[loop] + "_byte_per_s", .number(rate))
        }
        if let rateInCache {
            members.append(.init("triad_in_cache_byte_per_s", .number(rateInCache)))
        }
        return members
    }

    func measureFurther() throws(KernelFailure) -> Bool {
        rateInCache = try triadInCache()
        return try verify().isVerified
    }

    /// The triad's rate where arrays are so small that one sweep is over sooner than a barrier: many
    /// sweeps in a row, which give the same result again and again. Nil for larger arrays.
    private func triadInCache() throws(KernelFailure) -> Double? {
        guard elements / world.size <= 1 << 20 else { return nil }
        let sweeps = max(1, 1 << 23 / max(1, elements / world.size))
        var best = Double.infinity
        for _ in 0..<5 {
            a.spoil()
            let start = try messaging { () throws(MPIFailure) in try synchronised() }
            sweepTriad(times: sweeps)
            let end = try messaging { () throws(MPIFailure) in try synchronised() }
            best = min(best, end - start)
        }
        return 24 * Double(elements) * Double(sweeps) / best
    }

    private var count: Int { a.count }

    private func sweepTriad(times: Int) {
        let (a, b, c, scalar) = (a.pointer, b.pointer, c.pointer, scalar)
        team.split(count) { part in
            let at = part.lowerBound
            for _ in 0..<times {
                triad(b + at, c + at, by: scalar, to: a + at, part.count)
            }
        }
    }

    /// The sum of the distances of all elements to `value`.
    static func absoluteError(_ array: UnsafeBufferPointer<Double>, against value: Double) -> Double
    {
        array.reduce(0) { $0 + abs($1 - value) }
    }

    private func synchronised() throws(MPIFailure) -> Double {
        try world.barrier()
        return MPIEnvironment.wallSeconds()
    }

    /// Ends loop `loop` on all ranks, keeps its best time, and starts the next. The first repetition
    /// does not count, as in STREAM.
    private func lap(_ loop: Int, _ clock: inout Double) throws(KernelFailure) {
        let start = clock
        clock = try messaging { () throws(MPIFailure) in try synchronised() }
        keep(clock - start, ofLoop: loop)
    }

    func keep(_ seconds: Double, ofLoop loop: Int) {
        if repetitions > 0 { bestSeconds[loop] = min(bestSeconds[loop], seconds) }
    }
}

// The four loops. Free functions over pointers: 0.99 of C's rate from memory; as safe array code
// 0.95 to 0.6, by the cache level.

private func copy(
    _ a: UnsafePointer<Double>,
    to c: UnsafeMutablePointer<Double>,
    _ count: Int
) {
    for i in 0..<count { c[i] = a[i] }
}

private func scale(
    _ c: UnsafePointer<Double>,
    by scalar: Double,
    to b: UnsafeMutablePointer<Double>,
    _ count: Int
) {
    for i in 0..<count { b[i] = scalar * c[i] }
}

private func add(
    _ a: UnsafePointer<Double>,
    _ b: UnsafePointer<Double>,
    to c: UnsafeMutablePointer<Double>,
    _ count: Int
) {
    for i in 0..<count { c[i] = a[i] + b[i] }
}

private func triad(
    _ b: UnsafePointer<Double>,
    _ c: UnsafePointer<Double>,
    by scalar: Double,
    to a: UnsafeMutablePointer<Double>,
    _ count: Int
) {
    for i in 0..<count { a[i] = b[i] + scalar * c[i] }
}
