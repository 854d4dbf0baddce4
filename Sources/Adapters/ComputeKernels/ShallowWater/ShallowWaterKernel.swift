internal import Glibc
internal import MessagePassing
internal import Prediction
internal import WireFormats

/// The shallow-water equations on a doubly periodic plane: the weather kernel SWM of NCAR.
///
/// Sadourny's scheme that conserves potential enstrophy, on the C grid, leapfrog with the
/// Robert–Asselin filter. The plane is cut into blocks over the ranks with a margin of two
/// points; what the scheme needs between the points (mass fluxes, vorticity, head) is computed once
/// more in the margin instead of being exchanged.
///
/// **Work** of a point and step: 65 flop, SWM's count, and 184 byte (3 fields read and 4 written,
/// then 10 read and 6 written).
///
/// **Verified** when the mass is what it was within 1e-12 and every point agrees within 1e-12 with a
/// twin by the definition: in S steps a point sees no farther than S points, so each rank's twin
/// starts from a rectangle that is larger by S and needs no other rank.
///
/// Source: Sadourny, "The Dynamics of Finite-Difference Models of the Shallow-Water Equations",
/// J. Atmos. Sci. 32, 1975; Hoffmann et al., SWM benchmark, 1984.
final class ShallowWaterKernel: Kernel {
    static let profile = KernelProfile(
        .shallow,
        title: "shallow-water equations, Sadourny's scheme (weather)",
        criterion: "mass within 1e-12, every point as a twin by the definition within 1e-12"
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        13 * 8 * Double(shape[0] + 2) * Double(shape[1] + 2)
    }

    private static let stepsOfRepetition = KernelForm.stepsOfRepetition

    private let world: Communicator
    private let shape: [Int]
    private let ranges: [Range<Int>]
    private let block: PaddedBlock
    private let halo: FaceHalo
    private(set) var now: ShallowFields
    private var old: ShallowFields
    private var new: ShallowFields
    private let between: ShallowBetween
    private var startMass = 0.0
    private var number = 0

    init(_ setting: KernelSetting) throws(KernelFailure) {
        world = setting.world
        shape = setting.shape
        let box = shape + [1]
        let grid = ProcessGrid(ranks: world.size, shape: box)
        ranges = try blocks(of: box, over: grid, rank: world.rank, thinnest: [2, 2, 1])
        block = PaddedBlock(extents: ranges.map(\.count), margin: [2, 2, 0])
        halo = FaceHalo(world: world, grid: grid, block: block)
        (now, old, new) = (ShallowFields(block), ShallowFields(block), ShallowFields(block))
        between = ShallowBetween(block)
    }

    func prepare(_ number: Int) throws(KernelFailure) {
        self.number = number
        for field in new.all { field.spoil() }
        for y in 0..<block.extents[1] {
            for x in 0..<block.extents[0] {
                let place = block.place(x, y, 0)
                let start = ShallowScheme.start(
                    ranges[0].lowerBound + x,
                    ranges[1].lowerBound + y,
                    shape,
                    number
                )
                for fields in [now, old] {
                    fields.u[place] = start.u
                    fields.v[place] = start.v
                    fields.p[place] = start.p
                }
            }
        }
        startMass = try mass()
    }

    func repetition() throws(KernelFailure) -> Work {
        for step in 0..<Self.stepsOfRepetition {
            try messaging { () throws(MPIFailure) in
                for field in now.all { try halo.exchange(field) }
            }
            between.compute(block, now)
            // The first step has no past to leap from.
            let time = step == 0 ? ShallowScheme.timeStep : 2 * ShallowScheme.timeStep
            advance(block, by: time, now, old, new, between)
            swap(&now, &new)
        }
        return Work(KernelForm.shallow.work(shape, ranks: world.size))
    }

    func answer() -> KernelAnswer? {
        var answer = KernelAnswer(.double, shape: [3, shape[1], shape[0]])
        for (number, field) in now.all.enumerated() {
            for (j, y) in ranges[1].enumerated() {
                let start = (number * shape[1] + y) * shape[0] + ranges[0].lowerBound
                answer.add(field, from: block.place(0, j, 0), count: ranges[0].count, at: start)
            }
        }
        return answer
    }

    func verify() throws(KernelFailure) -> Verdict {
        let drift = abs(try mass() - startMass) / startMass
        var worst = WorstError()
        let twin = ShallowTwin(block: ranges, after: Self.stepsOfRepetition, shape, number)
        for y in 0..<block.extents[1] {
            for x in 0..<block.extents[0] {
                let place = block.place(x, y, 0)
                let right = twin.fields(x, y)
                worst.add(abs(now.u[place] - right.u) / max(1, abs(right.u)))
                worst.add(abs(now.v[place] - right.v) / max(1, abs(right.v)))
                worst.add(abs(now.p[place] - right.p) / max(1, abs(right.p)))
            }
        }
        let error = worst.value
        let largest = try messaging { () throws(MPIFailure) in
            try world.allReduce(error, .maximum)
        }
        return Verdict(residual: largest, limit: 1e-12, and: drift <= 1e-12)
    }

