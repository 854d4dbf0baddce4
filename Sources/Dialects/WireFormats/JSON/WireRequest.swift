import IndexSets

/// What a client asks for. Whoever writes `time_limt` by hand must not get another job than he
/// meant, and text that later stands in listings, logs and books must not break their lines: so a
/// request is read more strictly than an answer, which a newer program may have made.
public protocol WireRequest: WireRecord {
    /// The members that are requests themselves, or lists of requests.
    static var parts: [String: any WireRequest.Type] { get }
    /// The members in which lines may end: scripts, and what a shell hands on.
    static var freeTexts: Set<String> { get }
}

extension WireRequest {
    /// None.
    public static var parts: [String: any WireRequest.Type] { [:] }

    /// None.
    public static var freeTexts: Set<String> { [] }

    /// Reads a request from the bytes of a JSON document.
    ///
    /// - Parameter form: the form of this type, where many are read. What is read in the usual form has it.
    /// - Throws: `JSONValue.Malformed`, with the line, or the member: one that this request does not
    ///   have or that stands there twice, or a text with a control character.
    public init(
        requesting bytes: [UInt8],
        _ form: @autoclosure () -> RequestForm = RequestForm(Self.self)
    ) throws(JSONValue.Malformed) {
        if let request = JSONReader.usual(Self.self, in: bytes, isRequest: true) {
            self = request
            return
        }
        let form = form()
        let json = try JSONValue(parsing: bytes)
        try form.check(json)
        try self.init(json: json)
    }

    /// Refuses texts that a request must not hold, where it was made of another form than its own JSON.
    ///
    /// - Throws: `JSONValue.Malformed`, with the member.
    public func checkForm() throws(JSONValue.Malformed) {
        try RequestForm(Self.self).check(json)
    }
}

/// What the JSON of a request may hold.
public struct RequestForm: Sendable {
    /// The members, in the order in which they usually stand there.
    private let names: [String]
    /// The members that are requests of other types, or lists of them.
    private let parts: [String: RequestForm]
    /// The members that are requests of this type, or lists of them.
    private let likeIt: Set<String>
    private let freeTexts: Set<String>

    /// The form of a type; it is the same for all requests of that type.
    public init(_ type: any WireRequest.Type) {
        names = type.memberNames
        let others = type.parts.filter { $0.value != type }
        parts = others.mapValues { RequestForm($0) }
        likeIt = Set(type.parts.keys).subtracting(others.keys)
        freeTexts = type.freeTexts
    }

    /// Refuses what reading would pass over.
    ///
    /// - Throws: `JSONValue.Malformed`, with the member.
    func check(_ json: JSONValue) throws(JSONValue.Malformed) {
        guard case .object(let members) = json else { return }
        var seen = [Bool](repeating: false, count: names.count)
        var last = -1
        // Whoever names more members than there are has one twice, or one that there is not.
        for member in members.prefix(names.count + 1) {
            guard let place = place(of: member.name, after: last) else {
                let name = Self.shortened(member.name)
                throw Self.malformed(
                    "member \"\(name)\" is unknown\(didYouMean(name, among: names))"
                )
            }
            guard !seen[place] else {
                throw Self.malformed("member \"\(member.name)\" stands there twice")
            }
            seen[place] = true
            last = place
            do throws(JSONValue.Malformed) {
                try check(member)
            } catch {
                throw Self.malformed("member \"\(member.name)\": \(error.problem)")
            }
        }
    }

    /// Where a name stands in the form; looked for from the last one on, since members come in that order.
    private func place(of name: String, after last: Int) -> Int? {
        names[(last + 1)...].firstIndex(of: name) ?? names[..<(last + 1)].firstIndex(of: name)
    }

    private func check(_ member: JSONValue.Member) throws(JSONValue.Malformed) {
        let part = likeIt.contains(member.name) ? self : parts[member.name]
        let isFree = freeTexts.contains(member.name)
        switch member.value {
        case .array(let values):
            for (index, value) in values.enumerated() {
                do throws(JSONValue.Malformed) {
                    try part?.check(value)
                    try Self.checkText(value, isFree: isFree)
                } catch {
                    throw Self.malformed("element \(index): \(error.problem)")
                }
            }
        default:
            try part?.check(member.value)
            try Self.checkText(member.value, isFree: isFree)
        }
    }

    private static func checkText(
        _ value: JSONValue,
        isFree: Bool
    ) throws(JSONValue.Malformed) {
        guard let text = value.string else { return }
        let found = text.utf8.first { isFree ? $0 == 0 : $0 < 0x20 || $0 == 0x7F }
        guard let found else { return }
        let code = String(found, radix: 16, uppercase: true)
        throw malformed("a control character (U+00\(code.count < 2 ? "0" : "")\(code))")
    }

    private static func malformed(_ problem: String) -> JSONValue.Malformed {
        JSONValue.Malformed(line: 0, problem: problem)
    }

    /// A name as a message can bear it.
    private static func shortened(_ name: String) -> String {
        let printable = name.unicodeScalars.prefix(64).map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7F ? "?" : Character(scalar)
        }
        return String(printable)
    }
}
