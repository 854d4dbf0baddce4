public import Quantities

/// A policy at work on one group: it starts what may start, and owns what it keeps between passes.
///
/// Each policy is one type. To add one: a type here, a case of `BackfillPolicy`, and its line in
/// `SchedulingPolicy.makePass`, which does not compile without it.
public protocol SchedulingPass: Sendable, Codable {
    /// Starts what may start now. The group's `startedSlots` and `parkedSlots` say what happened.
    mutating func run(_ group: inout SchedulingGroup, _ jobs: inout ActiveJobs, at now: SimInstant)

    /// When it wants to run again although nothing happens. Unit: µs since the epoch.
    var nextPromise: Int64? { get }

    /// What kept a queued job from starting in the pass at `now`, which is just over; nil when it is
    /// not queued.
    func obstacle(
        to slot: Int32,
        in group: SchedulingGroup,
        _ jobs: ActiveJobs,
        at now: SimInstant
    ) -> Obstacle?
}

extension SchedulingPass {
    /// Most policies act on events only.
    public var nextPromise: Int64? { nil }
}

extension SchedulingPolicy {
    /// The pass of this policy for one group.
    public func makePass() -> any SchedulingPass {
        switch backfill {
        case .none: FCFSPass()
        case .easy, .easySJBF: EasyPass()
        case .conservative: ConservativePass()
        case .conservativeCompress: CompressPass()
        case .slurm: SlurmPass(slurm)
        case .external: ExternalPass()
        }
    }
}

/// A pass, whatever its policy is, that can be written and read: after a policy that makes such.
public struct CodedPass: Sendable, Codable {
    /// The pass.
    public var pass: any SchedulingPass

    /// Wraps a pass.
    public init(_ pass: any SchedulingPass) { self.pass = pass }

    /// The types of passes, by the policy that makes them.
    private static let types: [(backfill: BackfillPolicy, pass: any SchedulingPass.Type)] =
        BackfillPolicy.allCases.map { backfill in
            (backfill, type(of: SchedulingPolicy(backfill: backfill).makePass()))
        }

    /// Reads a pass.
    public init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        let backfill = try list.decode(BackfillPolicy.self)
        guard let known = Self.types.first(where: { $0.backfill == backfill }) else {
            throw DecodingError.dataCorruptedError(
                in: list,
                debugDescription: "no pass of \(backfill)"
            )
        }
        pass = try Self.read(known.pass, from: &list)
    }

    private static func read<Pass: SchedulingPass>(
        _ type: Pass.Type,
        from list: inout any UnkeyedDecodingContainer
    ) throws -> any SchedulingPass {
        try list.decode(type)
    }

    /// Writes the pass.
    public func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        guard let known = Self.types.first(where: { $0.pass == type(of: pass) }) else {
            throw EncodingError.invalidValue(
                pass,
                EncodingError.Context(codingPath: [], debugDescription: "of no policy")
            )
        }
        try list.encode(known.backfill)
        try list.encode(pass)
    }
}

extension SchedulingGroup {
    /// Begins a pass.
    ///
    /// - Returns: whether any job is queued.
    mutating func beginPass() -> Bool {
        if !startedSlots.isEmpty { startedSlots.removeAll(keepingCapacity: true) }
        return queue.count > 0
    }

    /// Begins to look at the queue.
    mutating func beginLooking() {
        if !heldBack.isEmpty { heldBack.removeAll(keepingCapacity: true) }
    }
}
