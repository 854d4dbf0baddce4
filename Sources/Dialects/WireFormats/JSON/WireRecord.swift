public import Quantities

/// A value that travels as JSON between the daemon and its clients.
public protocol WireValue: Hashable, Sendable {
    /// Reads the value.
    ///
    /// - Throws: `JSONValue.Malformed` when the JSON is of another type or out of range.
    init(json: JSONValue) throws(JSONValue.Malformed)

    /// The value as JSON.
    var json: JSONValue { get }
}

/// An object with named members. One list of members, `exchange(_:)`, serves reading and writing,
/// so the two directions cannot drift apart.
///
/// Reading keeps the initial value of a member that is missing, and ignores unknown members: a
/// hand-written request names only what it wants, and old and new programs understand each other.
public protocol WireRecord: WireValue {
    /// Makes a record in which every member has its initial value.
    init()

    /// Names every member once, in the order in which they are written.
    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed)
}

extension WireRecord {
    /// Reads an object.
    ///
    /// - Throws: `JSONValue.Malformed`, with the name of the member that is wrong.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        guard case .object(let members) = json else {
            throw JSONValue.Malformed(line: 0, problem: "an object expected")
        }
        self.init()
        var fields = WireFields(reading: members)
        try exchange(&fields)
    }

    /// The record as an object.
    public var json: JSONValue {
        var copy = self
        var fields = WireFields()
        do throws(JSONValue.Malformed) {
            try copy.exchange(&fields)
        } catch {
            preconditionFailure("writing a record cannot fail: \(error)")
        }
        return .object(fields.written)
    }

    /// The names of all members, in the order in which they are written.
    public static var memberNames: [String] {
        var record = Self()
        var fields = WireFields()
        fields.namesNil = true
        do throws(JSONValue.Malformed) {
            try record.exchange(&fields)
        } catch {
            preconditionFailure("writing a record cannot fail: \(error)")
        }
        return fields.written.map(\.name)
    }

    /// Which members are among `names`, for `json(selecting:)`.
    public static func selection(of names: Set<String>) -> [Bool] {
        memberNames.map(names.contains)
    }

    /// The record as an object with some of its members.
    ///
    /// - Parameter selection: for each member, in order, whether it is wanted. Names would be looked up anew for
    ///   each of 50,000 records.
    public func json(selecting selection: [Bool]) -> JSONValue {
        var copy = self
        var fields = WireFields(selecting: selection)
        do throws(JSONValue.Malformed) {
            try copy.exchange(&fields)
        } catch {
            preconditionFailure("writing a record cannot fail: \(error)")
        }
        return .object(fields.written)
    }

    /// Reads an object from the bytes of a JSON document.
    ///
    /// - Throws: `JSONValue.Malformed`, with the line or the member.
    public init(parsing bytes: [UInt8]) throws(JSONValue.Malformed) {
        try self.init(json: JSONValue(parsing: bytes))
    }
}

/// Carries the members of one object in or out. Each call moves one member.
public struct WireFields {
    private let source: [JSONValue.Member]?
    /// Where the next member is expected: members usually come in the order in which they are
    /// written, so reading an object is linear.
    private var cursor = 0
    fileprivate var written: [JSONValue.Member] = []

    /// Whether members are written that usually are not when they are nil.
    fileprivate var namesNil = false

    /// For each member, in order, whether it is to be written; nil for all.
    private let selection: [Bool]?
    /// How many members were called, written or not.
    private var position = 0

    init() {
        source = nil
        selection = nil
        written.reserveCapacity(64)
    }

    init(selecting selection: [Bool]) {
        source = nil
        self.selection = selection
        written.reserveCapacity(16)
    }

    init(reading members: [JSONValue.Member]) {
        source = members
        selection = nil
    }

    private mutating func write(_ name: String, _ value: some WireValue) {
        position += 1
        guard selection?[position - 1] ?? true else { return }
        written.append(JSONValue.Member(name, value.json))
    }

    /// Moves the member `name`; when reading, a missing one leaves `value` as it is.
    public mutating func callAsFunction(
        _ name: String,
        _ value: inout some WireValue
    ) throws(JSONValue.Malformed) {
        guard let source else {
            write(name, value)
            return
        }
        guard let json = next(name, in: source) else { return }
        try read(json, name, into: &value)
    }

