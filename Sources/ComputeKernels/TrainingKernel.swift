internal import COpenBLAS
internal import MessagePassing
internal import Prediction
internal import WireFormats

/// Training of a transformer block, data parallel: a step of gradient descent on a batch.
///
/// Each rank passes its sequences forward and backward; gradients are summed over the ranks, matrix
/// by matrix, as soon as the last sequence has finished with one, while the others are computed;
/// then every rank takes the same step. The loss is half the mean squared distance of the outputs
/// from given ones. Repetitions go on training.
///
/// **Work** of a sequence of T tokens of width d: 66 T d² + 12 T² d flop: forward 24 T d² + 4 T² d,
/// derivatives by the parameters 24 T d², by what lies between 18 T d² + 8 T² d (not by the input,
/// which nobody needs); 240 d² + 400 T d byte.
///
/// **Verified** when the derivative of the loss along the gradient, measured by two more forward
/// passes over the batch, is the gradient's square within 1 %, the loss has fallen, and all ranks
/// have the same parameters to the bit.
///
/// Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017; Li et al., "PyTorch
/// Distributed", VLDB 13(12), 2020, for the overlap.
final class TrainingKernel: Kernel {
    static let profile = KernelProfile(
        .train,
        title: "AI training: a transformer block, data parallel (single precision)",
        criterion: "slope along the gradient within 1 %, loss falls, ranks agree to the bit"
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        TransformerTask.memory(shape, ranks: ranks)
    }

    private static let rate: Float = 0.1

    private let world: Communicator
    private let task: TransformerTask
    private let mine: Range<Int>
    let block: TransformerBlock
    private let input: NumericBuffer<Float>
    private let target: NumericBuffer<Float>
    private let output: NumericBuffer<Float>
    private let transfers: PendingTransfers
    private var startLoss: Double?
    private var loss = 0.0

    init(_ setting: KernelSetting) throws(KernelFailure) {
        world = setting.world
        task = try TransformerTask(setting.shape, ranks: world.size)
        mine = share(of: task.sequences, part: world.rank, parts: world.size)
        openblas_set_num_threads(1)
        block = TransformerBlock(task.block)
        let size = task.block.tokens * task.block.width
        input = NumericBuffer(count: mine.count * size, filledWith: 0)
        target = NumericBuffer(count: mine.count * size, filledWith: 0)
        output = NumericBuffer(count: size, filledWith: 0)
        transfers = PendingTransfers(over: world, capacity: 6)
        for (slot, sequence) in mine.enumerated() {
            for (place, value) in task.input(sequence).enumerated() {
                input[slot * size + place] = value
            }
            for (place, value) in task.target(sequence).enumerated() {
                target[slot * size + place] = value
            }
        }
    }

    func repetition() throws(KernelFailure) -> Work {
        try messaging { () throws(MPIFailure) in
            loss = try gradient()
            if startLoss == nil { startLoss = loss }
            move(by: -Self.rate * Float(task.sequences))
        }
        return Work(KernelForm.train.work(task.shape, ranks: world.size))
    }

    func verify() throws(KernelFailure) -> Verdict {
        try messaging { () throws(MPIFailure) in
            let here = try gradient()
            return try judge(here)
        }
    }

    func details() throws(KernelFailure) -> [JSONValue.Member] {
        [
            .init("parameters", .integer(Int64(task.block.parameterCount))),
            .init("tokens", .integer(Int64(task.sequences * task.block.tokens))),
            .init("first_loss", .number(startLoss ?? .nan)),
            .init("last_loss", .number(loss)),
        ]
    }

    /// Whether the gradients held are those of a loss that is `here`.
    func judge(_ here: Double) throws(MPIFailure) -> Verdict {
        var square = 0.0
        for index in 0..<block.gradients.count {
            square += Double(block.gradients[index]) * Double(block.gradients[index])
        }
        // A step that changes the loss by about a hundredth: large against rounding in single
        // precision; the curvature cancels out between the two sides.
        let step = Float(0.01 * here / square)
        move(by: step)
        let above = try lossOnly()
        move(by: -2 * step)
        let below = try lossOnly()
        move(by: step)
        let slope = (above - below) / (2 * Double(step) * square)
        var sum = 0.0
        for index in 0..<block.parameters.count { sum += Double(block.parameters[index]) }
        let isSame = try world.allReduce(sum, .maximum) == world.allReduce(sum, .minimum)
        return Verdict(
            residual: abs(slope - 1),
            limit: 0.01,
            and: isSame && here < startLoss ?? .infinity
        )
    }
}

// MARK: - Steps

extension TrainingKernel {
    /// Computes the loss and its gradients over the whole batch. Collective.
    func gradient() throws(MPIFailure) -> Double {
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
                guard isLast, world.size > 1 else { return }
                try transfers.allReduce(inPlace: block.gradients.mutableSlice(range), .sum)
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

    /// Moves all parameters along the gradient.
    private func move(by step: Float) {
        let (parameters, gradients) = (block.parameters.pointer, block.gradients.pointer)
        for index in 0..<block.parameters.count { parameters[index] += step * gradients[index] }
    }
}
