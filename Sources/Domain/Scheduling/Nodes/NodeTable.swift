import ClusterModel
import JobModel
import Quantities

/// Whether a node takes jobs.
public enum NodeService: UInt8, Sendable, CaseIterable, Codable {
    /// It takes jobs.
    case up
    /// It finishes what it runs and takes nothing new.
    case drained
    /// It is off; nothing runs on it.
    case down
}

/// The nodes of one queue group: who is in service, who is idle, who holds what.
///
/// A group of equal nodes that are only given whole (*uniform*) needs no amounts: an idle bitmap,
/// and for each allocation a list threaded through `nextNode`. Giving out and taking back k nodes
/// costs O(k) with no memory of its own, so node identities come for free in a replay.
struct NodeTable: Sendable, Codable {
    /// The machine's index of each node of the group, ascending.
    let machineIndex: [Int]
    /// What each node has.
    let capacity: ContiguousArray<NodeAmounts>
    let isUniform: Bool
    private(set) var service: ContiguousArray<NodeService>
    /// Whether each node is out of service and expected back at a known time; empty when none is.
    private var isReturning: ContiguousArray<Bool> = []
    /// Nodes in service, busy or not.
    private(set) var inServiceCount: Int32
    /// Nodes in service that run nothing.
    private(set) var idleCount: Int32
    /// Cores free on nodes in service.
    private(set) var coresFree: Int64
    /// What is free on each node. In a uniform group as of the last pass that looked at nodes.
    private(set) var amounts: ContiguousArray<NodeAmounts>
    /// The memory that suspended jobs keep on nodes whose cores others have got; only looked up. Unit: MiB.
    private(set) var kept: [Int: Int32] = [:]
    /// What is free of each node's cards; empty where cards are only given whole.
    private(set) var cards: ContiguousArray<CardShares>
    /// Finds nodes that fit; kept like `amounts`.
    private(set) var index: NodeIndex
    /// The nodes by free cores; only for placement policies that ask for it.
    private(set) var byFreeCores: NodesByFreeCores?

    /// In a uniform group the nodes that have changed since their amounts were derived; nil when all are to
    /// be derived anew: none was, too many have changed, or they are sorted as well.
    private var changed: ContiguousArray<Int32>?

    private var idleWords: ContiguousArray<UInt64>
    /// No word before this one has an idle node.
    private var firstIdleWord = 0
    /// The next node of the same whole-node allocation; −1 ends the list.
    private var nextNode: ContiguousArray<Int32>
    /// The slot of the job that holds the node whole; −1 when none does.
    private var owner: ContiguousArray<Int32>

    init(
        nodes: [NodeCapacity],
        machineIndex: [Int],
        isWholeNodeOnly: Bool,
        sharesCards: Bool = false,
        placement: PlacementPolicy = .firstFit
    ) {
        precondition(nodes.count == machineIndex.count)
        self.machineIndex = machineIndex
        capacity = ContiguousArray(nodes.map(NodeAmounts.init))
        isUniform = isWholeNodeOnly && nodes.allSatisfy { $0 == nodes.first }
        service = ContiguousArray(repeating: .up, count: nodes.count)
        inServiceCount = Int32(nodes.count)
        idleCount = Int32(nodes.count)
        coresFree = nodes.reduce(0) { $0 + Int64($1.cores) }
        amounts = capacity
        cards =
            sharesCards ? ContiguousArray(nodes.map { CardShares(count: $0.accelerators) }) : []
        index = NodeIndex(count: isUniform ? 1 : nodes.count)
        if placement.asksForFreeCores, !isUniform {
            byFreeCores = NodesByFreeCores(ContiguousArray(nodes.map(\.cores)))
        }
        idleWords = ContiguousArray(repeating: 0, count: (nodes.count + 63) / 64)
        for node in nodes.indices { idleWords[node >> 6] |= 1 << UInt64(node & 63) }
        nextNode = ContiguousArray(repeating: -1, count: nodes.count)
        owner = ContiguousArray(repeating: -1, count: nodes.count)
        guard !isUniform else { return }
        for node in nodes.indices { index.set(node, state(node)) }
    }

    var count: Int { machineIndex.count }

    func isIdle(_ node: Int) -> Bool { idleWords[node >> 6] & (1 << UInt64(node & 63)) != 0 }

