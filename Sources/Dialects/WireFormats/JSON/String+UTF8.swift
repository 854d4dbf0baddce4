extension String {
    /// The text that bytes are; nil where they are no UTF-8. As the standard library's `init(validating:as:)`, which
    /// looks up its types at run time: most texts of records are short and of ASCII alone.
    init?(utf8 bytes: ArraySlice<UInt8>) {
        let text = bytes.withUnsafeBufferPointer { bytes -> String? in
            var isASCII = true
            for byte in bytes { isASCII = isASCII && byte < 0x80 }
            return isASCII ? String(decoding: bytes, as: UTF8.self) : nil
        }
        guard let text = text ?? String(validating: bytes, as: UTF8.self) else { return nil }
        self = text
    }
}
