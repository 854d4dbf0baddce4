internal import MessagePassing

/// Trades pencils among the ranks of a group: one axis, cut so far, becomes whole, and another,
/// whole so far, is cut.
///
/// The later of the two axes is the one that is cut. What goes from rank to rank are whole runs of
/// the old box, and so are those of the new box that it makes.
final class PencilTrade {
    private let group: Communicator
    private let box: [Int]
    private let gathered: Int
    private let cut: Int
    private let gatheredRanges: [Range<Int>]
    private let cutRanges: [Range<Int>]
    /// Messages from the places where the runs lie to those where they belong, where that is
    /// possible; otherwise the runs are packed.
    private let direct: PendingTransfers?

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
        // With nothing outside the gathered axis, one run makes one row of the new box.
        let transfers = shape[gathered] + (parts - 2) * box[gathered]
        direct = gathered == 0 ? PendingTransfers(over: group, capacity: transfers) : nil
    }

    /// Elements of a step along the cut axis.
    private var inner: Int { box[(cut + 1)...].reduce(2, *) }

    /// Trades the contents of `data` into `target`. What is in `data` is lost.
    func run(_ data: NumericBuffer<Double>, to target: NumericBuffer<Double>) throws(MPIFailure) {
        if let direct {
            try runDirectly(data, to: target, direct)
        } else {
            try runPacked(data, to: target)
        }
    }

    /// Row by row, each run from its place to its place: nothing is copied on the way.
    private func runDirectly(
        _ data: NumericBuffer<Double>,
        to target: NumericBuffer<Double>,
        _ transfers: PendingTransfers
    ) throws(MPIFailure) {
        let mine = group.rank
        let row = box[cut] * inner
        let run = cutRanges[mine].count * inner
        for (source, range) in gatheredRanges.enumerated() where source != mine {
            for place in range {
                let span = (place * run)..<((place + 1) * run)
                try transfers.receive(into: target.mutableSlice(span), from: source)
            }
        }
        for (there, range) in cutRanges.enumerated() where there != mine {
            for place in 0..<box[gathered] {
                let start = place * row + range.lowerBound * inner
                let span = start..<(start + range.count * inner)
                try transfers.send(data.slice(span), to: there)
            }
        }
        for place in 0..<box[gathered] {
            (target.pointer + (gatheredRanges[mine].lowerBound + place) * run).update(
                from: data.pointer + place * row + cutRanges[mine].lowerBound * inner,
                count: run
            )
        }
        try transfers.waitAll()
    }

    private func runPacked(
        _ data: NumericBuffer<Double>,
        to target: NumericBuffer<Double>
    ) throws(MPIFailure) {
        let outer = box[..<gathered].reduce(1, *)
        let row = box[cut] * inner
        var place = 0
        for range in cutRanges {
            let run = range.count * inner
            for index in 0..<(outer * box[gathered]) {
                (target.pointer + place).update(
                    from: data.pointer + index * row + range.lowerBound * inner,
                    count: run
                )
                place += run
            }
        }
        let width = cutRanges[group.rank].count * inner
        let sendCounts = try messageCounts(
            cutRanges.map { outer * box[gathered] * $0.count * inner }
        )
        let receiveCounts = try messageCounts(gatheredRanges.map { outer * $0.count * width })
        try group.allToAll(
            target.slice(0..<place),
            counts: sendCounts,
            data.mutableSlice(0..<receiveCounts.reduce(0) { $0 + Int($1) }),
            counts: receiveCounts
        )
        let whole = gatheredRanges.reduce(0) { $0 + $1.count } * width
        var source = 0
        for range in gatheredRanges {
            let run = range.count * width
            for index in 0..<outer {
                (target.pointer + index * whole + range.lowerBound * width).update(
                    from: data.pointer + source,
                    count: run
                )
                source += run
            }
        }
    }
}
