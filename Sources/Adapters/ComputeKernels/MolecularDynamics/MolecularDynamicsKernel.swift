internal import MessagePassing
internal import Prediction
internal import WireFormats

/// Molecular dynamics of a Lennard-Jones liquid: the melt of LAMMPS's benchmark.
///
/// Reduced units: density 0.8442 on a face-centred cubic lattice, temperature 1.44, cutoff 2.5,
/// time step 0.002; velocity Verlet at constant energy. Space is cut into boxes over the ranks:
/// atoms that leave a box go to the neighbour, and each box has copies of the atoms near its faces.
/// Forces come from neighbour lists made through cells (`NeighbourList`).
///
/// **Work** of a step: 23 flop for each pair within the cutoff, seen from both its atoms (counted,
/// not estimated), and 9 flop an atom for the integration; 144 byte an atom (position, velocity and
/// force read and written).
///
/// **Verified** when after a repetition the energy is within 2e-4 of its start, the momentum of an
/// atom has stayed zero within 1e-12, the forces on 16 atoms agree within 1e-10 with direct sums over
/// all atoms, and every atom, its velocity turned round, is back on its place in the lattice after as
/// many steps, within 1e-11 of the lattice constant: the scheme is reversible (Verlet 1967), so a force
/// that was wrong at any step, on any atom, leaves its trace.
///
/// Source: Plimpton, "Fast Parallel Algorithms for Short-Range Molecular Dynamics", J. Comput.
/// Phys. 117, 1995.
final class MolecularDynamicsKernel: Kernel {
    static let profile = KernelProfile(
        .md,
        title: "molecular dynamics: Lennard-Jones melt, neighbour lists from cells, domains",
        criterion: "energy drift <= 2e-4, momentum <= 1e-12, all atoms back within 1e-11 when "
            + "time turns, 16 forces as direct sums"
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        // Measured: 320 byte of list and 140 of state an atom, and 60 for each copy around the boxes.
        4 * 520 * shape.reduce(1) { $0 * Double($1 + 4) }
    }

    private static let stepsOfRepetition = KernelForm.stepsOfRepetition
    private static let timeStep = 0.002
    private static let temperature = 1.44
    private static let samples = 16

    private let world: Communicator
    private let shape: [Int]
    let domain: AtomDomain
    private var startEnergy = 0.0
    private var energy = 0.0
    private var pairs: Int64 = 0

    init(_ setting: KernelSetting) throws(KernelFailure) {
        world = setting.world
        shape = setting.shape
        let grid = ProcessGrid(ranks: world.size, shape: shape)
        // Else an atom would see another and its periodic image.
        guard shape.allSatisfy({ $0 >= 3 }) else {
            throw .malformedSize(
                extentsText(shape),
                kernel: Self.profile.name,
                meaning: "NXxNYxNZ lattice cells of 4 atoms, at least 3 along each axis"
            )
        }
        let size = shape.map { Double($0) * AtomDomain.latticeConstant }
        for axis in 0..<3 where size[axis] / Double(grid.extents[axis]) <= AtomDomain.reach {
            throw .tooManyRanks(
                world.size,
                shape: shape,
                why: "a rank's box would be thinner than the lists' reach"
            )
        }
        domain = AtomDomain(world: world, grid: grid, size: size)
    }

    func prepare(_ number: Int) throws(KernelFailure) {
        try messaging { () throws(MPIFailure) in
            domain.placeLattice(shape)
            try domain.setVelocities(temperature: Self.temperature, atoms: atoms, number)
            let result = try domain.computeForces()
            startEnergy = try world.allReduce(result.energy + domain.kineticEnergy, .sum)
        }
    }

    func repetition() throws(KernelFailure) -> Work {
        try messaging { () throws(MPIFailure) in
            pairs = 0
            for _ in 0..<Self.stepsOfRepetition {
                let result = try step()
                pairs += result.pairs
                energy = result.energy
            }
            pairs = try world.allReduce(pairs, .sum)
        }
        let updates = Int64(atoms) * Int64(Self.stepsOfRepetition)
        return Work(flop: 23 * pairs + 9 * updates, byte: 144 * updates)
    }

    func answer() -> KernelAnswer? {
        var answer = KernelAnswer(.double, shape: [atoms, 6])
        for (identity, numbers) in domain.positionsAndVelocities {
            answer.add(numbers, at: 6 * identity)
        }
        return answer
    }

    func verify() throws(KernelFailure) -> Verdict {
        try messaging { () throws(MPIFailure) in
            let sums = try world.allReduce(
                [energy + domain.kineticEnergy] + domain.momentum + [Double(domain.count)],
                .sum
            )
            let drift = abs(sums[0] - startEnergy) / abs(startEnergy)
            let momentum = largest(Array(sums[1...3])) / Double(atoms)
            let error = try largestForceError()
            let distance = try distanceWhenTimeTurns()
            return Verdict(
                residual: drift,
                limit: 2e-4,
                and: momentum <= 1e-12 && error <= 1e-10 && distance <= 1e-11
                    && sums[4] == Double(atoms)
            )
        }
    }

    /// How far from its place in the lattice an atom is at most, in lattice constants, when all have
    /// gone back as many steps. Leaves the atoms as they were.
    private func distanceWhenTimeTurns() throws(MPIFailure) -> Double {
        let state = domain.state
        defer { domain.state = state }
        domain.turnBack()
        for _ in 0..<Self.stepsOfRepetition { _ = try step() }
        return try world.allReduce(domain.distanceFromLattice(shape), .maximum)
    }

    private func step() throws(MPIFailure) -> (energy: Double, pairs: Int64) {
        domain.kick(by: Self.timeStep / 2)
        domain.drift(by: Self.timeStep)
        let result = try domain.computeForces()
        domain.kick(by: Self.timeStep / 2)
        return result
    }

    func details() throws(KernelFailure) -> [JSONValue.Member] {
        [
            .init("atoms", .integer(Int64(atoms))),
            .init("steps", .integer(Int64(Self.stepsOfRepetition))),
            .init("pairs_in_cutoff", .integer(pairs)),
            .init("energy_per_atom", .number(startEnergy / Double(atoms))),
        ]
    }

    private var atoms: Int { shape.reduce(4, *) }

    /// The largest distance of a sampled atom's force from the sum over all atoms, relative to the
    /// largest such force. Each rank sums over its own atoms.
    private func largestForceError() throws(MPIFailure) -> Double {
        let identities = (0..<Self.samples).map { $0 * atoms / Self.samples }
        var known = [Double](repeating: 0, count: 6 * identities.count)
        for (slot, identity) in identities.enumerated() {
            guard let (position, force) = domain.atom(identity) else { continue }
            for axis in 0..<3 {
                known[6 * slot + axis] = position[axis]
                known[6 * slot + 3 + axis] = force[axis]
            }
        }
        known = try world.allReduce(known, .sum)
        var direct = [Double](repeating: 0, count: 3 * identities.count)
        for slot in identities.indices {
            let force = domain.directForce(at: Array(known[(6 * slot)..<(6 * slot + 3)]))
            for axis in 0..<3 { direct[3 * slot + axis] = force[axis] }
        }
        direct = try world.allReduce(direct, .sum)
        let errors = direct.indices.map { known[6 * ($0 / 3) + 3 + $0 % 3] - direct[$0] }
        return largest(errors) / max(1, largest(direct))
    }
}
