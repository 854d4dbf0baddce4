/// Lennard-Jones forces over neighbour lists: `4 (r⁻¹² − r⁻⁶)`, cut and shifted to zero at the
/// cutoff.
///
/// A list names, for each atom that belongs here, all others within the cutoff and a skin around
/// it, so it holds until an atom has moved half the skin. Lists come from cells at least as wide as
/// their reach: sorted by cell, x fastest, the 27 cells around an atom are nine runs in memory. Each
/// pair is computed from both its atoms, four pairs at a time: twice the arithmetic, but no scattered
/// writes.
///
/// Source: Verlet, "Computer 'Experiments' on Classical Fluids", Phys. Rev. 159, 1967.
final class NeighbourList {
    private let cutoff: Double
    private let reach: Double
    private let origin: [Double]
    private let inverseWidth: [Double]
    private let extents: [Int]
    /// What a list reaches around an atom, as a share of the box.
    private let reachedShare: Double
    /// The neighbours of atom `i` are `neighbours[starts[i]..<starts[i + 1]]`, filled up to whole
    /// vectors with the index of an atom far away.
    private var starts: [Int] = []
    private var neighbours: [Int32] = []
    /// Positions as the loop over pairs wants them, the atom far away last.
    private var places: [NumericBuffer<Double>] = []

    /// Lists for a box and the copies of atoms around it.
    ///
    /// - Parameters:
    ///   - low: The lower corner of the box.
    ///   - high: The upper corner.
    ///   - cutoff: Distance beyond which atoms do not see one another.
    ///   - skin: What lists reach beyond the cutoff.
    init(low: [Double], high: [Double], cutoff: Double, skin: Double) {
        let reach = cutoff + skin
        let inner = (0..<3).map { max(1, Int((high[$0] - low[$0]) / reach)) }
        let widths = (0..<3).map { (high[$0] - low[$0]) / Double(inner[$0]) }
        // A layer of cells around the box holds the copies.
        extents = inner.map { $0 + 2 }
        origin = (0..<3).map { low[$0] - widths[$0] }
        inverseWidth = widths.map { 1 / $0 }
        let volume = (0..<3).reduce(1) { $0 * (high[$1] - low[$1]) }
        reachedShare = 4.0 / 3 * .pi * reach * reach * reach / volume
        self.cutoff = cutoff
        self.reach = reach
    }

    /// Atoms 0..<`count` in the order of their cells, so that neighbours lie near in memory.
    func order(_ positions: [[Double]], _ count: Int) -> [Int] {
        sorted((0..<count).map { cell(positions, $0) }).order
    }

    /// Lists the neighbours of the first `count` of the atoms at `positions`.
    func build(_ positions: [[Double]], _ count: Int) {
        let atoms = positions[0].count
        let cells = (0..<atoms).map { cell(positions, $0) }
        let (order, firsts) = sorted(cells)
        let (xs, ys, zs) = (
            order.map { positions[0][$0] }, order.map { positions[1][$0] },
            order.map { positions[2][$0] }
        )
        let square = reach * reach
        starts = [0]
        starts.reserveCapacity(count + 1)
        neighbours.removeAll(keepingCapacity: true)
        // Growing by doubling would take up to three times the memory. A little more than the mean,
        // and what fills up the vectors.
        let expected = 1.05 * Double(count) * reachedShare + 4
        neighbours.reserveCapacity(Int(Double(count) * expected))
        for atom in 0..<count {
            let (x, y, z) = (positions[0][atom], positions[1][atom], positions[2][atom])
            for run in runs(around: cells[atom], firsts) {
                for slot in run {
                    let (dx, dy, dz) = (x - xs[slot], y - ys[slot], z - zs[slot])
                    guard dx * dx + dy * dy + dz * dz < square, order[slot] != atom else {
                        continue
                    }
                    neighbours.append(Int32(order[slot]))
                }
            }
            while neighbours.count % 4 != 0 { neighbours.append(Int32(atoms)) }
            starts.append(neighbours.count)
        }
    }

