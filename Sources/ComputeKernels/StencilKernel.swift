internal import Glibc
internal import MessagePassing
internal import Prediction
internal import WireFormats

/// Acoustic waves in three dimensions, as in seismic migration: second order in time, eighth order
/// in space, a star of 25 points.
///
/// `u(t+1) = 2u(t) − u(t−1) + (c Δt / Δx)² L u(t)` on a periodic grid, cut into blocks over the
/// ranks, with margins of 4 points. The medium is stored at each point as a survey needs it; here
/// it is homogeneous, so that the discrete solution is known. Rows are swept in tiles of y, so that
/// the nine planes of a tile stay in cache.
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
        criterion: "largest error against the exact discrete plane waves <= 1e-11"
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        3 * 8 * shape.reduce(1) { $0 * Double($1 + 8) }
    }

    private static let stepsOfRepetition = KernelForm.stepsOfRepetition
    private static let courantSquared = 0.16
    /// Eighth-order second difference: centre, and distances 1 to 4.
    private static let coefficients = [
        StencilWeight.centre, StencilWeight.first, StencilWeight.second, StencilWeight.third,
        StencilWeight.fourth,
    ]

    private let world: Communicator
    private let shape: [Int]
    private let ranges: [Range<Int>]
    private let block: PaddedBlock
    private let halo: FaceHalo
    private var past: NumericBuffer<Double>
    private(set) var present: NumericBuffer<Double>
    private let medium: NumericBuffer<Double>

    init(_ setting: KernelSetting) throws(KernelFailure) {
        world = setting.world
        shape = setting.shape
        let grid = ProcessGrid(ranks: world.size, shape: shape)
        ranges = try blocks(of: shape, over: grid, rank: world.rank, thinnest: [4, 4, 4])
        block = PaddedBlock(extents: ranges.map(\.count), margin: [4, 4, 4])
        halo = FaceHalo(world: world, grid: grid, block: block)
        past = NumericBuffer(count: block.count, filledWith: 0)
        present = NumericBuffer(count: block.count, filledWith: 0)
        medium = NumericBuffer(count: block.count, filledWith: Self.courantSquared)
    }

    func prepare() {
        forEachPoint(atStep: -1) { place, value in past[place] = value }
        forEachPoint(atStep: 0) { place, value in present[place] = value }
    }

    func repetition() throws(KernelFailure) -> Work {
        for _ in 0..<Self.stepsOfRepetition {
            try messaging { () throws(MPIFailure) in try halo.exchange(present) }
            step(block, present.pointer, past.pointer, medium.pointer)
            swap(&past, &present)
        }
        return Work(KernelForm.stencil.work(shape, ranks: world.size))
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
            PlaneWave(cycles: cycles, amplitude: amplitude, step: step, shape: shape)
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

    /// `amplitude · cos(k·x − ω step)`, as a product of one complex factor an axis.
    private struct PlaneWave {
        let factors: [[Complex]]
        let phase: Complex

        init(cycles: [Int], amplitude: Double, step: Int, shape: [Int]) {
            let numbers = (0..<3).map { 2 * Double.pi * Double(cycles[$0]) / Double(shape[$0]) }
            let symbol = numbers.reduce(0) { $0 + StencilKernel.symbol($1) }
            let frequency = acos(1 + StencilKernel.courantSquared * symbol / 2)
            let angle = -frequency * Double(step)
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

// MARK: - The sweep

/// One step of time over a block; the new values replace `past`.
private func step(
    _ block: PaddedBlock,
    _ present: UnsafePointer<Double>,
    _ past: UnsafeMutablePointer<Double>,
    _ medium: UnsafePointer<Double>
) {
    let strides = block.strides
    // Nine planes of a tile, and the rows around it, in a mebibyte.
    let rows = max(8, 131_072 / 9 / strides[1] - 8)
    for tile in stride(from: 0, to: block.extents[1], by: rows) {
        for z in 0..<block.extents[2] {
            for y in tile..<min(tile + rows, block.extents[1]) {
                let start = block.place(0, y, z)
                sweepRow(
                    block.extents[0],
                    strides[1],
                    strides[2],
                    present + start,
                    past + start,
                    medium + start
                )
            }
        }
    }
}

/// One row along x. Eight points at a time, products and sums apart: a fused one would call the C
/// library on machines without the instruction.
private func sweepRow(
    _ count: Int,
    _ dy: Int,
    _ dz: Int,
    _ u: UnsafePointer<Double>,
    _ past: UnsafeMutablePointer<Double>,
    _ medium: UnsafePointer<Double>
) {
    // Each axis has its own centre weight.
    let c0 = 3 * StencilWeight.centre
    var x = 0
    while x &+ 8 <= count {
        let centre = eight(u + x)
        var sum = c0 * centre
        sum += StencilWeight.first * star(u + x, 1, dy, dz)
        sum += StencilWeight.second * star(u + x, 2, 2 &* dy, 2 &* dz)
        sum += StencilWeight.third * star(u + x, 3, 3 &* dy, 3 &* dz)
        sum += StencilWeight.fourth * star(u + x, 4, 4 &* dy, 4 &* dz)
        let new = 2 * centre - eight(UnsafePointer(past + x)) + eight(medium + x) * sum
        UnsafeMutableRawPointer(past + x).storeBytes(of: new, as: SIMD8<Double>.self)
        x &+= 8
    }
    while x < count {
        let at = u + x
        var sum = c0 * at[0]
        sum += StencilWeight.first * starOfOne(at, 1, dy, dz)
        sum += StencilWeight.second * starOfOne(at, 2, 2 &* dy, 2 &* dz)
        sum += StencilWeight.third * starOfOne(at, 3, 3 &* dy, 3 &* dz)
        sum += StencilWeight.fourth * starOfOne(at, 4, 4 &* dy, 4 &* dz)
        past[x] = 2 * at[0] - past[x] + medium[x] * sum
        x &+= 1
    }
}

/// The weights as constants that the compiler folds into the loop.
private enum StencilWeight {
    static var centre: Double { -205.0 / 72 }
    static var first: Double { 8.0 / 5 }
    static var second: Double { -1.0 / 5 }
    static var third: Double { 8.0 / 315 }
    static var fourth: Double { -1.0 / 560 }
}

@inline(__always)
private func eight(_ pointer: UnsafePointer<Double>) -> SIMD8<Double> {
    UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Double>.self)
}

/// The six points at one distance.
@inline(__always)
private func star(
    _ u: UnsafePointer<Double>,
    _ dx: Int,
    _ dy: Int,
    _ dz: Int
) -> SIMD8<Double> {
    ((eight(u + dx) + eight(u - dx)) + (eight(u + dy) + eight(u - dy)))
        + (eight(u + dz) + eight(u - dz))
}

@inline(__always)
private func starOfOne(_ u: UnsafePointer<Double>, _ dx: Int, _ dy: Int, _ dz: Int) -> Double {
    ((u[dx] + u[-dx]) + (u[dy] + u[-dy])) + (u[dz] + u[-dz])
}