    /// Moves the member `name`; nil is not written. For what stored records of earlier versions
    /// lack: they stay byte for byte what is made again of their inputs.
    public mutating func ifPresent(
        _ name: String,
        _ value: inout (some WireValue)?
    ) throws(JSONValue.Malformed) {
        guard source != nil || value != nil || namesNil else {
            position += 1
            return
        }
        try self(name, &value)
    }

    /// Moves the member `name`, which must be there.
    public mutating func required(
        _ name: String,
        _ value: inout some WireValue
    ) throws(JSONValue.Malformed) {
        guard let source else {
            write(name, value)
            return
        }
        guard let json = next(name, in: source) else {
            throw JSONValue.Malformed(line: 0, problem: "member \"\(name)\" is missing")
        }
        try read(json, name, into: &value)
    }

    private func read<Value: WireValue>(
        _ json: JSONValue,
        _ name: String,
        into value: inout Value
    ) throws(JSONValue.Malformed) {
        do throws(JSONValue.Malformed) {
            value = try Value(json: json)
        } catch {
            throw JSONValue.Malformed(line: 0, problem: "member \"\(name)\": \(error.problem)")
        }
    }

    private mutating func next(_ name: String, in source: [JSONValue.Member]) -> JSONValue? {
        if cursor < source.count, source[cursor].name == name {
            cursor += 1
            return source[cursor - 1].value
        }
        guard let index = source.firstIndex(where: { $0.name == name }) else { return nil }
        cursor = index + 1
        return source[index].value
    }
}

// MARK: - Values

extension Bool: WireValue {
    /// Reads `true` or `false`.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        guard let value = json.bool else {
            throw JSONValue.Malformed(line: 0, problem: "true or false expected")
        }
        self = value
    }

    /// `true` or `false`.
    public var json: JSONValue { .bool(self) }
}

extension String: WireValue {
    /// Reads a string.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        guard let value = json.string else {
            throw JSONValue.Malformed(line: 0, problem: "a string expected")
        }
        self = value
    }

    /// The string.
    public var json: JSONValue { .string(self) }
}

extension FixedWidthInteger where Self: WireValue {
    /// Reads an integer that fits in this type.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        guard let number = json.integer, let value = Self(exactly: number) else {
            throw JSONValue.Malformed(
                line: 0,
                problem: "an integer from \(Self.min) to \(Self.max) expected"
            )
        }
        self = value
    }

    /// The integer.
    public var json: JSONValue { .integer(Int64(self)) }
}

extension Int: WireValue {}
extension Int32: WireValue {}
extension Int64: WireValue {}
extension UInt32: WireValue {}

extension SimInstant: WireValue {
    /// Reads integer microseconds since 1970-01-01 UTC.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        self.init(microseconds: try Int64(json: json))
    }

    /// Integer microseconds since 1970-01-01 UTC.
    public var json: JSONValue { .integer(microseconds) }
}

extension SimDuration: WireValue {
    /// Reads integer microseconds.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        self.init(microseconds: try Int64(json: json))
    }

    /// Integer microseconds.
    public var json: JSONValue { .integer(microseconds) }
}

extension ByteCount: WireValue {
    /// Reads a number of bytes.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        self.init(try Int64(json: json))
    }

    /// The number of bytes.
    public var json: JSONValue { .integer(count) }
}

extension Optional: WireValue where Wrapped: WireValue {
    /// Reads `null` as nil.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        self = json == .null ? nil : try Wrapped(json: json)
    }

    /// `null` for nil.
    public var json: JSONValue { self?.json ?? .null }
}

extension Array: WireValue where Element: WireValue {
    /// Reads an array.
    ///
    /// - Throws: `JSONValue.Malformed`, with the index of the element that is wrong.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        guard let values = json.array else {
            throw JSONValue.Malformed(line: 0, problem: "an array expected")
        }
        self = []
        reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            do throws(JSONValue.Malformed) {
                append(try Element(json: value))
            } catch {
                throw JSONValue.Malformed(line: 0, problem: "element \(index): \(error.problem)")
            }
        }
    }

    /// The array.
    public var json: JSONValue { .array(map(\.json)) }
}
