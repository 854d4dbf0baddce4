import WireFormats

/// A value of a request in Slurm's data model, read as leniently as Slurm reads it: a number may be a number,
/// its digits as text, or `{"set": true, "infinite": false, "number": 5}`; a list may be words with commas
/// between them.
struct DataValue {
    /// A number that may be missing or without bound.
    enum Number: Hashable {
        case unset
        case infinite
        case of(Int64)
    }

    let json: JSONValue

    /// - Throws: `JSONValue.Malformed` for what is no text.
    func text() throws(JSONValue.Malformed) -> String {
        if let text = json.string { return text }
        if let number = json.integer { return "\(number)" }
        throw Self.expected("a text")
    }

    /// - Throws: `JSONValue.Malformed` for what is no number.
    func number() throws(JSONValue.Malformed) -> Number {
        switch json {
        case .null: return .unset
        case .object:
            if json["infinite"]?.bool == true { return .infinite }
            guard json["set"]?.bool ?? (json["number"] != nil) else { return .unset }
            guard let number = json["number"]?.wholeNumber else {
                throw Self.expected("an object with \"set\", \"infinite\" and \"number\"")
            }
            return .of(number)
        case .string(let text):
            switch text.uppercased() {
            case "": return .unset
            case "INFINITE", "UNLIMITED": return .infinite
            default: break
            }
            guard let number = Int64(text) else { throw Self.expected("a number") }
            return .of(number)
        default:
            guard let number = json.wholeNumber else { throw Self.expected("a number") }
            return .of(number)
        }
    }

