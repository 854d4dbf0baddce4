internal import MessagePassing
internal import Prediction
internal import WireFormats

/// Gene sequences against a query: Smith–Waterman local alignment with affine gaps.
///
/// A query of M letters against D sequences of L letters (A, C, G, T), dealt out over the ranks.
/// Match 5, mismatch −4, a gap of k letters costs 10 + k. Scores only, by Farrar's striped vectors
/// of 16 lanes. Every 50th sequence holds a mutated piece of the query, as a relative would.
///
/// **Work**: 10 integer operations a cell (5 additions, 5 comparisons), counted as `flop`; one byte
/// a letter read.
///
/// **Verified** when every sequence has exactly the score that another algorithm finds (`LaneAligner`: a
/// sequence in each lane, no stripes and nothing to put right), and 16 sequences, and the best of each
/// rank, that of the plain recurrence (Gotoh). Each repetition has another query.
///
/// Source: Farrar, "Striped Smith–Waterman speeds database searches six times over other SIMD
/// implementations", Bioinformatics 23(2), 2007; Gotoh, J. Mol. Biol. 162, 1982.
final class AlignmentKernel: Kernel {
    static let profile = KernelProfile(
        .align,
        title: "gene sequences: Smith-Waterman with affine gaps (integer operations)",
        criterion: "every score exactly as another algorithm's, 16 as the plain recurrence's"
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        Double(shape[1]) * (Double(shape[2]) + 2) + 200 * Double(shape[0])
    }

    private static let samples = 16
    /// With longer ones scores, and their differences, might not fit in 16 bits.
    private static let longest = 6_000
    private static let relativesEvery = 50

    private let world: Communicator
    private let shape: [Int]
    private let mine: Range<Int>
    private var query: [UInt8] = []
    private let letters: NumericBuffer<UInt8>
    private var number = 0
    private var aligner: StripedAligner
    var scores: [Int16]

    init(_ setting: KernelSetting) throws(KernelFailure) {
        world = setting.world
        shape = setting.shape
        let (length, sequences) = (shape[0], shape[1])
        guard min(length, shape[2]) <= Self.longest else {
            throw .malformedSize(
                extentsText(shape),
                kernel: Self.profile.name,
                meaning: "MxDxL with M or L at most \(Self.longest)"
            )
        }
        guard sequences >= world.size else {
            throw .tooManyRanks(world.size, shape: shape, why: "fewer sequences than ranks")
        }
        mine = share(of: sequences, part: world.rank, parts: world.size)
        letters = NumericBuffer(count: mine.count * shape[2], filledWith: 0)
        scores = [Int16](repeating: 0, count: mine.count)
        aligner = StripedAligner([0])
        for (slot, sequence) in mine.enumerated() {
            for place in 0..<shape[2] {
                letters[slot * shape[2] + place] = Self.letter(sequence + 1, place)
            }
        }
    }

    func prepare(_ number: Int) {
        self.number = number
        query = (0..<shape[0]).map { Self.letter(-number, $0) }
        aligner = StripedAligner(query)
        for sequence in mine where Self.isRelative(sequence) {
            for (place, letter) in makeSequence(sequence).enumerated() {
                letters[(sequence - mine.lowerBound) * shape[2] + place] = letter
            }
        }
        for slot in scores.indices { scores[slot] = -1 }
    }

    func repetition() throws(KernelFailure) -> Work {
        for slot in 0..<mine.count {
            scores[slot] = aligner.score(
                letters.slice((slot * shape[2])..<((slot + 1) * shape[2]))
            )
        }
        return Work(KernelForm.align.work(shape, ranks: world.size))
    }

    func answer() -> KernelAnswer? {
        var answer = KernelAnswer(.int16, shape: [shape[1]])
        answer.add(scores, at: mine.lowerBound)
        return answer
    }

    func verify() throws(KernelFailure) -> Verdict {
        var checked = Set((0..<Self.samples).map { $0 * shape[1] / Self.samples })
            .filter(mine.contains)
        if let best = mine.max(by: { score($0) < score($1) }) { checked.insert(best) }
        let wrong =
            checked.count { score($0) != plainScore(query, makeSequence($0)) }
            + otherwiseScored
        let total = try messaging { () throws(MPIFailure) in
            try world.allReduce(Int64(wrong), .sum)
        }
        return Verdict(residual: Double(total), limit: 0)
    }