    /// Computes the forces on the first `count` of the atoms at `positions`, as many as `build` had.
    ///
    /// - Returns: Their part of the potential energy, and the pairs within the cutoff, each seen
    ///   from both its atoms.
    func forces(
        _ positions: [[Double]],
        _ count: Int,
        into forces: inout [[Double]]
    ) -> (energy: Double, pairs: Int64) {
        let atoms = positions[0].count
        if places.first.map({ $0.count <= atoms }) ?? true {
            places = (0..<3).map { _ in NumericBuffer(count: atoms * 5 / 4 + 1, filledWith: 0) }
        }
        for axis in 0..<3 {
            positions[axis].withUnsafeBufferPointer { source in
                guard let start = source.baseAddress else { return }
                places[axis].pointer.update(from: start, count: atoms)
            }
            places[axis][atoms] = 1e30
            if forces[axis].count != count {
                forces[axis] = [Double](repeating: 0, count: count)
            }
        }
        let (xs, ys, zs) = (places[0].pointer, places[1].pointer, places[2].pointer)
        var (energy, pairs) = (SIMD4<Double>.zero, SIMD4<Double>.zero)
        neighbours.withUnsafeBufferPointer { neighbours in
            for atom in 0..<count {
                let mine = UnsafeBufferPointer(
                    rebasing: neighbours[starts[atom]..<starts[atom + 1]]
                )
                let at = (xs[atom], ys[atom], zs[atom])
                let sums = pairSums(mine, at, xs, ys, zs, cutoff * cutoff)
                forces[0][atom] = sums.x.sum()
                forces[1][atom] = sums.y.sum()
                forces[2][atom] = sums.z.sum()
                energy += sums.energy
                pairs += sums.pairs
            }
        }
        // Half of a pair's energy belongs to each of its atoms; the shift makes it zero at the edge.
        let sixth = 1 / (cutoff * cutoff * cutoff * cutoff * cutoff * cutoff)
        let shift = 4 * (sixth * sixth - sixth)
        let count = pairs.sum()
        return ((4 * energy.sum() - shift * count) / 2, Int64(count))
    }

    /// The number of an atom's cell, x fastest.
    private func cell(_ positions: [[Double]], _ atom: Int) -> Int {
        func index(_ axis: Int) -> Int {
            let place = Int((positions[axis][atom] - origin[axis]) * inverseWidth[axis])
            return min(max(place, 0), extents[axis] - 1)
        }
        return (index(2) * extents[1] + index(1)) * extents[0] + index(0)
    }

    /// A counting sort: atoms in order of cell, and where each cell begins.
    private func sorted(_ cells: [Int]) -> (order: [Int], firsts: [Int]) {
        var firsts = [Int](repeating: 0, count: extents.reduce(1, *) + 1)
        for cell in cells { firsts[cell + 1] += 1 }
        for index in 1..<firsts.count { firsts[index] += firsts[index - 1] }
        var next = firsts
        var order = [Int](repeating: 0, count: cells.count)
        for (atom, cell) in cells.enumerated() {
            order[next[cell]] = atom
            next[cell] += 1
        }
        return (order, firsts)
    }

    /// The sorted atoms of the 27 cells around a cell, as nine runs.
    private func runs(around cell: Int, _ firsts: [Int]) -> [Range<Int>] {
        // Rounding may put an atom of the box into the layer around it; its reach ends there too.
        let x = min(max(cell % extents[0], 1), extents[0] - 2)
        let y = min(max(cell / extents[0] % extents[1], 1), extents[1] - 2)
        let z = min(max(cell / (extents[0] * extents[1]), 1), extents[2] - 2)
        var runs: [Range<Int>] = []
        runs.reserveCapacity(9)
        for z in (z - 1)...(z + 1) {
            for y in (y - 1)...(y + 1) {
                let row = (z * extents[1] + y) * extents[0]
                runs.append(firsts[row + x - 1]..<firsts[row + x + 2])
            }
        }
        return runs
    }
}

/// What an atom gathers from its neighbours, four at a time; energies without their factor of 4.
private struct PairSums {
    var x = SIMD4<Double>.zero
    var y = SIMD4<Double>.zero
    var z = SIMD4<Double>.zero
    var energy = SIMD4<Double>.zero
    var pairs = SIMD4<Double>.zero
}

private func pairSums(
    _ neighbours: UnsafeBufferPointer<Int32>,
    _ at: (Double, Double, Double),
    _ xs: UnsafePointer<Double>,
    _ ys: UnsafePointer<Double>,
    _ zs: UnsafePointer<Double>,
    _ cutoffSquared: Double
) -> PairSums {
    var sums = PairSums()
    var slot = 0
    while slot < neighbours.count {
        let (a, b) = (Int(neighbours[slot]), Int(neighbours[slot &+ 1]))
        let (c, d) = (Int(neighbours[slot &+ 2]), Int(neighbours[slot &+ 3]))
        let dx = at.0 - SIMD4(xs[a], xs[b], xs[c], xs[d])
        let dy = at.1 - SIMD4(ys[a], ys[b], ys[c], ys[d])
        let dz = at.2 - SIMD4(zs[a], zs[b], zs[c], zs[d])
        let square = dx * dx + dy * dy + dz * dz
        let isNear = square .< cutoffSquared
        let inverse = 1 / square
        let sixth = SIMD4<Double>.zero.replacing(with: inverse * inverse * inverse, where: isNear)
        let strength = 48 * sixth * (sixth - 0.5) * inverse
        sums.x += strength * dx
        sums.y += strength * dy
        sums.z += strength * dz
        sums.energy += sixth * (sixth - 1)
        sums.pairs += SIMD4<Double>.zero.replacing(with: 1, where: isNear)
        slot &+= 4
    }
    return sums
}
