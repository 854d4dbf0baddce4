import Determinism
import Catalog
import Emulation
import JobModel
import Persistence
import Quantities
import Scheduling
public import WireFormats

/// Everything that happens to a live centre, as its journal holds it.
///
/// It says more than the emulator's own `Input`: who asked, the whole request, what a real job
/// measured. Handling the same sequence again gives the same centre.
///
/// A submission is a kilobyte of members; it is handed on as one reference.
enum LiveInput: Hashable, Sendable {
    indirect case submit(SubmitInput)
    case end(EndInput)
    case cancel(JobsInput)
    case hold(JobsInput)
    case release(JobsInput)
    case requeue(JobsInput)
    case suspend(JobsInput)
    case resume(JobsInput)
    case top(JobsInput)
    indirect case update(UpdateInput)
    case nodes(NodesInput)
    case partition(PartitionInput)
    case reservation(ReservationInput)
    case terms(TermsInput)
    case money(MoneyInput)
    indirect case machine(MachineInput)
    /// The customers of a machine's file.
    indirect case customers(CustomerRegister)
    /// The same as operators changed them while the centre was open.
    indirect case people(CustomerRegister)
    case realWork(RealWorkInput)
    /// Whose jobs come from now on beside those that people submit.
    case load(LoadInput)
    case step(StepInput)
    case tick

    /// What goes first in a batch (design §4).
    var rank: Input.Rank {
        switch self {
        case .end: .jobEnd
        case .nodes, .partition, .reservation, .terms, .machine, .customers, .people, .realWork,
            .load:
            .nodeChange
        case .cancel, .hold, .release, .requeue, .suspend, .resume, .top, .update, .money, .step:
            .update
        case .submit: .submission
        case .tick: .timer
        }
    }
}

/// A submission that was let in.
struct SubmitInput: WireRecord {
    /// The number of the job, or of the array's first element.
    var id: UInt32 = 0
    /// What was asked for; user and group are those of the socket's peer.
    var request = SubmitRequest()
    /// Whether an operator asked, who may set priorities.
    var isOperator = false
    /// How long an emulated job takes, as it was reckoned when it came: what a journal means does
    /// not depend on how a later version predicts. Nil in journals of earlier days.
    var runTime: SimDuration?
    /// Its position in the background load; nil for what somebody submitted.
    var load: Int64?
    /// Whether elements of an array get their numbers when they are split off; not in journals of earlier days.
    var numbersElementsLate = false
    /// The digest of a request that has a key, where it was made before the request came to the writing thread.
    /// It does not travel.
    var knownDigest: StateDigest?

    /// The digest of the request.
    var digest: StateDigest { knownDigest ?? request.digest }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("id", &id)
        try fields.required("request", &request)
        try fields("operator", &isOperator)
        try fields("run_time", &runTime)
        try fields("load", &load)
        try fields("late_numbers", &numbersElementsLate)
    }
}

/// The end of a run, emulated or real.
struct EndInput: WireRecord {
    var id: UInt32 = 0
    var restart: Int32 = 0
    /// Slurm's long name of the end state.
    var state = "COMPLETED"
    var exitCode: Int32 = 0
    var signal: Int32 = 0
    /// What is said instead of a reason, such as `JobLaunchFailure`.
    var reason: String?
    /// What a real job was measured to take; nil for an emulated one.
    var measured: MeasuredRun?
    /// The parallel programs that it ran, in order, as far as they are known.
    var steps: [StepRun] = []

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("id", &id)
        try fields("restart", &restart)
        try fields.required("state", &state)
        try fields("exit_code", &exitCode)
        try fields("signal", &signal)
        try fields("reason", &reason)
        try fields("measured", &measured)
        try fields("steps", &steps)
    }
}

/// What was measured of a real run.
struct MeasuredRun: WireRecord, Codable {
    var wall = SimDuration.zero
    var processorTime = SimDuration.zero
    var largestResident = ByteCount.zero
    /// Operations of the kernels that verified their answer; nil when there were none.
    var verifiedFlop: Int64?
    /// What the kernels reported, verified or not, all together.
    var reported: MeasuredWork?
    /// The kernels' own lines.
    var kernels: [JSONLine] = []

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("wall", &wall)
        try fields("cpu", &processorTime)
        try fields("max_rss", &largestResident)
        try fields("verified_flop", &verifiedFlop)
        try fields("reported", &reported)
        try fields("kernels", &kernels)
    }
}

