/// Dense matrices and vectors whose entries follow from their indices, so that every rank can make
/// its part, whatever the number of ranks, and make it again to verify.
enum HashedMatrix {
    /// Entry (`row`, `column`) of matrix number `which`: uniform in −0.5..<0.5.
    @inline(__always)
    static func entry(_ which: UInt64, _ row: Int, _ column: Int) -> Double {
        var z = UInt64(truncatingIfNeeded: row) &* 0x9E37_79B9_7F4A_7C15
        z &+= UInt64(truncatingIfNeeded: column) &* 0xD1B5_4A32_D192_ED03
        z &+= which &* 0x8CB9_2BA7_2F3D_8DD7
        return Double(mixed(z) >> 11) * 0x1p-53 - 0.5
    }

    /// The number of matrix `which` as it is in repetition `number`.
    @inline(__always)
    static func variant(_ which: UInt64, _ number: Int) -> UInt64 {
        which &+ UInt64(truncatingIfNeeded: number) &* 256
    }

    /// SplitMix64's finaliser (Steele, Lea, Flood, OOPSLA 2014).
    @inline(__always)
    static func mixed(_ word: UInt64) -> UInt64 {
        var z = word
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Ranks arranged as a rectangle, as near to a square as their number allows, rows not more than
/// columns.
struct RankRectangle: Hashable, Sendable {
    var rows: Int
    var columns: Int

    init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
    }

    /// The rectangle nearest to a square.
    init(ranks: Int) {
        var rows = 1
        for candidate in 1...ranks where ranks % candidate == 0 && candidate * candidate <= ranks {
            rows = candidate
        }
        self.rows = rows
        columns = ranks / rows
    }
}
