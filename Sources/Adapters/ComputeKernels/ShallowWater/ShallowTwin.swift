/// The shallow-water scheme by its definition, point by point, on one rank's block alone.
///
/// Information moves one point a step, so a rectangle that reaches farther than the block by as many
/// points as there are steps needs nobody's margins: each step leaves one point less of it right, and
/// the block is left at the end. Nothing is shared with the kernel but constants and the start.
struct ShallowTwin {
    private let sides: [Int]
    private var now: Fields
    private var old: Fields
    private var new: Fields
    private let cu: NumericBuffer<Double>
    private let cv: NumericBuffer<Double>
    private let z: NumericBuffer<Double>
    private let h: NumericBuffer<Double>
    private let margin: Int
    private let extents: [Int]

    /// Velocities and height.
    private struct Fields {
        let u: NumericBuffer<Double>
        let v: NumericBuffer<Double>
        let p: NumericBuffer<Double>

        init(_ count: Int) {
            u = NumericBuffer(count: count, filledWith: 0)
            v = NumericBuffer(count: count, filledWith: 0)
            p = NumericBuffer(count: count, filledWith: 0)
        }
    }

    /// Computes the fields on `block` after `steps` steps of repetition `number`.
    init(block: [Range<Int>], after steps: Int, _ shape: [Int], _ number: Int) {
        margin = steps
        extents = block.prefix(2).map(\.count)
        sides = extents.map { $0 + 2 * steps }
        let count = sides[0] * sides[1]
        (now, old, new) = (Fields(count), Fields(count), Fields(count))
        cu = NumericBuffer(count: count, filledWith: 0)
        cv = NumericBuffer(count: count, filledWith: 0)
        z = NumericBuffer(count: count, filledWith: 0)
        h = NumericBuffer(count: count, filledWith: 0)
        func wrapped(_ at: Int, _ axis: Int) -> Int {
            let rest = (block[axis].lowerBound - steps + at) % shape[axis]
            return rest < 0 ? rest + shape[axis] : rest
        }
        for j in 0..<sides[1] {
            for i in 0..<sides[0] {
                let start = ShallowScheme.start(wrapped(i, 0), wrapped(j, 1), shape, number)
                let place = j * sides[0] + i
                for fields in [now, old] {
                    fields.u[place] = start.u
                    fields.v[place] = start.v
                    fields.p[place] = start.p
                }
            }
        }
        for step in 0..<steps {
            let time = step == 0 ? ShallowScheme.timeStep : 2 * ShallowScheme.timeStep
            computeBetween(step)
            advance(step + 1, by: time)
            (now, new) = (new, now)
        }
    }

    /// The fields at a point of the block, counted from its corner.
    func fields(_ x: Int, _ y: Int) -> (u: Double, v: Double, p: Double) {
        let place = (y + margin) * sides[0] + x + margin
        return (now.u[place], now.v[place], now.p[place])
    }

    /// Fluxes, vorticity and head, wherever all that they need is right when a rim of `rim` is not.
    private func computeBetween(_ rim: Int) {
        let row = sides[0]
        let (u, v, p) = (now.u.pointer, now.v.pointer, now.p.pointer)
        let (cu, cv, z, h) = (cu.pointer, cv.pointer, z.pointer, h.pointer)
        for j in rim..<(sides[1] - rim) {
            for i in rim..<(row - rim) {
                let at = j * row + i
                // At the rectangle's own edge there is no west, and no need of one.
                let (west, south) = (i > 0 ? at - 1 : at, j > 0 ? at - row : at)
                let southWest = j > 0 ? west - row : west
                let (east, north) = (i + 1 < row ? at + 1 : at, j + 1 < sides[1] ? at + row : at)
                cu[at] = 0.5 * (p[at] + p[west]) * u[at]
                cv[at] = 0.5 * (p[at] + p[south]) * v[at]
                let turn = v[at] - v[west] - u[at] + u[south]
                z[at] = ShallowScheme.vorticity * turn / (p[southWest] + p[south] + p[at] + p[west])
                let squares =
                    u[east] * u[east] + u[at] * u[at] + v[north] * v[north] + v[at] * v[at]
                h[at] = p[at] + 0.25 * squares
            }
        }
    }

    /// A step of time inside a rim, and the filter.
    private func advance(_ rim: Int, by time: Double) {
        let row = sides[0]
        let slope = time / ShallowScheme.spacing
        let (cu, cv, z, h) = (cu.pointer, cv.pointer, z.pointer, h.pointer)
        for j in rim..<(sides[1] - rim) {
            for i in rim..<(row - rim) {
                let at = j * row + i
                let cvs = cv[at + row] + cv[at - 1 + row] + cv[at - 1] + cv[at]
                let cus = cu[at + 1] + cu[at] + cu[at - row] + cu[at + 1 - row]
                new.u.pointer[at] =
                    old.u.pointer[at] + time / 8 * (z[at + row] + z[at]) * cvs
                    - slope * (h[at] - h[at - 1])
                new.v.pointer[at] =
                    old.v.pointer[at] - time / 8 * (z[at + 1] + z[at]) * cus
                    - slope * (h[at] - h[at - row])
                new.p.pointer[at] =
                    old.p.pointer[at] - slope * (cu[at + 1] - cu[at])
                    - slope * (cv[at + row] - cv[at])
                filter(now.u.pointer, old.u.pointer, new.u.pointer, at)
                filter(now.v.pointer, old.v.pointer, new.v.pointer, at)
                filter(now.p.pointer, old.p.pointer, new.p.pointer, at)
            }
        }
    }

    @inline(__always)
    private func filter(
        _ now: UnsafePointer<Double>,
        _ old: UnsafeMutablePointer<Double>,
        _ new: UnsafePointer<Double>,
        _ at: Int
    ) {
        old[at] = now[at] + ShallowScheme.filter * (new[at] - 2 * now[at] + old[at])
    }
}
