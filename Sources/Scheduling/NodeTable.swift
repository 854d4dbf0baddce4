import ClusterModel
import JobModel
import Quantities

/// Whether a node takes jobs.
public enum NodeService: UInt8, Sendable {
    /// It takes jobs.
    case up
    /// It finishes what it runs and takes nothing new.
    case drained
    /// It is off; nothing runs on it.
    case down
}

/// What is free on each node of a group; element `i` belongs to the group's node `i`.
///
/// The present and the state at a shadow time are both values of this type, so one piece of code
/// answers "can it be placed" for both.
struct NodeLoad: Sendable {
    var cores: ContiguousArray<Int32>
    var memory: ContiguousArray<Int32>
    var accelerators: ContiguousArray<Int32>
    /// The jobs on each node; an exclusive job needs a node with none.
    var jobs: ContiguousArray<Int32>

    init(idle capacity: NodeCapacities) {
        cores = capacity.cores
        memory = capacity.memory
        accelerators = capacity.accelerators
        jobs = ContiguousArray(repeating: 0, count: capacity.cores.count)
    }

    /// How many chunks of `request` node `node` could take.
    func chunks(_ request: ResourceRequest, on node: Int) -> Int32 {
        if request.isExclusive && jobs[node] > 0 { return 0 }
        return request.chunksThatFit(
            cores: cores[node],
            memory: memory[node],
            accelerators: accelerators[node]
        )
    }

    mutating func take(_ segment: AllocationSegment, of request: ResourceRequest) {
        let node = Int(segment.node)
        jobs[node] += 1
        if request.isExclusive {
            cores[node] = 0
            memory[node] = 0
            accelerators[node] = 0
        } else {
            cores[node] -= segment.chunks * request.coresPerChunk
            memory[node] -= segment.chunks * request.memoryMebibytesPerChunk
            accelerators[node] -= segment.chunks * request.acceleratorsPerChunk
        }
        precondition(cores[node] >= 0 && memory[node] >= 0 && accelerators[node] >= 0)
    }

    mutating func give(
        _ segment: AllocationSegment,
        of request: ResourceRequest,
        capacity: NodeCapacities
    ) {
        let node = Int(segment.node)
        jobs[node] -= 1
        if request.isExclusive {
            cores[node] = capacity.cores[node]
            memory[node] = capacity.memory[node]
            accelerators[node] = capacity.accelerators[node]
        } else {
            cores[node] += segment.chunks * request.coresPerChunk
            memory[node] += segment.chunks * request.memoryMebibytesPerChunk
            accelerators[node] += segment.chunks * request.acceleratorsPerChunk
        }
    }
}

/// What each node of a group has; element `i` belongs to the group's node `i`.
struct NodeCapacities: Sendable {
    var cores: ContiguousArray<Int32>
    /// Unit: MiB.
    var memory: ContiguousArray<Int32>
    var accelerators: ContiguousArray<Int32>

    init(_ nodes: [NodeCapacity]) {
        cores = ContiguousArray(nodes.map(\.cores))
        memory = ContiguousArray(nodes.map { Int32(clamping: $0.memory.mebibytes) })
        accelerators = ContiguousArray(nodes.map(\.accelerators))
    }

    /// How many chunks of `request` node `node` could take if it were idle.
    func chunks(_ request: ResourceRequest, on node: Int) -> Int32 {
        request.chunksThatFit(
            cores: cores[node],
            memory: memory[node],
            accelerators: accelerators[node]
        )
    }
}

extension ResourceRequest {
    /// How many chunks fit into these amounts of one node.
    fileprivate func chunksThatFit(cores: Int32, memory: Int32, accelerators: Int32) -> Int32 {
        var count = min(chunksPerNodeMaximum, cores / coresPerChunk)
        if memoryMebibytesPerChunk > 0 { count = min(count, memory / memoryMebibytesPerChunk) }
        if acceleratorsPerChunk > 0 { count = min(count, accelerators / acceleratorsPerChunk) }
        return max(0, count)
    }
}

/// The nodes of one queue group: who is in service, who is idle, who holds what.
///
/// A group of equal nodes that are only given whole (*uniform*) needs no amounts: an idle bitmap,
/// and for each allocation a list threaded through `nextNode`. Giving out and taking back k nodes
/// costs O(k) with no memory of its own, so node identities come for free in a replay.
struct NodeTable: Sendable {
    /// The machine's index of each node of the group, ascending.
    let machineIndex: [Int]
    let capacity: NodeCapacities
    let isUniform: Bool
    private(set) var service: ContiguousArray<NodeService>
    /// Nodes in service, busy or not.
    private(set) var inServiceCount: Int32
    /// Nodes in service that run nothing.
    private(set) var idleCount: Int32
    /// Cores free on nodes in service.
    private(set) var coresFree: Int64
    /// Amounts; kept only when the group is not uniform.
    private(set) var load: NodeLoad

