import Determinism
import IndexSets
import JobModel
public import Quantities
import Scheduling

// Nodes are switched off when nobody needs them, and on when somebody does, as Slurm saves power
// (slurm.conf(5), SuspendTime): a node that is off takes jobs like any other that is idle. A job that
// gets one holds all its nodes from then on, and begins to run when the last of them is up. Plans know
// nothing of that delay, which is no part of the job's run time.

extension Emulator {
    // MARK: Cap

    /// The nodes that a cap keeps off; nil when there are none.
    var cappedNodes: IDSet? { powerRules.flatMap { $0.capped.isEmpty ? nil : $0.capped } }

    /// Nodes that a job must not get, with those that are off for good.
    func withCappedNodes(_ excluded: IDSet?) -> IDSet? {
        guard var all = cappedNodes else { return excluded }
        all.formUnion(excluded ?? IDSet())
        return all
    }

    /// Takes the nodes that a cap keeps off out of service.
    mutating func closeCappedNodes() {
        for node in cappedNodes ?? IDSet() where groupOfNode[node] >= 0 {
            _ = groups[groupOfNode[node]].setService(ofMachineNode: node, to: .drained, &jobs)
        }
    }

    // MARK: Before a pass

    /// Notes which nodes have come up.
    mutating func noteBoots(by now: SimInstant) {
        guard let rules = powerRules else { return }
        if power == nil {
            // With the first job, as a log does not tell how long its machine had stood idle before.
            guard activeJobCount > 0 else { return }
            beginPower(rules, at: now)
        }
        for boot in power?.takeBooted(by: now) ?? [] {
            meterNode(boot.node, at: boot.instant)
        }
    }

    private mutating func beginPower(_ rules: PowerRules, at now: SimInstant) {
        let services = rules.nodes.indices.map { condition(ofNode: $0)?.service ?? .down }
        power = PowerBook(rules, services: ContiguousArray(services), at: now)
        for node in rules.nodes.indices { meterNode(node, at: now) }
    }

    // MARK: Starts and ends

    /// Switches the nodes on that a job has got, and lets it begin when all are up.
    mutating func switchOnNodes(of slot: Int32, at now: SimInstant) {
        guard power != nil else { return }
        var begin = now
        for node in nodesHeld(by: slot) {
            begin = max(begin, power?.ready(node, from: now) ?? now)
            meterNode(node, at: now)
        }
        guard begin > now else { return }
        groups[Int(jobs[slot].group)].changeEnd(of: slot, &jobs) {
            $0.heldUp = (begin - now).microseconds
        }
        groups[Int(jobs[slot].group)].endWithReservation(slot, &jobs)
    }

    func nodesHeld(by slot: Int32) -> [Int] {
        groups[Int(jobs[slot].group)].allocation(of: slot, jobs).map(\.node)
    }

    /// Lets the meter look at a node.
    mutating func meterNode(_ node: Int, at now: SimInstant) {
        guard power != nil, let condition = condition(ofNode: node) else { return }
        power?.note(node, condition, of: capacities[node], at: now)
    }

    // MARK: After a pass

    /// Switches nodes off that have been idle for long enough.
    mutating func restNodes(at now: SimInstant, into sink: inout some EffectSink) {
        guard let (nodes, next) = power?.takeIdle(by: now) else { return }
        for node in nodes { power?.switchOff(node, at: now) }
        let due = [next, power?.nextBoot].compactMap(\.self).min()
        if let due { sink.wake(at: due) }
    }

    // MARK: Asking

    /// Whether a node of the machine is switched on.
    public func powerState(ofNode node: Int) -> NodePowerState {
        cappedNodes?.contains(node) == true ? .off : power?.states[node] ?? .on
    }

    /// What all nodes have drawn by `now`; nil where that is not counted, or nothing has begun.
    public func powerReading(at now: SimInstant) -> PowerReading? { power?.meter.reading(at: now) }
}
