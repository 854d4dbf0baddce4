import JobModel

// A ledger has tens of millions of entries after some years, and almost nothing asks for one again: a refund, a
// statement. An entry never changes, so earlier ones need not lie in memory:
//
//     0 ………………… shelved | shelved + 1 ……… count
//     on the shelf (a store)   in memory, and found by their ids
//
// Which of them lie where changes nothing: the same entries are found. What the book asks for with every job,
// whether it holds money, is known without the shelf.

/// Where the first entries of a ledger lie that are not kept in memory.
public protocol LedgerShelf: AnyObject, Sendable {
    /// Entries from a place of the ledger on, in order: at least one, none at `end` or behind.
    ///
    /// - Precondition: `place < end`, and all before `end` were put there.
    func entries(from place: Int, upTo end: Int) -> [LedgerEntry]

    /// The entry with an id, and its place; nil when none before `end` has it.
    func entry(_ id: String, before end: Int) -> (place: Int, entry: LedgerEntry)?

    /// Why what it gave is not what was put there, so that nothing that was made of it counts; nil when all is
    /// well.
    var failure: String? { get }
}

/// All entries of a ledger, wherever they lie. Going through them reads many at once; a single one that is not
/// in memory is looked up by itself.
public struct LedgerEntries: RandomAccessCollection, Sendable {
    fileprivate let shelf: (any LedgerShelf)?
    fileprivate let shelvedCount: Int
    fileprivate let recent: ChunkedList<LedgerEntry>

    /// The first place.
    public var startIndex: Int { 0 }

    /// The number of entries.
    public var endIndex: Int { shelvedCount + recent.count }

    /// The entry at a place.
    public subscript(place: Int) -> LedgerEntry {
        guard place < shelvedCount else { return recent[place - shelvedCount] }
        return shelved(from: place, upTo: place + 1)[0]
    }

    private func shelved(from place: Int, upTo end: Int) -> [LedgerEntry] {
        guard let shelf else { preconditionFailure("entries of a ledger lie on no shelf") }
        let entries = shelf.entries(from: place, upTo: end)
        precondition((1...(end - place)).contains(entries.count), "a shelf gives none, or too many")
        return entries
    }

    /// Goes through all entries.
    public func makeIterator() -> Iterator { iterator(from: 0) }

    /// Goes through the entries from a place on.
    func iterator(from place: Int) -> Iterator { Iterator(entries: self, place: place) }

    /// Entries one after the other.
    public struct Iterator: IteratorProtocol {
        fileprivate let entries: LedgerEntries
        /// The place of the next.
        private var place: Int
        /// What was read from the shelf, and comes next.
        private var page: ArraySlice<LedgerEntry> = []

        fileprivate init(entries: LedgerEntries, place: Int) {
            self.entries = entries
            self.place = place
        }

        /// The next entry.
        public mutating func next() -> LedgerEntry? {
            guard place < entries.endIndex else { return nil }
            defer { place += 1 }
            guard place < entries.shelvedCount else {
                return entries.recent[place - entries.shelvedCount]
            }
            if page.isEmpty {
                page = entries.shelved(from: place, upTo: entries.shelvedCount)[...]
            }
            return page.popFirst()
        }
    }
}

/// Entries in their order, and where each stands by its id.
struct BookedEntries: Sendable {
    private var shelf: (any LedgerShelf)?
    private var shelvedCount = 0
    private var recent = ChunkedList<LedgerEntry>()
    /// The places of the entries in memory.
    private var places = ShardedDictionary<String, Int>()
    /// The holds that were not given back yet, wherever they lie.
    private var openHolds = ShardedDictionary<String, LedgerEntry>()

    /// How many are put away at once; as many at least stay in memory.
    static let step = 512

    /// How many of so many entries an image has not, and may be put away.
    private static func toPutAway(of count: Int) -> Int { Swift.max(0, count / step - 1) * step }

    var count: Int { shelvedCount + recent.count }

