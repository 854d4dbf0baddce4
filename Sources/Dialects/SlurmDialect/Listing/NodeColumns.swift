import IndexSets
import Quantities
import WireFormats

/// A line of `sinfo`: some nodes of a partition that are alike in all that is shown.
struct NodeRow {
    var partition: PartitionInfo
    /// The nodes; those of a group are alike in all but their names.
    var groups: [NodeGroup]
    var calendar: CentreCalendar

    var nodeCount: Int { groups.reduce(0) { $0 + $1.names.count } }
    var names: [String] { groups.count == 1 ? groups[0].names : groups.flatMap(\.names) }

    /// What a node says, or what stands there when the row has none.
    func first(_ text: (NodeInfo) -> String, otherwise: String = "n/a") -> String {
        groups.first?.first.map(text) ?? otherwise
    }

    /// The numbers of nodes that are in use, idle, and out.
    var nodeUse: (allocated: Int, idle: Int, other: Int) {
        var use = (allocated: 0, idle: 0, other: 0)
        for group in groups {
            if group.node.isInUse {
                use.allocated += group.names.count
            } else if group.node.isOut {
                use.other += group.names.count
            } else {
                use.idle += group.names.count
            }
        }
        return use
    }

    /// `8/120/0/128`.
    var coreUseText: String {
        var use: (Int64, Int64, Int64) = (0, 0, 0)
        for group in groups {
            let (one, count) = (group.node.coreUse, Int64(group.names.count))
            use = (
                use.0 + one.allocated * count, use.1 + one.idle * count, use.2 + one.other * count
            )
        }
        return "\(use.0)/\(use.1)/\(use.2)/\(use.0 + use.1 + use.2)"
    }

    var timestamp: String {
        first(
            { node in node.reasonTime.map { calendar.text($0) } ?? "Unknown" },
            otherwise: "Unknown"
        )
    }
}

/// The columns of `sinfo`.
///
/// Source: sinfo(1) of Slurm 22.05.
enum NodeColumns {
    /// Letters that add nodes up; nodes are told apart by all others.
    static let adding: Set<String> = ["A", "C", "D", "F", "N"]
    /// Letters that tell each node from all others.
    static let naming: Set<String> = ["n", "o"]

