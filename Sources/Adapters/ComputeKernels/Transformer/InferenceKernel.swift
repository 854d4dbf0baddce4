internal import COpenBLAS
internal import MessagePassing
internal import Prediction
internal import WireFormats

/// Inference of a transformer block over a batch of sequences, dealt out over the ranks.
///
/// Causal attention with heads of 64 and a two-layer network of four times the width, single
/// precision, products by OpenBLAS with one thread a rank (`TransformerBlock`).
///
/// **Work** of a sequence of T tokens of width d: 24 T d² + 4 T² d flop, the products only;
/// 48 d² + 136 T d byte, parameters once and 34 numbers a token and width.
///
/// **Verified** when every output agrees within 1e-5 of the largest with a second pass in which each
/// product is held against its factors (`ProductCheck`), and two tokens of each of four sequences, the
/// last and one that lies elsewhere in each, within 1e-4 with a twin in double precision by plain loops.
///
/// Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017; Kaplan et al., "Scaling Laws
/// for Neural Language Models", 2020, for the count.
final class InferenceKernel: Kernel {
    static let profile = KernelProfile(
        .infer,
        title: "AI inference: a transformer block over a batch (single precision)",
        criterion: "outputs as of a pass with checked products within 1e-5, some as a twin's"
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        TransformerTask.memory(shape, ranks: ranks)
    }

    private static let samples = 4

    private let world: Communicator
    private var task: TransformerTask
    private let mine: Range<Int>
    private let block: TransformerBlock
    private let input: NumericBuffer<Float>
    let output: NumericBuffer<Float>

    init(_ setting: KernelSetting) throws(KernelFailure) {
        world = setting.world
        task = try TransformerTask(setting.shape, ranks: world.size)
        mine = share(of: task.sequences, part: world.rank, parts: world.size)
        openblas_set_num_threads(1)
        block = TransformerBlock(task.block)
        let size = task.block.tokens * task.block.width
        input = NumericBuffer(count: mine.count * size, filledWith: 0)
        output = NumericBuffer(count: mine.count * size, filledWith: 0)
    }

    func prepare(_ number: Int) {
        task.number = number
        let size = task.block.tokens * task.block.width
        for (slot, sequence) in mine.enumerated() {
            for (place, value) in task.input(sequence).enumerated() {
                input[slot * size + place] = value
            }
        }
        output.spoil()
    }

    func repetition() throws(KernelFailure) -> Work {
        let size = task.block.tokens * task.block.width
        for slot in 0..<mine.count {
            block.forward(input.pointer + slot * size, into: output.pointer + slot * size)
        }
        return Work(KernelForm.infer.work(task.shape, ranks: world.size))
    }

    func answer() -> KernelAnswer? {
        let size = task.block.tokens * task.block.width
        var answer = KernelAnswer(.float, shape: task.shape)
        answer.add(output, from: 0, count: output.count, at: mine.lowerBound * size)
        return answer
    }

    func verify() throws(KernelFailure) -> Verdict {
        let (tokens, d) = (task.block.tokens, task.block.width)
        var worst = WorstError()
        var scale = 0.0
        for sample in 0..<Self.samples {
            let sequence = sample * task.sequences / Self.samples
            guard mine.contains(sequence) else { continue }
            for token in Set([sample * tokens / Self.samples, tokens - 1]) {
                let start = ((sequence - mine.lowerBound) * tokens + token) * d
                for (index, right) in task.twin(sequence, token: token).enumerated() {
                    worst.add(abs(Double(output[start + index]) - right))
                    scale = max(scale, abs(right))
                }
            }
        }
        let checked = departuresFromCheckedPass()
        let numbers = [worst.value, scale, checked.outputs, checked.largest, checked.products]
        let all = try messaging { () throws(MPIFailure) in try world.allReduce(numbers, .maximum) }
        return Verdict(
            residual: all[0] / all[1],
            limit: 1e-4,
            and: all[2] <= 1e-5 * all[3] && all[4] <= 1
        )
    }

    /// The largest distance of an output from that of a second pass, the largest output, and the worst
    /// product of that pass.
    private func departuresFromCheckedPass() -> (
        outputs: Double, largest: Double, products: Double
    ) {
        let size = task.block.tokens * task.block.width
        let again = NumericBuffer<Float>(count: size, filledWith: 0)
        var worst = WorstError()
        var largest = 0.0
        block.check = ProductCheck()
        for slot in 0..<mine.count {
            block.forward(input.pointer + slot * size, into: again.pointer)
            for index in 0..<size {
                let right = Double(again[index])
                worst.add(abs(Double(output[slot * size + index]) - right))
                largest = max(largest, abs(right))
            }
        }
        let products = block.check?.departure ?? .infinity
        block.check = nil
        return (worst.value, largest, products)
    }

    func details() throws(KernelFailure) -> [JSONValue.Member] {
        [
            .init("parameters", .integer(Int64(task.block.parameterCount))),
            .init("tokens", .integer(Int64(task.sequences * task.block.tokens))),
            .init("heads", .integer(Int64(task.block.heads))),
        ]
    }
}
