import Crypto
import Quantities

/// A chain of SHA-256 hashes over rows: each hash covers its row and the hash before it, so a row
/// that is changed, taken out or put in anywhere breaks the chain from there on.
public struct HashChain: Hashable, Sendable, Codable {
    /// The hash of the last row; 32 zero bytes before the first.
    public private(set) var head = [UInt8](repeating: 0, count: 32)

    /// The chain before the first row.
    public init() {}

    /// The chain after a row whose hash is known.
    init(head: [UInt8]) {
        self.head = head
    }

    /// Takes in one row: numbers, then texts. Lengths go in, so that no two rows look alike.
    mutating func extend(numbers: [Int64], texts: [String]) {
        var hash = SHA256()
        hash.update(data: head)
        var bytes: [UInt8] = []
        func put(_ number: Int64) {
            withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
        }
        for number in numbers { put(number) }
        for text in texts {
            put(Int64(text.utf8.count))
            bytes += text.utf8
        }
        hash.update(data: bytes)
        head = Array(hash.finalize())
    }

    /// Takes in an input, as its row in the store does.
    mutating func extend(_ row: JournalRow) {
        extend(
            numbers: [row.sequence, row.batch, row.instant.microseconds],
            texts: [row.kind, row.body]
        )
    }

    /// Takes in an entry of the ledger, as its row in the store does.
    public mutating func extend(ledgerSequence: Int64, _ row: LedgerRow) {
        extend(numbers: [ledgerSequence], texts: [row.id, row.text])
    }

    /// The last hash in hexadecimal.
    public var hexText: String { Self.hexText(head) }

    /// Bytes in hexadecimal.
    static func hexText(_ bytes: some Sequence<UInt8>) -> String {
        // Each row of a ledger that is read has one.
        var text: [UInt8] = []
        text.reserveCapacity(2 * bytes.underestimatedCount)
        func add(_ digit: UInt8) {
            text.append(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
        }
        for byte in bytes {
            add(byte >> 4)
            add(byte & 15)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
