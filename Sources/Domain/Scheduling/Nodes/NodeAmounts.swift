import ClusterModel
import JobModel
import Quantities

/// What is free on one node, or what a node has.
struct NodeAmounts: Hashable, Sendable, Codable {
    var cores: Int32
    /// Unit: MiB.
    var memory: Int32
    /// Cards that nobody holds a part of.
    var accelerators: Int32
    /// The jobs on the node; an exclusive job needs a node with none.
    var jobs: Int32
    /// For whose jobs it is kept; `mixed` when for nobody's all the time.
    var keeper: Int32 = NodeKeeper.none
    /// Kept for one user and another, or shared and then kept.
    static let mixed = Int32.min

    init(_ capacity: NodeCapacity) {
        cores = capacity.cores
        memory = Int32(clamping: capacity.memory.mebibytes)
        accelerators = capacity.accelerators
        jobs = 0
    }

    /// How many chunks of `request` fit, parts of cards not looked at.
    @inline(__always)
    func chunks(_ request: ResourceRequest) -> Int32 {
        let memory = self.memory &- request.memoryMebibytesPerNode
        let accelerators = self.accelerators &- request.acceleratorsPerNode
        guard cores >= request.coresPerChunk, memory >= request.memoryMebibytesPerChunk else {
            return 0
        }
        if request.isExclusive && jobs > 0 { return 0 }
        var count = cores
        if request.coresPerChunk > 1 { count /= request.coresPerChunk }
        if request.memoryMebibytesPerChunk > 0 {
            count = min(count, memory / request.memoryMebibytesPerChunk)
        }
        if accelerators < 0 { return 0 }
        if request.acceleratorsPerChunk > 0 && !request.sharesAccelerator {
            count = min(count, accelerators / request.acceleratorsPerChunk)
        }
        return min(count, request.chunksPerNodeMaximum)
    }
}

/// The cards of one node: what is free of each. Unit: 1/1000 card; lanes without a card are zero.
struct CardShares: Hashable, Sendable, Codable {
    /// The most cards of a node whose parts can be given out.
    static let countMaximum = 16
    static let whole: UInt16 = 1_000

    var free: SIMD16<UInt16>

    init(count: Int32) {
        precondition(count <= Self.countMaximum, "parts of more than 16 cards a node")
        free = .zero
        for card in 0..<Int(count) { free[card] = Self.whole }
    }

    /// What two states of the same cards both have free.
    init(leastOf one: CardShares, _ other: CardShares) {
        free = pointwiseMin(one.free, other.free)
    }

    /// The cards that nobody holds a part of.
    var wholeCount: Int32 {
        (0..<Self.countMaximum).reduce(0) { $0 + (free[$1] == Self.whole ? 1 : 0) }
    }

    /// The largest free part of one card.
    var largest: UInt16 { free.max() }

    /// The cards that a job gets: for a part the fullest card that has room, for whole cards the
    /// lowest that nobody holds a part of. Ties go to the lower card.
    func choice(of request: ResourceRequest, chunks: Int32) -> UInt16 {
        var mask: UInt16 = 0
        if request.sharesAccelerator {
            var best: (card: Int, free: UInt16)?
            for card in 0..<Self.countMaximum where free[card] >= request.share {
                if free[card] < best?.free ?? .max { best = (card, free[card]) }
            }
            if let best { mask = 1 << UInt16(best.card) }
        } else {
            var rest = request.accelerators(forChunks: chunks)
            for card in 0..<Self.countMaximum where rest > 0 && free[card] == Self.whole {
                mask |= 1 << UInt16(card)
                rest -= 1
            }
        }
        return mask
    }

    /// Whether each card of `mask` has `share` free.
    func canTake(_ mask: UInt16, _ share: UInt16) -> Bool {
        (0..<Self.countMaximum).allSatisfy { mask & (1 << UInt16($0)) == 0 || free[$0] >= share }
    }

    /// Gives `share` of the cards of `mask` out.
    ///
    /// - Returns: how many cards nobody held a part of before.
    mutating func take(_ mask: UInt16, _ share: UInt16) -> Int32 {
        var whole: Int32 = 0
        for card in 0..<Self.countMaximum where mask & (1 << UInt16(card)) != 0 {
            if free[card] == Self.whole { whole += 1 }
            free[card] -= share
        }
        return whole
    }

