public import WireFormats

/// Qualities of service as Slurm's REST describes them when they are to be made or changed.
///
/// They become edits in the words of `sacctmgr`, with whose checks they are made. Source: Slurm's `QOS` of
/// data_parser v0.0.41 to v0.0.44.
public enum QualityDescription {
    /// Reads `{"qos": [{"name": …}]}`.
    ///
    /// - Parameter known: the qualities of service that there are: those are changed, others are made.
    /// - Throws: `RestFailure`, with the member that is wrong or missing.
    public static func edits(
        _ body: JSONValue,
        known: PeopleList
    ) throws(RestFailure) -> DataReading<[PeopleEdit]> {
        guard let values = body["qos"]?.array else {
            throw .query("Populated \"qos\" field is required", "#/qos")
        }
        guard values.count <= PeopleDescription.entriesMaximum else {
            let text = "More than \(PeopleDescription.entriesMaximum) qos in one request"
            throw .query(text, "#/qos")
        }
        var names = Set(known.qos.map(\.name))
        var edits: [PeopleEdit] = []
        var warnings: [RestWarning] = []
        for (index, value) in values.enumerated() {
            var reading = DataReading(Quality())
            reading.warnings = warnings
            let source = "#/qos/\(index)"
            try reading.read(value, members, source)
            reading.warn(reading.request.warnings, below: source)
            warnings = reading.warnings
            var name = reading.request.name
            if name.isEmpty, let id = reading.request.id {
                name = known.qos.first { Int64($0.id) == id }?.name ?? ""
            }
            guard !name.isEmpty else { throw .query("The name is missing", "\(source)/name") }
            // Two of ours are one in the data model: what says so again changes nothing.
            let mode = known.qos.first { $0.name == name }?.preemptMode ?? "cluster"
            if reading.request.isPreemptionDisabled, mode != "off", mode != "cluster" {
                reading.request.set("PreemptMode", "cluster")
            }
            let verb = names.insert(name).inserted ? PeopleEdit.Verb.add : .modify
            edits.append(PeopleDescription.edit(verb, "qos", [name], reading.request.settings))
        }
        return try PeopleDescription.checked(edits, warnings)
    }

    /// What is read of one.
    struct Quality: Sendable {
        var name = ""
        var id: Int64?
        var settings: [NamedLimit] = []
        var isPreemptionDisabled = false
        /// Members below its own that have no effect.
        var warnings: [RestWarning] = []

        mutating func set(_ name: String, _ value: String?) {
            if let value { settings.append(NamedLimit(name: name, value: value)) }
        }
    }

    static let members: [DataMember<Quality>] = [
        .text("name", always: \.name),
        DataMember("id", .integer) { qos, value throws(JSONValue.Malformed) in
            qos.id = try value.integer(0...Int64(UInt32.max))
        },
        DataMember("flags", .words) { qos, value throws(JSONValue.Malformed) in
            qos.set("Flags", try flags(value))
        },
        DataMember("limits", .object) { qos, value throws(JSONValue.Malformed) in
            try readLimits(value.json, into: &qos)
        },
        DataMember("preempt", .object) { qos, value throws(JSONValue.Malformed) in
            try readPreemption(value.json, into: &qos)
        },
        DataMember("priority", .number) { qos, value throws(JSONValue.Malformed) in
            qos.set("Priority", try value.integer(0...Int64(Int32.max)).map { "\($0)" })
        },
        DataMember("usage_factor", .number) { qos, value throws(JSONValue.Malformed) in
            qos.set("UsageFactor", try ratio(value))
        },
        DataMember("description", .text), DataMember("usage_threshold", .number),
    ]

    /// `ADD` and `REMOVE` say what becomes of the flags beside them; without these they take the place of all.
    private static func flags(_ value: DataValue) throws(JSONValue.Malformed) -> String? {
        var words = try value.texts().map { $0.uppercased() }
        guard words != ["NOT_SET"] else { return nil }
        let isAdding = words.contains("ADD")
        let isRemoving = words.contains("REMOVE")
        guard !isAdding || !isRemoving else {
            throw DataValue.expected("either \"ADD\" or \"REMOVE\"")
        }
        words.removeAll { ["ADD", "REMOVE", "NOT_SET"].contains($0) }
        let names = try words.map { word throws(JSONValue.Malformed) in
            guard let flag = SlurmData.qosFlags.first(where: { $0.value == word }) else {
                throw DataValue.expected(
                    "one of \(SlurmData.qosFlags.values.sorted().joined(separator: ", "))"
                )
            }
            return flag.key
        }
        if names.isEmpty { return isAdding || isRemoving ? nil : "-1" }
        return (isAdding ? "+" : isRemoving ? "-" : "") + names.joined(separator: ",")
    }

    private static func readLimits(
        _ json: JSONValue,
        into qos: inout Quality
    ) throws(JSONValue.Malformed) {
        guard json.members != nil else { throw DataValue.expected("an object") }
        if let grace = json["grace_time"] {
            qos.set(
                "GraceTime",
                try DataValue(json: grace).integer(0...Int64(Int32.max)).map { "\($0)" }
            )
        }
        for limit in LimitPlace.all {
            guard let path = limit.qos,
                let value = path.dropFirst().reduce(Optional(json), { $0?[$1] })
            else { continue }
            do throws(JSONValue.Malformed) {
                if let setting = try limit.setting(value) { qos.settings.append(setting) }
            } catch {
                let place = path.dropFirst().joined(separator: "/")
                throw JSONValue.Malformed(line: 0, problem: "\(place): \(error.problem)")
            }
        }
        // What Slurm counts and nobody here does.
        for path in [
            ["factor"], ["min", "priority_threshold"], ["max", "accruing", "per", "user"],
        ] {
            guard let value = path.reduce(Optional(json), { $0?[$1] }), isSet(value) else {
                continue
            }
            let place = "/limits/" + path.joined(separator: "/")
            qos.warnings.append(RestWarning("The field has no effect here", place))
        }
    }

    private static func readPreemption(
        _ json: JSONValue,
        into qos: inout Quality
    ) throws(JSONValue.Malformed) {
        guard json.members != nil else { throw DataValue.expected("an object") }
        if let names = json["list"], names != .null {
            let names = try DataValue(json: names).names()
            qos.set("Preempt", names.isEmpty ? "-1" : names)
        }
        if let words = json["mode"] {
            let modes = try DataValue(json: words).texts().map { $0.lowercased() }
            // Gang is what suspending is done with.
            if let mode = modes.first(where: { $0 != "gang" }) {
                qos.isPreemptionDisabled = mode == "disabled"
                if mode != "disabled" { qos.set("PreemptMode", mode) }
            }
        }
        if let time = json["exempt_time"] {
            let seconds = DataValue(json: time)
            if case .of = try seconds.number() {
                qos.set(
                    "PreemptExemptTime",
                    try seconds.integer(0...Int64(Int32.max)).map { "\($0)" }
                )
            }
        }
    }

    /// Whether a number is more than a place for one.
    private static func isSet(_ json: JSONValue) -> Bool {
        guard json.members != nil else { return json != .null }
        return json["infinite"]?.bool != true && json["set"]?.bool ?? (json["number"] != nil)
    }

    /// A number with decimals; nil where none is set.
    private static func ratio(_ value: DataValue) throws(JSONValue.Malformed) -> String? {
        guard isSet(value.json) else { return nil }
        let json = value.json["number"] ?? value.json
        if let text = json.string, !text.isEmpty { return text }
        guard let number = json.double else { throw DataValue.expected("a number") }
        return "\(number)"
    }
}
