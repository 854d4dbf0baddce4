import Quantities
import WireFormats

/// An object of Slurm's data model, member by member in the order in which Slurm writes them.
struct DataObject {
    private var members: [JSONValue.Member]

    init(members: [JSONValue.Member] = []) {
        self.members = members
    }

    /// The object.
    var json: JSONValue { .object(members) }

    /// A word; empty where there is none, as Slurm's is.
    mutating func text(_ name: String, _ value: String?) {
        members.append(.init(name, .string(value ?? "")))
    }

    /// A plain integer, where Slurm has no way to say that there is none.
    mutating func integer(_ name: String, _ value: some BinaryInteger) {
        members.append(.init(name, .integer(Int64(clamping: value))))
    }

    /// A truth value.
    mutating func flag(_ name: String, _ value: Bool) {
        members.append(.init(name, .bool(value)))
    }

    /// A list of words.
    mutating func words(_ name: String, _ values: [String]) {
        members.append(.init(name, .array(values.map { .string($0) })))
    }

    /// A number that may be missing.
    mutating func number(_ name: String, _ value: (some BinaryInteger)?) {
        members.append(.init(name, Self.number(value.map { .integer(Int64(clamping: $0)) })))
    }

    /// A number that is infinite where it is missing.
    mutating func limit(_ name: String, _ value: (some BinaryInteger)?) {
        members.append(.init(name, Self.limit(value)))
    }

    /// A number that is infinite where it is missing.
    static func limit(_ value: (some BinaryInteger)?) -> JSONValue {
        let number = value.map { JSONValue.integer(Int64(clamping: $0)) }
        return Self.number(number, isInfinite: value == nil)
    }

    /// A part of a whole, or another ratio, that may be missing or infinite.
    mutating func ratio(_ name: String, _ value: Double?) {
        let isFinite = value?.isFinite ?? false
        let number = isFinite ? value.map { JSONValue.number($0) } : nil
        members.append(.init(name, Self.number(number, isInfinite: value?.isInfinite ?? false)))
    }

    /// A member of any form.
    mutating func value(_ name: String, _ value: JSONValue) {
        members.append(.init(name, value))
    }

    /// A member in objects in the object, which come about where they are missing.
    mutating func value(at path: some Sequence<String>, _ value: JSONValue) {
        var rest = Array(path)
        guard let last = rest.popLast() else { return }
        guard let first = rest.first else { return self.value(last, value) }
        let place = members.firstIndex { $0.name == first }
        var inner = DataObject(members: place.flatMap { members[$0].value.members } ?? [])
        inner.value(at: rest.dropFirst() + [last], value)
        if let place {
            members[place] = .init(first, inner.json)
        } else {
            members.append(.init(first, inner.json))
        }
    }

    /// An instant as seconds since 1970, which may be missing.
    mutating func time(_ name: String, _ value: SimInstant?) {
        number(name, value?.seconds ?? 0)
    }

    /// A list of objects.
    mutating func list(_ name: String, _ values: [JSONValue]) {
        members.append(.init(name, .array(values)))
    }

    /// An object in the object.
    mutating func object(_ name: String, _ fill: (inout DataObject) -> Void) {
        members.append(.init(name, Self.made(fill)))
    }

    /// An object that `fill` fills.
    static func made(_ fill: (inout DataObject) -> Void) -> JSONValue {
        var inner = DataObject()
        fill(&inner)
        return inner.json
    }

    /// The way a process ended.
    mutating func exit(_ name: String, code: Int32, signal: Int32, isOver: Bool) {
        object(name) { exit in
            let word =
                !isOver ? "PENDING" : signal != 0 ? "SIGNALED" : code == 0 ? "SUCCESS" : "ERROR"
            exit.words("status", [word])
            exit.number("return_code", isOver ? code : nil)
            exit.object("signal") { inner in
                inner.number("id", signal == 0 ? nil : signal)
                inner.text("name", "")
            }
        }
    }

    /// `{"set": true, "infinite": false, "number": 5}`.
    private static func number(_ value: JSONValue?, isInfinite: Bool = false) -> JSONValue {
        .object([
            .init("set", .bool(value != nil)), .init("infinite", .bool(isInfinite)),
            .init("number", value ?? .integer(0)),
        ])
    }
}
