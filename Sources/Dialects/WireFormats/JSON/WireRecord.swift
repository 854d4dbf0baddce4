public import Quantities

/// A value that travels as JSON between the daemon and its clients.
public protocol WireValue: Hashable, Sendable {
    /// Reads the value.
    ///
    /// - Throws: `JSONValue.Malformed` when the JSON is of another type or out of range.
    init(json: JSONValue) throws(JSONValue.Malformed)

    /// Reads many.
    ///
    /// - Throws: `JSONValue.Malformed`, with the index of the element that is wrong.
    static func readAll(_ values: [JSONValue]) throws(JSONValue.Malformed) -> [Self]

    /// Reads the value from the text of a document in the usual form; the same as by way of the tree.
    ///
    /// - Throws: `JSONValue.Malformed` where it is not in that form, or wrong.
    init(reading reader: inout JSONReader) throws(JSONValue.Malformed)

    /// The value as JSON.
    var json: JSONValue { get }

    /// Writes the value into a document; byte for byte what `json` would be there.
    func write(to text: inout JSONText)

    /// Whether it is known to be null without writing it.
    var isNothing: Bool { get }

    /// What its JSON may be, as a schema of OpenAPI 3.0.
    static var schema: JSONValue { get }
}

extension WireValue {
    /// Reads the value by way of its tree.
    public init(reading reader: inout JSONReader) throws(JSONValue.Malformed) {
        try self.init(json: reader.value())
    }

    /// Reads a document.
    ///
    /// - Throws: `JSONValue.Malformed`, with the line or the member.
    public init(parsing bytes: [UInt8]) throws(JSONValue.Malformed) {
        if let value = JSONReader.usual(Self.self, in: bytes) {
            self = value
        } else {
            try self.init(json: JSONValue(parsing: bytes))
        }
    }

    /// Not known.
    public var isNothing: Bool { false }

    /// Writes the value by way of `json`.
    public func write(to text: inout JSONText) { text.write(json) }

    /// The value on one line, in UTF-8: `json.compactBytes`, without the tree.
    public var compactBytes: [UInt8] {
        var text = JSONText()
        write(to: &text)
        return text.bytes
    }

    /// The value on one line.
    public var compactText: String { compactText(withoutNulls: 0) }

    /// The value on one line, without members that are null in so many objects within one another.
    public func compactText(withoutNulls levels: Int) -> String {
        var text = JSONText(withoutNulls: levels)
        write(to: &text)
        return text.text
    }

    /// Reads many, each by itself.
    ///
    /// - Throws: `JSONValue.Malformed`, with the index of the element that is wrong.
    public static func readAll(_ values: [JSONValue]) throws(JSONValue.Malformed) -> [Self] {
        try readEach(values) { json throws(JSONValue.Malformed) in try Self(json: json) }
    }