    /// The group's index of a node of the machine; nil when it is in another group.
    func localIndex(_ machineNode: Int) -> Int? {
        var low = 0
        var high = machineIndex.count
        while low < high {
            let middle = (low + high) / 2
            if machineIndex[middle] < machineNode { low = middle + 1 } else { high = middle }
        }
        return low < machineIndex.count && machineIndex[low] == machineNode ? low : nil
    }

    /// What is free on a node.
    @inline(__always)
    func state(_ node: Int) -> NodeState {
        NodeState(amounts: amounts[node], cards: cards.isEmpty ? nil : cards[node])
    }

    /// Sets what is free on a node.
    private mutating func set(_ node: Int, to state: NodeState) {
        amounts[node] = state.amounts
        if let shares = state.cards { cards[node] = shares }
        index.set(node, service[node] == .up ? state : nil)
        byFreeCores?.set(node, state.amounts.cores)
    }

    /// Brings the amounts of a uniform group up to date, which nothing else looks at.
    mutating func deriveAmounts(_ placement: PlacementPolicy) {
        precondition(isUniform)
        guard changed == nil else { return deriveChanged() }
        index = NodeIndex(count: count)
        for node in 0..<count { derive(node) }
        if placement.asksForFreeCores {
            byFreeCores = NodesByFreeCores(ContiguousArray(amounts.map(\.cores)))
        } else {
            changed = []
        }
    }

    private mutating func deriveChanged() {
        guard let nodes = changed else { return }
        for node in nodes { derive(Int(node)) }
        changed?.removeAll(keepingCapacity: true)
    }

    private mutating func derive(_ node: Int) {
        if owner[node] >= 0 {
            var state = NodeState(amounts: capacity[node], cards: nil)
            state.take(AllocationSegment(node: Int32(node), chunks: 1), of: .wholeNodes(1))
            amounts[node] = state.amounts
        } else {
            amounts[node] = usable(node)
        }
        index.set(node, service[node] == .up ? state(node) : nil)
    }

    /// Notes that what was derived for a node holds no longer.
    @inline(__always)
    private mutating func noteChange(_ node: Int) {
        guard let count = changed?.count else { return }
        // From so many on deriving all of them is as cheap.
        guard count < capacity.count else { return changed = nil }
        changed?.append(Int32(truncatingIfNeeded: node))
    }

    /// The same for a list of nodes that a job holds.
    private mutating func noteChange(listFrom first: Int32) {
        guard changed != nil else { return }
        var node = first
        while node >= 0 {
            noteChange(Int(node))
            node = nextNode[Int(node)]
        }
    }
}

// MARK: - Whole nodes of a uniform group

extension NodeTable {
    /// Gives the lowest `wanted` idle nodes to a job.
    ///
    /// - Returns: the first node of the list.
    /// - Precondition: that many are idle.
    mutating func takeLowest(_ wanted: Int32, for slot: Int32) -> Int32 {
        precondition(wanted <= idleCount)
        var rest = wanted
        var first: Int32 = -1
        var last: Int32 = -1
        var word = firstIdleWord
        while rest > 0 {
            var bits = idleWords[word]
            while bits != 0 && rest > 0 {
                let node = Int32(truncatingIfNeeded: word &* 64 &+ bits.trailingZeroBitCount)
                bits &= bits &- 1
                rest &-= 1
                owner[Int(node)] = slot
                if last < 0 { first = node } else { nextNode[Int(last)] = node }
                last = node
            }
            idleWords[word] = bits
            if bits == 0 { word += 1 }
        }
        firstIdleWord = word
        nextNode[Int(last)] = -1
        noteChange(listFrom: first)
        idleCount -= wanted
        coresFree -= Int64(wanted) * Int64(capacity[0].cores)
        return first
    }

    /// Gives idle nodes to a job, those that the placement policy chooses.
    ///
    /// - Returns: the first node of the list.
    /// - Precondition: that many are idle.
    mutating func takeChosen(
        _ wanted: Int32,
        for slot: Int32,
        _ context: PlacementContext
    ) -> Int32 {
        guard context.policy.choosesAmongEqualNodes else { return takeLowest(wanted, for: slot) }
        var idle: [Int] = []
        idle.reserveCapacity(Int(idleCount))
        for word in firstIdleWord..<idleWords.count {
            var bits = idleWords[word]
            while bits != 0 {
                idle.append(word &* 64 &+ bits.trailingZeroBitCount)
                bits &= bits &- 1
            }
        }
        let ordered = context.ordered(idle, .wholeNodes(wanted)) { _ in
            NodeState(amounts: capacity[0], cards: nil)
        }
        return take(ordered.prefix(Int(wanted)).sorted().map { Int32($0) }, for: slot)
    }

