public import Quantities

/// One input, as the journal holds it.
public struct JournalRow: Hashable, Sendable {
    /// Its place, from 1, without gaps.
    public var sequence: Int64
    /// The batch that it was handled in. All rows of a batch have one instant.
    public var batch: Int64
    /// The centre's time of the batch.
    public var instant: SimInstant
    /// What kind of input it is: `submit`.
    public var kind: String
    /// The input itself, as JSON.
    public var body: String

    /// Makes a row.
    public init(sequence: Int64, batch: Int64, instant: SimInstant, kind: String, body: String) {
        self.sequence = sequence
        self.batch = batch
        self.instant = instant
        self.kind = kind
        self.body = body
    }
}

/// Inputs that are handled together, at one instant.
public struct JournalBatch: Sendable {
    /// Its number, one more than that of the batch before.
    public var number: Int64
    /// The centre's time.
    public var instant: SimInstant
    /// Kind and body of each input.
    public var inputs: [(kind: String, body: String)]

    /// Makes a batch.
    public init(number: Int64, instant: SimInstant, inputs: [(kind: String, body: String)]) {
        self.number = number
        self.instant = instant
        self.inputs = inputs
    }
}

/// The record of a job's run that has ended, as the accounts keep it.
public struct JobRow: Hashable, Sendable, Codable {
    /// The job's number.
    public var jobID: UInt32
    /// Which of its runs: 0 for the first.
    public var restart: Int32
    /// The owner, for filters.
    public var user: String
    /// The account, for filters.
    public var account: String
    /// Slurm's long name of the state, for filters.
    public var state: String
    /// When it was submitted.
    public var submit: SimInstant
    /// When it ended.
    public var end: SimInstant
    /// The whole record, as JSON.
    public var body: String

    /// Makes a row.
    public init(
        jobID: UInt32,
        restart: Int32,
        user: String,
        account: String,
        state: String,
        submit: SimInstant,
        end: SimInstant,
        body: String
    ) {
        self.jobID = jobID
        self.restart = restart
        self.user = user
        self.account = account
        self.state = state
        self.submit = submit
        self.end = end
        self.body = body
    }
}

/// The state digest after a batch.
public struct DigestRow: Hashable, Sendable, Codable {
    /// The batch.
    public var batch: Int64
    /// The digest after it.
    public var value: UInt64

    /// Makes a row.
    public init(batch: Int64, value: UInt64) {
        self.batch = batch
        self.value = value
    }
}

/// An entry of the ledger.
public struct LedgerRow: Hashable, Sendable, Codable {
    /// The entry's id; a second entry of the same id is a defect.
    public var id: String
    /// The entry in its canonical form.
    public var text: String

    /// Makes a row.
    public init(id: String, text: String) {
        self.id = id
        self.text = text
    }
}

/// What follows from inputs: it can be computed again from the journal, and an audit does so.
public struct DerivedRows: Hashable, Sendable, Codable {
    /// The state digests.
    public var digests: [DigestRow] = []
    /// Records of runs that ended.
    public var jobs: [JobRow] = []
    /// Entries of the ledger, in their order.
    public var ledger: [LedgerRow] = []

    /// Makes no rows.
    public init() {}

    /// Adds what followed later.
    public mutating func append(_ later: DerivedRows) {
        digests += later.digests
        jobs += later.jobs
        ledger += later.ledger
    }

    /// How many rows it is.
    public var count: Int { digests.count + jobs.count + ledger.count }

    /// Whether there is nothing to write.
    public var isEmpty: Bool { count == 0 }
}
