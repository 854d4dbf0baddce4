/// Numbers and texts one behind the other, before they are packed.
struct PackedWriter {
    private(set) var bytes: [UInt8] = []

    /// Appends a number in as many groups of seven bits as it needs.
    mutating func append(_ number: UInt64) {
        var rest = number
        while rest > 127 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Appends a number that may be negative: small ones are short.
    mutating func append(_ number: Int64) {
        append(UInt64(bitPattern: (number << 1) ^ (number >> 63)))
    }

    /// Appends a text with its length.
    mutating func append(_ text: String) {
        append(UInt64(text.utf8.count))
        bytes += text.utf8
    }
}

/// Reads what `PackedWriter` wrote; nil where it is something else.
struct PackedReader {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Whether all of it was read.
    var isAtEnd: Bool { place == bytes.count }

    mutating func number() -> UInt64? {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while place < bytes.count, shift < 64 {
            let byte = bytes[place]
            place += 1
            number |= UInt64(byte & 127) << shift
            if byte < 128 { return number }
            shift += 7
        }
        return nil
    }

    mutating func signedNumber() -> Int64? {
        number().map { Int64(bitPattern: ($0 >> 1) ^ (0 &- ($0 & 1))) }
    }

    mutating func text() -> String? {
        guard let count = number(), count <= UInt64(bytes.count - place) else { return nil }
        let end = place + Int(count)
        defer { place = end }
        return String(validating: bytes[place..<end], as: UTF8.self)
    }

    /// Passes over a text.
    mutating func skipText() -> Bool {
        guard let count = number(), count <= UInt64(bytes.count - place) else { return false }
        place += Int(count)
        return true
    }
}
