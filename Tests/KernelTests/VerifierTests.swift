import Determinism
import Prediction
import Testing
import WireFormats

@testable import ComputeKernels
@testable import MessagePassing

/// The kernels inside the tests' program, as a world of one rank, so that their answers can be spoilt.
///
/// MPI starts in a process of each test's own: it sets environment variables, while other tests read them
/// to start programs, and reading meanwhile is a crash.
@Suite("Kernels notice wrong answers", .serialized)
struct VerifierTests {
    @Test("No number is never right")
    func nanIsNeverRight() {
        #expect(!Verdict(residual: .nan, limit: 1).isVerified)
        #expect(!Verdict(residual: .infinity, limit: 1).isVerified)
        #expect(Verdict(residual: 1, limit: 1).isVerified)
    }

    @Test("The worst of many errors is kept, and no number is the worst of all")
    func worstError() {
        var worst = WorstError()
        for error in [1, 3, 2.0] { worst.add(error) }
        #expect(worst.value == 3)
        worst.add(.nan)
        worst.add(5)
        #expect(worst.value == .infinity)
    }

    @Test("The best repetition has the highest rate, not the least time")
    func bestRepetition() {
        var timing = Timing()
        timing.add(Work(flop: 100, byte: 10), seconds: 2)
        timing.add(Work(flop: 1_000, byte: 100), seconds: 10)
        timing.add(Work(flop: 1, byte: 1), seconds: 1)
        #expect(timing.best?.work == Work(flop: 1_000, byte: 100))
        #expect(timing.best?.seconds == 10)
        #expect(timing.repetitions == 3 && timing.seconds == 13 && timing.work.flop == 1_101)
        var messages = Timing()
        messages.add(Work(flop: 0, byte: 10), seconds: 1)
        messages.add(Work(flop: 0, byte: 30), seconds: 2)
        #expect(messages.best?.work.byte == 30)
    }

