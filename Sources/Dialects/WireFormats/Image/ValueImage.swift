import Quantities

// A value written down as it lies: every stored property of every part of it, in the order of their
// declaration, as the compiler derives it from them (`Codable`). So nothing is forgotten when a property
// is added, and there is no second description that could say something else.
//
//     integers     zigzag, seven bits a byte          enum       name of the case, then its values
//     text, lists  the length, then the elements      optional   a byte, then the value if it is 1
//     sets, dictionaries   the length, then the elements in the order of their bytes
//
// Equal values have equal bytes. No names stand in it: what the properties are called and of which types they
// are is summed up in a fingerprint, so that a program in which one is different does not read it.

/// Values as bytes, for whoever reads them back with the same declarations.
public enum ValueImage {
    /// Why bytes are not the image of a value.
    public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// The bytes end early, or go on after the value.
        case length
        /// A part of it means nothing here.
        case malformed(String)
        /// The declarations are not those with which it was written.
        case otherLayout
        /// A value has a part that cannot be written.
        case notWritable(String)

        /// One sentence for people.
        public var description: String {
            switch self {
            case .length: "it has not the length that it should have"
            case .malformed(let what): "there is no \(what) where one should be"
            case .otherLayout: "another version of the program wrote it"
            case .notWritable(let what): "\(what) cannot be written"
            }
        }
    }

    /// The image of a value.
    ///
    /// - Throws: `Failure`.
    public static func bytes(of value: some Encodable) throws(Failure) -> [UInt8] {
        try bytes(of: value, usesRecords: true)
    }

    /// The same, or by way of `Codable` all through: the plain twin.
    static func bytes(
        of value: some Encodable,
        usesRecords: Bool
    ) throws(Failure) -> [UInt8] {
        let encoder = ImageEncoder(usesRecords: usesRecords)
        do {
            try encoder.put(value)
        } catch {
            throw failure(error)
        }
        return encoder.finish()
    }

    /// The value of which `bytes` are the image.
    ///
    /// - Parameter context: what parts of it find in `userInfo`, under `imageContext`.
    /// - Throws: `Failure`; nothing that the bytes say is trusted.
    public static func value<Value: Decodable>(
        _ type: Value.Type,
        from bytes: [UInt8],
        context: (any Sendable)? = nil
    ) throws(Failure) -> Value {
        try value(type, from: bytes, context: context, usesRecords: true)
    }

    /// The same, or by way of `Codable` all through.
    static func value<Value: Decodable>(
        _ type: Value.Type,
        from bytes: [UInt8],
        context: (any Sendable)?,
        usesRecords: Bool
    ) throws(Failure) -> Value {
        guard bytes.count >= 8 else { throw .length }
        let layout = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let decoder = ImageDecoder(bytes, from: 8, context, usesRecords: usesRecords)
        let value: Value
        do {
            value = try decoder.take(type)
        } catch {
            // Read with other declarations it may fail anywhere.
            throw failure(error)
        }
        guard decoder.layout.value == layout else { throw .otherLayout }
        guard decoder.isAtEnd else { throw .length }
        return value
    }

    /// Whether two images are of the same declarations.
    public static func haveSameLayout(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.prefix(8) == other.prefix(8)
    }

    private static func failure(_ error: any Error) -> Failure {
        error as? Failure ?? .malformed("\(error)")
    }
}

extension CodingUserInfoKey {
    /// What whoever reads an image gives its parts to go by.
    public static let imageContext: CodingUserInfoKey = {
        guard let key = CodingUserInfoKey(rawValue: "image context") else {
            preconditionFailure("a text is a key")
        }
        return key
    }()
}

/// What the properties that were met are called, and of which types they are. A sum, so that it does not matter
/// in which order parts of a dictionary are met.
struct ImageLayout {
    private(set) var value: UInt64 = 0
    private var seen: Set<ObjectIdentifier> = []

    /// Whether a list of properties is met for the first time.
    mutating func meets(_ keys: Any.Type) -> Bool {
        seen.insert(ObjectIdentifier(keys)).inserted
    }

    /// Takes in a property; `hash` is of those before it in its list.
    mutating func add(_ name: String, _ type: Any.Type, _ hash: inout UInt64) {
        Self.mix(name, &hash)
        Self.mix("\(type)", &hash)
        value &+= hash
    }

    /// Takes in the cases of an enum that is written as the number, or the text, of its case: where they are in
    /// another order the same number means something else.
    mutating func add<Cases: CaseIterable & RawRepresentable>(_ type: Cases.Type) {
        var hash = Self.start
        Self.mix("\(type)", &hash)
        for one in Cases.allCases { Self.mix("\(one)=\(one.rawValue)", &hash) }
        value &+= hash
    }

    /// FNV-1a.
    static let start: UInt64 = 0xcbf2_9ce4_8422_2325

