/// Loops over vectors by the threads of a rank. Sums are of one part a thread, so they depend on the number
/// of threads and on nothing else.
struct TeamVectors {
    let team: ThreadTeam
    /// Elements of each vector that belong to this rank.
    let count: Int
    private let partial: NumericBuffer<Double>

    /// Doubles of a cache line and its neighbour, so that threads do not share one.
    private static let apart = 16

    init(_ team: ThreadTeam, count: Int) {
        self.team = team
        self.count = count
        partial = NumericBuffer(count: team.count * Self.apart, filledWith: 0)
    }

    func dot(_ u: NumericBuffer<Double>, _ v: NumericBuffer<Double>) -> Double {
        let (u, v, partial) = (u.pointer, v.pointer, partial.pointer)
        team.split(count) { thread, part in
            partial[thread * Self.apart] = innerProduct(
                part.count,
                u + part.lowerBound,
                v + part.lowerBound
            )
        }
        return (0..<team.count).reduce(0) { $0 + self.partial[$1 * Self.apart] }
    }

    /// `p = z + beta p`.
    func turn(_ p: NumericBuffer<Double>, _ beta: Double, _ z: NumericBuffer<Double>) {
        let (p, z) = (p.pointer, z.pointer)
        team.split(count) { part in
            for index in part { p[index] = z[index] + beta * p[index] }
        }
    }

    /// `x += alpha p`.
    func add(_ alpha: Double, _ p: NumericBuffer<Double>, to x: NumericBuffer<Double>) {
        let (p, x) = (p.pointer, x.pointer)
        team.split(count) { part in
            for index in part { x[index] += alpha * p[index] }
        }
    }

    /// `result = factor b`.
    func set(_ result: NumericBuffer<Double>, to factor: Double, times b: NumericBuffer<Double>) {
        let (result, b) = (result.pointer, b.pointer)
        team.split(count) { part in
            for index in part { result[index] = factor * b[index] }
        }
    }
}
