public import Quantities

/// A value of which a state has tens of thousands. It names its stored properties one after the other, as they are
/// declared, and so is written and read ten times as fast as by way of `Codable`, which asks each of them what it
/// is. The bytes are the same, and so is the fingerprint: `Codable` is the plain twin.
public protocol ImageRecord: Codable {
    /// A value whose properties are about to be read.
    static var blank: Self { get }

    /// Names every stored property once, in the order of their declaration.
    mutating func exchange(_ fields: inout ImageFields) throws
}

/// Carries the properties of one value into an image or out of it; each call moves one.
public struct ImageFields {
    private let way: Way
    private let isNew: Bool
    private var hash = ImageLayout.start

    private enum Way {
        case encoder(ImageEncoder)
        case decoder(ImageDecoder)
    }

    init(writing encoder: ImageEncoder, _ type: Any.Type) {
        way = .encoder(encoder)
        isNew = encoder.layout.meets(type)
    }

    init(reading decoder: ImageDecoder, _ type: Any.Type) {
        way = .decoder(decoder)
        isNew = decoder.layout.meets(type)
    }

    private mutating func note(_ name: StaticString, _ type: @autoclosure () -> Any.Type) {
        guard isNew else { return }
        switch way {
        case .encoder(let encoder): encoder.layout.add("\(name)", type(), &hash)
        case .decoder(let decoder): decoder.layout.add("\(name)", type(), &hash)
        }
    }

    @inline(__always)
    private mutating func move<Scalar: ImageScalar>(
        _ name: StaticString,
        _ value: inout Scalar
    ) throws {
        note(name, Scalar.self)
        switch way {
        case .encoder(let encoder): value.put(into: &encoder.bytes)
        case .decoder(let decoder): value = try Scalar.take(from: decoder)
        }
    }

    @inline(__always)
    private mutating func move<Scalar: ImageScalar>(
        _ name: StaticString,
        _ value: inout Scalar?
    ) throws {
        note(name, Scalar?.self)
        switch way {
        case .encoder(let encoder):
            encoder.bytes.append(value == nil ? 0 : 1)
            value?.put(into: &encoder.bytes)
        case .decoder(let decoder):
            value = try Bool.take(from: decoder) ? Scalar.take(from: decoder) : nil
        }
    }

    // MARK: What most properties are

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout Bool) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout Int) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout Int32) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout Int64) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout UInt8) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout UInt32) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout String) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout SimInstant) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout SimDuration) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout Bool?) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout Int32?) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout Int64?) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout UInt32?) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout String?) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout SimInstant?) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout SimDuration?) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout ByteCount?) throws {
        try move(name, &value)
    }

    /// Moves a property.
    public mutating func callAsFunction(_ name: StaticString, _ value: inout Fen?) throws {
        try move(name, &value)
    }

    // MARK: What has parts

    /// Moves a property that names its own.
    public mutating func record<Record: ImageRecord>(
        _ name: StaticString,
        _ value: inout Record
    ) throws {
        note(name, Record.self)
        switch way {
        case .encoder(let encoder): try encoder.put(record: value)
        case .decoder(let decoder): value = try decoder.takeRecord()
        }
    }

    /// Moves a list of many that name their own.
    public mutating func records<Record: ImageRecord>(
        _ name: StaticString,
        _ value: inout [Record]
    ) throws {
        note(name, [Record].self)
        switch way {
        case .encoder(let encoder): try encoder.put(records: value)
        case .decoder(let decoder): value = try decoder.takeRecords()
        }
    }

    /// Whether properties are read, and not written.
    public var isReading: Bool {
        if case .decoder = way { true } else { false }
    }

    /// Moves a list, which is empty as a rule.
    public mutating func list<Element: Codable>(
        _ name: StaticString,
        _ value: inout [Element]
    ) throws {
        note(name, [Element].self)
        switch way {
        case .encoder(let encoder):
            if value.isEmpty { encoder.putEmptyList() } else { try encoder.put(value) }
        case .decoder(let decoder):
            guard !decoder.takesEmptyList() else {
                value = []
                return
            }
            value = try decoder.take([Element].self)
        }
    }

    /// Moves any other property.
    public mutating func other<Value: Codable>(
        _ name: StaticString,
        _ value: inout Value
    ) throws {
        note(name, Value.self)
        switch way {
        case .encoder(let encoder): try encoder.put(value)
        case .decoder(let decoder): value = try decoder.take(Value.self)
        }
    }

    /// Moves any other property that may not be there.
    public mutating func optional<Value: Codable>(
        _ name: StaticString,
        _ value: inout Value?
    ) throws {
        note(name, Value?.self)
        switch way {
        case .encoder(let encoder):
            encoder.bytes.append(value == nil ? 0 : 1)
            if let value { try encoder.put(value) }
        case .decoder(let decoder):
            value = try Bool.take(from: decoder) ? decoder.take(Value.self) : nil
        }
    }
}