    var list: LedgerEntries {
        LedgerEntries(shelf: shelf, shelvedCount: shelvedCount, recent: recent)
    }

    /// Why entries cannot be read that are not in memory.
    var failure: String? { shelf?.failure }

    /// The entry with an id, and its place.
    func entry(_ id: String) -> (place: Int, entry: LedgerEntry)? {
        if let place = places[id] { return (place, recent[place - shelvedCount]) }
        return shelvedCount == 0 ? nil : shelf?.entry(id, before: shelvedCount)
    }

    /// Whether an entry with an id was booked lately.
    func isRecent(_ id: String) -> Bool { places[id] != nil }

    /// The hold with an id that was not given back yet.
    func openHold(_ id: String) -> LedgerEntry? { openHolds[id] }

    mutating func append(_ entry: LedgerEntry) {
        places[entry.id] = count
        recent.append(entry)
        switch entry.subject {
        case .hold: openHolds[entry.id] = entry
        case .release(let job, let attempt, _):
            openHolds[LedgerEntry.holdID(of: job, attempt: attempt)] = nil
        default: break
        }
    }

    /// Lets the earlier entries lie on a shelf only, on which all are.
    mutating func putAway(onto shelf: any LedgerShelf) {
        let shelved = Self.toPutAway(of: count)
        guard shelved > shelvedCount else { return }
        let added = shelved - shelvedCount
        for index in 0..<added { places[recent[index].id] = nil }
        recent.removeFirst(added)
        shelvedCount = shelved
        self.shelf = shelf
    }

    /// Says where the entries lie that an image has not.
    mutating func look(on shelf: any LedgerShelf) {
        if shelvedCount > 0 { self.shelf = shelf }
    }

    /// How many lie on a shelf only.
    var missing: Int { shelvedCount }

    /// Takes the entries that lie on a shelf back into memory.
    mutating func takeBack(_ shelved: [LedgerEntry]) {
        precondition(shelved.count == shelvedCount, "other entries than were put away")
        var whole = BookedEntries()
        for entry in shelved { whole.append(entry) }
        for entry in recent { whole.append(entry) }
        self = whole
    }
}

extension BookedEntries: Hashable {
    /// Whether the entries are the same, wherever they lie.
    static func == (left: Self, right: Self) -> Bool {
        left.count == right.count && left.list.elementsEqual(right.list)
    }

    func hash(into hasher: inout Hasher) { hasher.combine(count) }
}

extension BookedEntries: Codable {
    private enum Parts: CodingKey {
        case shelved
        case recent
        case openHolds
    }

    /// Reads the latest entries; where the others lie must be said (`look(on:)`).
    init(from decoder: any Decoder) throws {
        let parts = try decoder.container(keyedBy: Parts.self)
        shelvedCount = try parts.decode(Int.self, forKey: .shelved)
        let entries = try parts.decode(ChunkedList<LedgerEntry>.self, forKey: .recent)
        guard shelvedCount >= 0, shelvedCount == Self.toPutAway(of: shelvedCount + entries.count)
        else {
            throw DecodingError.dataCorruptedError(
                forKey: .shelved,
                in: parts,
                debugDescription: "so many entries of a ledger are not put away"
            )
        }
        for entry in entries { append(entry) }
        openHolds = try parts.decode(
            ShardedDictionary<String, LedgerEntry>.self,
            forKey: .openHolds
        )
    }

    /// Writes as many as are always in memory: equal entries give equal bytes, whatever was put away of them.
    func encode(to encoder: any Encoder) throws {
        let shelved = Self.toPutAway(of: count)
        var parts = encoder.container(keyedBy: Parts.self)
        try parts.encode(shelved, forKey: .shelved)
        var latest = recent
        latest.removeFirst(shelved - shelvedCount)
        try parts.encode(latest, forKey: .recent)
        try parts.encode(openHolds, forKey: .openHolds)
    }
}
