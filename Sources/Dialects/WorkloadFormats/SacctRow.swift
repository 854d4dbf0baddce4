public import WireFormats

/// The number of a Slurm job as `sacct` prints it: `12`, `12_3`, `12+0`, `12.batch`, `12_[3-9]`.
public struct SacctJobID: Hashable, Sendable {
    /// What stands before everything else: the job, the array, the heterogeneous job.
    public var base: Int64
    /// The element of an array, the `3` of `12_3`.
    public var arrayTask: Int64?
    /// The part of a heterogeneous job, the `0` of `12+0`.
    public var hetOffset: Int64?
    /// The step, the `batch` of `12.batch`; nil for the job itself.
    public var step: String?
    /// Whether it stands for elements that have not been split off: `12_[3-9]`.
    public var isArrayRest = false

    /// Reads what `sacct` prints; nil for what is no job number.
    public init?(_ text: String) {
        var rest = Substring(text)
        if let dot = rest.firstIndex(of: ".") {
            step = String(rest[rest.index(after: dot)...])
            rest = rest[..<dot]
        }
        if let plus = rest.firstIndex(of: "+") {
            guard let offset = Self.number(rest[rest.index(after: plus)...]) else { return nil }
            hetOffset = offset
            rest = rest[..<plus]
        }
        if let underscore = rest.firstIndex(of: "_") {
            let element = rest[rest.index(after: underscore)...]
            if element.hasPrefix("[") {
                isArrayRest = true
            } else {
                guard let task = Self.number(element) else { return nil }
                arrayTask = task
            }
            rest = rest[..<underscore]
        }
        guard let number = Self.number(rest) else { return nil }
        base = number
    }

    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.count <= 10,
            text.utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return Int64(text)
    }

    /// One number for each job of an export without the column JobIDRaw: elements of arrays are
    /// base·10⁷ + 1 + element (Slurm's largest MaxArraySize is 4,000,001), parts of heterogeneous
    /// jobs base·10⁷ + 9·10⁶ + part.
    public var singleNumber: Int64 {
        if let arrayTask { return base * 10_000_000 + 1 + arrayTask }
        if let hetOffset { return base * 10_000_000 + 9_000_000 + hetOffset }
        return base
    }
}

/// A time limit as `sacct` prints it.
public enum SacctTimeLimit: Hashable, Sendable {
    /// The export does not tell.
    case unknown
    /// `Partition_Limit`: that of the partition, whatever it was.
    case partition
    /// `UNLIMITED`.
    case unlimited
    /// A limit. Unit: µs.
    case microseconds(Int64)
}

/// What a job asked for or held, from columns like `cpu=8,mem=1000M,node=2,gres/gpu=1`.
public struct SacctTRES: Hashable, Sendable {
    /// Cores (PUs, where Slurm counts those).
    public var cpus: Int64?
    /// Memory, rounded up. Unit: MiB.
    public var memoryMebibytes: Int64?
    /// Nodes.
    public var nodes: Int64?
    /// Cards of all kinds and types together.
    public var cards: Int64?
    /// Other generic resources that it held, such as `gres/shard`.
    public var otherGres: Set<String> = []

    /// What Slurm sites call their accelerator cards.
    static let cardKinds: Set<String> = ["gpu", "npu", "dcu", "mlu", "gcu", "xpu"]

    /// Something in a TRES column that is no name with a number.
    public struct Unreadable: Error, Hashable, Sendable {
        /// What stands there.
        public var part: String
    }

