/// The shallow-water scheme by its definition, on the neighbourhood of one point.
///
/// Information moves one point a step, so a square whose half side is larger than the number of
/// steps gives the exact discrete value in its middle, whatever is assumed at its border.
enum ShallowTwin {
    /// The fields at a point after some steps.
    static func point(
        _ x: Int,
        _ y: Int,
        after steps: Int,
        _ shape: [Int]
    ) -> (u: Double, v: Double, p: Double) {
        let radius = steps + 2
        let side = 2 * radius + 1
        var u = Square(side)
        var v = Square(side)
        var p = Square(side)
        for j in 0..<side {
            for i in 0..<side {
                let at = [x - radius + i, y - radius + j]
                let wrapped = (0..<2).map { (at[$0] % shape[$0] + shape[$0]) % shape[$0] }
                let start = ShallowScheme.start(wrapped[0], wrapped[1], shape)
                (u[i, j], v[i, j], p[i, j]) = (start.u, start.v, start.p)
            }
        }
        var (uOld, vOld, pOld) = (u, v, p)
        for step in 0..<steps {
            let time = step == 0 ? ShallowScheme.timeStep : 2 * ShallowScheme.timeStep
            var (uNew, vNew, pNew) = (u, v, p)
            let (cu, cv, z, h) = between(u, v, p, side)
            let slope = time / ShallowScheme.spacing
            for j in 0..<side {
                for i in 0..<side {
                    let cvs = cv[i, j + 1] + cv[i - 1, j + 1] + cv[i - 1, j] + cv[i, j]
                    let cus = cu[i + 1, j] + cu[i, j] + cu[i, j - 1] + cu[i + 1, j - 1]
                    uNew[i, j] =
                        uOld[i, j] + time / 8 * (z[i, j + 1] + z[i, j]) * cvs
                        - slope * (h[i, j] - h[i - 1, j])
                    vNew[i, j] =
                        vOld[i, j] - time / 8 * (z[i + 1, j] + z[i, j]) * cus
                        - slope * (h[i, j] - h[i, j - 1])
                    pNew[i, j] =
                        pOld[i, j] - slope * (cu[i + 1, j] - cu[i, j])
                        - slope * (cv[i, j + 1] - cv[i, j])
                }
            }
            uOld = filtered(u, uOld, uNew)
            vOld = filtered(v, vOld, vNew)
            pOld = filtered(p, pOld, pNew)
            (u, v, p) = (uNew, vNew, pNew)
        }
        return (u[radius, radius], v[radius, radius], p[radius, radius])
    }

    private static func between(
        _ u: Square,
        _ v: Square,
        _ p: Square,
        _ side: Int
    ) -> (cu: Square, cv: Square, z: Square, h: Square) {
        var (cu, cv, z, h) = (u, u, u, u)
        for j in 0..<side {
            for i in 0..<side {
                cu[i, j] = 0.5 * (p[i, j] + p[i - 1, j]) * u[i, j]
                cv[i, j] = 0.5 * (p[i, j] + p[i, j - 1]) * v[i, j]
                let turn = v[i, j] - v[i - 1, j] - u[i, j] + u[i, j - 1]
                let depth = p[i - 1, j - 1] + p[i, j - 1] + p[i, j] + p[i - 1, j]
                z[i, j] = ShallowScheme.vorticity * turn / depth
                let squares =
                    u[i + 1, j] * u[i + 1, j] + u[i, j] * u[i, j]
                    + v[i, j + 1] * v[i, j + 1] + v[i, j] * v[i, j]
                h[i, j] = p[i, j] + 0.25 * squares
            }
        }
        return (cu, cv, z, h)
    }

    private static func filtered(_ now: Square, _ old: Square, _ new: Square) -> Square {
        var result = now
        for index in result.values.indices {
            result.values[index] +=
                ShallowScheme.filter
                * (new.values[index] - 2 * now.values[index] + old.values[index])
        }
        return result
    }

    /// A square of numbers whose border repeats outwards.
    private struct Square {
        let side: Int
        var values: [Double]

        init(_ side: Int) {
            self.side = side
            values = [Double](repeating: 0, count: side * side)
        }

        subscript(i: Int, j: Int) -> Double {
            get { values[min(max(j, 0), side - 1) * side + min(max(i, 0), side - 1)] }
            set { values[j * side + i] = newValue }
        }
    }
}
