import Scheduling

// Jobs that name partitions of several groups. They are tried in the order in which they are named: a
// group leaves a job alone that has room in a group that it names before.

extension Emulator {
    /// Says for each such job which groups leave it alone in the pass that begins.
    mutating func preferPartitions() {
        var rest: Set<Int32> = []
        for slot in inSeveralGroups.sorted() {
            guard jobs[slot].phase == .queued else { continue }
            let own = groupsOf(slot)
            guard own.count > 1 else { continue }
            rest.insert(slot)
            let first = own.firstIndex { groups[$0].hasRoomInOrder(for: slot, jobs) }
            guard let first else { continue }
            for other in own[(first + 1)...] { groups[other].leaveAlone(slot) }
        }
        inSeveralGroups = rest
    }
}
