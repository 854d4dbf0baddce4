import CZlib

/// Bytes as zlib packs them.
enum DeflatedBytes {
    /// The most that a byte of zlib's unpacks to, and what little is to be unpacked in any case: a length beyond
    /// is not to be believed.
    private static let mostOfByte = 1_040

    /// Packs bytes.
    static func pack(_ bytes: [UInt8]) -> [UInt8] {
        var length = compressBound(UInt(bytes.count))
        return [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, filled in
            let code = compress2(
                buffer.baseAddress,
                &length,
                bytes,
                UInt(bytes.count),
                Z_DEFAULT_COMPRESSION
            )
            precondition(code == Z_OK, "zlib has no memory, or its own bound is too small")
            filled = Int(length)
        }
    }

    /// Unpacks bytes that must come to `count`; nil for what does not, or was changed.
    static func unpack(_ packed: some Collection<UInt8>, to count: Int) -> [UInt8]? {
        guard count >= 0, count / mostOfByte <= packed.count else { return nil }
        let packed = Array(packed)
        var length = UInt(count)
        var code = Z_OK
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            code = uncompress(buffer.baseAddress, &length, packed, UInt(packed.count))
            filled = code == Z_OK ? Int(length) : 0
        }
        return code == Z_OK && bytes.count == count ? bytes : nil
    }
}