    func details() throws(KernelFailure) -> [JSONValue.Member] {
        [.init("steps", .integer(Int64(Self.stepsOfRepetition)))]
    }

    private func mass() throws(KernelFailure) -> Double {
        var sum = CompensatedSum()
        for y in 0..<block.extents[1] {
            for x in 0..<block.extents[0] { sum.add(now.p[block.place(x, y, 0)]) }
        }
        let mine = sum.value
        return try messaging { () throws(MPIFailure) in try world.allReduce(mine, .sum) }
    }
}

/// Velocities and height on a padded block.
struct ShallowFields {
    let u: NumericBuffer<Double>
    let v: NumericBuffer<Double>
    let p: NumericBuffer<Double>

    init(_ block: PaddedBlock) {
        u = NumericBuffer(count: block.count, filledWith: 0)
        v = NumericBuffer(count: block.count, filledWith: 0)
        // The scheme divides by heights, in corners that nobody uses, too.
        p = NumericBuffer(count: block.count, filledWith: 1)
    }

    var all: [NumericBuffer<Double>] { [u, v, p] }
}

/// Constants and start of SWM.
enum ShallowScheme {
    static let timeStep = 90.0
    static let spacing = 100_000.0
    static let filter = 0.001
    /// 4/Δ, the factor of the vorticity.
    static let vorticity = 4 / spacing

    /// The fields at the start of a repetition at a point: a wave in the stream function, each time
    /// somewhat farther along x, heights to match.
    static func start(
        _ x: Int,
        _ y: Int,
        _ shape: [Int],
        _ number: Int
    ) -> (u: Double, v: Double, p: Double) {
        let later = Double(number % 1_000)
        let (dx, dy) = (2 * Double.pi / Double(shape[0]), 2 * Double.pi / Double(shape[1]))
        func stream(_ i: Int, _ j: Int) -> Double {
            1e6 * sin((Double(i) + 0.5) * dx + later) * sin((Double(j) + 0.5) * dy)
        }
        let u = -(stream(x, y + 1) - stream(x, y)) / spacing
        let v = (stream(x + 1, y) - stream(x, y)) / spacing
        let p = 1_000 * (cos(2 * (Double(x) * dx + later)) + cos(2 * Double(y) * dy)) + 50_000
        return (u, v, p)
    }
}

// MARK: - The sweeps

/// Mass fluxes, potential vorticity and head, between the points.
struct ShallowBetween {
    let cu: NumericBuffer<Double>
    let cv: NumericBuffer<Double>
    let z: NumericBuffer<Double>
    let h: NumericBuffer<Double>

    init(_ block: PaddedBlock) {
        cu = NumericBuffer(count: block.count, filledWith: 0)
        cv = NumericBuffer(count: block.count, filledWith: 0)
        z = NumericBuffer(count: block.count, filledWith: 0)
        h = NumericBuffer(count: block.count, filledWith: 0)
    }

    /// Computes all four on the block and one point around it.
    func compute(_ block: PaddedBlock, _ fields: ShallowFields) {
        for y in -1...block.extents[1] {
            let first = block.place(-1, y, 0)
            let body = BetweenRow(
                row: block.strides[1],
                from: (
                    UnsafePointer(fields.u.pointer), UnsafePointer(fields.v.pointer),
                    UnsafePointer(fields.p.pointer)
                ),
                to: (cu.pointer, cv.pointer, z.pointer, h.pointer)
            )
            sweep(first..<(first + block.extents[0] + 2), body)
        }
    }
}

/// A loop body that can be done for several points at once.
private protocol RowBody {
    func at<Lane: NumericLane>(_ place: Int, _: Lane.Type)
}

/// Runs a body over a row: eight points at a time, then one by one.
@inline(__always)
private func sweep(_ places: Range<Int>, _ body: some RowBody) {
    var place = places.lowerBound
    while place &+ 8 <= places.upperBound {
        body.at(place, SIMD8<Double>.self)
        place &+= 8
    }
    while place < places.upperBound {
        body.at(place, Double.self)
        place &+= 1
    }
}

private struct BetweenRow: RowBody {
    let row: Int
    let from: (u: UnsafePointer<Double>, v: UnsafePointer<Double>, p: UnsafePointer<Double>)
    let to:
        (
            cu: UnsafeMutablePointer<Double>, cv: UnsafeMutablePointer<Double>,
            z: UnsafeMutablePointer<Double>, h: UnsafeMutablePointer<Double>
        )

