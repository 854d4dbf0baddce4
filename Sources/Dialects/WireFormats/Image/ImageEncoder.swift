/// Writes a value down as `ValueImage` says.
final class ImageEncoder: Encoder {
    /// The image; its first eight bytes, for the fingerprint, are filled in at the end: an image may be of
    /// hundreds of megabytes, and is not copied for them.
    var bytes = [UInt8](repeating: 0, count: 8)
    var layout = ImageLayout()
    private var kinds: ImageKinds

    /// - Parameter usesRecords: whether values are written by the properties that they name.
    init(usesRecords: Bool) {
        kinds = ImageKinds(usesRecords: usesRecords)
    }

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// The whole image, once all is written. Nothing can be written after it.
    func finish() -> [UInt8] {
        for place in 0..<8 { bytes[place] = UInt8(truncatingIfNeeded: layout.value >> (8 * place)) }
        defer { bytes = [] }
        return bytes
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(Properties<Key>(encoder: self, isNew: layout.meets(type)))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        Elements(encoder: self, start: bytes.count)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { One(encoder: self) }

    /// Writes one value. Its type is looked at, and not the value: an optional would be taken for what is in it.
    func put<Value: Encodable>(_ value: Value) throws {
        switch kinds.kind(of: Value.self, noting: &layout) {
        case .scalar(let scalar): try put(value, of: scalar)
        case .collection(let collection): try put(value, of: collection)
        case .record(let record): try put(value, of: record)
        case .records, .list, .other: try value.encode(to: self)
        }
    }

    private func put<Value, Record: ImageRecord>(_ value: Value, of _: Record.Type) throws {
        guard let value = value as? Record else {
            throw ValueImage.Failure.notWritable("\(value)")
        }
        try put(record: value)
    }

    /// Writes a value by the properties that it names.
    func put<Record: ImageRecord>(record: Record) throws {
        guard kinds.usesRecords else { return try record.encode(to: self) }
        var copy = record
        var fields = ImageFields(writing: self, Record.self)
        try copy.exchange(&fields)
    }

    /// Writes a list as `Elements` does.
    func put<Record: ImageRecord>(records: [Record]) throws {
        for byte in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: records.count >> (8 * byte))) }
        for record in records { try put(record: record) }
    }

    /// Writes a list of nothing.
    func putEmptyList() {
        for _ in 0..<4 { bytes.append(0) }
    }

    private func put<Value, Scalar: ImageScalar>(_ value: Value, of _: Scalar.Type) throws {
        guard let value = value as? Scalar else {
            throw ValueImage.Failure.notWritable("\(value)")
        }
        value.put(into: &bytes)
    }

    private func put<Value, List: ImageCollection>(_ value: Value, of _: List.Type) throws {
        guard let value = value as? List else {
            throw ValueImage.Failure.notWritable("\(value)")
        }
        try value.put(into: self)
    }

    /// Writes the elements of something without an order, in the order of their bytes.
    func putSorted<Elements: Sequence>(
        _ elements: Elements,
        _ put: (Elements.Element) throws -> Void
    ) throws {
        let start = bytes.count
        var parts: [Range<Int>] = []
        for element in elements {
            let begin = bytes.count
            try put(element)
            parts.append(begin..<bytes.count)
        }
        guard parts.count > 1 else { return }
        parts.sort { bytes[$0].lexicographicallyPrecedes(bytes[$1]) }
        let sorted = parts.flatMap { bytes[$0] }
        bytes.replaceSubrange(start..., with: sorted)
    }

    /// The properties of a struct, or the case of an enum.
    private struct Properties<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let encoder: ImageEncoder
        let isNew: Bool
        var hash = ImageLayout.start

        var codingPath: [any CodingKey] { [] }

        /// Nearly always the property was met before, and nobody wants to know of which type it is.
        private mutating func note(_ key: Key, _ type: @autoclosure () -> Any.Type) {
            if isNew { encoder.layout.add(key.stringValue, type(), &hash) }
        }

        mutating func encodeNil(forKey key: Key) { note(key, Never.self) }

        mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
            note(key, Value.self)
            try encoder.put(value)
        }

        mutating func encodeIfPresent<Value: Encodable>(_ value: Value?, forKey key: Key) throws {
            try putIfPresent(value, key)
        }

        private mutating func putIfPresent<Value: Encodable>(_ value: Value?, _ key: Key) throws {
            note(key, Value?.self)
            encoder.bytes.append(value == nil ? 0 : 1)
            if let value { try encoder.put(value) }
        }

        private mutating func putScalarIfPresent<Scalar: ImageScalar>(
            _ value: Scalar?,
            _ key: Key
        ) {
            note(key, Scalar?.self)
            encoder.bytes.append(value == nil ? 0 : 1)
            value?.put(into: &encoder.bytes)
        }

        // For all that follows here the standard library has answers of its own, which come before those for
        // any type: they leave out what is not there, or fail.

        mutating func encodeIfPresent(_ value: Bool?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: String?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: Double?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: Float?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: Int?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: Int8?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: Int16?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: Int32?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: Int64?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: Int128?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: UInt?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: UInt8?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: UInt16?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: UInt32?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: UInt64?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }
        mutating func encodeIfPresent(_ value: UInt128?, forKey key: Key) {
            putScalarIfPresent(value, key)
        }

        // What most properties are is written without a look at what it is.

        mutating func encode(_ value: Bool, forKey key: Key) { put(value, key) }
        mutating func encode(_ value: String, forKey key: Key) { put(value, key) }
        mutating func encode(_ value: Int, forKey key: Key) { put(value, key) }
        mutating func encode(_ value: Int8, forKey key: Key) { put(value, key) }
        mutating func encode(_ value: UInt8, forKey key: Key) { put(value, key) }
        mutating func encode(_ value: Int32, forKey key: Key) { put(value, key) }
        mutating func encode(_ value: Int64, forKey key: Key) { put(value, key) }
        mutating func encode(_ value: Int128, forKey key: Key) { put(value, key) }
        mutating func encode(_ value: UInt32, forKey key: Key) { put(value, key) }
        mutating func encode(_ value: UInt64, forKey key: Key) { put(value, key) }
        mutating func encode(_ value: UInt128, forKey key: Key) { put(value, key) }

        private mutating func put<Scalar: ImageScalar>(_ value: Scalar, _ key: Key) {
            note(key, Scalar.self)
            value.put(into: &encoder.bytes)
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) -> KeyedEncodingContainer<Nested> {
            key.stringValue.put(into: &encoder.bytes)
            return encoder.container(keyedBy: type)
        }

        mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            encoder.unkeyedContainer()
        }

        mutating func superEncoder() -> any Encoder { encoder }
        mutating func superEncoder(forKey key: Key) -> any Encoder { encoder }
    }

    /// A list: how many elements there are is known when the last one was written, and stands after them.
    private struct Elements: UnkeyedEncodingContainer {
        let encoder: ImageEncoder
        let start: Int
        private(set) var count = 0

        init(encoder: ImageEncoder, start: Int) {
            self.encoder = encoder
            self.start = start
            encoder.bytes += [0, 0, 0, 0]
        }

        var codingPath: [any CodingKey] { [] }

        private mutating func next() {
            count += 1
            for byte in 0..<4 {
                encoder.bytes[start + byte] = UInt8(truncatingIfNeeded: count >> (8 * byte))
            }
        }

        mutating func encodeNil() {
            next()
            encoder.bytes.append(0)
        }

        mutating func encode<Value: Encodable>(_ value: Value) throws {
            next()
            try encoder.put(value)
        }

        mutating func encode(_ value: Int128) {
            next()
            value.put(into: &encoder.bytes)
        }

        mutating func encode(_ value: UInt128) {
            next()
            value.put(into: &encoder.bytes)
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) -> KeyedEncodingContainer<Nested> {
            next()
            return encoder.container(keyedBy: type)
        }

        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            next()
            return encoder.unkeyedContainer()
        }

        mutating func superEncoder() -> any Encoder { encoder }
    }

    /// A value that stands for another: of an enum, an identifier, an optional in a list.
    private struct One: SingleValueEncodingContainer {
        let encoder: ImageEncoder

        var codingPath: [any CodingKey] { [] }

        mutating func encodeNil() { encoder.bytes.append(0) }

        mutating func encode<Value: Encodable>(_ value: Value) throws { try encoder.put(value) }

        mutating func encode(_ value: UInt8) { value.put(into: &encoder.bytes) }
        mutating func encode(_ value: Int128) { value.put(into: &encoder.bytes) }
        mutating func encode(_ value: UInt128) { value.put(into: &encoder.bytes) }
    }
}

extension Optional: ImageCollection where Wrapped: Codable {
    func put(into encoder: ImageEncoder) throws {
        encoder.bytes.append(self == nil ? 0 : 1)
        if let value = self { try encoder.put(value) }
    }

    static func take(from decoder: ImageDecoder) throws -> Wrapped? {
        try Bool.take(from: decoder) ? try decoder.take(Wrapped.self) : nil
    }
}
