import Crypto

/// SHA-256 of bytes that come in pieces: what a result says of the files that it was made of.
public struct FileDigest {
    private var hash = SHA256()

    /// The digest of nothing.
    public init() {}

    /// Takes in the next bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bufferPointer: bytes)
    }

    /// The digest of all bytes, 64 hexadecimal digits.
    public var hexText: String { HashChain.hexText(hash.finalize()) }
}
