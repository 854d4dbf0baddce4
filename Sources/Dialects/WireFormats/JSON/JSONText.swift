/// A JSON document as it is being written: on one line without spaces, or for people.
///
/// Records write their members straight into it. What travels or is kept in large numbers (a queue of 50,000 jobs,
/// a row of the journal for each input) is never a tree of values; the tree is the plain twin.
public struct JSONText {
    /// What is written, in UTF-8.
    public private(set) var bytes: [UInt8] = []
    /// In how many more objects within one another members that are null are left out.
    private var levelsWithoutNulls: Int
    /// Whether something stands in the object that is being written.
    private var isBegun = false
    /// Whether each element and member has a line of its own.
    private let isPretty: Bool
    private var depth = 0

    /// Begins a document.
    ///
    /// - Parameter levels: in how many objects within one another members that are null are left out, as
    ///   `JSONValue.withoutNulls(levels:)` does.
    public init(withoutNulls levels: Int = 0) {
        levelsWithoutNulls = levels
        isPretty = false
    }

    /// Begins a document for people, with two spaces of indentation.
    init(pretty _: Void) {
        levelsWithoutNulls = 0
        isPretty = true
    }

    /// The document.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    // MARK: Values

    /// Writes a tree.
    public mutating func write(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): write(value)
        case .integer(let number): write(number)
        case .number(let number):
            // JSON has no infinity and no NaN.
            if number.isFinite { bytes.append(contentsOf: "\(number)".utf8) } else { null() }
        case .string(let text): write(text)
        case .array(let elements): list(elements) { $0.write($1) }
        case .object(let members):
            object { text in
                for member in members { text.member(member.name) { $0.write(member.value) } }
            }
        }
    }

    /// Writes `null`.
    public mutating func null() {
        bytes.append(contentsOf: "null".utf8)
    }

    /// Writes `true` or `false`.
    public mutating func write(_ value: Bool) {
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// Writes a string with its quotes.
    public mutating func write(_ text: String) {
        JSONValue.appendQuoted(text, to: &bytes)
    }

    /// Writes an integer.
    public mutating func write(_ number: Int64) {
        var rest = number.magnitude
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit))
            rest = quotient
        } while rest > 0
        bytes[start...].reverse()
    }

    // MARK: Lists and objects

    /// Writes a list.
    public mutating func list<Element>(
        _ elements: [Element],
        _ write: (inout JSONText, Element) -> Void
    ) {
        bytes.append(UInt8(ascii: "["))
        depth += 1
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            breakLine()
            write(&self, element)
        }
        depth -= 1
        if !elements.isEmpty { breakLine() }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Writes an object; `members` calls `member` for each.
    public mutating func object(_ members: (inout JSONText) -> Void) {
        let outside = open()
        members(&self)
        close(outside)
    }

    /// Begins an object, and gives what `close` needs.
    mutating func open() -> Bool {
        bytes.append(UInt8(ascii: "{"))
        levelsWithoutNulls -= 1
        depth += 1
        defer { isBegun = false }
        return isBegun
    }

    /// Ends an object.
    mutating func close(_ outside: Bool) {
        depth -= 1
        if isBegun { breakLine() }
        bytes.append(UInt8(ascii: "}"))
        levelsWithoutNulls += 1
        isBegun = outside
    }

    /// Whether members that are null are left out of the object that was begun.
    var leavesNullsOut: Bool { levelsWithoutNulls >= 0 }

    /// Writes a member of the object that was begun.
    public mutating func member(_ name: String, _ write: (inout JSONText) -> Void) {
        let start = bytes.count
        if isBegun { bytes.append(UInt8(ascii: ",")) }
        breakLine()
        JSONValue.appendQuoted(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        if isPretty { bytes.append(0x20) }
        let value = bytes.count
        write(&self)
        if leavesNullsOut, bytes.count == value + 4, bytes[value] == UInt8(ascii: "n") {
            // Nothing but null has four bytes and begins so.
            bytes.removeLast(bytes.count - start)
        } else {
            isBegun = true
        }
    }

    private mutating func breakLine() {
        guard isPretty else { return }
        bytes.append(0x0A)
        bytes += [UInt8](repeating: 0x20, count: 2 * depth)
    }
}