    /// By the letter of `-o`.
    static let byLetter: [String: Column<NodeRow>] = [
        "A": Column("NODES(A/I)") { "\($0.nodeUse.allocated)/\($0.nodeUse.idle)" },
        "a": Column("AVAIL") { row in
            row.partition.state == "INACTIVE" ? "inact" : row.partition.state.lowercased()
        },
        "B": Column("MAX_CPUS_PER_NODE") { _ in "UNLIMITED" },
        "b": Column("ACTIVE_FEATURES") { $0.first { $0.features ?? "(null)" } },
        "C": Column("CPUS(A/I/O/T)") { $0.coreUseText },
        "c": Column("CPUS") { $0.first { "\($0.cores)" } },
        "D": Column("NODES") { "\($0.nodeCount)" },
        "d": Column("TMP_DISK") { $0.first { _ in "0" } },
        "E": Column("REASON") { $0.first({ $0.reason ?? "none" }, otherwise: "none") },
        "e": Column("FREE_MEM") {
            $0.first { "\($0.memory.mebibytes - $0.memoryHeld.mebibytes)" }
        },
        "F": Column("NODES(A/I/O/T)") { row in
            let use = row.nodeUse
            return "\(use.allocated)/\(use.idle)/\(use.other)/\(row.nodeCount)"
        },
        "f": Column("AVAIL_FEATURES") { $0.first { $0.features ?? "(null)" } },
        "G": Column("GRES") { $0.first { $0.gres ?? "(null)" } },
        "g": Column("GROUPS") { _ in "all" },
        "H": Column("TIMESTAMP") { $0.timestamp },
        "h": Column("OVERSUBSCRIBE") { $0.partition.isExclusive ? "EXCLUSIVE" : "NO" },
        "I": Column("PRIO_JOB_FACTOR") { _ in "1" },
        "i": Column("RESERVATION") { _ in "" },
        "L": Column("DEFAULTTIME") { row in
            row.partition.defaultTime.map { SlurmTime.brief($0) } ?? "n/a"
        },
        "l": Column("TIMELIMIT") { row in
            row.partition.maximumTime.map { SlurmTime.brief($0) } ?? "infinite"
        },
        "M": Column("PREEMPT_MODE") { $0.partition.preemptMode },
        "m": Column("MEMORY") { $0.first { "\($0.memory.mebibytes)" } },
        "N": Column("NODELIST") { HostList.compress($0.names) },
        "n": Column("HOSTNAMES") { $0.first { $0.hostName ?? $0.name } },
        "O": Column("CPU_LOAD") { $0.first { "\($0.hostLoad ?? $0.coresHeld).00" } },
        "o": Column("NODE_ADDR") { $0.first { $0.address ?? $0.hostName ?? $0.name } },
        "P": Column("PARTITION") { $0.partition.name + ($0.partition.isDefault ? "*" : "") },
        "p": Column("PRIO_TIER") { "\($0.partition.priorityTier)" },
        "R": Column("PARTITION") { $0.partition.name },
        "r": Column("ROOT") { _ in "no" },
        "S": Column("ALLOCNODES") { _ in "all" },
        "s": Column("JOB_SIZE") { row in
            let most = row.partition.maximumNodes.map { "\($0)" } ?? "infinite"
            return "\(max(1, row.partition.minimumNodes))-\(most)"
        },
        "T": Column("STATE") { $0.first { $0.longState } },
        "t": Column("STATE") { $0.first { $0.compactState } },
        "U": Column("USER") { row in
            row.first(
                { node in
                    guard let user = node.reasonUser else { return "Unknown" }
                    return node.reasonUserID.map { "\(user)(\($0))" } ?? user
                },
                otherwise: "Unknown"
            )
        },
        "u": Column("USER") { $0.first({ $0.reasonUser ?? "Unknown" }, otherwise: "Unknown") },
        "V": Column("CLUSTER") { _ in "N/A" },
        "v": Column("VERSION") { $0.first { _ in slurmVersion } },
        "w": Column("WEIGHT") { $0.first { "\($0.weight)" } },
        "X": Column("SOCKETS") { $0.first { "\($0.sockets)" } },
        "Y": Column("CORES") { $0.first { "\($0.coresPerSocket)" } },
        "Z": Column("THREADS") { $0.first { "\($0.threadsPerCore)" } },
        "z": Column("S:C:T") {
            $0.first { "\($0.sockets):\($0.coresPerSocket):\($0.threadsPerCore)" }
        },
        // Names of -O that have no letter.
        "allocmem": Column("ALLOCMEM") { $0.first { "\($0.memoryHeld.mebibytes)" } },
        "allocnodes": Column("ALLOCNODES") { _ in "all" },
        "cluster": Column("CLUSTER") { _ in "N/A" },
        "comment": Column("COMMENT") { $0.first { _ in "(null)" } },
        "extra": Column("EXTRA") { $0.first { _ in "(null)" } },
        "gresused": Column("GRES_USED") { $0.first { $0.gresUsed } },
        "port": Column("PORT") { $0.first { _ in "6818" } },
    ]

    /// What `%all` stands for: every letter, as sinfo(1) puts them.
    static let allFormat =
        "%a|%b|%c|%d|%e|%f|%g|%h|%l|%m|%n|%o|%p|%r|%s|%t|%u|%v|%w|%z|%A |%B |%C |%D |%E |%F |%G |"
        + "%H |%I |%L |%M |%N |%O |%P |%R |%S |%T |%U |%V |%X |%Y |%Z "

    /// The letters of the names of `-O`.
    static let letterOfName = [
        "available": "a", "cores": "Y", "cpus": "c", "cpusload": "O", "cpusstate": "C",
        "defaulttime": "L", "disk": "d", "features": "f", "features_act": "b", "freemem": "e",
        "gres": "G", "groups": "g", "maxcpuspernode": "B", "memory": "m", "nodeaddr": "o",
        "nodeai": "A", "nodeaiot": "F", "nodehost": "n", "nodelist": "N", "nodes": "D",
        "oversubscribe": "h", "partition": "P", "partitionname": "R", "preemptmode": "M",
        "priorityjobfactor": "I", "prioritytier": "p", "reason": "E", "root": "r", "size": "s",
        "socketcorethread": "z", "sockets": "X", "statecompact": "t", "statelong": "T",
        "threads": "Z", "time": "l", "timestamp": "H", "user": "u", "userlong": "U",
        "version": "v", "weight": "w",
    ]
}
