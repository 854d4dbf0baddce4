public import ClusterModel
import Glibc
public import Quantities

/// What the operating system says about the machine that the program runs on.
public enum HostProbe {
    /// The host's structure, its memory by the operating system, and what libnuma adds.
    ///
    /// - Throws: `HwlocFailure` when hwloc cannot read the machine.
    public static func model() throws(HwlocFailure) -> TopologyModel {
        let topology = try HwlocTopology.host()
        var model = topology.model(origin: .host)
        model.memoryOfSystem = memory()
        if model.distances.isEmpty, let matrix = NUMAMemory.distances() {
            model.distances = [matrix]
        }
        model.placement = NUMAMemory.checkPlacement()
        return model
    }

    /// The host as a node that machine files may refer to.
    ///
    /// - Throws: `HwlocFailure` when hwloc cannot read the machine.
    public static func describe() throws(HwlocFailure) -> HostDescription {
        let model = try HwlocTopology.host().model(origin: .host)
        return HostDescription(
            name: hostName(),
            processorModel: model.root.firstInfo(named: "CPUModel") ?? "unknown processor",
            cores: Int32(model.coreCount),
            memory: memory() ?? model.root.totalMemory
        )
    }

    /// What hwloc says of the host under a name, such as `CPUModel` or `hwlocVersion`; nil where it does not.
    public static func info(named name: String) -> String? {
        (try? HwlocTopology.host().model(origin: .host))?.root.firstInfo(named: name)
    }

    /// The memory of the machine by `/proc/meminfo`; nil where there is none.
    ///
    /// Not the sum over NUMA nodes: a virtual machine whose memory was plugged in while it ran
    /// shows only a part of it there.
    public static func memory() -> ByteCount? {
        memory(named: "MemTotal:")
    }

    /// What can be allocated without swapping, as the kernel estimates it; nil where
    /// `/proc/meminfo` does not say.
    public static func availableMemory() -> ByteCount? {
        memory(named: "MemAvailable:")
    }

    private static func memory(named name: String) -> ByteCount? {
        guard let file = fopen("/proc/meminfo", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
            guard words.count >= 2, words[0] == name else { continue }
            return Int64(words[1]).map { ByteCount($0 * 1_024) }
        }
        return nil
    }

    /// The name of the machine without its domain.
    public static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let full = String(decoding: bytes, as: UTF8.self)
        return full.split(separator: ".").first.map(String.init) ?? "localhost"
    }
}
