import Glibc
import IndexSets
import LocalClient
import SlurmDialect
import WireFormats

extension Yh {
    /// `scontrol show … --json`: what is described, as data; nil for what is no description.
    static func show(
        _ format: DataFormat,
        _ command: ControlCommand,
        _ name: String
    ) throws(CommandFailure) -> Int32? {
        var data = SlurmData(format.version, command: [name, "show"])
        func list<Answer: WireRecord>(_ target: String) throws(CommandFailure) -> Answer {
            try ask(name) { client throws(LocalClientFailure) in
                try client.get(target, as: Answer.self)
            }
        }
        let clusters = try command.scope(name)
        switch command.action {
        case .ping: return finish(format.output(data.ping(host: Host.hostName())))
        case .showJobs(let job):
            var jobs: JobList = try list(target(job, of: clusters))
            if let job {
                jobs.jobs.removeAll { !job.selects($0) }
                guard !jobs.jobs.isEmpty else {
                    throw CommandFailure(
                        lines: ["slurm_load_jobs error: \(SlurmError.invalidJobID.text)"],
                        exitCode: 1
                    )
                }
            }
            data.cluster = jobs.cluster
            return finish(format.output(data.jobs(jobs)))
        case .showNodes(let words):
            var nodes: NodeList = try list(target("/v1/nodes", of: clusters))
            if let words {
                guard let names = try? HostList.expand(words) else {
                    throw CommandFailure(lines: ["Invalid hostlist: \(words)"], exitCode: 1)
                }
                let known = Set(nodes.nodes.map(\.name))
                if let missing = names.first(where: { !known.contains($0) }) {
                    throw CommandFailure(lines: ["Node \(missing) not found"], exitCode: 1)
                }
                let wanted = Set(names)
                nodes.nodes.removeAll { !wanted.contains($0.name) }
            }
            data.cluster = nodes.cluster
            return finish(format.output(data.nodes(nodes)))
        case .showPartitions(let partition):
            var partitions: PartitionList = try list(target("/v1/partitions", of: clusters))
            if let partition {
                partitions.partitions.removeAll { $0.name != partition }
                guard !partitions.partitions.isEmpty else {
                    throw CommandFailure(lines: ["Partition \(partition) not found"], exitCode: 1)
                }
            }
            data.cluster = partitions.cluster
            return finish(format.output(data.partitions(partitions)))
        case .showReservations(let reservation):
            var reservations: ReservationList = try list("/v1/reservations")
            if let reservation {
                reservations.reservations.removeAll { $0.name != reservation }
                guard !reservations.reservations.isEmpty else {
                    throw CommandFailure(
                        lines: ["Reservation \(reservation) not found"],
                        exitCode: 1
                    )
                }
            }
            return finish(format.output(data.reservations(reservations)))
        case .showLicenses(let license):
            let status: CentreStatus = try list("/v1/status")
            data.cluster = status.machine
            return finish(format.output(data.licenses(status, named: license)))
        case .showConfiguration:
            let status: CentreStatus = try list("/v1/status")
            data.cluster = status.machine
            return finish(format.output(data.configuration(status, host: Host.hostName())))
        default: return nil
        }
    }
}
