public import WireFormats

/// Changes of nodes as Slurm's REST describes them (`update_node_msg`).
public enum NodeDescription {
    /// Reads a change.
    ///
    /// - Parameter name: the node in the path; nil for those that the body names.
    /// - Throws: `RestFailure`, with the member that is wrong or missing.
    public static func change(
        _ body: JSONValue,
        of name: String?
    ) throws(RestFailure) -> DataReading<NodeUpdateRequest> {
        var reading = DataReading(NodeUpdateRequest())
        try reading.read(body, members, "#")
        if let name {
            if !reading.request.nodes.isEmpty, reading.request.nodes != name {
                reading.warn("The field is ignored for the update of a single node", "#/name")
            }
            reading.request.nodes = name
        }
        guard !reading.request.nodes.isEmpty else {
            throw .query("Populated \"name\" field is required", "#/name")
        }
        guard reading.request.state != nil || reading.request.reason != nil else {
            throw .query("Nothing is changed: \"state\" or \"reason\" is required", "#")
        }
        do throws(JSONValue.Malformed) {
            try reading.request.checkForm()
        } catch {
            throw .parsing(error.problem, "#")
        }
        return reading
    }

    static let members: [DataMember<NodeUpdateRequest>] = [
        .names("name", always: \.nodes),
        .text("reason", \.reason),
        DataMember("state", .words) { request, value throws(JSONValue.Malformed) in
            let words = try value.texts()
            guard words.count <= 1 else { throw DataValue.expected("one state") }
            request.state = words.first
        },
        DataMember("address", .words), DataMember("comment", .text),
        DataMember("cpu_bind", .integer), DataMember("extra", .text),
        DataMember("features", .words), DataMember("features_act", .words),
        DataMember("gres", .text), DataMember("hostname", .words), DataMember("reason_uid", .text),
        DataMember("resume_after", .number), DataMember("topology_str", .text),
        DataMember("weight", .number),
    ]
}
