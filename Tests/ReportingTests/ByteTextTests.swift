import Determinism
import Testing

@testable import Reporting

@Suite("Rows of text as bytes")
struct ByteTextTests {
    /// Numbers of all lengths, and the extremes.
    private static let numbers: [Int64] = {
        var random = SplitMix64(seed: 1)
        let drawn = (0..<2_000).map { _ in
            Int64(bitPattern: random.next()) >> Int64(random.next() % 64)
        }
        return drawn + [0, 1, -1, 9, 10, -10, .max, .min, .min + 1]
    }()

    private func text(_ text: ByteText) -> String {
        String(decoding: text.bytes, as: UTF8.self)
    }

    @Test("Numbers, texts and intervals are written as strings write them")
    func asStrings() {
        for number in Self.numbers {
            #expect(text("<\(number)>") == "<\(number)>")
            #expect(text("\(UInt64(bitPattern: number))") == "\(UInt64(bitPattern: number))")
            #expect(
                text("\(Int32(truncatingIfNeeded: number))")
                    == "\(Int32(truncatingIfNeeded: number))"
            )
        }
        #expect(text("\("星河"), \(1)\n") == "星河, 1\n")
        let none: [ClosedRange<Int32>] = []
        #expect(text("[\(none)]") == "[]")
        #expect(text("\([0...3, 7...7, 9...12] as [ClosedRange<Int32>])") == "0-3 7 9-12")
    }

    @Test("Microseconds are written as seconds, with no more decimals than there are")
    func seconds() {
        for number in Self.numbers {
            let digits = String(number.magnitude)
            let padded = String(repeating: "0", count: max(0, 7 - digits.count)) + digits
            var plain = String(padded.dropLast(6)) + "." + padded.suffix(6)
            while plain.last == "0" { plain.removeLast() }
            if plain.last == "." { plain.removeLast() }
            #expect(text("\(seconds: number)") == (number < 0 ? "-" : "") + plain)
            #expect(NumberText.seconds(microseconds: number) == (number < 0 ? "-" : "") + plain)
        }
    }
}