    /// Reads a TRES column. Kinds of resources that no job is billed for (`billing`, `energy`,
    /// `fs/disk`, licences) are left out; typed cards (`gres/gpu:a100=4`) are cards where their kind
    /// has no number of its own.
    ///
    /// - Throws: the first part that cannot be read, or that contradicts another.
    public init(_ text: String) throws(Unreadable) {
        var kinds: [Substring: (all: Int64?, typed: Int64)] = [:]
        for part in text.split(separator: ",") {
            func count(_ value: Substring) throws(Unreadable) -> Int64 {
                guard let count = FieldBytes.count(value.utf8), count <= Self.countMaximum else {
                    throw Unreadable(part: String(part))
                }
                return count
            }
            guard let equals = part.firstIndex(of: "="), equals > part.startIndex else {
                throw Unreadable(part: String(part))
            }
            let name = part[..<equals]
            let value = part[part.index(after: equals)...]
            switch name {
            case "cpu": cpus = try count(value)
            case "node": nodes = try count(value)
            case "mem":
                guard let mebibytes = Self.mebibytes(value) else {
                    throw Unreadable(part: String(part))
                }
                memoryMebibytes = mebibytes
            case _ where name.hasPrefix("gres/"):
                let words = name.dropFirst(5).split(separator: ":", maxSplits: 1)
                let kind = words.first ?? ""
                guard Self.cardKinds.contains(String(kind)) else {
                    otherGres.insert("gres/\(kind)")
                    continue
                }
                let number = try count(value)
                if words.count == 1 {
                    kinds[kind, default: (nil, 0)].all = number
                } else {
                    kinds[kind, default: (nil, 0)].typed += number
                }
            default: continue
            }
        }
        for (kind, number) in kinds.sorted(by: { $0.key < $1.key }) {
            guard number.typed <= number.all ?? number.typed else {
                throw Unreadable(part: "\(text) (more typed cards of gres/\(kind) than cards)")
            }
            cards = (cards ?? 0) + (number.all ?? number.typed)
        }
    }

    /// No column, nothing known.
    init() {}

    private static let countMaximum: Int64 = 1_000_000_000_000

    private static func mebibytes(_ text: Substring) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let kibibytes: Int64
        switch text[digits.endIndex...] {
        case "K": kibibytes = 1
        case "", "M": kibibytes = 1_024
        case "G": kibibytes = 1_048_576
        case "T": kibibytes = 1_073_741_824
        case "P": kibibytes = 1_099_511_627_776
        default: return nil
        }
        let parsed = Array(digits.utf8).withUnsafeBytes {
            FieldBytes.micros($0, digitsMaximum: 9)
        }
        guard let micros = parsed else { return nil }
        let (product, overflow) = micros.multipliedReportingOverflow(by: kibibytes)
        guard !overflow else { return nil }
        return (product / 1_024 + 999_999) / 1_000_000
    }
}

/// One row of a `sacct -P` export: a job or a step.
///
/// Source: sacct(1), Slurm 22.05. Times are read at the offset that the reader was told.
public struct SacctRow: Hashable, Sendable {
    /// The line of the export, from 1.
    public var line: Int
    /// JobID.
    public var id: SacctJobID
    /// JobIDRaw, nil without that column.
    public var rawID: Int64?
    /// User; empty when not told.
    public var user: String
    /// Account; empty when not told.
    public var account: String
    /// Partition; empty when not told. With several, `a,b`.
    public var partition: String
    /// QOS; empty when not told.
    public var qos: String
    /// The first word of State: `CANCELLED` for `CANCELLED by 1000`; empty when not told.
    public var state: String
    /// Submit. Unit: s since 1970-01-01 UTC.
    public var submitted: Int64?
    /// Start; nil for `Unknown` and `None`. Unit: s since 1970-01-01 UTC.
    public var started: Int64?
    /// End; nil for `Unknown`. Unit: s since 1970-01-01 UTC.
    public var ended: Int64?
    /// Elapsed, without suspended time. Unit: µs.
    public var elapsed: Int64?
    /// Timelimit.
    public var timeLimit: SacctTimeLimit
    /// NNodes.
    public var nodeCount: Int64?
    /// AllocCPUS, else NCPUS: what it held; zero or nil when it never started.
    public var heldCPUs: Int64?
    /// ReqCPUS.
    public var requestedCPUs: Int64?
    /// ReqTRES.
    public var requested: SacctTRES
    /// AllocTRES.
    public var allocated: SacctTRES
    /// Constraints: the features that nodes must have; empty when not told.
    public var constraints = ""
    /// Reservation; empty when it ran in none.
    public var reservation = ""
    /// SubmitLine: the command that submitted it; empty when not told.
    public var submitLine = ""
    /// Replay: what decided about the job; nil when not told.
    public var replay: RecordedJob?

    /// Whether it is a step of a job, such as `12.batch`, and no job.
    public var isStep: Bool { id.step != nil }
}
