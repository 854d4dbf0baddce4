import JobModel

// Nodes in and out of service, and what may be asked about them.

extension SchedulingGroup {
    /// Takes one of the machine's nodes out of service or puts it back.
    ///
    /// - Returns: the jobs that held it, by job number.
    public mutating func setService(
        ofMachineNode machineNode: Int,
        to service: NodeService,
        _ jobs: inout ActiveJobs
    ) -> [Int32] {
        guard let node = nodes.localIndex(machineNode) else { return [] }
        news.noteDisturbance()
        watched = nil
        let holders = holders(of: node, jobs)
        for slot in holders { ends.remove(end: jobs[slot].expectedEnd, slot: slot) }
        nodes.set(node, service)
        if !calendar.returns.isEmpty { expectReturn(ofMachineNode: machineNode, at: nil) }
        for slot in holders { insertEnd(of: slot, jobs) }
        return holders
    }

    /// The slots of the jobs on a node of the group, by job number.
    private func holders(of node: Int, _ jobs: ActiveJobs) -> [Int32] {
        if nodes.isUniform {
            let owner = nodes.wholeOwner(node)
            let lenders = loans.on(Int32(node)).map(\.lender)
            return Set(owner < 0 ? lenders : lenders + [owner])
                .sorted { jobs[$0].key.id < jobs[$1].key.id }
        }
        var slots: [Int32] = []
        ends.forEach { entry in
            let segments = jobs.segments[Int(entry.slot)]
            if segments.contains(where: { $0.node == Int32(node) }) { slots.append(entry.slot) }
            return true
        }
        return slots.sorted { jobs[$0].key.id < jobs[$1].key.id }
    }

    /// What a running job holds of which of the machine's nodes, ascending.
    public func allocation(of slot: Int32, _ jobs: ActiveJobs) -> [NodeHolding] {
        let request: ResourceRequest = nodes.isUniform ? .wholeNodes(1) : jobs[slot].request
        return segments(of: slot, jobs).map { segment in
            let held = nodes.amountsHeld(by: [segment], request)
            return NodeHolding(
                node: nodes.machineIndex[Int(segment.node)],
                chunks: segment.chunks,
                cores: held.cores,
                accelerators: held.accelerators
            )
        }
        .sorted { $0.node < $1.node }
    }

    /// The service state and use of a node of the machine; nil when it is in another group.
    public func condition(ofMachineNode machineNode: Int) -> NodeCondition? {
        guard let node = nodes.localIndex(machineNode) else { return nil }
        if nodes.isUniform {
            let isHeld = nodes.wholeOwner(node) >= 0
            return NodeCondition(
                service: nodes.service[node],
                jobCount: isHeld ? 1 : 0,
                coresFree: isHeld ? 0 : nodes.capacity[node].cores,
                memoryMebibytesFree: isHeld ? 0 : nodes.capacity[node].memory,
                acceleratorsFree: isHeld ? 0 : nodes.capacity[node].accelerators
            )
        }
        return NodeCondition(
            service: nodes.service[node],
            jobCount: nodes.amounts[node].jobs,
            coresFree: nodes.amounts[node].cores,
            memoryMebibytesFree: nodes.amounts[node].memory,
            acceleratorsFree: nodes.amounts[node].accelerators
        )
    }

    /// Stops the program if the group's parts disagree.
    public func checkInvariants(_ jobs: ActiveJobs) {
        nodes.checkInvariants()
        var running = 0
        ends.forEach { entry in
            running += 1
            let job = jobs[entry.slot]
            precondition(job.phase == .running)
            precondition(entry.end == job.expectedEnd)
            precondition(entry.units == unitsReturning(entry.slot, jobs))
            guard let partition = partitions[Int(job.partition)] else {
                preconditionFailure("job \(job.id) runs outside its partition")
            }
            let held = allocation(of: entry.slot, jobs).compactMap { nodes.localIndex($0.node) }
            let isInside = held.allSatisfy { partition.nodes?[$0] ?? true }
            precondition(isInside, "job \(job.id) holds nodes outside its partition")
            let isWhole =
                job.isSuspended
                || held.allSatisfy { nodes.isUniform || nodes.amounts[$0].jobs == 1 }
            precondition(isWhole || !job.request.isExclusive, "job \(job.id) shares nodes")
            precondition(job.request.isExclusive || !partition.isWholeNode)
            return true
        }
        precondition(running == ends.count)
        checkLoans(jobs)
        for queue in lanes.map(\.queue) + [queue] { checkInvariants(of: queue, jobs) }
    }

    private func checkInvariants(of queue: WaitingQueue, _ jobs: ActiveJobs) {
        var cursor = queue.first()
        var previous: QueueKey?
        var queued = 0
        while let current = cursor {
            let job = jobs[queue.slot(at: current)]
            precondition(job.phase == .queued, "job \(job.id) is queued but \(job.phase)")
            precondition(previous.map { $0 < job.key } ?? true, "queue out of order")
            previous = job.key
            queued += 1
            cursor = queue.entry(after: current)
        }
        precondition(queued == queue.count)
    }
}

/// What a job holds of one node.
public struct NodeHolding: Hashable, Sendable {
    /// The machine's index of the node.
    public var node: Int
    /// Chunks of its request.
    public var chunks: Int32
    /// Cores.
    public var cores: Int32
    /// Cards that it holds alone, or the one that it has a part of.
    public var accelerators: Int32
}

/// What a node does at this moment.
public struct NodeCondition: Hashable, Sendable {
    /// Whether it takes jobs.
    public var service: NodeService
    /// The jobs on it.
    public var jobCount: Int32
    /// Cores that no job holds.
    public var coresFree: Int32
    /// Memory that no job holds. Unit: MiB.
    public var memoryMebibytesFree: Int32
    /// Cards that no job holds.
    public var acceleratorsFree: Int32
}
