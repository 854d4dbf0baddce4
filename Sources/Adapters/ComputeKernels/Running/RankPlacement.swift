internal import HardwareTopology
internal import IndexSets
internal import MessagePassing

/// Which cores each rank runs on.
///
/// Cores come from the affinity masks that the ranks were started with: the step helper of a job
/// and `mpirun` have already said where work may run, and nothing here reaches beyond that. Within
/// it each rank takes whole cores for itself, as many as it has threads.
struct RankPlacement {
    /// The PUs of each rank of the world by the operating system's numbers, such as `PUs P#0-1`; only
    /// on rank 0.
    var texts: [String]
    /// This rank's machine.
    var host: String
    /// Different cores that the ranks hold, over all nodes.
    var cores: Int
    /// Ranks that share this rank's memory.
    var ranksOnNode: Int
    /// Whether this is the rank that speaks for its node.
    var isFirstOnNode: Bool

    /// Deals out cores: entry `r` of the result are the cores of rank `r` of a node, or nil when
    /// the masks cannot give every rank `count` cores of its own.
    ///
    /// Ranks with the smallest masks choose first; where nothing is free for one, others move aside
    /// along an augmenting path.
    static func deal(_ masks: [[Int]], count: Int) -> [[Int]]? {
        var owner: [Int: Int] = [:]
        func give(_ rank: Int, _ tried: inout Set<Int>) -> Bool {
            if let free = masks[rank].first(where: { owner[$0] == nil }) {
                owner[free] = rank
                return true
            }
            for core in masks[rank] where tried.insert(core).inserted {
                guard let other = owner[core], other != rank, give(other, &tried) else { continue }
                owner[core] = rank
                return true
            }
            return false
        }
        let order = masks.indices.sorted { (masks[$0].count, $0) < (masks[$1].count, $1) }
        for rank in order {
            for _ in 0..<count {
                var tried: Set<Int> = []
                guard give(rank, &tried) else { return nil }
            }
        }
        return masks.indices.map { rank in masks[rank].filter { owner[$0] == rank } }
    }
}

extension RankPlacement {
    /// Binds this rank's threads to its share of the node's cores, one to each, and says where all
    /// ranks are.
    ///
    /// libnuma has the pages that a bound thread touches first come from the node of its core; a
    /// probe asks the kernel whether they do. Collective.
    ///
    /// - Parameter sharesCores: Whether ranks may share cores when there are too few.
    /// - Throws: `KernelFailure.oversubscribed` on all ranks when there are too few cores on a node
    ///   and nobody allowed to share them; `bindingFailed` when the system refuses.
    static func bind(
        _ world: Communicator,
        team: ThreadTeam,
        sharesCores: Bool
    ) throws(KernelFailure) -> RankPlacement {
        let threads = team.count
        let node = try messaging { () throws(MPIFailure) in try world.splitByNode() }
        let started = HostCores.started()
        let masks = try gatherCores(of: node, mine: (try? started.get())?.cores ?? [])
        let share = deal(masks, count: threads)
        if !sharesCores {
            try refuseSharing(world, node, masks: masks, threads: threads, fits: share != nil)
        }
        var bound = Bound(cores: [], text: "unbound")
        var problem = ""
        switch started {
        case .success(let host):
            do {
                let cores = share?[node.rank] ?? host.cores
                bound = try host.bind(team, to: cores, shared: share == nil)
            } catch {
                problem = "\(error)"
            }
        case .failure(let failure):
            problem = "\(failure)"
        }
        let reports = try messaging { () throws(MPIFailure) in
            (try world.gather(text: problem), try world.gather(text: bound.text))
        }
        let failed = try messaging { () throws(MPIFailure) in
            try world.allReduce(Int32(problem.isEmpty ? 0 : 1), .maximum) != 0
        }
        if failed { throw .bindingFailed(reports.0.first { !$0.isEmpty } ?? problem) }
        let held = Set(try gatherCores(of: node, mine: bound.cores).joined()).count
        let cores = try messaging { () throws(MPIFailure) in
            try world.allReduce(node.isRoot ? Int64(held) : 0, .sum)
        }
        return RankPlacement(
            texts: reports.1,
            host: HostProbe.hostName(),
            cores: Int(cores),
            ranksOnNode: node.size,
            isFirstOnNode: node.isRoot
        )
    }

    /// The cores that each rank of the node names.
    private static func gatherCores(
        of node: Communicator,
        mine cores: [Int]
    ) throws(KernelFailure) -> [[Int]] {
        let words = try messaging { () throws(MPIFailure) in
            let count = try node.allReduce(Int32((cores.max() ?? 0) / 64 + 1), .maximum)
            var bits = [UInt64](repeating: 0, count: Int(count))
            for core in cores { bits[core / 64] |= 1 << UInt64(core % 64) }
            return (try node.allGather(bits), Int(count))
        }
        return (0..<node.size).map { rank in
            (0..<(64 * words.1)).filter { core in
                words.0[rank * words.1 + core / 64] & (1 << UInt64(core % 64)) != 0
            }
        }
    }

