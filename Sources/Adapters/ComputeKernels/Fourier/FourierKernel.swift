internal import CFFTW
internal import MessagePassing
internal import Prediction
internal import WireFormats

/// A three-dimensional complex Fourier transform over pencils, as in plane-wave materials codes.
///
/// The grid N0×N1×N2 (last index contiguous) starts as pencils along N2: the rectangle of ranks
/// cuts N0 into its rows and N1 into its columns. Transform along the axes that are whole here,
/// trade pencils along the rows of ranks (N2 is cut, N1 whole), transform, trade along the columns
/// (N1 is cut, N0 whole), transform; the spectrum stays as it lies then. As long as N0 and N1 have
/// a plane for each rank the rectangle has one column: the pencils are slabs, and the first trade
/// falls away. With one rank it is one plan of FFTW. Trades move whole runs of memory; FFTW copes
/// with the strides better than a transpose in between would.
///
/// **Work**: 5 N log₂ N flop, the convention of FFTW and HPCC, N = N0·N1·N2; 96 N byte, one read
/// and one write of all points for each axis.
///
/// **Verified** at every point of the spectrum: the input is a product of three random vectors, so
/// its transform is the product of their transforms, made here by the definition. As in HPCC,
/// `‖X − X'‖∞ / (ε log₂ N · rms X')` may be 16.
///
/// Source: Frigo, Johnson, "The Design and Implementation of FFTW3", Proc. IEEE 93(2), 2005.
final class FourierKernel: Kernel {
    static let profile = KernelProfile(
        .fft,
        title: "3-D complex Fourier transform over pencils (FFTW)",
        criterion: "largest error of the whole spectrum / (eps log2 N rms) <= 16"
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        3 * 16 * shape.reduce(1) { $0 * Double($1) }
    }

    private let world: Communicator
    private let shape: [Int]
    private var factors: [[Complex]] = []
    private let input: NumericBuffer<Double>
    private let work: NumericBuffer<Double>
    let spectrum: NumericBuffer<Double>
    private let firstPlan: fftw_plan
    private var laterPlans: [fftw_plan] = []
    private var trades: [PencilTrade] = []
    /// The indices of the spectrum that lie here at the end, by axis.
    let held: [Range<Int>]
    /// The indices of the input that lie here at the start.
    private let given: [Range<Int>]

    init(_ setting: KernelSetting) throws(KernelFailure) {
        let (shape, world) = (setting.shape, setting.world)
        let rectangle =
            world.size <= min(shape[0], shape[1])
            ? RankRectangle(rows: world.size, columns: 1) : RankRectangle(ranks: world.size)
        let (row, column) = (world.rank / rectangle.columns, world.rank % rectangle.columns)
        guard rectangle.rows <= min(shape[0], shape[1]),
            rectangle.columns <= min(shape[1], shape[2])
        else {
            throw .tooManyRanks(world.size, shape: shape, why: "a pencil would be empty")
        }
        guard shape.allSatisfy({ $0 <= 1 << 16 }) else {
            throw .beyondLimit(shape: shape, limit: "at most 65536 points along each axis")
        }
        let mine0 = share(of: shape[0], part: row, parts: rectangle.rows)
        let mine1 = share(of: shape[1], part: column, parts: rectangle.columns)
        let mine2 = share(of: shape[2], part: column, parts: rectangle.columns)
        let late1 = share(of: shape[1], part: row, parts: rectangle.rows)
        let boxes = [
            [mine0.count, mine1.count, shape[2]],
            [mine0.count, shape[1], mine2.count],
            [shape[0], late1.count, mine2.count],
        ]
        self.world = world
        self.shape = shape
        let largestBox = boxes.map { $0.reduce(2, *) }.max() ?? 0
        input = NumericBuffer(count: boxes[0].reduce(2, *), filledWith: 0)
        work = NumericBuffer(count: world.size > 1 ? largestBox : 0, filledWith: 0)
        spectrum = NumericBuffer(count: largestBox, filledWith: 0)
        given = [mine0, mine1, 0..<shape[2]]
        held = world.size == 1 ? shape.map { 0..<$0 } : [0..<shape[0], late1, mine2]
        let wholeAxes = (rectangle.rows == 1 ? [0] : []) + (rectangle.columns == 1 ? [1] : []) + [2]
        firstPlan = Self.plan(boxes[0], axes: wholeAxes, from: input, to: spectrum)
        if rectangle.columns > 1 {
            let alongRow = try messaging { () throws(MPIFailure) in
                try world.split(color: row, key: column)
            }
            trades.append(
                PencilTrade(over: alongRow, box: boxes[0], gathered: 1, cut: 2, shape: shape)
            )
            laterPlans.append(Self.plan(boxes[1], axes: [1], from: work, to: spectrum))
        }
        if rectangle.rows > 1 {
            let alongColumn = try messaging { () throws(MPIFailure) in
                try world.split(color: column, key: row)
            }
            trades.append(
                PencilTrade(over: alongColumn, box: boxes[1], gathered: 0, cut: 1, shape: shape)
            )
            laterPlans.append(Self.plan(boxes[2], axes: [0], from: work, to: spectrum))
        }
    }

