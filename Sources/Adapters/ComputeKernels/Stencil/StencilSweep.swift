internal import CProcessor

/// One step of time over a padded block: the inner loops of `StencilKernel`.
///
/// Four planes are computed together, in two passes over a few rows. The first adds what lies along
/// z, so that each of the twelve planes it needs is loaded once for all four, and leaves the sums in
/// a buffer that stays in cache. The second takes one plane after the other and adds x and y: then
/// the nine rows of its window stay in the first-level cache, and memory is read as few straight
/// streams. One pass for both had 0.57 of the triad's bandwidth; `bench/kernels.sh stencil` says what
/// this has.
struct StencilSweep {
    /// Planes that share their loads. Parts of threads should be whole multiples.
    static let planesTogether = 4

    /// Points a plane of the buffer, so that four planes stay in the second-level cache: 128 KiB.
    private static let bufferedPoints = 4_096

    /// Whether the block is whole along x: then a step fills these margins of the new values itself,
    /// while their rows are in cache.
    let wrapsAlongX: Bool

    private let block: PaddedBlock
    /// Rows that the buffer holds of each plane.
    private let rowsTogether: Int
    private let sumsOfThreads: [NumericBuffer<Double>]

    init(_ block: PaddedBlock, wrapsAlongX: Bool, threads: Int) {
        let length = max(1, block.extents[0])
        self.block = block
        self.wrapsAlongX = wrapsAlongX
        rowsTogether = max(1, min(block.extents[1], Self.bufferedPoints / length))
        let count = Self.planesTogether * rowsTogether * length
        sumsOfThreads = (0..<threads).map { _ in NumericBuffer(count: count, filledWith: 0) }
    }

    /// Computes `planes`; the new values replace `past`.
    func step(
        _ planes: Range<Int>,
        _ present: UnsafePointer<Double>,
        _ past: UnsafeMutablePointer<Double>,
        _ medium: UnsafePointer<Double>,
        by thread: Int
    ) {
        let sums = sumsOfThreads[thread].pointer
        let whole = planes.count / Self.planesTogether * Self.planesTogether
        let end = planes.lowerBound + whole
        for z in stride(from: planes.lowerBound, to: end, by: Self.planesTogether) {
            for y in stride(from: 0, to: block.extents[1], by: rowsTogether) {
                let rows = y..<min(y + rowsTogether, block.extents[1])
                stepFourPlanes(z, rows, present, past, medium, sums)
            }
        }
        for z in end..<planes.upperBound {
            for y in 0..<block.extents[1] {
                let at = block.place(0, y, z)
                stepPoints(0..<block.extents[0], present + at, past + at, medium + at)
                if wrapsAlongX { wrap(past + at) }
            }
        }
    }

    private func stepFourPlanes(
        _ z: Int,
        _ rows: Range<Int>,
        _ present: UnsafePointer<Double>,
        _ past: UnsafeMutablePointer<Double>,
        _ medium: UnsafePointer<Double>,
        _ sums: UnsafeMutablePointer<Double>
    ) {
        let length = block.extents[0]
        let plane = rowsTogether * length
        let (vectors, dy, dz) = (length & ~3, block.strides[1], block.strides[2])
        for (row, y) in rows.enumerated() {
            let at = block.place(0, y, z)
            sumAlongZ(vectors, dz, present + at, sums + row * length, plane)
        }
        // Where the rows of the next first pass lie, in the planes that nothing has read yet.
        let isLast = rows.upperBound == block.extents[1]
        let later =
            isLast
            ? 2 * Self.planesTogether * dz - rows.lowerBound * dy
            : Self.planesTogether * dz + rowsTogether * dy
        for k in 0..<Self.planesTogether {
            for (row, y) in rows.enumerated() {
                let at = block.place(0, y, z + k)
                let (u, before, c) = (present + at, past + at, medium + at)
                stepAlongXY(vectors, dy, u, later, sums + k * plane + row * length, before, c)
                stepPoints(vectors..<length, u, before, c)
                if wrapsAlongX { wrap(before) }
            }
        }
    }