    /// Sequences that the other algorithm gives another score, from letters made afresh.
    private var otherwiseScored: Int {
        let other = LaneAligner(query)
        return stride(from: mine.lowerBound, to: mine.upperBound, by: LaneAligner.lanes)
            .reduce(0) { wrong, first in
                let group = first..<min(first + LaneAligner.lanes, mine.upperBound)
                let scores = other.scores(group.map(makeSequence))
                return wrong + group.count { score($0) != scores[$0 - first] }
            }
    }

    private func score(_ sequence: Int) -> Int {
        Int(scores[sequence - mine.lowerBound])
    }

    func details() throws(KernelFailure) -> [JSONValue.Member] {
        let sum = scores.reduce(Int64(0)) { $0 + Int64($1) }
        let total = try messaging { () throws(MPIFailure) in try world.allReduce(sum, .sum) }
        return [
            .init("cell_updates", .integer(cells)),
            .init("sum_of_scores", .integer(total)),
        ]
    }

    private var cells: Int64 { shape.reduce(1) { $0 * Int64($1) } }

    private static func isRelative(_ sequence: Int) -> Bool {
        sequence % relativesEvery == 0
    }

    /// Random letter `place` of sequence `sequence`, from 1; queries have the numbers from 0 down.
    private static func letter(_ sequence: Int, _ place: Int) -> UInt8 {
        UInt8(4 * (HashedMatrix.entry(7, sequence, place) + 0.5))
    }

    private func makeSequence(_ sequence: Int) -> [UInt8] {
        var letters = (0..<shape[2]).map { Self.letter(sequence + 1, $0) }
        guard Self.isRelative(sequence) else { return letters }
        let piece = min(shape[0], shape[2]) * 3 / 4
        for place in 0..<piece
        where HashedMatrix.entry(HashedMatrix.variant(8, number), sequence, place) < 0.4 {
            letters[place] = query[place]
        }
        return letters
    }
}

/// What letters and gaps count.
enum AlignmentScores {
    static let match = 5
    static let mismatch = -4
    /// The first letter of a gap, and each further one.
    static let open = 11
    static let extend = 1
}

/// The score by the recurrence as it is written: O(ML) time, one row of memory.
func plainScore(_ query: [UInt8], _ sequence: [UInt8]) -> Int {
    var row = [Int](repeating: 0, count: query.count + 1)
    var gaps = [Int](repeating: 0, count: query.count + 1)
    var best = 0
    for letter in sequence {
        var diagonal = 0
        var gap = 0
        for place in 1...query.count {
            gaps[place] = max(
                row[place] - AlignmentScores.open,
                gaps[place] - AlignmentScores.extend
            )
            gap = max(row[place - 1] - AlignmentScores.open, gap - AlignmentScores.extend)
            let isMatch = query[place - 1] == letter
            let pair = diagonal + (isMatch ? AlignmentScores.match : AlignmentScores.mismatch)
            diagonal = row[place]
            row[place] = max(0, pair, gaps[place], gap)
            best = max(best, row[place])
        }
    }
    return best
}

/// Farrar's striped alignment of one query with many sequences.
///
/// Lane l of vector s is letter l·S + s of the query, S vectors in all, so that neighbours within a
/// column lie in different vectors and the column is computed without waiting for itself. A gap
/// that runs from one lane into the next is put right afterwards, which is seldom needed.
final class StripedAligner {
    private typealias Vector = SIMD16<Int16>

    private let stripes: Int
    private let profile: NumericBuffer<SIMD16<Int16>>
    private let columns: [NumericBuffer<SIMD16<Int16>>]
    private let gaps: NumericBuffer<SIMD16<Int16>>
    private let shifter: NumericBuffer<Int16>