    deinit {
        fftw_destroy_plan(firstPlan)
        for plan in laterPlans { fftw_destroy_plan(plan) }
    }

    func repetition() throws(KernelFailure) -> Work {
        fftw_execute(firstPlan)
        for (trade, plan) in zip(trades, laterPlans) {
            try messaging { () throws(MPIFailure) in try trade.run(spectrum, to: work) }
            fftw_execute(plan)
        }
        return Work(KernelForm.fft.work(shape, ranks: world.size))
    }

    func answer() -> KernelAnswer? {
        var answer = KernelAnswer(.complex, shape: shape)
        var first = 0
        for k0 in held[0] {
            for k1 in held[1] {
                let start = (k0 * shape[1] + k1) * shape[2] + held[2].lowerBound
                answer.add(spectrum, from: first, count: held[2].count, at: start)
                first += 2 * held[2].count
            }
        }
        return answer
    }

    func verify() throws(KernelFailure) -> Verdict {
        let transforms = factors.map(Complex.transform)
        var worst = WorstError()
        var squares = 0.0
        var place = 0
        for k0 in held[0] {
            for k1 in held[1] {
                let product = transforms[0][k0] * transforms[1][k1]
                for k2 in held[2] {
                    let expected = product * transforms[2][k2]
                    worst.add(abs(spectrum[place] - expected.real))
                    worst.add(abs(spectrum[place + 1] - expected.imaginary))
                    squares += expected.real * expected.real
                    squares += expected.imaginary * expected.imaginary
                    place += 2
                }
            }
        }
        let (error, power) = (worst.value, squares)
        let totals = try messaging { () throws(MPIFailure) in
            (try world.allReduce(error, .maximum), try world.allReduce(power, .sum))
        }
        let points = shape.reduce(1) { $0 * Double($1) }
        let scale =
            Double.ulpOfOne * max(1, log2OfProduct(shape)) * (totals.1 / points).squareRoot()
        return Verdict(residual: totals.0 / scale, limit: 16)
    }

    func prepare(_ number: Int) {
        factors = (0..<3).map { axis in Self.randomVector(axis, shape[axis], number) }
        spectrum.spoil()
        work.spoil()
        var place = 0
        for i0 in given[0] {
            for i1 in given[1] {
                let product = factors[0][i0] * factors[1][i1]
                for i2 in given[2] {
                    let value = product * factors[2][i2]
                    input[place] = value.real
                    input[place + 1] = value.imaginary
                    place += 2
                }
            }
        }
    }

    private static func randomVector(_ axis: Int, _ count: Int, _ number: Int) -> [Complex] {
        let vector = HashedMatrix.variant(5, number)
        return (0..<count).map { index in
            Complex(
                real: HashedMatrix.entry(vector, axis, 2 * index),
                imaginary: HashedMatrix.entry(vector, axis, 2 * index + 1)
            )
        }
    }

    /// A plan that transforms a box along some axes and leaves the others as they are.
    private static func plan(
        _ box: [Int],
        axes: [Int],
        from source: NumericBuffer<Double>,
        to target: NumericBuffer<Double>
    ) -> fftw_plan {
        let strides = [box[1] * box[2], box[2], 1]
        let dimensions = (0..<3).map { axis in
            fftw_iodim64(n: box[axis], is: strides[axis], os: strides[axis])
        }
        let transformed = axes.map { dimensions[$0] }
        let repeated = (0..<3).filter { !axes.contains($0) }.map { dimensions[$0] }
        let plan = fftw_plan_guru64_dft(
            Int32(transformed.count),
            transformed,
            Int32(repeated.count),
            repeated,
            complexPointer(source),
            complexPointer(target),
            FFTW_FORWARD,
            CFFTW_MEASURE()
        )
        guard let plan else { preconditionFailure("FFTW has no plan for \(box) along \(axes)") }
        return plan
    }

    private static func complexPointer(
        _ buffer: NumericBuffer<Double>
    ) -> UnsafeMutablePointer<fftw_complex> {
        UnsafeMutableRawPointer(buffer.pointer).assumingMemoryBound(to: fftw_complex.self)
    }
}

/// log₂ of the number of points.
private func log2OfProduct(_ shape: [Int]) -> Double {
    shape.reduce(0) { $0 + binaryLogarithm(Double($1)) }
}
