/// What Slurm's multifactor priority weighs, each from 0 to 1.
public struct PriorityFactors: Hashable, Sendable {
    /// How long the job has waited, as a part of `PriorityMaxAge`.
    public var age: Double
    /// What its user is entitled to yet (Fair Tree).
    public var fairShare: Double
    /// The mean of its parts of the machine's nodes and cores.
    public var jobSize: Double
    /// The priority of its partition, as a part of the highest.
    public var partition: Double
    /// The priority of its QOS, as a part of the highest.
    public var qos: Double
    /// Its part of its partition's cores.
    public var cpu: Double

    /// The weighted sum.
    public func sum(_ weights: PriorityWeights) -> Double {
        var priority = Double(weights.age) * age
        priority += Double(weights.fairShare) * fairShare
        priority += Double(weights.jobSize) * jobSize
        priority += Double(weights.partition) * partition
        priority += Double(weights.qos) * qos
        priority += Double(weights.cpu) * cpu
        return priority
    }
}

extension QueuedJob {
    /// What Slurm's multifactor priority weighs of it.
    public var factors: PriorityFactors {
        let maximumAge = Double(max(1, weights.maximumAgeSeconds))
        return PriorityFactors(
            age: min(1, waitedSeconds / maximumAge),
            fairShare: fairShare,
            jobSize: (nodeFraction + coreFraction) / 2,
            partition: partitionFactor,
            qos: qosFactor,
            cpu: partitionCoreFraction
        )
    }
}