/// A JSON document that is passed on as it is.
struct JSONLine: WireValue, Codable {
    var json: JSONValue

    init(json: JSONValue) {
        self.json = json
    }
}

/// Something is done to jobs.
struct JobsInput: WireRecord {
    var ids: [UInt32] = []
    /// Who asked.
    var by: UInt32 = 0
    /// For `hold` and `requeue`: whether the hold is an operator's.
    var isAdminHold = false
    /// For `requeue`: whether the job is held afterwards.
    var holds = false
    /// For `requeue` and `hold`: whether the owner asked, or a coordinator, and no operator. The first pay for the
    /// run, and a hold of theirs takes nobody else's place.
    var isByCustomer = false
    /// For `requeue`: why the job is held afterwards, where it is not for a user's or operator's wish.
    var holdReason: String?
    /// The indices of elements of an array that were named one by one, in the order of `ids`; else empty.
    var elements: [UInt32] = []

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("ids", &ids)
        try fields("by", &by)
        try fields("admin_hold", &isAdminHold)
        try fields("holds", &holds)
        try fields("by_owner", &isByCustomer)
        try fields.ifPresent("hold_reason", &holdReason)
        try fields("elements", &elements)
    }
}

/// Properties of one job change.
struct UpdateInput: WireRecord {
    var id: UInt32 = 0
    var change = JobUpdateRequest()
    /// How long the changed job takes, as in `SubmitInput`.
    var runTime: SimDuration?
    /// Who asked; nil in journals of earlier days.
    var by: UInt32?
    /// Whether a priority of 0 is an operator's hold; its owner's otherwise.
    var isAdminHold = true
    /// The index of an element of an array that was named alone.
    var element: UInt32?

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("id", &id)
        try fields.required("change", &change)
        try fields.ifPresent("element", &element)
        try fields("run_time", &runTime)
        try fields("by", &by)
        try fields("admin_hold", &isAdminHold)
    }
}

/// Nodes change.
struct NodesInput: WireRecord {
    var nodes: [Int] = []
    /// `DOWN`, `DRAIN`, `FAIL`, `RESUME` or empty when only the reason changes.
    var action = ""
    var reason: String?
    var by: UInt32 = 0

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("nodes", &nodes)
        try fields("action", &action)
        try fields("reason", &reason)
        try fields("by", &by)
    }
}

/// A partition changes.
struct PartitionInput: WireRecord {
    var request = PartitionUpdateRequest()
    /// Who asked; nil in journals of earlier days.
    var by: UInt32?

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try request.exchange(&fields)
        try fields("by", &by)
    }
}

/// Prices and subsidy rules come into force.
///
/// They are kept in the journal as the texts that were read, so that every charge can be computed
/// again from it, and nobody can change a price afterwards.
struct TermsInput: WireRecord, Codable {
    /// The tariff; nil when it stays.
    var tariff: NamedText?
    /// The rules; empty when they stay.
    var rules: [NamedText] = []

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("tariff", &tariff)
        try fields("rules", &rules)
    }
}

/// A file's text with the name that refusals call it by.
public struct NamedText: WireRecord, Codable {
    /// The name of the file.
    public var name = ""
    /// Its text.
    public var text = ""

    /// Makes an empty text.
    public init() {}

    /// Makes a text with its name.
    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields.required("text", &text)
    }
}

/// What a centre was opened with, as it was then: the first input of its journal.
///
/// Journals of an earlier version begin without it. It is added to them when they are opened again with
/// the machine that they were made with, and says the same of the inputs before it.
struct MachineInput: WireRecord {
    static let kind = "machine"

    /// The name of the scheduling policy.
    var policy = ""
    /// The machine with everything that was looked up, the discovered host too.
    var record: MachineRecord?

