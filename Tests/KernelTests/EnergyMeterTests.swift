import Foundation
import Testing

@testable import ComputeKernels

/// The meter over files like those of `/sys/class/powercap`.
@Suite("Energy by RAPL's counters")
struct EnergyMeterTests {
    @Test("Packages count, the platform that holds them does not")
    func packagesCount() throws {
        let folder = try Powercap()
        try folder.add(0, "package-0", energy: 1_000_000)
        try folder.add(1, "psys", energy: 5_000_000)
        try folder.add(2, "package-1", energy: 2_000_000)
        var meter = EnergyMeter(folder: folder.path)
        meter.start()
        try folder.set(0, energy: 4_000_000)
        try folder.set(1, energy: 50_000_000)
        try folder.set(2, energy: 2_500_000)
        meter.stop()
        #expect(meter.joules == 3.5)
    }

    @Test("Only timed parts count, and each may see the counter go round")
    func timedPartsCount() throws {
        let folder = try Powercap()
        try folder.add(0, "package-0", energy: 7_000_000)
        var meter = EnergyMeter(folder: folder.path)
        try folder.set(0, energy: 9_000_000)
        for _ in 0..<3 {
            meter.start()
            try folder.set(0, energy: 1_000_000)
            meter.stop()
            try folder.set(0, energy: 9_000_000)
        }
        #expect(meter.joules == 6)
    }

    @Test("Without a counter, or when one is lost, nothing is known")
    func nothingIsKnown() throws {
        let folder = try Powercap()
        #expect(EnergyMeter(folder: folder.path).joules == nil)
        try folder.add(0, "psys", energy: 1)
        #expect(EnergyMeter(folder: folder.path).joules == nil)
        try folder.add(1, "package-0", energy: 1)
        var meter = EnergyMeter(folder: folder.path)
        meter.start()
        try FileManager.default.removeItem(atPath: "\(folder.path)/intel-rapl:1")
        meter.stop()
        #expect(meter.joules == nil)
    }
}

/// A folder of counters that start again beyond 10 J.
private final class Powercap {
    let path = FileManager.default.temporaryDirectory
        .appendingPathComponent("xinghe-powercap-\(UUID().uuidString)").path

    init() throws {
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true
        )
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func add(_ zone: Int, _ name: String, energy: Int) throws {
        try FileManager.default.createDirectory(
            atPath: "\(path)/intel-rapl:\(zone)",
            withIntermediateDirectories: true
        )
        try write(zone, "name", name)
        try write(zone, "max_energy_range_uj", "10000000")
        try set(zone, energy: energy)
    }

    func set(_ zone: Int, energy: Int) throws {
        try write(zone, "energy_uj", "\(energy)")
    }

    private func write(_ zone: Int, _ file: String, _ text: String) throws {
        try (text + "\n")
            .write(toFile: "\(path)/intel-rapl:\(zone)/\(file)", atomically: false, encoding: .utf8)
    }
}