    private static func mix(_ text: String, _ hash: inout UInt64) {
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
}

/// What is written without asking it for its parts.
protocol ImageScalar {
    func put(into bytes: inout [UInt8])
    static func take(from decoder: ImageDecoder) throws -> Self
}

/// A list whose elements are written one after the other.
protocol ImageCollection {
    func put(into encoder: ImageEncoder) throws
    static func take(from decoder: ImageDecoder) throws -> Self
}

/// A list whose elements name their properties: read without asking each what it is.
protocol ImageRecordList {
    static func takeRecords(from decoder: ImageDecoder) throws -> Self
}

extension Array: ImageRecordList where Element: ImageRecord {
    static func takeRecords(from decoder: ImageDecoder) throws -> [Element] {
        try decoder.takeRecords()
    }
}

extension ContiguousArray: ImageRecordList where Element: ImageRecord {
    static func takeRecords(from decoder: ImageDecoder) throws -> ContiguousArray<Element> {
        ContiguousArray(try decoder.takeRecords() as [Element])
    }
}

/// A list of other values that have parts: read without a container for each.
protocol ImageList {
    static func takeElements(from decoder: ImageDecoder) throws -> Self
}

extension Array: ImageList where Element: Decodable {
    static func takeElements(from decoder: ImageDecoder) throws -> [Element] {
        let count = try decoder.elementCount()
        guard count > 0 else { return [] }
        var list: [Element] = []
        list.reserveCapacity(Swift.min(count, ImageDecoder.mostReserved))
        for _ in 0..<count { list.append(try decoder.take(Element.self)) }
        return list
    }
}

extension ContiguousArray: ImageList where Element: Decodable {
    static func takeElements(from decoder: ImageDecoder) throws -> ContiguousArray<Element> {
        ContiguousArray(try [Element].takeElements(from: decoder))
    }
}

/// How values of a type are written; looked for once for each type.
struct ImageKinds {
    enum Kind {
        case scalar(any ImageScalar.Type)
        case collection(any ImageCollection.Type)
        /// By the properties that it names.
        case record(any ImageRecord.Type)
        /// Element by element, each by the properties that it names.
        case records(any ImageRecordList.Type)
        /// Element by element, each by its parts.
        case list(any ImageList.Type)
        /// By its parts.
        case other
    }

    /// Whether there are records, or all is written by its parts.
    let usesRecords: Bool

    private var known: [ObjectIdentifier: Kind] = [:]

    init(usesRecords: Bool) {
        self.usesRecords = usesRecords
    }

    /// The kind of a type, whose cases `layout` takes in when it is met for the first time.
    mutating func kind(of type: Any.Type, noting layout: inout ImageLayout) -> Kind {
        if let kind = known[ObjectIdentifier(type)] { return kind }
        let kind = kind(of: type)
        known[ObjectIdentifier(type)] = kind
        if let cases = type as? any (CaseIterable & RawRepresentable).Type { layout.add(cases) }
        return kind
    }

    private func kind(of type: Any.Type) -> Kind {
        if let scalar = type as? any ImageScalar.Type { return .scalar(scalar) }
        if let collection = type as? any ImageCollection.Type { return .collection(collection) }
        guard usesRecords else { return .other }
        if let record = type as? any ImageRecord.Type { return .record(record) }
        if let list = type as? any ImageRecordList.Type { return .records(list) }
        if let list = type as? any ImageList.Type { return .list(list) }
        return .other
    }
}

// MARK: - Scalars

extension ImageScalar where Self: FixedWidthInteger {
    func put(into bytes: inout [UInt8]) {
        guard Self.bitWidth <= 64 else {
            for shift in stride(from: 0, to: Self.bitWidth, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: self >> Self(shift)))
            }
            return
        }
        var rest: UInt64
        if Self.isSigned {
            let signed = Int64(truncatingIfNeeded: self)
            rest = UInt64(bitPattern: signed << 1 ^ signed >> 63)
        } else {
            rest = UInt64(truncatingIfNeeded: self)
        }
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    static func take(from decoder: ImageDecoder) throws -> Self {
        guard Self.bitWidth <= 64 else {
            var value = Self.zero
            for shift in stride(from: 0, to: Self.bitWidth, by: 8) {
                value |= Self(truncatingIfNeeded: try decoder.byte()) << Self(shift)
            }
            return value
        }
        let raw = try decoder.number()
        let value =
            Self.isSigned
            ? Self(exactly: Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1))
            : Self(exactly: raw)
        guard let value else { throw ValueImage.Failure.malformed("\(Self.self)") }
        return value
    }
}

extension Int: ImageScalar {}
extension Int8: ImageScalar {}
extension Int16: ImageScalar {}
extension Int32: ImageScalar {}
extension Int64: ImageScalar {}
extension Int128: ImageScalar {}
extension UInt: ImageScalar {}
extension UInt8: ImageScalar {}
extension UInt16: ImageScalar {}
extension UInt32: ImageScalar {}
extension UInt64: ImageScalar {}
extension UInt128: ImageScalar {}