    /// Fills the margins of the row that starts at `row` from its other end.
    private func wrap(_ row: UnsafeMutablePointer<Double>) {
        let length = block.extents[0]
        for x in 1...block.margin[0] {
            row[-x] = row[length - x]
            row[length + x - 1] = row[x - 1]
        }
    }

    /// Points of one row, one at a time: what the vectors leave over.
    private func stepPoints(
        _ points: Range<Int>,
        _ u: UnsafePointer<Double>,
        _ past: UnsafeMutablePointer<Double>,
        _ medium: UnsafePointer<Double>
    ) {
        let (dy, dz) = (block.strides[1], block.strides[2])
        for x in points {
            let at = u + x
            // Each axis has its own centre weight.
            var sum = 3 * StencilWeight.centre * at[0]
            sum += StencilWeight.first * starOfOne(at, 1, dy, dz)
            sum += StencilWeight.second * starOfOne(at, 2, 2 &* dy, 2 &* dz)
            sum += StencilWeight.third * starOfOne(at, 3, 3 &* dy, 3 &* dz)
            sum += StencilWeight.fourth * starOfOne(at, 4, 4 &* dy, 4 &* dz)
            past[x] = 2 * at[0] - past[x] + medium[x] * sum
        }
    }
}

/// Eighth-order second difference: centre, and distances 1 to 4. Constants that the compiler folds
/// into the loops.
enum StencilWeight {
    static var centre: Double { -205.0 / 72 }
    static var first: Double { 8.0 / 5 }
    static var second: Double { -1.0 / 5 }
    static var third: Double { 8.0 / 315 }
    static var fourth: Double { -1.0 / 560 }
}

private typealias Four = SIMD4<Double>

/// How far ahead memory is asked for. Unit: points. Without, 0.83 as fast.
private let pointsAhead = 64

/// Weighted sums along z, the centre of all three axes included, of one row in four planes.
///
/// - Parameters:
///   - count: Points, a multiple of 4.
///   - u: The row in the first plane; planes lie `dz` apart.
///   - sums: The results, planes `plane` apart.
private func sumAlongZ(
    _ count: Int,
    _ dz: Int,
    _ u: UnsafePointer<Double>,
    _ sums: UnsafeMutablePointer<Double>,
    _ plane: Int
) {
    let (below4, below3, below2, below1) = (u - 4 &* dz, u - 3 &* dz, u - 2 &* dz, u - dz)
    let (row1, row2, row3) = (u + dz, u + 2 &* dz, u + 3 &* dz)
    let (above4, above5, above6, above7) = (u + 4 &* dz, u + 5 &* dz, u + 6 &* dz, u + 7 &* dz)
    let (sums1, sums2, sums3) = (sums + plane, sums + 2 &* plane, sums + 3 &* plane)
    var x = 0
    while x < count {
        let (m4, m3, m2, m1) = (four(below4, x), four(below3, x), four(below2, x), four(below1, x))
        let (c0, c1, c2, c3) = (four(u, x), four(row1, x), four(row2, x), four(row3, x))
        let (p4, p5, p6, p7) = (four(above4, x), four(above5, x), four(above6, x), four(above7, x))
        store(weighted(c0, c1 + m1, c2 + m2, c3 + m3, p4 + m4), sums, x)
        store(weighted(c1, c2 + c0, c3 + m1, p4 + m2, p5 + m3), sums1, x)
        store(weighted(c2, c3 + c1, p4 + c0, p5 + m1, p6 + m2), sums2, x)
        store(weighted(c3, p4 + c2, p5 + c1, p6 + c0, p7 + m1), sums3, x)
        x &+= 4
    }
}

