internal import MessagePassing

/// The atoms of one rank's box, and the copies of others around it.
final class AtomDomain {
    /// Edge of the lattice's cubic cell of four atoms at density 0.8442.
    static let latticeConstant = 1.679_596_162_096_521_5
    /// Distance beyond which atoms do not see one another.
    static let cutoff = 2.5

    /// Atoms that belong here.
    private(set) var count = 0

    private let world: Communicator
    private let grid: ProcessGrid
    private let size: [Double]
    private let low: [Double]
    private let high: [Double]
    private let messages: NeighbourMessages
    private let cells: CellForces
    private var identities: [Int] = []
    /// Along x, y and z; the copies follow the atoms that belong here.
    private var positions: [[Double]] = [[], [], []]
    private var velocities: [[Double]] = [[], [], []]
    private(set) var forces: [[Double]] = [[], [], []]

    init(world: Communicator, grid: ProcessGrid, size: [Double]) {
        let place = grid.place(of: world.rank)
        self.world = world
        self.grid = grid
        self.size = size
        low = (0..<3).map { size[$0] * Double(place[$0]) / Double(grid.extents[$0]) }
        high = (0..<3).map { size[$0] * Double(place[$0] + 1) / Double(grid.extents[$0]) }
        messages = NeighbourMessages(world: world, grid: grid)
        cells = CellForces(low: low, high: high, cutoff: Self.cutoff)
    }

    var kineticEnergy: Double {
        velocities.joined().reduce(0) { $0 + $1 * $1 } / 2
    }

    var momentum: [Double] {
        velocities.map { $0.reduce(0, +) }
    }

    /// Position and force of an atom, if it is here.
    func atom(_ identity: Int) -> (position: [Double], force: [Double])? {
        guard let slot = identities.firstIndex(of: identity) else { return nil }
        return (positions.map { $0[slot] }, forces.map { $0[slot] })
    }
}

// MARK: - Start

extension AtomDomain {
    /// Fills the box with its part of the lattice. An atom's identity is its place in the lattice.
    func placeLattice(_ shape: [Int]) {
        identities = []
        positions = [[], [], []]
        let a = Self.latticeConstant
        let corners = [
            [0.25, 0.25, 0.25], [0.75, 0.75, 0.25], [0.75, 0.25, 0.75], [0.25, 0.75, 0.75],
        ]
        let ranges = (0..<3).map { axis in
            max(0, Int(low[axis] / a) - 1)..<min(shape[axis], Int(high[axis] / a) + 2)
        }
        for z in ranges[2] {
            for y in ranges[1] {
                for x in ranges[0] {
                    for (corner, offset) in corners.enumerated() {
                        let at = [
                            (Double(x) + offset[0]) * a, (Double(y) + offset[1]) * a,
                            (Double(z) + offset[2]) * a,
                        ]
                        let isHere = (0..<3).allSatisfy { at[$0] >= low[$0] && at[$0] < high[$0] }
                        guard isHere else { continue }
                        identities.append(4 * ((z * shape[1] + y) * shape[0] + x) + corner)
                        for axis in 0..<3 { positions[axis].append(at[axis]) }
                    }
                }
            }
        }
        count = identities.count
        forces = [[Double]](repeating: [Double](repeating: 0, count: count), count: 3)
    }

    /// Gives each atom a velocity that follows from its identity, with no momentum in all and the
    /// given temperature. Collective.
    func setVelocities(temperature: Double, atoms: Int) throws(MPIFailure) {
        velocities = (0..<3).map { axis in
            identities.map { HashedMatrix.entry(6, $0, axis) }
        }
        let mean = try world.allReduce(momentum, .sum).map { $0 / Double(atoms) }
        for axis in 0..<3 {
            for slot in 0..<count { velocities[axis][slot] -= mean[axis] }
        }
        let energy = try world.allReduce(kineticEnergy, .sum)
        let factor = (1.5 * temperature * Double(atoms) / energy).squareRoot()
        for axis in 0..<3 {
            for slot in 0..<count { velocities[axis][slot] *= factor }
        }
    }
}

// MARK: - Motion

extension AtomDomain {
    /// Changes velocities by the forces over `time`; all masses are 1.
    func kick(by time: Double) {
        for axis in 0..<3 {
            for slot in 0..<count { velocities[axis][slot] += time * forces[axis][slot] }
        }
    }

