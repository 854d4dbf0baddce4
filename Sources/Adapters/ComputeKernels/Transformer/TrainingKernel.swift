internal import COpenBLAS
internal import Determinism
internal import MessagePassing
internal import Prediction
internal import WireFormats

/// Training of a transformer block, data parallel: a step of gradient descent on a batch.
///
/// Each rank passes its sequences forward and backward; gradients are summed over the ranks, matrix
/// by matrix, as soon as the last sequence has finished with one, while the others are computed;
/// then every rank takes the same step. The loss is half the mean squared distance of the outputs
/// from given ones. Each repetition is the first step, from the parameters of the start.
///
/// **Work** of a sequence of T tokens of width d: 66 T d² + 12 T² d flop: forward 24 T d² + 4 T² d,
/// derivatives by the parameters 24 T d², by what lies between 18 T d² + 8 T² d (not by the input,
/// which nobody needs); 240 d² + 400 T d byte.
///
/// **Verified** when every derivative agrees, within 1e-5 of the largest of its matrix, with those of a
/// second pass in which each product is held against its factors (`ProductCheck`) and which are summed
/// over the ranks in double precision; the loss within 1e-6; the change of the loss between two points
/// beside the start is what the gradient says, within 1 % of what is expected of it; and the parameters
/// are the start's less the step, and the same on all ranks, to the bit. The points lie to both sides
/// along a random direction that weighs the six matrices alike: no error of the formulas is shared.
///
/// Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017; Li et al., "PyTorch
/// Distributed", VLDB 13(12), 2020, for the overlap.
final class TrainingKernel: Kernel {
    static let profile = KernelProfile(
        .train,
        title: "AI training: a transformer block, data parallel (single precision)",
        criterion: "gradient as of a pass with checked products within 1e-5, its slope within 1 %, "
            + "step taken and ranks alike to the bit"
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        TransformerTask.memory(shape, ranks: ranks)
    }

    private static let rate: Float = 0.1

    private let world: Communicator
    private var task: TransformerTask
    private let mine: Range<Int>
    let block: TransformerBlock
    private let input: NumericBuffer<Float>
    private let target: NumericBuffer<Float>
    private let output: NumericBuffer<Float>
    private let transfers: PendingTransfers
    private var loss = Double.nan

    init(_ setting: KernelSetting) throws(KernelFailure) {
        world = setting.world
        guard setting.shape[2] > 1 else {
            throw .malformedSize(
                extentsText(setting.shape),
                kernel: Self.profile.name,
                meaning: "BxTxD, sequences, tokens of each, width above 1"
            )
        }
        task = try TransformerTask(setting.shape, ranks: world.size)
        mine = share(of: task.sequences, part: world.rank, parts: world.size)
        openblas_set_num_threads(1)
        block = TransformerBlock(task.block)
        let size = task.block.tokens * task.block.width
        input = NumericBuffer(count: mine.count * size, filledWith: 0)
        target = NumericBuffer(count: mine.count * size, filledWith: 0)
        output = NumericBuffer(count: size, filledWith: 0)
        transfers = PendingTransfers(over: world, capacity: 6)
    }

    func prepare(_ number: Int) {
        task.number = number
        let size = task.block.tokens * task.block.width
        for (slot, sequence) in mine.enumerated() {
            for (place, value) in task.input(sequence).enumerated() {
                input[slot * size + place] = value
            }
            for (place, value) in task.target(sequence).enumerated() {
                target[slot * size + place] = value
            }
        }
        block.gradients.spoil()
        block.reset()
    }

    func repetition() throws(KernelFailure) -> Work {
        try messaging { () throws(MPIFailure) in
            loss = try gradient()
            takeStep()
        }
        return Work(KernelForm.train.work(task.shape, ranks: world.size))
    }

    func answer() -> KernelAnswer? {
        var answer = KernelAnswer(.float, shape: [task.block.parameterCount])
        let parameters = block.parameters
        if world.isRoot { answer.add(parameters, from: 0, count: parameters.count, at: 0) }
        return answer
    }

    func verify() throws(KernelFailure) -> Verdict {
        try messaging { () throws(MPIFailure) in
            let isSame = try ranksAgree()
            let isStep = try world.allReduce(misplaced, .sum) == 0
            let isRight = try agreesWithCheckedPass()
            let error = try slopeError()
            block.reset()
            takeStep()
            return Verdict(residual: error, limit: 0.01, and: isSame && isStep && isRight)
        }
    }

    func details() throws(KernelFailure) -> [JSONValue.Member] {
        [
            .init("parameters", .integer(Int64(task.block.parameterCount))),
            .init("tokens", .integer(Int64(task.sequences * task.block.tokens))),
            .init("loss", .number(loss)),
        ]
    }
}

// MARK: - Steps

extension TrainingKernel {
    /// Computes the loss and its gradients over the whole batch. Collective.
    func gradient() throws(MPIFailure) -> Double {
        try localGradient { (range: Range<Int>) throws(MPIFailure) in
            guard world.size > 1 else { return }
            try transfers.allReduce(inPlace: block.gradients.mutableSlice(range), .sum)
        }
    }

    /// Computes the loss over the whole batch and the gradients over the sequences held here.
    ///
    /// - Parameter isDone: Called with the range of each matrix that nothing is added to any more.
    private func localGradient(
        isDone: (Range<Int>) throws(MPIFailure) -> Void
    ) throws(MPIFailure) -> Double {
        let size = task.block.tokens * task.block.width
        let share = 1 / Float(task.sequences * size)
        var sum = 0.0
        block.clear()
        for slot in 0..<mine.count {
            block.forward(input.pointer + slot * size, into: output.pointer)
            let wanted = target.pointer + slot * size
            for index in 0..<size {
                let distance = output.pointer[index] - wanted[index]
                sum += Double(distance * distance)
                output.pointer[index] = distance * share
            }
            let isLast = slot == mine.count - 1
            try block.backward(output.pointer) { (range: Range<Int>) throws(MPIFailure) in
                if isLast { try isDone(range) }
            }
        }
        try transfers.waitAll()
        return try world.allReduce(sum, .sum) * Double(share) / 2
    }