/// One row: the sums along z, completed along x and y, give the new values.
///
/// Along x the vectors come from shifts of the two neighbours, since memory is the narrow side; what
/// is shifted to the east for one vector is the west of the next. Each pass lets memory fetch for the
/// other: here what the next first pass needs, `later` points further.
private func stepAlongXY(
    _ count: Int,
    _ dy: Int,
    _ u: UnsafePointer<Double>,
    _ later: Int,
    _ sums: UnsafePointer<Double>,
    _ past: UnsafeMutablePointer<Double>,
    _ medium: UnsafePointer<Double>
) {
    let (south1, south2, south3, south4) = (u - dy, u - 2 &* dy, u - 3 &* dy, u - 4 &* dy)
    let (north1, north2, north3, north4) = (u + dy, u + 2 &* dy, u + 3 &* dy, u + 4 &* dy)
    var (west, centre) = (four(u, -4), four(u, 0))
    var between = Four(lowHalf: west.highHalf, highHalf: centre.lowHalf)
    var (west1, west3) = (oneOn(between, centre), oneOn(west, between))
    var x = 0
    while x < count {
        xinghe_prefetch(past + (x &+ pointsAhead))
        xinghe_prefetch(medium + (x &+ pointsAhead))
        // Two vectors are a cache line.
        if x & 4 == 0 { xinghe_prefetch_later(u + (x &+ later)) }
        let east = four(u, x &+ 4)
        let next = Four(lowHalf: centre.highHalf, highHalf: east.lowHalf)
        let (east1, east3) = (oneOn(centre, next), oneOn(next, east))
        var sum = four(sums, x)
        sum.add(StencilWeight.first, (west1 + east1) + (four(south1, x) + four(north1, x)))
        sum.add(StencilWeight.second, (between + next) + (four(south2, x) + four(north2, x)))
        sum.add(StencilWeight.third, (west3 + east3) + (four(south3, x) + four(north3, x)))
        sum.add(StencilWeight.fourth, (west + east) + (four(south4, x) + four(north4, x)))
        var new = (centre + centre) - four(UnsafePointer(past), x)
        new.add(four(medium, x), sum)
        store(new, past, x)
        (west, centre, between, west1, west3) = (centre, east, next, east3, east1)
        x &+= 4
    }
}

/// The centre of three axes and the sums at the distances 1 to 4 of one, weighted.
@inline(__always)
private func weighted(_ centre: Four, _ s1: Four, _ s2: Four, _ s3: Four, _ s4: Four) -> Four {
    var sum = 3 * StencilWeight.centre * centre
    sum.add(StencilWeight.first, s1)
    sum.add(StencilWeight.second, s2)
    sum.add(StencilWeight.third, s3)
    sum.add(StencilWeight.fourth, s4)
    return sum
}

/// The vector one point further than `low`, of which `high` is two points further.
@inline(__always)
private func oneOn(_ low: Four, _ high: Four) -> Four {
    Four(low[1], high[0], low[3], high[2])
}

@inline(__always)
private func four(_ pointer: UnsafePointer<Double>, _ x: Int) -> Four {
    UnsafeRawPointer(pointer + x).loadUnaligned(as: Four.self)
}

@inline(__always)
private func store(_ value: Four, _ pointer: UnsafeMutablePointer<Double>, _ x: Int) {
    UnsafeMutableRawPointer(pointer + x).storeBytes(of: value, as: Four.self)
}

@inline(__always)
private func starOfOne(_ u: UnsafePointer<Double>, _ dx: Int, _ dy: Int, _ dz: Int) -> Double {
    ((u[dx] + u[-dx]) + (u[dy] + u[-dy])) + (u[dz] + u[-dz])
}

extension SIMD4<Double> {
    /// Adds `weight · values`; in one rounding where this code is compiled for a processor that can,
    /// since elsewhere a fused product is a call of the C library.
    @inline(__always)
    fileprivate mutating func add(_ weight: Double, _ values: Self) {
        if xinghe_fuses_products() { addProduct(weight, values) } else { self += weight * values }
    }

    @inline(__always)
    fileprivate mutating func add(_ weights: Self, _ values: Self) {
        if xinghe_fuses_products() { addProduct(weights, values) } else { self += weights * values }
    }
}
