import JobModel
public import Quantities

// Running jobs that are suspended while others run on their cores.
//
// A suspended job goes on holding all that it holds: nobody but who it made way for gets its cores, and
// these go back to it. The memory that it asked for stays taken all the while.
//
// Source: Slurm 22.05, `src/slurmctld/gang.c` and `select/cons_tres`; slurm.conf(5), PreemptMode=SUSPEND.

extension SchedulingGroup {
    // MARK: Lending

    /// Whether a running job can be suspended so that another gets its cores: cards do not change hands,
    /// nor do nodes that are kept for a user.
    public func canLend(_ slot: Int32, to other: Int32, _ jobs: ActiveJobs) -> Bool {
        jobs[slot].acceleratorsHeld == 0 && jobs[slot].request.keeper == NodeKeeper.none
            && jobs[other].request.keeper == NodeKeeper.none
    }

    /// Takes the cores of a running job away so that another can be placed; `settle` follows.
    public mutating func vacate(_ slot: Int32, _ jobs: ActiveJobs) {
        let segments = segments(of: slot, jobs)
        vacancy.nodes[slot] = segments.map(\.node)
        watched = nil
        for segment in segments where nodes.service[Int(segment.node)] == .up {
            let node = segment.node
            let lent = loans.coresLent(by: slot, on: node)
            let left = coresHeld(by: slot, segment, jobs) - lent
            guard left > 0 else { continue }
            if vacancy.freeBefore[node] == nil {
                vacancy.freeBefore[node] = nodes.isUniform ? 0 : nodes.amounts[Int(node)].cores
            }
            vacancy.parts.append(Vacancy.Part(slot: slot, node: node, cores: left))
            let memory = memoryAsked(by: slot, segment, jobs)
            if lent == 0 { nodes.keep(memory, on: Int(node)) }
            if nodes.isUniform {
                nodes.setOwner(Int(node), -1)
            } else {
                let isWhole = lent == 0 && jobs[slot].request.isExclusive
                let freed = isWhole ? nodes.usable(Int(node)).memory : 0
                nodes.change(Int(node), cores: left, memory: freed, jobs: -1)
            }
        }
    }

    /// Lends what was vacated to the job that has started in its place, as far as it has got it, and
    /// gives the rest back.
    ///
    /// - Parameter borrower: nil when it did not start.
    /// - Returns: the jobs that lend something to it.
    public mutating func settle(_ borrower: Int32?, _ jobs: inout ActiveJobs) -> [Int32] {
        let vacancy = self.vacancy
        self.vacancy = Vacancy()
        var needed: [Int32: Int32] = [:]
        if let borrower {
            for segment in segments(of: borrower, jobs) {
                let free = vacancy.freeBefore[segment.node] ?? .max
                needed[segment.node] = max(0, coresHeld(by: borrower, segment, jobs) - free)
            }
        }
        var lenders: [Int32] = []
        for part in vacancy.parts {
            let (slot, node) = (part.slot, part.node)
            let lent = min(part.cores, needed[node] ?? 0)
            if let borrower, lent > 0 {
                needed[node, default: 0] -= lent
                if nodes.isUniform, nodesOfLenders[slot] == nil {
                    nodesOfLenders[slot] = vacancy.nodes[slot]
                }
                loans.add(CoreLoan(lender: slot, borrower: borrower, node: node, cores: lent))
                if lenders.last != slot { lenders.append(slot) }
            }
            takeAgain(part.cores - lent, of: slot, on: node, hadNone: true, jobs)
        }
        if !vacancy.parts.isEmpty { news.noteDisturbance() }
        return lenders
    }

