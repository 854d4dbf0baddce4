import Quantities
import WireFormats

/// What the nodes of a machine drew while a schedule ran, from the first submission to the last end.
public struct EnergySummary: Hashable, Sendable {
    /// Of nodes that held jobs. Unit: mJ.
    public var busy: Int64
    /// Of nodes that were on and held none. Unit: mJ.
    public var idle: Int64
    /// Of nodes that came up. Unit: mJ.
    public var booting: Int64
    /// Of nodes that were off, or out of order. Unit: mJ.
    public var off: Int64
    /// The most that all nodes drew at once. Unit: W.
    public var peakWatts: Int64
    /// How often a node was switched on.
    public var bootCount: Int
    /// The carbon dioxide of the electricity; nil when not known. Unit: mg/kWh.
    public var gridMilligrams: Int64?

    /// Makes a summary.
    public init(
        busy: Int64,
        idle: Int64,
        booting: Int64,
        off: Int64,
        peakWatts: Int64,
        bootCount: Int,
        gridMilligrams: Int64?
    ) {
        self.busy = busy
        self.idle = idle
        self.booting = booting
        self.off = off
        self.peakWatts = peakWatts
        self.bootCount = bootCount
        self.gridMilligrams = gridMilligrams
    }

    private static let joulesPerKilowattHour = 3_600_000.0

    private static func kilowattHours(_ millijoules: Int64) -> Double {
        Double(millijoules) / 1_000 / joulesPerKilowattHour
    }

    /// All energy. Unit: kWh.
    public var kilowattHours: Double {
        [busy, idle, booting, off].reduce(0) { $0 + Self.kilowattHours($1) }
    }

    /// Unit: kg.
    var carbonDioxide: Double? { gridMilligrams.map { kilowattHours * Double($0) / 1e6 } }

    /// As members of a JSON object, with their units.
    var members: [JSONValue.Member] {
        [
            .init("energy_kwh", .number(kilowattHours)),
            .init("energy_busy_kwh", .number(Self.kilowattHours(busy))),
            .init("energy_idle_kwh", .number(Self.kilowattHours(idle))),
            .init("energy_booting_kwh", .number(Self.kilowattHours(booting))),
            .init("energy_off_kwh", .number(Self.kilowattHours(off))),
            .init("co2_kg", carbonDioxide.map { .number($0) } ?? .null),
            .init("peak_w", .integer(peakWatts)), .init("boots", .integer(Int64(bootCount))),
        ]
    }

    /// The rows of a table: names with units, and values.
    static let rows: [(name: String, value: @Sendable (EnergySummary) -> String)] = [
        ("energy (kWh)", { NumberText.fixed($0.kilowattHours, 1) }),
        ("of idle nodes (kWh)", { NumberText.fixed(kilowattHours($0.idle), 1) }),
        (
            "of nodes off or booting (kWh)",
            { NumberText.fixed(kilowattHours($0.booting + $0.off), 1) }
        ),
        ("CO₂ (kg)", { $0.carbonDioxide.map { NumberText.fixed($0, 1) } ?? "–" }),
        ("peak power (kW)", { NumberText.fixed(Double($0.peakWatts) / 1_000, 1) }),
        ("nodes switched on", { $0.bootCount.groupedText }),
    ]
}
