import Quantities
import WireFormats

/// An object of Slurm's data model, member by member in the order in which Slurm writes them.
struct DataObject {
    private var members: [JSONValue.Member] = []

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
        let number = value.map { JSONValue.integer(Int64(clamping: $0)) }
        members.append(.init(name, Self.number(number, isInfinite: value == nil)))
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
