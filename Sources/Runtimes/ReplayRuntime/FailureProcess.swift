import Determinism
import IndexSets

/// How nodes of a kind fail and are mended.
///
/// Source: Schroeder and Gibson, "A Large-Scale Study of Failures in High-Performance Computing
/// Systems", DSN 2006: times between failures of a node are Weibull, with shapes of 0.7 to 0.8.
public struct FailureModel: Hashable, Sendable {
    /// The shape of the Weibull distribution of the time from a repair to the next failure.
    public var shape: Double
    /// Its scale. Unit: s.
    public var scaleSeconds: Int64
    /// The mean time of a repair; repairs are exponentially distributed. Unit: s.
    public var repairSeconds: Int64

    /// Makes a model.
    ///
    /// - Precondition: the shape is in 0.1…10, the times are in 1 s…1,000 years.
    public init(shape: Double, scaleSeconds: Int64, repairSeconds: Int64) {
        precondition(Self.shapes.contains(shape))
        precondition(Self.lengths.contains(scaleSeconds) && Self.lengths.contains(repairSeconds))
        self.shape = shape
        self.scaleSeconds = scaleSeconds
        self.repairSeconds = repairSeconds
    }

    /// The shapes that a model may have.
    public static let shapes = 0.1...10.0
    /// The lengths that a model may have. Unit: s.
    public static let lengths: ClosedRange<Int64> = 1...31_536_000_000

    /// A Weibull number, whole seconds from 1 to 1,000 years, the same on every machine.
    static func draw(
        shape: Double,
        scaleSeconds: Int64,
        _ random: inout SplitMix64
    ) -> Int64 {
        // Above zero and at most one, in steps of 2⁻⁵³.
        let share = Double((random.next() >> 11) + 1) * 0x1p-53
        let hazard = -ReproducibleMath.naturalLog(share)
        guard hazard > 0 else { return lengths.lowerBound }
        let seconds = Double(scaleSeconds) * ReproducibleMath.power(hazard, 1 / shape)
        guard seconds < Double(lengths.upperBound) else { return lengths.upperBound }
        return max(lengths.lowerBound, Int64(seconds.rounded()))
    }
}

/// Failures and repairs of nodes, drawn one after another without end.
///
/// Each node has a random stream of its own and is new when the log begins and after each repair, so
/// what happens to one node depends on nothing that happens to others.
public struct FailureProcess: Sendable {
    private struct Entry: Sendable {
        /// When its next event is. Unit: s of trace time.
        var second: Int64
        var node: Int32

        func goesBefore(_ other: Self) -> Bool { (second, node) < (other.second, other.node) }
    }

    private let models: [FailureModel?]
    private var streams: [SplitMix64]
    private var isDown: [Bool]
    /// A heap: no entry goes before that at half its position.
    private var heap: [Entry] = []

    /// Makes a process.
    ///
    /// - Parameters:
    ///   - models: that of each node; nil for one that never fails.
    ///   - seed: the same seed is the same failures.
    public init(models: [FailureModel?], seed: UInt64) {
        self.models = models
        var seeds = SplitMix64(seed: seed, stream: "node failures")
        streams = models.map { _ in SplitMix64(seed: seeds.next()) }
        isDown = Array(repeating: false, count: models.count)
        for node in models.indices where models[node] != nil {
            heap.append(Entry(second: interval(node), node: Int32(node)))
        }
        heap.sort { $0.goesBefore($1) }
    }

    /// When the next event is; nil when no node ever fails. Unit: µs of trace time.
    var nextInstant: Int64? { heap.first.map { $0.second * 1_000_000 } }

    /// Takes the next event out and draws what follows it.
    mutating func pop() -> NodeEvent {
        let entry = heap[0]
        let node = Int(entry.node)
        isDown[node].toggle()
        heap[0].second = min(entry.second + interval(node), Self.secondMaximum)
        sink()
        return NodeEvent(
            instant: entry.second * 1_000_000,
            nodes: IDSet([node]),
            kind: isDown[node] ? .fail : .resume
        )
    }

    /// Beyond all times of a log, and no overflow in µs.
    private static let secondMaximum: Int64 = 4_000_000_000_000

    private mutating func interval(_ node: Int) -> Int64 {
        guard let model = models[node] else { return Self.secondMaximum }
        return isDown[node]
            ? FailureModel.draw(shape: 1, scaleSeconds: model.repairSeconds, &streams[node])
            : FailureModel.draw(
                shape: model.shape,
                scaleSeconds: model.scaleSeconds,
                &streams[node]
            )
    }

    /// Brings the first entry to its place in the heap.
    private mutating func sink() {
        var parent = 0
        while true {
            var first = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].goesBefore(heap[first]) { first = child }
            guard first != parent else { return }
            heap.swapAt(first, parent)
            parent = first
        }
    }
}