    /// Moves the atoms over `time`, and forgets the copies.
    func drift(by time: Double) {
        for axis in 0..<3 {
            positions[axis].removeSubrange(count...)
            for slot in 0..<count { positions[axis][slot] += time * velocities[axis][slot] }
        }
    }

    /// Hands atoms that have left the box to its neighbours, axis by axis. Collective.
    func migrate() throws(MPIFailure) {
        for axis in 0..<3 {
            var leaving: [[Double]] = [[], []]
            var slot = 0
            while slot < count {
                let at = positions[axis][slot]
                guard at < low[axis] || at >= high[axis] else {
                    slot += 1
                    continue
                }
                leaving[at < low[axis] ? 0 : 1] += [Double(identities[slot])] + remove(slot)
            }
            wrap(&leaving[0], axis, record: 7, offset: 1, towardsLow: true)
            wrap(&leaving[1], axis, record: 7, offset: 1, towardsLow: false)
            let coming = try messages.exchange(axis, down: leaving[0], up: leaving[1])
            for record in [coming.fromBelow, coming.fromAbove] {
                for start in stride(from: 0, to: record.count, by: 7) { insert(record, start) }
            }
        }
    }

    /// Takes atom `slot` out; the last one fills its place.
    private func remove(_ slot: Int) -> [Double] {
        let record = positions.map { $0[slot] } + velocities.map { $0[slot] }
        identities[slot] = identities[count - 1]
        identities.removeLast()
        for axis in 0..<3 {
            positions[axis][slot] = positions[axis][count - 1]
            velocities[axis][slot] = velocities[axis][count - 1]
            positions[axis].removeLast()
            velocities[axis].removeLast()
        }
        count -= 1
        return record
    }

    private func insert(_ record: [Double], _ start: Int) {
        identities.append(Int(record[start]))
        for axis in 0..<3 {
            positions[axis].append(record[start + 1 + axis])
            velocities[axis].append(record[start + 4 + axis])
        }
        count += 1
    }

    /// Moves what crosses the end of space to its other end.
    private func wrap(
        _ records: inout [Double],
        _ axis: Int,
        record: Int,
        offset: Int,
        towardsLow: Bool
    ) {
        let isAtEnd = towardsLow ? low[axis] == 0 : high[axis] == size[axis]
        guard isAtEnd else { return }
        for start in stride(from: offset + axis, to: records.count, by: record) {
            records[start] += towardsLow ? size[axis] : -size[axis]
        }
    }
}

// MARK: - Forces

extension AtomDomain {
    /// Gets the copies and computes the forces on the atoms that belong here.
    ///
    /// - Returns: Their part of the potential energy, and the pairs within the cutoff. Collective.
    func computeForces() throws(MPIFailure) -> (energy: Double, pairs: Int64) {
        for axis in 0..<3 { positions[axis].removeSubrange(count...) }
        for axis in 0..<3 {
            var near: [[Double]] = [[], []]
            for slot in positions[axis].indices {
                let at = positions[axis][slot]
                let record = [positions[0][slot], positions[1][slot], positions[2][slot]]
                if at < low[axis] + Self.cutoff { near[0] += record }
                if at >= high[axis] - Self.cutoff { near[1] += record }
            }
            wrap(&near[0], axis, record: 3, offset: 0, towardsLow: true)
            wrap(&near[1], axis, record: 3, offset: 0, towardsLow: false)
            let coming = try messages.exchange(axis, down: near[0], up: near[1])
            for record in [coming.fromBelow, coming.fromAbove] {
                for start in stride(from: 0, to: record.count, by: 3) {
                    for other in 0..<3 { positions[other].append(record[start + other]) }
                }
            }
        }
        return cells.compute(positions, count, into: &forces)
    }

    /// The force of the atoms that belong here on one at `point`, by the definition.
    func directForce(at point: [Double]) -> [Double] {
        var force = [0.0, 0, 0]
        for slot in 0..<count {
            let distance = (0..<3).map { axis in
                let difference = point[axis] - positions[axis][slot]
                return difference - size[axis] * (difference / size[axis]).rounded()
            }
            let square = distance.reduce(0) { $0 + $1 * $1 }
            guard square > 0 && square < Self.cutoff * Self.cutoff else { continue }
            let sixth = 1 / (square * square * square)
            let strength = (48 * sixth * sixth - 24 * sixth) / square
            for axis in 0..<3 { force[axis] += strength * distance[axis] }
        }
        return force
    }
}
