public import IndexSets

/// Partitions that users know as a cluster of its own: what Slurm's commands choose with `-M`.
///
/// Its nodes are its own. Accounts, users, QOS, licences, numbers of jobs and bills are the centre's, as
/// those of clusters are that share one `slurmdbd`.
public struct Cluster: Hashable, Sendable {
    /// The name: `nebulae`.
    public var name: String
    /// One line for people.
    public var title: String
    /// The indices of its partitions, ascending.
    public var partitions: [Int]
    /// The index of the partition of its jobs that name none.
    public var defaultPartitionIndex: Int

    /// Words that requests use for the centre's own cluster, and for all.
    public static let wordsTaken = ["own", "all"]

    /// The most clusters beside the centre's own.
    public static let countMaximum = 64

    /// Makes a cluster.
    public init(name: String, title: String, partitions: [Int], defaultPartitionIndex: Int) {
        self.name = name
        self.title = title
        self.partitions = partitions
        self.defaultPartitionIndex = defaultPartitionIndex
    }
}

extension Machine {
    /// The centre's own cluster, with the partitions that no other has.
    public var ownCluster: Cluster {
        let taken = Set(clusters.flatMap(\.partitions))
        return Cluster(
            name: name,
            title: title,
            partitions: partitions.indices.filter { !taken.contains($0) },
            defaultPartitionIndex: defaultPartitionIndex
        )
    }

    /// All clusters, the centre's own first.
    public var allClusters: [Cluster] { [ownCluster] + clusters }

    /// The cluster of a partition.
    public func cluster(ofPartition index: Int) -> Cluster {
        clusters.first { $0.partitions.contains(index) } ?? ownCluster
    }

    /// The nodes of a cluster.
    public func nodes(of cluster: Cluster) -> IDSet {
        cluster.partitions.reduce(into: IDSet()) { $0.formUnion(partitions[$1].nodes) }
    }

    /// Why its clusters cannot be as they are; nil when they can.
    public var clusterProblem: String? {
        var taken: Set<Int> = []
        var names = Cluster.wordsTaken + [name]
        for cluster in clusters {
            // People write them as they like.
            if let taken = names.first(where: { $0.lowercased() == cluster.name.lowercased() }) {
                let like = taken == cluster.name ? "" : ", but for the case of its letters"
                return "'\(cluster.name)' stands for another cluster already\(like)"
            }
            names.append(cluster.name)
            guard !cluster.partitions.isEmpty,
                cluster.partitions.allSatisfy(partitions.indices.contains)
            else { return "cluster '\(cluster.name)' lacks a partition" }
            for own in cluster.partitions where !taken.insert(own).inserted {
                return "partition '\(partitions[own].name)' is in a cluster already"
            }
            if !cluster.partitions.contains(cluster.defaultPartitionIndex) {
                return "the default partition of cluster '\(cluster.name)' is none of its own"
            }
            if cluster.partitions.contains(defaultPartitionIndex) {
                let own = partitions[defaultPartitionIndex].name
                return "partition '\(own)' is the default of cluster '\(name)'"
            }
        }
        var nodesTaken = nodes(of: ownCluster)
        for cluster in clusters {
            let own = nodes(of: cluster)
            if let node = own.first(where: nodesTaken.contains) {
                return "node '\(nodes[node].name)' is of two clusters"
            }
            nodesTaken.formUnion(own)
        }
        return nil
    }
}
