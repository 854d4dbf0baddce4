internal import CPrefetch
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

    private static let stepsOfRepetition = KernelForm.stepsOfRepetition
    private static let courantSquared = 0.16
    /// Eighth-order second difference: centre, and distances 1 to 4.
    private static let coefficients = [
        StencilWeight.centre, StencilWeight.first, StencilWeight.second, StencilWeight.third,
        StencilWeight.fourth,
    ]

    private let world: Communicator
    private let team: ThreadTeam
    private let shape: [Int]
    private let ranges: [Range<Int>]
    private let block: PaddedBlock
    private let halo: FaceHalo
    private var past: NumericBuffer<Double>
    private(set) var present: NumericBuffer<Double>
    private let medium: NumericBuffer<Double>

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
    }

    func prepare() {
        forEachPoint(atStep: -1) { place, value in past[place] = value }
        forEachPoint(atStep: 0) { place, value in present[place] = value }
    }

    func repetition() throws(KernelFailure) -> Work {
        for _ in 0..<Self.stepsOfRepetition {
            try messaging { () throws(MPIFailure) in try halo.exchange(self.present) }
            let (present, past) = (self.present.pointer, self.past.pointer)
            let (block, medium) = (block, medium.pointer)
            team.split(block.extents[2], step: 4) { planes in
                step(block, planes, present, past, medium)
            }
            swap(&self.past, &self.present)
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

/// One step of time over some planes of a block; the new values replace `past`.
///
/// Four planes are computed together, so that each of the twelve planes they need is loaded once
/// for all four; tiles of y keep what the next rows need in cache.
private func step(
    _ block: PaddedBlock,
    _ planes: Range<Int>,
    _ present: UnsafePointer<Double>,
    _ past: UnsafeMutablePointer<Double>,
    _ medium: UnsafePointer<Double>
) {
    let (dy, dz) = (block.strides[1], block.strides[2])
    for tile in stride(from: 0, to: block.extents[1], by: tileRows) {
        let rows = tile..<min(tile + tileRows, block.extents[1])
        for z in stride(from: planes.lowerBound, to: planes.upperBound, by: 4) {
            for y in rows {
                let at = block.place(0, y, z)
                let count = block.extents[0]
                if z + 4 <= planes.upperBound {
                    sweepFourRows(count, dy, dz, present + at, past + at, medium + at)
                } else {
                    for plane in 0..<(planes.upperBound - z) {
                        let at = at + plane * dz
                        sweepRow(0..<count, dy, dz, present + at, past + at, medium + at)
                    }
                }
            }
        }
    }
}

/// Measured: 1.03 of one tile for all rows, 1.08 of tiles of 16.
private let tileRows = 64

/// How far ahead memory is asked for. Unit: points. 16 and 64 are 0.9 as fast.
private let pointsAhead = 32

/// The rows of one y in four planes, along x. Eight points at a time, products and sums apart: a
/// fused one would call the C library on machines without the instruction.
private func sweepFourRows(
    _ count: Int,
    _ dy: Int,
    _ dz: Int,
    _ u: UnsafePointer<Double>,
    _ past: UnsafeMutablePointer<Double>,
    _ medium: UnsafePointer<Double>
) {
    var x = 0
    while x &+ 8 <= count {
        prefetchFour(u + (x &+ pointsAhead &+ 4 &* dz), dz)
        prefetchFour(past + (x &+ pointsAhead), dz)
        prefetchFour(medium + (x &+ pointsAhead), dz)
        let p = u + x
        let m4 = eight(p - 4 &* dz)
        let m3 = eight(p - 3 &* dz)
        let m2 = eight(p - 2 &* dz)
        let m1 = eight(p - dz)
        let c0 = eight(p)
        let c1 = eight(p + dz)
        let c2 = eight(p + 2 &* dz)
        let c3 = eight(p + 3 &* dz)
        let p4 = eight(p + 4 &* dz)
        let p5 = eight(p + 5 &* dz)
        let p6 = eight(p + 6 &* dz)
        let p7 = eight(p + 7 &* dz)
        update(p, dy, c0, c1 + m1, c2 + m2, c3 + m3, p4 + m4, past + x, medium + x)
        let (a1, b1) = (past + (x &+ dz), medium + (x &+ dz))
        update(p + dz, dy, c1, c2 + c0, c3 + m1, p4 + m2, p5 + m3, a1, b1)
        let (a2, b2) = (past + (x &+ 2 &* dz), medium + (x &+ 2 &* dz))
        update(p + 2 &* dz, dy, c2, c3 + c1, p4 + c0, p5 + m1, p6 + m2, a2, b2)
        let (a3, b3) = (past + (x &+ 3 &* dz), medium + (x &+ 3 &* dz))
        update(p + 3 &* dz, dy, c3, p4 + c2, p5 + c1, p6 + c0, p7 + m1, a3, b3)
        x &+= 8
    }
    for plane in 0..<4 {
        let at = plane &* dz
        sweepRow(x..<count, dy, dz, u + at, past + at, medium + at)
    }
}

/// Asks for a line in each of four planes. Addresses past the array's end do no harm.
@inline(__always)
private func prefetchFour(_ pointer: UnsafePointer<Double>, _ dz: Int) {
    xinghe_prefetch(pointer)
    xinghe_prefetch(pointer + dz)
    xinghe_prefetch(pointer + 2 &* dz)
    xinghe_prefetch(pointer + 3 &* dz)
}

/// Eight points, of which the sums along z at each distance are known.
@inline(__always)
private func update(
    _ u: UnsafePointer<Double>,
    _ dy: Int,
    _ centre: SIMD8<Double>,
    _ z1: SIMD8<Double>,
    _ z2: SIMD8<Double>,
    _ z3: SIMD8<Double>,
    _ z4: SIMD8<Double>,
    _ past: UnsafeMutablePointer<Double>,
    _ medium: UnsafePointer<Double>
) {
    // Each axis has its own centre weight.
    var sum = 3 * StencilWeight.centre * centre
    sum += StencilWeight.first * (cross(u, 1, dy) + z1)
    sum += StencilWeight.second * (cross(u, 2, 2 &* dy) + z2)
    sum += StencilWeight.third * (cross(u, 3, 3 &* dy) + z3)
    sum += StencilWeight.fourth * (cross(u, 4, 4 &* dy) + z4)
    let new = 2 * centre - eight(UnsafePointer(past)) + eight(medium) * sum
    UnsafeMutableRawPointer(past).storeBytes(of: new, as: SIMD8<Double>.self)
}

/// Points of one row, one at a time: what the vectors leave over.
private func sweepRow(
    _ points: Range<Int>,
    _ dy: Int,
    _ dz: Int,
    _ u: UnsafePointer<Double>,
    _ past: UnsafeMutablePointer<Double>,
    _ medium: UnsafePointer<Double>
) {
    for x in points {
        let at = u + x
        var sum = 3 * StencilWeight.centre * at[0]
        sum += StencilWeight.first * starOfOne(at, 1, dy, dz)
        sum += StencilWeight.second * starOfOne(at, 2, 2 &* dy, 2 &* dz)
        sum += StencilWeight.third * starOfOne(at, 3, 3 &* dy, 3 &* dz)
        sum += StencilWeight.fourth * starOfOne(at, 4, 4 &* dy, 4 &* dz)
        past[x] = 2 * at[0] - past[x] + medium[x] * sum
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

/// The four points at one distance along x and y.
@inline(__always)
private func cross(_ u: UnsafePointer<Double>, _ dx: Int, _ dy: Int) -> SIMD8<Double> {
    (eight(u + dx) + eight(u - dx)) + (eight(u + dy) + eight(u - dy))
}

@inline(__always)
private func starOfOne(_ u: UnsafePointer<Double>, _ dx: Int, _ dy: Int, _ dz: Int) -> Double {
    ((u[dx] + u[-dx]) + (u[dy] + u[-dy])) + (u[dz] + u[-dz])
}
