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

    /// Whether anything had to be done.
    public var isNeeded: Bool { cut != nil || loss != nil || rows.count > 0 }

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
        let derived = try Self.derived(store.reader, stateFolder)
        rows = try Self.stored { () throws(PersistenceFailure) in
            try store.makeDerived(derived)
        }
    }

    /// All that follows from the journal.
    private static func derived(
        _ reader: CentreReader,
        _ path: String
    ) throws(OpenFailure) -> DerivedRows {
        var state = CentreState(rules: try StoredRules(reader, path).rules(with: nil))
        var derived = DerivedRows()
        let digests = try stored { () throws(PersistenceFailure) in
            try state.replay(reader) { _, rows in derived.append(rows) }
            return try reader.digests()
        }
        // What an earlier program decided is not to be decided again, with other charges.
        for row in derived.digests {
            if let known = digests[row.batch], known != row.value {
                throw .digestDiffers(batch: row.batch)
            }
        }
        return derived
    }

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
