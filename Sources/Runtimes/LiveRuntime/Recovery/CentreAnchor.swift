import Persistence
public import Quantities

/// Where the books of a centre stood: a line to be kept where nobody who can write the state folder
/// can write.
public struct CentreAnchor: Hashable, Sendable {
    /// The last batch of the journal.
    public var batch: Int64 = 0
    /// Its instant.
    public var instant = SimInstant.epoch
    /// The rows of the journal.
    public var journalLength: Int64 = 0
    /// The hash of the last, in hexadecimal.
    public var journalHead = HashChain().hexText
    /// The rows of the ledger.
    public var ledgerLength: Int64 = 0
    /// The hash of the last, in hexadecimal.
    public var ledgerHead = HashChain().hexText

    /// Books in which nothing stands.
    public init() {}

    /// Where books stand whose last rows are these.
    init(
        _ last: JournalRow?,
        _ reader: CentreReader,
        ledger: CentreReader.ChainedRow<LedgerRow>?
    ) throws(PersistenceFailure) {
        if let last {
            (batch, instant, journalLength) = (last.batch, last.instant, last.sequence)
            journalHead = try reader.journalHash(ofRow: last.sequence) ?? journalHead
        }
        if let ledger { (ledgerLength, ledgerHead) = (ledger.sequence, ledger.hash) }
    }

    private static let version = "xinghe-anchor-1"

    /// One line of seven fields with tabs between them: the version of the form, the batch, its instant
    /// (µs since 1970 UTC), then length and head of journal and ledger.
    public var text: String {
        [
            Self.version, String(batch), String(instant.microseconds), String(journalLength),
            journalHead, String(ledgerLength), ledgerHead,
        ].joined(separator: "\t")
    }

    /// Reads such a line; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let fields = text.split(separator: "\t", omittingEmptySubsequences: false)
        func isHash(_ field: some StringProtocol) -> Bool {
            field.utf8.count == 64 && field.allSatisfy(\.isHexDigit)
        }
        guard fields.count == 7, fields[0] == Self.version, let batch = Int64(fields[1]),
            let instant = Int64(fields[2]), let journalLength = Int64(fields[3]),
            isHash(fields[4]), let ledgerLength = Int64(fields[5]), isHash(fields[6]),
            min(batch, journalLength, ledgerLength) >= 0
        else { return nil }
        self.batch = batch
        self.instant = SimInstant(microseconds: instant)
        self.journalLength = journalLength
        self.ledgerLength = ledgerLength
        journalHead = fields[4].lowercased()
        ledgerHead = fields[6].lowercased()
    }

    /// Why books cannot have grown from here.
    func findings(
        _ reader: CentreReader,
        ledger: [CentreReader.ChainedRow<LedgerRow>]
    ) throws(PersistenceFailure) -> [String] {
        let empty = HashChain().hexText
        let journal =
            journalLength == 0 ? empty : try reader.journalHash(ofRow: journalLength)
        let rows = Int64(ledger.count)
        let inLedger =
            ledgerLength == 0
            ? empty : ledgerLength <= rows ? ledger[Int(ledgerLength) - 1].hash : nil
        return [
            ("journal", journalLength, journalHead, journal),
            ("ledger", ledgerLength, ledgerHead, inLedger),
        ].compactMap { table, length, head, found in
            guard found != head else { return nil }
            return
                "\(table): after row \(length) the chain had the head \(head) when batch \(batch)"
                + " was anchored; now "
                + (found.map { "it has \($0): it was written anew" } ?? "that row is missing")
        }
    }
}
