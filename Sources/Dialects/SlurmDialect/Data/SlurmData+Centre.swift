public import WireFormats
import Quantities

extension SlurmData {
    /// The reservations of a list.
    public func reservations(_ list: ReservationList) -> JSONValue {
        answer { answer in
            answer.list("reservations", list.reservations.map(reservation))
            answer.time("last_update", nil)
        }
    }

    private func reservation(_ info: ReservationInfo) -> JSONValue {
        DataObject.made { reservation in
            reservation.text("accounts", info.accounts)
            reservation.integer("core_count", info.coreCount)
            reservation.time("end_time", info.end)
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
                ping.flag("responding", true)
                ping.integer("latency", 0)
                ping.text("mode", "primary")
                ping.flag("primary", true)
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

    /// The clusters that the accounts know: the one there is.
    public func clusters(_ status: CentreStatus) -> JSONValue {
        answer { answer in
            let only = DataObject.made { cluster in
                cluster.object("controller") { controller in
                    controller.text("host", "localhost")
                    controller.integer("port", 0)
                }
                cluster.words("flags", [])
                cluster.text("name", status.machine)
                cluster.text("nodes", "")
                cluster.text("select_plugin", "select/cons_tres")
                cluster.list("tres", [])
            }
            answer.list("clusters", [only])
        }
    }
}
