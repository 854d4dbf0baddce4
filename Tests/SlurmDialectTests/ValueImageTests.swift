import Testing
import WireFormats

@Suite("Values as bytes")
struct ValueImageTests {
    private struct Odd: Codable, Hashable {
        enum Kind: Codable, Hashable {
            case none
            case one(Int)
            case two(first: String, second: [Int32]?)
        }

        var small: Int8 = -128
        var wide = Int128.max
        var unsigned = UInt64.max
        var half = -0.5
        var text = "星河 \u{0}"
        var kinds = [
            Kind.none, .one(.min), .two(first: "", second: nil), .two(first: "x", second: []),
        ]
        var byPair: [[Int]: Set<String>] = [[1, 2]: ["a", "b", "c"], []: []]
        var missing: Int?
        var nested: [String: [Int?]] = ["a": [nil, 1], "b": []]
        var range = -3...Int64.max
        var lanes = SIMD4<Int32>(1, -2, 3, -4)
    }

    private struct Changed: Codable {
        var small: Int8
        var broad: Int128
    }

    @Test("Every kind of value is read as it was written; equal values have equal bytes")
    func values() throws {
        let odd = Odd()
        let bytes = try ValueImage.bytes(of: odd)
        #expect(try ValueImage.value(Odd.self, from: bytes) == odd)
        var other = Odd()
        other.byPair = [[]: [], [1, 2]: ["c", "b", "a"]]
        #expect(try ValueImage.bytes(of: other) == bytes)
        #expect(throws: ValueImage.Failure.self) {
            try ValueImage.value(Changed.self, from: bytes)
        }
    }

    @Test("Bytes that are no image give an error, whatever they are, and never another length")
    func damagedBytes() throws {
        let bytes = try ValueImage.bytes(of: Odd())
        for count in bytes.indices {
            #expect(throws: ValueImage.Failure.self, "the first \(count) bytes") {
                try ValueImage.value(Odd.self, from: Array(bytes.prefix(count)))
            }
        }
        #expect(throws: ValueImage.Failure.length) {
            try ValueImage.value(Odd.self, from: bytes + [0])
        }
        for place in bytes.indices {
            for value in [0, 1, 0x7f, 0x80, 0xff] as [UInt8] where bytes[place] != value {
                var other = bytes
                other[place] = value
                // It may be another value, but not the one that was written; reading it ends.
                #expect((try? ValueImage.value(Odd.self, from: other)) != Odd(), "byte \(place)")
            }
        }
    }

    @Test("A set within a dictionary within a list is written once, in the order of its bytes")
    func nestedSets() throws {
        let list = [["b": Set(0..<200 as Range<Int>), "a": []], [:], ["c": [7]]]
        let bytes = try ValueImage.bytes(of: list)
        #expect(try ValueImage.value([[String: Set<Int>]].self, from: bytes) == list)
        #expect(bytes.count < 400)
    }

    /// Two programs' declarations of the same things.
    private enum Before {
        enum Kind: UInt8, CaseIterable, Codable { case payable, revenue }
        struct Entry: Codable { var kinds: [Kind: [Kind]] = [.payable: [.revenue]] }
    }
    private enum After {
        enum Kind: UInt8, CaseIterable, Codable { case refund, payable, revenue }
        struct Entry: Codable { var kinds: [Kind: [Kind]] = [.refund: [.payable]] }
    }

    @Test("A case put before others makes it another layout: the same number means something else")
    func movedCases() throws {
        let bytes = try ValueImage.bytes(of: Before.Entry())
        let other = try ValueImage.bytes(of: After.Entry())
        #expect(bytes.dropFirst(8) == other.dropFirst(8))
        #expect(!ValueImage.haveSameLayout(bytes, other))
        #expect(throws: ValueImage.Failure.otherLayout) {
            try ValueImage.value(After.Entry.self, from: bytes)
        }
    }
}