    /// Throws on all ranks when on any node the cores do not suffice.
    private static func refuseSharing(
        _ world: Communicator,
        _ node: Communicator,
        masks: [[Int]],
        threads: Int,
        fits: Bool
    ) throws(KernelFailure) {
        let cores = Set(masks.joined()).count
        // Where hwloc failed there are no masks; that is reported as what it is.
        let isShort = !fits && cores > 0
        let worst = try messaging { () throws(MPIFailure) in
            try world.allReduce(
                [isShort ? Int64(node.size * threads) : 0, isShort ? Int64(cores) : 0],
                .maximum
            )
        }
        guard worst[0] == 0 else {
            throw .oversubscribed(needed: Int(worst[0]), cores: Int(worst[1]))
        }
    }
}

/// Where a rank, or one of its threads, is.
private struct Bound {
    var cores: [Int]
    var text: String
}

/// The cores of this machine that the rank was started on, and how to go to some of them.
private struct HostCores {
    /// Logical indices of the cores, ascending.
    let cores: [Int]
    private let pusOfCores: [IDSet]
    private let mask: IDSet

    /// Reads the affinity mask that the rank was started with.
    static func started() -> Result<HostCores, HwlocFailure> {
        do {
            let topology = try HwlocTopology.host()
            return .success(
                HostCores(mask: try topology.threadBinding(), pusOfCores: topology.pusOfCores)
            )
        } catch {
            return .failure(error)
        }
    }

    private init(mask: IDSet, pusOfCores: [IDSet]) {
        self.mask = mask
        self.pusOfCores = pusOfCores
        cores = pusOfCores.indices.filter { core in
            pusOfCores[core].contains { mask.contains($0) }
        }
    }

    /// Binds each thread of a team, to a core of its own unless cores are shared, and reports where
    /// the system then says they are.
    func bind(_ team: ThreadTeam, to cores: [Int], shared: Bool) throws(HwlocFailure) -> Bound {
        var reports = [Result<Bound, HwlocFailure>?](repeating: nil, count: team.count)
        reports.withUnsafeMutableBufferPointer { reports in
            // SAFETY: each thread writes its own element.
            nonisolated(unsafe) let reports = reports
            team.run { thread in
                let own = shared || team.count == 1 ? cores : [cores[thread]]
                reports[thread] = Result { () throws(HwlocFailure) in try bindThread(to: own) }
            }
        }
        var found: [Int] = []
        var memory: Set<String> = []
        for report in reports {
            guard let bound = try report?.get() else { continue }
            found += bound.cores
            memory.insert(bound.text)
        }
        let cores = Set(found).sorted()
        let pus = cores.flatMap { pusOfCores[$0].filter(mask.contains) }.sorted()
        let name = pus.count == 1 ? "PU" : "PUs"
        let sharing = shared ? " shared" : team.count > 1 ? ", a thread on each" : ""
        let places = memory.sorted().joined(separator: " and ")
        return Bound(cores: cores, text: "\(name) P#\(rangesText(pus))\(sharing), \(places)")
    }

    /// Binds the calling thread and says where its memory is. Each thread has a topology of its own: hwloc's may not be shared.
    private func bindThread(to cores: [Int]) throws(HwlocFailure) -> Bound {
        let topology = try HwlocTopology.host()
        var pus = IDSet()
        for core in cores {
            for pu in pusOfCores[core] where mask.contains(pu) { pus.insert(pu) }
        }
        try topology.bindThread(toPUs: pus)
        let bound = try topology.threadBinding()
        let found = pusOfCores.indices.filter { core in
            pusOfCores[core].contains { bound.contains($0) }
        }
        return Bound(cores: found, text: memoryText(near: bound))
    }

    /// Where pages land that this thread, bound to `pus`, touches first.
    private func memoryText(near pus: IDSet) -> String {
        guard NUMAMemory.placeLocally() else { return "memory by first touch" }
        guard let found = try? NUMAMemory.nodesOfFirstTouch() else {
            return "memory by first touch"
        }
        let near = NUMAMemory.nodes(ofPUs: pus)
        let warning =
            Set(found).isSubset(of: near) ? "" : ", not on node P#\(rangesText(near)) of the cores"
        return "memory on node P#\(rangesText(found))\(warning)"
    }
}

/// Ascending numbers as people write them: `0-3,8`.
func rangesText(_ numbers: [Int]) -> String {
    var parts: [String] = []
    var index = 0
    while index < numbers.count {
        var end = index
        while end + 1 < numbers.count && numbers[end + 1] == numbers[end] + 1 { end += 1 }
        parts.append(
            end == index ? "\(numbers[index])" : "\(numbers[index])-\(numbers[end])"
        )
        index = end + 1
    }
    return parts.joined(separator: ",")
}
