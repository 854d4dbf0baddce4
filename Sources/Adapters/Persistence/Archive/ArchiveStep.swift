import GRDB

/// A piece of the work of archiving, prepared so that writing it is short: `CentreStore.take` does that.
///
/// Pieces come one after another from `Archiving`. Each is whole in itself: after any of them, and in the middle of
/// one, the store says the same as before.
public struct ArchiveStep: Sendable {
    enum Work: Sendable {
        /// A file has these rows: they count as archived from now on.
        case segment(JournalSegment)
        /// Rows are in a segment: some of those in the table go.
        case dropRows(ClosedRange<Int64>)
        /// Bodies of records, packed.
        case records([ArchivedRecord], PackedTexts.Packed)
        /// Texts of entries, packed.
        case entries([ArchivedEntry], PackedTexts.Packed)
        /// Pages of the file that nothing is in any more are given back.
        case shrink
        /// What is in the log is brought into the file: only then does that get smaller.
        case settle
    }

    let work: Work
}

/// A record whose body is packed.
struct ArchivedRecord: Sendable {
    var run: StoredRun
    /// Its other columns, in their order.
    var columns: [DatabaseValue]
}

/// An entry whose text is packed.
struct ArchivedEntry: Sendable {
    var sequence: Int64
    var id: String
    var chain: [UInt8]
}