extension Bool: ImageScalar {
    func put(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }

    static func take(from decoder: ImageDecoder) throws -> Bool {
        switch try decoder.byte() {
        case 0: false
        case 1: true
        default: throw ValueImage.Failure.malformed("Bool")
        }
    }
}

extension Double: ImageScalar {
    func put(into bytes: inout [UInt8]) { bitPattern.put(into: &bytes) }

    static func take(from decoder: ImageDecoder) throws -> Double {
        Double(bitPattern: try UInt64.take(from: decoder))
    }
}

extension Float: ImageScalar {
    func put(into bytes: inout [UInt8]) { bitPattern.put(into: &bytes) }

    static func take(from decoder: ImageDecoder) throws -> Float {
        Float(bitPattern: try UInt32.take(from: decoder))
    }
}

extension String: ImageScalar {
    func put(into bytes: inout [UInt8]) {
        utf8.count.put(into: &bytes)
        bytes += utf8
    }

    static func take(from decoder: ImageDecoder) throws -> String {
        let bytes = try decoder.bytes(try decoder.count())
        guard let text = String(utf8: bytes) else {
            throw ValueImage.Failure.malformed("text")
        }
        return text
    }
}

// What is one number with a unit is written as that number, without being asked for its parts: a state has
// more of them than of anything else.

extension SimInstant: ImageScalar {
    func put(into bytes: inout [UInt8]) { microseconds.put(into: &bytes) }

    static func take(from decoder: ImageDecoder) throws -> SimInstant {
        SimInstant(microseconds: try Int64.take(from: decoder))
    }
}

extension SimDuration: ImageScalar {
    func put(into bytes: inout [UInt8]) { microseconds.put(into: &bytes) }

    static func take(from decoder: ImageDecoder) throws -> SimDuration {
        SimDuration(microseconds: try Int64.take(from: decoder))
    }
}

extension Fen: ImageScalar {
    func put(into bytes: inout [UInt8]) { count.put(into: &bytes) }

    static func take(from decoder: ImageDecoder) throws -> Fen {
        Fen(try Int64.take(from: decoder))
    }
}

extension ByteCount: ImageScalar {
    func put(into bytes: inout [UInt8]) { count.put(into: &bytes) }

    static func take(from decoder: ImageDecoder) throws -> ByteCount {
        ByteCount(try Int64.take(from: decoder))
    }
}

// MARK: - Collections

extension Array: ImageCollection where Element: ImageScalar {
    func put(into encoder: ImageEncoder) {
        count.put(into: &encoder.bytes)
        for element in self { element.put(into: &encoder.bytes) }
    }

    static func take(from decoder: ImageDecoder) throws -> [Element] {
        let count = try decoder.count()
        var list: [Element] = []
        list.reserveCapacity(Swift.min(count, ImageDecoder.mostReserved))
        for _ in 0..<count { list.append(try Element.take(from: decoder)) }
        return list
    }
}

extension ContiguousArray: ImageCollection where Element: ImageScalar {
    func put(into encoder: ImageEncoder) {
        count.put(into: &encoder.bytes)
        for element in self { element.put(into: &encoder.bytes) }
    }

    static func take(from decoder: ImageDecoder) throws -> ContiguousArray<Element> {
        let count = try decoder.count()
        var list: ContiguousArray<Element> = []
        list.reserveCapacity(Swift.min(count, ImageDecoder.mostReserved))
        for _ in 0..<count { list.append(try Element.take(from: decoder)) }
        return list
    }
}

extension Set: ImageCollection where Element: Codable {
    func put(into encoder: ImageEncoder) throws {
        count.put(into: &encoder.bytes)
        try encoder.putSorted(self) { try encoder.put($0) }
    }

    static func take(from decoder: ImageDecoder) throws -> Set<Element> {
        var set: Set<Element> = []
        for _ in 0..<(try decoder.count()) { set.insert(try decoder.take(Element.self)) }
        return set
    }
}

extension Dictionary: ImageCollection where Key: Codable, Value: Codable {
    func put(into encoder: ImageEncoder) throws {
        count.put(into: &encoder.bytes)
        try encoder.putSorted(self) { key, value in
            try encoder.put(key)
            try encoder.put(value)
        }
    }

    static func take(from decoder: ImageDecoder) throws -> [Key: Value] {
        let count = try decoder.count()
        var dictionary: [Key: Value] = [:]
        dictionary.reserveCapacity(Swift.min(count, ImageDecoder.mostReserved))
        for _ in 0..<count {
            let key = try decoder.take(Key.self)
            dictionary[key] = try decoder.take(Value.self)
        }
        return dictionary
    }
}
