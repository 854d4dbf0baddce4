import Accounts
import Billing
import ClusterModel
import IndexSets
import Quantities

extension MachineReader {
    // MARK: Platforms

    func readPlatforms(_ top: YAMLMapping, into draft: inout MachineDraft) throws(FileRefusal) {
        for field in try top["platforms"]?.list() ?? [] {
            let platform = try Self.platform(field)
            guard !draft.platforms.contains(where: { $0.name == platform.name }) else {
                throw field.refusal(.duplicate(name: platform.name, of: "platform"))
            }
            draft.platforms.append(platform)
        }
    }

    static func platform(_ field: YAMLField) throws(FileRefusal) -> Platform {
        let fields = try field.mapping(["name", "title", "key", "tb_day"])
        return Platform(
            name: try fields.required("name").name(),
            title: try fields.required("title").text(),
            isKey: try fields.required("key").flag(),
            storageMicrofen: try fields["tb_day"]?.storagePrice() ?? 0
        )
    }

    // MARK: Partitions

    func readPartitions(_ top: YAMLMapping, into draft: inout MachineDraft) throws(FileRefusal) {
        for field in try top["partitions"]?.list() ?? [] {
            let partition = try partition(field, draft)
            guard !draft.partitions.contains(where: { $0.value.name == partition.name }) else {
                throw field.refusal(.duplicate(name: partition.name, of: "partition"))
            }
            try checkNeighbours(of: partition, field, draft)
            draft.partitions.append(.init(value: partition, field: field))
        }
    }

    private func partition(
        _ field: YAMLField,
        _ draft: MachineDraft
    ) throws(FileRefusal) -> Partition {
        let fields = try field.mapping([
            "name", "title", "nodes", "sharing", "state", "backend", "time_limit",
            "nodes_per_job", "accounts", "platform", "prices", "quota", "tier", "job_factor",
            "qos", "allowed_qos", "billing_weights", "preempt_mode", "grace_time",
            "security_level", "sources",
        ])
        let name = try fields.required("name").name()
        let nodes = try nodes(fields, draft)
        let limits = try timeLimits(fields)
        let sizes = try nodesPerJob(fields, nodes.count)
        var partition = Partition(
            name: name,
            title: try fields["title"]?.text() ?? name,
            nodes: nodes,
            platform: try platform(fields, draft),
            prices: try fields["prices"].map(prices) ?? .free,
            quota: try fields["quota"].map(quota) ?? AccountQuota(),
            facts: try Self.facts(fields)
        )
        partition.sharing = try fields["sharing"]?.choice(Partition.Sharing.self) ?? .wholeNode
        partition.state = try fields["state"]?.choice(Partition.State.self) ?? .up
        partition.backend = try backend(fields, nodes, draft)
        partition.maximumTimeLimit = limits.maximum
        partition.defaultTimeLimit = limits.usual
        partition.minimumNodesPerJob = sizes.minimum
        partition.maximumNodesPerJob = sizes.maximum
        partition.allowedAccounts = try fields["accounts"].map(accountNames)
        partition.securityLevel = try fields["security_level"]?.count(1...5) ?? 1
        partition.tier = try fields["tier"]?.count(0...65_535) ?? 1
        partition.jobFactor = try fields["job_factor"]?.count(0...65_535) ?? 1
        partition.qos = try fields["qos"]?.name()
        partition.allowedQOS = try fields["allowed_qos"].map(accountNames)
        partition.billingWeights = try fields["billing_weights"].map(billingWeights)
        partition.preemptMode =
            try fields["preempt_mode"]?.choice(PreemptionRules.Mode.self) ?? .cluster
        partition.graceSeconds = try fields["grace_time"]?.seconds() ?? 0
        return partition
    }

    /// The clusters besides the centre's own.
    func clusters(_ top: YAMLMapping, of machine: Machine) throws(FileRefusal) -> [Cluster] {
        let known = machine.partitions.map(\.name)
        var trial = machine
        for field in try top["clusters"]?.list() ?? [] {
            let fields = try field.mapping(["name", "title", "partitions", "default_partition"])
            var own: Set<Int> = []
            for partition in try fields.required("partitions").list() {
                let index = try partitionIndex(partition, among: known)
                guard own.insert(index).inserted else {
                    throw partition.refusal(.duplicate(name: known[index], of: "partition"))
                }
            }
            let name = try fields.required("name").name()
            let cluster = Cluster(
                name: name,
                title: try fields["title"]?.text() ?? name,
                partitions: own.sorted(),
                defaultPartitionIndex: try fields["default_partition"].map {
                    field throws(FileRefusal) in try partitionIndex(field, among: known)
                } ?? own.min() ?? 0
            )
            trial.clusters.append(cluster)
            guard trial.clusters.count <= Cluster.countMaximum else {
                let most = Cluster.countMaximum
                throw field.refusal(.conflict("a centre has at most \(most) other clusters"))
            }
            if let problem = trial.clusterProblem {
                throw field.refusal(.conflict(problem))
            }
        }
        return trial.clusters
    }