    @inline(__always)
    func at<Lane: NumericLane>(_ place: Int, _: Lane.Type) {
        let (u, v, p) = (from.u + place, from.v + place, from.p + place)
        let (uHere, vHere, pHere) = (Lane.load(u), Lane.load(v), Lane.load(p))
        let (pWest, pSouth) = (Lane.load(p - 1), Lane.load(p - row))
        (0.5 * (pHere + pWest) * uHere).store(to.cu + place)
        (0.5 * (pHere + pSouth) * vHere).store(to.cv + place)
        let turn = (vHere - Lane.load(v - 1)) - (uHere - Lane.load(u - row))
        let depth = (Lane.load(p - row - 1) + pSouth) + (pHere + pWest)
        (ShallowScheme.vorticity * turn / depth).store(to.z + place)
        let (uEast, vNorth) = (Lane.load(u + 1), Lane.load(v + row))
        let squares = (uEast * uEast + uHere * uHere) + (vNorth * vNorth + vHere * vHere)
        (pHere + 0.25 * squares).store(to.h + place)
    }
}

/// A step of time: `new` from `old` and the tendencies, and the filter of `now` into `old`.
private func advance(
    _ block: PaddedBlock,
    by time: Double,
    _ now: ShallowFields,
    _ old: ShallowFields,
    _ new: ShallowFields,
    _ between: ShallowBetween
) {
    for y in 0..<block.extents[1] {
        let first = block.place(0, y, 0)
        let body = StepRow(
            row: block.strides[1],
            time: time,
            now: now,
            old: old,
            new: new,
            between: between
        )
        sweep(first..<(first + block.extents[0]), body)
    }
}

private struct StepRow: RowBody {
    let row: Int
    let eighth: Double
    let slope: Double
    let now: (UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>)
    let old:
        (UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>)
    let new:
        (UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>)
    let cu: UnsafePointer<Double>
    let cv: UnsafePointer<Double>
    let z: UnsafePointer<Double>
    let h: UnsafePointer<Double>

    init(
        row: Int,
        time: Double,
        now: ShallowFields,
        old: ShallowFields,
        new: ShallowFields,
        between: ShallowBetween
    ) {
        self.row = row
        eighth = time / 8
        slope = time / ShallowScheme.spacing
        self.now = (
            UnsafePointer(now.u.pointer), UnsafePointer(now.v.pointer), UnsafePointer(now.p.pointer)
        )
        self.old = (old.u.pointer, old.v.pointer, old.p.pointer)
        self.new = (new.u.pointer, new.v.pointer, new.p.pointer)
        (cu, cv) = (UnsafePointer(between.cu.pointer), UnsafePointer(between.cv.pointer))
        (z, h) = (UnsafePointer(between.z.pointer), UnsafePointer(between.h.pointer))
    }

    @inline(__always)
    func at<Lane: NumericLane>(_ place: Int, _: Lane.Type) {
        let (cu, cv, z, h) = (cu + place, cv + place, z + place, h + place)
        let (zHere, hHere) = (Lane.load(z), Lane.load(h))
        let aroundU =
            (Lane.load(cv + row) + Lane.load(cv + row - 1)) + (Lane.load(cv - 1) + Lane.load(cv))
        let aroundV =
            (Lane.load(cu + 1) + Lane.load(cu)) + (Lane.load(cu - row) + Lane.load(cu - row + 1))
        let du =
            eighth * (Lane.load(z + row) + zHere) * aroundU - slope * (hHere - Lane.load(h - 1))
        let dv =
            -eighth * (Lane.load(z + 1) + zHere) * aroundV - slope * (hHere - Lane.load(h - row))
        let dp =
            -slope * (Lane.load(cu + 1) - Lane.load(cu))
            - slope * (Lane.load(cv + row) - Lane.load(cv))
        step(place, du, now.0, old.0, new.0)
        step(place, dv, now.1, old.1, new.1)
        step(place, dp, now.2, old.2, new.2)
    }

    @inline(__always)
    private func step<Lane: NumericLane>(
        _ place: Int,
        _ change: Lane,
        _ now: UnsafePointer<Double>,
        _ old: UnsafeMutablePointer<Double>,
        _ new: UnsafeMutablePointer<Double>
    ) {
        let (before, here) = (Lane.load(UnsafePointer(old + place)), Lane.load(now + place))
        let after = before + change
        after.store(new + place)
        (here + ShallowScheme.filter * ((after + before) - 2 * here)).store(old + place)
    }
}