    /// Takes `share` of the cards of `mask` back.
    ///
    /// - Returns: how many cards nobody holds a part of now.
    mutating func give(_ mask: UInt16, _ share: UInt16) -> Int32 {
        var whole: Int32 = 0
        for card in 0..<Self.countMaximum where mask & (1 << UInt16(card)) != 0 {
            free[card] += share
            if free[card] == Self.whole { whole += 1 }
        }
        return whole
    }
}

extension ResourceRequest {
    var sharesAccelerator: Bool { acceleratorShare < 1_000 }
    var share: UInt16 { UInt16(acceleratorShare) }

    /// What so many chunks hold of one node's cards.
    func accelerators(forChunks chunks: Int32) -> Int32 {
        acceleratorsPerNode + chunks * acceleratorsPerChunk
    }

    /// What so many chunks hold of one node's memory. Unit: MiB.
    func memory(forChunks chunks: Int32) -> Int32 {
        memoryMebibytesPerNode + chunks * memoryMebibytesPerChunk
    }
}

/// What is free on one node, its cards one by one where parts of cards are given out.
struct NodeState: Sendable, Codable {
    var amounts: NodeAmounts
    var cards: CardShares?

    /// How many chunks of `request` fit.
    @inline(__always)
    func chunks(_ request: ResourceRequest) -> Int32 {
        let count = amounts.chunks(request)
        guard request.sharesAccelerator, count > 0 else { return count }
        // A job asks for a part of one card in one chunk.
        return (cards?.largest ?? 0) >= request.share ? 1 : 0
    }

    /// The same for a job that may use nodes which are kept for its user, and no other kept ones.
    @inline(__always)
    func chunks(_ request: ResourceRequest, _ filter: NodeFilter) -> Int32 {
        if amounts.keeper != filter.keeper {
            if amounts.keeper != NodeKeeper.none { return 0 }
            if request.keeper != NodeKeeper.none, amounts.jobs > 0 { return 0 }
        }
        return chunks(request)
    }

    /// Keeps of everything the less: what both states have free.
    mutating func formMinimum(_ other: NodeState) {
        if amounts.keeper != other.amounts.keeper {
            let (unkept, kept) =
                amounts.keeper == NodeKeeper.none
                ? (amounts, other.amounts) : (other.amounts, amounts)
            let isIdle = unkept.keeper == NodeKeeper.none && unkept.jobs == 0
            amounts.keeper = isIdle ? kept.keeper : NodeAmounts.mixed
        }
        amounts.cores = min(amounts.cores, other.amounts.cores)
        amounts.memory = min(amounts.memory, other.amounts.memory)
        amounts.accelerators = min(amounts.accelerators, other.amounts.accelerators)
        amounts.jobs = max(amounts.jobs, other.amounts.jobs)
        if let own = cards, let others = other.cards {
            let least = CardShares(leastOf: own, others)
            cards = least
            amounts.accelerators = min(amounts.accelerators, least.wholeCount)
        }
    }

    /// Gives chunks to a job.
    mutating func take(_ segment: AllocationSegment, of request: ResourceRequest) {
        amounts.jobs += 1
        if request.keeper != NodeKeeper.none { amounts.keeper = request.keeper }
        if request.isExclusive {
            amounts.cores = 0
            amounts.memory = 0
            amounts.accelerators = 0
            return
        }
        amounts.cores -= segment.chunks * request.coresPerChunk
        amounts.memory -= request.memory(forChunks: segment.chunks)
        if segment.cards != 0 {
            amounts.accelerators -= cards?.take(segment.cards, request.share) ?? 0
        } else {
            amounts.accelerators -= request.accelerators(forChunks: segment.chunks)
        }
        precondition(amounts.cores >= 0 && amounts.memory >= 0 && amounts.accelerators >= 0)
    }

    /// Takes chunks back; `capacity` is what the node has.
    mutating func give(
        _ segment: AllocationSegment,
        of request: ResourceRequest,
        capacity: NodeAmounts
    ) {
        amounts.jobs -= 1
        if amounts.jobs == 0 { amounts.keeper = NodeKeeper.none }
        if request.isExclusive {
            let jobs = amounts.jobs
            amounts = capacity
            amounts.jobs = jobs
            return
        }
        amounts.cores += segment.chunks * request.coresPerChunk
        amounts.memory += request.memory(forChunks: segment.chunks)
        if segment.cards != 0 {
            amounts.accelerators += cards?.give(segment.cards, request.share) ?? 0
        } else {
            amounts.accelerators += request.accelerators(forChunks: segment.chunks)
        }
    }
}