    /// A number within bounds; nil where none is set.
    ///
    /// - Throws: `JSONValue.Malformed` for another.
    func integer(_ bounds: ClosedRange<Int64>) throws(JSONValue.Malformed) -> Int64? {
        switch try number() {
        case .unset: return nil
        case .of(let number) where bounds.contains(number): return number
        default:
            throw Self.expected("a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
    }

    /// - Throws: `JSONValue.Malformed` for what is not true or false.
    func flag() throws(JSONValue.Malformed) -> Bool {
        if let flag = json.bool { return flag }
        switch json.string?.lowercased() ?? json.integer.map({ "\($0)" }) {
        case "true", "yes", "1": return true
        case "false", "no", "0": return false
        default: throw Self.expected("true or false")
        }
    }

    /// A list of texts.
    ///
    /// - Throws: `JSONValue.Malformed` for anything else.
    func texts() throws(JSONValue.Malformed) -> [String] {
        if json == .null { return [] }
        if let text = json.string { return list(text) }
        return try all()
    }

    /// A list of names, with commas between them.
    ///
    /// - Throws: `JSONValue.Malformed` for anything else.
    func names() throws(JSONValue.Malformed) -> String { try texts().joined(separator: ",") }

    /// The texts of an array; unlike `texts` it takes no commas apart.
    private func all() throws(JSONValue.Malformed) -> [String] {
        guard let values = json.array else { throw Self.expected("a list of texts") }
        var texts: [String] = []
        for value in values { texts.append(try DataValue(json: value).text()) }
        return texts
    }

    /// `NAME=value` each, from a list or from an object.
    ///
    /// - Throws: `JSONValue.Malformed` for anything else.
    func variables() throws(JSONValue.Malformed) -> [String] {
        guard let members = json.members else { return try all() }
        var texts: [String] = []
        for member in members {
            texts.append("\(member.name)=\(try DataValue(json: member.value).text())")
        }
        return texts
    }

    static func expected(_ what: String) -> JSONValue.Malformed {
        JSONValue.Malformed(line: 0, problem: "\(what) expected")
    }
}

/// What a value of a request is: what a description of the API says of it.
enum DataForm: Sendable {
    case text, integer, number, flag, words, object, list

    /// The form as a JSON schema.
    var schema: JSONValue {
        switch self {
        case .text: ["type": "string"]
        case .integer: ["type": "integer", "format": "int64"]
        case .number:
            [
                "type": "object",
                "properties": [
                    "set": ["type": "boolean"], "infinite": ["type": "boolean"],
                    "number": ["type": "integer", "format": "int64"],
                ],
            ]
        case .flag: ["type": "boolean"]
        case .words: ["type": "array", "items": ["type": "string"]]
        case .object: ["type": "object"]
        case .list: ["type": "array", "items": ["type": "object"]]
        }
    }
}

/// What was read of a request, and what its sender should know of it.
public struct DataReading<Request: Sendable>: Sendable {
    /// What is asked for.
    public var request: Request
    /// Members that were passed over; few, however many there are.
    public var warnings: [RestWarning] = []
    /// Whether a member that is not known is refused instead of passed over.
    var isStrict = false

    /// More of them are not told one by one.
    private static var warningsMaximum: Int { 32 }

    init(_ request: Request) {
        self.request = request
    }

    /// Hands on what was warned of while a member was read, by the place where that member stands.
    mutating func warn(_ inner: [RestWarning], below place: String) {
        for warning in inner { warn(warning.description, place + warning.source) }
    }

    mutating func warn(_ description: String, _ source: String) {
        warn(RestWarning(description, source))
    }

    mutating func warn(_ warning: RestWarning) {
        guard warnings.count <= Self.warningsMaximum else { return }
        warnings.append(
            warnings.count == Self.warningsMaximum
                ? RestWarning("More members have no effect") : warning
        )
    }
}

/// A member of an object in a request, and what is done with it.
struct DataMember<Request: Sendable>: Sendable {
    let name: String
    let form: DataForm
    /// Nil where Slurm knows the member, and a centre of ours does nothing with it.
    let read: (@Sendable (inout Request, DataValue) throws(JSONValue.Malformed) -> Void)?

    init(
        _ name: String,
        _ form: DataForm,
        _ read: (@Sendable (inout Request, DataValue) throws(JSONValue.Malformed) -> Void)? = nil
    ) {
        self.name = name
        self.form = form
        self.read = read
    }
}

extension DataMember {
    typealias Place<Value> = any WritableKeyPath<Request, Value> & Sendable

    /// One whose value is read by `reader` and stands at a place of the request.
    static func read<Value>(
        _ name: String,
        _ form: DataForm,
        _ place: Place<Value>,
        _ reader: @escaping @Sendable (DataValue) throws(JSONValue.Malformed) -> Value
    ) -> Self {
        Self(name, form) { request, value throws(JSONValue.Malformed) in
            request[keyPath: place] = try reader(value)
        }
    }

    /// A text, for a place that always has one.
    static func text(_ name: String, always place: Place<String>) -> Self {
        .read(name, .text, place) { value throws(JSONValue.Malformed) in try value.text() }
    }

    static func text(_ name: String, _ place: Place<String?>) -> Self {
        .read(name, .text, place) { value throws(JSONValue.Malformed) in try value.text() }
    }

    static func flag(_ name: String, always place: Place<Bool>) -> Self {
        .read(name, .flag, place) { value throws(JSONValue.Malformed) in try value.flag() }
    }

    static func flag(_ name: String, _ place: Place<Bool?>) -> Self {
        .read(name, .flag, place) { value throws(JSONValue.Malformed) in try value.flag() }
    }

    /// Names in a list, which the request has with commas between them.
    static func names(_ name: String, always place: Place<String>) -> Self {
        .read(name, .words, place) { value throws(JSONValue.Malformed) in try value.names() }
    }

    static func names(_ name: String, _ place: Place<String?>) -> Self {
        .read(name, .words, place) { value throws(JSONValue.Malformed) in try value.names() }
    }

    /// A number of nodes, tasks or cores, from 1.
    static func count(
        _ name: String,
        _ place: Place<Int32?>,
        _ form: DataForm = .integer
    ) -> Self {
        .read(name, form, place) { value throws(JSONValue.Malformed) in
            try value.integer(1...Int64(Int32.max)).map { Int32($0) }
        }
    }
}

extension DataReading {
    /// Reads the members of an object.
    ///
    /// - Parameter source: where the object stands: `#/job`.
    /// - Throws: `RestFailure`, with the member that is wrong.
    mutating func read(
        _ json: JSONValue,
        _ members: [DataMember<Request>],
        _ source: String
    ) throws(RestFailure) {
        guard let given = json.members else {
            throw .parsing("an object expected", source)
        }
        var seen: Set<String> = []
        let places = Dictionary(
            members.indices.map { (members[$0].name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        for member in given {
            let place = "\(source)/\(Self.shortened(member.name))"
            guard let known = places[member.name].map({ members[$0] }) else {
                guard !isStrict else { throw .parsing("unknown field", place) }
                warnOfUnknown(member.name, source)
                continue
            }
            guard seen.insert(member.name).inserted else {
                throw .parsing("the field stands there twice", place)
            }
            guard member.value != .null else { continue }
            guard let read = known.read else {
                warn("The field has no effect here", place)
                continue
            }
            do throws(JSONValue.Malformed) {
                try read(&request, DataValue(json: member.value))
            } catch {
                throw .parsing(error.problem, place)
            }
        }
    }

    /// Warns of a member of the object at `source` that nobody knows.
    mutating func warnOfUnknown(_ name: String, _ source: String) {
        let name = Self.shortened(name)
        warn("Ignoring unknown field \"\(name)\"", "\(source)/\(name)")
    }

    /// A name as a message can bear it.
    private static func shortened(_ name: String) -> String {
        String(
            name.unicodeScalars.prefix(64).map {
                $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0)
            }
        )
    }
}