    init(_ query: [UInt8]) {
        stripes = (query.count + 15) / 16
        // Beyond the query's end nothing matches, so no score grows there.
        profile = NumericBuffer(count: 4 * stripes, filledWith: Vector(repeating: -1_000))
        for letter in 0..<4 {
            for (place, other) in query.enumerated() {
                let score =
                    Int(other) == letter ? AlignmentScores.match : AlignmentScores.mismatch
                profile[letter * stripes + place % stripes][place / stripes] = Int16(score)
            }
        }
        columns = (0..<2).map { [stripes] _ in NumericBuffer(count: stripes, filledWith: .zero) }
        gaps = NumericBuffer(count: stripes, filledWith: .zero)
        shifter = NumericBuffer(count: 32, filledWith: 0)
    }

    /// The best local score of the query and `sequence`.
    func score(_ sequence: UnsafeBufferPointer<UInt8>) -> Int16 {
        for stripe in 0..<stripes {
            columns[0][stripe] = .zero
            gaps[stripe] = .zero
        }
        let (first, second) = (columns[0].pointer, columns[1].pointer)
        var best = Vector.zero
        for (place, letter) in sequence.enumerated() {
            let isEven = place & 1 == 0
            alignColumn(
                stripes,
                profile.pointer + Int(letter) &* stripes,
                isEven ? first : second,
                isEven ? second : first,
                gaps.pointer,
                shifter.pointer,
                &best
            )
        }
        return best.max()
    }
}

private func alignColumn(
    _ stripes: Int,
    _ profile: UnsafePointer<SIMD16<Int16>>,
    _ before: UnsafePointer<SIMD16<Int16>>,
    _ column: UnsafeMutablePointer<SIMD16<Int16>>,
    _ gaps: UnsafeMutablePointer<SIMD16<Int16>>,
    _ shifter: UnsafeMutablePointer<Int16>,
    _ best: inout SIMD16<Int16>
) {
    let open = SIMD16<Int16>(repeating: Int16(AlignmentScores.open))
    let extend = SIMD16<Int16>(repeating: Int16(AlignmentScores.extend))
    var value = shifted(before[stripes &- 1], shifter)
    var gap = SIMD16<Int16>.zero
    var highest = best
    for stripe in 0..<stripes {
        value = larger(value &+ profile[stripe], .zero)
        value = larger(larger(value, gaps[stripe]), gap)
        highest = larger(highest, value)
        column[stripe] = value
        let opened = value &- open
        gaps[stripe] = larger(gaps[stripe] &- extend, opened)
        gap = larger(gap &- extend, opened)
        value = before[stripe]
    }
    best = highest
    // Gaps that run on from the end of a lane into the start of the next.
    for _ in 0..<16 {
        gap = shifted(gap, shifter)
        for stripe in 0..<stripes {
            guard isAnyNegative((column[stripe] &- open) &- gap) else { return }
            column[stripe] = larger(column[stripe], gap)
            gaps[stripe] = larger(gaps[stripe], column[stripe] &- open)
            gap = gap &- extend
        }
    }
}

/// The larger number in each lane: `one`, and what `two` has more. Scores are small enough for the
/// difference. Four instructions; `pointwiseMax`, `replacing` and masks go lane by lane here, which
/// makes the whole kernel six times slower.
@inline(__always)
func larger(_ one: SIMD16<Int16>, _ two: SIMD16<Int16>) -> SIMD16<Int16> {
    let excess = two &- one
    return one &+ (excess & ~(excess &>> 15))
}

/// Whether any lane is below zero.
@inline(__always)
private func isAnyNegative(_ vector: SIMD16<Int16>) -> Bool {
    let words = unsafeBitCast(vector, to: SIMD4<UInt64>.self)
    return ((words[0] | words[1]) | (words[2] | words[3])) & 0x8000_8000_8000_8000 != 0
}

/// Every lane moved to the next, and zero in the first. Through memory: Swift has no shuffle.
@inline(__always)
private func shifted(
    _ vector: SIMD16<Int16>,
    _ shifter: UnsafeMutablePointer<Int16>
) -> SIMD16<Int16> {
    shifter[0] = 0
    UnsafeMutableRawPointer(shifter + 1).storeBytes(of: vector, as: SIMD16<Int16>.self)
    return UnsafeRawPointer(shifter).loadUnaligned(as: SIMD16<Int16>.self)
}
