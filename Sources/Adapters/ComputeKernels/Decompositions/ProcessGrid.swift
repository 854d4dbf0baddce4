/// The part of `0..<extent` that belongs to `part` of `parts`: contiguous, lengths differ by at
/// most one.
func share(of extent: Int, part: Int, parts: Int) -> Range<Int> {
    precondition(part >= 0 && part < parts)
    let base = extent / parts
    let rest = extent % parts
    let start = part * base + min(part, rest)
    return start..<(start + base + (part < rest ? 1 : 0))
}

/// Ranks arranged as a box over a three-dimensional grid; x runs fastest in rank order.
struct ProcessGrid: Hashable, Sendable {
    /// Ranks along x, y and z.
    var extents: [Int]

    init(extents: [Int]) {
        precondition(extents.count == 3)
        self.extents = extents
    }

    /// The arrangement of `ranks` over a grid of `shape` that sends least: smallest total area
    /// of the cuts, and at equal area the one that cuts z first (rows along x stay long).
    init(ranks: Int, shape: [Int]) {
        precondition(ranks > 0 && shape.count == 3)
        var best = [1, 1, ranks]
        var least = Double.infinity
        for x in 1...ranks where ranks % x == 0 {
            for y in 1...(ranks / x) where ranks / x % y == 0 {
                let candidate = [x, y, ranks / x / y]
                // A block thinner than one cell is no block.
                guard zip(shape, candidate).allSatisfy({ $0 >= $1 }) else { continue }
                let (nx, ny, nz) = (Double(shape[0]), Double(shape[1]), Double(shape[2]))
                let area =
                    Double(x - 1) * ny * nz + Double(y - 1) * nx * nz
                    + Double(candidate[2] - 1) * nx * ny
                if area < least {
                    least = area
                    best = candidate
                }
            }
        }
        extents = best
    }

    /// The place of `rank` in the box.
    func place(of rank: Int) -> [Int] {
        [rank % extents[0], rank / extents[0] % extents[1], rank / extents[0] / extents[1]]
    }

    /// The rank at `place`, or nil outside the box.
    func rank(at place: [Int]) -> Int? {
        for axis in 0..<3 where place[axis] < 0 || place[axis] >= extents[axis] { return nil }
        return place[0] + extents[0] * (place[1] + extents[1] * place[2])
    }
}