    init() {}

    init(_ rules: CentreRules) {
        policy = rules.policy.name
        record = MachineRecord(rules.machine)
    }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("policy", &policy)
        try fields.required("machine", &record)
    }
}

/// An operator did something to the books.
struct MoneyInput: WireRecord {
    var request = MoneyRequest()
    /// Who asked.
    var by: UInt32 = 0

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("request", &request)
        try fields("by", &by)
    }
}

/// The centre closes or opens: whether jobs of local partitions may start.
struct RealWorkInput: WireRecord {
    var mayStart = true

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("may_start", &mayStart)
    }
}

// MARK: - In the journal

extension LiveInput {
    /// Kind and body, as the journal holds them.
    var row: (kind: String, body: String) {
        // What a job measured is kept as it was said.
        let levels = if case .end = self { 1 } else { 2 }
        let (kind, value): (String, any WireValue) =
            switch self {
            case .submit(let input): ("submit", input)
            case .end(let input): ("end", input)
            case .cancel(let input): ("cancel", input)
            case .hold(let input): ("hold", input)
            case .release(let input): ("release", input)
            case .requeue(let input): ("requeue", input)
            case .suspend(let input): ("suspend", input)
            case .resume(let input): ("resume", input)
            case .top(let input): ("top", input)
            case .update(let input): ("update", input)
            case .nodes(let input): ("nodes", input)
            case .partition(let input): ("partition", input)
            case .reservation(let input): (ReservationInput.kind, input)
            case .terms(let input): ("terms", input)
            case .money(let input): ("money", input)
            case .machine(let input): (MachineInput.kind, input)
            case .customers(let input): ("customers", input)
            case .people(let input): ("people", input)
            case .realWork(let input): ("real_work", input)
            case .load(let input): ("load", input)
            case .step(let input): ("step", input)
            case .tick: ("tick", JSONLine(json: .object([])))
            }
        return (kind, value.compactText(withoutNulls: levels))
    }

    /// Reads a row of the journal.
    ///
    /// - Throws: `PersistenceFailure` of kind `damaged`, naming the row.
    init(_ row: JournalRow) throws(PersistenceFailure) {
        do throws(JSONValue.Malformed) {
            let body = Array(row.body.utf8)
            switch row.kind {
            case "submit": self = .submit(try SubmitInput(parsing: body))
            case "end": self = .end(try EndInput(parsing: body))
            case "cancel": self = .cancel(try JobsInput(parsing: body))
            case "hold": self = .hold(try JobsInput(parsing: body))
            case "release": self = .release(try JobsInput(parsing: body))
            case "requeue": self = .requeue(try JobsInput(parsing: body))
            case "suspend": self = .suspend(try JobsInput(parsing: body))
            case "resume": self = .resume(try JobsInput(parsing: body))
            case "top": self = .top(try JobsInput(parsing: body))
            case "update": self = .update(try UpdateInput(parsing: body))
            case "nodes": self = .nodes(try NodesInput(parsing: body))
            case "partition": self = .partition(try PartitionInput(parsing: body))
            case ReservationInput.kind: self = .reservation(try ReservationInput(parsing: body))
            case "terms": self = .terms(try TermsInput(parsing: body))
            case "money": self = .money(try MoneyInput(parsing: body))
            case MachineInput.kind: self = .machine(try MachineInput(parsing: body))
            case "customers": self = .customers(try CustomerRegister(parsing: body))
            case "people": self = .people(try CustomerRegister(parsing: body))
            case "real_work": self = .realWork(try RealWorkInput(parsing: body))
            case "load": self = .load(try LoadInput(parsing: body))
            case "step": self = .step(try StepInput(parsing: body))
            case "tick":
                _ = try JSONValue(parsing: body)
                self = .tick
            default: throw JSONValue.Malformed(line: 0, problem: "kind '\(row.kind)' is unknown")
            }
        } catch {
            throw PersistenceFailure(
                kind: .damaged,
                operation: "read the journal",
                message: "row \(row.sequence) (\(row.kind), batch \(row.batch)): \(error)"
            )
        }
    }
}
