/// How a tariff fits the usage that it is to price: what of the one the other does not know.
public struct TariffCoverage: Hashable, Sendable {
    /// Qualities of service that the tariff does not list, with the position of the first run of each.
    public private(set) var unknownQOS: [String: Int] = [:]
    /// Partitions where nothing has a price.
    public private(set) var unpricedPartitions: Set<String> = []
    /// Partitions with prices where runs held cards for which there is none.
    public private(set) var partitionsWithFreeCards: Set<String> = []
    /// Places that lines of the tariff name and where nothing ran.
    public private(set) var placesWithoutRun: Set<String> = []

    private struct Place: Hashable {
        var partition: String
        var platform: String
        var hasCards: Bool
    }

    /// Compares a tariff with usage. O(runs).
    public init(_ tariff: Tariff, _ usages: [JobUsage]) {
        var examples: [Place: Int] = [:]
        for (index, usage) in usages.enumerated() {
            if !tariff.knows(qos: usage.qos), unknownQOS[usage.qos] == nil {
                unknownQOS[usage.qos] = index
            }
            let place = Place(
                partition: usage.partition,
                platform: usage.platform,
                hasCards: usage.cardCount > 0
            )
            if examples[place] == nil { examples[place] = index }
        }
        for (place, index) in examples {
            guard BilledResource.allCases.contains(where: { tariff.prices($0, of: usages[index]) })
            else {
                unpricedPartitions.insert(place.partition)
                continue
            }
            if place.hasCards, !tariff.prices(.cardHour, of: usages[index]) {
                partitionsWithFreeCards.insert(place.partition)
            }
        }
        for line in tariff.lines {
            if let partition = line.partition,
                !examples.keys.contains(where: { $0.partition == partition })
            {
                placesWithoutRun.insert("partition '\(partition)'")
            }
            if let platform = line.platform,
                !examples.keys.contains(where: { $0.platform == platform })
            {
                placesWithoutRun.insert("platform '\(platform)'")
            }
        }
    }
}
