import Quantities
public import WireFormats

/// Reservations as Slurm's REST describes them (`reservation_desc_msg`).
public enum ReservationDescription {
    /// Reads a reservation that is to be made or changed.
    ///
    /// - Throws: `RestFailure`, with the member that is wrong.
    public static func reservation(
        _ body: JSONValue,
        at source: String = "#"
    ) throws(RestFailure) -> DataReading<ReservationRequest> {
        var reading = DataReading(ReservationRequest())
        try reading.read(body, members, source)
        do throws(JSONValue.Malformed) {
            try reading.request.checkForm()
        } catch {
            throw .parsing(error.problem, source)
        }
        return reading
    }

    private static func instant(_ value: DataValue) throws(JSONValue.Malformed) -> SimInstant? {
        try value.integer(0...253_402_300_799).map { SimInstant.epoch + SimDuration(seconds: $0) }
    }

    private static func names(_ value: DataValue) throws(JSONValue.Malformed) -> String {
        try value.texts().joined(separator: ",")
    }

    static let members: [DataMember<ReservationRequest>] = [
        DataMember("accounts", .words) { request, value throws(JSONValue.Malformed) in
            request.accounts = try names(value)
        },
        DataMember("core_count", .number) { request, value throws(JSONValue.Malformed) in
            request.coreCount = try value.integer(1...Int64(UInt32.max))
        },
        DataMember("duration", .number) { request, value throws(JSONValue.Malformed) in
            request.duration = try value.integer(1...52_560_000)
                .map { SimDuration(seconds: $0 * 60) }
        },
        DataMember("end_time", .number) { request, value throws(JSONValue.Malformed) in
            request.end = try instant(value)
        },
        DataMember("flags", .words) { request, value throws(JSONValue.Malformed) in
            request.flags = try names(value)
        },
        DataMember("name", .text) { request, value throws(JSONValue.Malformed) in
            request.name = try value.text()
        },
        DataMember("node_count", .number) { request, value throws(JSONValue.Malformed) in
            request.nodeCount = try value.integer(1...Int64(Int32.max)).map { Int32($0) }
        },
        DataMember("node_list", .words) { request, value throws(JSONValue.Malformed) in
            request.nodes = try names(value)
        },
        DataMember("partition", .text) { request, value throws(JSONValue.Malformed) in
            request.partition = try value.text()
        },
        DataMember("purge_completed", .object) { request, value throws(JSONValue.Malformed) in
            guard let time = value.json["time"] else { return }
            request.idleMaximum = try DataValue(json: time).integer(0...31_536_000)
                .map { SimDuration(seconds: $0) }
        },
        DataMember("start_time", .number) { request, value throws(JSONValue.Malformed) in
            request.start = try instant(value)
        },
        DataMember("users", .words) { request, value throws(JSONValue.Malformed) in
            request.users = try names(value)
        },
        DataMember("burst_buffer", .text), DataMember("comment", .text),
        DataMember("features", .text), DataMember("groups", .words), DataMember("licenses", .words),
        DataMember("max_start_delay", .number), DataMember("tres", .list),
    ]
}
