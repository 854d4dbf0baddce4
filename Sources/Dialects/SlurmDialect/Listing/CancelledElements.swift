import Quantities
import WireFormats

/// Which cancelled elements of job arrays have a record of their own.
///
/// In Slurm the waiting elements of an array share one record. An element that is cancelled leaves it without
/// a trace; one that starts gets a record. When the rest is cancelled as a whole, its record stays, and tells
/// of all that were in it.
struct CancelledElements {
    /// What must be known of a job.
    struct Facts {
        var id: UInt32
        var array: UInt32?
        var isWaiting: Bool
        var isCancelled: Bool
        var start: SimInstant?
        var end: SimInstant?
    }

    /// Jobs that are not told of.
    private(set) var traceless: Set<UInt32> = []
    /// Jobs that were cancelled in the record of the rest.
    private(set) var together: Set<UInt32> = []

    init(_ jobs: some Sequence<Facts>) {
        var arrays: [UInt32: [Facts]] = [:]
        for job in jobs {
            if let array = job.array { arrays[array, default: []].append(job) }
        }
        for elements in arrays.values {
            let cancelled = elements.filter { $0.isCancelled && $0.start == nil }
            guard let last = cancelled.compactMap(\.end).max() else { continue }
            // While others waited, nothing was the rest.
            let hadMore = elements.contains { $0.isWaiting || $0.start.map { $0 >= last } ?? false }
            for job in cancelled {
                if !hadMore, job.end == last {
                    together.insert(job.id)
                } else {
                    traceless.insert(job.id)
                }
            }
        }
    }
}

extension JobInfo {
    var cancellationFacts: CancelledElements.Facts {
        CancelledElements.Facts(
            id: jobID,
            array: arrayJobID,
            isWaiting: state == "PENDING",
            isCancelled: state == "CANCELLED",
            start: start,
            end: end
        )
    }
}

extension AccountingRecord {
    var cancellationFacts: CancelledElements.Facts {
        CancelledElements.Facts(
            id: jobID,
            array: arrayJobID,
            isWaiting: state == "PENDING",
            isCancelled: state == "CANCELLED",
            start: start,
            end: end
        )
    }
}
