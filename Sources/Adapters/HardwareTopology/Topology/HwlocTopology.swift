import CHwloc
public import ClusterModel
import Glibc
public import IndexSets

/// A topology that hwloc has loaded. Owns the C object, which is freed once, when this value ends.
///
/// Loading takes 2…6 ms: keep one for each node type, never one for each node.
public struct HwlocTopology: ~Copyable {
    let handle: hwloc_topology_t

    private init(adopting handle: hwloc_topology_t) {
        self.handle = handle
    }

    deinit {
        hwloc_topology_destroy(handle)
    }

    /// Loads what a node type names.
    ///
    /// - Throws: `HwlocFailure`, whose subject names the word of a synthetic string that is wrong.
    public static func load(_ source: TopologySource) throws(HwlocFailure) -> HwlocTopology {
        switch source {
        case .host: try host()
        case .synthetic(let description): try synthetic(description)
        case .xml(let name, let text): try xml(text, name: name)
        }
    }

    /// Discovers the machine that the program runs on, with its devices.
    ///
    /// - Throws: `HwlocFailure` when hwloc cannot read the machine, or its environment variables have it
    ///   read another one: nothing could be bound by that.
    public static func host() throws(HwlocFailure) -> HwlocTopology {
        let topology = try prepared()
        try topology.finishLoading("the host cannot be discovered")
        guard hwloc_topology_is_thissystem(topology.handle) == 1 else {
            let set = ["HWLOC_XMLFILE", "HWLOC_SYNTHETIC", "HWLOC_FSROOT", "HWLOC_THISSYSTEM"]
                .filter { getenv($0) != nil }.joined(separator: " and ")
            throw HwlocFailure(
                call: "hwloc_topology_is_thissystem",
                errno: EINVAL,
                subject: "\(set.isEmpty ? "something" : set) has hwloc describe another machine "
                    + "than this host"
            )
        }
        return topology
    }

    /// Loads a topology from hwloc's synthetic syntax, such as `numa:2 core:16 pu:1`.
    ///
    /// - Throws: `HwlocFailure` when hwloc refuses the string; its subject names the word.
    public static func synthetic(
        _ description: String
    ) throws(HwlocFailure) -> HwlocTopology {
        let topology = try prepared()
        guard hwloc_topology_set_synthetic(topology.handle, description) == 0 else {
            let code = errno
            throw HwlocFailure(
                call: "hwloc_topology_set_synthetic",
                errno: code,
                subject: "synthetic topology refused"
                    + (firstBadWord(of: description).map { " near '\($0)'" } ?? "")
            )
        }
        try topology.finishLoading("synthetic topology '\(description)' cannot be loaded")
        return topology
    }

    /// Loads a topology from a document of hwloc's XML format.
    ///
    /// - Throws: `HwlocFailure` when hwloc cannot read the document.
    public static func xml(
        _ text: String,
        name: String
    ) throws(HwlocFailure) -> HwlocTopology {
        let topology = try prepared()
        let readable = hwloc_get_api_version() < 0x0003_0000 ? XMLVersion3.lowered(text) : text
        guard let length = Int32(exactly: readable.utf8.count + 1) else {
            throw HwlocFailure(
                call: "hwloc_topology_set_xmlbuffer",
                errno: EFBIG,
                subject: "\(name) is too long"
            )
        }
        // hwloc counts the final zero byte.
        let result = readable.withCString { bytes -> Int32? in
            guard CHwloc_survives_xml(bytes, length) != 0 else { return nil }
            return hwloc_topology_set_xmlbuffer(topology.handle, bytes, length)
        }
        guard let result else {
            throw HwlocFailure(
                call: "hwloc_topology_load",
                errno: EINVAL,
                subject: "\(name) contradicts itself so much that hwloc does not live through it"
            )
        }
        guard result == 0 else {
            throw HwlocFailure(
                call: "hwloc_topology_set_xmlbuffer",
                errno: errno,
                subject: "\(name) is no XML that hwloc can read"
            )
        }
        try topology.finishLoading("\(name) is no topology that hwloc can load")
        return topology
    }

    /// The document that hwloc itself, and `lstopo -i`, can read again.
    ///
    /// - Throws: `HwlocFailure` when hwloc cannot write it.
    public func xmlText() throws(HwlocFailure) -> String {
        var buffer: UnsafeMutablePointer<CChar>?
        var length: Int32 = 0
        guard hwloc_topology_export_xmlbuffer(handle, &buffer, &length, 0) == 0, let buffer else {
            throw HwlocFailure(
                call: "hwloc_topology_export_xmlbuffer",
                errno: errno,
                subject: "the topology cannot be written as XML"
            )
        }
        defer { hwloc_free_xmlbuffer(handle, buffer) }
        return String(cString: buffer)
    }

