import Determinism
import IndexSets
import JobModel
import Quantities
import Scheduling

// Nodes in and out of service.

extension Emulator {
    mutating func setService(
        _ node: Int,
        _ service: NodeService,
        at now: SimInstant,
        into sink: inout some EffectSink
    ) {
        precondition(groupOfNode.indices.contains(node), "node \(node) does not exist")
        let group = groupOfNode[node]
        guard group >= 0 else { return }
        var service = service
        if service == .up, cappedNodes?.contains(node) == true { service = .drained }
        power?.setService(node, service)
        defer { if power != nil { meterNode(node, at: now) } }
        let holders = groups[group].setService(ofMachineNode: node, to: service, &jobs)
        digest.mix(UInt64(node) << 8 | UInt64(service.rawValue))
        guard service == .down else { return }
        // A component takes the others with it.
        for id in holders.flatMap({ [jobs[$0].id] + companions(of: $0) }) {
            guard let slot = jobs.slot(of: id), jobs[slot].phase == .running else { continue }
            let job = jobs[slot]
            sink.jobMustStop(job.id, .nodeFailure)
            if job.isCancelled {
                finish(slot, .cancelled, at: now, into: &sink)
            } else if job.isRequeuable {
                waitAgain(slot, .nodeFail, at: now, into: &sink)
            } else {
                finish(slot, .nodeFail, at: now, into: &sink)
            }
        }
    }

    /// Says when nodes that are out of service are expected back; nil when nobody knows.
    mutating func expect(_ nodes: IDSet, at instant: SimInstant?) {
        for node in nodes where groupOfNode.indices.contains(node) && groupOfNode[node] >= 0 {
            groups[groupOfNode[node]].expectReturn(ofMachineNode: node, at: instant)
            digest.mix(UInt64(node) << 8 | 0x10)
            digest.mix(UInt64(bitPattern: instant?.microseconds ?? -1))
        }
    }
}
