internal import Glibc
internal import MessagePassing
internal import Prediction
internal import WireFormats

/// Acoustic waves in three dimensions, as in seismic migration: second order in time, eighth order
/// in space, a star of 25 points.
///
/// `u(t+1) = 2u(t) − u(t−1) + (c Δt / Δx)² L u(t)` on a periodic grid, cut into blocks over the
/// ranks, with margins of 4 points. The medium is stored at each point as a survey needs it; here
/// it is homogeneous, so that the discrete solution is known.
///
/// **Work** of a point and step: 33 flop (for each of 4 distances 5 additions, a product and an
/// addition; 5 for centre and time) and 32 byte (u, u before, medium, new u).
///
/// **Verified** at every point: two plane waves are exact solutions of the *discrete* equations if
/// their frequency obeys `2 cos ω − 2 = (c Δt / Δx)² Σ λ(k)`, λ the stencil's symbol; after the
/// steps of a repetition the largest error may be 1e-11 of the amplitude.
///
/// Source: Micikevicius, "3D Finite Difference Computation on GPUs using CUDA", GPGPU-2, 2009, for
/// the scheme; Fornberg, Math. Comp. 51, 1988, for the coefficients.
final class StencilKernel: Kernel {
    static let profile = KernelProfile(
        .stencil,
        title: "3-D acoustic waves, 25-point star, halo exchange (seismic)",
        criterion: "largest error against the exact discrete plane waves <= 1e-11",
        maximumThreads: 1_024
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        3 * 8 * shape.reduce(1) { $0 * Double($1 + 8) }
    }

    static let stepsOfRepetition = KernelForm.stepsOfRepetition
    static let courantSquared = 0.16
    static let coefficients = [
        StencilWeight.centre, StencilWeight.first, StencilWeight.second, StencilWeight.third,
        StencilWeight.fourth,
    ]

    private let world: Communicator
    private let team: ThreadTeam
    private let shape: [Int]
    private let ranges: [Range<Int>]
    let block: PaddedBlock
    private let halo: FaceHalo
    private(set) var past: NumericBuffer<Double>
    private(set) var present: NumericBuffer<Double>
    private let medium: NumericBuffer<Double>
    private let sweep: StencilSweep
    private var number = 0

    init(_ setting: KernelSetting) throws(KernelFailure) {
        world = setting.world
        team = setting.team
        shape = setting.shape
        let grid = ProcessGrid(ranks: world.size, shape: shape)
        ranges = try blocks(of: shape, over: grid, rank: world.rank, thinnest: [4, 4, 4])
        block = PaddedBlock(extents: ranges.map(\.count), margin: [4, 4, 4])
        halo = FaceHalo(world: world, grid: grid, block: block)
        // Planes by the threads that will compute them, or nearly so: margins shift the parts.
        let plane = block.strides[2]
        past = NumericBuffer(count: block.count, filledWith: 0, by: team, step: plane)
        present = NumericBuffer(count: block.count, filledWith: 0, by: team, step: plane)
        medium = NumericBuffer(
            count: block.count,
            filledWith: Self.courantSquared,
            by: team,
            step: plane
        )
        sweep = StencilSweep(block, wrapsAlongX: grid.extents[0] == 1, threads: team.count)
    }

    func prepare(_ number: Int) {
        self.number = number
        forEachPoint(atStep: -1) { place, value in past[place] = value }
        forEachPoint(atStep: 0) { place, value in present[place] = value }
    }

    func repetition() throws(KernelFailure) -> Work {
        for step in 0..<Self.stepsOfRepetition {
            let axes = step > 0 && sweep.wrapsAlongX ? 1..<3 : 0..<3
            try messaging { () throws(MPIFailure) in
                try halo.exchange(self.present, axes: axes)
            }
            let (present, past) = (self.present.pointer, self.past.pointer)
            let (sweep, medium) = (sweep, medium.pointer)
            team.split(block.extents[2], step: StencilSweep.planesTogether) { thread, planes in
                sweep.step(planes, present, past, medium, by: thread)
            }
            swap(&self.past, &self.present)
        }
        return work
    }

    var work: Work { Work(KernelForm.stencil.work(shape, ranks: world.size)) }

    func answer() -> KernelAnswer? {
        var answer = KernelAnswer(.double, shape: shape.reversed())
        for (k, z) in ranges[2].enumerated() {
            for (j, y) in ranges[1].enumerated() {
                let start = (z * shape[1] + y) * shape[0] + ranges[0].lowerBound
                answer.add(present, from: block.place(0, j, k), count: ranges[0].count, at: start)
            }
        }
        return answer
    }

    func verify() throws(KernelFailure) -> Verdict {
        var worst = WorstError()
        forEachPoint(atStep: Self.stepsOfRepetition) { place, value in
            let error = abs(present[place] - value)
            worst.add(error)
        }
        let error = worst.value
        let largest = try messaging { () throws(MPIFailure) in
            try world.allReduce(error, .maximum)
        }
        return Verdict(residual: largest, limit: 1e-11)
    }

    func details() throws(KernelFailure) -> [JSONValue.Member] {
        [.init("steps", .integer(Int64(Self.stepsOfRepetition)))]
    }
}

// MARK: - The exact solution

extension StencilKernel {
    /// Calls `body` with the place of every point of the block and the value there of the exact
    /// discrete solution at step `step`.
    private func forEachPoint(atStep step: Int, _ body: (Int, Double) -> Void) {
        let waves = [([1, 2, 1], 0.75), ([2, -1, 3], 0.25)].map { cycles, amplitude in
            // Some radians later: another wave, as exact as the first.
            PlaneWave(
                cycles: cycles,
                amplitude: amplitude,
                step: step,
                later: Double(number % 1_000),
                shape: shape
            )
        }
        for (k, z) in ranges[2].enumerated() {
            for (j, y) in ranges[1].enumerated() {
                let lines = waves.map { $0.line(y, z) }
                for (i, x) in ranges[0].enumerated() {
                    var value = 0.0
                    for (wave, line) in zip(waves, lines) {
                        value += (line * wave.factors[0][x]).real
                    }
                    body(block.place(i, j, k), value)
                }
            }
        }
    }

    /// `amplitude · cos(k·x − ω step − later)`, as a product of one complex factor an axis.
    private struct PlaneWave {
        let factors: [[Complex]]
        let phase: Complex

        init(cycles: [Int], amplitude: Double, step: Int, later: Double, shape: [Int]) {
            let numbers = (0..<3).map { 2 * Double.pi * Double(cycles[$0]) / Double(shape[$0]) }
            let symbol = numbers.reduce(0) { $0 + StencilKernel.symbol($1) }
            let frequency = acos(1 + StencilKernel.courantSquared * symbol / 2)
            let angle = -frequency * Double(step) - later
            phase = Complex(real: amplitude * cos(angle), imaginary: amplitude * sin(angle))
            factors = (0..<3).map { axis in
                (0..<shape[axis]).map { index in
                    let angle = numbers[axis] * Double(index)
                    return Complex(real: cos(angle), imaginary: sin(angle))
                }
            }
        }

        func line(_ y: Int, _ z: Int) -> Complex {
            phase * factors[1][y] * factors[2][z]
        }
    }

    /// What the second difference makes of a wave with `number` radians a point.
    private static func symbol(_ number: Double) -> Double {
        (1...4).reduce(coefficients[0]) { $0 + 2 * coefficients[$1] * cos(number * Double($1)) }
    }
}
