public import Persistence

/// Puts a state folder right that no daemon opens any more, as far as the journal says how.
///
/// All tables but the journal can be computed again, and are. What the journal itself has lost is lost:
/// with leave it is cut before the damage, and the centre goes on from there.
public struct CentreRepair: Sendable {
    /// What was cut off the journal; nil when nothing was.
    public private(set) var cut: CentreStore.Cut?
    /// What was acknowledged and is gone, in words; nil when nothing is.
    public private(set) var loss: String?
    /// What was made again.
    public private(set) var rows = CentreStore.RepairedRows()

    /// The batches of images that were not what the journal gives, and are gone now.
    public private(set) var images: [Int64] = []

    /// Whether anything had to be done.
    public var isNeeded: Bool { cut != nil || loss != nil || rows.count > 0 || !images.isEmpty }

    /// Repairs a state folder that nobody has open.
    ///
    /// - Parameter acceptsLoss: whether to go on without inputs that are damaged, or that were acknowledged
    ///   and are gone.
    /// - Throws: `OpenFailure`. Where the journal is damaged, or this program decides otherwise than the one
    ///   that wrote it, nothing has changed.
    public init(stateFolder: String, acceptsLoss: Bool) throws(OpenFailure) {
        // Not to be made by asking.
        _ = try StoredRules.reader(stateFolder)
        let folder = try Self.stored { () throws(PersistenceFailure) in
            try StateFolder(path: stateFolder)
        }
        defer { folder.release() }
        if acceptsLoss {
            cut = try Self.stored { () throws(PersistenceFailure) in
                try CentreStore.cutDamage(of: folder)
            }
            loss = try Self.stored { () throws(PersistenceFailure) in
                try CentreReader(stateFolder: stateFolder).headFinding(folder: stateFolder)
            }
        }
        let store = try Self.stored { () throws(PersistenceFailure) in
            try CentreStore(folder: folder, origin: .asFound, acceptsLoss: acceptsLoss)
        }
        defer { store.close() }
        let images = ImageFolder(stateFolder: stateFolder)
        (rows, self.images) = try Self.makeDerived(store, stateFolder, images)
        for batch in self.images { images.remove(batch) }
    }

    /// Makes again, in one transaction, what follows from the journal; also the batches of which images are not
    /// what it gives.
    private static func makeDerived(
        _ store: CentreStore,
        _ path: String,
        _ images: ImageFolder
    ) throws(OpenFailure) -> (CentreStore.RepairedRows, [Int64]) {
        var unseen = Set(images.batches)
        var unfit: [Int64] = []
        var state = CentreState(rules: try StoredRules(store.reader, path).rules(with: nil))
        var refusal: OpenFailure?
        let rows = try stored { () throws(PersistenceFailure) in
            try store.makeDerived { take throws(PersistenceFailure) in
                var known: [Int64: UInt64] = [:]
                try state.replay(store.reader) { state, derived throws(PersistenceFailure) in
                    guard refusal == nil else { return }
                    let batch = state.batch
                    if unseen.remove(batch) != nil,
                        try CentreImage.finding(images, store.reader, state) != nil
                    {
                        unfit.append(batch)
                    }
                    if batch % digestsAtOnce == 1 {
                        known = try store.reader.digests(of: batch...batch + digestsAtOnce)
                    }
                    // What an earlier program decided is not to be decided again, with other charges.
                    if let row = derived.digests.first(where: {
                        (known[$0.batch] ?? $0.value) != $0.value
                    }) {
                        refusal = .digestDiffers(batch: row.batch)
                        return
                    }
                    try take(derived)
                }
                return refusal == nil
            }
        }
        if let refusal { throw refusal }
        return (rows, unfit + unseen.sorted())
    }

    private static let digestsAtOnce: Int64 = 1_024

    private static func stored<Answer>(
        _ body: () throws(PersistenceFailure) -> Answer
    ) throws(OpenFailure) -> Answer {
        do throws(PersistenceFailure) {
            return try body()
        } catch {
            throw .store(error)
        }
    }
}
