/// What was archived: the answer to `POST /v1/archive`.
public struct ArchiveOutcome: WireRecord {
    /// Inputs of the journal that went into files.
    public var inputs: Int64 = 0
    /// The files that were made of them.
    public var files: Int64 = 0
    /// Records of ended runs that were packed.
    public var records: Int64 = 0
    /// Entries of the ledger that were packed.
    public var entries: Int64 = 0

    /// Says that nothing was.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("inputs", &inputs)
        try fields("files", &files)
        try fields("records", &records)
        try fields("entries", &entries)
    }
}
