import CNuma
import Glibc
public import IndexSets

/// What libnuma adds to hwloc: distances, and where pages really lie.
public enum NUMAMemory {
    /// Whether the kernel lets a process ask about NUMA at all.
    public static var isAvailable: Bool { numa_available() >= 0 }

    /// The kernel's distances between the NUMA nodes that have memory; nil without NUMA.
    static func distances() -> DistanceMatrix? {
        guard isAvailable else { return nil }
        let nodes = usableNodes()
        return DistanceMatrix(
            name: "kernel (ACPI SLIT)",
            // libnuma counts as the operating system does; nodes without gaps are alike in hwloc.
            numaNodes: Array(nodes.indices),
            values: nodes.map { from in
                nodes.map { UInt64(max(0, numa_distance(Int32(from), Int32($0)))) }
            }
        )
    }

    /// Writes a few pages on every NUMA node and asks the kernel where they went.
    static func checkPlacement(pageCount: Int = 16) -> [PagePlacement] {
        guard isAvailable else { return [] }
        return usableNodes().map { checkPlacement(onNode: $0, pageCount: pageCount) }
    }

    /// The NUMA nodes, ascending, of pages that the calling thread is the first to touch.
    ///
    /// - Throws: `HwlocFailure` when the kernel gives no pages, or does not say where they are, as
    ///   in some containers.
    public static func nodesOfFirstTouch() throws(HwlocFailure) -> [Int] {
        let byteCount = 16 * Int(sysconf(Int32(_SC_PAGESIZE)))
        // Not from the heap: its pages may have got their places before the thread was bound.
        let protection = PROT_READ | PROT_WRITE
        let probe = mmap(nil, byteCount, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let probe, probe != MAP_FAILED else {
            throw HwlocFailure(call: "mmap", errno: errno, subject: "no pages to probe with")
        }
        defer { munmap(probe, byteCount) }
        probe.initializeMemory(as: UInt8.self, repeating: 1, count: byteCount)
        return Set(try nodes(ofPagesAt: probe, byteCount: byteCount).filter { $0 >= 0 }).sorted()
    }

    /// The NUMA node of each page of `bytes` bytes at `address`, by the operating system's index.
    ///
    /// A page that was never written has no node yet and counts as negative.
    private static func nodes(
        ofPagesAt address: UnsafeMutableRawPointer,
        byteCount: Int
    ) throws(HwlocFailure) -> [Int] {
        let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
        let offsets = stride(from: 0, to: byteCount, by: pageSize)
        var pages: [UnsafeMutableRawPointer?] = offsets.map { address + $0 }
        var nodes = [Int32](repeating: -1, count: pages.count)
        guard CNuma_page_nodes(UInt(pages.count), &pages, &nodes) == 0 else {
            throw HwlocFailure(call: "move_pages", errno: errno, subject: "pages not found")
        }
        return nodes.map(Int.init)
    }

    /// Has the pages that the calling thread touches first come from the NUMA node of the core it
    /// runs on, whatever policy it was started with (`numactl --interleave`, say).
    ///
    /// Not strict: where that node is full the next nearest gives, since a rank may need more than
    /// one node has.
    ///
    /// - Returns: Whether there is NUMA to set a policy for.
    public static func placeLocally() -> Bool {
        guard isAvailable else { return false }
        numa_set_localalloc()
        return true
    }

    /// The NUMA nodes of processing units, by the operating system's indices, ascending.
    public static func nodes(ofPUs pus: IDSet) -> [Int] {
        guard isAvailable else { return [] }
        return Set(pus.map { Int(numa_node_of_cpu(Int32($0))) }).filter { $0 >= 0 }.sorted()
    }

    private static func usableNodes() -> [Int] {
        (0...max(0, Int(numa_max_node()))).filter { CNuma_may_allocate_on(Int32($0)) != 0 }
    }

    private static func checkPlacement(onNode node: Int, pageCount: Int) -> PagePlacement {
        var placement = PagePlacement(node: node, pageCount: pageCount, pagesOnNode: 0)
        let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
        let byteCount = pageCount * pageSize
        guard let memory = numa_alloc_onnode(byteCount, Int32(node)) else {
            placement.problem = "numa_alloc_onnode: \(errnoText(errno))"
            return placement
        }
        defer { numa_free(memory, byteCount) }
        // A page gets its place when it is first written.
        for page in 0..<pageCount {
            memory.storeBytes(of: 1, toByteOffset: page * pageSize, as: UInt8.self)
        }
        do {
            let found = try nodes(ofPagesAt: memory, byteCount: byteCount)
            placement.pagesOnNode = found.count { $0 == node }
        } catch {
            placement.problem = "\(error.call): \(errnoText(error.errno))"
        }
        return placement
    }
}