    private var idleWords: ContiguousArray<UInt64>
    /// No word before this one has an idle node.
    private var firstIdleWord = 0
    /// The next node of the same whole-node allocation; −1 ends the list.
    private var nextNode: ContiguousArray<Int32>
    /// The slot of the job that holds the node whole; −1 when none does.
    private var owner: ContiguousArray<Int32>

    init(nodes: [NodeCapacity], machineIndex: [Int], isWholeNodeOnly: Bool) {
        precondition(nodes.count == machineIndex.count)
        self.machineIndex = machineIndex
        capacity = NodeCapacities(nodes)
        isUniform = isWholeNodeOnly && nodes.allSatisfy { $0 == nodes.first }
        service = ContiguousArray(repeating: .up, count: nodes.count)
        inServiceCount = Int32(nodes.count)
        idleCount = Int32(nodes.count)
        coresFree = nodes.reduce(0) { $0 + Int64($1.cores) }
        load = NodeLoad(idle: capacity)
        idleWords = ContiguousArray(repeating: 0, count: (nodes.count + 63) / 64)
        for node in nodes.indices { idleWords[node >> 6] |= 1 << UInt64(node & 63) }
        nextNode = ContiguousArray(repeating: -1, count: nodes.count)
        owner = ContiguousArray(repeating: -1, count: nodes.count)
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

    /// The present amounts, also for a uniform group.
    func currentLoad() -> NodeLoad {
        guard isUniform else { return load }
        var derived = NodeLoad(idle: capacity)
        for node in 0..<count where owner[node] >= 0 {
            derived.take(AllocationSegment(node: Int32(node), chunks: 1), of: .wholeNodes(1))
        }
        return derived
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
        idleCount -= wanted
        coresFree -= Int64(wanted) * Int64(capacity.cores[0])
        return first
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
        idleCount -= Int32(nodes.count)
        coresFree -= Int64(nodes.count) * Int64(capacity.cores[0])
        return next
    }

    /// Takes a whole-node allocation back.
    mutating func release(listFrom first: Int32) {
        var node = first
        while node >= 0 {
            let index = Int(node)
            node = nextNode[index]
            owner[index] = -1
            if service[index] == .up {
                idleWords[index >> 6] |= 1 << UInt64(index & 63)
                firstIdleWord = min(firstIdleWord, index >> 6)
                idleCount += 1
                coresFree += Int64(capacity.cores[index])
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
            let before = load.cores[node]
            if load.jobs[node] == 0 { markBusy(node) }
            load.take(segment, of: request)
            coresFree -= Int64(before - load.cores[node])
        }
    }

    /// Takes chunks back.
    mutating func release(_ segments: [AllocationSegment], of request: ResourceRequest) {
        for segment in segments {
            let node = Int(segment.node)
            let before = load.cores[node]
            load.give(segment, of: request, capacity: capacity)
            guard service[node] == .up else { continue }
            coresFree += Int64(load.cores[node] - before)
            if load.jobs[node] == 0 { markIdle(node) }
        }
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

// MARK: - Service

extension NodeTable {
    /// Takes a node out of service or puts it back.
    mutating func set(_ node: Int, _ newService: NodeService) {
        let wasUp = service[node] == .up
        service[node] = newService
        guard wasUp != (newService == .up) else { return }
        let isFree = isUniform ? owner[node] < 0 : load.jobs[node] == 0
        let freeCores = isUniform ? (isFree ? capacity.cores[node] : 0) : load.cores[node]
        inServiceCount += wasUp ? -1 : 1
        coresFree += Int64(wasUp ? -freeCores : freeCores)
        guard isFree else { return }
        if wasUp { markBusy(node) } else { markIdle(node) }
    }

    /// Stops the program if counts and sets disagree.
    func checkInvariants() {
        let idle = (0..<count).filter(isIdle)
        precondition(idle.count == Int(idleCount), "idle \(idle.count) counted \(idleCount)")
        precondition(inServiceCount == Int32(service.count { $0 == .up }))
        for node in idle {
            precondition(service[node] == .up)
            precondition(isUniform ? owner[node] < 0 : load.jobs[node] == 0)
        }
        let current = currentLoad()
        var cores: Int64 = 0
        for node in 0..<count {
            precondition(current.cores[node] >= 0 && current.cores[node] <= capacity.cores[node])
            precondition(current.jobs[node] >= 0)
            if service[node] == .up { cores += Int64(current.cores[node]) }
        }
        precondition(cores == coresFree, "free cores \(cores) counted \(coresFree)")
    }
}
