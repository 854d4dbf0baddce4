import Foundation
import GRDB

/// Long texts of many rows that were packed together: one text is short and much like the next, so that they take
/// a tenth of what each takes alone. The column of such a row has `@block/place` in place of its text.
///
/// No text begins so by itself: a record is a JSON object, an entry of the ledger begins with its version. What was
/// changed does not come out as what the journal gives, as with any other row.
struct PackedTexts {
    /// How many texts of records, and of entries, are packed together: whoever wants one unpacks them all.
    static let recordsAtOnce = 128
    static let entriesAtOnce = 512

    /// The block that was looked at last.
    private var block: Int64?
    private var texts: [String] = []

    /// What stands in a row for a text.
    static func reference(_ block: Int64, _ place: Int) -> String { "@\(block)/\(place)" }

    private static func place(_ stored: String) -> (block: Int64, place: Int)? {
        guard stored.utf8.first == UInt8(ascii: "@") else { return nil }
        let parts = stored.utf8.dropFirst().split(
            separator: UInt8(ascii: "/"),
            omittingEmptySubsequences: false
        )
        guard parts.count == 2, let block = Int64(String(parts[0]) ?? ""),
            let place = Int(String(parts[1]) ?? "")
        else { return nil }
        return (block, place)
    }

    /// The text that a row has, wherever it lies; what stands in the row where nothing is found.
    mutating func text(_ stored: String, _ db: Database) throws -> String {
        guard let (block, place) = Self.place(stored) else { return stored }
        if self.block != block {
            texts = try Self.texts(in: block, db)
            self.block = block
        }
        return texts.indices.contains(place) ? texts[place] : stored
    }

    private static func texts(in block: Int64, _ db: Database) throws -> [String] {
        let statement = try db.cachedStatement(
            sql: "SELECT length, bytes FROM packed WHERE block = ?"
        )
        guard let row = try Row.fetchOne(statement, arguments: [block]) else { return [] }
        return unpacked(row[1] as Data, to: row[0]) ?? []
    }

    // MARK: - Packing

    /// Texts packed.
    struct Packed: Sendable {
        /// Of the texts before they were packed. Unit: bytes.
        var length: Int
        var bytes: [UInt8]
    }

    /// Packs texts.
    static func packed(_ texts: [String]) -> Packed {
        var writer = PackedWriter()
        for text in texts { writer.append(text) }
        return Packed(length: writer.bytes.count, bytes: DeflatedBytes.pack(writer.bytes))
    }

    private static func unpacked(_ bytes: Data, to length: Int) -> [String]? {
        guard let plain = DeflatedBytes.unpack(bytes, to: length) else { return nil }
        var reader = PackedReader(plain)
        var texts: [String] = []
        while !reader.isAtEnd {
            guard let text = reader.text() else { return nil }
            texts.append(text)
        }
        return texts
    }
}
