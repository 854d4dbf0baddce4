public import WireFormats
public import Quantities

extension SlurmData {
    /// The reservations of a list.
    ///
    /// - Parameter now: the centre's time; nil where nobody asked for it.
    public func reservations(_ list: ReservationList, now: SimInstant? = nil) -> JSONValue {
        answer { answer in
            answer.list("reservations", list.reservations.map(reservation))
            answer.time("last_update", now)
        }
    }

    /// Reservations that were made or changed.
    public func reserved(_ names: [String]) -> JSONValue {
        answer { answer in
            answer.list(
                "reservations",
                names.map { name in DataObject.made { $0.text("name", name) } }
            )
        }
    }

    private func reservation(_ info: ReservationInfo) -> JSONValue {
        DataObject.made { reservation in
            reservation.text("accounts", info.accounts)
            reservation.integer("core_count", info.coreCount)
            reservation.time("end_time", info.end)
            reservation.text("features", "")
            reservation.words("flags", SlurmDialect.list(info.flags))
            reservation.text("name", info.name)
            reservation.integer("node_count", info.nodeCount)
            reservation.text("node_list", info.nodeList)
            reservation.text("partition", info.partition)
            reservation.time("start_time", info.start)
            reservation.text("tres", "cpu=\(info.coreCount)")
            reservation.text("users", info.users)
        }
    }

    /// The licences of a centre, or the one of a name.
    public func licenses(_ status: CentreStatus, named name: String? = nil) -> JSONValue {
        let chosen = status.licenses.filter { entry in name.map { $0 == entry.name } ?? true }
        return answer { answer in
            answer.list(
                "licenses",
                chosen.map { info in
                    DataObject.made { license in
                        license.text("LicenseName", info.name)
                        license.integer("Total", info.total)
                        license.integer("Used", info.used)
                        license.integer("Free", info.total - info.used)
                        license.flag("Remote", false)
                        license.integer("Reserved", 0)
                        license.integer("LastConsumed", 0)
                        license.integer("LastDeficit", 0)
                        license.integer("LastUpdate", 0)
                        if version.has(.licenseNodes) { license.text("Nodes", "") }
                    }
                }
            )
            answer.time("last_update", status.now)
        }
    }

    /// Whether the centre answers.
    public func ping(host: String) -> JSONValue {
        answer { answer in
            let ping = DataObject.made { ping in
                ping.text("hostname", host)
                ping.text("pinged", "UP")
                if version.has(.pingFlags) { ping.flag("responding", true) }
                ping.integer("latency", 0)
                ping.text("mode", "primary")
                if version.has(.pingFlags) { ping.flag("primary", true) }
            }
            answer.list("pings", [ping])
        }
    }

    /// How busy a centre is. What a centre of ours does not count is left out.
    public func diagnostics(_ status: CentreStatus) -> JSONValue {
        answer { answer in
            answer.object("statistics") { counts in
                let submitted = Int64(status.nextJobID) - 1
                counts.time("req_time", status.now)
                counts.time("req_time_start", status.startedAt)
                counts.integer("schedule_queue_length", status.jobsPending)
                counts.integer("jobs_submitted", submitted)
                counts.integer("jobs_started", max(0, submitted - status.jobsPending))
                counts.integer("jobs_completed", status.jobsEnded)
                counts.integer("jobs_pending", status.jobsPending)
                counts.integer("jobs_running", status.jobsRunning)
                counts.time("job_states_ts", status.now)
            }
        }
    }

    /// The clusters that the accounts know.
    public func clusters(named names: [String]) -> JSONValue {
        answer { $0.list("clusters", names.map(clusterEntry)) }
    }

    func clusterEntry(_ name: String) -> JSONValue {
        DataObject.made { cluster in
            cluster.object("controller") { controller in
                controller.text("host", "127.0.0.1")
                controller.integer("port", 6_817)
            }
            cluster.words("flags", [])
            cluster.text("name", name)
            cluster.text("nodes", "")
            cluster.text("select_plugin", "select/cons_tres")
            cluster.object("associations") { associations in
                associations.object("root") { root in
                    root.text("account", "root")
                    root.text("cluster", name)
                    root.text("partition", "")
                    root.text("user", "")
                    root.integer("id", 1)
                }
            }
            cluster.integer("rpc_version", 9_728)
            cluster.list("tres", trackedResources)
        }
    }

    /// Whether the accounts answer.
    public func accountsPing(host: String) -> JSONValue {
        answer { answer in
            let ping = DataObject.made { ping in
                ping.text("hostname", host)
                ping.flag("responding", true)
                ping.integer("latency", 0)
                ping.flag("primary", true)
            }
            answer.list("pings", [ping])
        }
    }

    /// How busy the accounts are. What a centre of ours does not count is 0.
    public func accountsDiagnostics(_ status: CentreStatus) -> JSONValue {
        answer { answer in
            answer.object("statistics") { counts in
                counts.integer("time_start", status.startedAt.seconds)
                counts.object("rollups") { rollups in
                    for span in ["hourly", "daily", "monthly"] {
                        rollups.object(span) { rollup in
                            rollup.integer("count", 0)
                            rollup.integer("last_run", 0)
                            rollup.object("duration") { duration in
                                for name in ["last", "max", "time"] { duration.integer(name, 0) }
                            }
                        }
                    }
                }
                counts.list("RPCs", [])
                counts.list("users", [])
            }
        }
    }

    /// The members of Slurm's configuration that a centre has: `scontrol show config` as data.
    public func configuration(_ status: CentreStatus, host: String) -> JSONValue {
        answer { answer in
            answer.object("configuration") { configuration in
                for (name, value) in ControlCommand.configurationMembers(status, host: host) {
                    configuration.text(name, value)
                }
            }
            answer.time("last_update", status.now)
        }
    }
}