    /// Gives exactly these idle nodes to a job.
    mutating func take(_ nodes: [Int32], for slot: Int32) -> Int32 {
        var next: Int32 = -1
        for node in nodes.reversed() {
            precondition(isIdle(Int(node)))
            idleWords[Int(node) >> 6] &= ~(1 << UInt64(node & 63))
            owner[Int(node)] = slot
            nextNode[Int(node)] = next
            next = node
        }
        noteChange(listFrom: next)
        idleCount -= Int32(nodes.count)
        coresFree -= Int64(nodes.count) * Int64(capacity[0].cores)
        return next
    }

    /// Takes a whole-node allocation back.
    mutating func release(listFrom first: Int32) {
        noteChange(listFrom: first)
        var node = first
        while node >= 0 {
            let index = Int(node)
            node = nextNode[index]
            owner[index] = -1
            if service[index] == .up {
                idleWords[index >> 6] |= 1 << UInt64(index & 63)
                firstIdleWord = min(firstIdleWord, index >> 6)
                idleCount += 1
                coresFree += Int64(capacity[index].cores)
            }
        }
    }

    /// Calls `body` with each node of a whole-node allocation.
    func forEachNode(listFrom first: Int32, _ body: (Int) -> Void) {
        var node = first
        while node >= 0 {
            body(Int(node))
            node = nextNode[Int(node)]
        }
    }

    /// The job that holds `node` whole, or −1.
    func wholeOwner(_ node: Int) -> Int32 { owner[node] }
}

// MARK: - Amounts on nodes of a group that is not uniform

extension NodeTable {
    /// Gives chunks to a job.
    mutating func take(_ segments: [AllocationSegment], of request: ResourceRequest) {
        for segment in segments {
            let node = Int(segment.node)
            var state = state(node)
            if state.amounts.jobs == 0 { markBusy(node) }
            state.take(segment, of: request)
            coresFree -= Int64(amounts[node].cores - state.amounts.cores)
            set(node, to: state)
        }
    }

    /// Takes chunks back.
    mutating func release(_ segments: [AllocationSegment], of request: ResourceRequest) {
        for segment in segments {
            let node = Int(segment.node)
            var state = state(node)
            state.give(segment, of: request, capacity: usable(node))
            if service[node] == .up {
                coresFree += Int64(state.amounts.cores - amounts[node].cores)
                if state.amounts.jobs == 0 { markIdle(node) }
            }
            set(node, to: state)
        }
    }

    /// Notes in the amounts of a uniform group that a job has taken a node.
    mutating func noteTaken(_ segment: AllocationSegment) {
        let node = Int(segment.node)
        var state = state(node)
        state.take(segment, of: .wholeNodes(1))
        set(node, to: state)
    }

    private mutating func markBusy(_ node: Int) {
        idleWords[node >> 6] &= ~(1 << UInt64(node & 63))
        idleCount -= 1
    }

    private mutating func markIdle(_ node: Int) {
        idleWords[node >> 6] |= 1 << UInt64(node & 63)
        firstIdleWord = min(firstIdleWord, node >> 6)
        idleCount += 1
    }
}

// MARK: - Suspended jobs

extension NodeTable {
    /// What a node has for a job that gets it whole: all but the memory that suspended jobs keep.
    @inline(__always)
    func usable(_ node: Int) -> NodeAmounts {
        guard !kept.isEmpty, let memory = kept[node] else { return capacity[node] }
        var amounts = capacity[node]
        amounts.memory -= memory
        return amounts
    }

    /// Notes that suspended jobs keep more memory on a node, or less. Unit: MiB.
    mutating func keep(_ memory: Int32, on node: Int) {
        guard memory != 0 else { return }
        let sum = kept[node, default: 0] + memory
        precondition(sum >= 0 && sum <= capacity[node].memory)
        kept[node] = sum == 0 ? nil : sum
        noteChange(node)
    }