    /// A fresh topology that keeps instruction caches and the devices that jobs may care for.
    private static func prepared() throws(HwlocFailure) -> HwlocTopology {
        var fresh: hwloc_topology_t?
        guard CHwloc_prepare(&fresh) == 0, let fresh else {
            throw HwlocFailure(
                call: "hwloc_topology_init",
                errno: errno,
                subject: "no topology can be made"
            )
        }
        return HwlocTopology(adopting: fresh)  // From here on, every path frees it.
    }

    private func finishLoading(_ subject: String) throws(HwlocFailure) {
        guard hwloc_topology_load(handle) == 0 else {
            throw HwlocFailure(call: "hwloc_topology_load", errno: errno, subject: subject)
        }
    }

    /// The first word of a refused synthetic string with which hwloc refuses the part up to it.
    ///
    /// hwloc only says "invalid"; growing the string word by word finds the place.
    private static func firstBadWord(of description: String) -> String? {
        let words = description.split(separator: " ")
        for end in words.indices {
            let part = words[...end].joined(separator: " ")
            let isWhole = words[end].hasPrefix("pu:")
            // A part must end with PUs to be loadable at all.
            guard let probe = try? prepared() else { return nil }
            let text = isWhole ? part : part + " pu:1"
            if hwloc_topology_set_synthetic(probe.handle, text) != 0 { return String(words[end]) }
        }
        return nil
    }
}

// MARK: - Binding

extension HwlocTopology {
    /// The PUs of each core, by operating-system index, cores in logical order.
    ///
    /// Where the kernel tells only of PUs hwloc finds no cores: then each PU is one.
    public var pusOfCores: [IDSet] {
        let cores = pus(ofEach: HWLOC_OBJ_CORE)
        return cores.isEmpty ? pus(ofEach: HWLOC_OBJ_PU) : cores
    }

    private func pus(ofEach type: hwloc_obj_type_t) -> [IDSet] {
        let count = max(0, Int(hwloc_get_nbobjs_by_type(handle, type)))
        return (0..<count).compactMap { index in
            hwloc_get_obj_by_type(handle, type, UInt32(index))?.pointee.cpuset
        }.map(members(of:))
    }

    /// Binds the calling thread to some PUs.
    ///
    /// - Throws: `HwlocFailure` when the operating system refuses.
    public func bindThread(toPUs pus: IDSet) throws(HwlocFailure) {
        try bind(pus, call: "hwloc_set_cpubind") { set in
            hwloc_set_cpubind(handle, set, Int32(HWLOC_CPUBIND_THREAD.rawValue))
        }
    }

    /// The PUs that the calling thread is bound to.
    ///
    /// - Throws: `HwlocFailure` when the operating system does not tell.
    public func threadBinding() throws(HwlocFailure) -> IDSet {
        guard let set = hwloc_bitmap_alloc() else { preconditionFailure("out of memory") }
        defer { hwloc_bitmap_free(set) }
        guard hwloc_get_cpubind(handle, set, Int32(HWLOC_CPUBIND_THREAD.rawValue)) == 0 else {
            throw HwlocFailure(
                call: "hwloc_get_cpubind",
                errno: errno,
                subject: "the thread's binding is not known"
            )
        }
        return members(of: set)
    }

    private func bind(
        _ pus: IDSet,
        call: String,
        with set: (hwloc_bitmap_t) -> Int32
    ) throws(HwlocFailure) {
        guard let bitmap = hwloc_bitmap_alloc() else { preconditionFailure("out of memory") }
        defer { hwloc_bitmap_free(bitmap) }
        for pu in pus { hwloc_bitmap_set(bitmap, UInt32(pu)) }
        guard set(bitmap) == 0 else {
            let code = errno
            let list = pus.map(String.init).joined(separator: ",")
            throw HwlocFailure(call: call, errno: code, subject: "cannot bind to PUs \(list)")
        }
    }
}

/// The members of a finite hwloc bitmap.
func members(of bitmap: hwloc_const_bitmap_t) -> IDSet {
    // An infinite set stands for "everything" and has no last member.
    guard hwloc_bitmap_weight(bitmap) >= 0 else { return IDSet() }
    var set = IDSet()
    var member = hwloc_bitmap_first(bitmap)
    while member >= 0 {
        set.insert(Int(member))
        member = hwloc_bitmap_next(bitmap, member)
    }
    return set
}

/// The operating system's words for an error number.
func errnoText(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text)
}
