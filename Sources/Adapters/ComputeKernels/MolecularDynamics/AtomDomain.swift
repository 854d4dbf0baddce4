internal import MessagePassing

/// The atoms of one rank's box, and the copies of others around it.
final class AtomDomain {
    /// Edge of the lattice's cubic cell of four atoms at density 0.8442.
    static let latticeConstant = 1.679_596_162_096_521_5
    /// Distance beyond which atoms do not see one another.
    static let cutoff = 2.5
    /// What lists and copies reach beyond the cutoff, so that they hold for some steps.
    private static let skin = 0.3
    /// The least edge of a box.
    static let reach = cutoff + skin

    /// Atoms that belong here.
    private(set) var count = 0

    private let world: Communicator
    private let grid: ProcessGrid
    private let place: [Int]
    private let size: [Double]
    private let low: [Double]
    private let high: [Double]
    private let messages: NeighbourMessages
    private let list: NeighbourList
    private var identities: [Int] = []
    /// Along x, y and z; the copies follow the atoms that belong here.
    private var positions: [[Double]] = [[], [], []]
    private var velocities: [[Double]] = [[], [], []]
    private(set) var forces: [[Double]] = [[], [], []]
    /// Where the atoms that belong here were when the lists were made.
    private var anchors: [[Double]] = [[], [], []]
    /// The atoms and copies of which the neighbours below and above along each axis have copies.
    private var copied: [[[Int]]] = []

    init(world: Communicator, grid: ProcessGrid, size: [Double]) {
        let place = grid.place(of: world.rank)
        self.world = world
        self.grid = grid
        self.place = place
        self.size = size
        low = (0..<3).map { size[$0] * Double(place[$0]) / Double(grid.extents[$0]) }
        high = (0..<3).map { axis in
            let next = place[axis] + 1
            // Not the quotient: (size * n) / n may be beside size.
            return next == grid.extents[axis]
                ? size[axis] : size[axis] * Double(next) / Double(grid.extents[axis])
        }
        messages = NeighbourMessages(world: world, grid: grid)
        list = NeighbourList(low: low, high: high, cutoff: Self.cutoff, skin: Self.skin)
    }

    var kineticEnergy: Double {
        velocities.joined().reduce(0) { $0 + $1 * $1 } / 2
    }

    var momentum: [Double] {
        velocities.map { $0.reduce(0, +) }
    }

    /// Position and velocity of each atom here, six numbers, by its identity.
    var positionsAndVelocities: [(Int, [Double])] {
        (0..<count).map { slot in
            (identities[slot], positions.map { $0[slot] } + velocities.map { $0[slot] })
        }
    }

    /// Position and force of an atom, if it is here.
    func atom(_ identity: Int) -> (position: [Double], force: [Double])? {
        guard let slot = identities.firstIndex(of: identity) else { return nil }
        return (positions.map { $0[slot] }, forces.map { $0[slot] })
    }
}

// MARK: - Turning back

extension AtomDomain {
    /// All that a step changes in the atoms that belong here.
    struct State {
        fileprivate var identities: [Int]
        fileprivate var positions: [[Double]]
        fileprivate var velocities: [[Double]]
        fileprivate var forces: [[Double]]
    }

    /// The atoms as they are. Setting it makes the lists old.
    var state: State {
        get {
            State(
                identities: identities,
                positions: positions.map { Array($0[..<count]) },
                velocities: velocities,
                forces: forces
            )
        }
        set {
            count = newValue.identities.count
            identities = newValue.identities
            positions = newValue.positions
            velocities = newValue.velocities
            forces = newValue.forces
            anchors = [[], [], []]
        }
    }

    /// Turns all velocities round.
    func turnBack() {
        for axis in 0..<3 {
            for slot in 0..<count { velocities[axis][slot] = -velocities[axis][slot] }
        }
    }

    /// The largest distance along an axis of an atom here from its place in the lattice. Unit: lattice
    /// constants.
    func distanceFromLattice(_ shape: [Int]) -> Double {
        var worst = WorstError()
        for slot in 0..<count {
            let cell = identities[slot] / 4
            let cells = [cell % shape[0], cell / shape[0] % shape[1], cell / shape[0] / shape[1]]
            for axis in 0..<3 {
                let place =
                    (Double(cells[axis]) + Self.corners[identities[slot] % 4][axis])
                    * Self.latticeConstant
                let difference = positions[axis][slot] - place
                // The same place may lie at the other end of space.
                let turns = (difference / size[axis]).rounded()
                worst.add(abs(difference - turns * size[axis]) / Self.latticeConstant)
            }
        }
        return worst.value
    }
}

// MARK: - Start

extension AtomDomain {
    /// The four atoms of a cell of the lattice, in parts of its edge.
    private static let corners = [
        [0.25, 0.25, 0.25], [0.75, 0.75, 0.25], [0.75, 0.25, 0.75], [0.25, 0.75, 0.75],
    ]