    /// Lets a job hold cores of a node again.
    ///
    /// - Parameter hadNone: whether it held no core of the node any more.
    private mutating func takeAgain(
        _ cores: Int32,
        of slot: Int32,
        on node: Int32,
        hadNone: Bool,
        _ jobs: ActiveJobs
    ) {
        let isWhole = loans.coresLent(by: slot, on: node) == 0
        let segment = AllocationSegment(node: node, chunks: chunks(of: slot, on: node, jobs))
        if isWhole { nodes.keep(-memoryAsked(by: slot, segment, jobs), on: Int(node)) }
        guard cores > 0 else { return }
        if nodes.isUniform {
            nodes.setOwner(Int(node), slot)
        } else {
            let takesAll = isWhole && jobs[slot].request.isExclusive
            let memory = takesAll ? -nodes.amounts[Int(node)].memory : 0
            nodes.change(Int(node), cores: -cores, memory: memory, jobs: hadNone ? 1 : 0)
        }
    }

    // MARK: Giving back

    /// Whether a running job lends cores or has borrowed some.
    @inline(__always)
    func isInLoan(_ slot: Int32) -> Bool {
        !loans.isEmpty && loans.concerns(slot)
    }

    /// Takes back what a job holds that lends or has borrowed cores: those who lent it some get them, as
    /// far as it has not lent them itself; then whoever has got them owes them to those.
    mutating func takeBackLent(_ slot: Int32, _ jobs: ActiveJobs) {
        watched = nil
        for segment in segments(of: slot, jobs) {
            let node = segment.node
            let there = loans.on(node)
            var credits = there.filter { $0.lender == slot }
            let lent = credits.reduce(0) { $0 + $1.cores }
            var left = coresHeld(by: slot, segment, jobs) - lent
            takeBack(segment, of: slot, left: left, hasLent: lent > 0, jobs)
            for credit in credits { loans.remove(credit) }
            for debt in there where debt.borrower == slot {
                let back = vacancy.nodes[debt.lender] != nil ? 0 : min(debt.cores, left)
                left -= back
                repay(debt, back, &credits, jobs)
            }
        }
    }

    private mutating func takeBack(
        _ segment: AllocationSegment,
        of slot: Int32,
        left: Int32,
        hasLent: Bool,
        _ jobs: ActiveJobs
    ) {
        let node = Int(segment.node)
        let memory = memoryAsked(by: slot, segment, jobs)
        if hasLent { nodes.keep(-memory, on: node) }
        if nodes.isUniform {
            if left > 0 { nodes.setOwner(node, -1) }
        } else if hasLent {
            nodes.change(node, cores: left, memory: memory, jobs: left > 0 ? -1 : 0)
        } else {
            nodes.release([segment], of: jobs[slot].request)
        }
    }

    /// Gives cores back to who lent them; what is not there any more is owed by those who have it.
    private mutating func repay(
        _ debt: CoreLoan,
        _ back: Int32,
        _ credits: inout [CoreLoan],
        _ jobs: ActiveJobs
    ) {
        let (lender, node) = (debt.lender, debt.node)
        let segment = AllocationSegment(node: node, chunks: chunks(of: lender, on: node, jobs))
        let held = coresHeld(by: lender, segment, jobs)
        let hadNone = loans.coresLent(by: lender, on: node) == held
        loans.remove(debt)
        var owed = debt.cores - back
        for index in credits.indices where owed > 0 && credits[index].cores > 0 {
            var loan = debt
            loan.borrower = credits[index].borrower
            loan.cores = min(owed, credits[index].cores)
            credits[index].cores -= loan.cores
            owed -= loan.cores
            loans.add(loan)
        }
        guard vacancy.nodes[lender] == nil else { return }
        takeAgain(back, of: lender, on: node, hadNone: hadNone, jobs)
        if !loans.isLending(lender) { repaidSlots.append(lender) }
    }

    /// Forgets what was kept of a job that has left, and of those who lend nothing any more.
    mutating func endLoans(of slot: Int32, _ jobs: inout ActiveJobs) {
        news.noteDisturbance()
        nodesOfLenders[slot] = nil
        repaidSlots.removeAll { $0 == slot }
        for lender in repaidSlots {
            guard let whole = nodesOfLenders[lender] else { continue }
            nodesOfLenders[lender] = nil
            jobs[lender].firstNode = nodes.link(whole, for: lender)
        }
    }

