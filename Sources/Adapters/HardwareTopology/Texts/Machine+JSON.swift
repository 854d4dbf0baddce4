import Accounts
public import ClusterModel
import IndexSets
import Quantities
public import WireFormats

extension Machine {
    /// The machine for programs. Sizes in bytes, rates in flop/s and byte/s, times in seconds,
    /// prices in µfen an hour; null means unknown or unlimited.
    public var json: JSONValue {
        [
            "name": .string(name),
            "title": .string(title),
            "description": .string(description),
            "totals": json(of: totals),
            "systems": .array(systems.map(json(of:))),
            "node_types": .array(nodeTypes.map(\.json)),
            "partitions": .array(partitions.map(json(of:))),
            "default_partition": .string(defaultPartition.name),
            "clusters": .array(
                allClusters.map { cluster in
                    let names = cluster.partitions.map { partitions[$0].name }
                    return [
                        "name": .string(cluster.name), "title": .string(cluster.title),
                        "partitions": .array(names.map { .string($0) }),
                        "default_partition": .string(
                            partitions[cluster.defaultPartitionIndex].name
                        ),
                    ]
                }
            ),
            "racks": .array(
                racks.map {
                    [
                        "name": .string($0.name), "nodes": .string(hostList(of: $0.nodes)),
                        "node_count": .integer(Int64($0.nodes.count)),
                    ]
                }
            ),
            "switches": .array(
                switches.map {
                    [
                        "name": .string($0.name), "level": .integer(Int64($0.level)),
                        "parent": $0.parentIndex.map { .string(switches[$0].name) } ?? .null,
                        "nodes": .string(hostList(of: $0.nodes)),
                        "node_count": .integer(Int64($0.nodes.count)),
                    ]
                }
            ),
            "platforms": .array(
                platforms.map {
                    [
                        "name": .string($0.name), "title": .string($0.title),
                        "key": .bool($0.isKey),
                    ]
                }
            ),
        ]
    }

    private func json(of totals: MachineTotals) -> JSONValue {
        [
            "nodes": .integer(Int64(totals.nodeCount)),
            "cores": .integer(totals.coreCount),
            "memory_bytes": .integer(totals.memory.count),
            "accelerators": .integer(totals.acceleratorCount),
            "peak_flops": .integer(totals.peak.flopsPerSecond),
            "nodes_without_peak": .integer(Int64(totals.nodesWithoutPeakCount)),
        ]
    }

    private func json(of system: ComputeSystem) -> JSONValue {
        [
            "name": .string(system.name),
            "title": .string(system.title),
            "nodes": .string(hostList(of: system.nodes)),
            "totals": json(of: totals(of: system.nodes)),
            "published": [
                "peak_flops": optional(system.published.peak?.flopsPerSecond),
                "linpack_flops": optional(system.published.linpack?.flopsPerSecond),
                "memory_bytes": optional(system.published.memory?.count),
                "power_watts": optional(system.published.powerWatts),
                "peak_note": system.published.peakNote.map { .string($0) } ?? .null,
            ],
            "network": system.network.map { network in
                [
                    "name": .string(network.name), "shape": .string(network.shape),
                    "link_bytes_per_second": optional(network.linkBandwidth?.bytesPerSecond),
                    "latency_ns": optional(network.latencyNanoseconds),
                ]
            } ?? .null,
            "facts": .array(system.facts.map(\.json)),
        ]
    }

    private func json(of partition: Partition) -> JSONValue {
        [
            "name": .string(partition.name),
            "title": .string(partition.title),
            "nodes": .string(hostList(of: partition.nodes)),
            "totals": json(of: totals(of: partition.nodes)),
            "sharing": .string(partition.sharing.rawValue),
            "state": .string(partition.state.rawValue),
            "backend": .string(partition.backend.rawValue),
            "maximum_time_seconds": optional(partition.maximumTimeLimit?.seconds),
            "default_time_seconds": optional(partition.defaultTimeLimit?.seconds),
            "minimum_nodes": .integer(Int64(partition.minimumNodesPerJob)),
            "maximum_nodes": optional(partition.maximumNodesPerJob.map(Int64.init)),
            "platform": .string(partition.platform),
            "prices_microfen_per_hour": [
                "core": .integer(partition.prices.coreHourMicrofen),
                "card": .integer(partition.prices.cardHourMicrofen),
                "node": .integer(partition.prices.nodeHourMicrofen),
            ],
            "quota_per_account": [
                "running_jobs": optional(partition.quota.runningJobs.map(Int64.init)),
                "nodes": optional(partition.quota.nodes.map(Int64.init)),
                "cores": optional(partition.quota.cores.map(Int64.init)),
            ],
            "facts": .array(partition.facts.map(\.json)),
        ]
    }
}

extension NodeType {
    /// The node type without its structure, for programs.
    public var json: JSONValue {
        [
            "name": .string(name),
            "title": .string(title),
            "processor": .string(processor.model),
            "clock_hertz": optional(processor.clock?.hertz),
            "vector_clock_hertz": optional(processor.vectorClock?.hertz),
            "flops_per_cycle": optional(processor.flopsPerCycle.map(Int64.init)),
            "cores": .integer(Int64(capacity.cores)),
            "memory_bytes": .integer(capacity.memory.count),
            "memory_bytes_per_second": optional(memoryBandwidth?.bytesPerSecond),
            "power_watts": optional(powerWatts.map(Int64.init)),
            "peak_flops": optional(peak?.flopsPerSecond),
            "accelerators": .array(accelerators.map(\.json)),
            "features": .array(features.map { .string($0) }),
            "facts": .array(facts.map(\.json)),
        ]
    }
}

extension Accelerator {
    fileprivate var json: JSONValue {
        [
            "kind": .string(kind),
            "model": .string(model),
            "count": .integer(Int64(count)),
            "peak_flops": optional(peak?.flopsPerSecond),
            "memory_bytes": optional(memory?.count),
            "memory_bytes_per_second": optional(memoryBandwidth?.bytesPerSecond),
            "shares_memory": .bool(sharesMemory),
            "power_watts": optional(powerWatts.map(Int64.init)),
        ]
    }
}

extension Fact {
    fileprivate var json: JSONValue {
        [
            "field": .string(field),
            "value": .string(value),
            "evidence": .string(evidence.rawValue),
            "source": .string(source),
            "alternative": alternative.map { .string($0) } ?? .null,
        ]
    }
}

private func optional(_ number: Int64?) -> JSONValue {
    number.map { .integer($0) } ?? .null
}