    private func lossOnly() throws(MPIFailure) -> Double {
        let size = task.block.tokens * task.block.width
        var sum = 0.0
        for slot in 0..<mine.count {
            block.forward(input.pointer + slot * size, into: output.pointer)
            for index in 0..<size {
                let distance = output[index] - target[slot * size + index]
                sum += Double(distance * distance)
            }
        }
        return try world.allReduce(sum, .sum) / Double(task.sequences * size) / 2
    }

    /// Goes from the parameters of the start down the gradient.
    func takeStep() {
        let (parameters, gradients) = (block.parameters.pointer, block.gradients.pointer)
        for index in 0..<block.parameters.count {
            parameters[index] = moved(parameters[index], gradients[index])
        }
    }

    private func moved(_ parameter: Float, _ gradient: Float) -> Float {
        parameter - Self.rate * Float(task.sequences) * gradient
    }
}

// MARK: - Verification

extension TrainingKernel {
    /// Parameters that are not the start's less the step.
    private var misplaced: Int64 {
        var count: Int64 = 0
        for index in 0..<block.parameters.count {
            let right = moved(TransformerBlock.start(index, task.block), block.gradients[index])
            if block.parameters[index] != right { count += 1 }
        }
        return count
    }

    /// Whether gradient and loss are those of a second pass with checked products. Leaves the
    /// parameters of the start behind, and the gradients as they were.
    private func agreesWithCheckedPass() throws(MPIFailure) -> Bool {
        let held = Array(block.gradients.buffer)
        defer { _ = block.gradients.buffer.update(fromContentsOf: held) }
        block.reset()
        block.check = ProductCheck()
        let again = try localGradient { _ in }
        let products = block.check?.departure ?? .infinity
        block.check = nil
        let sums = NumericBuffer<Double>(count: held.count, filledWith: 0)
        for index in held.indices { sums[index] = Double(block.gradients[index]) }
        try world.allReduce(inPlace: sums.buffer, .sum)
        var worst = WorstError()
        for number in 0..<6 {
            let range = block.range(number)
            let largest = range.reduce(0.0) { max($0, abs(sums[$1])) }
            for index in range {
                let error = abs(Double(held[index]) - sums[index])
                // A matrix that has no use, such as the keys of a single token, has no derivatives.
                if error > 0 || error.isNaN { worst.add(error / largest) }
            }
        }
        worst.add(10 * abs(loss - again) / again)
        let departures = try world.allReduce([worst.value * 1e5, products], .maximum)
        return departures[0] <= 1 && departures[1] <= 1
    }

    private func ranksAgree() throws(MPIFailure) -> Bool {
        let digest = Int64(bitPattern: Self.digest(block.parameters))
        return try world.allReduce(digest, .maximum) == world.allReduce(digest, .minimum)
    }

    /// A digest of the parameters, bit by bit and in their order.
    static func digest(_ parameters: NumericBuffer<Float>) -> UInt64 {
        var digest = StateDigest()
        for index in 0..<parameters.count { digest.mix(UInt64(parameters[index].bitPattern)) }
        return digest.value
    }

    /// How far the change of the loss between two points is from what the gradients held say,
    /// relative to what a direction like this one would show on average.
    ///
    /// Leaves other parameters behind.
    func slopeError() throws(MPIFailure) -> Double {
        let squares = (0..<6).map { number in
            block.range(number).reduce(0.0) {
                $0 + Double(block.gradients[$1]) * Double(block.gradients[$1])
            }
        }
        let sum = squares.reduce(0, +)
        // The smaller its gradient, the farther a matrix moves; where that is nought, a hundred times
        // as far as if there were no other. One token's attention has no use for query and key.
        let reaches = squares.enumerated().map { number, square in
            let isIdle = task.block.tokens == 1 && number < 2
            return isIdle ? 1 : (sum / max(square, sum / 1e4)).squareRoot()
        }
        // Half a hundredth of the parameters: between rounding, which weighs more the nearer the
        // points lie, and curvature.
        let scale = 0.005 * (12 / Double(task.block.width)).squareRoot() / (reaches.max() ?? 1)
        let steps = reaches.map { $0 * scale }
        let above = move(by: steps)
        let lossAbove = try lossOnly()
        let below = move(by: steps.map { -$0 })
        let lossBelow = try lossOnly()
        // The entries of the direction are uniform in -0.5..<0.5 and have the variance 1/12.
        let expected =
            2 * (zip(squares, steps).reduce(0) { $0 + $1.0 * $1.1 * $1.1 } / 12).squareRoot()
        return abs((lossAbove - lossBelow) - (above - below)) / expected
    }

    /// Moves each matrix of the start by its step in a fixed random direction. Returns the product of
    /// all parameters with the gradients held.
    private func move(by steps: [Double]) -> Double {
        var product = 0.0
        for number in 0..<6 {
            for index in block.range(number) {
                let start = Double(TransformerBlock.start(index, task.block))
                let there = Float(start + steps[number] * HashedMatrix.entry(12, index, 0))
                block.parameters[index] = there
                product += Double(there) * Double(block.gradients[index])
            }
        }
        return product
    }
}
