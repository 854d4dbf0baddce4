import JobModel
import SlurmDialect
import WireFormats

/// What a centre takes in at most, so that no request, and no user, stops the others. They are looked
/// at before anything is journalled: a centre may be opened again with other ones. What users and accounts may
/// submit stands in the machine's file (`MaxSubmitJobs`), and the core decides by it.
public struct CentreLimits: Hashable, Sendable {
    /// Jobs that wait or run; an element of a job array is one. Slurm's `MaxJobCount`.
    public var jobCount = 500_000
    /// The largest index of a job array, and one. Slurm's `MaxArraySize`, of 1,001 there.
    public var arraySize = 10_001

    /// The usual limits.
    public init() {}

    /// Rules of an array, all elements together: each element is held to each dependency.
    static let rulesOfArray = 100_000
    /// Accounts, and users in accounts, that one request makes or changes: it is one turn, and as long as they are
    /// many.
    static let changesOfPeople = 3_000
    /// What the journal may grow by for one request that is written once for each of its jobs. Unit: bytes.
    static let journalPerRequest = 64 << 20
}

/// How much the writing thread does in one turn, and how requests share it. A unit is the work of an ordinary
/// submission, some 50 µs.
enum Effort {
    /// What one turn does of what users ask for: as much as takes `longestTurn`. A letter that is more than
    /// this is a turn of its own.
    static let ofTurns = 100...2_000
    /// How long a turn may take, twice of which everybody else may have to wait.
    static let longestTurn = Duration.milliseconds(40)
    /// Jobs that one input of cancelling, holding and the like is about.
    static let jobsAtOnce = 100

    /// The work of a submission.
    static func of(_ request: SubmitRequest) -> Int {
        let elements = max(1, request.array?.elementCount ?? 1) + request.components.count
        // A list of nodes is looked up name by name, and each time that the request is looked at.
        let lists = [request.requiredNodes, request.excludedNodes, request.features]
        let looksUp = lists.contains { $0 != nil }
        return elements + elements * request.dependencies.count / 4 + (looksUp ? 100 : 0)
    }
}

extension PeopleEdit {
    /// How much work the edit is: a unit for each name in each account. All users that are taken away from an
    /// account are one.
    var effort: Int {
        let takesUsers = verb == Verb.delete.rawValue && entity == "user"
        return max(1, accounts.count) * (takesUsers ? 1 : max(1, names.count))
    }
}

extension SubmitRequest {
    /// Checks what the request comes to: the product of its elements and of what each is held to.
    ///
    /// - Throws: a refusal that says so.
    func checkProduct(_ limits: CentreLimits) throws(RequestFailure) {
        guard components.isEmpty || array == nil else { throw .refused(.invalidArray) }
        guard components.count < HetMembership.countMaximum else {
            throw .refused(
                .unspecified,
                "a heterogeneous job has \(HetMembership.countMaximum) components at most"
            )
        }
        guard let array else { return }
        let largest = array.ranges.map(\.last).max() ?? 0
        // Ranges may lie over one another, but nobody needs to say everything twice.
        guard Int(largest) < limits.arraySize, array.elementCount <= 2 * limits.arraySize else {
            throw .refused(
                .invalidArray,
                "the largest index of a job array is \(limits.arraySize - 1) (MaxArraySize)"
            )
        }
        guard array.elementCount * dependencies.count <= CentreLimits.rulesOfArray else {
            throw .refused(
                .dependencyProblem,
                "\(array.elementCount) elements with \(dependencies.count) dependencies each are"
                    + " more than \(CentreLimits.rulesOfArray) rules"
            )
        }
    }

    /// Names each dependency and each partition once, in the order in which they stand there.
    mutating func dropRepeats() {
        dependencies = dependencies.eachOnce
        partitions = partitions.eachOnce
    }
}

extension Array where Element: Hashable {
    /// The elements without those that stand before.
    var eachOnce: [Element] {
        guard count > 1 else { return self }
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}

extension CancelRequest {
    /// Names each job once: of an array all elements, or those that are named anywhere.
    mutating func mergeSelectors() {
        guard jobs.count > 1 else { return }
        let components = jobs.filter { $0.component != nil }.eachOnce
        jobs.removeAll { $0.component != nil }
        defer { jobs += components }
        var order: [UInt32] = []
        var whole: Set<UInt32> = []
        var tasks: [UInt32: Set<UInt32>] = [:]
        for selector in jobs {
            let id = selector.jobID
            if !whole.contains(id), tasks[id] == nil { order.append(id) }
            if let named = selector.arrayTasks {
                // In place: a copy for each selector would be quadratic.
                tasks[id, default: []].formUnion(named)
            } else {
                whole.insert(id)
            }
        }
        jobs = order.map { id in
            let named = whole.contains(id) ? nil : tasks[id]?.sorted()
            return JobSelector(jobID: id, arrayTasks: named)
        }
    }
}