    /// Hands over the jobs that lend nothing any more.
    public mutating func takeRepaid() -> [Int32] {
        defer { repaidSlots.removeAll() }
        return repaidSlots
    }

    /// Whether a running job lends cores to others.
    public func isLending(_ slot: Int32) -> Bool { loans.isLending(slot) }

    // MARK: Planning

    /// Plans suspended jobs to go on when those end that they made way for.
    public mutating func foreseeReturns(_ jobs: inout ActiveJobs, at now: SimInstant) {
        guard !loans.isEmpty else { return }
        var known: [Int32: Int64] = [:]
        for lender in loans.lenders where jobs[lender].isDisplaced {
            _ = expectedEnd(of: lender, jobs, now.microseconds, &known)
        }
        for lender in known.keys.sorted() {
            guard let end = known[lender], jobs[lender].isDisplaced else { continue }
            let heldUp = min(end - jobs[lender].planned, ActiveJob.suspendedForGood)
            guard jobs[lender].heldUp != heldUp else { continue }
            changeEnd(of: lender, &jobs) { $0.heldUp = heldUp }
        }
    }

    private func expectedEnd(
        of slot: Int32,
        _ jobs: ActiveJobs,
        _ now: Int64,
        _ known: inout [Int32: Int64]
    ) -> Int64 {
        if let end = known[slot] { return end }
        let job = jobs[slot]
        guard job.isDisplaced, let suspension = jobs.extras[slot]?.suspension else {
            return job.expectedEnd <= now ? now + Self.overrunGrace : job.expectedEnd
        }
        var resumed = now
        for borrower in loans.borrowers(of: slot) {
            resumed = max(resumed, expectedEnd(of: borrower, jobs, now, &known))
        }
        var end = Int64.max / 2
        if resumed < ActiveJob.suspendedForGood {
            let heldUp = suspension.total.microseconds + resumed - suspension.since.microseconds
            // Behind all that it waits for, so that nobody gets its cores in between.
            end = max(resumed + 1, job.planned + heldUp)
        }
        known[slot] = end
        return end
    }

    /// Calls `body` for each node of a running job with what changes there when it gives back what it
    /// holds: who lent it something has that again from then on.
    func forEachReturn(
        of slot: Int32,
        _ jobs: ActiveJobs,
        _ body: (AllocationSegment, (inout NodeState) -> Void) -> Void
    ) {
        let request: ResourceRequest = nodes.isUniform ? .wholeNodes(1) : jobs[slot].request
        for segment in segments(of: slot, jobs) {
            let (node, usable) = (segment.node, nodes.usable(Int(segment.node)))
            var returning: Int32 = 0
            var arrivals: Int32 = 0
            for loan in loans.on(node) where loan.borrower == slot {
                returning += loan.cores
                if isFirstToReturn(loan, jobs) { arrivals += 1 }
            }
            let keepsMemory = request.isExclusive && loans.coresLent(by: slot, on: node) > 0
            let memory = keepsMemory ? memoryAsked(by: slot, segment, jobs) : 0
            body(segment) { state in
                state.give(segment, of: request, capacity: usable)
                state.amounts.memory += memory
                state.amounts.cores -= returning
                state.amounts.jobs += arrivals
            }
        }
    }

    /// Whether a lender that has no core of a node left has some again by what this loan gives back.
    private func isFirstToReturn(_ loan: CoreLoan, _ jobs: ActiveJobs) -> Bool {
        let (lender, node) = (loan.lender, loan.node)
        let segment = AllocationSegment(node: node, chunks: chunks(of: lender, on: node, jobs))
        guard coresHeld(by: lender, segment, jobs) == loans.coresLent(by: lender, on: node) else {
            return false
        }
        let first = loans.on(node).filter { $0.lender == lender }.min {
            (jobs[$0.borrower].expectedEnd, $0.borrower)
                < (jobs[$1.borrower].expectedEnd, $1.borrower)
        }
        return first == loan
    }

