/// Lennard-Jones forces by cell lists: `4 (r⁻¹² − r⁻⁶)`, cut and shifted to zero at the cutoff.
///
/// The box and a margin around it are cut into cells at least as wide as the cutoff. Positions are
/// sorted by cell, x fastest, so the 27 cells around an atom are 9 runs in memory; each run is
/// swept eight atoms at a time, and what lies beyond the cutoff is masked out. Each pair is computed
/// from both its atoms: twice the arithmetic, but no scattered writes.
final class CellForces {
    private let origin: [Double]
    private let inverseWidth: [Double]
    private let extents: [Int]
    private let cutoff: Double
    private var starts: [Int] = []
    private var order: [Int] = []
    private var sorted: [NumericBuffer<Double>] = []
    private var capacity = 0
    /// So many of the atoms, the first ones, belong to the box; the others are copies.
    private var belonging = 0

    init(low: [Double], high: [Double], cutoff: Double) {
        let inner = (0..<3).map { max(1, Int((high[$0] - low[$0]) / cutoff)) }
        let widths = (0..<3).map { (high[$0] - low[$0]) / Double(inner[$0]) }
        extents = inner.map { $0 + 2 }
        origin = (0..<3).map { low[$0] - widths[$0] }
        inverseWidth = widths.map { 1 / $0 }
        self.cutoff = cutoff
    }

    /// Computes the forces on the first `count` of the atoms at `positions`.
    func compute(
        _ positions: [[Double]],
        _ count: Int,
        into forces: inout [[Double]]
    ) -> (energy: Double, pairs: Int64) {
        belonging = count
        sort(positions)
        for axis in 0..<3 where forces[axis].count != count {
            forces[axis] = [Double](repeating: 0, count: count)
        }
        var total = PairSums()
        let (xs, ys, zs) = (sorted[0].pointer, sorted[1].pointer, sorted[2].pointer)
        // Atoms of the margin's cells are copies, and get no forces.
        for z in 1..<(extents[2] - 1) {
            for y in 1..<(extents[1] - 1) {
                for x in 1..<(extents[0] - 1) {
                    let runs = runs(around: (x, y, z))
                    let cell = (z * extents[1] + y) * extents[0] + x
                    for slot in starts[cell]..<starts[cell + 1] where order[slot] < count {
                        let at = (xs[slot], ys[slot], zs[slot])
                        var sums = PairSums()
                        for run in runs { sweepRun(run, at, xs, ys, zs, cutoff * cutoff, &sums) }
                        forces[0][order[slot]] = sums.x.sum()
                        forces[1][order[slot]] = sums.y.sum()
                        forces[2][order[slot]] = sums.z.sum()
                        total.energy += sums.energy
                        total.pairs += sums.pairs
                    }
                }
            }
        }
        let pairs = total.pairs.sum()
        // Half of a pair's energy belongs to each of its atoms; the shift makes it zero at the edge.
        let sixth = 1 / (cutoff * cutoff * cutoff * cutoff * cutoff * cutoff)
        let shift = 4 * (sixth * sixth - sixth)
        return ((total.energy.sum() - shift * pairs) / 2, Int64(pairs))
    }

    private func cell(_ positions: [[Double]], _ atom: Int) -> (Int, Int, Int) {
        func index(_ axis: Int) -> Int {
            let place = Int((positions[axis][atom] - origin[axis]) * inverseWidth[axis])
            // Rounding must not put an atom that belongs here into the margin.
            return atom < belonging
                ? min(max(place, 1), extents[axis] - 2) : min(max(place, 0), extents[axis] - 1)
        }
        return (index(0), index(1), index(2))
    }

    /// A counting sort by cell.
    private func sort(_ positions: [[Double]]) {
        let atoms = positions[0].count
        if atoms + 8 > capacity {
            capacity = (atoms + 8) * 5 / 4
            sorted = (0..<3).map { _ in NumericBuffer(count: capacity, filledWith: 0) }
        }
        var cells = [Int](repeating: 0, count: atoms)
        starts = [Int](repeating: 0, count: extents.reduce(1, *) + 1)
        for atom in 0..<atoms {
            let (x, y, z) = cell(positions, atom)
            cells[atom] = (z * extents[1] + y) * extents[0] + x
            starts[cells[atom] + 1] += 1
        }
        for index in 1..<starts.count { starts[index] += starts[index - 1] }
        var next = starts
        order = [Int](repeating: 0, count: atoms)
        for atom in 0..<atoms {
            let slot = next[cells[atom]]
            next[cells[atom]] += 1
            order[slot] = atom
            for axis in 0..<3 { sorted[axis][slot] = positions[axis][atom] }
        }
        // The last vectors read beyond the atoms; what is there lies beyond any cutoff.
        for slot in atoms..<(atoms + 8) {
            for axis in 0..<3 { sorted[axis][slot] = 1e30 }
        }
    }

    /// The sorted atoms of the 27 cells around a cell of the box, as nine runs.
    private func runs(around cell: (x: Int, y: Int, z: Int)) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        runs.reserveCapacity(9)
        for z in (cell.z - 1)...(cell.z + 1) {
            for y in (cell.y - 1)...(cell.y + 1) {
                let row = (z * extents[1] + y) * extents[0]
                runs.append(starts[row + cell.x - 1]..<starts[row + cell.x + 2])
            }
        }
        return runs
    }
}

/// What an atom gathers from its neighbours, eight at a time.
private struct PairSums {
    var x = SIMD8<Double>.zero
    var y = SIMD8<Double>.zero
    var z = SIMD8<Double>.zero
    var energy = SIMD8<Double>.zero
    var pairs = SIMD8<Double>.zero
}

private func sweepRun(
    _ run: Range<Int>,
    _ at: (Double, Double, Double),
    _ xs: UnsafePointer<Double>,
    _ ys: UnsafePointer<Double>,
    _ zs: UnsafePointer<Double>,
    _ cutoffSquared: Double,
    _ sums: inout PairSums
) {
    var slot = run.lowerBound
    while slot < run.upperBound {
        let dx = at.0 - load(xs + slot)
        let dy = at.1 - load(ys + slot)
        let dz = at.2 - load(zs + slot)
        let square = dx * dx + dy * dy + dz * dz
        var isNear = (square .< cutoffSquared) .& (square .> 0)
        // A vector may reach into the next run, whose turn comes by itself.
        if slot &+ 8 > run.upperBound {
            isNear .&= lanes .< Double(run.upperBound &- slot)
        }
        let inverse = 1 / square.replacing(with: 1, where: .!isNear)
        let sixth = inverse * inverse * inverse
        let zero = SIMD8<Double>.zero
        let strength = (zero.replacing(with: 48 * sixth * (sixth - 0.5) * inverse, where: isNear))
        sums.x += strength * dx
        sums.y += strength * dy
        sums.z += strength * dz
        sums.energy += zero.replacing(with: 4 * sixth * (sixth - 1), where: isNear)
        sums.pairs += zero.replacing(with: 1, where: isNear)
        slot &+= 8
    }
}

private let lanes = SIMD8<Double>(0, 1, 2, 3, 4, 5, 6, 7)

@inline(__always)
private func load(_ pointer: UnsafePointer<Double>) -> SIMD8<Double> {
    UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Double>.self)
}
