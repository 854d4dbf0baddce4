public import ClusterModel
import JobModel
public import Quantities

// What keeps sums of money inside 64 bits, whatever a tariff, a machine and their users say.
//
// A machine that earns at most 10¹¹ fen an hour earns less than 10¹⁵ fen in 365 days, the longest
// run that is reserved for, and less than 7.1·10¹⁸ fen until the year 9999. So neither a fee nor a
// balance overflows, and only the tariff has to be looked at, not each job.

extension Tariff {
    /// The most that a whole machine may earn in an hour: 10¹¹ fen, a billion yuan.
    public static let hourMaximum = Fen(100_000_000_000)

    /// The largest least fee: 10⁸ fen, a million yuan.
    public static let minimumChargeMaximum = Fen(100_000_000)

    /// Why a machine cannot have these prices; nil when it can.
    public func excess(on machine: Machine) -> TariffExcess? {
        var sum: Int128 = 0
        var dearest: (fen: Int128, name: String) = (0, "")
        for partition in machine.partitions {
            let full = JobUsage(of: partition, with: machine.totals(of: partition.nodes))
            for resource in BilledResource.allCases {
                let fen = dearestHour(of: resource, held: full)
                sum += fen
                if fen > dearest.fen {
                    dearest = (fen, "\(resource.name) in partition '\(partition.name)'")
                }
            }
        }
        guard sum > Int128(Self.hourMaximum.count) else { return nil }
        return TariffExcess(tariff: id, hour: sum, dearest: dearest.name)
    }

    /// What a partition that is full earns with one resource in an hour, at the highest price and the
    /// highest factors. Unit: fen, rounded up.
    private func dearestHour(of resource: BilledResource, held full: JobUsage) -> Int128 {
        let dearest = lineIndices(for: full, resource).map { index in
            let price = lines[index].tiers.map(\.price.microFen).max() ?? 0
            return Int128(lines[index].billedCount(of: full)) * Int128(price)
        }.max()
        let qos = max(1_000, qosFactors.values.map(\.thousandths).max() ?? 0)
        let factorPPM = Int128(qos) * Int128(max(1_000, reservationFactor.thousandths))
        // Micro-fen × ppm in a fen: 10¹².
        return ((dearest ?? 0) * factorPPM + 999_999_999_999) / 1_000_000_000_000
    }
}

extension JobUsage {
    /// A run that holds all of a partition.
    fileprivate init(of partition: Partition, with totals: MachineTotals) {
        self.init(
            id: .init(0),
            account: "",
            partition: partition.name,
            platform: partition.platform,
            outcome: .ended(.completed),
            nodeCount: Int64(totals.nodeCount),
            coreCount: totals.coreCount,
            cardCount: totals.acceleratorCount,
            memory: totals.memory,
            startedAt: nil,
            endedAt: .epoch
        )
    }
}

/// Prices at which a machine would earn more than can be booked.
public struct TariffExcess: Error, Hashable, Sendable, CustomStringConvertible {
    /// The tariff.
    public var tariff: String
    /// What the machine would earn in an hour. Unit: fen.
    public var hour: Int128
    /// The resource and partition with the largest part in it.
    public var dearest: String

    /// One sentence for people.
    public var description: String {
        "with tariff '\(tariff)' the whole machine could earn \((hour / 100).magnitude.groupedText)"
            + " CNY an hour, most of it for \(dearest); at most "
            + "\(Tariff.hourMaximum.yuanText) CNY can be booked"
    }
}
