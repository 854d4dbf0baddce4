/// Reads a JSON document from its text: as a tree, or value by value into records that know what they look for.
///
/// Records are read without a tree as long as their members stand in the order in which they are written, and
/// nothing else stands among them: so are they in answers, and in the journal. Of what stands there otherwise, or is
/// wrong, nothing is said here; it is read again by way of the tree, which is the plain twin and names what is wrong.
public struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    /// The control characters in strings since this was looked at last.
    private var controls = Controls.none

    /// Whether a member of the object that is being read was read.
    private var isBegun = false
    /// Whether what is read is a request, in which not every text may stand.
    private var isRequest = false

    /// Which control characters stand in strings.
    enum Controls: Comparable {
        case none
        /// Such as a line has at its end.
        case some
        /// NUL is among them.
        case null
    }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private func malformed(_ problem: String) -> JSONValue.Malformed {
        let newlines = bytes[..<min(position, bytes.count)].reduce(0) {
            $0 + ($1 == 0x0A ? 1 : 0)
        }
        return JSONValue.Malformed(line: 1 + newlines, problem: problem)
    }

    mutating func document() throws(JSONValue.Malformed) -> JSONValue {
        let value = try self.value()
        skipSpace()
        guard position == bytes.count else { throw malformed("text after the document") }
        return value
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    mutating func value() throws(JSONValue.Malformed) -> JSONValue {
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["): return .array(try array())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", JSONValue.bool(true))
        case UInt8(ascii: "f"): return try word("false", JSONValue.bool(false))
        case UInt8(ascii: "n"): return try word("null", JSONValue.null)
        case let byte? where byte == UInt8(ascii: "-") || (48...57).contains(byte):
            return try number()
        case nil: throw malformed("the text ends where a value should be")
        default: throw malformed("no value starts with this character")
        }
    }

    private mutating func word<Value>(
        _ text: StaticString,
        _ value: Value
    ) throws(JSONValue.Malformed) -> Value {
        let isThere = text.withUTF8Buffer { word in
            bytes[position...].starts(with: word)
        }
        guard isThere else { throw malformed("no value starts like this") }
        position += text.utf8CodeUnitCount
        return value
    }

    private mutating func enter() throws(JSONValue.Malformed) {
        position += 1
        depth += 1
        guard depth <= JSONValue.deepest else {
            throw malformed("nested deeper than \(JSONValue.deepest)")
        }
        skipSpace()
    }

    private mutating func array() throws(JSONValue.Malformed) -> [JSONValue] {
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

    private mutating func object() throws(JSONValue.Malformed) -> [JSONValue.Member] {
        try enter()
        var members: [JSONValue.Member] = []
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
                members.append(JSONValue.Member(name, try value()))
            } while try goesOn(until: UInt8(ascii: "}"))
        }
        depth -= 1
        return members
    }

    private mutating func goesOn(until close: UInt8) throws(JSONValue.Malformed) -> Bool {
        skipSpace()
        guard let byte = current, byte == close || byte == UInt8(ascii: ",") else {
            throw malformed("',' or a closing bracket expected")
        }
        position += 1
        return byte != close
    }

    private mutating func number() throws(JSONValue.Malformed) -> JSONValue {
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

    mutating func string() throws(JSONValue.Malformed) -> String {
        position += 1
        let start = position
        // Nearly all strings hold no escape: they are taken as they are, in one piece.
        while let byte = current, byte >= 0x20, byte != UInt8(ascii: "\""),
            byte != UInt8(ascii: "\\")
        {
            if byte == 0x7F { controls = max(controls, .some) }
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
            case UInt8(ascii: "\\"):
                try escape(into: &text)
                if let last = text.last, last < 0x20 || last == 0x7F {
                    controls = max(controls, last == 0 ? .null : .some)
                }
            case 0..<0x20: throw malformed("a control character in a string")
            default:
                if byte == 0x7F { controls = max(controls, .some) }
                text.append(byte)
            }
        }
    }

    private func validated(_ text: ArraySlice<UInt8>) throws(JSONValue.Malformed) -> String {
        guard let string = String(utf8: text) else {
            throw malformed("a string is not valid UTF-8")
        }
        return string
    }

    private mutating func escape(into text: inout ArraySlice<UInt8>) throws(JSONValue.Malformed) {
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

    private mutating func hexadecimal() throws(JSONValue.Malformed) -> UInt16 {
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

// MARK: - Without a tree

extension JSONReader {
    /// For how many elements of a list room is made before they are read.
    private static let mostReserved = 1 << 16

    /// What is not in the usual form. Nobody is shown it.
    private static let unusual = JSONValue.Malformed(line: 0, problem: "not in the usual form")

    /// Reads a document in the usual form; nil for any other.
    static func usual<Value: WireValue>(
        _ type: Value.Type,
        in bytes: [UInt8],
        isRequest: Bool = false
    ) -> Value? {
        var reader = JSONReader(bytes)
        reader.isRequest = isRequest
        guard let value = try? Value(reading: &reader) else { return nil }
        reader.skipSpace()
        return reader.position == bytes.count ? value : nil
    }

    /// Reads a record in the usual form, of which only some members are wanted; nil for any other.
    static func usual<Record: WireRecord>(
        _ type: Record.Type,
        in bytes: [UInt8],
        selecting selection: [Bool]
    ) -> Record? {
        var reader = JSONReader(bytes)
        guard let record = try? Record(reading: &reader, selecting: selection) else { return nil }
        reader.skipSpace()
        return reader.position == bytes.count ? record : nil
    }

    /// Passes over a value. What stands in it is not looked at further than to find its end.
    mutating func pass() throws(JSONValue.Malformed) {
        skipSpace()
        var open = 0
        repeat {
            guard let byte = current else { throw Self.unusual }
            switch byte {
            case UInt8(ascii: "\""): try passText()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                open -= 1
                position += 1
                guard open >= 0 else { throw Self.unusual }
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x0A, 0x0D, 0x09:
                guard open > 0 else { throw Self.unusual }
                position += 1
            default: passWord()
            }
        } while open > 0
    }

    /// Passes over a number, `true`, `false` or `null`.
    private mutating func passWord() {
        repeat {
            position += 1
        } while current.map { byte in
            (48...57).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
                || byte == UInt8(ascii: "E")
        } ?? false
    }

    private mutating func passText() throws(JSONValue.Malformed) {
        let end = bytes.withUnsafeBufferPointer { [position] bytes in
            var place = position + 1
            while place < bytes.count {
                let byte = bytes[place]
                place += byte == UInt8(ascii: "\\") ? 2 : 1
                if byte == UInt8(ascii: "\"") { return place }
            }
            return -1
        }
        guard end >= 0 else { throw Self.unusual }
        position = end
    }

    /// Reads an object: `members` reads them, each with `takes` and its value.
    mutating func object(
        _ members: (inout JSONReader) throws(JSONValue.Malformed) -> Void
    ) throws(JSONValue.Malformed) {
        skipSpace()
        guard current == UInt8(ascii: "{") else { throw Self.unusual }
        try enter()
        let outside = isBegun
        isBegun = false
        try members(&self)
        skipSpace()
        guard current == UInt8(ascii: "}") else { throw Self.unusual }
        position += 1
        depth -= 1
        isBegun = outside
    }

    /// Whether the next member is called so; then its value is what comes next.
    mutating func takes(_ name: String) -> Bool {
        let start = position
        skipSpace()
        if isBegun, current == UInt8(ascii: ",") {
            position += 1
            skipSpace()
        } else if isBegun {
            return false
        }
        guard current == UInt8(ascii: "\""), isNext(name) else {
            position = start
            return false
        }
        isBegun = true
        return true
    }

    /// Passes over a name with its quotes and its colon, if it is this one.
    private mutating func isNext(_ name: String) -> Bool {
        let place = position + 1
        let end = place + name.utf8.count
        guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else { return false }
        var name = name
        let isIt = name.withUTF8 { name in
            bytes.withUnsafeBufferPointer { bytes in
                // Names that are not this one mostly differ in their length.
                for index in name.indices where bytes[place + index] != name[index] {
                    return false
                }
                return true
            }
        }
        guard isIt else { return false }
        position = end + 1
        skipSpace()
        guard current == UInt8(ascii: ":") else { return false }
        position += 1
        return true
    }

    /// Reads a list.
    mutating func list<Element: WireValue>() throws(JSONValue.Malformed) -> [Element] {
        skipSpace()
        guard current == UInt8(ascii: "[") else { throw Self.unusual }
        try enter()
        var elements: [Element] = []
        if current == UInt8(ascii: "]") {
            position += 1
        } else {
            let start = position
            repeat {
                elements.append(try Element(reading: &self))
                guard elements.count == 1 else { continue }
                // Room for all, if they are as long as the first: elements may be large, and not to be moved.
                let estimate = (bytes.count - start) / max(1, position - start)
                elements.reserveCapacity(min(estimate, Self.mostReserved))
            } while try goesOn(until: UInt8(ascii: "]"))
        }
        depth -= 1
        return elements
    }

    /// Reads `null`, if that comes next.
    mutating func takesNull() throws(JSONValue.Malformed) -> Bool {
        skipSpace()
        guard current == UInt8(ascii: "n") else { return false }
        _ = try word("null", true)
        return true
    }

    /// Reads `true` or `false`.
    mutating func truth() throws(JSONValue.Malformed) -> Bool {
        skipSpace()
        switch current {
        case UInt8(ascii: "t"): return try word("true", true)
        case UInt8(ascii: "f"): return try word("false", false)
        default: throw Self.unusual
        }
    }

    /// Reads a string.
    mutating func text() throws(JSONValue.Malformed) -> String {
        skipSpace()
        guard current == UInt8(ascii: "\"") else { throw Self.unusual }
        return try string()
    }

    /// Reads an integer.
    mutating func integer() throws(JSONValue.Malformed) -> Int64 {
        skipSpace()
        guard let byte = current, byte == UInt8(ascii: "-") || (48...57).contains(byte),
            case .integer(let number) = try number()
        else { throw Self.unusual }
        return number
    }

    /// Refuses control characters in the value that was read last, as requests do, unless lines may end in it.
    mutating func checkControls(
        isFree: @autoclosure () -> Bool
    ) throws(JSONValue.Malformed) {
        guard isRequest, controls != .none else { return }
        guard controls == .some, isFree() else { throw Self.unusual }
        controls = .none
    }
}
