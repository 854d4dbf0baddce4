import JobModel

/// The jobs of one user and name that have not ended, for `singleton`.
///
/// The rule is not kept as a list of jobs to wait for but looked up: O(1) memory a job, and O(log n)
/// when one arrives, starts or leaves.
///
/// Source: Slurm 22.05, `job_scheduler.c`, `test_job_dependency`: a namesake that runs or is suspended,
/// whatever its number, or that waits with a lower one.
struct Namesakes: Sendable, Codable {
    private struct Name: Hashable, Codable {
        var user: Int32
        var text: String
    }

    private struct Group: Codable {
        var name: Name
        /// Those that run or are suspended.
        var running: Int32 = 0
        /// Those that wait.
        var waiting = SortedNumbers()
    }

    /// Only looked up.
    private var numbers: [Name: Int32] = [:]
    private var groups: ContiguousArray<Group> = []
    private var freeNumbers: ContiguousArray<Int32> = []

    /// How many names there are among the jobs that have not ended.
    var count: Int { numbers.count }

    /// Takes a job in that waits, and returns the number of its group.
    mutating func arrive(_ job: JobID, user: Int32, name: String) -> Int32 {
        let name = Name(user: user, text: name)
        let number = numbers[name] ?? makeGroup(name)
        groups[Int(number)].waiting.insert(job.number)
        return number
    }

    private mutating func makeGroup(_ name: Name) -> Int32 {
        let number = freeNumbers.popLast() ?? Int32(groups.count)
        if Int(number) == groups.count {
            groups.append(Group(name: name))
        } else {
            groups[Int(number)] = Group(name: name)
        }
        numbers[name] = number
        return number
    }

    mutating func start(_ job: JobID, in group: Int32) {
        groups[Int(group)].waiting.remove(job.number)
        groups[Int(group)].running += 1
    }

    /// After a requeue.
    mutating func waitAgain(_ job: JobID, in group: Int32) {
        groups[Int(group)].running -= 1
        groups[Int(group)].waiting.insert(job.number)
    }

    mutating func leave(_ job: JobID, in group: Int32, isRunning: Bool) {
        let place = Int(group)
        if isRunning {
            groups[place].running -= 1
        } else {
            groups[place].waiting.remove(job.number)
        }
        guard groups[place].running == 0, groups[place].waiting.isEmpty else { return }
        numbers[groups[place].name] = nil
        freeNumbers.append(group)
    }

    /// Whether a job that waits is the next of its group.
    func mayStart(_ job: JobID, in group: Int32) -> Bool {
        groups[Int(group)].running == 0 && groups[Int(group)].waiting.first == job.number
    }

    /// The waiting jobs of a group that one change of it can free or stop: the next, and the one that
    /// was the next before.
    func next(in group: Int32) -> [JobID] {
        groups[Int(group)].waiting.all.prefix(2).map { JobID($0) }
    }
}
