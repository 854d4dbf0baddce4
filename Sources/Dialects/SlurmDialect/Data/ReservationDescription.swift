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

    static let members: [DataMember<ReservationRequest>] = [
        .names("accounts", \.accounts),
        DataMember("core_count", .number) { request, value throws(JSONValue.Malformed) in
            request.coreCount = try value.integer(1...Int64(UInt32.max))
        },
        DataMember("duration", .number) { request, value throws(JSONValue.Malformed) in
            request.duration = try value.integer(1...52_560_000)
                .map { SimDuration(seconds: $0 * 60) }
        },
        .read("end_time", .number, \.end, instant),
        .names("flags", \.flags),
        .text("name", \.name),
        .count("node_count", \.nodeCount, .number),
        .names("node_list", \.nodes),
        .text("partition", \.partition),
        DataMember("purge_completed", .object) { request, value throws(JSONValue.Malformed) in
            guard let time = value.json["time"] else { return }
            request.idleMaximum = try DataValue(json: time).integer(0...31_536_000)
                .map { SimDuration(seconds: $0) }
        },
        .read("start_time", .number, \.start, instant),
        .names("users", \.users),
        DataMember("burst_buffer", .text), DataMember("comment", .text),
        DataMember("features", .text), DataMember("groups", .words), DataMember("licenses", .words),
        DataMember("max_start_delay", .number), DataMember("tres", .list),
    ]
}
