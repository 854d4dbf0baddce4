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
        var writer = Writer(isPretty: false)
        writer.write(self)
        return writer.bytes
    }

    /// The document with two spaces of indentation, for people; no final newline.
    public var prettyText: String {
        var writer = Writer(isPretty: true)
        writer.write(self)
        return writer.finished
    }

    /// Appends `text` to `bytes` as a JSON string with its quotes.
    public static func appendQuoted(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        let isPlain = text.utf8.allSatisfy {
            $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        if isPlain {
            bytes.append(contentsOf: text.utf8)
        } else {
            appendEscaped(text, to: &bytes)
        }
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

    private struct Writer {
        let isPretty: Bool
        var bytes: [UInt8] = []
        var depth = 0

        init(isPretty: Bool) {
            self.isPretty = isPretty
        }

        var finished: String { String(decoding: bytes, as: UTF8.self) }

        mutating func write(_ value: JSONValue) {
            switch value {
            case .null: bytes.append(contentsOf: "null".utf8)
            case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
            case .integer(let number): bytes.append(contentsOf: String(number).utf8)
            case .number(let number):
                // JSON has no infinity and no NaN.
                bytes += Array((number.isFinite ? "\(number)" : "null").utf8)
            case .string(let text): JSONValue.appendQuoted(text, to: &bytes)
            case .array(let elements):
                list(elements, open: "[", close: "]") { $0.write($1) }
            case .object(let members):
                list(members, open: "{", close: "}") { writer, member in
                    JSONValue.appendQuoted(member.name, to: &writer.bytes)
                    writer.bytes += Array((writer.isPretty ? ": " : ":").utf8)
                    writer.write(member.value)
                }
            }
        }

        mutating func list<Element>(
            _ elements: [Element],
            open: Unicode.Scalar,
            close: Unicode.Scalar,
            element: (inout Writer, Element) -> Void
        ) {
            bytes.append(UInt8(ascii: open))
            depth += 1
            for (index, value) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                breakLine()
                element(&self, value)
            }
            depth -= 1
            if !elements.isEmpty { breakLine() }
            bytes.append(UInt8(ascii: close))
        }

        mutating func breakLine() {
            guard isPretty else { return }
            bytes.append(0x0A)
            bytes += [UInt8](repeating: 0x20, count: 2 * depth)
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
        var parser = Parser(bytes: bytes)
        self = try parser.document()
    }

    private struct Parser {
        let bytes: [UInt8]
        var position = 0
        var depth = 0

        init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        func malformed(_ problem: String) -> Malformed {
            let newlines = bytes[..<min(position, bytes.count)].reduce(0) {
                $0 + ($1 == 0x0A ? 1 : 0)
            }
            return Malformed(line: 1 + newlines, problem: problem)
        }

        mutating func document() throws(Malformed) -> JSONValue {
            let value = try self.value()
            skipSpace()
            guard position == bytes.count else { throw malformed("text after the document") }
            return value
        }

        var current: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func skipSpace() {
            while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
                position += 1
            }
        }

        mutating func value() throws(Malformed) -> JSONValue {
            skipSpace()
            switch current {
            case UInt8(ascii: "{"): return .object(try object())
            case UInt8(ascii: "["): return .array(try array())
            case UInt8(ascii: "\""): return .string(try string())
            case UInt8(ascii: "t"): return try word("true", .bool(true))
            case UInt8(ascii: "f"): return try word("false", .bool(false))
            case UInt8(ascii: "n"): return try word("null", .null)
            case let byte? where byte == UInt8(ascii: "-") || (48...57).contains(byte):
                return try number()
            case nil: throw malformed("the text ends where a value should be")
            default: throw malformed("no value starts with this character")
            }
        }

        mutating func word(_ text: StaticString, _ value: JSONValue) throws(Malformed) -> JSONValue
        {
            let isThere = text.withUTF8Buffer { word in
                bytes[position...].starts(with: word)
            }
            guard isThere else { throw malformed("no value starts like this") }
            position += text.utf8CodeUnitCount
            return value
        }

        mutating func enter() throws(Malformed) {
            position += 1
            depth += 1
            guard depth <= JSONValue.deepest else {
                throw malformed("nested deeper than \(JSONValue.deepest)")
            }
            skipSpace()
        }

        mutating func array() throws(Malformed) -> [JSONValue] {
            try enter()
            var elements: [JSONValue] = []
            if current == UInt8(ascii: "]") {
                position += 1
            } else {
                repeat { elements.append(try value()) } while try goesOn(until: UInt8(ascii: "]"))
            }
            depth -= 1
            return elements
        }

        mutating func object() throws(Malformed) -> [Member] {
            try enter()
            var members: [Member] = []
            if current == UInt8(ascii: "}") {
                position += 1
            } else {
                repeat {
                    skipSpace()
                    guard current == UInt8(ascii: "\"") else {
                        throw malformed("a member's name must be a string")
                    }
                    let name = try string()
                    skipSpace()
                    guard current == UInt8(ascii: ":") else {
                        throw malformed("':' expected after \"\(name)\"")
                    }
                    position += 1
                    members.append(Member(name, try value()))
                } while try goesOn(until: UInt8(ascii: "}"))
            }
            depth -= 1
            return members
        }

        mutating func goesOn(until close: UInt8) throws(Malformed) -> Bool {
            skipSpace()
            guard let byte = current, byte == close || byte == UInt8(ascii: ",") else {
                throw malformed("',' or a closing bracket expected")
            }
            position += 1
            return byte != close
        }

        mutating func number() throws(Malformed) -> JSONValue {
            let start = position
            while let byte = current,
                (48...57).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
                    || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "e")
                    || byte == UInt8(ascii: "E")
            {
                position += 1
            }
            if let integer = Self.plainInteger(bytes[start..<position]) { return .integer(integer) }
            let text = String(decoding: bytes[start..<position], as: UTF8.self)
            let digits = text.utf8.drop { $0 == UInt8(ascii: "-") }
            let hasLeadingZero = digits.count > 1 && digits.starts(with: "0".utf8)
            // Swift reads "1." as a number; JSON wants a digit after the point.
            let afterPoint = digits.drop { $0 != UInt8(ascii: ".") }.dropFirst().first
            let isWhole = !digits.contains(UInt8(ascii: "."))
            guard isWhole || afterPoint.map({ (48...57).contains($0) }) == true else {
                throw malformed("'\(text)' is not a number")
            }
            if !hasLeadingZero || digits.dropFirst().first == UInt8(ascii: ".") {
                if let integer = Int64(text) { return .integer(integer) }
                if let number = Double(text), number.isFinite { return .number(number) }
            }
            throw malformed("'\(text)' is not a number")
        }

        /// A number of at most 18 digits without sign, fraction and leading zero; nil for others.
        private static func plainInteger(_ digits: ArraySlice<UInt8>) -> Int64? {
            guard digits.count <= 18, digits.first != UInt8(ascii: "0") || digits.count == 1 else {
                return nil
            }
            var number: Int64 = 0
            for digit in digits {
                guard (48...57).contains(digit) else { return nil }
                number = number * 10 + Int64(digit - 48)
            }
            return number
        }

        mutating func string() throws(Malformed) -> String {
            position += 1
            let start = position
            // Nearly all strings hold no escape: they are taken as they are, in one piece.
            while let byte = current, byte >= 0x20, byte != UInt8(ascii: "\""),
                byte != UInt8(ascii: "\\")
            {
                position += 1
            }
            var text = bytes[start..<position]
            guard current != UInt8(ascii: "\"") else {
                position += 1
                return try validated(text)
            }
            while true {
                guard let byte = current else { throw malformed("a string is not closed") }
                position += 1
                switch byte {
                case UInt8(ascii: "\""): return try validated(text)
                case UInt8(ascii: "\\"): try escape(into: &text)
                case 0..<0x20: throw malformed("a control character in a string")
                default: text.append(byte)
                }
            }
        }

        private func validated(_ text: ArraySlice<UInt8>) throws(Malformed) -> String {
            guard let string = String(validating: text, as: UTF8.self) else {
                throw malformed("a string is not valid UTF-8")
            }
            return string
        }

        mutating func escape(into text: inout ArraySlice<UInt8>) throws(Malformed) {
            guard let byte = current else { throw malformed("a string is not closed") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                var code = UInt32(try hexadecimal())
                if (0xD800..<0xDC00).contains(code) {
                    guard bytes[position...].starts(with: "\\u".utf8) else {
                        throw malformed("bad surrogate")
                    }
                    position += 2
                    let low = UInt32(try hexadecimal())
                    guard (0xDC00..<0xE000).contains(low) else { throw malformed("bad surrogate") }
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                }
                guard let scalar = Unicode.Scalar(code) else { throw malformed("bad surrogate") }
                text += Array(String(Character(scalar)).utf8)
            default: throw malformed("unknown escape in a string")
            }
        }

        mutating func hexadecimal() throws(Malformed) -> UInt16 {
            let digits = bytes[position...].prefix(4)
            var code: UInt16 = 0
            for digit in digits {
                // A sign, which the standard library would take, is no digit.
                guard let value = Character(Unicode.Scalar(digit)).hexDigitValue else { break }
                code = code << 4 | UInt16(value)
                position += 1
            }
            guard position == digits.startIndex + 4 else {
                throw malformed("\\u needs four hexadecimal digits")
            }
            return code
        }
    }
}
