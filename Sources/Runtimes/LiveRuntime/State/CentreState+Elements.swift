import Emulation
import JobModel

// Elements of job arrays that are split off.
//
// In Slurm the waiting elements of an array share one record, which has the array's number. An element gets a
// record and the next number when it starts, or when something is done to it alone; the last that is left keeps
// the array's. Here each has a number from the beginning, but those that wait together are alike: which of them
// is which index shows when one is split off.
//
// Source: Slurm 22.05, `job_array_split` of `src/slurmctld/job_mgr.c`.

extension JobBook {
    /// The element of an array that has an index, whatever its number is by now; `id` is one that it had, or that
    /// another of them has.
    func element(_ index: UInt32, ofArrayOf id: UInt32) -> JobEntry? {
        guard let entry = self[id] else { return nil }
        if entry.arrayTask == index { return entry }
        guard let family = entry.specification.array.map({ $0.job..<$0.job + UInt32($0.count) })
        else { return nil }
        return family.lazy.compactMap { self[$0] }.first { $0.arrayTask == index }
    }

    /// The elements of an array that wait together, in the order in which they would be split off.
    fileprivate func waitingTogether(in array: ArrayPlace) -> [JobEntry] {
        let others = (array.job + 1..<array.job + UInt32(array.count)).compactMap { self[$0] }
        return (others + [self[array.job]].compactMap(\.self)).filter(\.waitsWithArray)
    }
}

extension CentreState {
    /// How large an array may be whose elements are told which is which anew.
    private static let largestTurn = 10_000

    /// Gives an element that is named alone a record of its own, if it waits with others.
    ///
    /// - Returns: its number, which may be another than it had; `id` for an element that there is not.
    mutating func splitOff(_ index: UInt32, ofArrayOf id: UInt32) -> UInt32 {
        guard let entry = jobs.element(index, ofArrayOf: id) else { return id }
        guard entry.waitsWithArray, let array = entry.specification.array else { return entry.id }
        var own = entry.id
        let rest = array.count <= Self.largestTurn ? jobs.waitingTogether(in: array) : []
        if let place = rest.firstIndex(where: { $0.id == own }), place > 0, areAlike(rest) {
            // It comes first; those that were before it come one later.
            let indices = [rest[place].arrayTask] + rest[..<place].map(\.arrayTask)
            for (entry, index) in zip(rest, indices) { jobs.replace(entry.asElement(index)) }
            own = rest[0].id
        }
        jobs.update(own) { $0.isSplitOff = true }
        return own
    }

    /// Whether nobody waits for one of some elements, nor one of them for that of another array.
    private func areAlike(_ elements: [JobEntry]) -> Bool {
        elements.allSatisfy { entry in
            !emulator.isAwaitedAlone(JobID(entry.id))
                && !entry.status.submittedDependencies.contains { $0.kind == .afterCorresponding }
        }
    }
}
