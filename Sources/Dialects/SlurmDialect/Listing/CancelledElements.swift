import Quantities
import WireFormats

/// Which cancelled elements of job arrays have a record of their own.
///
/// In Slurm the waiting elements of an array share one record. An element that is cancelled leaves it without
/// a trace; one that starts gets a record. When the rest is cancelled as a whole, its record stays, and tells
/// of all that were in it.
struct CancelledElements {
    /// Jobs that are not told of.
    private(set) var traceless: Set<UInt32> = []
    /// Jobs that were cancelled in the record of the rest.
    private(set) var together: Set<UInt32> = []

    init<Job: ArrayElement>(_ jobs: some Sequence<Job>) {
        var arrays: [UInt32: [Job]] = [:]
        for job in jobs {
            if let array = job.arrayJobID { arrays[array, default: []].append(job) }
        }
        for elements in arrays.values {
            let cancelled = elements.filter { $0.state == "CANCELLED" && $0.start == nil }
            guard let last = cancelled.compactMap(\.end).max() else { continue }
            // While others waited, nothing was the rest.
            let hadMore = elements.contains { element in
                element.state == "PENDING" || element.start.map { $0 >= last } ?? false
            }
            for job in cancelled {
                if !hadMore, job.end == last {
                    together.insert(job.jobID)
                } else {
                    traceless.insert(job.jobID)
                }
            }
        }
    }
}

/// What must be known of a job, of the queue or of the accounts.
protocol ArrayElement {
    var jobID: UInt32 { get }
    var arrayJobID: UInt32? { get }
    var arrayTaskID: UInt32? { get }
    /// Slurm's long name of it.
    var state: String { get }
    var start: SimInstant? { get }
    var end: SimInstant? { get }
}

extension Array where Element: ArrayElement {
    /// The same, elements of one array that follow one another in the order of their indices: the number of one
    /// that waited longest may be the lowest.
    var inOrderOfElements: [Element] {
        var sorted = self
        var place = 0
        while place < count {
            let first = place
            place += 1
            guard let array = self[first].arrayJobID else { continue }
            while place < count, self[place].arrayJobID == array { place += 1 }
            // In the order of their numbers they are in that of their indices already, unless the first is last.
            let run = first..<place
            guard run.count > 1,
                !zip(run, run.dropFirst()).allSatisfy({
                    (self[$0].arrayTaskID ?? 0) <= (self[$1].arrayTaskID ?? 0)
                })
            else { continue }
            sorted.replaceSubrange(
                run,
                with: self[run].enumerated().sorted {
                    let (left, right) = ($0.element.arrayTaskID ?? 0, $1.element.arrayTaskID ?? 0)
                    return (left, $0.offset) < (right, $1.offset)
                }.map(\.element)
            )
        }
        return sorted
    }
}

extension JobInfo: ArrayElement {}
extension AccountingRecord: ArrayElement {}
