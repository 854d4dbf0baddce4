/// Reads what `ImageEncoder` wrote.
final class ImageDecoder: Decoder {
    private let image: [UInt8]
    private var position: Int
    var layout = ImageLayout()
    let userInfo: [CodingUserInfoKey: Any]
    private var kinds: ImageKinds

    init(_ image: [UInt8], from start: Int, _ context: (any Sendable)?, usesRecords: Bool) {
        self.image = image
        kinds = ImageKinds(usesRecords: usesRecords)
        position = start
        userInfo = context.map { [.imageContext: $0] } ?? [:]
    }

    /// For how many elements room is made before they are read: a length that is not true, in a damaged image,
    /// must not take what memory there is.
    static let mostReserved = 1 << 16

    var isAtEnd: Bool { position == image.count }

    var codingPath: [any CodingKey] { [] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Properties<Key>(decoder: self, isNew: layout.meets(type)))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        Elements(decoder: self, count: try elementCount())
    }

    /// The length of a list of values that have parts.
    func elementCount() throws -> Int {
        var count = 0
        for byte in 0..<4 { count |= Int(try self.byte()) << (8 * byte) }
        guard count <= image.count - position else { throw ValueImage.Failure.length }
        return count
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { One(decoder: self) }

    // MARK: Bytes

    func byte() throws -> UInt8 {
        guard position < image.count else { throw ValueImage.Failure.length }
        defer { position += 1 }
        return image[position]
    }

    func number() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let byte = try byte()
            guard shift < 63 || byte <= 1 else { break }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw ValueImage.Failure.malformed("number")
    }

    /// A length: there is a byte at least for each element.
    func count() throws -> Int {
        let count = try Int.take(from: self)
        guard count >= 0, count <= image.count - position else { throw ValueImage.Failure.length }
        return count
    }

    func bytes(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count <= image.count - position else { throw ValueImage.Failure.length }
        defer { position += count }
        return image[position..<position + count]
    }

    // MARK: Values

    /// Reads one value.
    func take<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let value: Any
        switch kinds.kind(of: type, noting: &layout) {
        case .scalar(let scalar): value = try scalar.take(from: self)
        case .collection(let collection): value = try collection.take(from: self)
        case .record(let record): value = try takeAny(record)
        case .records(let list): value = try list.takeRecords(from: self)
        case .list(let list): value = try list.takeElements(from: self)
        case .other: return try Value(from: self)
        }
        guard let value = value as? Value else { throw ValueImage.Failure.malformed("\(type)") }
        return value
    }

    private func takeAny<Record: ImageRecord>(_: Record.Type) throws -> any ImageRecord {
        try takeRecord() as Record
    }

    /// Reads a value by the properties that it names.
    func takeRecord<Record: ImageRecord>() throws -> Record {
        guard kinds.usesRecords else { return try Record(from: self) }
        var record = Record.blank
        var fields = ImageFields(reading: self, Record.self)
        try record.exchange(&fields)
        return record
    }

    /// Reads a list of such values.
    func takeRecords<Record: ImageRecord>() throws -> [Record] {
        let count = try elementCount()
        var records: [Record] = []
        records.reserveCapacity(min(count, Self.mostReserved))
        for _ in 0..<count { records.append(try takeRecord()) }
        return records
    }

    /// Passes over a list of nothing, if one comes next.
    func takesEmptyList() -> Bool {
        guard image.count - position >= 4, image[position..<position + 4].allSatisfy({ $0 == 0 })
        else { return false }
        position += 4
        return true
    }

    /// The properties of a struct, or the case of an enum.
    private struct Properties<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let decoder: ImageDecoder
        /// Of the properties so far, where they are met for the first time. A container is not changed by
        /// reading, so what it counts lies elsewhere.
        private let hash: Hash?

        private final class Hash {
            var value = ImageLayout.start
        }

        init(decoder: ImageDecoder, isNew: Bool) {
            self.decoder = decoder
            hash = isNew ? Hash() : nil
        }

        var codingPath: [any CodingKey] { [] }

        /// The case of an enum, which is asked for before it is read.
        var allKeys: [Key] {
            let place = decoder.position
            defer { decoder.position = place }
            let name = try? String.take(from: decoder)
            return name.flatMap(Key.init(stringValue:)).map { [$0] } ?? []
        }

        /// Nearly always the property was met before, and nobody wants to know of which type it is.
        private func note(_ key: Key, _ type: @autoclosure () -> Any.Type) {
            if let hash { decoder.layout.add(key.stringValue, type(), &hash.value) }
        }

        func contains(_ key: Key) -> Bool { true }

        func decodeNil(forKey key: Key) -> Bool {
            note(key, Never.self)
            return true
        }

        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            note(key, Value.self)
            return try decoder.take(type)
        }

        func decodeIfPresent<Value: Decodable>(
            _ type: Value.Type,
            forKey key: Key
        ) throws -> Value? {
            try takeIfPresent(type, key)
        }

        private func takeIfPresent<Value: Decodable>(
            _ type: Value.Type,
            _ key: Key
        ) throws -> Value? {
            note(key, Value?.self)
            return try Bool.take(from: decoder) ? try decoder.take(type) : nil
        }

        private func takeScalarIfPresent<Scalar: ImageScalar>(
            _ type: Scalar.Type,
            _ key: Key
        ) throws -> Scalar? {
            note(key, Scalar?.self)
            return try Bool.take(from: decoder) ? try Scalar.take(from: decoder) : nil
        }

        // For all that follows here the standard library has answers of its own, which come before those for
        // any type.

        func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: Int128.Type, forKey key: Key) throws -> Int128? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? {
            try takeScalarIfPresent(type, key)
        }
        func decodeIfPresent(_ type: UInt128.Type, forKey key: Key) throws -> UInt128? {
            try takeScalarIfPresent(type, key)
        }

        // What most properties are is read without a look at what it is.

        func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try take(type, key) }
        func decode(_ type: String.Type, forKey key: Key) throws -> String { try take(type, key) }
        func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try take(type, key) }
        func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try take(type, key) }
        func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try take(type, key) }
        func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try take(type, key) }
        func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try take(type, key) }
        func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try take(type, key) }
        func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try take(type, key) }
        func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try take(type, key) }
        func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try take(type, key) }

        private func take<Scalar: ImageScalar>(_ type: Scalar.Type, _ key: Key) throws -> Scalar {
            note(key, type)
            return try Scalar.take(from: decoder)
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> {
            _ = try String.take(from: decoder)
            return decoder.container(keyedBy: type)
        }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try decoder.unkeyedContainer()
        }

        func superDecoder() -> any Decoder { decoder }
        func superDecoder(forKey key: Key) -> any Decoder { decoder }
    }

    /// A list.
    private struct Elements: UnkeyedDecodingContainer {
        let decoder: ImageDecoder
        let count: Int?
        private(set) var currentIndex = 0

        init(decoder: ImageDecoder, count: Int) {
            self.decoder = decoder
            self.count = count
        }

        var codingPath: [any CodingKey] { [] }
        var isAtEnd: Bool { currentIndex == count }

        private mutating func next() throws {
            guard !isAtEnd else { throw ValueImage.Failure.length }
            currentIndex += 1
        }

        mutating func decodeNil() -> Bool { false }

        mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try next()
            return try decoder.take(type)
        }

        mutating func decode(_ type: Int128.Type) throws -> Int128 {
            try next()
            return try Int128.take(from: decoder)
        }

        mutating func decode(_ type: UInt128.Type) throws -> UInt128 {
            try next()
            return try UInt128.take(from: decoder)
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> {
            try next()
            return decoder.container(keyedBy: type)
        }

        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            try next()
            return try decoder.unkeyedContainer()
        }

        mutating func superDecoder() -> any Decoder { decoder }
    }

    /// A value that stands for another.
    private struct One: SingleValueDecodingContainer {
        let decoder: ImageDecoder

        var codingPath: [any CodingKey] { [] }

        func decodeNil() -> Bool { false }

        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try decoder.take(type)
        }

        func decode(_ type: UInt8.Type) throws -> UInt8 { try UInt8.take(from: decoder) }
        func decode(_ type: Int128.Type) throws -> Int128 { try Int128.take(from: decoder) }
        func decode(_ type: UInt128.Type) throws -> UInt128 { try UInt128.take(from: decoder) }
    }
}
