import Quantities
import WireFormats

/// What Slurm counts, by its numbers.
///
/// Source: Slurm's accounting, `slurm/slurmdb.h`; 1,001 is the first number of generic resources.
struct TrackedResource: Hashable, Sendable {
    let id: Int64
    let type: String
    let name: String

    private init(_ id: Int64, _ type: String, _ name: String = "") {
        self.id = id
        self.type = type
        self.name = name
    }

    static let all: [TrackedResource] = [
        TrackedResource(1, "cpu"), TrackedResource(2, "mem"), TrackedResource(3, "energy"),
        TrackedResource(4, "node"), TrackedResource(5, "billing"), TrackedResource(6, "fs", "disk"),
        TrackedResource(7, "vmem"), TrackedResource(8, "pages"),
        TrackedResource(1_001, "gres", "gpu"),
    ]

    /// As limits name it: `cpu`, `gres/gpu`.
    var text: String { name.isEmpty ? type : "\(type)/\(name)" }

    /// Whether limits may name it.
    private var isLimited: Bool {
        ["cpu", "mem", "node", "billing", "gres/gpu"].contains(text)
    }

    /// An amount of it, as the data model has it. Unit of memory: MiB.
    func amount(_ count: Int64) -> JSONValue {
        DataObject.made { resource in
            resource.text("type", type)
            resource.text("name", name)
            resource.integer("id", id)
            resource.integer("count", count)
        }
    }

    /// The amounts in a limit: `cpu=8,mem=16G`.
    static func amounts(_ text: String) -> [JSONValue] {
        list(text).compactMap { word in
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let kind = all.first(where: { $0.text == parts[0] }) else {
                return nil
            }
            let memory = kind.type == "mem" ? OptionValues.memory(parts[1])?.mebibytes : nil
            return (memory ?? Int64(parts[1])).map(kind.amount)
        }
    }

    /// The limit that a list of amounts says; nil for an empty list.
    ///
    /// - Throws: `JSONValue.Malformed` for what is no such list.
    static func limit(_ json: JSONValue) throws(JSONValue.Malformed) -> String? {
        guard let values = json.array else { throw DataValue.expected("a list of resources") }
        var words: [String] = []
        guard values.count <= 2 * all.count else {
            throw DataValue.expected("each resource once")
        }
        for value in values {
            let name = value["name"]?.string ?? ""
            let type = value["type"]?.string ?? ""
            guard
                let kind = all.first(where: { $0.type == type && (name.isEmpty || $0.name == name) }
                )
            else { throw DataValue.expected("a resource that is counted") }
            let count = value["count"] ?? .null
            guard let count = try DataValue(json: count).integer(-1...Int64.max) else { continue }
            // Whoever takes all limits away takes those too that there cannot be.
            if count == -1, !kind.isLimited { continue }
            words.append("\(kind.text)=\(count)")
        }
        return words.isEmpty ? nil : words.joined(separator: ",")
    }
}

/// Where a limit stands in Slurm's data model: of an association, of a quality of service, and among what is set
/// of new ones.
struct LimitPlace: Sendable {
    enum Form: Sendable {
        case count, minutes, resources

        var dataForm: DataForm { self == .resources ? .list : .number }
    }

    /// The name that `sacctmgr` gives it.
    let name: String
    let form: Form
    let association: [String]?
    let qos: [String]?
    /// The member of `assoc_rec_set`.
    let member: String?

    private init(
        _ name: String,
        _ form: Form,
        association: String? = nil,
        qos: String? = nil,
        member: String? = nil
    ) {
        self.name = name
        self.form = form
        self.association = association.map { $0.split(separator: "/").map(String.init) }
        self.qos = qos.map { $0.split(separator: "/").map(String.init) }
        self.member = member
    }

