/// Smith–Waterman of one query with 16 sequences of equal length at a time, one in each lane.
///
/// The recurrence as it is written (Gotoh), only that each number is a vector: no cell waits for
/// another lane, so there are no stripes, and no gap has to be put right. Checks `StripedAligner`, with
/// which it shares nothing but the scores of letters and gaps.
///
/// Source: Rognes, "Faster Smith-Waterman database searches with inter-sequence SIMD
/// parallelisation", BMC Bioinformatics 12, 2011.
final class LaneAligner {
    private typealias Vector = SIMD16<Int16>

    static let lanes = 16

    private let query: [UInt8]
    private let row: NumericBuffer<SIMD16<Int16>>
    private let gaps: NumericBuffer<SIMD16<Int16>>
    private let pairs: NumericBuffer<SIMD16<Int16>>

    init(_ query: [UInt8]) {
        self.query = query
        row = NumericBuffer(count: query.count + 1, filledWith: .zero)
        gaps = NumericBuffer(count: query.count + 1, filledWith: .zero)
        pairs = NumericBuffer(count: 4, filledWith: .zero)
    }

    /// The best local score of each of up to 16 sequences.
    func scores(_ sequences: [[UInt8]]) -> [Int] {
        for place in 0...query.count {
            row[place] = .zero
            gaps[place] = .zero
        }
        var best = Vector.zero
        for place in 0..<(sequences.first?.count ?? 0) {
            for letter in 0..<4 {
                var scores = Vector(repeating: Int16(AlignmentScores.mismatch))
                for (lane, sequence) in sequences.enumerated() where Int(sequence[place]) == letter
                {
                    scores[lane] = Int16(AlignmentScores.match)
                }
                pairs[letter] = scores
            }
            query.withUnsafeBufferPointer { query in
                alignLetter(query, pairs.pointer, row.pointer, gaps.pointer, &best)
            }
        }
        return sequences.indices.map { Int(best[$0]) }
    }
}

/// One letter of each sequence against the whole query.
private func alignLetter(
    _ query: UnsafeBufferPointer<UInt8>,
    _ pairs: UnsafePointer<SIMD16<Int16>>,
    _ row: UnsafeMutablePointer<SIMD16<Int16>>,
    _ gaps: UnsafeMutablePointer<SIMD16<Int16>>,
    _ best: inout SIMD16<Int16>
) {
    let open = SIMD16<Int16>(repeating: Int16(AlignmentScores.open))
    let extend = SIMD16<Int16>(repeating: Int16(AlignmentScores.extend))
    var (diagonal, gap, highest) = (SIMD16<Int16>.zero, SIMD16<Int16>.zero, best)
    var before = SIMD16<Int16>.zero
    for place in 0..<query.count {
        let at = place &+ 1
        let above = larger(row[at] &- open, gaps[at] &- extend)
        gap = larger(before &- open, gap &- extend)
        var value = larger(diagonal &+ pairs[Int(query[place])], .zero)
        value = larger(larger(value, above), gap)
        diagonal = row[at]
        row[at] = value
        gaps[at] = above
        before = value
        highest = larger(highest, value)
    }
    best = highest
}
