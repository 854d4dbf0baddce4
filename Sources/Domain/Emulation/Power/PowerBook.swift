import ClusterModel
import Quantities
import Scheduling

/// When something is so of a node.
struct NodeInstant: Sendable, Codable {
    var node: Int
    var instant: SimInstant
}

/// Which nodes are switched on, which are idle since when, and what they have drawn.
struct PowerBook: Sendable, Codable {
    let rules: PowerRules
    private(set) var states: ContiguousArray<NodePowerState>
    /// What operators and failures say of each node.
    private var services: ContiguousArray<NodeService>
    private(set) var meter: PowerMeter
    /// The nodes that come up, and when each is there, by that instant and the node.
    private var booting: [NodeInstant] = []
    /// Since when each node is idle; nil while it runs something or is off.
    private var idleSince: ContiguousArray<SimInstant?>
    /// The nodes by the time that they became idle; what has changed meanwhile says nothing.
    private var idleQueue: [NodeInstant] = []
    private var idleHead = 0

    init(_ rules: PowerRules, services: ContiguousArray<NodeService>, at now: SimInstant) {
        self.rules = rules
        self.services = services
        states = ContiguousArray(rules.nodes.indices.map { rules.capped.contains($0) ? .off : .on })
        meter = PowerMeter(rules, at: now)
        idleSince = ContiguousArray(repeating: nil, count: rules.nodes.count)
    }

    mutating func setService(_ node: Int, _ service: NodeService) { services[node] = service }

    /// When the next node is up that is on its way.
    var nextBoot: SimInstant? { booting.first?.instant }

    /// Switches a node on if it is off.
    ///
    /// - Returns: when it is up.
    mutating func ready(_ node: Int, from now: SimInstant) -> SimInstant {
        guard let power = rules.nodes[node] else { return now }
        switch states[node] {
        case .on: return now
        case .booting: return booting.first { $0.node == node }?.instant ?? now
        case .off:
            meter.bootCount += 1
            guard power.bootTime > .zero else {
                states[node] = .on
                return now
            }
            states[node] = .booting
            let instant = now + power.bootTime
            let place = booting.firstIndex { ($0.instant, $0.node) > (instant, node) }
            booting.insert(NodeInstant(node: node, instant: instant), at: place ?? booting.count)
            meter.note(node, .booting, power.load, at: now)
            return instant
        }
    }

    mutating func switchOff(_ node: Int, at now: SimInstant) {
        guard let power = rules.nodes[node] else { return }
        states[node] = .off
        idleSince[node] = nil
        meter.note(node, .off, power.off, at: now)
    }

    /// The nodes that are up by now, and since when.
    mutating func takeBooted(by now: SimInstant) -> [NodeInstant] {
        guard let first = booting.first, first.instant <= now else { return [] }
        let ready = Array(booting.prefix { $0.instant <= now })
        booting.removeFirst(ready.count)
        for boot in ready { states[boot.node] = .on }
        return ready
    }

    /// Notes what a node does from now on.
    mutating func note(
        _ node: Int,
        _ condition: NodeCondition,
        of capacity: NodeCapacity,
        at now: SimInstant
    ) {
        guard let power = rules.nodes[node], states[node] == .on else { return }
        let isBusy = condition.jobCount > 0
        if services[node] == .down {
            meter.note(node, .off, power.off, at: now)
        } else if isBusy {
            let share = condition.shareHeld(of: capacity)
            let extra = (power.load - power.idle) * share.part / share.whole
            meter.note(node, .busy, power.idle + extra, at: now)
        } else {
            meter.note(node, .idle, power.idle, at: now)
        }
        let rests = !isBusy && services[node] == .up
        guard rests != (idleSince[node] != nil) else { return }
        idleSince[node] = rests ? now : nil
        if rests, rules.suspendTime != nil {
            idleQueue.append(NodeInstant(node: node, instant: now))
        }
    }

    /// The nodes that have been idle for long enough, and when the next one will have been.
    mutating func takeIdle(by now: SimInstant) -> (nodes: [Int], next: SimInstant?) {
        guard let length = rules.suspendTime else { return ([], nil) }
        var nodes: [Int] = []
        while idleHead < idleQueue.count {
            let (node, since) = (idleQueue[idleHead].node, idleQueue[idleHead].instant)
            if idleSince[node] == since {
                if since + length > now { return (nodes, since + length) }
                nodes.append(node)
            }
            idleHead += 1
            if idleHead == 1_024 {
                idleQueue.removeFirst(idleHead)
                idleHead = 0
            }
        }
        return (nodes, nil)
    }
}

extension NodeCondition {
    /// The part of a node that is at work: that of its cores, or of its cards where that is larger.
    fileprivate func shareHeld(of capacity: NodeCapacity) -> (part: Int64, whole: Int64) {
        let cores = (part: Int64(capacity.cores - coresFree), whole: Int64(max(1, capacity.cores)))
        guard capacity.accelerators > 0 else { return cores }
        let cards = (
            part: Int64(capacity.accelerators - acceleratorsFree),
            whole: Int64(capacity.accelerators)
        )
        return cards.part * cores.whole > cores.part * cards.whole ? cards : cores
    }
}