    fileprivate static func readEach(
        _ values: [JSONValue],
        _ read: (JSONValue) throws(JSONValue.Malformed) -> Self
    ) throws(JSONValue.Malformed) -> [Self] {
        var list: [Self] = []
        list.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            do throws(JSONValue.Malformed) {
                list.append(try read(value))
            } catch {
                throw JSONValue.Malformed(line: 0, problem: "element \(index): \(error.problem)")
            }
        }
        return list
    }
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
        var shape: WireShape?
        try self.init(json: json, &shape)
    }

    /// Reads many, whose members usually lie alike.
    ///
    /// - Throws: `JSONValue.Malformed`, with the index of the element that is wrong.
    public static func readAll(_ values: [JSONValue]) throws(JSONValue.Malformed) -> [Self] {
        var shape: WireShape? = WireShape()
        return try readEach(values) { json throws(JSONValue.Malformed) in
            try Self(json: json, &shape)
        }
    }

    private init(json: JSONValue, _ shape: inout WireShape?) throws(JSONValue.Malformed) {
        guard case .object(let members) = json else {
            throw JSONValue.Malformed(line: 0, problem: "an object expected")
        }
        self.init()
        shape?.adapt(to: members)
        var fields = WireFields(reading: members, shape)
        try exchange(&fields)
        shape = fields.shape
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

    /// Writes the object, member by member.
    public func write(to text: inout JSONText) { write(to: &text, selecting: nil) }

    /// Writes the object with some of its members.
    ///
    /// - Parameter selection: for each member, in order, whether it is wanted; nil for all.
    public func write(to text: inout JSONText, selecting selection: [Bool]?) {
        var copy = self
        let outside = text.open()
        var fields = WireFields(writing: &text, selecting: selection)
        do throws(JSONValue.Malformed) {
            try copy.exchange(&fields)
        } catch {
            preconditionFailure("writing a record cannot fail: \(error)")
        }
        fields.giveBack(&text)
        text.close(outside)
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

    /// Reads an object, member by member.
    public init(reading reader: inout JSONReader) throws(JSONValue.Malformed) {
        try self.init(reading: &reader, selecting: nil)
    }

    /// Reads an object of which only some members are wanted.
    ///
    /// - Parameter selection: for each member, in order, whether it is read; nil for all.
    init(
        reading reader: inout JSONReader,
        selecting selection: [Bool]?
    ) throws(JSONValue.Malformed) {
        self.init()
        var record = self
        try reader.object { reader throws(JSONValue.Malformed) in
            var fields = WireFields(reading: &reader, Self.self, selecting: selection)
            try record.exchange(&fields)
            fields.giveBack(&reader)
        }
        self = record
    }
}

/// Where a record's members were found, for the next record: a listing's 50,000 jobs name a dozen of
/// sixty members, each job the same.
struct WireShape: Sendable {
    /// The object that was read last.
    private var members: [JSONValue.Member] = []
    /// By the order in which members are called: the name, and where it lies; −1 where it is missing.
    private var places: [(name: String, index: Int)] = []

    /// Forgets all if an object has other members than the last.
    mutating func adapt(to members: [JSONValue.Member]) {
        let isAlike = members.elementsEqual(self.members) { $0.name == $1.name }
        self.members = members
        guard !isAlike else { return }
        places.removeAll(keepingCapacity: true)
    }

    /// Where the member that is called as number `call` lies; −1 where it is missing.
    mutating func index(of name: String, call: Int, after last: Int) -> Int {
        if call < places.count, places[call].name == name { return places[call].index }
        let index = members.index(of: name, after: last)
        if call == places.count { places.append((name, index)) }
        return index
    }
}

extension [JSONValue.Member] {
    /// Where the member `name` lies; −1 where it is missing. Members usually come in the order in which they
    /// are written, so reading an object is linear.
    fileprivate func index(of name: String, after last: Int) -> Int {
        let next = last + 1
        if next < count, self[next].name == name { return next }
        return firstIndex { $0.name == name } ?? -1
    }
}

/// Carries the members of one object in or out. Each call moves one member.
public struct WireFields {
    private let source: [JSONValue.Member]?
    /// Where the members of `source` lie, for records that come in lists.
    fileprivate var shape: WireShape?
    /// Where the last member lay that was read.
    private var lastIndex = -1
    fileprivate var written: [JSONValue.Member] = []
    /// Where members go to or come from.
    private let way: Way
    private var text = JSONText()
    private var reader = JSONReader([])
    /// The record whose members are read.
    private var record: (any WireRecord.Type)?

    private enum Way {
        /// A tree, or a description.
        case tree
        case text
        case reader
    }

    /// Whether members are written that usually are not when they are nil.
    fileprivate var namesNil = false

    /// Whether members are described rather than moved.
    private let describes: Bool
    /// The schema of each member.
    private(set) var described: [JSONValue.Member] = []
    /// The members that must be there.
    private(set) var requiredNames: [String] = []

    /// For each member, in order, whether it is to be written or read; nil for all.
    private let selection: [Bool]?
    /// How many members were called, moved or not.
    private var position = 0

    init() {
        source = nil
        selection = nil
        describes = false
        way = .tree
        written.reserveCapacity(64)
    }

    init(selecting selection: [Bool]) {
        source = nil
        self.selection = selection
        describes = false
        way = .tree
        written.reserveCapacity(16)
    }

    /// Writes members into a document, which is here until `giveBack`.
    fileprivate init(writing text: inout JSONText, selecting selection: [Bool]?) {
        source = nil
        self.selection = selection
        describes = false
        way = .text
        swap(&self.text, &text)
    }

    fileprivate mutating func giveBack(_ text: inout JSONText) {
        swap(&self.text, &text)
    }

    /// Reads members from a document, which is here until `giveBack`.
    fileprivate init(
        reading reader: inout JSONReader,
        _ record: any WireRecord.Type,
        selecting selection: [Bool]?
    ) {
        source = nil
        self.selection = selection
        describes = false
        way = .reader
        self.record = record
        swap(&self.reader, &reader)
    }

    fileprivate mutating func giveBack(_ reader: inout JSONReader) {
        swap(&self.reader, &reader)
    }

    /// Describes members.
    init(describing _: Void) {
        source = nil
        selection = nil
        describes = true
        way = .tree
        namesNil = true
    }

    init(reading members: [JSONValue.Member], _ shape: WireShape?) {
        source = members
        selection = nil
        describes = false
        way = .tree
        self.shape = shape
    }

    private mutating func write<Value: WireValue>(
        _ name: String,
        _ value: Value,
        isRequired: Bool = false
    ) {
        guard !describes else {
            described.append(JSONValue.Member(name, Value.schema))
            if isRequired { requiredNames.append(name) }
            return
        }
        position += 1
        guard selection?[position - 1] ?? true else { return }
        guard way != .text else {
            // Of what may be asked for most is not: neither it nor its name is written to be taken back.
            if text.leavesNullsOut, value.isNothing { return }
            text.member(name) { value.write(to: &$0) }
            return
        }
        written.append(JSONValue.Member(name, value.json))
    }

    /// Moves the member `name`; when reading, a missing one leaves `value` as it is.
    public mutating func callAsFunction(
        _ name: String,
        _ value: inout some WireValue
    ) throws(JSONValue.Malformed) {
        guard way != .reader else {
            _ = try readNext(name, &value)
            return
        }
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
        guard source != nil || way == .reader || value != nil || namesNil else {
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
        guard way != .reader else {
            guard try !readNext(name, &value) else { return }
            throw JSONValue.Malformed(line: 0, problem: "member \"\(name)\" is missing")
        }
        guard let source else {
            write(name, value, isRequired: true)
            return
        }
        guard let json = next(name, in: source) else {
            throw JSONValue.Malformed(line: 0, problem: "member \"\(name)\" is missing")
        }
        try read(json, name, into: &value)
    }

    /// Reads the member `name` from the text, if it comes next; whether it does.
    private mutating func readNext<Value: WireValue>(
        _ name: String,
        _ value: inout Value
    ) throws(JSONValue.Malformed) -> Bool {
        position += 1
        guard reader.takes(name) else { return false }
        guard selection?[position - 1] ?? true else {
            try reader.pass()
            return true
        }
        value = try Value(reading: &reader)
        try reader.checkControls(
            isFree: (record as? any WireRequest.Type)?.freeTexts.contains(name) ?? false
        )
        return true
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
        defer { position += 1 }
        let index =
            shape?.index(of: name, call: position, after: lastIndex)
            ?? source.index(of: name, after: lastIndex)
        guard index >= 0 else { return nil }
        lastIndex = index
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

    /// Reads it without a detour.
    public init(reading reader: inout JSONReader) throws(JSONValue.Malformed) {
        self = try reader.truth()
    }

    /// Writes it without a detour.
    public func write(to text: inout JSONText) { text.write(self) }
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

    /// Reads it without a detour.
    public init(reading reader: inout JSONReader) throws(JSONValue.Malformed) {
        self = try reader.text()
    }

    /// Writes it without a detour.
    public func write(to text: inout JSONText) { text.write(self) }
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

    /// Reads it without a detour.
    public init(reading reader: inout JSONReader) throws(JSONValue.Malformed) {
        try self.init(json: .integer(reader.integer()))
    }

    /// Writes it without a detour.
    public func write(to text: inout JSONText) { text.write(Int64(self)) }
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

    /// Reads it without a detour.
    public init(reading reader: inout JSONReader) throws(JSONValue.Malformed) {
        self.init(microseconds: try reader.integer())
    }

    /// Writes it without a detour.
    public func write(to text: inout JSONText) { text.write(microseconds) }
}

extension SimDuration: WireValue {
    /// Reads integer microseconds.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        self.init(microseconds: try Int64(json: json))
    }

    /// Integer microseconds.
    public var json: JSONValue { .integer(microseconds) }

    /// Reads it without a detour.
    public init(reading reader: inout JSONReader) throws(JSONValue.Malformed) {
        self.init(microseconds: try reader.integer())
    }

    /// Writes it without a detour.
    public func write(to text: inout JSONText) { text.write(microseconds) }
}

extension ByteCount: WireValue {
    /// Reads a number of bytes.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        self.init(try Int64(json: json))
    }

    /// The number of bytes.
    public var json: JSONValue { .integer(count) }

    /// Reads it without a detour.
    public init(reading reader: inout JSONReader) throws(JSONValue.Malformed) {
        self.init(try reader.integer())
    }

    /// Writes it without a detour.
    public func write(to text: inout JSONText) { text.write(count) }
}

extension Optional: WireValue where Wrapped: WireValue {
    /// Reads `null` as nil.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        self = json == .null ? nil : try Wrapped(json: json)
    }

    /// `null` for nil.
    public var json: JSONValue { self?.json ?? .null }

    /// Reads the value, or `null` as nil.
    public init(reading reader: inout JSONReader) throws(JSONValue.Malformed) {
        self = try reader.takesNull() ? nil : try Wrapped(reading: &reader)
    }

    /// Whether it is nil.
    public var isNothing: Bool { self == nil }

    /// Writes the value, or `null`.
    public func write(to text: inout JSONText) {
        if let self { self.write(to: &text) } else { text.null() }
    }
}

extension Array: WireValue where Element: WireValue {
    /// Reads an array.
    ///
    /// - Throws: `JSONValue.Malformed`, with the index of the element that is wrong.
    public init(json: JSONValue) throws(JSONValue.Malformed) {
        guard let values = json.array else {
            throw JSONValue.Malformed(line: 0, problem: "an array expected")
        }
        self = try Element.readAll(values)
    }

    /// The array.
    public var json: JSONValue { .array(map(\.json)) }

    /// Reads the elements, one after the other.
    public init(reading reader: inout JSONReader) throws(JSONValue.Malformed) {
        self = try reader.list()
    }

    /// Writes the elements, one after the other.
    public func write(to text: inout JSONText) { text.list(self) { $1.write(to: &$0) } }
}
