import IndexSets
import Quantities
import WireFormats

/// A part of a machine that names its members once, for both directions, as a `WireRecord` does.
///
/// The parts are values of the domain, which knows no JSON and has no empty parts; that they travel
/// as JSON, and what is read into, stays inside this module.
protocol CodedPart: Hashable, Sendable {
    /// What a record is read into.
    static var blank: Self { get }

    /// Names every member once, in the order in which they are written.
    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed)
}

/// A part on its way.
struct Coded<Part: CodedPart>: WireRecord {
    var part = Part.blank

    init() {}

    init(_ part: Part) {
        self.part = part
    }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try part.exchange(&fields)
    }
}

/// A word of a fixed list on its way.
private struct CodedChoice<Choice>: WireValue
where Choice: RawRepresentable<String> & CaseIterable & Hashable & Sendable {
    var choice: Choice

    init(_ choice: Choice) {
        self.choice = choice
    }

    init(json: JSONValue) throws(JSONValue.Malformed) {
        guard let choice = Choice(rawValue: try String(json: json)) else {
            let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw JSONValue.Malformed(line: 0, problem: "one of \(words) expected")
        }
        self.choice = choice
    }

    var json: JSONValue { .string(choice.rawValue) }
}

/// A set of nodes on its way: `"0-63,70"`.
private struct CodedSet: WireValue {
    var set: IDSet

    init(_ set: IDSet) {
        self.set = set
    }

    init(json: JSONValue) throws(JSONValue.Malformed) {
        let text = try String(json: json)
        set = IDSet()
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil,
                first >= 0, first <= last, last < HostList.maximumCount
            else { throw JSONValue.Malformed(line: 0, problem: "'\(part)' is no range of nodes") }
            set.formUnion(IDSet(first..<last + 1))
        }
    }

    var json: JSONValue {
        var parts: [String] = []
        var run: (first: Int, last: Int)?
        func text(_ run: (first: Int, last: Int)) -> String {
            run.first == run.last ? "\(run.first)" : "\(run.first)-\(run.last)"
        }
        for member in set {
            if let known = run, known.last + 1 == member {
                run = (known.first, member)
            } else {
                if let run { parts.append(text(run)) }
                run = (member, member)
            }
        }
        if let run { parts.append(text(run)) }
        return .string(parts.joined(separator: ","))
    }
}

extension WireFields {
    /// Moves a part.
    mutating func part(
        _ name: String,
        _ part: inout some CodedPart
    ) throws(JSONValue.Malformed) {
        var coded = Coded(part)
        try self(name, &coded)
        part = coded.part
    }

    /// Moves a part that may be absent.
    mutating func part<Part: CodedPart>(
        _ name: String,
        _ part: inout Part?
    ) throws(JSONValue.Malformed) {
        var coded = part.map { Coded($0) }
        try self(name, &coded)
        part = coded?.part
    }

    /// Moves a list of parts.
    mutating func parts<Part: CodedPart>(
        _ name: String,
        _ parts: inout [Part]
    ) throws(JSONValue.Malformed) {
        var coded = parts.map { Coded($0) }
        try required(name, &coded)
        parts = coded.map(\.part)
    }

    /// Moves a list of parts that is left out when it is empty.
    mutating func someParts<Part: CodedPart>(
        _ name: String,
        _ parts: inout [Part]
    ) throws(JSONValue.Malformed) {
        var coded: [Coded<Part>]? = parts.isEmpty ? nil : parts.map { Coded($0) }
        try self(name, &coded)
        parts = coded?.map(\.part) ?? []
    }

    /// The same; nothing is written of an empty one, since stored records of earlier versions lack it.
    mutating func partsIfAny<Part: CodedPart>(
        _ name: String,
        _ parts: inout [Part]
    ) throws(JSONValue.Malformed) {
        var coded: [Coded<Part>]? = parts.isEmpty ? nil : parts.map { Coded($0) }
        try ifPresent(name, &coded)
        parts = coded?.map(\.part) ?? []
    }

    /// Moves a list of names; nothing is written of an empty one, since stored records of earlier versions lack it.
    mutating func namesIfAny(
        _ name: String,
        _ names: inout [String]
    ) throws(JSONValue.Malformed) {
        var some = names.isEmpty ? nil : Optional(names)
        try ifPresent(name, &some)
        names = some ?? []
    }

    /// Moves a word of a fixed list.
    mutating func choice<Choice>(
        _ name: String,
        _ choice: inout Choice
    ) throws(JSONValue.Malformed)
    where Choice: RawRepresentable<String> & CaseIterable & Hashable & Sendable {
        var coded = CodedChoice(choice)
        try required(name, &coded)
        choice = coded.choice
    }

    /// Moves a set of nodes.
    mutating func set(_ name: String, _ set: inout IDSet) throws(JSONValue.Malformed) {
        var coded = CodedSet(set)
        try required(name, &coded)
        set = coded.set
    }

    /// Moves a quantity as a bare integer in its own unit.
    mutating func quantity<Quantity>(
        _ name: String,
        _ quantity: inout Quantity?,
        _ integer: KeyPath<Quantity, Int64>,
        _ make: (Int64) -> Quantity
    ) throws(JSONValue.Malformed) {
        var number = quantity.map { $0[keyPath: integer] }
        try self(name, &number)
        quantity = number.map(make)
    }
}
