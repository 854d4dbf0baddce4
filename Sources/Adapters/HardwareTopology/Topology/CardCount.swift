/// The cards among the devices of a topology.
struct CardCount {
    /// PCI devices that carry a card.
    private var onBus = 0
    /// What each library (`CUDA`, `OpenCL`) sees: on the bus, and without a place there.
    private var ofLibrary: [String: (onBus: Int, elsewhere: Int)] = [:]

    /// At least those on the bus, and at least those that any library sees.
    var count: Int {
        max(onBus, ofLibrary.values.reduce(0) { max($0, $1.onBus + $1.elsewhere) })
    }

    fileprivate mutating func add(_ devices: [TopologyObject], isOnBus: Bool) {
        guard !devices.isEmpty else { return }
        if isOnBus { onBus += 1 }
        for (library, seen) in Dictionary(grouping: devices, by: { $0.subtype ?? "" }) {
            // One card may show as several devices of a library, such as its tiles.
            if isOnBus {
                ofLibrary[library, default: (0, 0)].onBus += 1
            } else {
                ofLibrary[library, default: (0, 0)].elsewhere += seen.count
            }
        }
    }
}

extension TopologyObject {
    /// Counts the cards of one role, here and below.
    func countCards(of role: DeviceRole, into cards: inout CardCount) {
        let devices = ioChildren.filter { $0.kind == .osDevice(role) && !$0.isProcessorItself }
        cards.add(devices, isOnBus: kind == .pciDevice)
        for child in allChildren { child.countCards(of: role, into: &cards) }
    }

    /// OpenCL lists the host's own processor beside its cards.
    private var isProcessorItself: Bool {
        infos.contains { $0.name == "OpenCLDeviceType" && $0.value == "CPU" }
    }
}