    @Test("stream notices one spoilt element of each array")
    func streamNoticesSpoiltElements() async {
        await #expect(processExitsWith: .success) {
            let kernel = try StreamKernel(setting([1000]))
            for number in 0..<300 {
                kernel.prepare(number)
                _ = try kernel.repetition()
            }
            #expect(try kernel.verify().isVerified)
            for array in [kernel.a, kernel.b, kernel.c] {
                let right = array[517]
                array[517] = right * (1 + 1e-9)
                #expect(try !kernel.verify().isVerified)
                array[517] = .nan
                #expect(try !kernel.verify().isVerified)
                array[517] = right
            }
            #expect(try kernel.verify().isVerified)
        }
    }

    @Test("stream's rates leave out the first sweep")
    func streamLeavesOutFirstSweep() async {
        await #expect(processExitsWith: .success) {
            let kernel = try StreamKernel(setting([1000]))
            kernel.prepare(0)
            _ = try kernel.repetition()
            let rates = { try kernel.details().prefix(4).map { try #require($0.value.double) } }
            #expect(try rates() == [0, 0, 0, 0])
            _ = try kernel.repetition()
            #expect(try rates().allSatisfy { $0 > 0 && $0.isFinite })
        }
    }

    @Test("cg notices a spoilt solution and a matrix that is not symmetric")
    func cgNoticesSpoiltSolution() async {
        await #expect(processExitsWith: .success) {
            let kernel = try ConjugateGradientKernel(setting([12, 11, 10]))
            kernel.prepare(0)
            _ = try kernel.repetition()
            #expect(try kernel.verify().isVerified)
            let right = kernel.x[300]
            kernel.x[300] += 1e-4
            #expect(try !kernel.verify().isVerified)
            kernel.x[300] = right
            #expect(try kernel.verify().isVerified)
            let last = GridMatrix.width * 700 + 12
            kernel.matrix.lowerValues[last] = -1.001
            #expect(try !kernel.verify().isVerified)
        }
    }

    @Test("hpcg notices a spoilt solution and operators that are not symmetric, on any grid")
    func hpcgNoticesSpoiltSolution() async {
        await #expect(processExitsWith: .success) {
            for shape in [[8, 8, 8], [16, 8, 24]] {
                let kernel = try HPCGKernel(setting(shape))
                try kernel.prepare(1)
                _ = try kernel.repetition()
                #expect(try kernel.verify().isVerified, "\(shape)")
                let right = kernel.x[300]
                for wrong in [right + 1e-6, .nan] {
                    kernel.x[300] = wrong
                    #expect(try !kernel.verify().isVerified)
                }
                kernel.x[300] = right
                #expect(try kernel.verify().isVerified)
                for level in sequence(first: kernel.finest, next: { $0.coarser }).dropLast() {
                    let last = GridMatrix.width * (level.matrix.rows - 1) + 12
                    level.matrix.lowerValues[last] = -1.001
                    #expect(try !kernel.verify().isVerified, "\(level.shape) of \(shape)")
                    level.matrix.lowerValues[last] = -1
                }
                #expect(try kernel.verify().isVerified)
                #expect(try kernel.measureFurther())
                // The test of convergence has left another answer behind.
                #expect(try !kernel.measureFurther())
            }
        }
    }

    @Test("hpcg's threads find what one finds, line by line")
    func hpcgThreadsAgree() async {
        await #expect(processExitsWith: .success) {
            let world = try worldOfOne.get()
            var results: [[Double]] = []
            for count in [1, 2, 3, 5] {
                let team = ThreadTeam(count: count)
                defer { team.end() }
                let grid = ProcessGrid(extents: [1, 1, 1])
                let level = GridLevel(world, grid, shape: [16, 24, 8], coarserLevels: 3, team)
                let r = NumericBuffer<Double>(count: level.matrix.rows, filledWith: 0)
                for row in 0..<r.count { r[row] = HashedMatrix.entry(9, row, 0) }
                let z = NumericBuffer<Double>(count: r.count, filledWith: 1e30)
                try level.cycle(r, into: z)
                results.append(Array(z.buffer))
            }
            #expect(results.allSatisfy { $0 == results[0] })
        }
    }

    @Test("gemm notices one spoilt element of the product")
    func gemmNoticesSpoiltElement() async {
        await #expect(processExitsWith: .success) {
            let kernel = try MatrixProductKernel(setting([60, 50, 40]))
            kernel.prepare(0)
            _ = try kernel.repetition()
            #expect(try kernel.verify().isVerified)
            kernel.c[1234] += 1e-8
            #expect(try !kernel.verify().isVerified)
            kernel.c[1234] = .nan
            #expect(try !kernel.verify().isVerified)
        }
    }

    @Test("lu notices a spoilt solution")
    func luNoticesSpoiltSolution() async {
        await #expect(processExitsWith: .success) {
            let kernel = try LUKernel(setting([130, 16]))
            kernel.prepare(0)
            _ = try kernel.repetition()
            #expect(try kernel.verify().isVerified)
            kernel.solution[77] += 1e-6
            #expect(try !kernel.verify().isVerified)
            kernel.solution[77] = .nan
            #expect(try !kernel.verify().isVerified)
        }
    }

    @Test("lu cuts blocks larger than the matrix, before it asks for memory")
    func luCutsBlocks() async {
        await #expect(processExitsWith: .success) {
            let kernel = try LUKernel(setting([10, 100_000]))
            kernel.prepare(0)
            let work = try kernel.repetition()
            #expect(try kernel.verify().isVerified)
            #expect(work == Work(KernelForm.lu.work([10, 10], ranks: 1)))
            #expect(LUKernel.memory(for: [10, 100_000], ranks: 1) < 10_000)
        }
    }

    @Test("fft notices one spoilt point of the spectrum")
    func fftNoticesSpoiltPoint() async {
        await #expect(processExitsWith: .success) {
            let kernel = try FourierKernel(setting([10, 12, 9]))
            kernel.prepare(0)
            _ = try kernel.repetition()
            #expect(try kernel.verify().isVerified)
            kernel.spectrum[1001] += 1e-9
            #expect(try !kernel.verify().isVerified)
            kernel.spectrum[1001] = .nan
            #expect(try !kernel.verify().isVerified)
        }
    }

    @Test("stencil notices one spoilt point of the field")
    func stencilNoticesSpoiltPoint() async {
        await #expect(processExitsWith: .success) {
            let kernel = try StencilKernel(setting([13, 11, 12]))
            kernel.prepare(0)
            _ = try kernel.repetition()
            #expect(try kernel.verify().isVerified)
            let place = PaddedBlock(extents: [13, 11, 12], margin: [4, 4, 4]).place(12, 3, 7)
            kernel.present[place] += 1e-10
            #expect(try !kernel.verify().isVerified)
            kernel.present[place] = .nan
            #expect(try !kernel.verify().isVerified)
        }
    }

    @Test("md notices energy that is not conserved and forces that are not those of its atoms")
    func mdNoticesWrongMotion() async {
        await #expect(processExitsWith: .success) {
            let kernel = try MolecularDynamicsKernel(setting([4, 4, 4]))
            try kernel.prepare(0)
            _ = try kernel.repetition()
            #expect(try kernel.verify().isVerified)
            kernel.domain.kick(by: 0.01)
            #expect(try !kernel.verify().isVerified)
            kernel.domain.kick(by: -0.01)
            #expect(try kernel.verify().isVerified)
            kernel.domain.drift(by: 1e-6)
            #expect(try !kernel.verify().isVerified)
        }
    }

    @Test("shallow notices one spoilt point of each field")
    func shallowNoticesSpoiltPoint() async {
        await #expect(processExitsWith: .success) {
            let kernel = try ShallowWaterKernel(setting([32, 24]))
            try kernel.prepare(0)
            _ = try kernel.repetition()
            #expect(try kernel.verify().isVerified)
            let block = PaddedBlock(extents: [32, 24, 1], margin: [2, 2, 0])
            for (x, y) in [(0, 0), (31, 23), (17, 5)] {
                let place = block.place(x, y, 0)
                for (field, error) in [
                    (kernel.now.u, 1e-10), (kernel.now.v, 1e-10), (kernel.now.p, 1e-6),
                ] {
                    let right = field[place]
                    field[place] += error
                    #expect(try !kernel.verify().isVerified)
                    field[place] = .nan
                    #expect(try !kernel.verify().isVerified)
                    field[place] = right
                }
            }
            #expect(try kernel.verify().isVerified)
        }
    }

    @Test("align notices one wrong score, and a best score that nothing deserves")
    func alignNoticesWrongScores() async {
        await #expect(processExitsWith: .success) {
            let kernel = try AlignmentKernel(setting([40, 64, 45]))
            kernel.prepare(0)
            _ = try kernel.repetition()
            #expect(try kernel.verify().isVerified)
            let right = kernel.scores
            kernel.scores[7] -= 1
            #expect(try !kernel.verify().isVerified)
            kernel.scores = right
            kernel.scores[5] = 10_000
            #expect(try !kernel.verify().isVerified)
        }
    }

    @Test("align takes right scores of short queries")
    func alignTakesShortQueries() async {
        await #expect(processExitsWith: .success) {
            // By chance a stranger has more in common with this one than a relative.
            let kernel = try AlignmentKernel(setting([5, 64, 5]))
            kernel.prepare(0)
            _ = try kernel.repetition()
            #expect(try kernel.verify().isVerified)
        }
    }

    @Test("Striped alignment agrees with the plain recurrence", arguments: 0..<60 as Range<UInt64>)
    func stripedAlignment(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        // Few letters and long runs make many and long gaps.
        func sequence(_ count: Int) -> [UInt8] {
            (0..<count).map { _ in UInt8(random.draw(0...7) < 5 ? 0 : random.draw(0...3)) }
        }
        let query = sequence(random.draw(1...90))
        let other = sequence(random.draw(1...90))
        let score = other.withUnsafeBufferPointer { StripedAligner(query).score($0) }
        #expect(Int(score) == plainScore(query, other), "seed \(seed)")
    }

    @Test("graph notices a parent without an edge, a circle, and a vertex left out")
    func graphNoticesWrongTrees() async {
        await #expect(processExitsWith: .success) {
            let kernel = try GraphKernel(setting([7, 8]))
            try kernel.prepare(0)
            _ = try kernel.repetition()
            #expect(try kernel.verify().isVerified)
            let right = kernel.parents
            let reached = right.indices.filter { right[$0] >= 0 && right[$0] != Int64($0) }
            let (one, two) = (reached[3], reached[9])
            kernel.parents[one] = Int64(one)
            #expect(try !kernel.verify().isVerified)
            kernel.parents[one] = Int64(two)
            kernel.parents[two] = Int64(one)
            #expect(try !kernel.verify().isVerified)
            kernel.parents = right
            kernel.parents[one] = -1
            #expect(try !kernel.verify().isVerified)
            kernel.parents = right
            #expect(try kernel.verify().isVerified)
        }
    }

    @Test("graph notices an edge that was lost before the search, a vertex's only one or not")
    func graphNoticesLostEdges() async {
        await #expect(processExitsWith: .success) {
            for isTheOnlyOne in [true, false] {
                let kernel = try GraphKernel(setting([7, 2]))
                func degree(_ vertex: Int) -> Int {
                    kernel.starts[vertex + 1] - kernel.starts[vertex]
                }
                func lose(from vertex: Int, to end: Int) throws {
                    let edges = kernel.starts[vertex]..<kernel.starts[vertex + 1]
                    let place = try #require(edges.first { kernel.ends[$0] == Int32(end) })
                    kernel.ends.remove(at: place)
                    for later in (vertex + 1)..<kernel.starts.count { kernel.starts[later] -= 1 }
                }
                let from = try #require(
                    (0..<128).first { isTheOnlyOne ? degree($0) == 1 : degree($0) > 4 }
                )
                let to = Int(kernel.ends[kernel.starts[from]])
                try lose(from: from, to: to)
                try lose(from: to, to: from)
                // Searches of other components do not see that edge.
                var isNoticed = false
                for _ in 0..<5 {
                    try kernel.prepare(0)
                    _ = try kernel.repetition()
                    let isReached = kernel.parents[to] >= 0
                    #expect(try kernel.verify().isVerified == !isReached)
                    isNoticed = isNoticed || isReached
                }
                #expect(isNoticed)
            }
        }
    }

    @Test("infer notices one spoilt output, whichever it is")
    func inferNoticesSpoiltOutput() async {
        await #expect(processExitsWith: .success) {
            for (sequence, token) in [(0, 0), (0, 7), (1, 3), (2, 4), (3, 5), (3, 8)] {
                let kernel = try InferenceKernel(setting([4, 9, 64]))
                kernel.prepare(0)
                _ = try kernel.repetition()
                #expect(try kernel.verify().isVerified)
                let place = (sequence * 9 + token) * 64 + 37
                let right = kernel.output[place]
                kernel.output[place] += 1e-4
                #expect(try !kernel.verify().isVerified)
                kernel.output[place] = .nan
                #expect(try !kernel.verify().isVerified)
                kernel.output[place] = right
                #expect(try kernel.verify().isVerified)
            }
        }
    }

    @Test("train notices a gradient that is wrong in one matrix, left out or half left out")
    func trainNoticesWrongGradient() async {
        await #expect(processExitsWith: .success) {
            for matrix in 0..<6 {
                for factor in [0, 1.5, nil] as [Float?] {
                    let kernel = try trained([3, 6, 64])
                    #expect(try kernel.verify().isVerified)
                    for index in kernel.block.range(matrix) {
                        let isInLeftHalf = index % 64 < 32
                        kernel.block.gradients[index] *= factor ?? (isInLeftHalf ? 0 : 1)
                    }
                    // The step that follows from it is taken right.
                    kernel.block.reset()
                    kernel.takeStep()
                    let verdict = try kernel.verify()
                    #expect(!verdict.isVerified && verdict.residual > 0.01)
                }
            }
        }
    }

    @Test("train notices parameters that are not the step's, by one bit or in another order")
    func trainNoticesWrongParameters() async {
        await #expect(processExitsWith: .success) {
            let kernel = try trained([3, 6, 64])
            let parameters = kernel.block.parameters
            let digest = TrainingKernel.digest(parameters)
            let (one, two) = (parameters[17], parameters[18])
            // Exchanging two leaves the sum of all as it is.
            for (first, second) in [(two, one), (one.nextUp, two)] {
                (parameters[17], parameters[18]) = (first, second)
                #expect(TrainingKernel.digest(parameters) != digest)
                #expect(try !kernel.verify().isVerified)
                // A verification leaves the right ones behind.
                #expect(TrainingKernel.digest(parameters) == digest)
            }
            #expect(try kernel.verify().isVerified)
        }
    }

    @Test("However often train repeats its step, the answer is that of the first")
    func trainRepeatsTheFirstStep() async {
        await #expect(processExitsWith: .success) {
            let kernel = try trained([2, 16, 64])
            let digest = TrainingKernel.digest(kernel.block.parameters)
            for number in (0..<20).reversed() {
                kernel.prepare(number)
                _ = try kernel.repetition()
            }
            #expect(TrainingKernel.digest(kernel.block.parameters) == digest)
            #expect(try kernel.verify().isVerified)
        }
    }

    @Test("train is right for few tokens and narrow rows")
    func trainIsRight() async {
        await #expect(processExitsWith: .success) {
            for shape in [
                [1, 1, 2], [1, 2, 3], [2, 1, 64], [2, 9, 2], [3, 50, 3], [5, 2, 100],
            ] {
                let verdict = try trained(shape).verify()
                #expect(verdict.isVerified, "\(shape)")
            }
        }
    }

    @Test("comm counts elements that are not what was sent")
    func commCountsWrongElements() {
        var message = (0..<100).map { CommunicationKernel.pattern(3, 5, $0, 2) }
        message[40] += 1
        message[41] = .nan
        message.withUnsafeBufferPointer { buffer in
            let wrong = CommunicationKernel.mismatches(buffer) {
                CommunicationKernel.pattern(3, 5, $0, 2)
            }
            #expect(wrong == 2)
        }
        #expect(KernelForm.messageCounts(upTo: 17) == [1, 4, 16, 17])
        #expect(KernelForm.messageCounts(upTo: 16) == [1, 4, 16])
        #expect(KernelForm.messageCounts(upTo: 1) == [1])
    }

    @Test("A transfer that MPI refuses is an error, also while another one is under way")
    func refusedTransferIsAnError() async {
        await #expect(processExitsWith: .success) {
            let world = try worldOfOne.get()
            let (sent, received) = ([42.0], NumericBuffer<Double>(count: 1, filledWith: 0))
            try sent.withUnsafeBufferPointer { sent in
                for isLast in [false, true] {
                    let transfers = PendingTransfers(over: world, capacity: 2)
                    try transfers.receive(into: received.buffer, from: 0, tag: 99)
                    #expect(throws: MPIFailure.self) { try transfers.send(sent, to: 7, tag: 99) }
                    // The refused one has taken no room.
                    try transfers.send(sent, to: 0, tag: 99)
                    // The first set ends with its transfers under way.
                    if isLast { try transfers.waitAll() }
                }
            }
            #expect(received[0] == 42)
        }
    }
}

/// A world of one rank; MPI starts once in a process, and Swift runs this initialiser once.
// SAFETY: only the one test of a process of its own uses the communicator.
nonisolated(unsafe) private let worldOfOne = Result { try MPIEnvironment.start() }

private func setting(_ shape: [Int]) throws -> KernelSetting {
    KernelSetting(world: try worldOfOne.get(), shape: shape)
}

private func trained(_ shape: [Int]) throws -> TrainingKernel {
    let kernel = try TrainingKernel(setting(shape))
    kernel.prepare(0)
    _ = try kernel.repetition()
    return kernel
}
