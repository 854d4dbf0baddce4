import ClusterModel
import SlurmDialect
import WireFormats

/// The clusters that a question or an action is about.
struct ClusterChoice {
    private let machine: Machine
    /// The indices of their partitions; nil for all.
    private let partitions: Set<Int>?
    /// What a list of theirs is called: the only one, else the centre.
    let name: String

    /// Understands names of clusters: `own` for the centre's own one, `all` for all, as nil.
    ///
    /// - Throws: `RequestFailure` when there is no such cluster.
    init(_ names: [String]?, of machine: Machine) throws(RequestFailure) {
        self.machine = machine
        guard let names, !names.contains(ClusterWord.all) else {
            (partitions, name) = (nil, machine.name)
            return
        }
        guard !names.isEmpty else { throw Self.none }
        var (chosen, own): (Set<Int>, Set<String>) = ([], [])
        for name in names {
            let cluster = try machine.cluster(called: name)
            chosen.formUnion(cluster.partitions)
            own.insert(cluster.name)
        }
        name = (own.count == 1 ? own.first : nil) ?? machine.name
        partitions = machine.clusters.isEmpty ? nil : chosen
    }

    /// Nobody means no cluster at all.
    static let none = RequestFailure.refused(
        .invalidCluster,
        "no cluster is named; leave it out for the centre's own, or say 'all'"
    )

    /// Whether a partition is of them.
    func contains(partition index: Int) -> Bool { partitions?.contains(index) ?? true }

    /// Whether a job is of them: its partitions are of one cluster.
    func contains(_ entry: JobEntry) -> Bool {
        guard let first = entry.status.partitions.first else { return true }
        return contains(partition: first)
    }

    /// Whether a run is of them.
    func contains(_ record: AccountingRecord) -> Bool {
        guard partitions != nil, let first = machine.firstPartition(record.partition) else {
            return true
        }
        return contains(partition: first)
    }

    /// Whether a node is of them, which has partitions of one cluster.
    func contains(nodeIn own: some Collection<Int>) -> Bool {
        own.contains(where: contains(partition:)) || partitions == nil
    }
}

extension Machine {
    /// The cluster of a name, or `own` for the centre's.
    ///
    /// - Throws: `RequestFailure` when there is none.
    func cluster(called name: String) throws(RequestFailure) -> Cluster {
        let all = allClusters
        guard !name.isEmpty else { throw ClusterChoice.none }
        if name == ClusterWord.own { return all[0] }
        guard let found = all.first(where: { $0.name == name }) else {
            throw .refused(.invalidCluster, "No cluster '\(name)' known by database.")
        }
        return found
    }

    /// The index of the first of some partitions, by their names with commas between them.
    fileprivate func firstPartition(_ names: String) -> Int? {
        names.split(separator: ",").first.flatMap { partitionIndex(named: String($0)) }
    }

    /// The name of the cluster of some partitions, by their names with commas between them.
    func clusterName(ofPartitions names: String) -> String {
        if clusters.isEmpty { return name }
        return firstPartition(names).map { cluster(ofPartition: $0).name } ?? name
    }

    /// The name of the cluster of a job.
    func clusterName(of status: JobStatus) -> String {
        status.partitions.first.map { cluster(ofPartition: $0).name } ?? name
    }

    /// The names of the partitions that a job asks for, or of the default one of its cluster.
    func partitionNames(of request: SubmitRequest) -> [String] {
        guard request.partitions.isEmpty else { return request.partitions }
        guard let name = request.clusters?.first, let named = try? cluster(called: name) else {
            return [defaultPartition.name]
        }
        return [partitions[named.defaultPartitionIndex].name]
    }
}