    /// Source: Slurm, `parsers.c` of data_parser v0.0.41 to v0.0.44, `ASSOC`, `QOS` and `ASSOC_REC_SET`.
    static let all: [LimitPlace] = [
        LimitPlace(
            "GrpJobs",
            .count,
            association: "max/jobs/per/count",
            qos: "limits/max/active_jobs/count",
            member: "grpjobs"
        ),
        LimitPlace(
            "GrpSubmitJobs",
            .count,
            association: "max/jobs/per/submitted",
            qos: "limits/max/jobs/count",
            member: "grpsubmitjobs"
        ),
        LimitPlace(
            "GrpWall",
            .minutes,
            association: "max/per/account/wall_clock",
            qos: "limits/max/wall_clock/per/qos",
            member: "grpwall"
        ),
        LimitPlace(
            "GrpTRES",
            .resources,
            association: "max/tres/total",
            qos: "limits/max/tres/total",
            member: "grptres"
        ),
        LimitPlace(
            "GrpTRESMins",
            .resources,
            association: "max/tres/group/minutes",
            qos: "limits/max/tres/minutes/total",
            member: "grptresmins"
        ),
        LimitPlace(
            "GrpTRESRunMins",
            .resources,
            association: "max/tres/group/active",
            qos: "limits/max/tres/minutes/per/qos",
            member: "grptresrunmins"
        ),
        LimitPlace("MaxJobs", .count, association: "max/jobs/active", member: "maxjobs"),
        LimitPlace("MaxJobsPerUser", .count, qos: "limits/max/jobs/active_jobs/per/user"),
        LimitPlace("MaxJobsPerAccount", .count, qos: "limits/max/jobs/active_jobs/per/account"),
        LimitPlace("MaxSubmitJobs", .count, association: "max/jobs/total", member: "maxsubmitjobs"),
        LimitPlace("MaxSubmitJobsPerUser", .count, qos: "limits/max/jobs/per/user"),
        LimitPlace("MaxSubmitJobsPerAccount", .count, qos: "limits/max/jobs/per/account"),
        LimitPlace(
            "MaxWall",
            .minutes,
            association: "max/jobs/per/wall_clock",
            qos: "limits/max/wall_clock/per/job",
            member: "maxwalldurationperjob"
        ),
        LimitPlace(
            "MaxTRESPerJob",
            .resources,
            association: "max/tres/per/job",
            qos: "limits/max/tres/per/job",
            member: "maxtresperjob"
        ),
        LimitPlace(
            "MaxTRESMinsPerJob",
            .resources,
            association: "max/tres/minutes/per/job",
            qos: "limits/max/tres/minutes/per/job",
            member: "maxtresminsperjob"
        ),
        LimitPlace("MaxTRESPerUser", .resources, qos: "limits/max/tres/per/user"),
        LimitPlace("MaxTRESPerAccount", .resources, qos: "limits/max/tres/per/account"),
        LimitPlace("MinTRESPerJob", .resources, qos: "limits/min/tres/per/job"),
    ]

    /// Whether the first version has no place for it in a QOS.
    var isNewOfQOS: Bool { name == "GrpSubmitJobs" || name == "GrpTRESMins" }

    /// The limit among some, as the data model has it; what is not there is without bound.
    func value(among limits: [NamedLimit]) -> JSONValue {
        let text = limits.first { $0.name == name }?.value
        switch form {
        case .count: return DataObject.limit(text.flatMap { Int64($0) })
        case .minutes:
            return DataObject.limit(text.flatMap { SlurmTime.seconds($0) }.map { $0 / 60 })
        case .resources: return .array(text.map(TrackedResource.amounts) ?? [])
        }
    }

    /// What a request says of the limit, in the words of `sacctmgr`; nil for nothing.
    ///
    /// - Throws: `JSONValue.Malformed` for what is no such limit.
    func setting(_ json: JSONValue) throws(JSONValue.Malformed) -> NamedLimit? {
        guard json != .null else { return nil }
        guard form != .resources else {
            return try TrackedResource.limit(json).map { NamedLimit(name: name, value: $0) }
        }
        let value = DataValue(json: json)
        if case .infinite = try value.number() { return NamedLimit(name: name, value: "-1") }
        return try value.integer(0...Int64(Int32.max)).map {
            NamedLimit(name: name, value: "\($0)")
        }
    }
}
