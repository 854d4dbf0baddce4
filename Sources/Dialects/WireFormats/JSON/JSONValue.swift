/// A JSON document (RFC 8259), read and written without Foundation.
///
/// The Slurm commands must start in a few milliseconds and may not link Foundation, so daemon and
/// clients share this small codec. Members of an object keep the order in which they were written;
/// integers stay exact in 64 bits.
public enum JSONValue: Hashable, Sendable, Codable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number without fraction and exponent that fits in 64 bits.
    case integer(Int64)
    /// Any other number.
    case number(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object, members in order.
    case object([Member])

    /// A name and a value of an object.
    public struct Member: Hashable, Sendable, Codable {
        /// The name.
        public var name: String
        /// The value.
        public var value: JSONValue

        /// Makes a member.
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// Where and why a text is not JSON, or not the JSON that was expected.
    public struct Malformed: Error, Hashable, Sendable, CustomStringConvertible {
        /// The line, from 1; 0 when the text was JSON but a member is missing or of another type.
        public var line: Int
        /// What was found wrong.
        public var problem: String

        /// Makes a report.
        public init(line: Int, problem: String) {
            self.line = line
            self.problem = problem
        }

        /// `line 3: …`, or the problem alone.
        public var description: String { line > 0 ? "line \(line): \(problem)" : problem }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An array.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object with its members in the order written.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
}

// MARK: - Looking inside

extension JSONValue {
    /// The value of the first member called `name`; nil when there is none or this is no object.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The string, or nil.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The integer, or nil.
    public var integer: Int64? {
        if case .integer(let number) = self { number } else { nil }
    }

    /// The integer, also one that is written with an exponent or a fraction of zero; nil for what
    /// does not fit in 64 bits.
    public var wholeNumber: Int64? {
        if case .number(let number) = self { Int64(exactly: number) } else { integer }
    }

    /// The number as a double, or nil.
    public var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    /// The truth value, or nil.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The elements, or nil.
    public var array: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The members, or nil.
    public var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The string member `name`.
    ///
    /// - Throws: `Malformed` when it is missing or no string.
    public func string(_ name: String) throws(Malformed) -> String {
        guard let text = self[name]?.string else {
            throw Malformed(line: 0, problem: "member \"\(name)\" must be a string")
        }
        return text
    }

    /// The integer member `name`.
    ///
    /// - Throws: `Malformed` when it is missing or no integer.
    public func integer(_ name: String) throws(Malformed) -> Int64 {
        guard let number = self[name]?.integer else {
            throw Malformed(line: 0, problem: "member \"\(name)\" must be an integer")
        }
        return number
    }
}

// MARK: - Writing

extension JSONValue {
    /// The document without members that are null, which records read as if they were not there. For what is kept
    /// in large numbers: of what a job may ask for most is not asked for.
    ///
    /// - Parameter levels: in how many objects within one another.
    public func withoutNulls(levels: Int) -> JSONValue {
        switch self {
        case .object(let members) where levels > 0:
            .object(
                members.filter { $0.value != .null }.map { member in
                    Member(member.name, member.value.withoutNulls(levels: levels - 1))
                }
            )
        case .array(let values) where levels > 0:
            .array(values.map { $0.withoutNulls(levels: levels) })
        default: self
        }
    }

    /// The document on one line, without spaces.
    public var compactText: String { String(decoding: compactBytes, as: UTF8.self) }

    /// The document on one line, without spaces, in UTF-8.
    public var compactBytes: [UInt8] {
        var text = JSONText()
        text.write(self)
        return text.bytes
    }

    /// The document with two spaces of indentation, for people; no final newline.
    public var prettyText: String {
        var text = JSONText(pretty: ())
        text.write(self)
        return text.text
    }

    /// Appends `text` to `bytes` as a JSON string with its quotes.
    public static func appendQuoted(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        // Nearly all texts hold nothing to escape, and go out in one piece.
        let isDone = text.utf8.withContiguousStorageIfAvailable { utf8 in
            for byte in utf8
            where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                return false
            }
            bytes.append(contentsOf: utf8)
            return true
        }
        if isDone != true { appendEscaped(text, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func appendEscaped(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "\"")]
            case UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "\\")]
            case 0x0A: bytes += Array("\\n".utf8)
            case 0x0D: bytes += Array("\\r".utf8)
            case 0x09: bytes += Array("\\t".utf8)
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                bytes += Array(("\\u00" + (byte < 16 ? "0" : "") + digits).utf8)
            default: bytes.append(byte)
            }
        }
    }
}

// MARK: - Reading

extension JSONValue {
    /// How deeply a document may be nested. Journals of earlier versions hold lines of jobs that
    /// were 128 deep already, inside an input.
    static let deepest = 144

    /// Reads one document.
    ///
    /// - Throws: `Malformed`, with the line. Nesting deeper than `deepest` is refused.
    public init(parsing text: String) throws(Malformed) {
        try self.init(parsing: Array(text.utf8))
    }

    /// Reads one document from UTF-8.
    ///
    /// - Throws: `Malformed`, with the line. Nesting deeper than `deepest` is refused.
    public init(parsing bytes: [UInt8]) throws(Malformed) {
        var reader = JSONReader(bytes)
        self = try reader.document()
    }
}
