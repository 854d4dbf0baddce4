import Quantities
import WireFormats

/// What Prometheus reads: its text format, version 0.0.4. Names that begin with `slurm_` are those of
/// the usual exporters of Slurm, so that their dashboards work; the others are ours.
struct Metrics {
    private(set) var text = ""

    init(_ status: CentreStatus, _ census: CentreCensus) {
        add(census.nodes, status)
        add(census.jobs)
        gauge("slurm_cpus_total", "Cores of the machine.", status.cores)
        gauge("slurm_cpus_alloc", "Cores held by jobs.", status.coresHeld)
        gauge("slurm_cpus_idle", "Cores held by nobody.", status.cores - status.coresHeld)
        counter("xinghe_jobs_ended_total", "Jobs that have ended.", status.jobsEnded)
        counter("xinghe_journal_inputs_total", "Inputs in the journal.", status.journalLength)
        gauge(
            "xinghe_clock_seconds",
            "The centre's time, in seconds since 1970.",
            status.now.microseconds / 1_000_000
        )
        gauge(
            "xinghe_budgets_alarmed",
            "Budgets of accounts that are near their end or used up.",
            status.budgetsAlarmed
        )
        head("xinghe_info", "gauge", "What runs here.")
        sample(
            "xinghe_info",
            [("version", status.version), ("machine", status.machine), ("time", status.timeMode)],
            1
        )
    }

    private mutating func add(_ nodes: [NodeCount], _ status: CentreStatus) {
        gauge("slurm_nodes_total", "Nodes of the machine.", Int64(status.nodes))
        head("xinghe_nodes", "gauge", "Nodes by what they do.")
        for row in nodes { sample("xinghe_nodes", [("state", row.use.slurmName)], row.count) }
        let names: [(NodeUse, String)] = [
            (.idle, "idle"), (.mixed, "mix"), (.allocated, "alloc"), (.reserved, "resv"),
            (.maintenance, "maint"), (.down, "down"),
        ]
        for (use, name) in names {
            let count = nodes.first { $0.use == use }?.count ?? 0
            gauge("slurm_nodes_\(name)", "Nodes that are \(use.slurmName).", count)
        }
        let drained = nodes.filter { $0.use == .drained || $0.use == .draining }
        gauge(
            "slurm_nodes_drain",
            "Nodes that take no jobs.",
            drained.reduce(0) { $0 + $1.count }
        )
    }

    /// What jobs of one account, user or partition come to.
    private struct Sums {
        var jobsPending: Int64 = 0
        var jobsRunning: Int64 = 0
        var coresPending: Int64 = 0
        var coresHeld: Int64 = 0

        mutating func add(_ row: CensusRow) {
            if row.state == "PENDING" {
                jobsPending += row.jobs
                coresPending += row.cores
            } else {
                jobsRunning += row.jobs
                coresHeld += row.cores
            }
        }
    }

    private mutating func add(_ rows: [CensusRow]) {
        let states = [
            ("pending", "PENDING"), ("running", "RUNNING"), ("suspended", "SUSPENDED"),
            ("completing", "COMPLETING"),
        ]
        for (name, state) in states {
            let count = rows.reduce(0) { $1.state == state ? $0 + $1.jobs : $0 }
            gauge("slurm_queue_\(name)", "Jobs that are \(state).", count)
        }
        let groups: [(String, KeyPath<CensusRow, String>)] = [
            ("account", \.account), ("user", \.user), ("partition", \.partition),
        ]
        let series: [(String, String, KeyPath<Sums, Int64>)] = [
            ("jobs_pending", "Jobs that wait", \.jobsPending),
            ("jobs_running", "Jobs that have started", \.jobsRunning),
            ("cpus_pending", "Cores asked for", \.coresPending),
            ("cpus_running", "Cores held", \.coresHeld),
        ]
        for (group, label) in groups {
            var sums: [String: Sums] = [:]
            for row in rows { sums[row[keyPath: label], default: Sums()].add(row) }
            let inOrder = sums.sorted { $0.key < $1.key }
            for (word, help, value) in series {
                let name = "slurm_\(group)_\(word)"
                head(name, "gauge", "\(help), by \(group).")
                for (own, sum) in inOrder { sample(name, [(group, own)], sum[keyPath: value]) }
            }
        }
    }

    private mutating func gauge(_ name: String, _ help: String, _ value: Int64) {
        head(name, "gauge", help)
        sample(name, [], value)
    }

    private mutating func counter(_ name: String, _ help: String, _ value: Int64) {
        head(name, "counter", help)
        sample(name, [], value)
    }

    private mutating func head(_ name: String, _ kind: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }

    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Int64) {
        let parts = labels.map { "\($0)=\"\(Self.escaped($1))\"" }
        let braces = parts.isEmpty ? "" : "{\(parts.joined(separator: ","))}"
        text += "\(name)\(braces) \(value)\n"
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, letter in
            switch letter {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.append(letter)
            }
        }
    }
}
