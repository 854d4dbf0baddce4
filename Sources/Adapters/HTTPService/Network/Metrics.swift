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

    private mutating func add(_ rows: [CensusRow]) {
        func sum(_ wanted: (CensusRow) -> Bool, _ value: KeyPath<CensusRow, Int64>) -> Int64 {
            rows.reduce(0) { wanted($1) ? $0 + $1[keyPath: value] : $0 }
        }
        let isPending = { (row: CensusRow) in row.state == "PENDING" }
        let states = [
            ("pending", "PENDING"), ("running", "RUNNING"), ("suspended", "SUSPENDED"),
            ("completing", "COMPLETING"),
        ]
        for (name, state) in states {
            let count = sum({ $0.state == state }, \.jobs)
            gauge("slurm_queue_\(name)", "Jobs that are \(state).", count)
        }
        let groups: [(String, KeyPath<CensusRow, String>)] = [
            ("account", \.account), ("user", \.user), ("partition", \.partition),
        ]
        for (group, label) in groups {
            let names = Set(rows.map { $0[keyPath: label] }).sorted()
            let series: [(String, String, (CensusRow) -> Bool, KeyPath<CensusRow, Int64>)] = [
                ("jobs_pending", "Jobs that wait", isPending, \.jobs),
                ("jobs_running", "Jobs that run", { !isPending($0) }, \.jobs),
                ("cpus_running", "Cores held", { !isPending($0) }, \.cores),
                ("cpus_pending", "Cores asked for", isPending, \.cores),
            ]
            for (word, help, wanted, value) in series {
                let name = "slurm_\(group)_\(word)"
                head(name, "gauge", "\(help), by \(group).")
                for own in names {
                    let count = sum({ $0[keyPath: label] == own && wanted($0) }, value)
                    sample(name, [(group, own)], count)
                }
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