    private func nodes(
        _ fields: YAMLMapping,
        _ draft: MachineDraft
    ) throws(FileRefusal) -> IDSet {
        let field = try fields.required("nodes")
        let indices = try nodeIndices(field, in: draft)
        guard !indices.isEmpty else {
            throw field.refusal(.conflict("a partition needs at least one node"))
        }
        let set = IDSet(indices)
        guard set.count == indices.count else {
            throw field.refusal(.conflict("names a node twice"))
        }
        return set
    }

    private func timeLimits(
        _ fields: YAMLMapping
    ) throws(FileRefusal) -> (usual: SimDuration?, maximum: SimDuration?) {
        guard let field = fields["time_limit"] else { return (nil, nil) }
        let limits = try field.mapping(["default", "maximum"])
        let maximum = try limits["maximum"]?.timeLimit() ?? nil
        guard let usualField = limits["default"] else { return (nil, maximum) }
        let usual = try usualField.timeLimit()
        if let maximum, usual.map({ $0 > maximum }) ?? true {
            throw usualField.refusal(.conflict("is longer than the maximum"))
        }
        return (usual, maximum)
    }

    private func nodesPerJob(
        _ fields: YAMLMapping,
        _ nodeCount: Int
    ) throws(FileRefusal) -> (minimum: Int32, maximum: Int32?) {
        guard let field = fields["nodes_per_job"] else { return (1, nil) }
        let sizes = try field.mapping(["minimum", "maximum"])
        let range = 1...Int64(nodeCount)
        let minimum = try sizes["minimum"]?.count(range) ?? 1
        guard let maximumField = sizes["maximum"] else { return (minimum, nil) }
        let maximum = try maximumField.count(range)
        guard minimum <= maximum else {
            throw maximumField.refusal(.conflict("is less than the minimum"))
        }
        return (minimum, maximum)
    }

    private func backend(
        _ fields: YAMLMapping,
        _ nodes: IDSet,
        _ draft: MachineDraft
    ) throws(FileRefusal) -> Partition.Backend {
        guard let field = fields["backend"] else { return .emulated }
        let backend = try field.choice(Partition.Backend.self)
        let isOnHost = nodes.allSatisfy {
            draft.nodeTypes[draft.nodes[$0].typeIndex].topology == .host
        }
        guard backend != .local || isOnHost else {
            throw field.refusal(.conflict("'local' needs nodes whose topology is 'host'"))
        }
        return backend
    }

    private func platform(
        _ fields: YAMLMapping,
        _ draft: MachineDraft
    ) throws(FileRefusal) -> String {
        let field = try fields.required("platform")
        let name = try field.name()
        let known = draft.platforms.map(\.name)
        guard known.contains(name) else {
            throw field.refusal(
                .unknownReference(
                    name: name,
                    to: "platform",
                    similar: similarNames(to: name, among: known)
                )
            )
        }
        return name
    }

    private func prices(_ field: YAMLField) throws(FileRefusal) -> HourlyPrices {
        let fields = try field.mapping(["core_hour", "card_hour", "node_hour"])
        return HourlyPrices(
            coreHourMicrofen: try fields["core_hour"]?.hourlyPrice().microFen ?? 0,
            cardHourMicrofen: try fields["card_hour"]?.hourlyPrice().microFen ?? 0,
            nodeHourMicrofen: try fields["node_hour"]?.hourlyPrice().microFen ?? 0
        )
    }

    private func quota(_ field: YAMLField) throws(FileRefusal) -> AccountQuota {
        let fields = try field.mapping(["running_jobs", "nodes", "cores"])
        let range: ClosedRange<Int64> = 1...Int64(Int32.max)
        return AccountQuota(
            runningJobs: try fields["running_jobs"]?.count(range),
            nodes: try fields["nodes"]?.count(range),
            cores: try fields["cores"]?.count(range)
        )
    }

    private func accountNames(_ field: YAMLField) throws(FileRefusal) -> [String] {
        try field.list().mapField { element throws(FileRefusal) in try element.name() }
    }

    /// Partitions over the same nodes must agree on how these are given out.
    private func checkNeighbours(
        of partition: Partition,
        _ field: YAMLField,
        _ draft: MachineDraft
    ) throws(FileRefusal) {
        for other in draft.partitions.map(\.value) where other.nodes.intersects(partition.nodes) {
            guard other.sharing == partition.sharing, other.backend == partition.backend else {
                throw field.refusal(
                    .conflict(
                        "shares nodes with partition \(other.name), "
                            + "so 'sharing' and 'backend' must be the same"
                    )
                )
            }
        }
    }
}
