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

    /// Where stored books stand whose whole journal gave `state`.
    init(_ state: CentreState, _ reader: CentreReader) throws(PersistenceFailure) {
        (batch, instant, journalLength) = (state.batch, state.lastInstant, state.journalLength)
        journalHead = try reader.journalHash(ofRow: journalLength) ?? journalHead
        (ledgerLength, ledgerHead) = try reader.ledgerEnd()
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
    func findings(_ reader: CentreReader) throws(PersistenceFailure) -> [String] {
        let empty = HashChain().hexText
        let journal =
            journalLength == 0 ? empty : try reader.journalHash(ofRow: journalLength)
        let inLedger = ledgerLength == 0 ? empty : try reader.ledgerHash(ofRow: ledgerLength)
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