    /// Fills the box with its part of the lattice. An atom's identity is its place in the lattice.
    func placeLattice(_ shape: [Int]) {
        identities = []
        positions = [[], [], []]
        anchors = [[], [], []]
        let a = Self.latticeConstant
        let ranges = (0..<3).map { axis in
            max(0, Int(low[axis] / a) - 1)..<min(shape[axis], Int(high[axis] / a) + 2)
        }
        for z in ranges[2] {
            for y in ranges[1] {
                for x in ranges[0] {
                    for (corner, offset) in Self.corners.enumerated() {
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

    /// Gives each atom a velocity that follows from its identity and the repetition, with no momentum in all and the
    /// given temperature. Collective.
    func setVelocities(temperature: Double, atoms: Int, _ number: Int) throws(MPIFailure) {
        let which = HashedMatrix.variant(6, number)
        velocities = (0..<3).map { axis in
            identities.map { HashedMatrix.entry(which, $0, axis) }
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

    /// Moves the atoms over `time`.
    func drift(by time: Double) {
        for axis in 0..<3 {
            for slot in 0..<count { positions[axis][slot] += time * velocities[axis][slot] }
        }
    }

    /// Whether an atom of any rank has come so far that lists may miss a neighbour. Collective.
    private func areListsOld() throws(MPIFailure) -> Bool {
        var worst = anchors[0].count == count ? 0 : Double.infinity
        for slot in anchors[0].indices where worst < .infinity {
            let dx = positions[0][slot] - anchors[0][slot]
            let dy = positions[1][slot] - anchors[1][slot]
            let dz = positions[2][slot] - anchors[2][slot]
            worst = max(worst, dx * dx + dy * dy + dz * dz)
        }
        // A share below a half: rounding must not decide.
        return try world.allReduce(worst, .maximum) > 0.249 * Self.skin * Self.skin
    }

    /// Hands atoms that have left the box to its neighbours, axis by axis. Collective.
    private func migrate() throws(MPIFailure) {
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
        let isAtEnd = place[axis] == (towardsLow ? 0 : grid.extents[axis] - 1)
        guard isAtEnd else { return }
        for start in stride(from: offset + axis, to: records.count, by: record) {
            records[start] += towardsLow ? size[axis] : -size[axis]
        }
    }
}

// MARK: - Forces

extension AtomDomain {
    /// Brings the copies up to date, or makes copies and lists anew, and computes the forces on the
    /// atoms that belong here.
    ///
    /// - Returns: Their part of the potential energy, and the pairs within the cutoff. Collective.
    func computeForces() throws(MPIFailure) -> (energy: Double, pairs: Int64) {
        if try areListsOld() {
            for axis in 0..<3 { positions[axis].removeSubrange(count...) }
            try migrate()
            reorder(list.order(positions, count))
            anchors = positions
            copied = []
            try exchangeCopies()
            list.build(positions, count)
        } else {
            try exchangeCopies()
        }
        return list.forces(positions, count, into: &forces)
    }

    private func reorder(_ order: [Int]) {
        identities = order.map { identities[$0] }
        positions = positions.map { values in order.map { values[$0] } }
        velocities = velocities.map { values in order.map { values[$0] } }
    }

    /// Gets the positions of what the neighbours have near the faces, axis by axis; each axis hands
    /// on what the axes before it have brought. Without a choice of atoms made before, makes one.
    /// Collective.
    private func exchangeCopies() throws(MPIFailure) {
        var end = count
        for axis in 0..<3 {
            if copied.count == axis { copied.append(atomsNearFaces(axis)) }
            var near = copied[axis].map { slots in
                var record: [Double] = []
                record.reserveCapacity(3 * slots.count)
                for slot in slots {
                    record.append(positions[0][slot])
                    record.append(positions[1][slot])
                    record.append(positions[2][slot])
                }
                return record
            }
            wrap(&near[0], axis, record: 3, offset: 0, towardsLow: true)
            wrap(&near[1], axis, record: 3, offset: 0, towardsLow: false)
            let coming = try messages.exchange(axis, down: near[0], up: near[1])
            for record in [coming.fromBelow, coming.fromAbove] {
                place(record, at: end)
                end += record.count / 3
            }
        }
    }

    /// The atoms and copies within reach of the lower and the upper face.
    private func atomsNearFaces(_ axis: Int) -> [[Int]] {
        let along = positions[axis]
        return [
            along.indices.filter { along[$0] < low[axis] + Self.reach },
            along.indices.filter { along[$0] >= high[axis] - Self.reach },
        ]
    }

    /// Puts the positions of `record` where the copies from `start` on are, or behind the last.
    private func place(_ record: [Double], at start: Int) {
        for axis in 0..<3 {
            let missing = start + record.count / 3 - positions[axis].count
            if missing > 0 { positions[axis] += [Double](repeating: 0, count: missing) }
            for index in 0..<(record.count / 3) {
                positions[axis][start + index] = record[3 * index + axis]
            }
        }
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
