import Accounts
import JobModel
import Quantities
import Scheduling

// Thousands of jobs of one user may wait under one limit. When a job ends that counts there, there is room for one
// of them, or a few; to queue them all, only for the pass to stop them one by one, takes as long as there are of
// them, at every end. So of jobs that are alike as many are queued as there is room for, the first in the order of
// the queue. The pass decides as if all were there: an order that takes jobs by their keys starts none of them
// before one that is alike and goes before it, and what is left then has no room.
//
// After each pass those are looked for that have room all the same, since others were not started: they are queued
// like them. So whoever waits under a limit between passes is one that the limit stops.

extension Emulator {
    /// Queues jobs again that waited for room under a limit: of many that are alike as many as there is room for.
    mutating func readmit(_ freed: [Int32], at now: SimInstant) {
        guard freed.count > 1, findsCrowds else {
            for slot in freed { readmit(slot, at: now) }
            return
        }
        let (crowds, others) = crowds(among: freed)
        for slot in others { readmit(slot, at: now) }
        for crowd in crowds {
            let claim = leastClaim(crowd[0], inPartition: Int(jobs[crowd[0]].partition))
            let (count, stop) = jobs.limits.room(for: claim, upTo: crowd.count, at: now)
            guard let stop, stop.counter >= 0, !stop.isTimed else {
                for slot in crowd { readmit(slot, at: now) }
                continue
            }
            let first = Set(self.first(count, of: crowd))
            for slot in crowd {
                if first.contains(slot) { readmit(slot, at: now) } else { park(slot, stop) }
            }
        }
    }

    /// Queues those that wait under a limit which leaves them room, and lets others wait under the limit that
    /// stops them now.
    mutating func settleCrowds(at now: SimInstant) {
        guard findsCrowds else { return }
        for counter in jobs.limits.waitedFor {
            let waiting = jobs.limits.waiters(under: counter)
            let (crowds, others) = crowds(among: waiting)
            let stops = crowds.map { crowd in
                let claim = leastClaim(crowd[0], inPartition: Int(jobs[crowd[0]].partition))
                return jobs.limits.obstacle(to: claim, at: now)
            }
            guard !stops.allSatisfy({ $0?.counter == counter }) else { continue }
            _ = jobs.limits.takeParked(counter)
            for slot in others { jobs.limits.park(slot, under: counter) }
            for (crowd, stop) in zip(crowds, stops) {
                for slot in crowd {
                    if let stop, stop.counter >= 0 {
                        park(slot, stop)
                    } else {
                        readmit(slot, at: now)
                    }
                }
            }
        }
    }

    /// Queues a job again that waited for room under a limit. What else could stand in its way was looked at when
    /// it was queued before, and is when it changes; but for what only special jobs have.
    private mutating func readmit(_ slot: Int32, at now: SimInstant) {
        guard jobs[slot].phase == .parked, isPlain(slot) else { return reconsider(slot, at: now) }
        enqueue(slot, at: now)
    }

    private mutating func park(_ slot: Int32, _ stop: LimitStop) {
        jobs[slot].reason = stop.reason
        jobs[slot].parkedUnder = stop.counter
        jobs.limits.park(slot, under: stop.counter)
    }

    /// Whether jobs are taken by keys that do not change, and time alone opens no limit.
    private var findsCrowds: Bool {
        knowsPeople && order.isTrivial && !preemption.isOn && reservations.isEmpty && power == nil
            && !jobs.limits.countsUse
    }

    /// Whether nothing decides about a job but its key, what it asks for and its limits.
    private func isPlain(_ slot: Int32) -> Bool {
        let job = jobs[slot]
        return !job.hasExtras && job.array < 0
            && (jobs.funds.isEmpty || jobs.funds[job.id] == nil)
            && (jobs.licenses.isEmpty || jobs.licenses[job.id] == nil)
    }

    /// Jobs that are alike in all but their keys, together, in their order; and those that are not to be put
    /// together.
    private func crowds(among slots: [Int32]) -> (crowds: [[Int32]], others: [Int32]) {
        // SAFETY: read where they lie, and not kept; a copy of the groups counts all that they refer to.
        let takesInTurn = groups.withUnsafeBufferPointer { groups in
            groups.indices.map { groups[$0].takesAlikeInTurn }
        }
        var crowds: [[Int32]] = []
        var others: [Int32] = []
        var last = 0
        for slot in slots {
            guard takesInTurn[Int(jobs[slot].group)], isPlain(slot) else {
                others.append(slot)
                continue
            }
            if crowds.isEmpty || !areAlike(slot, crowds[last][0]) {
                last = crowds.firstIndex { areAlike(slot, $0[0]) } ?? crowds.count
                if last == crowds.count { crowds.append([]) }
            }
            crowds[last].append(slot)
        }
        return (crowds, others)
    }

    private func areAlike(_ one: Int32, _ other: Int32) -> Bool {
        let (left, right) = (jobs[one], jobs[other])
        return left.partition == right.partition && left.limitSeconds == right.limitSeconds
            && left.plannedSeconds == right.plannedSeconds
            && left.predictedSeconds == right.predictedSeconds
            && left.association == right.association && left.qos == right.qos
            && left.request == right.request
    }

    /// So many that stand first in the order of the queue.
    private func first(_ count: Int, of crowd: [Int32]) -> [Int32] {
        guard count > 1 else {
            return count == 0 ? [] : crowd.min { jobs[$0].key < jobs[$1].key }.map { [$0] } ?? []
        }
        return Array(crowd.sorted { jobs[$0].key < jobs[$1].key }.prefix(count))
    }
}