    /// Frees a node of a uniform group, or gives it to a job, which keeps no list of it.
    mutating func setOwner(_ node: Int, _ slot: Int32) {
        let wasFree = owner[node] < 0
        owner[node] = slot
        noteChange(node)
        guard service[node] == .up, wasFree != (slot < 0) else { return }
        if wasFree { markBusy(node) } else { markIdle(node) }
        coresFree += Int64(wasFree ? -capacity[node].cores : capacity[node].cores)
    }

    /// Makes the list of a job that holds nodes already.
    ///
    /// - Returns: the first node of it.
    mutating func link(_ nodes: [Int32], for slot: Int32) -> Int32 {
        var next: Int32 = -1
        for node in nodes.reversed() {
            precondition(owner[Int(node)] == slot)
            nextNode[Int(node)] = next
            next = node
        }
        return next
    }

    /// Changes what is free on a node that is shared, and how many jobs run there.
    mutating func change(_ node: Int, cores: Int32, memory: Int32, jobs: Int32) {
        var state = state(node)
        state.amounts.cores += cores
        state.amounts.memory += memory
        state.amounts.jobs += jobs
        if service[node] == .up {
            coresFree += Int64(cores)
            let wasBusy = amounts[node].jobs > 0
            if wasBusy != (state.amounts.jobs > 0) {
                if wasBusy { markIdle(node) } else { markBusy(node) }
            }
        }
        set(node, to: state)
    }
}

// MARK: - Service

extension NodeTable {
    /// Takes a node out of service or puts it back.
    mutating func set(_ node: Int, _ newService: NodeService) {
        let wasUp = service[node] == .up
        service[node] = newService
        noteChange(node)
        guard wasUp != (newService == .up) else { return }
        let isFree = isUniform ? owner[node] < 0 : amounts[node].jobs == 0
        let freeCores = isUniform ? (isFree ? capacity[node].cores : 0) : amounts[node].cores
        if !isUniform { index.set(node, newService == .up ? state(node) : nil) }
        inServiceCount += wasUp ? -1 : 1
        coresFree += Int64(wasUp ? -freeCores : freeCores)
        guard isFree else { return }
        if wasUp { markBusy(node) } else { markIdle(node) }
    }

    /// Notes whether it is known when a node that is out of service comes back.
    mutating func setReturning(_ node: Int, _ returns: Bool) {
        if isReturning.isEmpty {
            guard returns else { return }
            isReturning = ContiguousArray(repeating: false, count: count)
        }
        isReturning[node] = returns
    }

    /// Whether a plan may count on a node: it is in service, or expected back.
    func mayServe(_ node: Int) -> Bool {
        service[node] == .up || !isReturning.isEmpty && isReturning[node]
    }

    /// Stops the program if counts and sets disagree.
    func checkInvariants() {
        let idle = (0..<count).filter(isIdle)
        precondition(idle.count == Int(idleCount), "idle \(idle.count) counted \(idleCount)")
        precondition(inServiceCount == Int32(service.count { $0 == .up }))
        for node in idle {
            precondition(service[node] == .up)
            precondition(isUniform ? owner[node] < 0 : amounts[node].jobs == 0)
        }
        var cores: Int64 = 0
        for node in 0..<count {
            var free = amounts[node].cores
            if isUniform { free = owner[node] < 0 ? capacity[node].cores : 0 }
            precondition(free >= 0 && free <= capacity[node].cores)
            precondition(isUniform || amounts[node].jobs >= 0)
            if service[node] == .up { cores += Int64(free) }
            guard !cards.isEmpty else { continue }
            let whole = (0..<CardShares.countMaximum).count { cards[node].free[$0] == 1_000 }
            precondition(whole == Int(amounts[node].accelerators) || amounts[node].jobs > 0)
            precondition(all(cards[node].free .<= SIMD16(repeating: CardShares.whole)))
        }
        precondition(cores == coresFree, "free cores \(cores) counted \(coresFree)")
        if let changed {
            var fresh = self
            for node in 0..<count { fresh.derive(node) }
            let isKnown = Set(changed)
            for node in 0..<count where !isKnown.contains(Int32(node)) {
                precondition(fresh.amounts[node] == amounts[node], "node \(node) has changed")
            }
        }
    }
}