    // MARK: What a job holds

    private func coresHeld(
        by slot: Int32,
        _ segment: AllocationSegment,
        _ jobs: ActiveJobs
    ) -> Int32 {
        nodes.isUniform
            ? nodes.capacity[0].cores
            : nodes.amountsHeld(by: [segment], jobs[slot].request).cores
    }

    private func chunks(of slot: Int32, on node: Int32, _ jobs: ActiveJobs) -> Int32 {
        guard !nodes.isUniform else { return 1 }
        let held = jobs.segments[Int(slot)]
        // They are ascending, and a wide job is asked for each of its nodes.
        var (low, high) = (0, held.count)
        while low < high {
            let middle = (low + high) / 2
            if held[middle].node < node { low = middle + 1 } else { high = middle }
        }
        return low < held.count && held[low].node == node ? held[low].chunks : 0
    }

    /// The memory that a job asked for on a node. Unit: MiB.
    private func memoryAsked(
        by slot: Int32,
        _ segment: AllocationSegment,
        _ jobs: ActiveJobs
    ) -> Int32 {
        let request = jobs[slot].request
        let isSpread = nodes.isUniform && jobs[slot].nodesHeld > 0
        let chunks =
            isSpread
            ? (request.chunkCount - 1) / jobs[slot].nodesHeld + 1 : segment.chunks
        return min(request.memory(forChunks: chunks), nodes.capacity[Int(segment.node)].memory)
    }

    /// Stops the program if what is lent is not what somebody has.
    func checkLoans(_ jobs: ActiveJobs) {
        precondition(repaidSlots.isEmpty && vacancy.parts.isEmpty)
        precondition(!loans.isEmpty || nodes.kept.isEmpty && nodesOfLenders.isEmpty)
        for loan in loans.nodes.flatMap(loans.on) {
            precondition(jobs[loan.lender].isSuspended && loan.cores > 0)
            precondition(loans.concerns(loan.borrower) && loans.isLending(loan.lender))
            for slot in [loan.lender, loan.borrower] {
                let held = segments(of: slot, jobs).first { $0.node == loan.node }
                guard jobs[slot].phase == .running, let held else {
                    preconditionFailure("job \(jobs[slot].id) has nothing on node \(loan.node)")
                }
                precondition(
                    loans.coresLent(by: slot, on: loan.node) <= coresHeld(by: slot, held, jobs)
                )
            }
        }
        guard !loans.isEmpty else { return }
        for lender in loans.lenders where !nodes.isUniform {
            let held = jobs.segments[Int(lender)].map(\.node)
            precondition(held == held.sorted())
        }
        for node in 0..<nodes.count where nodes.isUniform && nodes.wholeOwner(node) >= 0 {
            let owner = nodes.wholeOwner(node)
            let isHeld = segments(of: owner, jobs).contains { $0.node == Int32(node) }
            precondition(isHeld && loans.coresLent(by: owner, on: Int32(node)) == 0)
        }
        for node in 0..<nodes.count where !nodes.isUniform {
            var taken: Int32 = 0
            ends.forEach { entry in
                for segment in jobs.segments[Int(entry.slot)] where segment.node == Int32(node) {
                    taken += coresHeld(by: entry.slot, segment, jobs)
                    taken -= loans.coresLent(by: entry.slot, on: segment.node)
                }
                return true
            }
            precondition(taken == nodes.capacity[node].cores - nodes.amounts[node].cores)
        }
    }
}

extension ActiveJob {
    /// When it would be planned to end if nothing had held it up. Unit: µs since the epoch.
    fileprivate var planned: Int64 { startedAt &+ Int64(plannedSeconds) &* 1_000_000 }
}
