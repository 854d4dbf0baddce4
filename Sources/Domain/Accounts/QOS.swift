/// A quality of service: a priority, and limits that go before those of associations.
public struct QOS: Hashable, Sendable, Codable {
    /// What makes it special. Names are Slurm's.
    public struct Flags: OptionSet, Hashable, Sendable, Codable {
        /// The set of bits.
        public let rawValue: UInt8

        /// Makes flags.
        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// `DenyOnLimit`: a job that no room could ever be found for is refused at submission.
        public static let denyOnLimit = Flags(rawValue: 1)
        /// `OverPartQOS`: its limits go before those of the partition's QOS.
        public static let overPartition = Flags(rawValue: 2)
        /// `NoDecay`: use that counts against its limits is not forgotten.
        public static let noDecay = Flags(rawValue: 4)
        /// `PartitionTimeLimit`: jobs may be longer than the partition allows.
        public static let partitionTimeLimit = Flags(rawValue: 8)
        /// `PartitionMaxNodes`: jobs may be larger than the partition allows.
        public static let partitionMaximumNodes = Flags(rawValue: 16)

        /// It was deleted: nobody may name it, and its place is kept, since decisions know a QOS by that.
        public static let deleted = Flags(rawValue: 32)

        /// What `sacctmgr` calls each.
        public static let names: [(name: String, flag: Flags)] = [
            ("DenyOnLimit", .denyOnLimit), ("OverPartQOS", .overPartition),
            ("NoDecay", .noDecay), ("PartitionTimeLimit", .partitionTimeLimit),
            ("PartitionMaxNodes", .partitionMaximumNodes),
        ]
    }

    /// The name: `normal`.
    public var name: String
    /// Its priority among QOS; higher goes first.
    public var priority: Int32
    /// Its limits.
    public var limits: Limits
    /// What makes it special.
    public var flags: Flags
    /// The QOS whose running jobs make way for its jobs, by their names.
    public var preempts: [String]
    /// What becomes of its own jobs when they make way.
    public var preemptMode: PreemptionRules.Mode
    /// How long its jobs run at least before they make way; 0: as the centre says. Unit: s.
    public var preemptExemptSeconds: Int32
    /// How long its jobs go on after they were told to stop. Unit: s.
    public var graceSeconds: Int32
    /// What its jobs' use counts for fair share and limits. Unit: 1/1000.
    public var usageFactor: Int32

    /// Makes a QOS without limits.
    public init(name: String, priority: Int32 = 0) {
        self.name = name
        self.priority = priority
        limits = Limits()
        flags = []
        preempts = []
        preemptMode = .cluster
        preemptExemptSeconds = 0
        graceSeconds = 0
        usageFactor = 1_000
    }

    /// The QOS of jobs that name none, where nobody says otherwise.
    public static let normal = QOS(name: "normal")
}
