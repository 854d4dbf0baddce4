internal import MessagePassing

/// Trades pencils among the ranks of a group: one axis, cut so far, becomes whole, and another,
/// whole so far, is cut.
///
/// The later of the two axes is the one that is cut. Each rank packs, for each other, the runs that
/// go there; what comes in lies in runs of the new box again, so both copies move whole runs.
final class PencilTrade {
    private let group: Communicator
    private let box: [Int]
    private let gathered: Int
    private let cut: Int
    private let gatheredRanges: [Range<Int>]
    private let cutRanges: [Range<Int>]
    private let sendCounts: [Int32]
    private let receiveCounts: [Int32]

    /// - Parameters:
    ///   - box: What this rank holds before.
    ///   - gathered: The axis that becomes whole.
    ///   - cut: The axis that is cut, right after `gathered`.
    ///   - shape: The whole grid.
    init(over group: Communicator, box: [Int], gathered: Int, cut: Int, shape: [Int]) {
        precondition(cut == gathered + 1)
        self.group = group
        self.box = box
        self.gathered = gathered
        self.cut = cut
        let parts = group.size
        gatheredRanges = (0..<parts).map { share(of: shape[gathered], part: $0, parts: parts) }
        cutRanges = (0..<parts).map { share(of: shape[cut], part: $0, parts: parts) }
        let outer = box[..<gathered].reduce(1, *)
        let inner = box[(cut + 1)...].reduce(2, *)
        let mineGathered = box[gathered]
        let mineCut = cutRanges[group.rank].count
        sendCounts = cutRanges.map { Int32(outer * mineGathered * $0.count * inner) }
        receiveCounts = gatheredRanges.map { Int32(outer * $0.count * mineCut * inner) }
    }

    /// Trades the contents of `data`; `work` must be as large.
    func run(_ data: NumericBuffer<Double>, by work: NumericBuffer<Double>) throws(MPIFailure) {
        let outer = box[..<gathered].reduce(1, *)
        let inner = box[(cut + 1)...].reduce(2, *)
        let rows = box[gathered]
        let row = box[cut] * inner
        var place = 0
        for range in cutRanges {
            let run = range.count * inner
            for index in 0..<(outer * rows) {
                (work.pointer + place).update(
                    from: data.pointer + index * row + range.lowerBound * inner,
                    count: run
                )
                place += run
            }
        }
        let incoming = receiveCounts.reduce(0) { $0 + Int($1) }
        try group.allToAll(
            work.slice(0..<place),
            counts: sendCounts,
            data.mutableSlice(0..<incoming),
            counts: receiveCounts
        )
        // With nothing outside the gathered axis the blocks already follow one another.
        guard outer > 1 else { return }
        work.pointer.update(from: data.pointer, count: incoming)
        let width = cutRanges[group.rank].count * inner
        let whole = gatheredRanges.reduce(0) { $0 + $1.count } * width
        var source = 0
        for range in gatheredRanges {
            let run = range.count * width
            for index in 0..<outer {
                (data.pointer + index * whole + range.lowerBound * width).update(
                    from: work.pointer + source,
                    count: run
                )
                source += run
            }
        }
    }
}
